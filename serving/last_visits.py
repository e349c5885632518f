"""When a household was visited last: as the register `contact` has it, and as visits that it does not know yet do."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from serving.access.scope import Scope
    from serving.published import Scores

_KEPT: WeakKeyDictionary[Scores, pd.Series] = WeakKeyDictionary()
WANTED = ["household_id", "kind", "happened_on"]


def last_visits(scores: Scores, households: Sequence[str], *, scope: Scope) -> dict[str, dt.date]:
    """The day of the newest visit of each household that lies in the scope and of which the register knows one."""
    if scores not in _KEPT:
        found = _newest(scores)
        if found is None:
            return {}
        _KEPT[scores] = found
    homes = list(households)
    if not scope.everywhere:
        there = scores.units[scores.units.index.isin(homes)]
        inside = set(there.index[scope.mask(there)])
        homes = [home for home in homes if home in inside]
    days = _KEPT[scores].reindex(homes).dropna()
    return {str(home): day.date() for home, day in days.items()}


def newest(*known: Mapping[str, dt.date]) -> dict[str, dt.date]:
    """Of each household the newest of the days that several have of it."""
    return {home: max(days[home] for days in known if home in days) for home in {*chain(*known)}}


def _newest(scores: Scores) -> pd.Series | None:
    """By household; None while the register cannot be read."""
    path = scores.settings.paths.interim / "contact.parquet"
    try:
        rows = pd.read_parquet(path, columns=WANTED)
    except (OSError, pa.ArrowInvalid):  # no such register, or the pipeline is writing it
        return None
    return rows[rows.kind == "visited"].groupby("household_id").happened_on.max()
