"""A register as handed over -> the rows we accept and the rows a clerk must look at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from features.cells import DAMAGED, DTYPES, EMPTY, NO, SERIAL, YES, as_text, parse
from features.errors import InputRefused
from features.header import doubled, doubled_remedy, repeated, spoken
from features.schema import Register

# The words of a fault and of yes and no are read from here, wherever they are made.
__all__ = [
    "CONFLICT", "COPY", "DAMAGED", "EMPTY", "NO", "SERIAL", "SOURCE", "UNBORN", "UNTIMELY", "UNTRUE", "YES",
    "Validated", "empty", "validate",
]  # fmt: skip

SOURCE = ("_source_file", "_source_row")
COPY = "exact copy of another row; one was kept"
CONFLICT = "several rows share this key but differ; keep one"
UNTIMELY = "after the day of this run"
UNBORN = "after recorded_on: nobody is recorded before the day of birth"
UNTRUE = "after recorded_on: nothing is recorded before it happens"
AFTER_RECORD = {"birth_date": UNBORN, "received_on": UNTRUE, "happened_on": UNTRUE}
"""Dates that are at fault when they are later than `recorded_on`."""


@dataclass(frozen=True)
class Validated:
    """What became of one register: `read == len(accepted) + quarantined_rows`, always.

    Parameters
    ----------
    quarantined
        One line per fault; its index is the position of the row in the frame, from 0.
    unknown_columns
        As a message may name them: by position where the header is not a column name.
    """

    register: Register
    read: int
    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    quarantined_rows: int
    absent_columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]


def empty(register: Register) -> pd.DataFrame:
    """Give the register without rows, typed."""
    return pd.DataFrame({c.name: pd.Series(dtype=DTYPES[c.kind]) for c in register.columns})


def validate(
    frame: pd.DataFrame, register: Register, *, max_quarantine_share: float, today: dt.date | None = None
) -> Validated:
    """Part the accepted from the quarantined rows of one register.

    Parameters
    ----------
    frame
        As handed over. Its columns `SOURCE`, if any, say where each row stands; else rows count from 1.
    today
        A later date is a fault. Without it, no date is too late.

    Raises
    ------
    InputRefused
        The file as a whole cannot be trusted: columns missing or doubled, no rows, too many faults.
    """
    _refuse_headers(frame, register)
    frame = frame.reset_index(drop=True)
    typed, reasons = _parse_all(frame, register)
    _fault_untrue_dates(typed, reasons, today=today)
    faulty = pd.Series(False, index=frame.index)  # noqa: FBT003 (pandas takes the value first)
    for reason in reasons.values():
        faulty |= reason.notna()
    repeated = _repeats(typed, register, faulty=faulty)
    quarantined = _fault_lines(frame, register, reasons, repeated=repeated)
    bad = faulty | repeated.notna()
    outcome = Validated(
        register,
        read=len(frame),
        accepted=typed[~bad].reset_index(drop=True),
        quarantined=quarantined,
        quarantined_rows=int(bad.sum()),
        absent_columns=tuple(n for n in register.names if n not in frame.columns),
        unknown_columns=_unknown(frame, register),
    )
    _refuse_share(outcome, max_quarantine_share)
    return outcome


def _unknown(frame: pd.DataFrame, register: Register) -> tuple[str, ...]:
    header = [str(n) for n in frame.columns]
    places = [p for p, n in enumerate(header) if n not in {*register.names, *SOURCE}]
    return (spoken(header, places),) if places else ()


def _refuse_headers(frame: pd.DataFrame, register: Register) -> None:
    header = [str(n) for n in frame.columns]
    allowed = f"the columns of `{register.name}`, each once: {', '.join(register.names)}"
    twice = doubled(header)
    missing = [c.name for c in register.columns if c.required and c.name not in frame.columns]
    if twice:
        found, remedy = repeated(header, twice), doubled_remedy(header, twice)
    elif len(frame.columns) and not set(frame.columns) & set(register.names):
        found = "none of the register's columns; the header may be missing or in other words"
        remedy = "Make the first line the column names, as docs/registers.md lists them."
    elif missing:
        found = f"no column {', '.join(missing)}, which is required"
        remedy = "Add the column, or check its spelling against docs/registers.md."
    elif frame.empty:
        found, remedy = "no rows", "Export again; leave the file out if there is nothing to hand over."
    else:
        return
    raise InputRefused(f"`{register.name}` has {found}", allowed, remedy)


def _parse_all(frame: pd.DataFrame, register: Register) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    typed, reasons = {}, {}
    for column in register.columns:
        if column.name in frame.columns:
            typed[column.name], reasons[column.name] = parse(frame[column.name], column)
        else:
            typed[column.name] = pd.Series(index=frame.index, dtype=DTYPES[column.kind])
    return pd.DataFrame(typed), reasons


def _fault_untrue_dates(typed: pd.DataFrame, reasons: dict[str, pd.Series], *, today: dt.date | None) -> None:
    """Take out, in place, dates that cannot be true yet and what happened after the record of it."""
    late = {}
    if today is not None:
        dates = [name for name in reasons if typed[name].dtype.kind == "M"]
        late = {name: (typed[name] > pd.Timestamp(today), UNTIMELY) for name in dates}
    _take_out(typed, reasons, late)
    for name, why in AFTER_RECORD.items():
        if {name, "recorded_on"} <= reasons.keys():
            _take_out(typed, reasons, {name: (typed[name] > typed["recorded_on"], why)})


def _take_out(typed: pd.DataFrame, reasons: dict[str, pd.Series], faults: dict[str, tuple[pd.Series, str]]) -> None:
    for name, (bad, why) in faults.items():
        typed[name] = typed[name].mask(bad)
        reasons[name] = reasons[name].mask(bad, why)


def _repeats(typed: pd.DataFrame, register: Register, *, faulty: pd.Series) -> pd.Series:
    """Why a row's key may not stand, per row; null when it may. No row is first: order says nothing."""
    key = list(register.key)
    reason = pd.Series(pd.NA, index=typed.index, dtype="string")
    rivals = typed[typed.duplicated(key, keep=False) & typed[key].notna().all(axis=1)]
    if rivals.empty:
        return reason
    contents = rivals.assign(_faulty=faulty[rivals.index])
    copy = contents.duplicated()
    groups = rivals.groupby(key, sort=False).ngroup()
    conflict = (~copy).groupby(groups).transform("sum") > 1
    # a faulty copy is already in quarantine for its own fault
    reason[rivals.index[copy & ~conflict & ~contents["_faulty"]]] = COPY
    reason[rivals.index[conflict]] = CONFLICT
    return reason


