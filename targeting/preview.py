"""What a round would reach, about and at once, while a planner still turns at its rules; pure.

The plan itself is a linear program (`allocation`). Here each order is gone down after its floors and reserves, by sums
that are made once, so that a curve of 300,000 households takes a fraction of a second. Where places under floors are
apart and nothing else binds, that is the best there is; with more rules it is near it. Services and their budgets,
which choose between near equals only, are not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.floors import rounded
from targeting.formulation import lot
from targeting.preview_orders import Followed, Homes, Rules, within
from targeting.rival_orders import KRS, NAMES, PLAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from targeting.plan_words import Said
    from targeting.problem import Booleans, Floats

    Ints = np.ndarray

POVERTY, EQUAL = "poverty_only", "equal_share"
ORDERS: Final = {name: NAMES[name] for name in (PLAN, KRS, POVERTY, EQUAL)}
"""What is tried beside the plan, in words; `rival_orders` has what each means."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """What the visits reach by each order [expected stunted children]; those by lot are counted at their mean."""

    visits: int
    reached: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """An order beside the plan.

    Parameters
    ----------
    reached, share
        [expected stunted children], and of all that are expected [0-1; None: none is].
    ratio
        How many times as many the plan reaches; None when the order reaches none.
    """

    name: str
    said: Said
    reached: float
    share: float | None
    ratio: float | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a round would come to.

    Parameters
    ----------
    competing, expected
        Households, and stunted children among them.
    least
        Visits that the floors alone need.
    by_lot
        Of the visits.
    at
        The round; None when its visits are too few for its floors.
    curve
        Smaller and larger rounds, ascending, from the least on.
    by_region
        Visits of each region by this plan, lots left out; empty without `at`.
    """

    competing: int
    expected: float
    least: int
    visits: int
    by_lot: int
    at: Point | None
    curve: tuple[Point, ...]
    by_region: Mapping[str, int]

    @property
    def compared(self) -> tuple[Beside, ...]:
        """What each order reaches with the visits of the round, the plan first; nothing without `at`."""
        if self.at is None:
            return ()
        ours = self.at.reached[PLAN]
        return tuple(
            Beside(
                name=name, said=ORDERS[name], reached=reached, share=reached / self.expected if self.expected else None,
                ratio=ours / reached if reached else None,
            )
            for name, reached in self.at.reached.items()
        )  # fmt: skip


def homes_of(homes: pd.DataFrame, orders: pd.DataFrame, *, salt: str) -> Homes:
    """The households of `candidates`, with the orders of `orders_of`; equal ones fall by a lot drawn from `salt`."""
    homes = homes.reset_index(drop=True)
    lots = np.array([lot(salt, name) for name in homes.household_id])
    value = homes.value.to_numpy(float)
    known = orders.set_index("household_id").reindex(homes.household_id)
    place, places = _places(homes)
    scores = {
        PLAN: value,
        KRS: known.krs_rank_count.to_numpy(float),
        POVERTY: known.poverty_only.to_numpy(float),
        EQUAL: -_turns(place, lots),
    }
    # What an order does not know comes last.
    made = {name: np.lexsort((lots, -np.nan_to_num(score, nan=-np.inf))) for name, score in scores.items()}
    return Homes(
        names=pd.Index(homes.household_id), places=places, place=place, value=value,
        prevent=(homes.track == "prevent").to_numpy(bool), pregnant=homes.pregnant.to_numpy(bool), orders=made,
    )  # fmt: skip


def preview(homes: Homes, inside: Booleans, rules: Rules, *, visits: int, most: int, points: int = 24) -> Preview:
    """The round of so many visits in the households inside, and `points` others from none to `most` visits."""
    count = int(inside.sum())
    visits, most = min(visits, count), min(most, count)
    followed = {name: Followed(homes, order[inside[order]], rules) for name, order in homes.orders.items()}
    ours = followed[PLAN]
    least = _least(ours, rules, count)
    steps = {*np.linspace(0, most, points + 1).round().astype(int).tolist(), visits, least} - {0}
    curve = [_point(followed, step) for step in sorted(steps) if least <= step <= max(most, visits)]
    at = _point(followed, visits) if visits >= max(least, 1) else None
    return Preview(
        competing=count, expected=float(homes.value[inside].sum()), least=least, visits=visits,
        by_lot=rounded(rules.exploration, visits), at=at, curve=tuple(curve),
        by_region={} if at is None else ours.by_region(visits),
    )  # fmt: skip


def _places(homes: pd.DataFrame) -> tuple[Ints, pd.DataFrame]:
    grouped = homes.groupby(["region_id", "area_id"], dropna=False, sort=True)
    return grouped.ngroup().to_numpy(), grouped.size().reset_index()[["region_id", "area_id"]]


def _turns(place: Ints, lots: Floats) -> Floats:
    """How far down the lots of its own place a household is. [0-1]"""
    order = np.lexsort((lots, place))
    turn = np.empty(place.size)
    turn[order] = within(place[order])
    sizes = np.bincount(place) if place.size else np.zeros(0)
    found: Floats = (turn + 0.5) / sizes[place] if place.size else turn
    return found


def _point(followed: Mapping[str, Followed], visits: int) -> Point:
    return Point(visits=visits, reached={name: one.reached(visits) for name, one in followed.items()})


def _least(ours: Followed, rules: Rules, count: int) -> int:
    """The fewest visits that keep the floors; those by lot keep none."""
    least = ours.floored
    while least < count and least - rounded(rules.exploration, least) < ours.floored:
        least += 1
    return least
