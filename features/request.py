"""Facts of some households, as one request hands them over -> the features that the batch would make of them.

The same expressions, planned once. What one household's facts cannot say comes from the district's own registers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from features.build import ITEM_NAMES
from features.catalog import CATALOG, View
from features.contracts import REGISTERS
from features.engines import Prepared
from features.frame import finished
from features.known import History, newest
from features.schema import Kind
from features.views import NEWEST, OLDEST_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import ibis.expr.types as ir
    import pandas as pd

    from features.neighbours import District

Row = dict[str, Any]

HANDED_OVER = ("household", "sanitation", "maternal", "pregnancy", "child")
TYPES = {
    Kind.TEXT: "string", Kind.CODE: "string", Kind.WHOLE: "int64", Kind.NUMBER: "float64", Kind.YES_NO: "boolean",
    Kind.DATE: "timestamp(6)",
}  # fmt: skip
LONGEST_DAYS = 300
"""No pregnancy that was recorded longer ago goes on."""


@dataclass(frozen=True)
class Household:
    """What is handed over of one household.

    Parameters
    ----------
    as_of
        Date of knowledge: later records are not seen. None: each unit as its newest record knew it.
    registers
        Rows by register of `HANDED_OVER`, by the contracts' names; dates as midnights, null as None or left out.
    """

    household_id: str
    registers: Mapping[str, Sequence[Row]]
    as_of: dt.datetime | None = None

    def rows(self, register: str) -> Iterator[Row]:
        """The rows that were known by `as_of`."""
        for row in self.registers.get(register, ()):
            if self.as_of is None or row["recorded_on"] <= self.as_of:
                yield row

    def newest(self, register: str, key: str) -> dict[str, Row]:
        """The newest of these rows by their key."""
        return {row[key]: row for row in sorted(self.rows(register), key=_recorded_on)}

    def area_id(self, *, by: dt.datetime | None = None) -> str | None:
        """Where it lived as last recorded, on the day `by` if one is given; None when nothing was recorded."""
        homes = [row for row in self.rows("household") if by is None or row["recorded_on"] <= by]
        return max(homes, key=_recorded_on)["area_id"] if homes else None


@dataclass(frozen=True, eq=False)
class Asked:
    """Units of the households, and their features.

    Parameters
    ----------
    units
        `KEYS` of each, and `asked`, the position of its household.
    features
        One row a unit, in their order; one column a feature, in the catalogue's; null as NaN.
    unscored
        By position of the household: the children who are no unit, and why.
    """

    units: Sequence[Row]
    features: np.ndarray
    unscored: Mapping[int, dict[str, str]]


def _recorded_on(row: Row) -> dt.datetime:
    found: dt.datetime = row["recorded_on"]
    return found


def units_of(household: Household, *, since: dt.datetime) -> tuple[list[Row], dict[str, str]]:
    """The children under five and the pregnancies of a household, and why any other child is none of them.

    As `views.child_cohort` and `views.pregnancy_cohort`, of which only the newest record of each is asked about.
    Without an `as_of`, who was last recorded before `since` is none: the batch does not list them either.
    """
    units, unscored = [], {}
    children = household.newest("child", "child_id")
    for child_id, child in children.items():
        as_of = household.as_of or child["recorded_on"]
        if why := _no_unit(child, as_of, since=since, asked=household.as_of is not None):
            unscored[child_id] = why
        else:
            ids = {"child_id": child_id, "mother_id": child.get("mother_id")}
            units.append(_unit(household, "child", child_id, as_of, **ids))
    mothers = _mothers_of(household, children)
    for mother_id, mother in household.newest("maternal", "mother_id").items():
        as_of = household.as_of or mother["recorded_on"]
        born = [child["birth_date"] for child_id, child in children.items() if mothers.get(child_id) == mother_id]
        ended = any(day > mother["recorded_on"] for day in born) or (as_of - mother["recorded_on"]).days > LONGEST_DAYS
        if mother.get("pregnant") and not ended and (household.as_of or as_of >= since):
            units.append(_unit(household, "pregnancy", f"pregnancy-{mother_id}", as_of, mother_id=mother_id))
    return units, unscored


def _mothers_of(household: Household, children: Mapping[str, Row]) -> dict[str, str | None]:
    """The mother of each child: by the child, or else by the newest record of a pregnancy that names it."""
    named = sorted(household.rows("pregnancy"), key=lambda row: (row["recorded_on"], row["pregnancy_id"]))
    linked = {row["child_id"]: row["mother_id"] for row in named if row.get("child_id")}
    return {child_id: child.get("mother_id") or linked.get(child_id) for child_id, child in children.items()}


def _no_unit(child: Row, as_of: dt.datetime, *, since: dt.datetime, asked: bool) -> str:
    """Why a child is no unit; empty when it is one."""
    age = (as_of - child["birth_date"]).days
    if age > OLDEST_DAYS:
        return "five years or older"
    if age < 0:
        return "not born yet"
    return "" if asked or as_of >= since else f"last recorded before {since:%Y-%m-%d}; say `as_of` to ask all the same"


def _unit(household: Household, kind: str, unit_id: str, as_of: dt.datetime, **ids: str | None) -> Row:
    return {
        "unit_id": unit_id, "unit_kind": kind, "as_of": as_of, "household_id": household.household_id,
        "child_id": None, "area_id": household.area_id(by=as_of), **ids,
    }  # fmt: skip


class RequestFeatures:
    """Makes features for requests: the catalogue planned once, beside what the district's registers say.

    Parameters
    ----------
    district
        Areas, and what neighbours' means are made of.
    history
        Past prevalence as the model knows it; see `fitted.area_history`.
    since
        First day of the period that the batch scores.
    """

    def __init__(self, district: District, history: pd.DataFrame, *, since: dt.date) -> None:
        self._district, self._history = district, History(history)
        self.since = dt.datetime.combine(since, dt.time())
        self._prepared = Prepared(*_planned())

    def of(self, households: Sequence[Household]) -> Asked:
        """The units of the households, in their order, with every feature."""
        units, unscored = [], {}
        for n, household in enumerate(households):
            found, unscored[n] = units_of(household, since=self.since)
            units += [self._district.placed(unit) | {"asked": n} for unit in found]
        values = self._values(units, households) if units else np.empty((0, len(CATALOG)))
        return Asked(units, finished(values, CATALOG), unscored)

    def _values(self, units: list[Row], households: Sequence[Household]) -> np.ndarray:
        """One row a unit, in their order; one column a feature, in the catalogue's."""
        known = [self._known(unit, households[unit["asked"]]) for unit in units]
        rows = self._prepared.run([_side_by_side(views) for views in known])
        # Where a view has no row, nothing is known, whatever a feature makes of nulls.
        seen = np.array([[views[f.view] is not None for f in CATALOG] for views in known])
        return np.where(seen, np.array(rows, dtype=float), np.nan)

    def _known(self, unit: Row, household: Household) -> dict[View, Row | None]:
        return newest(unit, household.registers) | {
            View.AREA: self._district.area_of(unit),
            View.NEIGHBOURS: self._district.others_of(unit),
            View.HISTORY: self._history.of(unit),
        }

    def place_known(self, household: Household) -> bool:
        """Whether the registers know the area of the household."""
        return self._district.knows(household.area_id())

    def specimen(self) -> Household:
        """A household of nobody: a child of whom nothing but the age is known, to try a model with."""
        day = self.since
        child = {"child_id": "child", "household_id": "home", "recorded_on": day, "birth_date": day}
        return Household("home", {"child": [child]})

    def close(self) -> None:
        """Give the memory back."""
        self._prepared.close()


