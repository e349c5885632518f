"""What visits that fall by lot say of all households, and not only of those whom a plan chose; pure.

Who is visited is measured, and who is measured is learned from. A plan that goes by risk alone measures only the
riskiest, and the next model learns of nobody else: where this one errs low, no visit will ever say so. So a share of
the visits falls by lot among the households that were not chosen (`plan_lots.drawn`). Each household then has a known
chance of being visited: 1 where it was chosen, the same small chance for every other. Weighted by one over that chance,
the visited stand for all.

References
----------
Horvitz, Thompson. A generalization of sampling without replacement from a finite universe. *JASA* 1952; 47: 663-685.

Kish. *Survey Sampling*. Wiley, 1965, section 11.7: the size of a weighted sample.

Wilson. Probable inference, the law of succession, and statistical inference. *JASA* 1927; 22: 209-212.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from targeting.plan_tables import LOT

if TYPE_CHECKING:
    import pandas as pd


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


def prevalence(visits: pd.DataFrame, found: np.ndarray, *, households: int) -> Estimate:
    """The share of all households where something was found: the chosen as they are, the others by their lots.

    Parameters
    ----------
    visits
        Lines of a plan: `chosen_for` is `exploration` where the visit fell by lot.
    found
        0 or 1 of each visit, NaN where it had no outcome: the others of its kind, chosen or by lot, stand for it.
        Shape (visits,).
    households
        That might have been visited, the visited among them.

    Raises
    ------
    ValueError
        A kind that stands for somebody has no outcome at all: visits of the chosen say nothing of the others.
    """
    if households < len(visits):
        raise ValueError(f"{households:,} households, and {len(visits):,} of them visited; count all that competed.")
    found, by_lot = np.asarray(found, dtype=float), (visits.chosen_for == LOT).to_numpy()
    chosen = int((~by_lot).sum())
    share = low = high = spread = 0.0
    for count, outcomes, kind in ((chosen, found[~by_lot], "chosen"), (households - chosen, found[by_lot], "by lot")):
        known = outcomes[~np.isnan(outcomes)]
        if not count:
            continue
        if not len(known):
            raise ValueError(f"no visit {kind} has an outcome, for {count:,} households; measure some of them first.")
        part = count / households
        ends = (known.mean(),) * 2 if len(known) == count else wilson(int(known.sum()), of=len(known))
        share, low, high = share + part * known.mean(), low + part * ends[0], high + part * ends[1]
        spread += part**2 / len(known)
    return Estimate(float(share), float(low), float(high), 1.0 / spread if spread else 0.0)


def wilson(count: int, *, of: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share: it has a width where nobody, or everybody, was found."""
    ends = binomtest(count, of).proportion_ci(0.95, method="wilson")
    return float(ends.low), float(ends.high)
