"""One row per (unit, as_of), as of that date: the only place where time is cut.

A unit is a child under five, or a pregnancy. Facts are seen when `recorded_on <= as_of`; a
measurement of any child only when it was taken strictly before; an area's outcomes only from rounds
that had ended by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import ibis
from ibis import _

from features.catalog.feature import View
from features.earlier import course

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir

    Registers = Mapping[str, ir.Table]

UNIT = ["unit_id", "as_of"]
OLDEST_DAYS = 1826  # WHO 2006 covers 0-1826 days.


def known_on(events: ir.Table, cohort: ir.Table, *, key: str) -> ir.Table:
    """Pair each (unit, as_of) of the cohort with the newest event recorded by then.

    Uses `recorded_on`, not the day it happened: a visit entered late was not known. The key and
    `recorded_on` are unique together by contract, so that the newest is one row.
    """
    who = cohort.select(*UNIT, key).filter(_[key].notnull())
    events = events.rename(known_on="recorded_on")
    seen = who.inner_join(events, key).filter(_.known_on <= _.as_of)
    newest = ibis.row_number().over(ibis.window(group_by=UNIT, order_by=[_.known_on.desc(), *_order(events)]))
    return seen.mutate(place=newest).filter(_.place == 0).drop("place")


def _order(events: ir.Table) -> list[ibis.Deferred]:
    """A total order where several rows of one key share a date (several pregnancies of a child)."""
    return [_[name].asc() for name in ("pregnancy_id",) if name in events.columns]


def earlier_measurements(measurements: ir.Table, cohort: ir.Table) -> ir.Table:
    """Measurements of each unit's child taken strictly before its `as_of` and recorded by then."""
    who = cohort.select(*UNIT, "child_id").filter(_.child_id.notnull())
    return who.inner_join(measurements, "child_id").filter((_.measured_on < _.as_of) & (_.recorded_on <= _.as_of))


def _earlier(registers: Registers, cohort: ir.Table) -> ir.Table:
    return course(earlier_measurements(registers["measurement"], cohort), by=UNIT)


def child_cohort(registers: Registers) -> ir.Table:
    """A row for each record of a child under five: known from `recorded_on`, which is its `as_of`."""
    child = registers["child"].mutate(as_of=_.recorded_on, unit_id=_.child_id, unit_kind=ibis.literal("child"))
    young = child.filter(
        (_.as_of.delta(_.birth_date, unit="day") >= 0) & (_.as_of.delta(_.birth_date, unit="day") <= OLDEST_DAYS)
    )
    return young.select("unit_id", "unit_kind", "as_of", "child_id", "household_id", "mother_id")


def pregnancy_cohort(registers: Registers) -> ir.Table:
    """A row for each woman recorded as pregnant; child facts are unknown and stay null."""
    women = registers["maternal"].filter(_.pregnant)
    none = ibis.null("string")
    women = women.mutate(
        unit_id=ibis.literal("pregnancy-").concat(women.mother_id),
        unit_kind=ibis.literal("pregnancy"),
        as_of=_.recorded_on,
        child_id=none,
    )
    return women.select("unit_id", "unit_kind", "as_of", "child_id", "household_id", "mother_id")


def placed(cohort: ir.Table, registers: Registers) -> ir.Table:
    """The cohort with the area and region of its household as known on `as_of`."""
    home = known_on(registers["household"].select("household_id", "recorded_on", "area_id"), cohort, key="household_id")
    area = registers["area"].select("area_id", "region_id")
    found = cohort.left_join(home.select(*UNIT, "area_id"), UNIT).select(*cohort.columns, "area_id")
    return found.left_join(area, "area_id").select(*found.columns, "region_id")


@dataclass(frozen=True)
class Newest:
    """A view of the newest row of a register by one of the unit's keys.

    Parameters
    ----------
    without
        Columns that are not the register's to say: the cohort says them.
    """

    register: str
    key: str
    without: tuple[str, ...] = ()


NEWEST = {
    View.HOUSEHOLD: Newest("household", "household_id"),
    View.SANITATION: Newest("sanitation", "household_id"),
    View.MOTHER: Newest("maternal", "mother_id", without=("household_id",)),
    View.PREGNANCY: Newest("pregnancy", "child_id", without=("mother_id",)),
    View.CHILD: Newest("child", "child_id", without=("household_id", "mother_id")),
}
"""Cut here for tables, and in `known` for the few rows of a request."""


def _newest(registers: Registers, cohort: ir.Table, view: View) -> ir.Table:
    cut = NEWEST[view]
    return known_on(registers[cut.register].drop(*cut.without), cohort, key=cut.key)