def _fault_lines(
    frame: pd.DataFrame, register: Register, reasons: dict[str, pd.Series], *, repeated: pd.Series
) -> pd.DataFrame:
    lines = [
        _lines(frame[[name]], reason, column=name, allowed=register.column(name).allowed())
        for name, reason in reasons.items()
    ]
    key = list(register.key)
    lines.append(_lines(frame[key], repeated, column="+".join(key), allowed="each key once"))
    faults = pd.concat(lines).sort_index(kind="stable")
    if "_source_row" in frame.columns:
        faults.insert(0, "row", frame["_source_row"].reindex(faults.index))
    else:
        faults.insert(0, "row", faults.index + 1)
    if "_source_file" in frame.columns:
        faults.insert(0, "file", frame["_source_file"].reindex(faults.index))
    return faults


def _lines(cells: pd.DataFrame, reason: pd.Series, *, column: str, allowed: str) -> pd.DataFrame:
    reason = reason.dropna()
    texts = [as_text(cells[name].loc[reason.index]).fillna("") for name in cells.columns]
    seen = texts[0] if len(texts) == 1 else texts[0].str.cat(texts[1:], sep=" + ")  # type: ignore[arg-type]  # the stubs forget a list of Series
    lines = {"column": column, "value_seen": seen, "allowed": allowed, "reason": reason}
    return pd.DataFrame(lines, index=reason.index).astype("string")


def _refuse_share(outcome: Validated, most: float) -> None:
    if outcome.quarantined_rows <= most * outcome.read:
        return
    faults = outcome.quarantined
    common = faults.value_counts(["column", "reason"]).head(3)
    # the value itself is not repeated here: a message must carry no name and no birth date
    listed = "; ".join(f"{c}: {why} ({n} rows)" for (c, why), n in zip(common.index.to_list(), common, strict=True))
    raise InputRefused(
        f"`{outcome.register.name}`: {outcome.quarantined_rows} of {outcome.read} rows have faults, "
        f"the first in row {faults['row'].iloc[0]}; most often {listed}",
        f"at most {most:.1%} of the rows in quarantine; {faults['allowed'].iloc[0]} in the first",
        "Correct the export (docs/registers.md lists the accepted forms) and run again.",
    )
