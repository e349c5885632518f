"""A list as somebody looks through it: sorted, filtered, searched, and paged from one household to the next.

What is looked for stands in one index of the lines, in the order of rank; so a search that finds nothing in 300,000
lines reads some 40 MB of it, and not the lines. Only the lines of the page itself are read. Where a page begins is said
by a household, not by a rank: a rank of the whole list would tell those who see a part of it how many stand between.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from features.errors import InputRefused
from serving.assignments import NOBODY, newest_of
from serving.bands import BY_NAME
from serving.listing import Line
from serving.sight import lines_at, list_of, on_the_list, ranks_at
from serving.store import checked
from serving.tables import worklist_line
from serving.unchanging import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.access.who import Who
    from serving.database import Database
    from serving.listing import StoredList

LINES = worklist_line.c
UNDATED: Final = dt.date(1, 1, 1)
"""A household whose facts have no date comes before all that have: nothing is known to be older."""
ORDERS: Final[dict[str, sa.ColumnElement[Any]]] = {
    "rank": LINES.rank,
    "risk": LINES.risk,
    "area": sa.func.coalesce(LINES.area_id, ""),
    "freshest": sa.func.coalesce(LINES.freshest_on, sa.literal(UNDATED, sa.Date)),
}
"""What a list is sorted by; a minus before the name turns it round, and equal ones stand by rank."""
BETWEEN = "; "
"""Between the codes of a line."""
_COUNTS: Kept[int] = Kept(most=2_000)
"""By list, scope and what is wanted."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines are looked for, and in which order; None looks for all.

    Parameters
    ----------
    region, area
        Identifiers.
    band
        A name of `serving.bands`.
    service
        Code of a service that is unmet.
    assigned_to
        Who visits; `NOBODY` for households that are given to nobody.
    search
        A part of an identifier of a household, in letters of either case.
    order
        A name of `ORDERS`, a minus before it or not.
    """

    region: str | None = None
    area: str | None = None
    band: str | None = None
    service: str | None = None
    assigned_to: str | None = None
    search: str | None = None
    order: str = "rank"

    def __post_init__(self) -> None:
        """Refuse a band or an order that there is not."""
        if self.band is not None and self.band not in BY_NAME:
            raise InputRefused("an unknown band", ", ".join(BY_NAME), "Choose one of these.")
        if self.order.removeprefix("-") not in ORDERS:
            raise InputRefused("an unknown order", ", ".join(ORDERS), "Choose one of these.")

    @property
    def filters(self) -> bool:
        """Whether it leaves any line out."""
        return any(getattr(self, field.name) is not None for field in fields(self) if field.name != "order")


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some lines as somebody sees them; `earlier` and `later` say whether there are more before and after them.

    `total` counts all that are wanted.
    """

    lines: tuple[Line, ...]
    earlier: bool
    later: bool
    total: int


