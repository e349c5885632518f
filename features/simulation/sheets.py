"""Arrays of one part of a desa -> the rows of a register, in the types of its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from features.schema import Column, Kind, Register

if TYPE_CHECKING:
    from collections.abc import Mapping

Columns: TypeAlias = "Mapping[str, np.ndarray]"

TYPES = {
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.YES_NO: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.NAME: pa.string(),
}


def schema(register: Register) -> pa.Schema:
    """Names and types of the register's columns, in their order."""
    return pa.schema([(column.name, TYPES[column.kind]) for column in register.columns])


def sheet(register: Register, columns: Columns) -> pa.Table:
    """The rows; a column that is not given is null.

    Parameters
    ----------
    columns
        Arrays of equal length by column: numbers or truths with NaN for null, words with "" for null, identifiers as
        whole numbers or words with -1 or "" for null, dates as days since 1970-01-01.
    """
    strange = [name for name in columns if name not in register.names]
    if strange:
        raise ValueError(f"`{register.name}` has no column {', '.join(strange)}; it has {', '.join(register.names)}")
    rows = len(columns[register.key[0]])
    made = [_column(column, columns.get(column.name), rows) for column in register.columns]
    return pa.table(made, schema=schema(register))


def table(columns: Mapping[str, np.ndarray], schema: pa.Schema) -> pa.Table:
    """Rows of a table that is no register; every column must be given."""
    made = [_as(columns[field.name], field.type) for field in schema]
    return pa.table(made, schema=schema)


def _column(column: Column, values: np.ndarray | None, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, TYPES[column.kind])
    return _as(values, TYPES[column.kind])


def _as(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_date32(kind):
        return pa.array(values.astype(np.int32)).cast(kind)
    if values.dtype.kind == "U":
        return pa.array(values, mask=values == "")
    if pa.types.is_string(kind):
        return pa.array(values, mask=values < 0).cast(kind)
    missing = np.isnan(values) if values.dtype.kind == "f" else None
    return pa.array(np.where(missing, 0, values) if missing is not None else values, mask=missing).cast(kind)
