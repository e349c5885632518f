"""What stands on the page of a list beside its lines: what was decided, who visits, when last, and who is in danger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from serving.assignments import assigned
from serving.bands import Band, as_shown, band_of
from serving.browsing import BETWEEN
from serving.list_totals import Named, at_the_boundary, named
from serving.plan_store import Urgent
from serving.sight import beside_the_list
from serving.tables import decision, worklist_urgent

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from serving.access.who import Who
    from serving.database import Database
    from serving.listing import Line, StoredList
    from serving.masked_names import Masks
    from serving.published import Scores

STALE_DAYS: Final = 180
"""A household of which nothing was written down for so long, half a year, is marked: ours, no source gives one."""
STRONGEST: Final = 2
"""Reasons that a list shows; the household's page has all."""
_URGENT = tuple(field.name for field in fields(Urgent))


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The newest decision about a household on this list."""

    kind: str
    until: dt.date | None
    decided_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line as the page shows it.

    Parameters
    ----------
    masked_name
        Of the head, as it is known now; None where no name was handed over.
    reasons_id, reasons_en
        The strongest, the weightiest first.
    given, unmet
        Services handed over on the visit, and those still lacking.
    visited_on
        As `last_visits` has it; None where nobody knows of a visit.
    is_stale
        Whether its newest fact is older than `STALE_DAYS` on the day of the list; it is, too, where it has no date.
    boundary
        See `list_totals.at_the_boundary`.
    """

    line: Line
    masked_name: str | None
    band: Band
    reasons_id: tuple[str, ...]
    reasons_en: tuple[str, ...]
    given: tuple[Named, ...]
    unmet: tuple[Named, ...]
    missing: tuple[str, ...]
    visited_on: dt.date | None
    is_stale: bool
    boundary: bool | None
    assigned_to: str | None
    decided: Decided | None

    @property
    def shown(self) -> tuple[float, int]:
        """The line's risk; see `bands.as_shown`."""
        return as_shown(self.line.risk)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Lines that are printed together; `named` says that they are all of one area."""

    named: bool
    area_name: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class InDanger:
    """Some of those who are to be referred at once, and how many they are."""

    count: int
    some: tuple[Urgent, ...]


def rows(
    database: Database,
    found: StoredList,
    lines: Sequence[Line],
    *,
    visits: Mapping[str, dt.date],
    cuts: Mapping[str | None, float] | None,
    names: Masks,
    zone: dt.tzinfo = dt.UTC,
    decisions: bool = True,
) -> tuple[Row, ...]:
    """The lines that somebody sees, with what was done about them; may raise `StoreRefused`.

    Parameters
    ----------
    zone
        Of the clock by whose day the list was made.
    decisions
        Whether they may see what was decided, and who visits; else neither is read.
    """
    homes = [line.household_id for line in lines] if decisions else []
    with database.reading() as connection:
        whose = assigned(connection, found.id, homes)
        decided = _decided(connection, found.id, homes)
    masked = names.of([line.household_id for line in lines])
    on = found.plan_on or found.freshest_on or found.created_at.astimezone(zone).date()
    return tuple(
        _row(
            line, name, on=on, visited_on=visits.get(line.household_id),
            boundary=at_the_boundary(line, cuts), assigned_to=whose.get(line.household_id),
            decided=decided.get(line.household_id),
        )
        for line, name in zip(lines, masked, strict=True)
    )  # fmt: skip


def sheets(found: Sequence[Row], *, by_area: bool) -> tuple[Sheet, ...]:
    """The lines as they are printed: a sheet for each area that follows another, or one for all."""
    if not by_area:
        return (Sheet(named=False, area_name=None, rows=tuple(found)),) if found else ()
    grouped = groupby(found, key=lambda row: (row.line.area_id, row.line.area_name))
    return tuple(Sheet(named=True, area_name=name or area_id, rows=tuple(of_it)) for (area_id, name), of_it in grouped)


def in_danger(
    database: Database,
    found: StoredList,
    *,
    who: Who,
    scores: Scores | None,
    limit: int,
    skip: int = 0,
    only: Mapping[str, str] = MappingProxyType({}),
) -> InDanger | None:
    """Who is to be referred at once, as it stood when a plan was made; of a list by risk alone, as it stands now.

    Parameters
    ----------
    scores
        Those of now; None when there are none.
    only
        By name of a place or a person of `Urgent`: the one that is asked for.

    Returns
    -------
    None where it cannot be said.
    """
    if found.policy_stamp is None:
        return None if scores is None else _now(scores, who=who, limit=limit, skip=skip, only=only)
    seen = beside_the_list(worklist_urgent, _URGENT, found=found, who=who)
    seen = seen.where(*(worklist_urgent.c[name] == one for name, one in only.items()))
    counted = sa.select(sa.func.count()).select_from(seen.subquery())
    some = seen.order_by(worklist_urgent.c.place).limit(limit).offset(skip)
    with database.reading() as connection:
        count = connection.scalar(counted) or 0
        told = [Urgent(**row) for row in connection.execute(some).mappings()]
    # Their places on the whole would tell how many of other regions stand between them.
    return InDanger(count=count, some=tuple(replace(one, place=skip + at) for at, one in enumerate(told, start=1)))


def _row(
    line: Line, name: str | None, *, on: dt.date, visited_on: dt.date | None, boundary: bool | None,
    assigned_to: str | None, decided: Decided | None,
) -> Row:  # fmt: skip
    return Row(
        line=line, masked_name=name, band=band_of(line.risk), reasons_id=_strongest(line.reasons_id),
        reasons_en=_strongest(line.reasons_en), given=named(line.services), unmet=named(line.unmet),
        missing=tuple((line.missing_registers or "").replace(",", " ").replace(";", " ").split()),
        visited_on=visited_on, is_stale=line.freshest_on is None or (on - line.freshest_on).days > STALE_DAYS,
        boundary=boundary, assigned_to=assigned_to, decided=decided,
    )  # fmt: skip


def _strongest(reasons: str | None) -> tuple[str, ...]:
    return tuple((reasons or "").split(BETWEEN)[:STRONGEST]) if reasons else ()


def _decided(connection: sa.Connection, list_id: str, households: Sequence[str]) -> dict[str, Decided]:
    columns = [decision.c[name] for name in ("household_id", "kind", "until", "decided_at")]
    asked = sa.select(*columns).where(decision.c.worklist_id == list_id, decision.c.household_id.in_(households))
    found = connection.execute(asked.order_by(decision.c.number))
    return {row.household_id: Decided(kind=row.kind, until=row.until, decided_at=row.decided_at) for row in found}


def _now(scores: Scores, *, who: Who, limit: int, skip: int, only: Mapping[str, str]) -> InDanger:
    seen = scores.urgent[who.scope.mask(scores.urgent)]
    for name, one in only.items():
        seen = seen[seen[name] == one]
    some = seen.iloc[skip : skip + limit]
    some = some.assign(place=range(skip + 1, skip + len(some) + 1))[list(_URGENT)]
    cells = some.astype(object).where(some.notna(), None).to_dict("records")
    return InDanger(count=len(seen), some=tuple(Urgent(**_dated(row)) for row in cells))


def _dated(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """The fields of `Urgent`, its moments as days."""
    return {str(name): cell.date() if isinstance(cell, dt.datetime) else cell for name, cell in row.items()}