class _Columns:
    """The columns of one view, in the table that has all views side by side."""

    def __init__(self, table: ir.Table, view: View) -> None:
        self._table, self._view = table, view

    def __getattr__(self, name: str) -> ir.Column:
        return self[name]

    def __getitem__(self, name: str) -> ir.Column:
        return self._table[f"{self._view}.{name}"]


def _side_by_side(views: Mapping[View, Row | None]) -> Row:
    return {f"{view}.{name}": value for view, row in views.items() if row for name, value in row.items()}


def _planned() -> tuple[ir.Table, ir.Table]:
    """The table with the columns of every view, and the catalogue over it."""
    table = ibis.table(_schema(), name="known")
    values = {f.name: f.value.resolve(_Columns(table, f.view)).cast("float64") for f in CATALOG}
    return table, table.select(**values)


def _schema() -> ibis.Schema:
    """The columns of every view, by view and name."""
    cut = {view: {c.name: TYPES[c.kind] for c in REGISTERS[of.register].columns} for view, of in NEWEST.items()}
    day = "timestamp(6)"
    cut = {view: columns | {"as_of": day, "known_on": day} for view, columns in cut.items()}
    other = {
        View.AREA: {c.name: TYPES[c.kind] for c in REGISTERS["area"].columns},
        View.NEIGHBOURS: {f"{name}_{part}": "float64" for part in ("total", "households") for name in ITEM_NAMES},
        View.HISTORY: dict.fromkeys(("region_prevalence", "area_prevalence"), "float64"),
    }
    views = cut | other
    return ibis.schema({f"{view}.{name}": kind for view, columns in views.items() for name, kind in columns.items()})
