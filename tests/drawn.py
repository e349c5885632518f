"""Reads a table drawn in a test."""

from __future__ import annotations

import pandas as pd


def drawn(text: str) -> pd.DataFrame:
    """Rows between `|`; the second line is a rule; an empty cell is null; numbers and dates are read as such."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    cells = [[c.strip() for c in line.strip().strip("|").split("|")] for line in (lines[0], *lines[2:])]
    rows = pd.DataFrame(cells[1:], columns=cells[0]).replace("", None)
    for name in rows:
        rows[name] = _typed(rows[name], name)
    return rows


def _typed(column: pd.Series, name: str) -> pd.Series:
    if name.endswith(("_on", "_date", "as_of", "known_from")):
        return pd.to_datetime(column)
    if column.notna().any() and pd.to_numeric(column, errors="coerce").notna().equals(column.notna()):
        return pd.to_numeric(column)
    return column.astype("string")
