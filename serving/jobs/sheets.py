"""An uploaded file -> its rows, read by the reader of the batch once it is known to be what it says, and no bomb."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.adapters.books import read_book
from features.adapters.bounds import MOST_CELL, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED
from features.errors import InputRefused
from features.reading import Sheet, read_table

if TYPE_CHECKING:
    from pathlib import Path

LOOKED_AT = 65_536
"""Rows of a Parquet file that are unpacked at once to measure them."""
SMALLER = "Hand over fewer households at a time, or export the table again with plain values."


def read(path: Path) -> Sheet:
    """The rows of an uploaded register; their index is the place below the header, from 1.

    Raises
    ------
    InputRefused
        It is empty, of another kind than it says, damaged, or unpacks to more than is read.
    """
    if path.stat().st_size == 0:
        raise InputRefused(f"{path.name} is empty (0 bytes)", "a header and rows", "Export or copy it again.")
    if path.suffix == ".xlsx":
        return read_book(path)
    check_bounds(path)
    return read_table(path)


def check_bounds(path: Path) -> None:
    """Nothing, unless a table unpacks to more than is read or is no table; a workbook's reader looks for itself.

    Raises
    ------
    InputRefused
    """
    if path.suffix == ".parquet":
        _measure(path)
    elif path.suffix == ".gz":
        _unpack(path)
    elif path.suffix != ".xlsx":
        with path.open("rb") as stream:
            _refuse_binary(path.name, stream)


def _unpack(path: Path) -> None:
    try:
        with gzip.open(path) as stream:
            unpacked = _refuse_binary(path.name, stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        raise InputRefused(
            f"{path.name} is damaged or cut short", "a whole gzip file", "Copy or export the file again."
        ) from fault
    if unpacked > MOST_UNPACKED:
        raise _too_large(path.name, f"unpacks to more than {MOST_UNPACKED // 2**20:,} MiB")


def _refuse_binary(name: str, stream: IO[bytes] | gzip.GzipFile) -> int:
    """The bytes that were seen, at most some more than are read; a program or a picture has such as no text has."""
    seen = 0
    while seen <= MOST_UNPACKED and (block := stream.read(2**20)):
        seen += len(block)
        if b"\0" in block:
            raise InputRefused(
                f"{name} holds zero bytes, which no text has: it is a file of another kind, or UTF-16",
                "text in UTF-8, with a header and rows",
                "Save the table as 'CSV UTF-8', or say the right Content-Type.",
            )
    return seen


def _measure(path: Path) -> None:
    """Refuse a Parquet file that is large once unpacked: by its footer first, then a little at a time."""
    try:
        whole = pq.ParquetFile(path)
        _refuse_promised(path.name, whole)
        texts = [f.name for f in whole.schema_arrow if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]
        # As dictionaries, a text that is repeated a million times is unpacked once.
        looked_at = pq.ParquetFile(path, read_dictionary=texts)
        unpacked = 0
        for batch in looked_at.iter_batches(batch_size=LOOKED_AT):
            unpacked += sum(_bytes(column, path.name) for column in batch.columns)
            if unpacked > MOST_UNPACKED:
                raise _too_large(path.name, f"unpacks to more than {MOST_UNPACKED // 2**20:,} MiB")
    except (pa.ArrowException, OSError) as fault:
        raise InputRefused(
            f"{path.name} is no Parquet file, or is damaged or cut short",
            "a whole Parquet file",
            "Export the file again, or say the right Content-Type.",
        ) from fault


def _refuse_promised(name: str, whole: pq.ParquetFile) -> None:
    about = whole.metadata
    if about.num_columns > MOST_COLUMNS or about.num_rows > MOST_ROWS:
        raise _too_large(name, f"says that it has {about.num_rows:,} rows of {about.num_columns:,} columns")
    unpacked = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
    if unpacked > MOST_UNPACKED:
        raise _too_large(name, f"says that it unpacks to {unpacked // 2**20:,} MiB")
    if any(pa.types.is_nested(field.type) for field in whole.schema_arrow):
        raise InputRefused(f"{name} has columns of lists or structures", "one value in a cell", SMALLER)


def _bytes(column: pa.Array, name: str) -> int:
    """What a column takes once its texts are written out."""
    if not pa.types.is_dictionary(column.type):
        _refuse_long(column, name)
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    _refuse_long(column.dictionary, name)
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0) + 8 * len(column)


def _refuse_long(texts: pa.Array, name: str) -> None:
    kind = texts.type
    if not (pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind)):
        return
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > MOST_CELL:
        raise _too_large(name, f"has a cell of more than {MOST_CELL:,} bytes")


def _too_large(name: str, found: str) -> InputRefused:
    return InputRefused(
        f"{name} {found}",
        f"at most {MOST_ROWS:,} rows of {MOST_COLUMNS} columns, {MOST_UNPACKED // 2**20:,} MiB unpacked, and "
        f"{MOST_CELL:,} bytes a cell",
        SMALLER,
    )
