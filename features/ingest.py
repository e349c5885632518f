"""Stage `ingest`: files -> accepted rows, quarantined rows and an account of both."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from features import settings
from features.adapters import canonical
from features.adapters.extract import Extract
from features.contracts import REGISTERS
from features.errors import run_stage
from features.validation import SOURCE, Validated, empty, validate


def _dhs(folder: Path) -> Extract:
    from features.adapters import dhs  # noqa: PLC0415 (a canonical run needs none of it)

    return dhs.read(folder)


ADAPTERS: dict[str, Callable[[Path], Extract]] = {"canonical": canonical.read, "dhs": _dhs}


@dataclass(frozen=True)
class RegisterCount:
    """Rows of one register."""

    name: str
    read: int
    accepted: int
    quarantined: int
    absent: bool


@dataclass(frozen=True)
class IngestReport:
    """What came in, what was kept back, and what a reader should know of it."""

    registers: tuple[RegisterCount, ...]
    notes: tuple[str, ...]
    nulled: pd.DataFrame


def ingest(raw: Path, fmt: str, out: Path, *, max_quarantine_share: float) -> IngestReport:
    """Read `raw`, check it and write `out`, whole or not at all; the account of it comes back."""
    extract = ADAPTERS[fmt](raw)
    checked = {
        name: validate(extract.registers[name], register, max_quarantine_share=max_quarantine_share)
        for name, register in REGISTERS.items()
        if name in extract.registers
    }
    notes = (*extract.notes, *_column_notes(checked), *_orphan_notes(checked))
    report = IngestReport(tuple(_count(name, checked) for name in REGISTERS), notes, extract.nulled)
    _write_whole(out, lambda folder: _write(folder, report, checked, extract))
    return report


def table(report: IngestReport) -> Table:
    """Draw the report as a table for the terminal."""
    drawn = Table("register", title="Registers")
    for heading in ("read", "accepted", "quarantined"):
        drawn.add_column(heading, justify="right")
    for r in report.registers:
        counts = ("absent", "", "") if r.absent else (f"{r.read:,}", f"{r.accepted:,}", f"{r.quarantined:,}")
        drawn.add_row(r.name, *counts)
    return drawn


def _count(name: str, checked: dict[str, Validated]) -> RegisterCount:
    if name not in checked:
        return RegisterCount(name, 0, 0, 0, absent=True)
    done = checked[name]
    return RegisterCount(name, done.read, len(done.accepted), done.quarantined_rows, absent=False)


def _column_notes(checked: dict[str, Validated]) -> list[str]:
    notes = []
    for name, done in checked.items():
        if done.absent_columns:
            notes.append(f"`{name}` lacks the columns {', '.join(done.absent_columns)}; they are null.")
        if done.unknown_columns:
            notes.append(f"`{name}` has unknown columns, not read: {', '.join(done.unknown_columns)}.")
    return notes


def _orphan_notes(checked: dict[str, Validated]) -> list[str]:
    notes = [
        _orphans(done, checked["household"], "household_id")
        for name, done in checked.items()
        if name != "household" and "household_id" in done.register.names and "household" in checked
    ]
    if {"area", "household"} <= set(checked):
        notes.append(_orphans(checked["household"], checked["area"], "area_id"))
    return [note for note in notes if note]


def _orphans(rows: Validated, parents: Validated, key: str) -> str:
    lone = int((~rows.accepted[key].isin(parents.accepted[key])).sum())
    said = f"{lone} of {len(rows.accepted)} rows of `{rows.register.name}` have a {key} that is not in"
    return f"{said} `{parents.register.name}`; they were kept." if lone else ""


def _write(folder: Path, report: IngestReport, checked: dict[str, Validated], extract: Extract) -> None:
    (folder / "quarantine").mkdir(parents=True)
    for name, register in REGISTERS.items():
        rows = checked[name].accepted if name in checked else empty(register)
        rows = rows.sort_values(list(register.key), ignore_index=True)
        rows.to_parquet(folder / f"{name}.parquet", compression="zstd", index=False)
        if name in checked:
            sheet = _clerks_sheet(extract.registers[name], checked[name].quarantined)
            sheet.to_csv(folder / "quarantine" / f"{name}.csv", index=False)
    account = {
        "registers": {
            r.name: {"read": r.read, "accepted": r.accepted, "quarantined": r.quarantined, "absent": r.absent}
            for r in report.registers
        },
        "notes": list(report.notes),
        "nulled": json.loads(report.nulled.to_json(orient="records")),
    }
    text = json.dumps(account, indent=2, ensure_ascii=False) + "\n"
    (folder / "ingest.json").write_text(text, encoding="utf-8")


def _clerks_sheet(frame: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Lay out the faulty rows as they came, each beside what is wrong with it."""
    spare = [c for c in frame.columns if c in {*faults.columns, *SOURCE}]
    seen = frame.drop(columns=spare).iloc[faults.index.to_numpy()].reset_index(drop=True)
    return pd.concat([faults.reset_index(drop=True), seen], axis=1)


def _write_whole(out: Path, write: Callable[[Path], None]) -> None:
    half, former = (out.with_name(out.name + end) for end in (".part", ".former"))
    if former.exists() and not out.exists():
        former.rename(out)  # an earlier run was stopped between the two renames
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        write(half)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    shutil.rmtree(former, ignore_errors=True)
    if out.exists():
        out.rename(former)
    os.replace(half, out)  # noqa: PTH105 (replaces an empty folder too, which rename does not on all systems)
    shutil.rmtree(former, ignore_errors=True)


def main() -> None:
    """Stage `ingest`."""
    chosen = settings.load()
    source = chosen.source
    share = chosen.ingest.max_quarantine_share
    report = ingest(source.raw, source.format, chosen.paths.interim, max_quarantine_share=share)
    console = Console()
    console.print(table(report))
    for note in report.notes:
        console.print(note, markup=False)


if __name__ == "__main__":
    run_stage(main)
