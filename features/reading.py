"""One file -> one table, cell by cell as it stands; nothing is guessed, renamed or repaired."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features.errors import InputRefused
from features.header import refuse_doubled, refuse_nameless, spoken

SUFFIXES = (".csv", ".csv.gz", ".parquet")
BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN = b"\n\r"

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


@dataclass(frozen=True)
class Sheet:
    """A table as it was handed over.

    Parameters
    ----------
    rows
        Its index is the row's place below the header, from 1, blank lines counted: one less than
        the number that a spreadsheet shows beside it.
    notes
        What was left out of the file, in words.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lines:
    """The lines of a file that are not blank: where each starts and stops, and its number from 0."""

    content: bytes
    starts: np.ndarray
    stops: np.ndarray
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def text(self, place: int) -> str:
        return self.content[self.starts[place] : self.stops[place]].decode("utf-8")


def read_table(path: Path) -> Sheet:
    """Read the table in `path`: text from CSV, the file's own types from Parquet.

    Raises
    ------
    InputRefused
        The file is empty, cut short, not UTF-8, ragged, doubles a column, has a cell that runs over
        the end of its line, or is of another kind.
    """
    if not path.name.endswith(SUFFIXES):
        raise InputRefused(f"{path.name}", f"files ending in {', '.join(SUFFIXES)}", "Export in one of these.")
    if path.stat().st_size == 0:
        raise InputRefused(f"{path.name} is empty (0 bytes)", "a header and rows", "Export or copy it again.")
    return _parquet(path) if path.name.endswith(".parquet") else _csv(_bytes(path), path.name)


def lines_of(path: Path) -> int | None:
    """How many lines lie below the header, blank ones counted, or rows of Parquet; null where it cannot be read.

    Nothing is checked, so that it costs little; the file was read before, or will be.
    """
    try:
        return _lines_in(path)
    except (OSError, EOFError, zlib.error, pa.ArrowException):
        return None


def _lines_in(path: Path) -> int:
    if path.name.endswith(".parquet"):
        return int(pq.ParquetFile(path).metadata.num_rows)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        # The last line may end with the file.
        last, count = b"", 0
        while block := stream.read(1 << 20):
            count, last = count + block.count(b"\n"), block
    return max(0, count - last.endswith(b"\n"))


def _parquet(path: Path) -> Sheet:
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise _cut_short(path.name, "Parquet") from error
    # the row labels of pandas, which nobody wrote
    table = table.drop_columns([n for n in table.column_names if re.fullmatch(r"__index_level_\d+__", n)])
    refuse_doubled(table.column_names, path.name)
    table = pa.table([_utf8(table, place, path.name) for place in range(table.num_columns)], table.column_names)
    # without pandas' own notes, an index that it made of a column comes back as the column
    rows = table.to_pandas(types_mapper=_INTEGERS.get, ignore_metadata=True)
    return Sheet(rows.set_axis(pd.RangeIndex(1, len(rows) + 1)))


def _utf8(table: pa.Table, place: int, name: str) -> pa.ChunkedArray:
    column = table.column(place)
    kind = column.type
    try:
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            return column.cast(pa.large_binary()).cast(pa.large_string())
        # Parquet promises UTF-8 in its text, but holds what it was given
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputRefused(
            f"{name}: the column {spoken(table.column_names, [place])} holds bytes that are not UTF-8 text",
            "text in UTF-8",
            "Write the column as text, or leave it out.",
        ) from error
    return column


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


def _csv(content: bytes, name: str) -> Sheet:
    content = content.removeprefix(BOM)
    _refuse_other_encoding(content, name)
    lines = _lines(content)
    first = lines.text(0) if len(lines) and lines.numbers[0] == 0 else ""
    separator = ";" if first.count(";") > first.count(",") else ","
    if not _is_whole(first, separator):
        raise _runs_on(name, 0)
    header = [c.strip() for c in _cells(first, separator, name)]
    if not any(header):
        raise InputRefused(f"{name} has an empty first line", "column names there", "Export it with a header.")
    refuse_doubled(header, name)
    return _named(_strict_rows(lines, len(header), separator=separator, name=name), header, name)


