"""An order of households gone down after its floors and reserves, by sums that are made once; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from targeting.floors import rounded, shares_rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from targeting.problem import Booleans, Floats

    Ints = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Homes:
    """The households that compete for an objective, made once.

    Parameters
    ----------
    names
        Their identifiers. Shape (households,), as everything that follows.
    places
        region_id and area_id, each pair once; `place` is the row of each household's.
    value
        [expected stunted children]
    prevent, pregnant
        Whether it competes by its risk at 24 months; whether a pregnancy is in it.
    orders
        By name of `ORDERS`: the households in the order in which it would visit them.
    """

    names: pd.Index[str]
    places: pd.DataFrame
    place: Ints
    value: Floats
    prevent: Booleans
    pregnant: Booleans
    orders: Mapping[str, Ints]

    def inside(self, holds: Callable[[str | None, str | None], bool]) -> Booleans:
        """Which lie where `holds` says of their region and area that they do."""
        known = self.places.astype(object).where(self.places.notna(), None)
        kept = np.array([holds(region, area) for region, area in known.itertuples(index=False)], dtype=bool)
        found: Booleans = kept[self.place] if len(kept) else np.zeros(0, dtype=bool)
        return found


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a planner chooses, as far as a preview sees it; the fields are those of `policy`. Shares are 0-1."""

    floor_share: float = 0.0
    one_each_area: bool = False
    pregnant: float = 0.0
    exploration: float = 0.0
    prevent_share: float = 1.0


class _Track:
    """Households that share an order, without those of the floors, with sums down it."""

    def __init__(self, value: Floats, pregnant: Booleans) -> None:
        self.size, self.pregnant = value.size, int(pregnant.sum())
        self._sums = np.r_[0.0, np.cumsum(value)]
        self._pregnant = np.r_[0, np.cumsum(pregnant)]
        self._pregnant_sums = np.r_[0.0, np.cumsum(value[pregnant])]

    def down_to(self, count: int, *, reserved: int) -> int:
        """How far down the order `count` visits lead, when the first `reserved` pregnant are visited in any case."""
        others = np.arange(self.size + 1) - np.minimum(self._pregnant, reserved)
        return int(np.searchsorted(others, count - reserved)) if reserved else count

    def reached(self, count: int, *, reserved: int) -> float:
        """What they reach. [children]"""
        end = self.down_to(count, reserved=reserved)
        among = min(int(self._pregnant[end]), reserved)
        return float(self._sums[end] + self._pregnant_sums[reserved] - self._pregnant_sums[among])


class Followed:
    """An order gone down after its floors; households stand in it as `order` has them."""

    def __init__(self, homes: Homes, order: Ints, rules: Rules) -> None:
        self._homes, self._order, self._rules = homes, order, rules
        value, pregnant, prevent = homes.value[order], homes.pregnant[order], homes.prevent[order]
        first = _floors(homes, order, rules)
        self.floored, self._pregnant_first = int(first.sum()), int((first & pregnant).sum())
        self._prevent_first, self._first = int((first & prevent).sum()), first
        self._in_first, self._expected = float(value[first].sum()), float(value.sum())
        self._both = bool(prevent.any() and not prevent.all())
        self._rest = [~first & prevent, ~first & ~prevent] if self._both else [~first]
        self._tracks = [_Track(value[rows], pregnant[rows]) for rows in self._rest]

    def reached(self, visits: int) -> float:
        """What so many visits reach; where they are too few for this order's floors, its floors' best. [children]"""
        chosen = visits - (by_lot := rounded(self._rules.exploration, visits))
        parts = zip(self._tracks, self._counts(visits), self._reserved(visits), strict=True)
        sure = self._in_first + sum(track.reached(count, reserved=kept) for track, count, kept in parts)
        others = max(self._order.size - chosen, 1)
        return sure + by_lot * (self._expected - sure) / others

    def by_region(self, visits: int) -> dict[str, int]:
        """Visits of each region, without those by lot."""
        taken = self._first.copy()
        for rows, track, count, kept in zip(
            self._rest, self._tracks, self._counts(visits), self._reserved(visits), strict=True
        ):
            there = np.flatnonzero(rows)
            taken[there[: track.down_to(count, reserved=kept)]] = True
            taken[there[self._homes.pregnant[self._order[there]]][:kept]] = True
        regions = self._homes.places.region_id.to_numpy(object)[self._homes.place[self._order[taken]]]
        counts = pd.Series(regions, dtype=object).value_counts()
        return {str(region): int(count) for region, count in counts.items()}

    def _reserved(self, visits: int) -> list[int]:
        """Pregnant of each track that are visited whatever their place, beside those of the floors."""
        left = max(rounded(self._rules.pregnant, visits) - self._pregnant_first, 0)
        return [
            min(left, track.pregnant, count) for track, count in zip(self._tracks, self._counts(visits), strict=True)
        ]

    def _counts(self, visits: int) -> list[int]:
        """Visits of each track after the floors; what one cannot use goes to the other."""
        chosen = visits - rounded(self._rules.exploration, visits)
        left = max(chosen - self.floored, 0)
        if not self._both:
            return [min(left, self._tracks[0].size)]
        prevent, find = self._tracks
        ours = min(max(rounded(self._rules.prevent_share, chosen) - self._prevent_first, 0), left, prevent.size)
        theirs = min(left - ours, find.size)
        return [min(left - theirs, prevent.size), theirs]


def _floors(homes: Homes, order: Ints, rules: Rules) -> Booleans:
    """Whom an order visits so that every place has its least number: the first of each on it."""
    first = np.zeros(order.size, dtype=bool)
    place = homes.place[order]
    if rules.one_each_area:
        known = homes.places.area_id.notna().to_numpy()[place]
        first = (within(place) == 0) & known
    if not rules.floor_share:
        return first
    codes, names = pd.factorize(homes.places.region_id)
    region = codes[place]
    counts = pd.Series(np.bincount(region[region >= 0], minlength=len(names)), index=names)
    least = shares_rounded(rules.floor_share, counts, salt="preview").to_numpy()
    owed = least - np.bincount(region[first & (region >= 0)], minlength=len(names))
    rest = np.flatnonzero(~first & (region >= 0))
    more = within(region[rest]) < owed[region[rest]]
    first[rest[more]] = True
    return first


def within(groups: Ints) -> Ints:
    """The place of each among those of its group that come before it; 0 is the first."""
    order = np.argsort(groups.astype(np.int16) if groups.size and groups.max() < 2**15 else groups, kind="stable")
    ranged = groups[order]
    starts = np.flatnonzero(np.r_[True, ranged[1:] != ranged[:-1]]) if groups.size else np.zeros(0, dtype=int)
    place = np.empty(groups.size, dtype=np.int64)
    place[order] = np.arange(groups.size) - np.repeat(starts, np.diff(np.r_[starts, groups.size]))
    return place
