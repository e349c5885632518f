"""Facts of some households, as one request hands them over -> the features that the batch would make of them.

The same expressions, planned once. What one household's facts cannot say comes from the district's own registers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from features.build import ITEM_NAMES, KEYS
from features.catalog import CATALOG, View
from features.contracts import REGISTERS
from features.engines import Prepared
from features.frame import finished, made
from features.schema import Kind
from features.views import OLDEST_DAYS, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from features.neighbours import District

Row = dict[str, Any]

HANDED_OVER = ("household", "sanitation", "maternal", "pregnancy", "child")
TYPES = {
    Kind.TEXT: "string", Kind.CODE: "string", Kind.WHOLE: "int64", Kind.NUMBER: "float64", Kind.YES_NO: "boolean",
    Kind.DATE: "timestamp(6)",
}  # fmt: skip
LONGEST_DAYS = 300
"""No pregnancy that was recorded longer ago goes on."""
PEOPLE = ("household_id", "mother_id", "child_id", "pregnancy_id")
"""Identifiers that two households asked about together may share without being the same."""
OF_VIEW = {view: tuple(f for f in CATALOG if f.view is view) for view in View}


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
        One row a unit, in their order; one column a feature.
    unscored
        By position of the household: the children who are no unit, and why.
    """

    units: Sequence[Row]
    features: pd.DataFrame
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
    for mother_id, mother in household.newest("maternal", "mother_id").items():
        as_of = household.as_of or mother["recorded_on"]
        born = [c["birth_date"] for c in children.values() if c.get("mother_id") == mother_id]
        ended = any(day > mother["recorded_on"] for day in born) or (as_of - mother["recorded_on"]).days > LONGEST_DAYS
        if mother.get("pregnant") and not ended and (household.as_of or as_of >= since):
            units.append(_unit(household, "pregnancy", f"pregnancy-{mother_id}", as_of, mother_id=mother_id))
    return units, unscored


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
        self._district = district
        self.since = dt.datetime.combine(since, dt.time())
        self._prepared = Prepared(_schemas())
        tables = self._prepared.tables
        for view, features in OF_VIEW.items():
            self._prepared.plan(view, made(VIEWS[view](tables, tables["cohort"]), features))
        self._history: dict[str, list[Row]] = {}
        for row in history.to_dict("records"):
            self._history.setdefault(row["place_id"], []).append({str(name): value for name, value in row.items()})

    def of(self, households: Sequence[Household]) -> Asked:
        """The units of the households, in their order, and every feature of each."""
        units, unscored = [], {}
        for n, household in enumerate(households):
            found, unscored[n] = units_of(household, since=self.since)
            units += [self._district.placed(unit) | {"asked": n} for unit in found]
        values = self._values(units, households) if units else np.empty((0, len(CATALOG)))
        return Asked(units, pd.DataFrame(finished(values, CATALOG), columns=_NAMES), unscored)

    def _values(self, units: list[Row], households: Sequence[Household]) -> np.ndarray:
        """One row a unit, in their order; one column a feature, in the catalogue's."""
        # By position: a child may be called what a pregnancy is called.
        cohort = [_own(unit, unit["asked"]) | {"unit_id": str(n)} for n, unit in enumerate(units)]
        self._prepared.hand("cohort", cohort)
        for register in HANDED_OVER:
            rows = (_own(row, n) for n, home in enumerate(households) for row in home.registers.get(register, ()))
            self._prepared.hand(register, rows)
        places = {unit[level] for unit in cohort for level in ("area_id", "region_id")}
        self._prepared.hand("area_history", (row for place in places for row in self._history.get(place, ())))
        self._prepared.hand("area", self._district.areas_of(cohort))
        self._prepared.hand("area_totals", self._district.totals_of(cohort))
        self._prepared.hand("household_items", self._district.own_items_of(cohort))
        values = np.full((len(cohort), len(CATALOG)), np.nan)
        for view, rows_found in self._prepared.run().items():
            if rows_found:
                at = [int(row[0]) for row in rows_found]
                values[np.ix_(at, _COLUMNS[View(view)])] = np.array([row[2:] for row in rows_found], dtype=float)
        return values

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


_NAMES = [f.name for f in CATALOG]
_PLACE = {name: n for n, name in enumerate(_NAMES)}
_COLUMNS = {view: [_PLACE[f.name] for f in features] for view, features in OF_VIEW.items()}


def _own(row: Row, n: int) -> Row:
    """The row with identifiers that no other household of the request has."""
    mine = {name: f"{n}|{row[name]}" for name in PEOPLE if row.get(name) is not None}
    return row | mine


def _schemas() -> dict[str, ibis.Schema]:
    """The columns of every table that a view reads."""
    registers = {name: {c.name: TYPES[c.kind] for c in REGISTERS[name].columns} for name in (*HANDED_OVER, "area")}
    items = dict.fromkeys(ITEM_NAMES, "float64")
    totals = {f"{name}_{part}": "float64" for part in ("total", "households") for name in ITEM_NAMES}
    made_up = {
        "cohort": {name: "timestamp(6)" if name == "as_of" else "string" for name in KEYS},
        "household_items": {"household_id": "string", "area_id": "string", "recorded_on": "timestamp(6)", **items},
        "area_totals": {"area_id": "string", "as_of": "timestamp(6)", **totals},
        "area_history": {
            "level": "string", "place_id": "string", "known_from": "timestamp(6)", "prevalence": "float64",
            "children": "int64",
        },
    }  # fmt: skip
    return {name: ibis.schema(columns) for name, columns in (registers | made_up).items()}