def _child(registers: Registers, cohort: ir.Table) -> ir.Table:
    child = _newest(registers, cohort, View.CHILD)
    return child.left_join(cohort.select(*UNIT, "mother_id"), UNIT).drop("unit_id_right", "as_of_right")


def _area(registers: Registers, cohort: ir.Table) -> ir.Table:
    return cohort.select(*UNIT, "area_id").inner_join(registers["area"].drop("region_id"), "area_id")


def _history(registers: Registers, cohort: ir.Table) -> ir.Table:
    """The area's and region's past prevalence from the newest round that had ended by `as_of`."""
    region = _newest_round(registers, cohort, level="region")
    area = _newest_round(registers, cohort, level="area")
    both = cohort.select(*UNIT).left_join(region, UNIT).select(*UNIT, "region_prevalence")
    both = both.left_join(area, UNIT).select(*UNIT, "region_prevalence", "area_prevalence")
    return both.mutate(area_prevalence=_.area_prevalence.coalesce(_.region_prevalence))


def _newest_round(registers: Registers, cohort: ir.Table, *, level: str) -> ir.Table:
    key = f"{level}_id"
    past = registers["area_history"].filter(_.level == level).rename({key: "place_id"}).drop("level")
    ended = cohort.select(*UNIT, key).inner_join(past, key).filter(_.known_from <= _.as_of)
    return ended.group_by(UNIT).agg(**{f"{level}_prevalence": _.prevalence.argmax(_.known_from)})


def household_days(registers: Registers) -> ir.Table:
    """Each household on each day on which one of its registers changed, as a cohort.

    A mother who is recorded elsewhere changes the household that she left, too.
    """
    days = [registers[name].select("household_id", "recorded_on") for name in ("household", "sanitation", "maternal")]
    before = registers["maternal"].select("mother_id", "household_id", earlier="recorded_on")
    moved = before.inner_join(registers["maternal"].select("mother_id", "recorded_on"), "mother_id")
    days.append(moved.filter(_.recorded_on > _.earlier).select("household_id", "recorded_on"))
    none = ibis.null("string")
    return ibis.union(*days, distinct=True).select(
        "household_id", unit_id="household_id", unit_kind=ibis.literal("household"), as_of="recorded_on",
        child_id=none, mother_id=none,
    )  # fmt: skip


def mothers_on(days: ir.Table, registers: Registers) -> ir.Table:
    """Each mother of each household on each of its days, as a cohort: those last recorded there by then."""
    register = registers["maternal"].select("mother_id", "household_id", "recorded_on")
    ever = days.drop("mother_id").inner_join(register, "household_id").filter(_.recorded_on <= _.as_of)
    pairs = ever.select(*days.columns).distinct()
    home = days.select("unit_id", "as_of").inner_join(pairs.select("unit_id", "as_of", "mother_id"), UNIT)
    home = (
        home.select("unit_id", "as_of", "mother_id")
        .inner_join(register.rename(home_id="household_id", known_on="recorded_on"), "mother_id")
        .filter(_.known_on <= _.as_of)
    )
    newest = home.group_by("unit_id", "as_of", "mother_id").agg(home_id=_.home_id.argmax(_.known_on))
    keep = pairs.columns
    found = pairs.inner_join(newest, ["unit_id", "as_of", "mother_id"]).filter(_.home_id == _.household_id)
    return found.select(*keep).mutate(unit_id=_.household_id.concat(" ", _.mother_id))


def _neighbours(registers: Registers, cohort: ir.Table) -> ir.Table:
    """Totals of the area as known on `as_of`, without the own household's part in them."""
    totals, facts = registers["area_totals"], registers["household_items"]
    items = [name for name in facts.columns if name not in {"household_id", "area_id", "recorded_on"}]
    rows = cohort.select(*UNIT, "area_id", "household_id")
    own = known_on(facts.drop("area_id"), rows, key="household_id").select(*UNIT, *items)
    joined = rows.left_join(totals, ["area_id", "as_of"]).select(
        *rows.columns, *totals.drop("area_id", "as_of").columns
    )
    joined = joined.left_join(own, UNIT).select(*joined.columns, *items)
    less = {f"{i}_total": _[f"{i}_total"] - _[i].coalesce(0.0) for i in items}
    fewer = {f"{i}_households": _[f"{i}_households"] - _[i].notnull().cast("float64") for i in items}
    return joined.mutate(**less, **fewer).drop(*items)


VIEWS: dict[View, Callable[[Registers, ir.Table], ir.Table]] = {
    **{view: partial(_newest, view=view) for view in NEWEST},
    View.CHILD: _child,
    View.AREA: _area,
    View.NEIGHBOURS: _neighbours,
    View.HISTORY: _history,
    View.EARLIER: _earlier,
}
