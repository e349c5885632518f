"""A cell as it was written -> its value, or why it cannot stand; and a cell made safe for a spreadsheet.

Each parser sees every distinct text once, so a million cells cost as much as their distinct values.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from features.names import fault_of
from features.schema import Column, Kind

YES = ("1", "1.0", "true", "ya", "yes", "v", "✓", "✔")
NO = ("0", "0.0", "false", "tidak", "no")
EARLIEST = pd.Timestamp("1900-01-01")
"""Nobody in a register was born or visited before; such a date is a slip of the pen."""
THOUSAND = 1000
"""Where a column's range reaches it, a separator before three digits has two readings."""

DTYPES = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.WHOLE: "Int64",
    Kind.NUMBER: "float64",
    Kind.YES_NO: "boolean",
    Kind.DATE: "datetime64[us]",
    Kind.NAME: "string",
}
DAMAGED = "damaged by a spreadsheet; export the column as text"
MARKED = "begins with ' or =, which a spreadsheet put there; export the column as text"
UNPRINTABLE = "holds a character that is not a plain letter, digit, sign or single space; type it again"
NOTHING = "a word or sign for nothing, not an identifier; leave it blank if it is not known"
SERIAL = "an Excel serial number; export the column as a date, YYYY-MM-DD"
GROUPED = "a thousands separator, or a fraction of what is counted whole; write a thousand as 1000"
AMBIGUOUS = "a thousands separator or a decimal sign? for thousands write 2975 or 2975.0, for a decimal 2.9750"
EMPTY = "empty, but required"
OUTSIDE = "outside the allowed range"
UNKNOWN_CODE = "unknown code"

# A pseudonym such as 1234e567 is no number: without a sign or a decimal mark, one digit stands before the e.
_SCIENTIFIC = r"[0-9]+[.,][0-9]+[eE][+-]?[0-9]+|[0-9]+[eE][+][0-9]+|[0-9][eE]-?[0-9]{1,3}"
_DAMAGE = _SCIENTIFIC + r"|[0-9]+[.,]0+|#(?:N/A|REF!|VALUE!|NAME\?|NUM!|DIV/0!|#+)"
_PLAIN = r"[!-~]+(?: [!-~]+)*"
# Spelt out, since the pattern of an identifier is also told to those who know no inline flags.
_NOTHING = r"[nN][aA][nN]|[nN][uU][lL][lL]|[nN][oO][nN][eE]|<[nN][aA]>|[nN][aA][tT]|[nN][aA]|[nN]/[aA]|[^0-9A-Za-z]+"
IDENTIFIER_PATTERN = rf"^(?!['=])(?!(?:{_DAMAGE})$)(?!(?:{_NOTHING})$){_PLAIN}$"
"""What an identifier looks like, all rules of `_text` together."""
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_WHOLE = r"[+-]?[0-9]+(?:[.,]0{0,2})?"
_GROUPS = r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}"
_TIME = r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_FORMULA = r"\s*[=+\-@]|[\t\r\n]"

NUMBERS = {"decimal", "floating", "integer", "mixed-integer-float"}
"""What pandas says of a column of loose Python numbers."""


def as_text(values: pd.Series) -> pd.Series:
    """Give the cells as trimmed text; a blank cell is null."""
    if pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype("Int8")
    text = values.astype("string").str.strip()
    return text.mask((text == "").fillna(value=False))


def guarded(cells: pd.Series) -> pd.Series:
    """The cells, with an apostrophe before what a spreadsheet would run as a formula; numbers stay numbers.

    `parse` takes exactly this apostrophe off again, so that a sheet which comes back mended is not
    faulted for it. Any other leading apostrophe in an identifier is a fault (`MARKED`).

    >>> guarded(pd.Series(["=1+1", "-3.2", "-", "Desa"])).to_list()
    ["'=1+1", '-3.2', "'-", 'Desa']
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return cells
    text = cells.astype("string")
    seen = text.fillna("").astype("string")
    formula, number = seen.str.match(_FORMULA), seen.str.strip().str.fullmatch(_NUMBER)
    risky = formula.astype(bool) & ~number.astype(bool) & (seen.str.strip() != "").astype(bool)
    return text.mask(risky, "'" + seen)


def parse(values: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Give the typed values, and per cell why it was not accepted (null when it was)."""
    codes, distinct = pd.factorize(as_text(values))
    text = pd.Series(distinct, dtype="string").str.replace(rf"^'(?={_FORMULA})", "", regex=True).str.strip()
    typed, reason = _PARSERS[column.kind](text, column)
    if _is_written(values):
        reason = _misread(text, column).fillna(reason)
    typed = typed.astype(DTYPES[column.kind]).where(reason.isna())  # type: ignore[call-overload]  # the dtype is a name
    typed, reason = (s.reindex(codes).set_axis(values.index) for s in (typed, reason.astype("string")))
    if column.required:
        reason = reason.mask(codes == -1, EMPTY)
    return typed, reason


