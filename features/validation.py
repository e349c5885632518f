"""A register as handed over -> the rows we accept and the rows a clerk must look at.

Each parser sees every distinct text once, so a million rows cost as much as their distinct values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from features.errors import InputRefused
from features.schema import Column, Kind, Register

YES = ("1", "1.0", "true", "ya", "yes", "v", "✓", "✔")
NO = ("0", "0.0", "false", "tidak", "no")
EARLIEST = pd.Timestamp("1900-01-01")
"""Nobody in a register was born or visited before; such a date is a slip of the pen."""

DTYPES = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.WHOLE: "Int64",
    Kind.NUMBER: "float64",
    Kind.YES_NO: "boolean",
    Kind.DATE: "datetime64[us]",
}
DAMAGED = "damaged by a spreadsheet; export the column as text"
SERIAL = "an Excel serial number; export the column as a date, YYYY-MM-DD"
EMPTY = "empty, but required"

_DAMAGE = r"[0-9]+(?:[.,][0-9]+)?[eE][+][0-9]+|[0-9]+[.,]0|#(?:N/A|REF!|VALUE!|NAME\?|NUM!|DIV/0!|#+)"
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_TIME = r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
SOURCE = ("_source_file", "_source_row")
COPY = "exact copy of another row; one was kept"
CONFLICT = "several rows share this key but differ; keep one"


@dataclass(frozen=True)
class Validated:
    """What became of one register: `read == len(accepted) + quarantined_rows`, always.

    Parameters
    ----------
    quarantined
        One line per fault; its index is the position of the row in the frame, from 0.
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


def validate(frame: pd.DataFrame, register: Register, *, max_quarantine_share: float) -> Validated:
    """Part the accepted from the quarantined rows of one register.

    Raises
    ------
    InputRefused
        The file as a whole cannot be trusted: columns missing or doubled, no rows, too many faults.
    """
    _refuse_headers(frame, register)
    frame = frame.reset_index(drop=True)
    typed, reasons = _parse_all(frame, register)
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
        unknown_columns=tuple(str(n) for n in frame.columns if n not in {*register.names, *SOURCE}),
    )
    _refuse_share(outcome, max_quarantine_share)
    return outcome


def _refuse_headers(frame: pd.DataFrame, register: Register) -> None:
    allowed = f"the columns of `{register.name}`, each once: {', '.join(register.names)}"
    doubled = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]})
    missing = [c.name for c in register.columns if c.required and c.name not in frame.columns]
    if doubled:
        found, remedy = f"column {', '.join(doubled)} more than once", "Keep the right one and export again."
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


def as_text(values: pd.Series) -> pd.Series:
    """Give the cells as trimmed text; a blank cell is null."""
    if pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype("Int8")
    text = values.astype("string").str.strip()
    return text.mask((text == "").fillna(value=False))


def parse(values: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Give the typed values, and per cell why it was not accepted (null when it was)."""
    codes, distinct = pd.factorize(as_text(values))
    typed, reason = _PARSERS[column.kind](pd.Series(distinct, dtype="string"), column)
    typed = typed.astype(DTYPES[column.kind]).where(reason.isna())  # type: ignore[call-overload]  # the dtype is a name
    typed, reason = (s.reindex(codes).set_axis(values.index) for s in (typed, reason.astype("string")))
    if column.required:
        reason = reason.mask(codes == -1, EMPTY)
    return typed, reason


def _reason(bad: pd.Series, why: str) -> pd.Series:
    return pd.Series(why, index=bad.index, dtype="string").where(bad.astype(bool))


def _text(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    identifier = column.required or column.name.endswith("_id")
    return text, _reason(text.str.fullmatch(_DAMAGE) & identifier, DAMAGED)


def _number(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    shaped = text.str.fullmatch(_NUMBER).astype(bool)
    # a decimal comma is what an Indonesian spreadsheet writes
    value = pd.to_numeric(text.where(shaped).str.replace(",", ".", regex=False), errors="coerce")
    value = value.astype("float64")
    low, high = column.valid or (float("-inf"), float("inf"))
    reason = _reason(value.isna(), "not a number")
    reason = reason.fillna(_reason(value.notna() & ~value.between(low, high), "outside the allowed range"))
    if column.kind is Kind.WHOLE:
        fraction = value.notna() & (value % 1 != 0)
        reason = reason.fillna(_reason(fraction, "has a fraction, but counts whole things"))
        value = value.where(reason.isna())
    return value, reason


def _yes_no(text: pd.Series, _: Column) -> tuple[pd.Series, pd.Series]:
    words = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    value = text.str.lower().map(words).astype("boolean")
    return value, _reason(value.isna(), "neither yes nor no")


def _date(text: pd.Series, _: Column) -> tuple[pd.Series, pd.Series]:
    year_first = text.where(text.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}" + _TIME))
    day_first = text.where(text.str.fullmatch(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}" + _TIME))
    value = pd.to_datetime(year_first.str[:10], format="%Y-%m-%d", errors="coerce").fillna(
        pd.to_datetime(day_first.str.split(r"[ T]", regex=True).str[0], format="%d/%m/%Y", errors="coerce")
    )
    reason = _reason(text.str.fullmatch(r"[0-9]{4,6}(?:[.,][0-9]+)?"), SERIAL)
    reason = reason.fillna(_reason(value.isna(), "not a date"))
    return value, reason.fillna(_reason(value < EARLIEST, "before 1900"))


def _code(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    value = text.str.lower()
    return value, _reason(~value.isin(list(column.codes)), "unknown code")


_PARSERS: dict[Kind, Callable[[pd.Series, Column], tuple[pd.Series, pd.Series]]] = {
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.WHOLE: _number,
    Kind.NUMBER: _number,
    Kind.YES_NO: _yes_no,
    Kind.DATE: _date,
}