def _refuse_other_encoding(content: bytes, name: str) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputRefused(
            f"{name} is not UTF-8: byte {error.start} on line {line} is 0x{content[error.start]:02x}",
            "UTF-8, with or without a byte-order mark",
            "Save it again as 'CSV UTF-8'.",
        ) from error


def _lines(content: bytes) -> _Lines:
    r"""The lines of a file: they end in \n, \r\n or \r, as in a spreadsheet, whatever is quoted."""
    octets = np.frombuffer(content, dtype=np.uint8)
    breaks = octets == NEWLINE
    if b"\r" in content:
        breaks |= octets == RETURN
    stops = np.flatnonzero(breaks)
    second = (octets[stops] == NEWLINE) & (stops > 0) & (octets[stops - 1] == RETURN)
    length = np.where(np.append(second[1:], False), 2, 1)[~second] if len(stops) else stops
    stops = stops[~second]
    starts = np.append(0, stops + length)
    stops = np.append(stops, len(content))
    written = np.flatnonzero(starts < stops)
    return _Lines(content, starts[written], stops[written], written)


def _is_whole(line: str, separator: str) -> bool:
    """Whether every quoted cell that begins on the line ends on it; a quote inside a cell is only a character."""
    s = re.escape(separator)
    cell = rf'(?:"(?:[^"]|"")*+"[^{s}]*|[^"{s}][^{s}]*)?'
    return re.fullmatch(rf"{cell}(?:{s}{cell})*", line) is not None


def _cells(line: str, separator: str, name: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error as error:
        raise InputRefused(
            f"{name} has a line with a cell of more than {csv.field_size_limit():,} characters",
            "a table: rows of short cells",
            "It may be a file of another kind under this name; export the table again.",
        ) from error


def _runs_on(name: str, number: int) -> InputRefused:
    return InputRefused(
        f"{name}: on line {number + 1} a cell begins with a quote that is not closed on that line",
        "one line a row, no line break inside a cell",
        "Close or remove the quote, and replace line breaks inside cells by spaces; then export again.",
    )


def _strict_rows(lines: _Lines, cells: int, *, separator: str, name: str) -> pd.DataFrame:
    """The rows below the header, one for each line that is not blank, or a refusal."""
    places = [str(p) for p in range(cells)]  # names that are sure to differ
    if len(lines) == 1:
        return pd.DataFrame({p: pd.Series(dtype="str") for p in places})
    try:
        table = pa_csv.read_csv(
            io.BytesIO(lines.content),
            read_options=pa_csv.ReadOptions(column_names=places, skip_rows=1, block_size=1 << 26),
            parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string())),
        )
    except pa.ArrowInvalid as error:
        # Arrow's own message quotes the row, which may hold a name
        raise _first_fault(lines, cells, separator=separator, name=name) from error
    # A quoted cell that runs on swallows lines; one that runs on to the end of the file, only its own.
    if len(table) != len(lines) - 1 or not _is_whole(lines.text(-1), separator):
        raise _first_fault(lines, cells, separator=separator, name=name)
    return table.to_pandas().set_axis(pd.Index(lines.numbers[1:]))


def _first_fault(lines: _Lines, cells: int, *, separator: str, name: str) -> InputRefused:
    for place in range(1, len(lines)):
        line, number = lines.text(place), int(lines.numbers[place])
        if not _is_whole(line, separator):
            return _runs_on(name, number)
        if len(_cells(line, separator, name)) != cells:
            break
    return InputRefused(
        f"{name} has a row with more or fewer cells than the header's {cells}, the first on line {number + 1}",
        f"{cells} cells in every row, separated by '{separator}'",
        "The file may be cut short: export again. Quote text that holds the separator.",
    )


def _named(rows: pd.DataFrame, header: list[str], name: str) -> Sheet:
    """Put the header above the rows; columns without name and content, which spreadsheets add, are left out."""
    nameless = [p for p, n in enumerate(header) if not n]
    filled = [p for p in nameless if (rows.iloc[:, p].str.strip() != "").any()]
    if filled:
        refuse_nameless(filled, name)
    rows = rows.set_axis(header, axis=1).iloc[:, [p for p, n in enumerate(header) if n]]
    several = "columns" if len(nameless) > 1 else "column"
    note = f"{name} has {len(nameless)} empty {several} without a name, not read."
    return Sheet(rows, (note,) if nameless else ())
