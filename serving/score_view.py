"""The scores of a household as its page shows them: rows of a table, and pictures with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, Final

from serving.bands import band_of
from serving.household_view import Risk

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from serving.score_store import Run, Score

OBJECTIVES: Final = ("find", "prevent")
WIDTH, HEIGHT, EDGE = 320, 96, 8
STEP: Final = 0.1
"""The pictures begin at no risk and end at a whole multiple of this, so that a small change looks small."""
LOWEST_TOP: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a run said, in the words of the page; a risk is None where the run had nobody to ask about.

    Parameters
    ----------
    in_use
        It is what the rest of the page shows.
    model_changed
        As of `Score`.
    """

    run: Run
    in_use: bool
    model_changed: bool
    find: Risk | None
    prevent: Risk | None

    def risk(self, objective: str) -> Risk | None:
        """By the objective's name."""
        return self.find if objective == "find" else self.prevent


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A risk over the runs, the oldest at the left, in a picture of `width` by `height`.

    Parameters
    ----------
    lines, spreads
        Points of an SVG polyline, and of a polygon of the intervals, for every stretch of runs that have the risk.
    dots
        Where each run's risk stands.
    changes
        Where another model begins.
    top
        The risk at the upper edge; 0 is at the lower. [probability]
    first, last
        The oldest and the newest that are drawn, each with its day.
    """

    objective: str
    lines: tuple[str, ...]
    spreads: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    changes: tuple[float, ...]
    top: float
    first: tuple[dt.datetime, Risk]
    last: tuple[dt.datetime, Risk]
    width: int = WIDTH
    height: int = HEIGHT
    edge: int = EDGE


def rows_of(scores: Sequence[Score], *, stamp: str) -> tuple[Row, ...]:
    """A row a score; `stamp` is of the scores that are in use."""
    return tuple(
        Row(
            run=one.run, in_use=one.run.stamp == stamp, model_changed=one.model_changed,
            find=_risk(one.risk_find, one.risk_find_low, one.risk_find_high),
            prevent=_risk(one.risk_prevent, one.risk_prevent_low, one.risk_prevent_high),
        )
        for one in scores
    )  # fmt: skip


def pictures(rows: Sequence[Row]) -> tuple[Picture, ...]:
    """One of each risk that two rows or more have, all to one scale.

    Parameters
    ----------
    rows
        The newest first, as the table has them.
    """
    oldest_first = tuple(reversed(rows))
    risks = {name: [one.risk(name) for one in oldest_first] for name in OBJECTIVES}
    drawn = {name: found for name, found in risks.items() if sum(one is not None for one in found) > 1}
    top = _top([one for found in drawn.values() for one in found if one is not None])
    return tuple(_picture(oldest_first, name, top=top) for name in drawn)


def _risk(value: float | None, low: float | None, high: float | None) -> Risk | None:
    return None if value is None else Risk(value=value, band=band_of(value), low=low, high=high)


def _top(risks: Sequence[Risk]) -> float:
    most = max((one.value if one.high is None else one.high for one in risks), default=0.0)
    return min(1.0, max(LOWEST_TOP, round(ceil(round(most / STEP, 9)) * STEP, 1)))


def _picture(rows: Sequence[Row], objective: str, *, top: float) -> Picture:
    places = [(place, row.run.seen_at, row.risk(objective)) for place, row in enumerate(rows)]
    known = [(place, at, risk) for place, at, risk in places if risk is not None]
    held, spread = _stretches(known), _stretches([one for one in known if one[2].low is not None])
    across = _Across(len(rows), top)
    return Picture(
        objective=objective, top=top, first=known[0][1:], last=known[-1][1:],
        lines=tuple(_points([across.at(place, risk.value) for place, risk in part]) for part in held if len(part) > 1),
        spreads=tuple(_points(across.spread(part)) for part in spread if len(part) > 1),
        dots=tuple(across.at(place, risk.value) for place, _, risk in known),
        changes=tuple(across.between(place) for place, row in enumerate(rows) if row.model_changed and place),
    )  # fmt: skip


@dataclass(frozen=True)
class _Across:
    """From runs and risks to the picture."""

    runs: int
    top: float

    def at(self, place: float, risk: float) -> tuple[float, float]:
        step = (WIDTH - 2 * EDGE) / (self.runs - 1)
        return round(EDGE + place * step, 1), round(HEIGHT - EDGE - risk / self.top * (HEIGHT - 2 * EDGE), 1)

    def between(self, place: int) -> float:
        """Halfway between a run and the one before it."""
        return self.at(place - 0.5, 0.0)[0]

    def spread(self, part: Sequence[tuple[int, Risk]]) -> list[tuple[float, float]]:
        """Around the intervals of a stretch."""
        low = [self.at(place, one.low) for place, one in part if one.low is not None]
        high = [self.at(place, one.high) for place, one in part if one.high is not None]
        return [*high, *reversed(low)]


def _stretches(known: Sequence[tuple[int, dt.datetime, Risk]]) -> list[list[tuple[int, Risk]]]:
    """Parted where a run is not among them."""
    parts = groupby(enumerate(known), key=lambda one: one[1][0] - one[0])
    return [[(place, risk) for _, (place, _, risk) in part] for _, part in parts]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)
