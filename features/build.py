"""Stage `features`: accepted registers -> one row per unit and date of knowledge, with every feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from features import engines
from features.catalog import BY_NAME, CATALOG, EARLIER, Feature, View
from features.catalog.area import NEIGHBOURS
from features.contracts import NEVER_FEATURES, REGISTERS, TOGETHER
from features.errors import InputRefused, run_stage
from features.fitted import area_totals
from features.frame import fetched
from features.settings import load
from features.validation import empty
from features.views import UNIT, child_cohort, household_days, mothers_on, placed, pregnancy_cohort
from features.weight_for_age import aged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import ibis.expr.types as ir

    from features.machine import Machine

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
    earlier
        unit_id, as_of and the features of `EARLIER`: a row for each unit that has an earlier measurement.
    """

    units: pd.DataFrame
    household_items: pd.DataFrame
    earlier: pd.DataFrame


def build(registers: Mapping[str, pd.DataFrame], on: Machine | None = None) -> Built:
    """Every unit and household of the registers, with features; `on` another engine than the environment's if given."""
    registers = {**registers, "measurement": aged(registers["measurement"], registers["child"])}
    with engines.opened(on) as engine:
        tables = {name: engine.hold(name, rows) for name, rows in registers.items() if name not in NEVER_FEATURES}
        cohort = _placed(ibis.union(child_cohort(tables), pregnancy_cohort(tables)), tables, engine, name="cohort")
        at = engine.fetch(cohort.select("area_id", "as_of").distinct())
        items = _household_items(tables, engine)
        totals = area_totals(items, at=at, items=ITEM_NAMES)
        tables["household_items"] = engine.hold("household_items", items)
        tables["area_totals"] = engine.hold("area_totals", totals)
        made = fetched(engine, tables, cohort, KNOWN_FROM_REGISTERS)
        earlier = _earlier(engine, tables, cohort)
    names = [f.name for f in KNOWN_FROM_REGISTERS]
    return Built(made[KEYS + names].sort_values(UNIT, ignore_index=True), items, earlier)


def _earlier(engine: engines.Engine, tables: Mapping[str, ir.Table], cohort: ir.Table) -> pd.DataFrame:
    """How each unit grew that was measured before; the engine gives rows in any order."""
    grown = fetched(engine, tables, cohort, EARLIER)
    grown = grown[grown.times_measured.notna()].sort_values(UNIT, ignore_index=True)
    return grown[[*UNIT, *(f.name for f in EARLIER)]]


def _placed(cohort: ir.Table, tables: Mapping[str, ir.Table], engine: engines.Engine, *, name: str) -> ir.Table:
    # Held twice, for placing reads the cohort twice.
    return engine.hold(name, placed(engine.hold(f"{name}_anywhere", cohort), tables))


def _household_items(tables: Mapping[str, ir.Table], engine: engines.Engine) -> pd.DataFrame:
    """What the registers say of every household on each day that one of them changed."""
    days = _placed(household_days(tables), tables, engine, name="household_days")
    facts = fetched(engine, tables, days, [f for f in ITEMS if f.view is not View.MOTHER])
    mothers = _placed(mothers_on(days.drop("area_id", "region_id"), tables), tables, engine, name="mothers_on")
    bodies = fetched(engine, tables, mothers, [f for f in ITEMS if f.view is View.MOTHER])
    # Sorted, because the engine gives rows in any order; a household's mothers count as one household.
    key = ["household_id", "as_of"]
    of_mothers = [f.name for f in ITEMS if f.view is View.MOTHER]
    means = bodies.sort_values(UNIT).groupby(key, as_index=False)[of_mothers].mean()
    facts = facts.merge(means, on=key, how="left").rename(columns={"as_of": "recorded_on"})
    items = facts[["household_id", "area_id", "recorded_on", *ITEM_NAMES]]
    return items.sort_values(["household_id", "recorded_on"], ignore_index=True)


def add_history(
    rows: pd.DataFrame,
    history: pd.DataFrame,
    features: tuple[Feature, ...] = HISTORY,
    *,
    on: Machine | None = None,
) -> pd.DataFrame:
    """The rows with what `history` (see `fitted.area_history`) knew of their area on `as_of`."""
    with engines.opened(on) as engine:
        tables = {"area_history": engine.hold("area_history", history)}
        cohort = engine.hold("cohort", rows[KEYS])
        made = fetched(engine, tables, cohort, features)
    names = [f.name for f in features]
    return rows.drop(columns=names, errors="ignore").merge(made[UNIT + names], on=UNIT, how="left", validate="1:1")


def read_registers(interim: Path) -> dict[str, pd.DataFrame]:
    """The accepted rows of every register but those that are kept apart."""
    return {name: _accepted(interim / f"{name}.parquet", name) for name in TOGETHER}


def _accepted(path: Path, name: str) -> pd.DataFrame:
    # Registers that were accepted before Tepat knew of these two are without them, as if they were not handed over.
    return empty(REGISTERS[name]) if name in NEVER_FEATURES and not path.exists() else pd.read_parquet(path)


def read_units(features: Path) -> pd.DataFrame:
    """Every unit with its features.

    Raises
    ------
    InputRefused
        The stage `features` has not run.
    """
    return _read(features / "units.parquet", "the features of every unit")


def read_household_items(features: Path) -> pd.DataFrame:
    """What neighbours' means are made of; see `Built`.

    Raises
    ------
    InputRefused
        The stage `features` has not run.
    """
    return _read(features / "household_items.parquet", "what the registers say of every household")


def read_earlier(features: Path) -> pd.DataFrame:
    """How each unit grew before its `as_of`, where it was measured; see `Built`.

    Raises
    ------
    InputRefused
        The stage `features` has not run.
    """
    return _read(features / "earlier.parquet", "how children grew before")


def _read(path: Path, what: str) -> pd.DataFrame:
    if not path.exists():
        raise InputRefused(f"no {path}", what, "Run `make run` or `dvc repro features` first.")
    return pd.read_parquet(path)


def write_whole(rows: pd.DataFrame, path: Path, *, rows_at_once: int | None = None) -> None:
    """Write a Parquet file whole or not at all; so many rows can be read without the others, if that is asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    rows.to_parquet(half, compression="zstd", index=False, row_group_size=rows_at_once)
    half.replace(path)


def main() -> None:
    """Stage `features`."""
    settings = load()
    made = build(read_registers(settings.paths.interim))
    write_whole(made.units, settings.paths.features / "units.parquet")
    write_whole(made.household_items, settings.paths.features / "household_items.parquet")
    write_whole(made.earlier, settings.paths.features / "earlier.parquet")
    kinds = made.units.unit_kind.value_counts().to_dict()
    print(f"{len(made.units):,} units with {len(KNOWN_FROM_REGISTERS)} features: {kinds}")
    print(f"{len(made.earlier):,} of them were measured before")


if __name__ == "__main__":
    run_stage(main)
