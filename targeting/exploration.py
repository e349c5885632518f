"""The exploration reserve: a few visits by lot, so that tomorrow's labels are not only of those we chose; pure.

Who is visited is measured, and who is measured is learned from. A list that goes by risk alone measures only the
riskiest, and the next model learns of nobody else: where this one errs low, no visit will ever say so. So a share of
the visits falls by lot among the households that are not on the list. Each household then has a known chance of being
visited: 1 on the list, the same small chance for every other. Weighted by one over that chance, the visited stand for
all.

References
----------
Horvitz, Thompson. A generalization of sampling without replacement from a finite universe. *JASA* 1952; 47: 663-685.

Hajek. Comment on a paper by D. Basu, in *Foundations of Statistical Inference*, 1971: the ratio of weighted sums.

Kish. *Survey Sampling*. Wiley, 1965, section 11.7: the size of a weighted sample.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_RISK, BY_LOT = "risk", "exploration"
Z_95: Final = float(norm.ppf(0.975))


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


def prevalence(found: np.ndarray, weight: np.ndarray) -> Estimate:
    """The share of all households where something was found, from those that were visited.

    Parameters
    ----------
    found
        0 or 1 of each visit whose outcome is known. Shape (visits,).
    weight
        Of each, from `reserved`. Where a visit had no outcome, the others of its kind are taken to stand for it.

    Raises
    ------
    ValueError
        No visit has an outcome. Visits by risk alone say nothing of the others: then the share is of the visited.
    """
    found, weight = np.asarray(found, dtype=float), np.asarray(weight, dtype=float)
    if not len(found):
        raise ValueError("no visit has an outcome; give those that have one, with their weights.")
    lots = weight > 1.0
    share = float((weight * found).sum() / weight.sum())
    # Those by risk were certain; only the draw among the others has an error, smaller where many were drawn.
    drawn = found[lots]
    spread = float(drawn.var(ddof=1)) if len(drawn) > 1 else 0.25
    kept = 1.0 - 1.0 / float(weight[lots].mean()) if lots.any() else 0.0
    error = float(weight[lots].sum() / weight.sum()) * np.sqrt(kept * spread / max(len(drawn), 1))
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return Estimate(share, max(share - Z_95 * error, 0.0), min(share + Z_95 * error, 1.0), effective)


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
