"""Walks the trail and says that it is whole, or where it is at fault first.

Who can write the database can make the whole chain again. Only a hash that was noted elsewhere, an anchor, shows that.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from serving.tables_access import trail, trail_head, trail_household
from serving.trail.chain import FIRST_PREVIOUS, Head, Words, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Kind = Literal["changed", "removed", "inserted", "reordered", "cut", "forged", "rewritten", "index", "head"]
AT_ONCE = 1_000
MORE = 1_000
"""How far beyond the head a line's true number is looked for."""
_LINES = sa.select(*(trail.c[name] for name in ("number", *Words._fields, "previous", "hash"))).order_by(trail.c.number)
_INDEX = sa.select(trail_household.c.number, trail_household.c.household_id).order_by(trail_household.c.number)


@dataclass(frozen=True)
class Fault:
    """What is wrong, and at which number of a line."""

    kind: Kind
    number: int
    found: str


@dataclass(frozen=True)
class Verdict:
    """The last line of what holds, and the first fault; None where the trail is whole."""

    last: Head
    fault: Fault | None


@dataclass(frozen=True)
class _Row:
    number: Any
    words: tuple[Any, ...]
    previous: Any
    hash: Any

    def fits(self, number: Any) -> bool:
        """Whether its hash is that of its words at a number."""
        return bool(digest(number, [_text(word) for word in self.words], str(_text(self.previous))) == self.hash)


def verify(
    connection: sa.Connection, *, anchors: Sequence[Head] = (), seen: Callable[[int, int], None] = lambda *_: None
) -> Verdict:
    """Walk the whole trail, line by line, in one view of the database.

    Parameters
    ----------
    connection
        In a transaction that sees one moment.
    anchors
        Numbers and hashes of lines as they were noted elsewhere.
    seen
        Told now and then how many lines were seen, of how many.
    """
    head, known = _head(connection), {one.number: one.hash for one in anchors}
    with closing(_streamed(connection, _LINES)) as rows, closing(_streamed(connection, _INDEX)) as index:
        walk = _Walk(connection, known, head=head, index=_Index(index))
        fault = next(walk.faults(map(_row, rows), seen), None) or walk.at_the_end()
    return Verdict(walk.last, fault)


class _Walk:
    def __init__(self, connection: sa.Connection, anchors: dict[int, str], *, head: Head | None, index: _Index) -> None:
        self._connection, self._anchors, self._head, self._index = connection, anchors, head, index
        self.last = Head(0, FIRST_PREVIOUS)

    def faults(self, rows: Iterable[_Row], seen: Callable[[int, int], None]) -> Iterator[Fault]:
        total = self._head.number if self._head else 0
        for row in rows:
            yield from self._of_line(row)
            yield from self._index.faults(row.number, row.words[-1])
            if self._anchors.get(row.number, row.hash) != row.hash:
                yield self._rewritten(row.number)
            self.last = Head(row.number, row.hash)
            if row.number % AT_ONCE == 0:
                seen(row.number, total)
        seen(self.last.number, total)

    def at_the_end(self) -> Fault | None:
        """The fault of a trail whose lines hold among themselves; None when it is whole."""
        last, head = self.last, self._head
        beyond = max(self._anchors, default=0)
        if head is None:
            return Fault("head", last.number, "the head, which says how many lines there are, is missing or unreadable")
        if last.number < max(head.number, beyond):
            by = "the head" if head.number >= beyond else "an anchor"
            said = f"the trail ends at line {last.number:,}; {by} knows line {max(head.number, beyond):,}"
            return Fault("cut", last.number + 1, said)
        if last.number > head.number:
            return Fault("forged", head.number + 1, f"lines stand after line {head.number:,}, the last of the head")
        if last.hash != head.hash:
            said = f"line {last.number:,} has another hash than the head knows: it, or the end before it, was rewritten"
            return Fault("forged", last.number, said)
        return next(self._index.rest(), None)

    def _of_line(self, row: _Row) -> Iterator[Fault]:
        due = self.last.number + 1
        if not isinstance(row.number, int) or row.number < due:
            yield Fault("inserted", due, f"a line with a number that none can have is beside line {self.last.number:,}")
        elif row.number > due:
            gone = f"line {due:,} is" if row.number == due + 1 else f"lines {due:,} to {row.number - 1:,} are"
            yield Fault("removed", due, f"{gone} missing")
        elif not row.fits(due):
            yield self._misfit(row)
        elif row.previous != self.last.hash:
            yield self._unbound(due)

    def _unbound(self, number: int) -> Fault:
        if number == 1:
            return Fault("changed", 1, "line 1 is bound to a line before it; there can be none")
        said = f"line {number - 1:,} was rewritten together with its hash: line {number:,} is bound to another"
        return Fault("changed", number - 1, said)

    def _misfit(self, row: _Row) -> Fault:
        """A line whose hash is not that of its words here: it may stand in another's place."""
        here, true = row.number, self._true_number(row)
        if true is None:
            after = self._one(trail.c.number == here + 1)
            if after is not None and after.fits(here):
                return Fault("inserted", here, f"line {here:,} was put in, and those after it were numbered anew")
            return Fault("changed", here, f"line {here:,} was changed: its hash is not that of its words")
        if true < here:
            return Fault("inserted", true, f"{here - true:,} lines were put in from line {true:,} on")
        if self._one(trail.c.previous == self.last.hash) is not None:
            return Fault("reordered", here, f"line {true:,} stands in the place of line {here:,}")
        return Fault(
            "removed", here, f"{true - here:,} lines are missing from line {here:,} on; others took their numbers"
        )

    def _one(self, where: sa.ColumnElement[bool]) -> _Row | None:
        found = self._connection.execute(_LINES.where(where)).first()
        return None if found is None else _row(found)

    def _true_number(self, row: _Row) -> int | None:
        most = max(row.number, self._head.number if self._head else 0) + MORE
        return next((number for number in range(1, most) if number != row.number and row.fits(number)), None)

    def _rewritten(self, number: int) -> Fault:
        held = max((one for one in self._anchors if one < number), default=0)
        since = f"after line {held:,}, whose anchor holds," if held else "from any line on"
        return Fault(
            "rewritten", number, f"line {number:,} has another hash than its anchor: made anew {since} to here"
        )


