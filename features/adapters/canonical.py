"""A folder with one file per register, already in the contracts' own columns and codes."""

from __future__ import annotations

from pathlib import Path

from features.adapters.extract import Extract
from features.contracts import REGISTERS
from features.errors import InputRefused
from features.reading import SUFFIXES as OF_TABLES
from features.reading import Sheet, read_table
from features.validation import SOURCE

WORKBOOK = ".xlsx"
SUFFIXES = (*OF_TABLES, WORKBOOK)


def read(folder: Path) -> Extract:
    """Read the registers found in `folder`; `InputRefused` when a needed one is not there."""
    files = {name: _file(folder, name) for name in REGISTERS}
    lacking = [name for name, path in files.items() if path is None and REGISTERS[name].needed]
    if lacking:
        looked = "; ".join(" or ".join(name + s for s in SUFFIXES) for name in lacking)
        raise InputRefused(
            f"no file for {', '.join(lacking)} in {folder}",
            f"one of: {looked}",
            "Add the file; docs/registers.md shows its columns.",
        )
    known = set(files.values())
    strangers = sorted(p.name for p in folder.iterdir() if p not in known and not p.name.startswith("."))
    notes = [f"Register `{name}` was not handed over." for name, path in files.items() if path is None]
    notes += [f"File {name} is no register and was not read." for name in strangers]
    sheets = {name: _numbered(sheet_of(path), name) for name, path in files.items() if path is not None}
    notes += [note for sheet in sheets.values() for note in sheet.notes]
    return Extract({name: sheet.rows for name, sheet in sheets.items()}, tuple(notes))


def register_of(file: str) -> str | None:
    """The register that a file of this name holds; None when no register's file is named so."""
    return next((name for name in REGISTERS for suffix in SUFFIXES if file == name + suffix), None)


def _file(folder: Path, name: str) -> Path | None:
    found = [folder / (name + s) for s in SUFFIXES if (folder / (name + s)).is_file()]
    if len(found) > 1:
        raise InputRefused(
            f"{' and '.join(p.name for p in found)} in {folder}",
            f"one file for `{name}`",
            "Keep the one that holds, and take the other away.",
        )
    return found[0] if found else None


def sheet_of(path: Path) -> Sheet:
    """The table in a file of a register; `InputRefused` where there is none."""
    if path.suffix != WORKBOOK:
        return read_table(path)
    from features.adapters.books import read_book  # noqa: PLC0415 (registers without workbooks need none of it)

    return read_book(path)


def _numbered(sheet: Sheet, name: str) -> Sheet:
    """The sheet with its own row numbers; columns that pass for them are not the file's to give."""
    theirs = [c for c in SOURCE if c in sheet.rows.columns]
    note = f"`{name}` has unknown columns, not read: {', '.join(theirs)}."
    rows = sheet.rows.drop(columns=theirs)
    return Sheet(rows.assign(_source_row=rows.index), (*sheet.notes, *((note,) if theirs else ())))
