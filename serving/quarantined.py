"""The rows that were kept out of the registers, and why."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import pandas as pd

from features.contracts import REGISTERS
from features.folders import ACCOUNT
from features.ingest import QUARANTINE
from serving.errors import NothingScored
from serving.exporting.cells import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")
LINES_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Faults of one kind."""

    column: str
    reason: str
    faults: int


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """What became of the rows of one register: `accepted + quarantined == read`."""

    name: str
    title: str
    absent: bool
    read: int
    accepted: int
    quarantined: int
    reasons: tuple[Reason, ...]


def quarantines(interim: Path) -> tuple[tuple[Quarantine, ...], tuple[str, ...]]:
    """Every register as it was taken in last, and what else was noted then.

    Raises
    ------
    NothingScored
        No register was taken in.
    """
    try:
        account = json.loads((interim / ACCOUNT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise NothingScored("No register was taken in yet, or its account cannot be read.") from fault
    told = account["registers"]
    made = tuple(
        Quarantine(
            name=name, title=REGISTERS[name].title, reasons=_reasons(interim / QUARANTINE / f"{name}.csv"), **one
        )
        for name, one in told.items()
        if name in REGISTERS
    )
    return made, tuple(account["notes"])


def to_mend(interim: Path, register: str) -> IO[bytes] | None:
    """The file of a register's faults, open; None when it has none, or there is no such register."""
    if register not in REGISTERS:
        return None
    try:
        return (interim / QUARANTINE / f"{register}.csv").open("rb")
    except FileNotFoundError:
        return None


def shielded(file: IO[bytes]) -> Iterator[bytes]:
    """The file as CSV, some lines at a time, in which nothing runs as a formula; numbers stay numbers.

    The stage that writes it shields it, too; but somebody may have put another in its place.
    """
    with file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        yield "\ufeff".encode()
        some = io.StringIO(newline="")
        rows = csv.writer(some, lineterminator="\r\n")
        for count, row in enumerate(csv.reader(text), start=1):
            rows.writerow([cell if NUMBER.fullmatch(cell) else harmless(cell) for cell in row])
            if count % LINES_AT_ONCE == 0:
                yield _taken(some)
        yield _taken(some)


def _taken(some: io.StringIO) -> bytes:
    made = some.getvalue().encode()
    some.seek(0)
    some.truncate()
    return made


def _reasons(path: Path) -> tuple[Reason, ...]:
    """The kinds of faults of a file, the most frequent first; no value of it is read."""
    try:
        found = pd.read_csv(path, usecols=["column", "reason"], dtype="string")
    except FileNotFoundError:
        return ()
    counts = found.value_counts(["column", "reason"]).reset_index()
    counts = counts.sort_values(["count", "column", "reason"], ascending=[False, True, True])
    return tuple(Reason(column=r.column, reason=r.reason, faults=int(r["count"])) for _, r in counts.iterrows())
