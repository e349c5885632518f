"""Lines of the trail as they are read: newest first."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.tables_access import trail, trail_household
from serving.trail.chain import Words, moment, storable

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_NUMBER = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which lines; None asks for nothing.

    Parameters
    ----------
    household_id
        Lines that name this household.
    since
        Acts at this moment or later; with its time zone.
    before
        Lines before this number.
    """

    household_id: str | None = None
    who: str | None = None
    act: str | None = None
    list_id: str | None = None
    since: dt.datetime | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A line; the fields are those of `serving.trail.entry.Entry`, with its number and hash."""

    number: int
    at: dt.datetime
    who: str
    via: str
    act: str
    outcome: str
    why: str | None
    request_id: str
    list_id: str | None
    about: dict[str, Any]
    households: tuple[str, ...]
    hash: str


def lines(connection: sa.Connection, asked: Filter, *, limit: int) -> list[Told]:
    """At most `limit` lines, newest first."""
    columns = (trail.c[name] for name in ("number", *Words._fields, "hash"))
    newest = sa.select(*columns).where(*_conditions(asked)).order_by(trail.c.number.desc()).limit(limit)
    return [_told(row) for row in connection.execute(newest).mappings()]


def nth_of(connection: sa.Connection, household_id: str, *, number: int) -> int:
    """Which line about a household that of a number is, from 1, its oldest; lines about others do not count."""
    asked = sa.select(sa.func.count()).select_from(trail_household)
    asked = asked.where(_names(household_id), trail_household.c.number <= number)
    return int(connection.execute(asked).scalar_one())


def number_of(connection: sa.Connection, household_id: str, *, nth: int) -> int:
    """The number of the n-th line about a household; `LAST_NUMBER` where there are fewer."""
    asked = sa.select(trail_household.c.number).where(_names(household_id))
    asked = asked.order_by(trail_household.c.number).offset(min(nth, LAST_NUMBER) - 1).limit(1)
    return int(connection.execute(asked).scalar() or LAST_NUMBER)


def _names(household_id: str) -> sa.ColumnElement[bool]:
    return trail_household.c.household_id == storable(household_id)


def _conditions(asked: Filter) -> Iterator[sa.ColumnElement[bool]]:
    for name in ("who", "act", "list_id"):
        if (value := getattr(asked, name)) is not None:
            yield trail.c[name] == storable(value)
    if asked.since is not None:
        yield trail.c.at >= moment(asked.since)
    if asked.before is not None:
        yield trail.c.number < min(asked.before, LAST_NUMBER)
    if asked.household_id is not None:
        named = sa.select(trail_household.c.number).where(_names(asked.household_id))
        yield trail.c.number.in_(named)


def _told(row: sa.RowMapping) -> Told:
    texts = {"at": dt.datetime.fromisoformat(row["at"]), "about": json.loads(row["about"])}
    return Told(**{**row, **texts, "households": tuple(json.loads(row["households"]))})
