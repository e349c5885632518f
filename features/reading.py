"""One file -> one table, cell by cell as it stands; nothing is guessed, renamed or repaired."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features.errors import InputRefused

SUFFIXES = (".csv", ".csv.gz", ".parquet")
BOM = b"\xef\xbb\xbf"

_INTEGERS = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""Without these, a whole number beside an empty cell would become a float and damage identifiers."""


def read_table(path: Path) -> pd.DataFrame:
    """Read the table in `path`: text from CSV, the file's own types from Parquet.

    Raises
    ------
    InputRefused
        The file is empty, cut short, not UTF-8, ragged, doubles a column, or is of another kind.
    """
    if not path.name.endswith(SUFFIXES):
        raise InputRefused(f"{path.name}", f"files ending in {', '.join(SUFFIXES)}", "Export in one of these.")
    if path.stat().st_size == 0:
        raise InputRefused(f"{path.name} is empty (0 bytes)", "a header and rows", "Export or copy it again.")
    return _parquet(path) if path.name.endswith(".parquet") else _csv(_bytes(path), path.name)


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise _cut_short(path.name, "Parquet") from error
    _refuse_doubled(table.column_names, path.name)
    return table.to_pandas(types_mapper=_INTEGERS.get)


def _bytes(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as stream:
            return stream.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _cut_short(path.name, "gzip") from error


def _cut_short(name: str, kind: str) -> InputRefused:
    return InputRefused(f"{name} is damaged or cut short", f"a whole {kind} file", "Copy or export the file again.")


def _csv(content: bytes, name: str) -> pd.DataFrame:
    content = content.removeprefix(BOM)
    text = _decoded(content, name)
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    separator = ";" if first.count(";") > first.count(",") else ","
    header = [c.strip() for c in next(csv.reader([first], delimiter=separator), [])]
    if not any(header):
        raise InputRefused(f"{name} has an empty first line", "column names there", "Export it with a header.")
    _refuse_doubled(header, name)
    if not lines.read(1000).strip():
        return pd.DataFrame({c: pd.Series(dtype="str") for c in header})
    return _strict_rows(content, header, separator=separator, name=name)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputRefused(
            f"{name} is not UTF-8: byte {error.start} on line {line} is 0x{content[error.start]:02x}",
            "UTF-8, with or without a byte-order mark",
            "Save it again as 'CSV UTF-8'.",
        ) from error


def _refuse_doubled(names: list[str], name: str) -> None:
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled:
        raise InputRefused(
            f"{name} has the column {', '.join(repr(d) for d in doubled)} more than once",
            "each column name once",
            "Keep the right column and export again.",
        )


def _strict_rows(content: bytes, header: list[str], *, separator: str, name: str) -> pd.DataFrame:
    try:
        table = pa_csv.read_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(column_names=header, skip_rows=1, block_size=1 << 26),
            parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid as error:
        # Arrow's own message quotes the row, which may hold a name
        raise InputRefused(
            f"{name} has a row with more or fewer cells than the header's {len(header)}, or an open quote",
            f"{len(header)} cells in every row, separated by '{separator}'",
            "The file may be cut short: export again. Quote text that holds the separator.",
        ) from error
    return table.to_pandas()
