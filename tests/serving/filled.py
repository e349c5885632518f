"""Rows for every table of a store, at whichever revision it is: what is hard to keep, and nothing where that may be."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import sqlalchemy as sa

from serving.archive import JsonText, kept_tables
from serving.database import connect
from serving.migrations import upgrade
from serving.tables import UtcTime
from serving.trail.entry import Entry
from serving.trail.writer import append

HARD = "Bu Sri\u2028\"';-- \\N 🌾 é e\u0301 \t "
MOMENT = dt.datetime(2024, 5, 6, 23, 59, 59, 999_999, tzinfo=dt.UTC)
JSON = '{"b": 12345678901234567890, "a": [null, 0.1, "\\u00e9 🌾"],  "a ": 1e-7}'
WORDS: dict[str, Any] = {"kind": "accept", "objective": "find"}
TRAIL = ("trail", "trail_household", "trail_head")
ROWS = 3  # the last has nothing where that may be


def fill(url: str, *, to: str = "head") -> str:
    """Make a store at a revision, and put rows into all of its tables."""
    database = connect(url, wait_ms=60_000)
    with database.writing() as connection:
        upgrade(connection, database.name, to=to)
        tables = kept_tables(connection)
        for table in tables:
            if table.name not in TRAIL:
                connection.execute(sa.insert(table), [_row(table, place) for place in range(ROWS)])
        if any(table.name == "trail" for table in tables):
            append(connection, [_entry(place) for place in range(ROWS)])
    database.close()
    return url


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in an order that hangs on nothing but them."""
    database = connect(url, wait_ms=60_000, make=False)
    with database.reading() as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in kept_tables(connection)
        }
    database.close()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def is_empty(url: str) -> bool:
    """Whether a database has no tables at all."""
    database = connect(url, wait_ms=60_000)
    with database.reading() as connection:
        names = sa.inspect(connection).get_table_names()
    database.close()
    return names == []


def _row(table: sa.Table, place: int) -> dict[str, Any]:
    return {column.name: _cell(column, place) for column in table.columns}


def _cell(column: sa.Column[Any], place: int) -> Any:
    if column.nullable and place == ROWS - 1:
        return None
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return _cell(key.column, place)
    if column.name in WORDS:
        return WORDS[column.name]
    kinds: dict[type, Any] = {
        JsonText: JSON, UtcTime: MOMENT - dt.timedelta(days=place), sa.Boolean: place == 0,
        sa.Date: dt.date(2024, 2, 29) + dt.timedelta(days=place), sa.BigInteger: 2**53 + 1 + place,
        sa.Integer: place + 7, sa.Float: (0.1 + 0.2, 5e-324, 1e300)[place],
    }  # fmt: skip
    for kind, value in kinds.items():
        if isinstance(column.type, kind):
            return value
    length = getattr(column.type, "length", None)
    if length:
        return hashlib.sha256(f"{column} {place}".encode()).hexdigest()[:length]
    return f"{HARD}{column.name} {place}"


def _entry(place: int) -> Entry:
    return Entry(
        at=MOMENT, who=f"sri-{place}", via="session", act="household.see", why=HARD, request_id=f"r{place}",
        list_id=None, about={"said": HARD, "n": 12345678901234567890}, households=(f"h{place}", HARD),
    )  # fmt: skip
