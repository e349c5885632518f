"""Catalogue -> one table; the only place where views are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from features.catalog import CATALOG, Feature, View
from features.leaks import guard
from features.views import UNIT, VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from features.views import Registers


def frame(registers: Registers, cohort: ir.Table, catalog: tuple[Feature, ...] = CATALOG) -> ir.Table:
    """The cohort with one float64 column per feature, rounded as declared; null outside its valid range.

    Raises
    ------
    LeakRefused
        A feature reaches the outcome's own visit.
    """
    joined = cohort
    for view in View:
        columns = [f for f in catalog if f.view is view]
        if columns:
            values = finished(made(VIEWS[view](registers, cohort), columns), columns)
            keep = joined.columns
            joined = joined.left_join(values, UNIT).select(*keep, *(f.name for f in columns))
    return joined


def made(rows: ir.Table, features: Sequence[Feature]) -> ir.Table:
    """Each feature's value as its declaration says, over the rows of its view; float64, neither rounded nor checked."""
    values = {}
    for feature in features:
        value = feature.value.resolve(rows)
        guard(feature.name, value)
        values[feature.name] = value.cast("float64")
    return rows.select(*UNIT, **values)


def finished(values: ir.Table, features: Sequence[Feature]) -> ir.Table:
    """The values rounded as declared; null where outside the valid range.

    What cannot be was not known: 15 children under five in a household of one.
    """
    rounded = {f.name: values[f.name].round(f.decimals) for f in features}
    within = {
        f.name: rounded[f.name].between(*map(float, f.valid)).ifelse(rounded[f.name], ibis.null("float64"))
        for f in features
    }
    return values.select(*UNIT, **within)
