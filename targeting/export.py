"""The worklist as files for the field: CSV, XLSX and a picture."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from targeting.headings import HEADINGS, META, NOTES
from targeting.worklist import Worklist

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Spreadsheets run text that begins so (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
FIXED_TIME = dt.datetime.fromisoformat("2000-01-01")  # no zone: openpyxl refuses one
A4 = 9  # ECMA-376 paper size code
ROW_INCHES, FRAME_INCHES = 0.42, 1.5
BAR = 0.38  # share of a row

Cell: TypeAlias = str | int | float | bool | dt.date | None


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV that Excel opens safely; same table, same bytes.

    Column names stay as they are. Text that a spreadsheet would run as a formula gets
    a leading apostrophe; numbers do not. The file appears whole or not at all.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(_table(frame, list(frame.columns)))
    _replace(path, text.getvalue().encode("utf-8-sig"))


def write_xlsx(worklist: Worklist, urgent: pd.DataFrame, path: Path, *, meta: Mapping[str, object]) -> None:
    """Write the sheets Prioritas, Rujukan segera and Keterangan; same input, same bytes.

    Parameters
    ----------
    urgent
        Every child to refer, as `targeting.urgent.urgent` returns them.
    meta
        At least `model_version`, `as_of` and `objective`; further keys are shown too.
        Capacity, eligible, salt and regions come from the worklist.

    Raises
    ------
    ValueError
        `meta` lacks a required key.
    """
    write_book(path, {"Prioritas": worklist.rows, "Rujukan segera": urgent}, facts=_facts(worklist, meta))


def write_book(path: Path, sheets: Mapping[str, pd.DataFrame], *, facts: Mapping[str, object]) -> None:
    """Write a table a sheet, and last the sheet Keterangan with the facts; same input, same bytes."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.created = FIXED_TIME
    book.properties.creator = "tepat"
    for name, rows in sheets.items():
        _fill_list(book.create_sheet(name), rows)
    shown = {str(name) for rows in sheets.values() for name in rows.columns}
    _fill_notes(book.create_sheet("Keterangan"), facts, shown)
    _replace(path, _timeless(book))


def picture(worklist: Worklist, households: pd.DataFrame, path: Path) -> None:
    """Draw households on the list beside those eligible, per region, as PNG.

    `households` is the table the worklist was made from.
    """
    # Here, for a service, which draws none of it, starts sooner and smaller without.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (as the line above says)
    from matplotlib.figure import Figure  # noqa: PLC0415 (as above)

    counts = _by_region(worklist, households)
    figure = Figure(figsize=(8, FRAME_INCHES + ROW_INCHES * max(len(counts), 1)), dpi=120)
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    _draw(figure.add_subplot(), counts)
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None})
    _replace(path, image.getvalue())


def _table(frame: pd.DataFrame, headings: Iterable[object]) -> Iterator[Sequence[Cell]]:
    yield [_cell(str(heading)) for heading in headings]
    for row in frame.astype(object).itertuples(index=False, name=None):
        yield [_cell(value) for value in row]


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return _harmless(value)
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, bool | int | float | dt.date) else _harmless(str(value))


def _harmless(text: str) -> str:
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _facts(worklist: Worklist, meta: Mapping[str, object]) -> dict[str, object]:
    missing = [key for key in ("model_version", "as_of", "objective") if key not in meta]
    if missing:
        raise ValueError(f"meta has {', '.join(meta) or 'nothing'}; it also needs {', '.join(missing)}.")
    known = {
        "capacity": worklist.capacity,
        "eligible": worklist.eligible,
        "salt": worklist.salt,
        "regions": "semua / all" if worklist.regions is None else ", ".join(worklist.regions),
    }
    return {**meta, **known}


def _fill_list(sheet: Worksheet, frame: pd.DataFrame) -> None:
    headings = [HEADINGS.get(str(name), (str(name),))[0] for name in frame.columns]
    _append(sheet, _table(frame, headings))
    _style_header(sheet)
    for place, name in enumerate(frame.columns, start=1):
        width = HEADINGS[name][2] if name in HEADINGS else 14
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.print_title_rows = "1:1"
    _on_a4(sheet)


def _append(sheet: Worksheet, rows: Iterable[Sequence[Cell]]) -> None:
    for down, row in enumerate(rows, start=1):
        for across, value in enumerate(row, start=1):
            cell = sheet.cell(down, across, value)
            cell.alignment = Alignment(vertical="top", wrap_text=isinstance(value, str))
            if isinstance(value, str):
                cell.data_type = "s"  # or openpyxl reads '#N/A' as an error
            elif isinstance(value, float):
                cell.number_format = "0.000"


def _style_header(sheet: Worksheet) -> None:
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F4E5F")


def _on_a4(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _fill_notes(sheet: Worksheet, facts: Mapping[str, object], shown: set[str]) -> None:
    _append(sheet, _notes(facts, shown))
    _style_header(sheet)
    for column, width in (("A", 60), ("B", 75)):
        sheet.column_dimensions[column].width = width
    _on_a4(sheet)


def _notes(facts: Mapping[str, object], shown: set[str]) -> Iterator[Sequence[Cell]]:
    yield ["Keterangan", "Isi / Content"]
    ordered = [*(key for key in META if key in facts), *(key for key in facts if key not in META)]
    for key in ordered:
        yield [_cell(META.get(key, key)), _cell(facts[key])]
    yield ["Cara membaca", "How to read"]
    yield from ([said_id, said_en] for said_id, said_en in NOTES)
    yield ["Kolom", "Column"]
    yield from ([heading, meaning] for name, (heading, meaning, _) in HEADINGS.items() if name in shown)


def _timeless(book: Workbook) -> bytes:
    saved, fixed = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 0  # or the bytes depend on the operating system
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, _without_save_time(name, source.read(name)))
    return fixed.getvalue()


def _without_save_time(name: str, content: bytes) -> bytes:
    # openpyxl overwrites `modified` with the clock while it saves
    if name != "docProps/core.xml":
        return content
    stamp = f"{FIXED_TIME:%Y-%m-%dT%H:%M:%SZ}".encode()
    return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)


def _by_region(worklist: Worklist, households: pd.DataFrame) -> pd.DataFrame:
    eligible = households["region_id"]
    if worklist.regions is not None:
        eligible = eligible[eligible.isin(worklist.regions)]
    counts = pd.DataFrame({"eligible": eligible.value_counts(), "listed": worklist.rows["region_id"].value_counts()})
    counts = counts.fillna(0).astype(int).rename_axis("region_id").reset_index()
    return counts.sort_values(["listed", "eligible", "region_id"], ascending=[False, False, True])


def _draw(axes: Axes, counts: pd.DataFrame) -> None:
    for name, label, colour, shift in (
        ("listed", "Di daftar prioritas", "#C8553D", -BAR / 2),
        ("eligible", "Dipertimbangkan", "#B8C4CC", BAR / 2),
    ):
        places = [place + shift for place in range(len(counts))]
        bars = axes.barh(places, counts[name], BAR, color=colour, label=label)
        axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
    axes.set_yticks(range(len(counts)), counts["region_id"].astype(str), parse_math=False)
    axes.set_ylim(max(len(counts), 1) - 0.5, -0.5)
    axes.set_xlabel("Keluarga")
    axes.set_title("Keluarga di daftar prioritas per wilayah", loc="left", pad=30)
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
