"""The accepted rows of every register by household: found in a millisecond, however many households there are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.contracts import REGISTERS, TOGETHER
from features.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHHELD = {
    "child": ("birth_date", "birth_date_precision"), "maternal": ("language",), "household_name": ("head_name",),
}  # fmt: skip
"""What nobody needs to decide a visit: a date of birth, where the age is told, a protected attribute, and a name."""
AREA = "area"
OF_A_CHILD = ("measurement", "pregnancy")
"""Registers that name no household."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An accepted row; `facts` are the columns that are told, days as YYYY-MM-DD.

    `recorded_on` is None of an area, which is not dated.
    """

    recorded_on: dt.date | None
    facts: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Sorted:
    """A register's columns that are shown, and the places in them of each household's rows."""

    columns: Mapping[str, Any]
    kinds: Mapping[str, Kind]
    order: np.ndarray
    starts: np.ndarray

    def places(self, place: int) -> np.ndarray:
        """Where the rows of a household, or an area, stand in the register, by its number."""
        if not 0 <= place < len(self.starts) - 1:
            return self.order[:0]
        return self.order[self.starts[place] : self.starts[place + 1]]

    def at(self, place: int) -> list[Row]:
        """The rows of a household, or an area, by its number."""
        rows = self.places(place)
        taken = {name: cells.take(rows) for name, cells in self.columns.items()}
        return [self._row({name: cells[at] for name, cells in taken.items()}) for at in range(len(rows))]

    def _row(self, cells: Mapping[str, Any]) -> Row:
        values = {name: _value(cell, self.kinds[name]) for name, cell in cells.items() if not pd.isna(cell)}
        day = values.pop("recorded_on", None)
        return Row(recorded_on=dt.date.fromisoformat(day) if day else None, facts=values)


@dataclass(frozen=True, eq=False)
class RegisterRows:
    """Registers by household, and areas."""

    households: pd.Index[str]
    registers: Mapping[str, _Sorted]
    area_ids: pd.Index[str]
    areas: _Sorted

    @classmethod
    def of(cls, registers: Mapping[str, pd.DataFrame]) -> RegisterRows:
        """The accepted registers, indexed; a person's rows are those of the household that it was recorded in last."""
        homes = {name: _homes(name, registers) for name in TOGETHER if name != AREA}
        households = pd.Index(pd.unique(pd.concat(homes.values()).dropna()))
        made = {
            name: _sorted(name, registers[name], households.get_indexer(pd.Index(home))) for name, home in homes.items()
        }
        area_ids = pd.Index(pd.unique(registers[AREA].area_id))
        areas = _sorted(AREA, registers[AREA], area_ids.get_indexer(pd.Index(registers[AREA].area_id)))
        return cls(households, made, area_ids, areas)

    def rows(self, household_id: str) -> dict[str, list[Row]]:
        """By register, the newest first; a register without a row of the household is left out."""
        place = _number(self.households, household_id)
        found = {name: register.at(place) for name, register in self.registers.items()}
        return {name: rows for name, rows in found.items() if rows}

    def places(self, household_id: str) -> dict[str, np.ndarray]:
        """By register: where its rows stand in the register as it was handed over, the newest first."""
        place = _number(self.households, household_id)
        return {name: register.places(place) for name, register in self.registers.items()}

    def area(self, area_id: str | None) -> list[Row]:
        """The row of an area; none when it is not known."""
        return [] if area_id is None else self.areas.at(_number(self.area_ids, area_id))


def _number(names: pd.Index[str], name: str) -> int:
    return int(names.get_indexer(pd.Index([name]))[0])


def _homes(name: str, registers: Mapping[str, pd.DataFrame]) -> pd.Series:
    """The household of each row of a register."""
    rows = registers[name]
    if name not in OF_A_CHILD:
        return rows.household_id
    of_child = rows.child_id.map(_last_home(registers["child"], "child_id"))
    if name == "measurement":
        return of_child
    return rows.mother_id.map(_last_home(registers["maternal"], "mother_id")).fillna(of_child)


def _last_home(rows: pd.DataFrame, person: str) -> pd.Series:
    """By person: where it was recorded last."""
    return (
        rows.sort_values(["recorded_on", "household_id"])
        .drop_duplicates(person, keep="last")
        .set_index(person)["household_id"]
    )


def _sorted(name: str, rows: pd.DataFrame, places: np.ndarray) -> _Sorted:
    """By household, and then the newest first."""
    newest_first = np.arange(len(rows))
    if "recorded_on" in rows:
        newest_first = np.argsort(-rows.recorded_on.to_numpy().astype("int64"), kind="stable")
    order = newest_first[np.argsort(places[newest_first], kind="stable")]
    starts = np.searchsorted(places[order], np.arange(places.max(initial=-1) + 2))
    shown = [c for c in REGISTERS[name].columns if c.name in rows and c.name not in WITHHELD.get(name, ())]
    columns, kinds = {c.name: rows[c.name].array for c in shown}, {c.name: c.kind for c in shown}
    return _Sorted(columns, kinds, order.astype("int32"), starts.astype("int32"))


def _value(cell: Any, kind: Kind) -> Any:
    if kind is Kind.DATE:
        return pd.Timestamp(cell).date().isoformat()
    plain = cell.item() if hasattr(cell, "item") else cell
    return int(plain) if kind is Kind.WHOLE else plain
