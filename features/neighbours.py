"""What the district's registers say beside the facts of one household: its area, and its neighbours."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.build import ITEM_NAMES
from features.fitted import running_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


class District:
    """Look-ups in the registers as last published; they hold no outcome.

    Parameters
    ----------
    area
        The register `area`.
    household_items
        See `build.Built`; ordered by household and date.
    """

    def __init__(self, area: pd.DataFrame, household_items: pd.DataFrame) -> None:
        self._areas: dict[str, Row] = {row["area_id"]: row for row in _records(area)}
        running = running_totals(household_items, items=ITEM_NAMES)
        self._amounts = [name for name in running.columns if name not in {"area_id", "recorded_on"}]
        self._running = {
            area_id: (rows.recorded_on.to_numpy("datetime64[us]"), rows[self._amounts].to_numpy(float))
            for area_id, rows in running.groupby("area_id")
        }
        ids = household_items.household_id.to_numpy(object)
        first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if len(ids) else np.empty(0, int)
        self._households: list[str] = ids[first].tolist()
        self._first = np.r_[first, len(ids)]
        self._item_days = household_items.recorded_on.to_numpy("datetime64[us]")
        self._item_areas = household_items.area_id.to_numpy(object)
        self._items = household_items[list(ITEM_NAMES)].to_numpy(float)

    def placed(self, unit: Row) -> Row:
        """The unit with the region of its area; null when the registers do not know the area."""
        area = self._areas.get(unit["area_id"])
        return unit | {"region_id": area["region_id"] if area else None}

    def knows(self, area_id: str | None) -> bool:
        """Whether the registers list the area."""
        return area_id in self._areas

    def areas_of(self, units: Sequence[Row]) -> list[Row]:
        """The register's rows of the units' areas."""
        return [self._areas[a] for a in sorted({u["area_id"] for u in units} & self._areas.keys(), key=str)]

    def totals_of(self, units: Sequence[Row]) -> list[Row]:
        """Totals of each area on each `as_of`, as `fitted.area_totals` gives them."""
        pairs = {(u["area_id"], u["as_of"]) for u in units if u["area_id"] is not None}
        return [
            {"area_id": area_id, "as_of": as_of, **dict(zip(self._amounts, self._at(area_id, as_of), strict=True))}
            for area_id, as_of in pairs
        ]

    def _at(self, area_id: str, as_of: Any) -> list[float]:
        days, amounts = self._running.get(area_id, (np.empty(0, "datetime64[us]"), np.empty((0, 0))))
        n = int(np.searchsorted(days, np.datetime64(as_of, "us"), side="right"))
        found: list[float] = amounts[n - 1].tolist() if n else [0.0] * len(self._amounts)
        return found

    def own_items_of(self, units: Sequence[Row]) -> list[Row]:
        """What each unit's own household adds to the totals of its area, if it is counted there."""
        rows = (row for unit in units if (row := self._own_items(unit)) is not None)
        return list({(row["household_id"], row["recorded_on"]): row for row in rows}.values())

    def _own_items(self, unit: Row) -> Row | None:
        household_id = unit["household_id"].partition("|")[2]
        n = bisect_left(self._households, household_id)
        if n == len(self._households) or self._households[n] != household_id:
            return None
        known = self._item_days[self._first[n] : self._first[n + 1]] <= np.datetime64(unit["as_of"], "us")
        at = self._first[n] + int(known.sum()) - 1
        if not known.any() or self._item_areas[at] != unit["area_id"]:
            return None
        items = dict(zip(ITEM_NAMES, self._items[at].tolist(), strict=True))
        day = self._item_days[at].astype(object)
        known_items = {name: value for name, value in items.items() if value == value}  # noqa: PLR0124 (NaN)
        return {"household_id": unit["household_id"], "area_id": unit["area_id"], "recorded_on": day} | known_items


def _records(table: pd.DataFrame) -> list[Row]:
    """Rows as plain values, null as None."""
    plain = table.astype(object).where(table.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]
