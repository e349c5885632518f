"""What is told of households for the registers' side: corrections and visits, added to and never changed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from features.errors import InputRefused, Refused
from serving.keeping import insert_once
from serving.listing import KeyUsed, digest_of, key_of
from serving.numbers import holds_number
from serving.store import checked
from serving.tables import correction, visit

if TYPE_CHECKING:
    from serving.access.who import Who
    from serving.database import Database

Outcome = Literal["met", "not_home", "not_found", "moved", "refused"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("met", "not_home", "not_found", "moved", "refused")
MOST_TEXT: Final = 1_000
"""Characters of a note or a reason."""


@dataclass(frozen=True, kw_only=True)
class Of:
    """Which household, and where it lay when it was told of."""

    household_id: str
    region_id: str | None
    area_id: str | None


@dataclass(frozen=True, kw_only=True)
class Wrong(Of):
    """A fact that somebody holds for wrong.

    Parameters
    ----------
    person_id
        The child or the woman; None: it is of the household.
    recorded_on
        Of the register's row.
    old, new
        As the register has it and as it should be, in the contract's codes and units; None: not known.
    """

    register: str
    person_id: str | None
    fact: str
    recorded_on: dt.date | None
    old: str | None
    new: str | None
    why: str


@dataclass(frozen=True, kw_only=True)
class Seen(Of):
    """What a visit brought back.

    Parameters
    ----------
    given
        Services that were handed over: `service`, a code of the menu, and `person_id`, None for the household.
    measured
        Of children: `child_id`, the columns of the register `measurement`, and what `serving.measuring` made of them.
    """

    worklist_id: str
    visited_on: dt.date
    outcome: str
    given: list[dict[str, Any]]
    measured: list[dict[str, Any]]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Correction(Wrong):
    """A correction as it was kept."""

    id: str
    account: str
    made_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Visit(Seen):
    """A visit as it was kept."""

    id: str
    account: str
    made_at: dt.datetime


class KeyTaken(Refused):
    """The key of a request was used for another one."""


Note = Callable[[sa.Connection, str], None]
"""Run in the transaction that keeps it, with its id: the line of the trail."""


@dataclass(frozen=True)
class FieldStore:
    """Corrections and visits; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def correct(self, asked: Wrong, *, at: dt.datetime, who: Who, key: str, note: Note) -> str:
        """The id under which a correction is kept; asked again with the same key, that of the first.

        Raises
        ------
        InputRefused
            It has no reason or too long a one, changes nothing, or holds somebody's number.
        KeyTaken
            The key stands for another request.
        """
        _check_texts(why=asked.why, new=asked.new)
        if not asked.why.strip():
            raise InputRefused("a correction without a reason", "a reason in some words", "Fill in the reason.")
        if asked.old == asked.new:
            raise InputRefused("a correction that changes nothing", "another value", "Give the value as it should be.")
        return self._kept(correction, asked, digest_of(_plain(asked)), at=at, who=who, key=key, note=note)

    def visited(self, seen: Seen, *, at: dt.datetime, who: Who, key: str, note: Note) -> str:
        """The id under which a visit is kept; told again with the same key, that of the first.

        Raises
        ------
        InputRefused
            Its note is too long, or holds somebody's number.
        KeyTaken
            The key stands for another visit.
        """
        _check_texts(note=seen.note)
        return self._kept(visit, seen, digest_of(_typed(seen)), at=at, who=who, key=key, note=note)

    def corrections(self, household_id: str, *, who: Who, limit: int) -> list[Correction]:
        """At most `limit` corrections of a household where somebody may look, newest first."""
        rows = self._newest(correction, Correction, who=who, limit=limit, household_id=household_id)
        return [Correction(**row) for row in rows]

    def visits(self, household_id: str, *, who: Who, limit: int) -> list[Visit]:
        """At most `limit` visits of a household where somebody may look, newest first."""
        rows = self._newest(visit, Visit, who=who, limit=limit, household_id=household_id)
        return [Visit(**row) for row in rows]

    def visited_of(self, worklist_id: str, *, who: Who) -> dict[str, str]:
        """By household of a list: the outcome of its newest visit for it, where somebody may look."""
        asked = sa.select(visit.c.household_id, visit.c.outcome).where(
            visit.c.worklist_id == worklist_id, who.scope.within(visit)
        )
        with self.database.reading() as connection:
            return {row.household_id: row.outcome for row in connection.execute(asked.order_by(visit.c.number))}

    def last_visits(self, households: Collection[str], *, outcomes: Collection[str], who: Who) -> dict[str, dt.date]:
        """By household: the day of its newest visit that had one of these outcomes, where somebody may look."""
        asked = sa.select(visit.c.household_id, sa.func.max(visit.c.visited_on).label("day")).where(
            visit.c.household_id.in_(households), visit.c.outcome.in_(outcomes), who.scope.within(visit)
        )
        with self.database.reading() as connection:
            found = connection.execute(asked.group_by(visit.c.household_id))
            return {row.household_id: row.day for row in found}

    def counts(self, *, who: Who) -> tuple[int, int]:
        """How many visits, and how many corrections, there are where somebody may look."""
        asked = [
            sa.select(sa.func.count()).select_from(one).where(who.scope.within(one)) for one in (visit, correction)
        ]
        with self.database.reading() as connection:
            visits, corrections = (int(connection.scalar(one) or 0) for one in asked)
        return visits, corrections

    def all_corrections(self, *, who: Who) -> list[Correction]:
        """Every correction where somebody may look, in the order in which they came."""
        return [Correction(**row) for row in self._all(correction, Correction, who=who)]

    def all_visits(self, *, who: Who) -> list[Visit]:
        """Every visit where somebody may look, in the order in which they came."""
        return [Visit(**row) for row in self._all(visit, Visit, who=who)]

    def _kept(self, table: sa.Table, told: Of, digest: str, *, at: dt.datetime, who: Who, key: str, note: Note) -> str:
        named = key_of(who.name, key)
        for _ in range(2):  # refused in the moment between, it finds what the other request kept
            with suppress(KeyUsed), self.database.writing() as connection:
                found = connection.execute(
                    sa.select(table.c.id, table.c.request_digest).where(table.c.request_key == named)
                ).one_or_none()
                if found is None:
                    found_id = uuid.uuid4().hex
                    more = {"id": found_id, "account": who.name, "made_at": at.astimezone(dt.UTC)}
                    row = asdict(told) | more | {"request_key": named, "request_digest": digest}
                    insert_once(connection, sa.insert(table).values(row), table.c.request_key, named)
                elif found.request_digest == digest:
                    found_id = found.id
                else:
                    raise KeyTaken("Something else was kept under this key.")
                note(connection, found_id)
                return str(found_id)
        raise KeyTaken("Something else was kept under this key.")

    def _newest(self, table: sa.Table, kind: type, *, who: Who, limit: int, household_id: str) -> list[dict[str, Any]]:
        asked = _selected(table, kind).where(table.c.household_id == household_id, who.scope.within(table))
        with self.database.reading() as connection:
            rows = connection.execute(asked.order_by(table.c.number.desc()).limit(checked(limit)))
            return [dict(row) for row in rows.mappings()]

    def _all(self, table: sa.Table, kind: type, *, who: Who) -> list[dict[str, Any]]:
        asked = _selected(table, kind).where(who.scope.within(table)).order_by(table.c.number)
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(asked).mappings()]


def _selected(table: sa.Table, kind: type) -> sa.Select[Any]:
    return sa.select(*(table.c[field.name] for field in fields(kind)))


def _plain(told: Of) -> dict[str, Any]:
    return {name: cell.isoformat() if isinstance(cell, dt.date) else cell for name, cell in asdict(told).items()}


def _typed(seen: Seen) -> dict[str, Any]:
    """What somebody told; what is made of it may be another after newer scores, and the visit still the same."""
    sizes = [{name: one[name] for name in ("child_id", "facts")} for one in seen.measured]
    derived = ("region_id", "area_id", "measured")
    return {name: cell for name, cell in _plain(seen).items() if name not in derived} | {"measured": sizes}


def _check_texts(**texts: str | None) -> None:
    for name, text in texts.items():
        if len(text or "") > MOST_TEXT:
            raise InputRefused(f"{len(text or ''):,} characters in {name}", f"at most {MOST_TEXT:,}", "Shorten it.")
        if holds_number(text or ""):
            raise InputRefused(f"a number of 16 digits in {name}", "words without a NIK or a No KK", "Leave it out.")
