"""A sheet of a workbook -> rows, as the reader of the batch would give them of a CSV file."""

from __future__ import annotations

import datetime as dt
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from features.adapters.bounds import (
    MOST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_MEMBERS,
    MOST_STRINGS,
    MOST_UNPACKED,
    SHEET_ROWS,
)
from features.errors import InputRefused
from features.header import refuse_doubled, refuse_nameless
from features.reading import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BLOCK = 2**20
AT_ONCE = 20_000
"""Rows that are held as loose cells. [rows]"""
PRECISE = 10**15
"""A spreadsheet keeps 15 digits: a longer number lost some, and is written so that its contract faults it."""
STRINGS = "xl/sharedStrings.xml"
DAMAGED = (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, EOFError, zlib.error, SyntaxError, OSError,
           NotImplementedError, AttributeError, TypeError, IndexError)  # fmt: skip
"""What openpyxl and zipfile raise over a file that is no workbook; it promises none of them."""


def read_book(path: Path) -> Sheet:
    """The rows of the sheet named as the register, or of the only sheet.

    Raises
    ------
    InputRefused
        It is no workbook, unpacks to more than is read, has formulas, or its sheet has no usable header.
    """
    _measure(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, keep_links=False)
        try:
            return _sheet(_chosen(book, path), path.name)
        finally:
            book.close()
    except DAMAGED as fault:
        raise _no_book(path.name) from fault


def _measure(path: Path) -> None:
    """Look at what the directory promises, then unpack a little at a time and count: a directory may lie."""
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            strings = sum(one.file_size for one in members if one.filename == STRINGS)
            promised = sum(one.file_size for one in members)
            if len(members) > MOST_MEMBERS or promised > MOST_UNPACKED or strings > MOST_STRINGS:
                raise _too_large(path.name)
            unpacked = 0
            for one in members:
                for block in _blocks(packed, one):
                    unpacked += len(block)
                    if unpacked > MOST_UNPACKED:
                        raise _too_large(path.name)
                    if b"<!DOCTYPE" in block or b"<!ENTITY" in block:
                        raise InputRefused(f"{path.name} declares entities", "a plain workbook", "Save it again.")
    except (*DAMAGED, RuntimeError) as fault:  # a RuntimeError: it has a password
        raise _no_book(path.name) from fault


def _blocks(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with packed.open(member) as stream:
        while block := stream.read(BLOCK):
            yield block


def _chosen(book: Any, path: Path) -> Any:
    sheets = book.worksheets
    named = [sheet for sheet in sheets if sheet.title.strip().lower() == path.stem]
    if named:
        return named[0]
    if len(sheets) == 1:
        return sheets[0]
    raise InputRefused(
        f"{path.name} has {len(sheets)} sheets, and none is named {path.stem}",
        f"one sheet, or one named {path.stem}",
        "Name the sheet, or save it alone.",
    )


def _sheet(sheet: Any, name: str) -> Sheet:
    sheet.reset_dimensions()  # what the file says of its own size is not believed
    rows = _rows(sheet, name)
    header = ["" if cell is None else str(cell).strip() for cell in next(rows, (0, []))[1]]
    while header and not header[-1]:
        header.pop()
    if not any(header):
        raise InputRefused(f"{name} has an empty first line", "column names there", "Export it with a header.")
    refuse_doubled(header, name)
    columns = _Columns(len(header), name)
    for number, cells in rows:
        columns.add(number, cells)
    return columns.sheet(header)


def _rows(sheet: Any, name: str) -> Iterator[tuple[int, list[Any]]]:
    """The rows that are not blank, by their place below the header; formulas and flights to the far right refused."""
    seen = 0
    for number, row in enumerate(sheet.iter_rows()):
        seen += len(row)
        if number >= SHEET_ROWS or seen > MOST_CELLS:
            raise _too_large(name)
        cells = [_plain(cell, number, name) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise _too_large(name)
        if cells or number == 0:
            yield number, cells


def _plain(cell: Any, number: int, name: str) -> Any:
    value = cell.value
    if cell.data_type == "f":
        raise InputRefused(
            f"{name} has a formula on line {number + 1}", "values only", "Copy the sheet, and paste it as values."
        )
    if isinstance(value, str):
        if len(value.encode("utf-8", "replace")) > MOST_CELL:
            raise _too_large(name)
        return value if value.strip() else None
    return value


class _Columns:
    """Cells gathered column by column as Arrow text, which takes a tenth of what loose cells do."""

    def __init__(self, count: int, name: str) -> None:
        self._name, self._count = name, count
        self._loose: list[Sequence[Any]] = []
        self._numbers: list[int] = []
        self._texts: list[list[pa.Array]] = [[] for _ in range(count)]
        self._numeric = [True] * count

    def add(self, number: int, cells: list[Any]) -> None:
        if len(cells) > self._count:
            places = [place for place, cell in enumerate(cells) if place >= self._count and cell is not None]
            refuse_nameless(places, self._name)
        self._numbers.append(number)
        self._loose.append([*cells, *[None] * (self._count - len(cells))])
        if len(self._loose) == AT_ONCE:
            self._pack()

    def _pack(self) -> None:
        for place, cells in enumerate(zip(*self._loose, strict=True)):
            self._numeric[place] &= all(_is_number(cell) for cell in cells if cell is not None)
            self._texts[place].append(pa.array([_text(cell) for cell in cells], pa.string()))
        self._loose = []

    def sheet(self, header: list[str]) -> Sheet:
        if self._loose:
            self._pack()
        index = pd.Index(self._numbers, dtype="int64")
        columns = {place: self._column(place).set_axis(index) for place in range(self._count)}
        nameless = [place for place, name in enumerate(header) if not name]
        filled = [place for place in nameless if columns[place].notna().any()]
        if filled:
            refuse_nameless(filled, self._name)
        named = {header[place]: column for place, column in columns.items() if header[place]}
        return Sheet(pd.DataFrame(named, index=index))

    def _column(self, place: int) -> pd.Series:
        texts = pd.Series(pa.chunked_array(self._texts[place], pa.string()).to_pandas(), dtype="string")
        # A number that came as a number has one reading, a text that looks like one may have two.
        numeric = self._numeric[place] and texts.notna().any() and not texts.str.contains("E", na=False).any()
        return pd.to_numeric(texts).convert_dtypes() if numeric else texts


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    if not _is_number(cell):
        return str(cell)
    if abs(cell) >= PRECISE:
        return f"{cell:.5E}"
    return str(int(cell)) if cell == int(cell) else repr(float(cell))


def _no_book(name: str) -> InputRefused:
    return InputRefused(
        f"{name} is no Excel workbook, or is damaged, cut short or behind a password",
        "a whole .xlsx file without a password",
        "Save it again as an Excel workbook, without a password.",
    )


def _too_large(name: str) -> InputRefused:
    return InputRefused(
        f"{name} unpacks to more than is read",
        f"at most {MOST_UNPACKED // 2**20:,} MiB unpacked, {SHEET_ROWS:,} rows of {MOST_COLUMNS} columns, and "
        f"{MOST_CELL:,} bytes a cell",
        "Hand over fewer households at a time, or send Parquet or CSV; clear what stands far from the table.",
    )
