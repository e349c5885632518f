"""What was known of a unit on its day, cut from the few rows of a request as `views` cuts tables.

A database cuts with joins and windows. Over a handful of rows these take four times as long as the features do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.catalog import View
from features.views import NEWEST

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

Row = dict[str, Any]


class History:
    """Past prevalence as a model knows it; see `fitted.area_history`."""

    def __init__(self, history: pd.DataFrame) -> None:
        self._rounds: dict[tuple[str, str], list[tuple[dt.datetime, float]]] = {}
        for level, place_id, known_from, prevalence in zip(
            history.level, history.place_id, history.known_from, history.prevalence, strict=True
        ):
            self._rounds.setdefault((level, place_id), []).append((known_from, prevalence))

    def of(self, unit: Row) -> Row:
        """What the newest round that had ended by the unit's day said of its region and area."""
        region = self._newest("region", unit["region_id"], unit["as_of"])
        area = self._newest("area", unit["area_id"], unit["as_of"])
        return {"region_prevalence": region, "area_prevalence": region if area is None else area}

    def _newest(self, level: str, place_id: str | None, day: dt.datetime) -> float | None:
        ended = [one for one in self._rounds.get((level, place_id or ""), ()) if one[0] <= day]
        return max(ended)[1] if ended else None


def newest(unit: Row, registers: Mapping[str, Sequence[Row]]) -> dict[View, Row | None]:
    """The unit's row of every view that is the newest row of a register; None of whom nothing was recorded.

    Parameters
    ----------
    registers
        Rows of the unit's household, by register.
    """
    found = {view: _newest(view, unit, registers) for view in NEWEST}
    if child := found[View.CHILD]:
        child["mother_id"] = unit["mother_id"]
    return found


def _newest(view: View, unit: Row, registers: Mapping[str, Sequence[Row]]) -> Row | None:
    cut = NEWEST[view]
    rows = registers.get(cut.register, ()) if unit[cut.key] is not None else ()
    known = [row for row in rows if row.get(cut.key) == unit[cut.key] and row["recorded_on"] <= unit["as_of"]]
    if not known:
        return None
    row = max(_in_order(known), key=_recorded_on)
    said = {name: value for name, value in row.items() if name not in cut.without}
    return said | {"as_of": unit["as_of"], "known_on": row["recorded_on"]}


def _in_order(rows: Iterable[Row]) -> Iterable[Row]:
    """Where several pregnancies of a child share a date, the first by identifier comes first, and is taken."""
    return sorted(rows, key=lambda row: row.get("pregnancy_id") or "")


def _recorded_on(row: Row) -> dt.datetime:
    found: dt.datetime = row["recorded_on"]
    return found
