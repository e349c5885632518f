"""A finished run with more households: the same ones again and again, under other identifiers."""

from __future__ import annotations

import shutil
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from targeting.manifest import write_manifest

NAMES: Final = (
    "household_id", "unit_id", "child_id", "mother_id", "person_id", "pregnancy_id", "contact_id", "receipt_id",
    "posyandu_id",
)  # fmt: skip
"""Columns that name somebody, or what is theirs; the places stay the same."""
OF_A_PLACE: Final = ("area", "level", "urgent_signs")
PARTS: Final = ("data/scores", "data/interim")
BESIDE: Final = ("params.yaml", "run.yaml", "data/features", "data/champion", "mlruns", "reports")
TO_ROWS: Final = 100_000


def enlarge(project: Path, into: Path, *, households: int) -> int:
    """Lay down beside `project` one with at least so many scored households, or with just as many where it has more.

    The number that there are then.
    """
    homes = pd.read_parquet(project / "data/scores/facts.parquet").household_id.sort_values()
    homes = homes.iloc[np.linspace(0, len(homes) - 1, min(households, len(homes))).astype(int)]
    times = ceil(households / len(homes))
    for name in BESIDE:
        if (project / name).exists():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).symlink_to((project / name).resolve())
    kept = _persons(project, homes)
    for part in PARTS:
        (into / part).mkdir(parents=True)
        for path in sorted((project / part).glob("*.parquet")):
            _repeat(path, into / part / path.name, kept, times=times)
        for path in (path for path in (project / part).iterdir() if path.suffix != ".parquet"):
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, into / part / path.name)
    write_manifest(into / "data/scores")
    return times * len(homes)


def _persons(project: Path, homes: pd.Series) -> dict[str, set[str]]:
    """Who lives in those households: whoever does not would only fill the memory."""
    kept = {"household_id": set(homes)}
    units = pd.read_parquet(project / "data/scores/units.parquet", columns=["household_id", "unit_id"])
    kept["unit_id"] = set(units.loc[units.household_id.isin(kept["household_id"]), "unit_id"])
    for register, name in (("child", "child_id"), ("maternal", "mother_id")):
        rows = pd.read_parquet(project / f"data/interim/{register}.parquet")
        kept[name] = set(rows.loc[rows.household_id.isin(kept["household_id"]), name])
    return kept


def _repeat(path: Path, into: Path, kept: dict[str, set[str]], *, times: int) -> None:
    table = pd.read_parquet(path)
    if path.stem in OF_A_PLACE:
        shutil.copyfile(path, into)
        return
    of = next((name for name in kept if name in table), None)
    table = table if of is None else table[table[of].isin(kept[of])]
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    at_once = max(1, TO_ROWS // max(1, len(table)))
    with pq.ParquetWriter(into, schema, compression="zstd") as writer:
        for first in range(0, times, at_once):
            copies = [_renamed(table, number) for number in range(first, min(times, first + at_once))]
            writer.write_table(pa.Table.from_pandas(pd.concat(copies), schema, preserve_index=False))


def _renamed(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """The first copy keeps its names."""
    if number == 0:
        return table
    return table.assign(**{name: table[name] + f"-{number}" for name in NAMES if name in table})
