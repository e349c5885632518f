"""Catalogue -> one table; the only place where views are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from features.catalog import CATALOG, Feature, View
from features.leaks import guard
from features.views import UNIT, VIEWS

if TYPE_CHECKING:
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
            made = _columns(VIEWS[view](registers, cohort), columns)
            keep = joined.columns
            joined = joined.left_join(made, UNIT).select(*keep, *(f.name for f in columns))
    return joined


def _columns(rows: ir.Table, features: list[Feature]) -> ir.Table:
    values = {}
    for feature in features:
        value = feature.value.resolve(rows)
        guard(feature.name, value)
        value = value.cast("float64").round(feature.decimals)
        # What cannot be was not known: 15 children under five in a household of one.
        values[feature.name] = value.between(*map(float, feature.valid)).ifelse(value, ibis.null("float64"))
    return rows.select(*UNIT, **values)
