"""Who is to visit a household of a list: added to, never changed; the newest counts."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from features.errors import InputRefused, Refused
from serving.decisions import NotOnTheList
from serving.numbers import holds_number
from serving.sight import list_of, on_the_list
from serving.tables import assignment, worklist_line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from serving.access.who import Who
    from serving.database import Database
    from serving.listing import StoredList

MOST_CHARACTERS = 100
MOST_AT_ONCE = 500
NOBODY = "-"
"""Stands in an address for households that are given to nobody; so nobody may be called so."""
_MARK: Final = 16
"""Characters that stand for a name."""
Note = Callable[[sa.Connection, tuple[str, ...]], None]


class GivenMeanwhile(Refused):
    """Somebody else gave households of a form to others after the form was read.

    Parameters
    ----------
    now
        Who visits them now, by household; None: they were given back.
    """

    def __init__(self, now: Mapping[str, str | None]) -> None:
        super().__init__(f"{len(now):,} households were given to others meanwhile.")
        self.now = now


@dataclass(frozen=True)
class Given:
    """An assignment: its number, which grows, and to whom; None: given back."""

    number: int
    to: str | None


NEVER: Final = Given(0, None)


@dataclass(frozen=True)
class Assignments:
    """Who visits whom; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def assign(
        self,
        list_id: str,
        households: Collection[str],
        *,
        to: str | None,
        seen: int,
        at: dt.datetime,
        who: Who,
        note: Note,
    ) -> int:
        """How many households were given to somebody else than before; sent again, none.

        Parameters
        ----------
        to
            An account's name or a cadre's label; None gives the households back.
        seen
            `made` as it was when they decided this: what came later is not overruled unread.
        at
            The moment, with its time zone.
        note
            Run in the transaction that keeps it, with the households: the line of the trail.

        Raises
        ------
        InputRefused
            Nobody can be called so, or no household was named, or more than `MOST_AT_ONCE`.
        NotOnTheList
            They see no such list, or one of the households is not on it.
        GivenMeanwhile
            Some of them were given to others later than `seen`; then none is given to anybody.
        """
        named = None if to is None else _name(to)
        _check(households)
        with self.database.writing() as connection:
            found = list_of(connection, list_id, who=who)
            if found is None or not _all_on(connection, found, households, who=who):
                raise NotOnTheList("The list does not know all of these households.")
            before = _newest(connection, list_id, households)
            changed = tuple(home for home in sorted(households) if before.get(home, NEVER).to != named)
            last = _nth(connection, found, seen, who=who)
            later = {home: before[home].to for home in changed if home in before and before[home].number > last}
            if later:
                raise GivenMeanwhile(later)
            said = {"worklist_id": list_id, "assigned_to": named, "assigned_by": who.name, "assigned_at": at}
            if changed:
                connection.execute(sa.insert(assignment), [said | {"household_id": home} for home in changed])
            note(connection, changed)
        return len(changed)

    def made(self, found: StoredList, *, who: Who) -> int:
        """How many assignments were made so far of households that somebody sees of a list; others' are not counted."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(*_in_sight(found, who))) or 0

    def teams(self, found: StoredList, *, who: Who) -> dict[str, int]:
        """By who visits: how many of the households that somebody sees of a list are theirs."""
        newest = newest_of(found.id)
        seen = sa.select(worklist_line.c.household_id).where(on_the_list(found, who))
        counted = sa.select(newest.c.assigned_to, sa.func.count()).where(newest.c.assigned_to.is_not(None))
        if not found.whole:
            counted = counted.where(newest.c.household_id.in_(seen))
        with self.database.reading() as connection:
            rows = connection.execute(counted.group_by(newest.c.assigned_to).order_by(newest.c.assigned_to))
            return {name: count for name, count in rows}  # noqa: C416 (rows are no pairs to mypy)


def mark_of(list_id: str, name: str) -> str:
    """Stands in an address for who visits: addresses are written down in many places, and a name in none of them."""
    return name if name == NOBODY else hashlib.sha256(f"{list_id} {name}".encode()).hexdigest()[:_MARK]


def meant_by(mark: str, list_id: str, *, teams: Iterable[str]) -> str:
    """Of who visits, whom a mark stands for; one of nobody's, such as a name that was written, is itself."""
    return {mark_of(list_id, name): name for name in teams}.get(mark, mark)


def _in_sight(found: StoredList, who: Who) -> list[sa.ColumnElement[bool]]:
    """The assignments of a list that somebody sees."""
    of_it = [assignment.c.worklist_id == found.id]
    if not found.whole:
        seen = sa.select(worklist_line.c.household_id).where(on_the_list(found, who))
        of_it.append(assignment.c.household_id.in_(seen))
    return of_it


def _nth(connection: sa.Connection, found: StoredList, nth: int, *, who: Who) -> int:
    """The number of the `nth` assignment in sight, or of the last where there are fewer; 0 of the 0th."""
    if nth <= 0:
        return 0
    numbers = sa.select(assignment.c.number).where(*_in_sight(found, who)).order_by(assignment.c.number).limit(nth)
    return connection.scalar(sa.select(sa.func.max(numbers.subquery().c.number))) or 0


def newest_of(list_id: str) -> sa.Subquery:
    """household_id and assigned_to as it is now, of the households of a list that were ever given to somebody."""
    last = sa.select(sa.func.max(assignment.c.number)).where(assignment.c.worklist_id == list_id)
    last = last.group_by(assignment.c.household_id)
    now = sa.select(assignment.c.household_id, assignment.c.assigned_to).where(assignment.c.number.in_(last))
    return now.subquery()


def assigned(connection: sa.Connection, list_id: str, households: Collection[str]) -> dict[str, str]:
    """Who visits, of those of some households that are given to somebody."""
    now = _newest(connection, list_id, households)
    return {home: one.to for home, one in now.items() if one.to is not None}


def _newest(connection: sa.Connection, list_id: str, households: Collection[str]) -> dict[str, Given]:
    """The newest assignment of each of some households that was ever given to somebody."""
    mine = assignment.c.worklist_id == list_id, assignment.c.household_id.in_(households)
    asked = sa.select(assignment.c.household_id, assignment.c.assigned_to, assignment.c.number).where(*mine)
    rows = connection.execute(asked.order_by(assignment.c.number))
    return {row.household_id: Given(row.number, row.assigned_to) for row in rows}


def _name(to: str) -> str:
    name = unicodedata.normalize("NFC", to).strip()
    if holds_number(name):
        raise InputRefused("a number of 16 digits in the name", "a cadre's label", "Leave the NIK or No KK out.")
    if not any(one.isalnum() for one in name) or len(name) > MOST_CHARACTERS or not name.isprintable():
        raise InputRefused(
            "a name that nobody has", f"letters or digits on one line, at most {MOST_CHARACTERS}", "Write another."
        )
    return name


def _check(households: Collection[str]) -> None:
    if not 0 < len(households) <= MOST_AT_ONCE:
        raise InputRefused(
            f"{len(households):,} households", f"1 to {MOST_AT_ONCE} at once", "Mark those that are meant."
        )


def _all_on(connection: sa.Connection, found: StoredList, households: Collection[str], *, who: Who) -> bool:
    wanted: Sequence[str] = sorted(set(households))
    there = sa.select(sa.func.count()).select_from(worklist_line)
    there = there.where(on_the_list(found, who), worklist_line.c.household_id.in_(wanted))
    return connection.scalar(there) == len(wanted)
