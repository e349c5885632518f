"""What the district's registers say beside the facts of one household: its area, and its neighbours."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.build import ITEM_NAMES
from features.fitted import running_totals

if TYPE_CHECKING:
    import datetime as dt

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

    def area_of(self, unit: Row) -> Row | None:
        """The register's row of the unit's area."""
        return self._areas.get(unit["area_id"])

    def others_of(self, unit: Row) -> Row:
        """Totals of the unit's area as known on its day, without its own household's part; see `views`."""
        if unit["area_id"] is None:
            return {}
        totals = self._at(unit["area_id"], unit["as_of"])
        own = self._own_items(unit)
        known = ~np.isnan(own)
        part = np.r_[np.where(known, own, 0.0), known.astype(float)]
        return dict(zip(self._amounts, (totals - part).tolist(), strict=True))

    def _at(self, area_id: str, as_of: dt.datetime) -> np.ndarray:
        """Totals, and numbers of households, of each item."""
        days, amounts = self._running.get(area_id, _NOTHING)
        n = int(np.searchsorted(days, np.datetime64(as_of, "us"), side="right"))
        return amounts[n - 1] if n else np.zeros(len(self._amounts))

    def _own_items(self, unit: Row) -> np.ndarray:
        """What the unit's household adds to the totals of its area; null where it adds nothing."""
        none = np.full(len(ITEM_NAMES), np.nan)
        n = bisect_left(self._households, unit["household_id"])
        if n == len(self._households) or self._households[n] != unit["household_id"]:
            return none
        days = self._item_days[self._first[n] : self._first[n + 1]]
        known = int(np.searchsorted(days, np.datetime64(unit["as_of"], "us"), side="right"))
        at = self._first[n] + known - 1
        return self._items[at] if known and self._item_areas[at] == unit["area_id"] else none


_NOTHING = (np.empty(0, "datetime64[us]"), np.empty((0, 0)))


def _records(table: pd.DataFrame) -> list[Row]:
    """Rows as plain values, null as None."""
    plain = table.astype(object).where(table.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]
