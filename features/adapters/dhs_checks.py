"""Refusals of a recode file whose rows could get no key or no date. Messages name variables, never values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from features.adapters.dhs_fields import KEY_TEXTS, NEEDED
from features.adapters.dhs_files import RECORD_TYPES
from features.errors import InputRefused

if TYPE_CHECKING:
    from features.adapters.dhs_files import Recode

EARLIEST = pd.Timestamp("1900-01-01")
"""A year in two figures, as in surveys before 1998, would fall before it."""
DATES = {"household": ("interviewed_on", "hv007, hv006 and hv016"), "child_body": ("birth_date", "hc31 and hc30")}


def refuse_unusable(kind: str, file: Recode, rows: pd.DataFrame) -> None:
    """Refuse a file that lacks a needed variable, or has it without a usable value."""
    wanted = [names.split("|") for names in NEEDED[kind].split()]
    whole = ", ".join(" or ".join(names) for names in wanted)
    lacking = [" or ".join(names) for names in wanted if not any(_usable(rows, n) for n in names)]
    if lacking:
        raise InputRefused(
            found=f"{file.name} has no usable {', '.join(lacking)}: absent, empty or of the wrong type",
            allowed=f"a {' or '.join(RECORD_TYPES[kind])} file with {whole}",
            remedy="Export the file again with these variables, as the survey's publisher gives them.",
        )
    as_numbers = [n for n in KEY_TEXTS if n in NEEDED[kind].split() and not _is_text(rows[n])]
    if as_numbers:
        raise InputRefused(
            found=f"{file.name} has {', '.join(as_numbers)} as a number, which lost its blanks and leading zeros",
            allowed="text, as the survey's publisher gives it",
            remedy="Export the file again with this variable as text.",
        )


def refuse_undated(kind: str, file: Recode, made: dict[str, pd.Series]) -> None:
    """Refuse a file of which no row has a date."""
    column, variables = DATES.get(kind, ("", ""))
    if column and not (made[column] >= EARLIEST).any():
        raise InputRefused(
            found=f"{file.name} has no row in which {variables} make a date",
            allowed="a year in four figures, a month and a day of the common calendar",
            remedy="Correct these variables, or export the file again.",
        )


def _usable(rows: pd.DataFrame, name: str) -> bool:
    if name not in rows:
        return False
    filled = rows[name].dropna()
    return bool((filled.astype("string").str.strip() != "").any())


def _is_text(values: pd.Series) -> bool:
    return bool(values.dropna().map(lambda v: isinstance(v, str)).all())
