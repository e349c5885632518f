"""Rows of lists on their way into the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from serving.listing import KeyUsed
from serving.tables import worklist

if TYPE_CHECKING:
    from serving.listing import Asking, StoredList

CHUNK = 5_000  # lines held at once as Python values, about 10 MB


def row_of(stored: StoredList) -> dict[str, Any]:
    """The columns of a list."""
    return {name: cell for name, cell in asdict(stored).items() if name in worklist.c}


def keep_list(connection: sa.Connection, row: dict[str, Any], asking: Asking) -> None:
    """Write the list's own row.

    Raises
    ------
    KeyUsed
        A list with this key is there already.
    """
    insert = sa.insert(worklist).values(row | {"request_key": asking.key, "request_digest": asking.digest})
    insert_once(connection, insert, worklist.c.request_key, asking.key)


def insert_once(connection: sa.Connection, insert: sa.Insert, column: sa.Column[Any], key: str | None) -> None:
    """Insert a row, unless its key is in the column, which is unique; None is no key.

    Raises
    ------
    KeyUsed
        A row with this key is there already.
    """
    if key is None:
        connection.execute(insert)
        return
    if connection.execute(sa.select(column).where(column == key)).first() is not None:
        raise KeyUsed
    try:
        # Where writers run beside each other, the second waits at the unique index, and is refused by it.
        connection.execute(insert)
    except IntegrityError as fault:
        raise KeyUsed from fault


def write_rows(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, *, list_id: str) -> None:
    """Write what `rows` has of the table's columns, `CHUNK` at a time: a long list never stands twice in memory."""
    names = [column.name for column in table.columns if column.name in rows]
    dates = [name for name in names if isinstance(table.c[name].type, sa.Date)]
    for start in range(0, len(rows), CHUNK):
        chunk = rows.iloc[start : start + CHUNK]
        cells = zip(*(_cells(chunk[name], dated=name in dates) for name in names), strict=True)
        connection.execute(
            sa.insert(table), [{"worklist_id": list_id, **dict(zip(names, row, strict=True))} for row in cells]
        )


def date_of(found: Any) -> dt.date | None:
    """The day of a moment; None for null."""
    return None if pd.isna(found) else found.date()


def _cells(column: pd.Series, *, dated: bool) -> list[Any]:
    if dated:
        column = pd.to_datetime(column).dt.date
    return [None if lacking else cell for cell, lacking in zip(column.tolist(), column.isna(), strict=True)]
