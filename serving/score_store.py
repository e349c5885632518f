"""What every run of the pipeline said of every household: kept slice by slice, shown once it is whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from features.errors import InputRefused
from serving.tables_scores import household_score, score_place, score_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.access.who import Who
    from serving.database import Database

SLICE: Final = 2_500
"""Households of one transaction: it takes some hundredths of a second, and others write before the next."""
RISKS: Final = tuple(f"risk_{objective}{end}" for objective in ("find", "prevent") for end in ("", "_low", "_high"))
PARTS: Final = (household_score, score_place)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the pipeline, as its scores were published.

    Parameters
    ----------
    stamp
        Of its files: the same for the same scores.
    seen_at
        When a service saw them first.
    model_version
        Of the model in the registry; None where nothing beside the scores told it.
    objectives
        That some household has a risk for.
    first_as_of, last_as_of
        The test period as its units have it: the first and the last day that one of them is as known on.
    interval_level
        Of the intervals; None without refits. [0-1]
    households
        That were scored.
    """

    stamp: str
    seen_at: dt.datetime
    model_stamp: str
    model_version: str | None
    catalogue: str
    objectives: tuple[str, ...]
    simulated: bool
    first_as_of: dt.date | None
    last_as_of: dt.date | None
    interval_level: float | None
    households: int


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """A run with its households.

    Parameters
    ----------
    places
        `region_id` and `area_id`, by their number.
    homes
        `household_id`, by which they are sorted, `place` and `RISKS`.
    """

    run: Run
    places: pd.DataFrame
    homes: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a run said of a household, which lay there then. [probability]

    Parameters
    ----------
    region_id, area_id
        As of the run.
    risk_find, risk_prevent
        None where it had nobody to ask about.
    risk_find_low, risk_find_high, risk_prevent_low, risk_prevent_high
        Ends of their intervals; None without refits, and where somebody of it was on the urgent list.
    model_changed
        Whether another model made it than made the score before it.
    """

    run: Run
    region_id: str | None
    area_id: str | None
    risk_find: float | None
    risk_find_low: float | None
    risk_find_high: float | None
    risk_prevent: float | None
    risk_prevent_low: float | None
    risk_prevent_high: float | None
    model_changed: bool = False


RUN_COLUMNS: Final = tuple(score_run.c[field.name] for field in fields(Run))


@dataclass(frozen=True)
class ScoreStore:
    """The scores of runs; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def has(self, stamp: str) -> bool:
        """Whether a run is there, whole."""
        with self.database.reading() as connection:
            found = connection.execute(sa.select(score_run.c.number).where(score_run.c.stamp == stamp, is_whole()))
            return found.first() is not None

    def keep_next(self, scored: ScoredRun) -> bool:
        """Keep the next `SLICE` households of a run, after those that a service kept before; whether it is whole now.

        Who is killed between two of them leaves a run that nobody is shown, and whoever comes next goes on from there.
        """
        with self.database.writing() as connection:
            number, kept = _begun(connection, scored)
            rows = _rows(scored.homes.iloc[kept : kept + SLICE], number)
            if rows:
                connection.execute(sa.insert(household_score), rows)
                so_far = sa.update(score_run).where(score_run.c.number == number)
                connection.execute(so_far.values(kept=kept + len(rows)))
        return kept + len(rows) == scored.run.households

    def of_household(self, household_id: str, *, who: Who, limit: int, before: str | None = None) -> list[Score]:
        """At most `limit` scores of a household, newest first, of runs in which it lay where somebody may look.

        Parameters
        ----------
        before
            The stamp of a run: scores of runs that were seen before it.

        Raises
        ------
        InputRefused
            No such run scored the household there.
        """
        asked = _seen(household_id, who)
        with self.database.reading() as connection:
            if before is not None:
                last = connection.scalar(asked.with_only_columns(score_run.c.number).where(score_run.c.stamp == before))
                if last is None:
                    raise InputRefused("`before` is no run of it", "the stamp of a run of its scores", "Begin again.")
                asked = asked.where(household_score.c.run < last)
            newest = asked.order_by(household_score.c.run.desc()).limit(limit + 1)
            found = [_score(row) for row in connection.execute(newest).mappings()]
        return _with_changes(found)[:limit]


def is_whole() -> sa.ColumnElement[bool]:
    """Of a row of `score_run`: whether every household of it was kept."""
    return score_run.c.kept == score_run.c.households


def _begun(connection: sa.Connection, scored: ScoredRun) -> tuple[int, int]:
    """The number of the run, and how many of its households are kept; nobody else writes meanwhile."""
    of_it = sa.select(score_run.c.number, score_run.c.kept).where(score_run.c.stamp == scored.run.stamp)
    found = connection.execute(of_it).one_or_none()
    if found is not None:
        return found.number, found.kept
    row = asdict(scored.run) | {"objectives": list(scored.run.objectives), "kept": 0}
    connection.execute(sa.insert(score_run), row)
    number: int = connection.execute(of_it).one().number
    places = scored.places.reset_index(names="place").assign(run=number)
    connection.execute(sa.insert(score_place), _records(places))
    return number, 0


def _seen(household_id: str, who: Who) -> sa.Select[Any]:
    there = sa.and_(score_place.c.run == household_score.c.run, score_place.c.place == household_score.c.place)
    found = score_run.join(household_score, household_score.c.run == score_run.c.number).join(score_place, there)
    columns = (*RUN_COLUMNS, score_place.c.region_id, score_place.c.area_id, *(household_score.c[one] for one in RISKS))
    whole = sa.select(score_run.c.number).where(is_whole())
    # By their numbers: SQLite would look through every household of every run to join them.
    of_it = sa.and_(household_score.c.run.in_(whole), household_score.c.household_id == household_id)
    return sa.select(*columns).select_from(found).where(of_it, who.scope.within(score_place))


def _score(row: sa.RowMapping) -> Score:
    of_run = {column.name: row[column.name] for column in RUN_COLUMNS}
    run = Run(**of_run | {"objectives": tuple(row["objectives"])})
    return Score(run=run, **{name: cell for name, cell in row.items() if name not in of_run})


def _with_changes(found: Sequence[Score]) -> list[Score]:
    """The scores, newest first, each set beside the one before it; of the last of them nothing is before it."""
    changed = [new.run.model_stamp != old.run.model_stamp for new, old in pairwise(found)] + [False]
    return [replace(one, model_changed=other) for one, other in zip(found, changed, strict=False)]


def _rows(homes: pd.DataFrame, number: int) -> list[dict[str, Any]]:
    return [{"run": number, **row} for row in _records(homes)]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    names = rows.columns.tolist()
    cells = zip(*(_cells(rows[name]) for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in cells]


def _cells(column: pd.Series) -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()
