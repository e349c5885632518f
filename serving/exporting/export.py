"""What is to be exported: a list as somebody sees it, its columns, and the marks that every copy carries."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from serving.errors import RequestRefused
from serving.listing import Line
from serving.masked_names import NOBODY, Masks
from targeting.headings import HEADINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.listing import StoredList

Format = Literal["csv", "xlsx", "pdf"]
COLUMNS = tuple(field.name for field in fields(Line))
MASKED = "masked_name"
OF_A_PLAN = COLUMNS[COLUMNS.index("track") :]
OFFERED = (*COLUMNS[:2], MASKED, *COLUMNS[2:])
"""Columns, and beside the household what is kept in no list: the name as it is now, masked."""
ON_PAPER = ("rank", "household_id", "unit_count", "risk", "reasons_id", "missing_registers", "freshest_on")
PLAN_ON_PAPER = ("rank", "household_id", "unit_count", "risk", "reasons_id", "services_id", "unmet_id", "posyandu_id")
MOST_ON_PAPER = 11
"""Columns that fit beside each other on a page."""
NAME_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True)
class Export:
    """A copy of a list.

    Parameters
    ----------
    listed
        The list, as its reader sees it.
    columns
        Names of `OFFERED`, in their order.
    region, area
        The only ones whose lines are copied; None: every one.
    by_area
        On paper, whether each area has pages of its own; else all stand by rank.
    made_by, made_at
        Whose copy it is, and since when, with its time zone.
    zone
        Of the district's clock, by which a paper is dated.
    letterhead
        Lines at the head of a paper.
    names
        Beside whom `MASKED` puts them.
    """

    listed: StoredList
    columns: tuple[str, ...]
    region: str | None
    area: str | None = None
    by_area: bool = True
    made_by: str
    made_at: dt.datetime
    zone: dt.tzinfo = dt.UTC
    letterhead: tuple[str, ...] = ()
    names: Masks = NOBODY

    @property
    def mark(self) -> str:
        """What tells a copy from all others."""
        return f"{self.listed.id} · {plain_name(self.made_by)} · {self.made_at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, kw_only=True)
class NamedLine(Line):
    """A line with the masked name of its household; None where no name was handed over."""

    masked_name: str | None = None


def named(lines: Sequence[Line], names: Masks) -> list[NamedLine]:
    """The lines, each with its masked name."""
    found = names.of([line.household_id for line in lines])
    return [NamedLine(**vars(line), masked_name=name) for line, name in zip(lines, found, strict=True)]


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
        return tuple(name for name in COLUMNS if name not in OF_A_PLAN)
    return COLUMNS


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
