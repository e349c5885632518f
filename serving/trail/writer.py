"""Writes lines of the trail into the store."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from serving.faults import StoreRefused
from serving.tables_access import trail, trail_head, trail_household
from serving.trail.chain import Head, Words, digest, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serving.trail.entry import Entry
    from serving.trail.spool import Waiting

_HEAD = sa.select(trail_head.c.number, trail_head.c.hash).where(trail_head.c.only == 1)
_HEAD_LOCKED = _HEAD.with_for_update()  # SQLite's writers take the lock of the whole file before
_ADD_LINE, _ADD_HOUSEHOLD = sa.insert(trail), sa.insert(trail_household)
_MOVE_HEAD = sa.update(trail_head).where(trail_head.c.only == 1)
_SAID = sa.select(*(trail.c[name] for name in Words._fields))
SPOOLED = re.compile(r'"spooled":\{"id":"([0-9a-f]{32})"')


def append(connection: sa.Connection, entries: Sequence[Entry]) -> Head:
    """Add lines in the transaction of a change that they are about; best last in it, as others wait until it ends.

    Raises
    ------
    StoreRefused
        The trail has no head.
    """
    return add(connection, words_of(entries))


def add(connection: sa.Connection, lines: Sequence[Words]) -> Head:
    """Add lines as they are to stand; raises as `append`."""
    head = head_of(connection, locked=True)
    if not lines:
        return head
    rows, households = [], []
    for words in lines:
        number, previous = head.number + 1, head.hash
        head = Head(number, digest(number, words, previous))
        rows.append(words._asdict() | {"number": number, "previous": previous, "hash": head.hash})
        households += [{"household_id": one, "number": number} for one in json.loads(words.households)]
    connection.execute(_ADD_LINE, rows)
    if households:
        connection.execute(_ADD_HOUSEHOLD, households)
    connection.execute(_MOVE_HEAD, {"number": head.number, "hash": head.hash})
    return head


def head_of(connection: sa.Connection, *, locked: bool = False) -> Head:
    """The last line as the store knows it; `locked`, nobody else adds one until the transaction ends.

    Raises
    ------
    StoreRefused
        The trail has no head.
    """
    found = connection.execute(_HEAD_LOCKED if locked else _HEAD).one_or_none()
    if found is None:
        raise StoreRefused("a trail without its head", "Run `tepat audit verify`, and put the last backup in its place")
    return Head(*found)


def not_yet(connection: sa.Connection, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those of the lines that are not in the chain."""
    if not waiting:
        return []
    asked = _SAID.where(
        trail.c.number > min(one.after for one in waiting),
        trail.c.request_id.in_({one.words.request_id for one in waiting}),
    )
    there = [Words(*row) for row in connection.execute(asked)]
    ids, said = _ids(there), set(there)
    return [one for one in waiting if one.id not in ids and not (one.tried and one.words in said)]


def _ids(lines: Iterable[Words]) -> set[str]:
    return {found.group(1) for words in lines if (found := SPOOLED.search(words.about))}
