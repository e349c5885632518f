"""What is to be exported: a list as somebody sees it, its columns, and the marks that every copy carries."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from serving.assignments import NOBODY as UNASSIGNED
from serving.bands import BY_NAME, band_of
from serving.browsing import Wanted
from serving.errors import RequestRefused
from serving.exporting.words import moment
from serving.listing import Line
from serving.masked_names import NOBODY, Masks
from targeting.headings import HEADINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.list_page import InDanger
    from serving.listing import StoredList

Format = Literal["csv", "xlsx", "pdf"]
COLUMNS = tuple(field.name for field in fields(Line))
MASKED, BAND, VISITOR = "masked_name", "risk_band", "assigned_to"
RISKS = frozenset({"risk", "risk_low", "risk_high", "risk_find", "risk_prevent", "risk_survey"})
"""Shares, which people read as percentages."""
OF_A_PLAN = COLUMNS[COLUMNS.index("track") :]
OFFERED = (*COLUMNS[:2], MASKED, *COLUMNS[2:], BAND, VISITOR)
"""Columns, and what is kept in no list: the masked name and the visitor as they are now, the class of the risk."""
ON_PAPER = ("rank", "household_id", "unit_count", "risk", "reasons_id", "missing_registers", "freshest_on")
PLAN_ON_PAPER = ("rank", "household_id", "unit_count", "risk", "reasons_id", "services_id", "unmet_id", "posyandu_id")
MOST_ON_PAPER = 12
"""Columns that fit beside each other on a page."""
NAME_CHARACTERS = 40
ALL_LINES = Wanted()
SOUGHT = {
    "region": "wilayah", "area": "desa", "band": "tingkat risiko", "service": "layanan belum diterima",
    "assigned_to": "petugas", "search": "ID memuat", "order": "urut menurut",
}  # fmt: skip
"""Fields of `Wanted`."""
ORDERS_SAID = {
    "rank": None, "-rank": "urutan kunjungan, dari belakang", "risk": "risiko, terendah dahulu",
    "-risk": "risiko, tertinggi dahulu", "area": "desa", "-area": "desa, dari belakang",
    "freshest": "data terlama dahulu", "-freshest": "data terbaru dahulu",
}  # fmt: skip
"""Orders of `browsing`; the list's own needs no word."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """A copy of a list.

    Parameters
    ----------
    listed
        The list, as its reader sees it.
    columns
        Names of `OFFERED`, in their order.
    wanted
        Which lines are copied, and in which order.
    by_area
        On paper, whether each area has pages of its own; else all stand by rank.
    made_by, made_at
        Whose copy it is, and since when, with its time zone.
    zone
        Of the clock by which moments are written.
    letterhead
        Lines at the head of a paper.
    names
        Beside whom `MASKED` puts them.
    urgent
        All whom its reader sees of those to be referred at once; None where it cannot be said, or is not asked.
    """

    listed: StoredList
    columns: tuple[str, ...]
    wanted: Wanted = ALL_LINES
    by_area: bool = True
    made_by: str
    made_at: dt.datetime
    zone: str
    letterhead: tuple[str, ...] = ()
    names: Masks = NOBODY
    urgent: InDanger | None = None

    @property
    def sought(self) -> str:
        """What leaves lines out, and how they are sorted, in Indonesian; empty for the list as it is."""
        asked = {said: getattr(self.wanted, name) for name, said in SOUGHT.items()}
        if self.wanted.band is not None:
            asked[SOUGHT["band"]] = BY_NAME[self.wanted.band].words
        if self.wanted.assigned_to == UNASSIGNED:
            asked[SOUGHT["assigned_to"]] = "belum ada petugas"
        asked[SOUGHT["order"]] = ORDERS_SAID[self.wanted.order]
        return "; ".join(f"{said}: {value}" for said, value in asked.items() if value is not None)

    @property
    def mark(self) -> str:
        """What tells a copy from all others."""
        return f"{self.listed.id} · {plain_name(self.made_by)} · {moment(self.made_at, zone=self.zone)}"


@dataclass(frozen=True, kw_only=True)
class FullLine(Line):
    """A line with what the list does not keep.

    Parameters
    ----------
    masked_name
        None where no name was handed over.
    risk_band
        The class of its risk, in Indonesian.
    assigned_to
        Who visits; None where nobody does.
    """

    masked_name: str | None
    risk_band: str
    assigned_to: str | None


def full(lines: Sequence[Line], names: Masks, visitors: Mapping[str, str]) -> list[FullLine]:
    """The lines, each with its masked name, the class of its risk, and who visits."""
    masked = names.of([line.household_id for line in lines])
    return [
        FullLine(
            **vars(line), masked_name=name, risk_band=band_of(line.risk).words,
            assigned_to=visitors.get(line.household_id),
        )
        for line, name in zip(lines, masked, strict=True)
    ]  # fmt: skip


def chosen_columns(asked: str | None, *, kind: Format, listed: StoredList, names: Masks = NOBODY) -> tuple[str, ...]:
    """The columns that were asked for by names joined by commas, or those that the kind of file has by itself.

    Where no names were handed over, `MASKED` is empty, and there only for who asks for it.

    Raises
    ------
    RequestRefused
        There is no such column, or there are more than a page holds.
    """
    if asked is None:
        usual = _usual(kind, listed)
        return (*usual[:2], MASKED, *usual[2:]) if names else usual
    chosen = tuple(dict.fromkeys(name.strip() for name in asked.split(",")))
    if unknown := sum(name not in OFFERED for name in chosen):
        raise RequestRefused(f"columns has {unknown} that lines do not have; they have {', '.join(OFFERED)}.")
    if kind == "pdf" and len(chosen) > MOST_ON_PAPER:
        raise RequestRefused(
            f"columns has {len(chosen)}; a page holds at most {MOST_ON_PAPER}: take fewer, or format=xlsx."
        )
    return chosen


def _usual(kind: Format, listed: StoredList) -> tuple[str, ...]:
    is_plan = listed.policy_stamp is not None
    if kind == "pdf":
        return PLAN_ON_PAPER if is_plan else ON_PAPER
    if kind == "xlsx" and not is_plan:
        return (*(name for name in COLUMNS if name not in OF_A_PLAN), BAND, VISITOR)
    return (*COLUMNS, BAND, VISITOR) if kind == "xlsx" else COLUMNS


def heading_of(name: str) -> str:
    """What a planner calls a column, in Indonesian."""
    return HEADINGS[name][0]


def file_name(made: Export, kind: Format) -> str:
    """The name of the file, of letters that every disk takes; it says so when nobody in it exists."""
    words = unicodedata.normalize("NFKD", made.listed.name).encode("ascii", "ignore").decode()
    named = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")[:NAME_CHARACTERS] or "daftar"
    simulated = "-SIMULASI" if made.listed.simulated else ""
    by = re.sub(r"[^A-Za-z0-9]+", "-", made.made_by).strip("-")[:NAME_CHARACTERS]
    return f"tepat-{named}-{made.listed.id[:8]}-{by}-{made.made_at:%Y%m%dT%H%M%SZ}{simulated}.{kind}"


def headers_of(made: Export, kind: Format) -> dict[str, str]:
    """The headers of a copy: its name, and the marks that a CSV cannot carry inside."""
    name = file_name(made, kind)
    return {
        "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Tepat-List": made.listed.id,
        "X-Tepat-Made-By": quote(made.made_by, safe=" @:.-_"),
        "X-Tepat-Made-At": f"{made.made_at:%Y-%m-%dT%H:%M:%SZ}",
        "X-Tepat-Simulated": str(made.listed.simulated).lower(),
    }


def plain_name(name: str) -> str:
    """An account's name, short enough for the foot of a page."""
    return name if len(name) <= NAME_CHARACTERS else f"{name[:NAME_CHARACTERS]}..."
