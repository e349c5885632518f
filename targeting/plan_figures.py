"""What a plan under limits reaches in stunted children who were measured, beside today's rules; pure.

Every order is asked the same: so many visits, and in each region at least a floor. In each region the best of the
order take the floor's visits; then the best of all others, wherever they live, until the visits are used up.
Households that an order holds for equal share the last visits evenly, as in `training.visits`: what is counted is
expected, and no lot decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from targeting.floors import rounded, shares_rounded
from targeting.orders import RULES, orders_of
from targeting.worklist import RISK_DECIMALS
from training.decision import estimated
from training.splits import clusters
from training.visits import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from training.krs import KrsRule
    from training.metrics import Floats

CAPACITIES: Final = (0.05, 0.10, 0.20)
"""Shares of the households to visit that are told beside the one asked for."""
NO_REGION: Final = "not known"
"""Households whose region is not known are a region of their own, with a floor as any other."""
ENDS: Final = ("", "_low", "_high")


def observed(test: pd.DataFrame, risk: Floats, *, rule: KrsRule) -> pd.DataFrame:
    """The households of test rows: what was expected of them, what today's rules said, and what was found.

    Parameters
    ----------
    test
        Units with features, an outcome (`stunted`, 0 or 1) and the facts that `rule` reads. Of a child measured more
        than once the newest row counts.
    risk
        Of each row, in its order. Shape (rows,). [0-1]

    Returns
    -------
    One row a household with a measured child: `household_id, region_id, area_id, expected_stunted` [children],
    `risk` [0-1] (children taken as independent), `stunted` and `measured` [children], and those of `orders_of`.
    """
    rows = test.assign(risk=risk, safe=1.0 - np.asarray(risk)).astype({"household_id": "str"})
    rows = rows.sort_values(["unit_id", "as_of"]).drop_duplicates("unit_id", keep="last")
    homes = rows.groupby("household_id", sort=True).agg(
        region_id=("region_id", "first"),
        area_id=("area_id", "first"),
        expected_stunted=("risk", "sum"),
        risk=("safe", lambda safe: 1.0 - safe.prod()),
        stunted=("stunted", "sum"),
        measured=("unit_id", "size"),
    )
    return homes.reset_index().merge(orders_of(rows, rule=rule), on="household_id", validate="1:1")


class Order:
    """Households in the order of a score, in the district and in each region.

    Parameters
    ----------
    score
        Higher is sooner; equal to 9 decimals is equal. Shape (households,).
    region
        Code of each household's region, from 0 on. Shape (households,).
    """

    def __init__(self, score: Floats, region: np.ndarray) -> None:
        self.region = region
        turns, self.turn = np.unique(-np.round(score, RISK_DECIMALS), return_inverse=True)
        steps, self.place = np.unique(region * len(turns) + self.turn, return_inverse=True)
        self.region_of = steps // max(len(turns), 1)

    def visited(self, count: Floats, *, floors: Floats, places: float) -> Floats:
        """How many visits fall to each household that is there `count` times, shape (households,). [visits]

        Parameters
        ----------
        floors
            Visits that each region gets at least, shape (regions,); no more than it has, and in all no more than
            `places`.
        """
        there = np.bincount(self.region, count, minlength=floors.size)
        until = np.cumsum(there) - there + floors
        first = _taken(count, self.place, until[self.region_of])
        return first + _taken(count - first, self.turn, places - floors.sum())


def _taken(count: Floats, step: np.ndarray, until: Floats | float) -> Floats:
    """Of each row what is visited when the steps are visited in order as far as `until`, equals sharing evenly."""
    mass = np.bincount(step, count)
    given = np.clip(until - (np.cumsum(mass) - mass), 0, mass)
    part = np.divide(given, mass, out=np.zeros_like(mass), where=mass > 0)
    taken: Floats = count * part[step]
    return taken


class Trial:
    """A value and today's rules under the same limits.

    Parameters
    ----------
    homes
        See `figures`.
    value
        The column that the plan goes by.
    """

    def __init__(self, homes: pd.DataFrame, *, value: str, floor_share: float, salt: str) -> None:
        region = homes.region_id.astype("string").fillna(NO_REGION)
        self.regions, code = np.unique(region.to_numpy(str), return_inverse=True)
        self.region, self.stunted = code, homes.stunted.to_numpy(float)
        self.orders = {name: Order(homes[name].to_numpy(float), code) for name in (value, *RULES)}
        self.value, self.floor_share, self.salt = value, floor_share, salt

    def floors(self, count: Floats) -> Floats:
        """Visits that each region gets at least where each household is there `count` times, shape (regions,)."""
        there = pd.Series(np.bincount(self.region, count, minlength=self.regions.size), index=self.regions)
        return shares_rounded(self.floor_share, there, salt=self.salt).to_numpy(float)

    def reached(self, count: Floats, capacities: tuple[float, ...]) -> dict[str, Floats]:
        """Figures by name, of each capacity, where each household is there `count` times."""
        floors, places = self.floors(count), [rounded(share, round(count.sum())) for share in capacities]
        under, free = (
            {
                name: np.array([order.visited(count, floors=low, places=p) @ self.stunted for p in places])
                for name, order in self.orders.items()
            }
            for low in (floors, np.zeros_like(floors))
        )
        total = np.full(len(capacities), count @ self.stunted)
        found = {f"reached_{name}": hits for name, hits in under.items()}
        found |= {f"share_{name}": ratio(hits, total) for name, hits in under.items()}
        found |= {f"price_{name}": free[name] - under[name] for name in self.orders}
        found |= {f"ratio_{name}": ratio(under[self.value], under[name]) for name in RULES}
        return found | {f"free_{name}": ratio(free[self.value], free[name]) for name in RULES}


def figures(
    households: pd.DataFrame,
    *,
    capacity_share: float,
    floor_share: float,
    draws: int,
    seed: int,
    value: str = "expected_stunted",
) -> dict[str, Any]:
    """How many stunted children the plan reaches, and how many today's rules reach under the same limits, as JSON.

    Parameters
    ----------
    households
        As `observed` makes them, in any order; the score by `value`, and those of the rules, are never null.
    capacity_share
        Of the households that are visited, above 0 and at most 1; rounded half up.
    floor_share
        Of each region's households that are visited at least, 0 to `capacity_share`; see `floors.shares_rounded`.
    draws, seed
        Resamples of whole areas, of which the 95% intervals are made; in each, every order chooses anew. A household
        without an area stands alone.
    value
        The column that the plan goes by.

    Returns
    -------
    `asked`, and `capacities` with those of `CAPACITIES` that the floors leave room for. Each has `visits`,
    `floor_visits`, of the plan `reached` [stunted children], `share` of all stunted [0-1] and `price_of_floor`
    [children, those it would reach without floors less those it does], and by rule of `RULES` the same and `ratio`,
    how many times as many the plan reaches; `ratio_without_floor`, when neither has floors. Each with `_low` and
    `_high`; null over 0. `regions`: what falls to each region at the capacity asked for.

    Raises
    ------
    ValueError
        A share or a household breaks one of the rules above.
    """
    _check(households, value, capacity_share, floor_share)
    homes = households.sort_values("household_id", ignore_index=True)  # sums in another order differ in the last bit
    trial = Trial(homes, value=value, floor_share=floor_share, salt=str(seed))
    capacities = tuple(sorted({capacity_share, *(share for share in CAPACITIES if share >= floor_share)}))
    table = estimated(
        lambda count: trial.reached(count, capacities),
        at=pd.Index(capacities, name="capacity"),
        cluster=clusters(homes).to_numpy(str),
        draws=draws,
        seed=seed,
    )
    by_capacity = table.to_dict("index")
    told = [_told(share, by_capacity[share], trial, len(homes)) for share in capacities]
    return {
        "households": len(homes),
        "children": int(homes.measured.sum()),
        "stunted": int(homes.stunted.sum()),
        "areas": int(clusters(homes).nunique()),
        "value": value,
        "floor_share": floor_share,
        "draws": draws,
        "asked": told[capacities.index(capacity_share)],
        "capacities": told,
        "regions": _by_region(homes, trial, rounded(capacity_share, len(homes))),
    }


def _told(share: float, found: Mapping[Any, Any], trial: Trial, households: int) -> dict[str, Any]:
    def plain(**names: str) -> dict[str, float | None]:
        pairs = ((f"{said}{end}", float(found[f"{name}{end}"])) for said, name in names.items() for end in ENDS)
        return {said: None if math.isnan(number) else number for said, number in pairs}

    def of(name: str, **more: str) -> dict[str, float | None]:
        return plain(reached=f"reached_{name}", share=f"share_{name}", price_of_floor=f"price_{name}", **more)

    return {
        "capacity_share": share,
        "visits": rounded(share, households),
        "floor_visits": rounded(trial.floor_share, households),
        "plan": of(trial.value),
        **{name: of(name, ratio=f"ratio_{name}", ratio_without_floor=f"free_{name}") for name in RULES},
    }


def _by_region(homes: pd.DataFrame, trial: Trial, places: int) -> list[dict[str, Any]]:
    """Households, stunted children, floor, and by order visits and stunted children reached, of each region."""
    once = np.ones(len(homes))
    floors = trial.floors(once)

    def per(amount: Floats) -> Floats:
        return np.bincount(trial.region, amount, minlength=trial.regions.size).astype(float)

    columns = {"households": per(once).astype(int), "stunted": per(trial.stunted).astype(int), "floor": floors}
    for name, order in trial.orders.items():
        visited = order.visited(once, floors=floors, places=places)
        said = "plan" if name == trial.value else name
        columns |= {f"visits_{said}": per(visited), f"reached_{said}": per(visited * trial.stunted)}
    table = pd.DataFrame(columns).astype({"floor": int}).round(RISK_DECIMALS)
    table.insert(0, "region_id", trial.regions)
    return [{str(name): cell for name, cell in line.items()} for line in table.to_dict("records")]


def _check(households: pd.DataFrame, value: str, capacity_share: float, floor_share: float) -> None:
    if not 0 < capacity_share <= 1:
        raise ValueError(f"capacity_share is {capacity_share}; allowed: above 0 and at most 1. Give 0.1 for a tenth.")
    if not 0 <= floor_share <= capacity_share:
        raise ValueError(
            f"floor_share is {floor_share}; allowed: 0 to capacity_share, {capacity_share}. Floors are visits too: "
            "lower them, or visit more."
        )
    if households.empty:
        raise ValueError("no household has a measured child; give those of a time when children were measured.")
    if households.household_id.duplicated().any() or households.household_id.isna().any():
        raise ValueError("a household has no household_id, or stands twice; give each household once.")
    for name in (value, *RULES, "stunted", "measured"):
        if (wrong := households[name].isna()).any():
            raise ValueError(
                f"{wrong.sum()} of {len(wrong)} households have no {name}; first: row {wrong.argmax()}. "
                "Leave out those that no child was measured of, and score the others."
            )
