"""A list as XLSX: Prioritas, written row by row, Rujukan segera, and Keterangan: what it is and whose copy."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from serving.bands import as_shown
from serving.errors import RequestRefused
from serving.exporting import referred
from serving.exporting.cells import harmless
from serving.exporting.export import RISKS, heading_of
from serving.exporting.words import moment
from targeting.headings import HEADINGS, META, NOTES
from targeting.lists import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serving.exporting.export import Export
    from serving.listing import Line

MOST = 100_000
"""Lines that a spreadsheet of an office's machine opens."""
CELL_CHARACTERS = 32_767
"""Of one cell, by the file's own rules."""
WIDTHS = (60, 75)
PERCENT = ("0%", "0.00%")
"""The second beside the next class, where a spreadsheet, which only rounds, would write that one's number."""


def write(made: Export, lines: Iterable[Line], into: IO[bytes]) -> None:
    """The whole file.

    Raises
    ------
    RequestRefused
        There are more than `MOST` lines.
    """
    if not made.wanted.filters and made.listed.row_count > MOST:
        raise _too_many()
    book = Workbook(write_only=True)
    book.properties.creator, book.properties.created = "tepat", made.made_at.replace(tzinfo=None)
    with _gone_if_refused(book):
        _list(book.create_sheet("Prioritas"), made, lines)
        _referred(book.create_sheet(referred.TITLE), made)
        _about(book.create_sheet("Keterangan"), made)
        book.save(into)


@contextmanager
def _gone_if_refused(book: Workbook) -> Iterator[None]:
    """A sheet waits for the book in a file that openpyxl forgets about when the book is not saved."""
    try:
        yield
    finally:
        for sheet in book.worksheets:
            writer, rows = (getattr(sheet, name, None) for name in ("_writer", "_rows"))
            if writer is not None and Path(writer.out).exists():
                if rows is not None:
                    rows.close()
                writer.close()
                writer.cleanup()


def _too_many() -> RequestRefused:
    return RequestRefused(f"More than {MOST:,} lines; ask for format=csv, or for one `region`.")


def _list(sheet: Any, made: Export, lines: Iterable[Line]) -> None:
    for place, name in enumerate(made.columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = HEADINGS[name][2]
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.append([_head(sheet, heading_of(name)) for name in made.columns])
    for count, line in enumerate(lines, start=1):
        if count > MOST:
            raise _too_many()
        sheet.append([_of_line(sheet, name, getattr(line, name)) for name in made.columns])


def _referred(sheet: Any, made: Export) -> None:
    for place, (_, width) in enumerate(referred.HEADS, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.append([_cell(sheet, referred.said(made))])
    rows = referred.rows(made)
    if rows:
        sheet.append([_head(sheet, heading) for heading, _ in referred.HEADS])
    for row in rows:
        sheet.append([_cell(sheet, text) for text in row])


def _about(sheet: Any, made: Export) -> None:
    for column, width in zip("AB", WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    for place, row in enumerate(_told(made)):
        cell = _head if place == 0 else _cell
        sheet.append([cell(sheet, value) for value in row])


def _told(made: Export) -> list[tuple[Any, Any]]:
    listed = made.listed
    facts = {
        "Daftar / List": listed.name, "ID daftar / List id": listed.id,
        "Dibuat / Made at": moment(listed.created_at, zone=made.zone),
        "Salinan oleh / Copy made by": made.made_by,
        "Salinan dibuat / Copy made at": moment(made.made_at, zone=made.zone),
        META["model_version"]: listed.model_stamp, META["policy"]: listed.policy_stamp,
        META["objective"]: listed.objective, META["capacity"]: listed.capacity, META["eligible"]: listed.eligible,
        "Baris / Lines": listed.row_count, META["salt"]: listed.round_name,
        "Saringan dan urutan / Filters and order": made.sought or None,
        META["simulated"]: SIMULATED if listed.simulated else None,
    }  # fmt: skip
    meanings = [(heading_of(name), HEADINGS[name][1]) for name in made.columns]
    known = [(name, value) for name, value in facts.items() if value is not None]
    return [("Keterangan", "Isi / Content"), *known, ("Cara membaca", "How to read"), *NOTES, ("Kolom", "Column"),
            *meanings]  # fmt: skip


def _head(sheet: Any, value: Any) -> Any:
    cell = WriteOnlyCell(sheet, str(value))
    cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E5F")
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell


def _of_line(sheet: Any, name: str, value: Any) -> Any:
    if name not in RISKS or value is None:
        return _cell(sheet, value)
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = PERCENT[as_shown(value)[1]]
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = harmless(value)
    if len(text) > CELL_CHARACTERS:
        raise RequestRefused(f"A text of {len(text):,} characters, more than a cell of XLSX holds; take format=csv.")
    if text.startswith("#"):  # openpyxl reads '#N/A' as an error
        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"
        return cell
    return text
