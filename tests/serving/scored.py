"""Runs of a few households to keep."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from serving.score_store import RISKS, Run, ScoredRun
from tests.drawn import drawn
from tests.serving.published import NOON

if TYPE_CHECKING:
    import pandas as pd

    from serving.score_store import ScoreStore

HOMES = drawn("""
    household_id | region_id | area_id | risk_find | risk_find_low | risk_find_high | risk_prevent | risk_prevent_low | risk_prevent_high |
    -------------+-----------+---------+-----------+---------------+----------------+--------------+------------------+------------------
    h1           | R1        | R1.1    | 0.1       | 0.05          | 0.2            |              |                  |                   |
    h2           | R2        | R2.1    | 0.25      |               |                | 0.4          |                  |                   |
    h3           |           |         |           |               |                | 0.5          | 0.4              | 0.6               |
""")  # noqa: E501 (a drawn table)


def stamp_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def run(
    name: str,
    *,
    homes: pd.DataFrame = HOMES,
    seen_at: dt.datetime = NOON,
    model: str = "determinants-a",
    version: str = "1",
) -> ScoredRun:
    """A run of a name, of these households."""
    places = homes[["region_id", "area_id"]].drop_duplicates().reset_index(drop=True)
    numbered = homes.merge(places.reset_index(names="place"), on=["region_id", "area_id"], how="left")
    of_it = Run(
        stamp=stamp_of(name), seen_at=seen_at, model_stamp=model, model_version=version, catalogue="c0ffee",
        objectives=("find", "prevent"), simulated=True, first_as_of=dt.date(2024, 1, 2),
        last_as_of=dt.date(2024, 4, 30), interval_level=0.9, households=len(homes),
    )  # fmt: skip
    return ScoredRun(of_it, places, numbered[["household_id", "place", *RISKS]])


def keep(scores: ScoreStore, *runs: ScoredRun) -> None:
    for one in runs:
        while not scores.keep_next(one):
            pass
