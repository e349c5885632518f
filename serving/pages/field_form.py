"""A visit as it was typed on a phone -> what is kept of it, or what is to be filled in still."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from serving.errors import RequestRefused
from serving.fact_asked import value_typed
from serving.field_store import OUTCOMES
from serving.measuring import COLUMNS_TYPED, FACTS, MEASURES, Child, Measured, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving.pages.entering import Form
    from serving.pages.language import Language
    from targeting.urgent import UrgentLimits

NONE: Final[dict[str, Any]] = dict.fromkeys(FACTS)


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
    menu = set(services)
    given = tuple(code for code in dict.fromkeys(form.all_of("given")) if code in menu)
    found = []
    for child in children:
        facts = _facts(form, child.child_id, said=said, wrong=wrong)
        if any(facts[name] is not None for name in (*MEASURES, "oedema")) and day is not None:
            if day < child.birth_date:
                wrong.append(said("Hari kunjungan lebih awal dari hari lahir anak %(id)s.", id=child.child_id))
            else:
                found.append(measured(child, facts, on=day, limits=limits))
    if outcome not in (None, "met") and (found or given):
        wrong.append(said("Layanan dan pengukuran hanya diisi bila keluarga ditemui."))
    return Typed(
        visited_on=day, outcome=outcome, services=given, note=form.text("note"), measured=tuple(found),
        wrong=tuple(wrong),
    )  # fmt: skip


def _day(form: Form, *, said: Language, wrong: list[str]) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(form.text("visited_on") or "")
    except ValueError:
        wrong.append(said("Isi hari kunjungan."))
        return None
    if day > today_of(said.zone):
        wrong.append(said("Hari kunjungan belum tiba."))
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
