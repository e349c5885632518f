"""When a household was visited last, as the register `contact` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from serving.published import Scores

_KEPT: WeakKeyDictionary[Scores, pd.Series] = WeakKeyDictionary()
WANTED = ["household_id", "kind", "happened_on"]


def last_visits(scores: Scores, households: Sequence[str]) -> dict[str, dt.date]:
    """The day of the newest visit of each household that the register knows one of."""
    if scores not in _KEPT:
        _KEPT[scores] = _newest(scores)
    days = _KEPT[scores].reindex(list(households)).dropna()
    return {str(home): day.date() for home, day in days.items()}


def _newest(scores: Scores) -> pd.Series:
    path = scores.settings.paths.interim / "contact.parquet"
    try:
        rows = pd.read_parquet(path, columns=WANTED)
    except (OSError, pa.ArrowInvalid):  # no such register, or the pipeline is writing it
        return pd.Series(dtype="datetime64[ns]")
    return rows[rows.kind == "visited"].groupby("household_id").happened_on.max()
