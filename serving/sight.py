"""What somebody sees of published lists: the conditions under which every query on them runs.

Who may not look everywhere sees of a list what lies in their regions, ranked among itself: how many households of other
regions stand on it, or before one of theirs, is not told, nor a figure that counts them or is measured by one of them.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.access.scope import scope_of
from serving.listing import Line, StoredList
from serving.tables import worklist, worklist_left_out, worklist_line, worklist_urgent
from serving.unchanging import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.access.who import Who


# Without the policy, figures and fingerprints of a plan, which are long.
LIST_COLUMNS = tuple(worklist.c[field.name] for field in fields(StoredList) if field.name in worklist.c)
LINE_COLUMNS = tuple(field.name for field in fields(Line))
COUNTING_ALL = frozenset({"chance", "weight", "short_by"})
"""Columns of a household that tell of the others: over how many a lot fell, or what the last one visited is worth."""
_PARTS: Kept[dict[str, Any]] = Kept(most=2_000)
"""What a part of a list comes to, by the list and the scope: the lines of a list never change."""


def in_sight(who: Who) -> sa.ColumnElement[bool]:
    """Of a row of `worklist`: whether it says anything of their regions, or is their own."""
    if who.scope.everywhere:
        return sa.true()
    on_it, left_out, referred = (
        sa.exists().where(table.c.worklist_id == worklist.c.id, who.scope.within(table))
        for table in (worklist_line, worklist_left_out, worklist_urgent)
    )
    # One made for some regions keeps who lies elsewhere, and those in danger everywhere, and says nothing of them.
    of_all = sa.and_(worklist.c.regions.is_(None), sa.or_(left_out, referred))
    competed = left_out.where(worklist_left_out.c.track.is_not(None))
    return sa.or_(worklist.c.made_by == who.name, on_it, of_all, competed)


def on_the_list(found: StoredList, who: Who) -> sa.ColumnElement[bool]:
    """Of a row of `worklist_line`: whether it is of the list, and somebody sees it."""
    of_it = worklist_line.c.worklist_id == found.id
    return of_it if found.whole else sa.and_(of_it, who.scope.within(worklist_line))


def lines_of(found: StoredList, who: Who) -> sa.Subquery:
    """The lines that somebody sees of a list; ranked among themselves unless they see all."""
    if found.whole:
        return sa.select(*_seen(worklist_line, LINE_COLUMNS, whole=True)).where(on_the_list(found, who)).subquery()
    rank = sa.func.row_number().over(order_by=worklist_line.c.rank).label("rank")
    seen = sa.select(rank, *_seen(worklist_line, LINE_COLUMNS[1:], whole=False))
    return seen.where(on_the_list(found, who)).subquery()


def lines_at(found: StoredList, ranks: Sequence[int], *, who: Who) -> sa.Select[Any]:
    """The lines that somebody sees at some ranks of the whole list, which are never told where they see a part."""
    seen = sa.select(*_seen(worklist_line, LINE_COLUMNS, whole=found.whole))
    return seen.where(on_the_list(found, who), worklist_line.c.rank.in_(ranks))


def ranks_at(found: StoredList, ranks: Sequence[int], *, who: Who) -> sa.Select[Any]:
    """`rank` of the whole list and `seen`, that among the lines that somebody sees, of some of these."""
    seen = sa.func.row_number().over(order_by=worklist_line.c.rank).label("seen")
    numbered = sa.select(worklist_line.c.rank, seen).where(on_the_list(found, who)).subquery()
    return sa.select(numbered).where(numbered.c.rank.in_(ranks))


def beside_the_list(table: sa.Table, names: Sequence[str], *, found: StoredList, who: Who) -> sa.Select[Any]:
    """What somebody sees of a table beside the lines of a list: `worklist_left_out` or `worklist_urgent`."""
    seen = sa.select(*_seen(table, names, whole=found.whole)).where(table.c.worklist_id == found.id)
    return seen if found.whole else seen.where(who.scope.within(table))


def decided_in_sight(decision: sa.Table, who: Who) -> sa.ColumnElement[bool]:
    """Of a row of `decision`: whether its household, as it stood on or off the list, is in their regions."""
    if who.scope.everywhere:
        return sa.true()
    return sa.or_(
        *(
            sa.exists().where(
                table.c.worklist_id == decision.c.worklist_id,
                table.c.household_id == decision.c.household_id,
                who.scope.within(table),
            )
            for table in (worklist_line, worklist_left_out)
        )
    )


def list_of(connection: sa.Connection, list_id: str, *, who: Who) -> StoredList | None:
    """What somebody sees of the list of this id; None when there is none for them."""
    asked = sa.select(*LIST_COLUMNS).where(worklist.c.id == list_id, in_sight(who))
    found = read_lists(connection, asked, who=who)
    return found[0] if found else None


def read_lists(connection: sa.Connection, asked: sa.Select[Any], *, who: Who) -> list[StoredList]:
    """Lists as somebody sees them; `asked` selects `LIST_COLUMNS` of those in their sight."""
    found = [_read(row, who) for row in connection.execute(asked).mappings()]
    return [one if one.whole else replace(one, **_part(connection, one.id, who)) for one in found]


def _seen(table: sa.Table, names: Sequence[str], *, whole: bool) -> list[sa.ColumnElement[Any]]:
    return [table.c[name] if whole or name not in COUNTING_ALL else sa.null().label(name) for name in names]


def _read(row: sa.RowMapping, who: Who) -> StoredList:
    regions = None if row["regions"] is None else tuple(row["regions"])
    found = StoredList(**dict(row) | {"regions": regions})
    if scope_of(found.scope).narrower_than(who.scope):
        return found
    theirs = None if regions is None else tuple(one for one in regions if one in who.scope.regions)
    return replace(found, regions=theirs, capacity=None, eligible=None, scope=None, whole=False)


def _part(connection: sa.Connection, list_id: str, who: Who) -> dict[str, Any]:
    """How many lines of a list lie in somebody's regions, and the dates of the facts behind them."""
    lines = worklist_line.c
    seen = sa.select(
        sa.func.count().label("row_count"),
        sa.func.max(lines.freshest_on).label("freshest_on"),
        sa.func.min(lines.stalest_on).label("stalest_on"),
    ).where(lines.worklist_id == list_id, who.scope.within(worklist_line))
    return _PARTS.get((list_id, who.scope), lambda: dict(connection.execute(seen).mappings().one()))
