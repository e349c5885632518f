"""Stage `features`: accepted registers -> one row per unit and date of knowledge, with every feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from features import engines
from features.catalog import BY_NAME, CATALOG, Feature, View
from features.catalog.area import NEIGHBOURS
from features.contracts import REGISTERS
from features.errors import InputRefused, run_stage
from features.fitted import area_totals
from features.frame import frame
from features.settings import load
from features.views import UNIT, child_cohort, household_days, mothers_on, placed, pregnancy_cohort

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

KEYS = ["unit_id", "unit_kind", "as_of", "child_id", "household_id", "mother_id", "area_id", "region_id"]
HISTORY = tuple(f for f in CATALOG if f.view is View.HISTORY)
KNOWN_FROM_REGISTERS = tuple(f for f in CATALOG if f.view is not View.HISTORY)
ITEMS = tuple(BY_NAME[name] for name in NEIGHBOURS.values())
ITEM_NAMES = tuple(NEIGHBOURS.values())


@dataclass(frozen=True, eq=False)
class Built:
    """What the registers say of every unit, and of every household on each day that one of them changed.

    Parameters
    ----------
    units
        `KEYS` and features, ordered by unit and date; history features come with a model.
    household_items
        household_id, area_id, recorded_on and what neighbours' means are made of: one request needs them, too.
    """

    units: pd.DataFrame
    household_items: pd.DataFrame


def build(registers: Mapping[str, pd.DataFrame]) -> Built:
    """Every unit and household of the registers, with features."""
    with engines.duckdb() as engine:
        tables = {name: engine.create_table(name, rows) for name, rows in registers.items()}
        cohort = _placed(ibis.union(child_cohort(tables), pregnancy_cohort(tables)), tables, engine, name="cohort")
        at = cohort.select("area_id", "as_of").distinct().to_pandas()
        items = _household_items(tables, engine)
        totals = area_totals(items, at=at, items=ITEM_NAMES)
        tables["household_items"] = engine.create_table("household_items", items)
        tables["area_totals"] = engine.create_table("area_totals", totals)
        made = frame(tables, cohort, KNOWN_FROM_REGISTERS).to_pandas()
    names = [f.name for f in KNOWN_FROM_REGISTERS]
    return Built(made[KEYS + names].sort_values(UNIT, ignore_index=True), items)


def _placed(cohort: ir.Table, tables: Mapping[str, ir.Table], engine: BaseBackend, *, name: str) -> ir.Table:
    return engine.create_table(name, placed(cohort, tables).to_pyarrow())


def _household_items(tables: Mapping[str, ir.Table], engine: BaseBackend) -> pd.DataFrame:
    """What the registers say of every household on each day that one of them changed."""
    days = _placed(household_days(tables), tables, engine, name="household_days")
    facts = frame(tables, days, tuple(f for f in ITEMS if f.view is not View.MOTHER)).to_pandas()
    mothers = _placed(mothers_on(days.drop("area_id", "region_id"), tables), tables, engine, name="mothers_on")
    bodies = frame(tables, mothers, tuple(f for f in ITEMS if f.view is View.MOTHER)).to_pandas()
    # Sorted, because the engine gives rows in any order; a household's mothers count as one household.
    key = ["household_id", "as_of"]
    of_mothers = [f.name for f in ITEMS if f.view is View.MOTHER]
    means = bodies.sort_values(UNIT).groupby(key, as_index=False)[of_mothers].mean()
    facts = facts.merge(means, on=key, how="left").rename(columns={"as_of": "recorded_on"})
    items = facts[["household_id", "area_id", "recorded_on", *ITEM_NAMES]]
    return items.sort_values(["household_id", "recorded_on"], ignore_index=True)


def add_history(rows: pd.DataFrame, history: pd.DataFrame, features: tuple[Feature, ...] = HISTORY) -> pd.DataFrame:
    """The rows with what `history` (see `fitted.area_history`) knew of their area on `as_of`."""
    with engines.duckdb() as engine:
        tables = {"area_history": engine.create_table("area_history", history)}
        cohort = engine.create_table("cohort", rows[KEYS])
        made = frame(tables, cohort, features).to_pandas()
    names = [f.name for f in features]
    return rows.drop(columns=names, errors="ignore").merge(made[UNIT + names], on=UNIT, how="left", validate="1:1")


def read_registers(interim: Path) -> dict[str, pd.DataFrame]:
    """The accepted rows of every register."""
    return {name: pd.read_parquet(interim / f"{name}.parquet") for name in REGISTERS}


def read_units(features: Path) -> pd.DataFrame:
    """Every unit with its features.

    Raises
    ------
    InputRefused
        The stage `features` has not run.
    """
    path = features / "units.parquet"
    if not path.exists():
        raise InputRefused(f"no {path}", "the features of every unit", "Run `make run` or `dvc repro features` first.")
    return pd.read_parquet(path)


def write_whole(rows: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    rows.to_parquet(half, compression="zstd", index=False)
    half.replace(path)


def main() -> None:
    """Stage `features`."""
    settings = load()
    made = build(read_registers(settings.paths.interim))
    write_whole(made.units, settings.paths.features / "units.parquet")
    write_whole(made.household_items, settings.paths.features / "household_items.parquet")
    kinds = made.units.unit_kind.value_counts().to_dict()
    print(f"{len(made.units):,} units with {len(KNOWN_FROM_REGISTERS)} features: {kinds}")


if __name__ == "__main__":
    run_stage(main)
