"""A file of measurements -> the same file with z-scores appended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputRefused
from features.growth import REQUIRED, growth
from features.progress import shown, unseen
from features.reading import read_table

NUMBERS = ("age", "weight", "lenhei", "headc", "armc")
ROWS_AT_ONCE = 1 << 17
"""Scored and written at a time: what is computed of a long file needs no more memory than of a short one."""


def score_file(source: Path, target: Path) -> tuple[int, dict[str, int]]:
    """Write `target` whole or not at all; rows, and by column the cells that hold no number and were taken as empty.

    A decimal comma is read as a point. Columns that are not known stay as they are, in their order. What is written has
    commas between its cells and a point in its numbers, whatever was read.

    Raises
    ------
    InputRefused
        The file cannot be read, has a column of ours already, or lacks `sex` or `age`; or `target` has no folder.
    """
    if not source.is_file():
        raise InputRefused(f"no file {source}", "a CSV file of measurements", "Check its name and folder.")
    if not target.parent.is_dir():
        raise InputRefused(f"no folder {target.parent}", "a folder that exists", "Make it, or choose another.")
    rows = read_table(source).rows
    _refuse(rows, source)
    unread = dict.fromkeys(NUMBERS, 0)
    with _whole(target) as out:
        out.write(_lines([_texts(pd.Series([name])) for name in [*rows, *_made()]]))
        for part in _parts(rows):
            numbers = {name: _number(part[name]) for name in NUMBERS if name in part}
            for name, made in numbers.items():
                unread[name] += int((made.isna() & _filled(part[name])).sum())
            scores = growth(part.assign(**numbers))
            out.write(_lines([_texts(column) for _, column in (*part.items(), *scores.items())]))
    return len(rows), {name: count for name, count in unread.items() if count}


@contextmanager
def _whole(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `target` when all of it is written, and else leaves nothing."""
    half = target.with_name(f".{target.name}.part")
    try:
        with half.open("wb") as out:
            yield out
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _parts(rows: pd.DataFrame) -> Iterable[pd.DataFrame]:
    starts = range(0, len(rows), ROWS_AT_ONCE)
    loop = shown("scores") if len(starts) > 1 else unseen
    return (rows.iloc[start : start + ROWS_AT_ONCE] for start in loop(starts))


def _made() -> list[str]:
    return [str(name) for name in growth(pd.DataFrame({"sex": ["m"], "age": [0]}))]


def _refuse(rows: pd.DataFrame, source: Path) -> None:
    missing = [name for name in REQUIRED if name not in rows]
    made = [name for name in _made() if name in rows]
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
    """The number in each cell, read once for each distinct text; null where there is none, or no finite one."""
    place, distinct = pd.factorize(cells)
    text = pd.Series(distinct).astype("string").str.strip().str.replace(",", ".", regex=False)
    number = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = np.append(np.where(np.isfinite(number), number, np.nan), np.nan)
    return pd.Series(known[place], index=cells.index)  # a missing cell has the place -1: the last


def _texts(column: pd.Series) -> pa.Array:
    """Each cell as it stands in a CSV file; a missing one is empty."""
    if pd.api.types.is_numeric_dtype(column):
        return pc.cast(pa.array(column, from_pandas=True), pa.string()).fill_null("")
    text = pa.array(column.astype("string"), pa.string(), from_pandas=True).fill_null("")
    inside = pc.replace_substring(text, '"', '""')
    return pc.if_else(
        pc.match_substring_regex(text, '[",\r\n]'), pc.binary_join_element_wise('"', inside, '"', ""), text
    )


def _lines(cells: list[pa.Array]) -> bytes:
    """Lines of a CSV file, from the texts of its columns."""
    lines = pa.table([pc.binary_join_element_wise(*cells, ",")], ["line"]).column("line").combine_chunks()
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_py()
    return f"{whole}\n".encode()
