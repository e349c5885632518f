"""Catalogue -> one table; the only place where views are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.catalog import CATALOG, Feature, View
from features.leaks import guard
from features.views import UNIT, VIEWS, earlier_measurements

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from features.engines import Engine
    from features.views import Registers

HALF = 0.5


def frame(registers: Registers, cohort: ir.Table, catalog: tuple[Feature, ...] = CATALOG) -> ir.Table:
    """The cohort with one float64 column per feature, neither rounded nor checked: see `finished`.

    Raises
    ------
    LeakRefused
        A feature reaches the outcome's own visit.
    """
    joined = cohort
    for view in View:
        columns = [f for f in catalog if f.view is view]
        if columns:
            # What this cut lets through, its features alone may reach.
            cut = earlier_measurements(registers["measurement"], cohort) if view is View.EARLIER else None
            values = made(VIEWS[view](registers, cohort), columns, cut=cut)
            keep = joined.columns
            joined = joined.left_join(values, UNIT).select(*keep, *(f.name for f in columns))
    return joined


def made(rows: ir.Table, features: Sequence[Feature], *, cut: ir.Table | None = None) -> ir.Table:
    """Each feature's value as its declaration says, over the rows of its view; float64. `cut`: see `leaks.guard`."""
    values = {}
    for feature in features:
        value = feature.value.resolve(rows)
        guard(feature.name, value, cut=cut)
        values[feature.name] = value.cast("float64")
    return rows.select(*UNIT, **values)


def finished(values: np.ndarray, features: Sequence[Feature]) -> np.ndarray:
    """The values rounded as declared, half away from zero; null outside the valid range.

    What cannot be was not known: 15 children under five in a household of one. It is done here and not by an engine,
    for each engine rounds in a way of its own, and for one household it would cost more than all the rest.

    Parameters
    ----------
    values
        One row a unit, one column a feature; null as NaN.
    """
    step = np.array([10.0**f.decimals for f in features])
    low, high = (np.array([f.valid[end] for f in features], dtype=float) for end in (0, 1))
    steps = np.where(np.isfinite(values), values, np.nan) * step
    whole = np.trunc(steps)
    away = np.sign(steps) * (np.abs(steps - whole) >= HALF)
    rounded = (whole + away) / step + 0.0  # a zero has no sign
    made: np.ndarray = np.where((rounded >= low) & (rounded <= high), rounded, np.nan)
    return made


def fetched(
    engine: Engine, registers: Registers, cohort: ir.Table, catalog: Sequence[Feature] = CATALOG
) -> pd.DataFrame:
    """The frame's rows, in any order, with finished values."""
    rows = engine.fetch(frame(registers, cohort, tuple(catalog)))
    names = [f.name for f in catalog]
    values = finished(rows[names].to_numpy(float, na_value=np.nan), catalog)
    return pd.concat([rows.drop(columns=names), pd.DataFrame(values, columns=names, index=rows.index)], axis=1)