@dataclass(frozen=True)
class Browsing:
    """Lists, looked through; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def page(
        self,
        found: StoredList,
        wanted: Wanted,
        *,
        limit: int,
        who: Who,
        after: str | None = None,
        before: str | None = None,
    ) -> Page:
        """At most `limit` lines after one household of the list, or before one, else the first ones.

        Raises
        ------
        InputRefused
            They see no such household on the list.
        """
        anchor, backwards = (before, True) if before is not None else (after, False)
        with self.database.reading() as connection:
            keys = sa.select(LINES.rank).where(on_the_list(found, who), *conditions(found, wanted))
            if anchor is not None:
                keys = keys.where(_beyond(connection, found, anchor, order=wanted.order, who=who, backwards=backwards))
            keys = keys.order_by(*_by(wanted.order, backwards=backwards)).limit(checked(limit + 1))
            ranks = list(connection.scalars(keys))
            more, ranks = len(ranks) > limit, ranks[:limit]
            lines = _lines(connection, found, ranks[::-1] if backwards else ranks, who=who)
            is_all = anchor is None and not more
            total = len(lines) if is_all else _count(connection, found, wanted, who=who)
        if backwards:
            return Page(lines=lines, earlier=more, later=True, total=total)
        return Page(lines=lines, earlier=anchor is not None, later=more, total=total)

    def found(self, list_id: str, *, who: Who) -> StoredList | None:
        """What somebody sees of a list; None when there is none of this id for them."""
        with self.database.reading() as connection:
            return list_of(connection, list_id, who=who)


def _count(connection: sa.Connection, found: StoredList, wanted: Wanted, *, who: Who) -> int:
    if not wanted.filters:
        return found.row_count
    counted = sa.select(sa.func.count()).select_from(worklist_line)
    counted = counted.where(on_the_list(found, who), *conditions(found, wanted))

    def make() -> int:
        return int(connection.scalar(counted) or 0)

    if wanted.assigned_to is not None:  # the one thing about a line that changes
        return make()
    return _COUNTS.get((found.id, who.scope, replace(wanted, order="rank")), make)


def conditions(found: StoredList, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """What a line of `worklist_line` that is wanted keeps, beside being of the list and in sight."""
    asked: list[sa.ColumnElement[bool]] = []
    if wanted.region is not None:
        asked.append(LINES.region_id == wanted.region)
    if wanted.area is not None:
        asked.append(LINES.area_id == wanted.area)
    if wanted.band is not None:
        band = BY_NAME[wanted.band]
        asked.append(sa.and_(LINES.risk >= band.low, LINES.risk < band.high))
    if wanted.service is not None:
        whole = sa.literal(BETWEEN) + LINES.unmet + sa.literal(BETWEEN)
        asked.append(whole.contains(f"{BETWEEN}{wanted.service}{BETWEEN}", autoescape=True))
    if wanted.search is not None:
        asked.append(LINES.household_id.icontains(wanted.search, autoescape=True))
    if wanted.assigned_to is not None:
        asked.append(_given_to(found, wanted.assigned_to))
    return asked


def _given_to(found: StoredList, name: str) -> sa.ColumnElement[bool]:
    now = newest_of(found.id)
    if name == NOBODY:
        return LINES.household_id.not_in(sa.select(now.c.household_id).where(now.c.assigned_to.is_not(None)))
    return LINES.household_id.in_(sa.select(now.c.household_id).where(now.c.assigned_to == name))


def _by(order: str, *, backwards: bool) -> list[sa.ColumnElement[Any]]:
    """What to sort by; of equal ones the first rank comes first, whichever way the rest goes."""
    key = ORDERS[order.removeprefix("-")]
    falling = order.startswith("-") is not backwards
    rank = LINES.rank.desc() if backwards else LINES.rank.asc()
    if key is LINES.rank:
        return [key.desc() if falling else key.asc()]
    return [key.desc() if falling else key.asc(), rank]


def _beyond(
    connection: sa.Connection, found: StoredList, household_id: str, *, order: str, who: Who, backwards: bool
) -> sa.ColumnElement[bool]:
    """Of a line: whether it comes after the household's, or before it when the way is backwards."""
    key = ORDERS[order.removeprefix("-")]
    at = sa.select(key.label("key"), LINES.rank).where(on_the_list(found, who), LINES.household_id == household_id)
    anchor = connection.execute(at).first()
    if anchor is None:
        raise InputRefused("a household that is not on the list", "one of its households", "Begin again.")
    falling = order.startswith("-") is not backwards
    further = key < anchor.key if falling else key > anchor.key
    if key is LINES.rank:
        return further
    later = LINES.rank < anchor.rank if backwards else LINES.rank > anchor.rank
    return sa.or_(further, sa.and_(key == anchor.key, later))


def _lines(connection: sa.Connection, found: StoredList, ranks: Sequence[int], *, who: Who) -> tuple[Line, ...]:
    """The lines of some ranks of the whole list, in this order, ranked as somebody sees them."""
    if not ranks:
        return ()
    rows = {row["rank"]: Line(**row) for row in connection.execute(lines_at(found, ranks, who=who)).mappings()}
    if found.whole:
        return tuple(rows[rank] for rank in ranks)
    seen = {row.rank: row.seen for row in connection.execute(ranks_at(found, ranks, who=who))}
    return tuple(replace(rows[rank], rank=seen[rank]) for rank in ranks)
