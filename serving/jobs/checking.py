"""One uploaded register -> its accepted rows and, by cell, why others were refused, by the contracts of the batch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.contracts import REGISTERS
from features.validation import SOURCE, empty, validate
from serving.jobs.sheets import read

if TYPE_CHECKING:
    from pathlib import Path

ROW = "_row"
REFUSED = ["register", "row", "column", "allowed", "reason"]


@dataclass(frozen=True, eq=False)
class Checked:
    """What became of one register.

    Parameters
    ----------
    accepted
        By the contract, with the place of each below the header in `ROW`.
    refused
        `REFUSED`, a line a fault; what was found is not repeated, for it may be a name or a date of birth.
    refused_rows
        Rows that have one fault or more.
    """

    read: int
    accepted: pd.DataFrame
    refused: pd.DataFrame
    refused_rows: int
    notes: tuple[str, ...]


def check(path: Path, register: str, *, today: dt.date) -> Checked:
    """Read an uploaded file and part its rows.

    Raises
    ------
    InputRefused
        The file as a whole cannot be used.
    """
    sheet = read(path)
    frame = sheet.rows.drop(columns=[name for name in SOURCE if name in sheet.rows.columns])
    numbers = frame.index.to_numpy()
    # Whoever uploads gets back every row that is at fault, so that no share of them is too large.
    made = validate(frame.assign(_source_row=numbers), REGISTERS[register], max_quarantine_share=1, today=today)
    kept = np.setdiff1d(np.arange(made.read), made.quarantined.index.to_numpy())
    faults = made.quarantined.reset_index(drop=True).assign(register=register)[REFUSED]
    notes = list(sheet.notes)
    if made.absent_columns:
        notes.append(f"Without the columns {', '.join(made.absent_columns)}; they are null.")
    if made.unknown_columns:
        notes.append(f"Unknown columns, not read: {', '.join(made.unknown_columns)}.")
    accepted = made.accepted.assign(**{ROW: numbers[kept]})
    return Checked(made.read, accepted, faults, made.quarantined_rows, tuple(notes))


def absent(register: str) -> pd.DataFrame:
    """The accepted rows of a register that was not uploaded: none, typed."""
    return empty(REGISTERS[register]).assign(**{ROW: pd.Series(dtype="int64")})
