"""A visit as it was typed on a phone -> what is kept of it, or what is to be filled in still."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from features.growth import AGE_LIMIT_MONTHS
from serving.errors import RequestRefused
from serving.fact_asked import value_typed
from serving.field_store import MOST_TEXT, OUTCOMES
from serving.measuring import COLUMNS_TYPED, FACTS, MEASURES, Child, Measured, measured
from serving.numbers import holds_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving.pages.entering import Form
    from serving.pages.language import Language
    from targeting.urgent import UrgentLimits

NONE: Final[dict[str, Any]] = dict.fromkeys(FACTS)
LONGEST_AGO: Final = dt.timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A visit that was filled in.

    Parameters
    ----------
    measured
        Of the children of whom something was measured.
    wrong
        What is to be filled in or mended, in the reader's words; then the visit is not kept.
    """

    visited_on: dt.date | None
    outcome: str | None
    services: tuple[str, ...]
    note: str | None
    measured: tuple[Measured, ...] = ()
    wrong: tuple[str, ...] = field(default=())

    @property
    def urgent(self) -> bool:
        """Whether a child is to be referred at once."""
        return any(one.urgent_id for one in self.measured)

    @property
    def again(self) -> bool:
        """Whether something should be measured again."""
        return any(one.again for one in self.measured)


def today_of(zone: str) -> dt.date:
    """The day on the district's clock."""
    return dt.datetime.now(tz=ZoneInfo(zone)).date()


def typed_visit(
    form: Form, children: Iterable[Child], *, services: Iterable[str], limits: UrgentLimits, said: Language
) -> Typed:
    """What a form says of a visit.

    Parameters
    ----------
    services
        Codes of the menu; others are not taken.
    """
    wrong: list[str] = []
    day, outcome = _day(form, said=said, wrong=wrong), form.text("outcome")
    if outcome not in OUTCOMES:
        outcome = None
        wrong.append(said("Pilih hasil kunjungan."))
    given, menu = tuple(dict.fromkeys(form.all_of("given"))), set(services)
    if not menu.issuperset(given):
        wrong.append(said("Ada layanan yang tidak dikenal; pilih lagi dari daftar layanan."))
    found = [] if day is None else _measured(form, children, on=day, limits=limits, said=said, wrong=wrong)
    if outcome not in (None, "met") and (found or given):
        wrong.append(said("Layanan dan pengukuran hanya diisi bila keluarga ditemui."))
    return Typed(
        visited_on=day, outcome=outcome, services=given, note=_note(form, said=said, wrong=wrong),
        measured=tuple(found), wrong=tuple(wrong),
    )  # fmt: skip


def _note(form: Form, *, said: Language, wrong: list[str]) -> str | None:
    note = (form.text("note") or "").replace("\r\n", "\n") or None  # a browser counts the end of a line as one
    if len(note or "") > MOST_TEXT:
        wrong.append(said("Catatan paling panjang %(most)s huruf.", most=said.whole(MOST_TEXT)))
    if holds_number(note or ""):
        wrong.append(said("Catatan memuat nomor 16 angka, seperti NIK atau nomor KK. Hapuslah."))
    return note


def _measured(
    form: Form, children: Iterable[Child], *, on: dt.date, limits: UrgentLimits, said: Language, wrong: list[str]
) -> list[Measured]:
    """Of the children under five on the day; whatever else was filled in of a child is told as wrong."""
    found, left = [], {name for name in form if ":" in name and form.text(name)}
    for child in children:
        if on < child.birth_date or child.age_months(on) >= AGE_LIMIT_MONTHS:
            continue
        left -= {f"{name}:{child.child_id}" for name in FACTS}
        facts = _facts(form, child.child_id, said=said, wrong=wrong)
        if any(facts[name] is not None for name in (*MEASURES, "oedema")):
            found.append(measured(child, facts, on=on, limits=limits))
        elif facts["position"] is not None:
            wrong.append(said("Cara ukur anak %(id)s diisi tanpa ukurannya.", id=child.child_id))
    # In the same words for whatever reason: they must not tell when a child was born.
    others = sorted({name.partition(":")[2] for name in left})
    wrong.extend(
        said("Ukuran anak %(id)s tidak cocok dengan hari kunjungan; periksa keduanya.", id=one) for one in others
    )
    return found


def _day(form: Form, *, said: Language, wrong: list[str]) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(form.text("visited_on") or "")
    except ValueError:
        wrong.append(said("Isi hari kunjungan."))
        return None
    if day > today_of(said.zone):
        wrong.append(said("Hari kunjungan belum tiba."))
        return None
    if day < today_of(said.zone) - LONGEST_AGO:
        wrong.append(said("Hari kunjungan sudah lebih dari %(days)s hari yang lalu.", days=LONGEST_AGO.days))
        return None
    return day


def _facts(form: Form, child_id: str, *, said: Language, wrong: list[str]) -> Mapping[str, Any]:
    facts = dict(NONE)
    for name in FACTS:
        try:
            value = value_typed(COLUMNS_TYPED[name], form.text(f"{name}:{child_id}"))
        except RequestRefused:
            low, high = COLUMNS_TYPED[name].valid or (0, 0)
            wrong.append(
                said("%(name)s anak %(id)s: isi angka dari %(low)s sampai %(high)s.", name=_name(name, said),
                     id=child_id, low=said.number(low), high=said.number(high))
            )  # fmt: skip
            continue
        if value is not None:
            facts[name] = float(value) if name in MEASURES else value == "1" if name == "oedema" else value
    return facts


def _name(measure: str, said: Language) -> str:
    names = {
        "weight_kg": said("Berat badan (kg)"), "height_cm": said("Panjang atau tinggi badan (cm)"),
        "muac_cm": said("LiLA (cm)"), "position": said("Cara ukur"), "oedema": said("Edema kedua kaki"),
    }  # fmt: skip
    return names[measure]
