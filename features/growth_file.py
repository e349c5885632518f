"""A file of measurements -> the same file with z-scores appended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from features.errors import InputRefused
from features.growth import REQUIRED, growth
from features.reading import read_table

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = ("age", "weight", "lenhei", "headc", "armc")


def score_file(source: Path, target: Path) -> tuple[int, dict[str, int]]:
    """Write `target` whole or not at all; rows, and by column the cells that hold no number and were taken as empty.

    A decimal comma is read as a point. Columns that are not known stay as they are.

    Raises
    ------
    InputRefused
        The file cannot be read, has a column of ours already, or lacks `sex` or `age`.
    """
    rows = read_table(source).rows
    _refuse(rows, source)
    numbers = {name: _number(rows[name]) for name in NUMBERS if name in rows}
    unread = {name: int((made.isna() & _filled(rows[name])).sum()) for name, made in numbers.items()}
    scored = growth(rows.assign(**numbers))
    half = target.with_name(f".{target.name}.part")
    pd.concat([rows, scored], axis=1).to_csv(half, index=False)
    half.replace(target)
    return len(rows), {name: count for name, count in unread.items() if count}


def _refuse(rows: pd.DataFrame, source: Path) -> None:
    missing = [name for name in REQUIRED if name not in rows]
    made = [str(name) for name in growth(pd.DataFrame({"sex": ["m"], "age": [0]})) if name in rows]
    if missing or made:
        found = (
            f"no column {', '.join(missing)}" if missing else f"the column {', '.join(made)}, which would be written"
        )
        raise InputRefused(
            f"{source.name} has {found}",
            "sex, age; and as far as known is_age_in_month, weight, lenhei, measure, headc, armc, oedema",
            "Name the columns so, and leave out scores made before.",
        )


def _filled(cells: pd.Series) -> pd.Series:
    return cells.notna() & (cells.astype("string").str.strip() != "").fillna(value=False)


def _number(cells: pd.Series) -> pd.Series:
    text = cells.astype("string").str.strip().str.replace(",", ".", regex=False)
    return pd.to_numeric(text, errors="coerce").astype("float64")
