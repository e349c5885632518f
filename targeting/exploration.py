"""The exploration reserve: a few visits by lot, so that tomorrow's labels are not only of those we chose; pure.

Who is visited is measured, and who is measured is learned from. A list that goes by risk alone measures only the
riskiest, and the next model learns of nobody else: where this one errs low, no visit will ever say so. So a share of
the visits falls by lot among the households that are not on the list. Each household then has a known chance of being
visited: 1 on the list, the same small chance for every other. Weighted by one over that chance, the visited stand for
all.

References
----------
Horvitz, Thompson. A generalization of sampling without replacement from a finite universe. *JASA* 1952; 47: 663-685.

Kish. *Survey Sampling*. Wiley, 1965, section 11.7: the size of a weighted sample.

Wilson. Probable inference, the law of succession, and statistical inference. *JASA* 1927; 22: 209-212.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binomtest

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_RISK, BY_LOT = "risk", "exploration"


@dataclass(frozen=True)
class Estimate:
    """A share of all households that could have been visited, and its 95% interval, cut at 0 and 1.

    Parameters
    ----------
    effective
        How many households drawn with equal chances would tell as much (Kish).
    """

    share: float
    low: float
    high: float
    effective: float


def reserved(order: Sequence[str], *, places: int, share: float, salt: str) -> pd.DataFrame:
    """The visits of a round: by risk, and a share of them by lot among all others.

    Parameters
    ----------
    order
        Every household that may be visited, once each, the riskiest first.
    places
        Visits of the round.
    share
        Of the visits that fall by lot, 0 to 1; half a visit counts as one.
    salt
        Name of the round. The lot is the order of SHA-256 of `salt|exploration|household`: nobody can choose it, and
        anybody can draw it again.

    Returns
    -------
    A row a visit, in order: `household_id`, `chosen_for` (`risk` or `exploration`), `chance` of being visited [0-1]
    and `weight`, one over it.

    Raises
    ------
    ValueError
        A household stands twice, or a number is out of range.
    """
    _check(order, places, share)
    places = min(places, len(order))
    by_lot = min(int(np.floor(share * places + 0.5)), places)
    listed, others = order[: places - by_lot], order[places - by_lot :]
    drawn = sorted(others, key=lambda home: _lot(salt, home))[:by_lot]
    chance = by_lot / len(others) if others else 1.0
    return pd.DataFrame(
        {
            "household_id": [*listed, *drawn],
            "chosen_for": [BY_RISK] * len(listed) + [BY_LOT] * by_lot,
            "chance": [1.0] * len(listed) + [chance] * by_lot,
        }
    ).assign(weight=lambda visits: 1.0 / visits.chance)


def prevalence(visits: pd.DataFrame, found: np.ndarray, *, households: int) -> Estimate:
    """The share of all households where something was found: those on the list as they are, the others by their lots.

    Parameters
    ----------
    visits
        As `reserved` made them.
    found
        0 or 1 of each visit, NaN where it had no outcome: the others of its kind, on the list or by lot, stand for it.
        Shape (visits,).
    households
        That might have been visited: the length of the order.

    Raises
    ------
    ValueError
        A kind that stands for somebody has no outcome at all: visits by risk say nothing of those who were not chosen.
    """
    listed = (visits.chosen_for == BY_RISK).to_numpy()
    parts = [(int(listed.sum()), found[listed], True), (households - int(listed.sum()), found[~listed], False)]
    share = low = high = spread = 0.0
    for count, outcomes, all_visited in parts:
        known = np.asarray(outcomes, dtype=float)[~np.isnan(np.asarray(outcomes, dtype=float))]
        if not count:
            continue
        if not len(known):
            kind = "on the list" if all_visited else "by lot"
            raise ValueError(f"no visit {kind} has an outcome, for {count:,} households; measure some of them first.")
        part = count / households
        ends = (known.mean(),) * 2 if len(known) == count else _wilson(known)
        share, low, high = share + part * known.mean(), low + part * ends[0], high + part * ends[1]
        spread += part**2 / len(known)
    return Estimate(float(share), float(low), float(high), 1.0 / spread if spread else 0.0)


def _wilson(known: np.ndarray) -> tuple[float, float]:
    """Wilson's 95% interval: it has a width where nobody, or everybody, was found."""
    ends = binomtest(int(known.sum()), len(known)).proportion_ci(0.95, method="wilson")
    return float(ends.low), float(ends.high)


def _check(order: Sequence[str], places: int, share: float) -> None:
    if len(set(order)) != len(order):
        raise ValueError(f"{len(order) - len(set(order))} households stand twice in the order; give each once.")
    if places < 0:
        raise ValueError(f"places is {places}; give the number of visits, 0 or more.")
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; give the share of the visits that fall by lot, 0 to 1.")


def _lot(salt: str, household_id: str) -> str:
    # Not the lot between equal risks, which would draw the same households again and again.
    return hashlib.sha256(f"{salt}|exploration|{household_id}".encode()).hexdigest()
