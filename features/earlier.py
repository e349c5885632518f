"""A child's earlier measurements -> how it grew, one row per unit; which measurements are earlier, `views` decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
from ibis import _

from features.growth import DAYS_PER_MONTH, PLAUSIBLE

if TYPE_CHECKING:
    import ibis.expr.types as ir

SCORES = {"haz": "len", "waz": "wei", "whz": "wfl"}
"""By the names that `growth` gives them, whose limits of plausibility hold here too."""
MINIMUM_GAIN_G = ((1, 800), (2, 900), (3, 800), (4, 600), (5, 500), (6, 400), (7, 300), (12, 200))
"""Kenaikan berat minimal (KBM): completed month of age from which, at the later of two weighings in months that
follow each other, so much must have been gained. [g]

The amounts stand on the growth chart (KMS) of the Buku KIA 2023. Which month each belongs to was not read there: it is
taken to be the month that the weighing ends, with 300 g from the 7th to the 11th month. Nor is it taken up that the
chart calls enough what is less and follows the child's curve."""
GRAMS = 1000.0


def course(seen: ir.Table, *, by: list[str]) -> ir.Table:
    """One row per unit and date (`by`) that has any: newest, one before, lowest; whether and how often weight faltered.

    A score that WHO calls implausible is passed over, and so is a visit on which it was not had: the newest height may
    be of another day than the newest weight.

    Parameters
    ----------
    seen
        A row for each earlier measurement of each unit, one a day, with `age_days` and `waz` as
        `weight_for_age.aged` makes them.
    """
    scores = {score: _plausible(score, *PLAUSIBLE[name]) for score, name in SCORES.items()}
    known = seen.mutate(**scores, faltered=_faltered(by))
    known = known.mutate(**{f"{name}_place": _place(name, by) for name in (*SCORES, "weight_kg")})
    found = known.group_by(by).agg(
        times=known.count(),
        haz_lowest=_.haz.min(),
        haz_last_age_days=_at("age_days", "haz"),
        **{f"{score}_last": _at(score, score) for score in SCORES},
        **{f"{score}_before": _at(score, score, place=1) for score in SCORES},
        **{f"{score}_last_on": _at("measured_on", score) for score in SCORES},
        **{f"{score}_before_on": _at("measured_on", score, place=1) for score in SCORES},
        faltered=_at("faltered", "weight_kg"),
        in_row=_.weight_kg_place.min(where=_.weight_kg.notnull() & (_.faltered.fill_null(0.0) == 0)),
    )
    apart = {f"{s}_apart_days": _[f"{s}_last_on"].delta(_[f"{s}_before_on"], unit="day") for s in SCORES}
    return found.mutate(**apart, falterings=_.faltered.notnull().ifelse(_.in_row, ibis.null("int64")))


def _plausible(score: str, low: float, high: float) -> ibis.Deferred:
    return _[score].between(low, high).ifelse(_[score].cast("float64"), ibis.null("float64"))


def _place(name: str, by: list[str]) -> Any:
    """How many later measurements of the unit have it, too: 0 is the newest."""
    of = ibis.window(group_by=[*by, _[name].notnull()], order_by=_.measured_on.desc())
    return ibis.row_number().over(of)


def _at(name: str, measure: str, *, place: int = 0) -> ibis.Deferred:
    """The value on the newest visit with that measure, or on one before."""
    return _[name].max(where=_[measure].notnull() & (_[f"{measure}_place"] == place))


def _faltered(by: list[str]) -> ibis.Deferred:
    """1 when too little was gained since the month before (T), 0 when enough (N), null when that cannot be said."""
    weighed = ibis.window(group_by=[*by, _.weight_kg.notnull()], order_by=_.measured_on)
    month = _.measured_on.year().cast("int64") * 12 + _.measured_on.month().cast("int64")
    next_month = (month - month.lag().over(weighed)) == 1
    gained_g = ((_.weight_kg - _.weight_kg.lag().over(weighed)) * GRAMS).round()  # 8.3 - 8.1 is not 0.2
    months = (_.age_days / DAYS_PER_MONTH).floor()
    needed = ibis.cases(
        *((months >= month, float(gain)) for month, gain in reversed(MINIMUM_GAIN_G)), else_=ibis.null("float64")
    )
    return (next_month & _.weight_kg.notnull()).ifelse((gained_g < needed).cast("float64"), ibis.null("float64"))