class _Index:
    """The households by line, in the order of lines."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = ((number, {row[1] for row in found}) for number, found in groupby(rows, key=itemgetter(0)))
        self._next = next(self._groups, None)

    def faults(self, number: int, households: str) -> Iterator[Fault]:
        """What is wrong up to a line, whose own words hold."""
        while self._next is not None and not self._is_after(number - 1):
            yield self._added(*self._next)
        due = _named(households)
        if due is None:
            yield Fault("changed", number, f"line {number:,} names its households in a way that is not ours")
            return
        found: set[Any] = set()
        if self._next is not None and self._next[0] == number:
            found = self._next[1]
            self._next = next(self._groups, None)
        if due - found:
            yield Fault("index", number, f"{len(due - found):,} households of line {number:,} are missing in the index")
        if found - due:
            yield self._added(number, found - due)

    def rest(self) -> Iterator[Fault]:
        """What is wrong after the last line."""
        if self._next is not None:
            yield self._added(*self._next)

    def _is_after(self, number: int) -> bool:
        return self._next is not None and (not isinstance(self._next[0], int) or self._next[0] > number)

    def _added(self, number: Any, households: Iterable[Any]) -> Fault:
        place = number if isinstance(number, int) else 0
        count = len(list(households))
        return Fault("index", place, f"the index has {count:,} households at line {place:,} that no such line names")


def _named(households: Any) -> set[str] | None:
    """The households that a line names; None where its text is no list of texts."""
    try:
        found = json.loads(households)
    except (TypeError, ValueError, RecursionError):
        return None
    return set(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def _streamed(connection: sa.Connection, asked: sa.Select[Any]) -> sa.CursorResult[Any]:
    return connection.execute(asked, execution_options={"yield_per": AT_ONCE})


def _row(found: Sequence[Any]) -> _Row:
    number, *words, previous, its_hash = found
    return _Row(number, tuple(words), previous, its_hash)


def _head(connection: sa.Connection) -> Head | None:
    found = connection.execute(sa.select(trail_head.c.number, trail_head.c.hash).where(trail_head.c.only == 1)).first()
    return None if found is None or not isinstance(found.number, int) else Head(*found)


def _text(word: Any) -> str | None:
    """SQLite gives what was put into a cell, whatever its type; no text that we write begins so."""
    return word if word is None or isinstance(word, str) else f"\0{type(word).__name__}"