def _is_written(values: pd.Series) -> bool:
    """Whether the cells are text; a number that came as a number has one reading."""
    dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    if pd.api.types.is_object_dtype(dtype):
        return pd.api.types.infer_dtype(values, skipna=True) not in NUMBERS
    return not pd.api.types.is_numeric_dtype(dtype)


def _misread(text: pd.Series, column: Column) -> pd.Series:
    """Why a number written as text may be read a thousand times too small."""
    grouped = text.str.fullmatch(_GROUPS)
    if column.kind is Kind.WHOLE:
        reason = _reason(grouped, GROUPED)
        fraction = text.str.fullmatch(r"[+-]?[0-9]*[.,][0-9]*[1-9][0-9]*")  # has a reason of its own
        odd = text.str.fullmatch(_NUMBER) & ~text.str.fullmatch(_WHOLE) & ~fraction
        return reason.fillna(_reason(odd, "not written as a whole number"))
    reaches = column.valid is not None and max(abs(end) for end in column.valid) >= THOUSAND
    none = pd.Series(data=False, index=text.index)
    if column.kind is not Kind.NUMBER or not reaches:
        return _reason(none, AMBIGUOUS)
    # Where the column's other numbers show the sign to be its decimal sign, there is one reading only.
    shown = [sign for sign in ".," if text.str.fullmatch(rf"[+-]?[0-9]*[{sign}](?:[0-9]{{1,2}}|[0-9]{{4,}})").any()]
    told = text.str.contains(f"[{''.join(shown)}]", regex=True) if len(shown) == 1 else none
    return _reason(grouped & ~told, AMBIGUOUS)


def _reason(bad: pd.Series, why: str) -> pd.Series:
    return pd.Series(why, index=bad.index, dtype="string").where(bad.astype(bool))


def _text(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    if not (column.required or column.name.endswith("_id")):
        return text, pd.Series(pd.NA, index=text.index, dtype="string")
    reason = _reason(text.str.fullmatch(_DAMAGE), DAMAGED)
    reason = reason.fillna(_reason(text.str.match("['=]"), MARKED))
    reason = reason.fillna(_reason(~text.str.fullmatch(_PLAIN), UNPRINTABLE))
    return text, reason.fillna(_reason(text.str.fullmatch(_NOTHING), NOTHING))


def identifier_fault(text: str) -> str:
    """Why one identifier may not stand, by the rules of `_text`; empty when it may."""
    rules = ((re.fullmatch(_DAMAGE, text), DAMAGED), (re.match("['=]", text), MARKED),
             (not re.fullmatch(_PLAIN, text), UNPRINTABLE), (re.fullmatch(_NOTHING, text), NOTHING))  # fmt: skip
    return next((why for broken, why in rules if broken), "")


def _number(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    shaped = text.str.fullmatch(_NUMBER).astype(bool)
    # a decimal comma is what an Indonesian spreadsheet writes
    value = pd.to_numeric(text.where(shaped).str.replace(",", ".", regex=False), errors="coerce")
    value = value.astype("float64")
    low, high = column.valid or (float("-inf"), float("inf"))
    reason = _reason(value.isna(), "not a number")
    reason = reason.fillna(_reason(value.notna() & ~value.between(low, high), OUTSIDE))
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
    return value, _reason(~value.isin(list(column.codes)), UNKNOWN_CODE)


def _name(text: pd.Series, _: Column) -> tuple[pd.Series, pd.Series]:
    reason = pd.Series([fault_of(one) for one in text], index=text.index, dtype="string")
    return text, reason.mask(reason == "")


_PARSERS: dict[Kind, Callable[[pd.Series, Column], tuple[pd.Series, pd.Series]]] = {
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.WHOLE: _number,
    Kind.NUMBER: _number,
    Kind.YES_NO: _yes_no,
    Kind.DATE: _date,
    Kind.NAME: _name,
}
