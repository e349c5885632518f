"""Stage `ingest`: files -> accepted rows, quarantined rows and an account of both."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from features import settings
from features.adapters import canonical
from features.adapters.extract import Extract
from features.cells import guarded
from features.contracts import REGISTERS
from features.errors import InputRefused, run_stage
from features.folders import ACCOUNT, refuse_overwriting, refuse_unreadable, write_whole
from features.validation import SOURCE, Validated, empty, validate


def _dhs(folder: Path) -> Extract:
    from features.adapters import dhs  # noqa: PLC0415 (a canonical run needs none of it)

    return dhs.read(folder)


ADAPTERS: dict[str, Callable[[Path], Extract]] = {"canonical": canonical.read, "dhs": _dhs}
QUARANTINE = "quarantine"
MADE = (ACCOUNT, QUARANTINE, *(f"{name}.parquet" for name in REGISTERS))
EASTERNMOST = dt.timezone(dt.timedelta(hours=14))
"""Where a day begins first: a visit of today is not in the future for being entered east of the machine."""
LOST = {
    "household": "Such households have no facts of their area and no region.",
    "sanitation": "They are used only for children and mothers recorded in that household.",
    "maternal": "Such mothers count for their children; a pregnancy of theirs has no household, area or region.",
    "child": "Such children have no facts of their household, no area and no region.",
    "service": "They count for the person whom they name, and for no household that is listed.",
    "contact": "They count for the person whom they name, and for no household that is listed.",
    "household_name": "Such names are shown nowhere.",
}
"""What follows for a row of this register whose household or area is not there."""


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


def ingest(
    raw: Path, fmt: str, out: Path, *, max_quarantine_share: float, today: dt.date | None = None
) -> IngestReport:
    """Read `raw`, check it and write `out`, whole or not at all; the account of it comes back.

    Parameters
    ----------
    today
        No date in a register may be later. The day of the run, unless given.

    Raises
    ------
    InputRefused
        `raw` cannot be read or trusted, the format is not known, or `out` holds what no ingest made.
    """
    if fmt not in ADAPTERS:
        raise InputRefused(f"the format {fmt}", f"one of {', '.join(ADAPTERS)}", "Give one of these.")
    refuse_unreadable(raw)
    refuse_overwriting(raw, out, made=MADE)
    extract = ADAPTERS[fmt](raw)
    today = today or dt.datetime.now(tz=EASTERNMOST).date()
    checked = {
        name: validate(extract.registers[name], register, max_quarantine_share=max_quarantine_share, today=today)
        for name, register in REGISTERS.items()
        if name in extract.registers
    }
    notes = (*extract.notes, *_column_notes(checked), *_orphan_notes(checked))
    report = IngestReport(tuple(_count(name, checked) for name in REGISTERS), notes, extract.nulled)
    write_whole(out, lambda folder: _write(folder, report, checked, extract))
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


def to_correct(report: IngestReport, folder: Path) -> list[str]:
    """Where a clerk finds the rows to correct, as lines to print; none when there are none."""
    faulty = [r for r in report.registers if r.quarantined]
    if not faulty:
        return []
    total = sum(r.quarantined for r in faulty)
    files = ", ".join(f"{r.name}.csv ({r.quarantined:,})" for r in faulty)
    return [f"{total:,} {'row' if total == 1 else 'rows'} to correct: {(folder / QUARANTINE).as_posix()}/{files}"]


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
    if not lone:
        return ""
    said = f"{lone} of {len(rows.accepted)} rows of `{rows.register.name}` have {'an' if key[0] == 'a' else 'a'} {key}"
    return f"{said} that is not in `{parents.register.name}`; they were kept. {LOST[rows.register.name]}"


def _write(folder: Path, report: IngestReport, checked: dict[str, Validated], extract: Extract) -> None:
    (folder / QUARANTINE).mkdir(parents=True)
    for name, register in REGISTERS.items():
        rows = checked[name].accepted if name in checked else empty(register)
        rows = rows.sort_values(list(register.key), ignore_index=True)
        rows.to_parquet(folder / f"{name}.parquet", compression="zstd", index=False)
        if name in checked:
            sheet = _clerks_sheet(extract.registers[name], checked[name].quarantined)
            sheet.to_csv(folder / QUARANTINE / f"{name}.csv", index=False)
    account = {
        "registers": {
            r.name: {"read": r.read, "accepted": r.accepted, "quarantined": r.quarantined, "absent": r.absent}
            for r in report.registers
        },
        "notes": list(report.notes),
        "nulled": json.loads(report.nulled.to_json(orient="records")),
    }
    text = json.dumps(account, indent=2, ensure_ascii=False) + "\n"
    (folder / ACCOUNT).write_text(text, encoding="utf-8")


def _clerks_sheet(frame: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Lay out the faulty rows as they came, each beside what is wrong with it; nothing in them runs as a formula."""
    spare = [c for c in frame.columns if c in {*faults.columns, *SOURCE}]
    seen = frame.drop(columns=spare).iloc[faults.index.to_numpy()].reset_index(drop=True)
    sheet = pd.concat([faults.reset_index(drop=True), seen], axis=1)
    return sheet.apply(guarded).set_axis(guarded(pd.Series(sheet.columns.astype(str))), axis=1)


def _refuse_others(source: settings.Source, folder: int | None) -> None:
    """Refuse registers that took the place of those read: DVC would note the new ones beside what the old ones gave.

    Parameters
    ----------
    folder
        Number on the disk of the folder that was read; whoever hands over puts another in its place.
    """
    if settings.load().source == source and _number(source.raw) == folder:
        return
    raise InputRefused(
        f"other registers in {source.raw} than when this run began",
        "the same from the beginning to the end",
        "Run again: it takes in those that are there now.",
    )


def _number(folder: Path) -> int | None:
    """Of a folder on the disk; None where none is, as for a moment when another takes its place."""
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return None


def main() -> None:
    """Stage `ingest`."""
    chosen = settings.load()
    source = chosen.source
    share = chosen.ingest.max_quarantine_share
    folder = _number(source.raw)
    report = ingest(source.raw, source.format, chosen.paths.interim, max_quarantine_share=share)
    _refuse_others(source, folder)
    console = Console()
    console.print(table(report))
    for line in (*report.notes, *to_correct(report, chosen.paths.interim)):
        console.print(line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_stage(main)
