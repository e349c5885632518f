"""The plan that reaches most under the limits, and the proof of how near it is to the best; pure.

Few households: exact whole numbers. Many: the relaxation of HiGHS, rounded by a small integer program around the cut,
with the relaxation's bound. Where HiGHS finds nothing: a greedy plan, named as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from targeting.greedy import greedy
from targeting.problem import bound
from targeting.relaxation import relaxed
from targeting.rounding import EXACT_UP_TO, exact, rounded

if TYPE_CHECKING:
    from targeting.problem import Booleans, Floats, Problem

Method = Literal["exact", "relaxed and rounded", "greedy"]


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who is visited and what is handed over.

    Parameters
    ----------
    visited, given
        Shapes (households,) and (offers,).
    reached
        What it is worth. [children]
    bound
        No plan under the same limits is worth more. [children]
    price
        What one more unit of each limit would add, about; negative where a least amount costs. Shape (limits,).
    """

    visited: Booleans
    given: Booleans
    reached: float
    bound: float
    price: Floats
    method: Method

    @property
    def gap(self) -> float:
        """How far below the bound it is, as a share of the bound: at most so much could be gained."""
        return max(self.bound - self.reached, 0.0) / self.bound if self.bound > 0 else 0.0


def allocate(problem: Problem) -> Allocation:
    """The best plan that is found, with its bound.

    Give it limits that fit together (`feasibility`). Equal gains fall by `problem.lot`.
    """
    parts = relaxed(problem)
    if parts is None:
        return by_order(problem, problem.gain)
    few = problem.households <= EXACT_UP_TO[0] and problem.offers <= EXACT_UP_TO[1]
    whole = exact(problem) if few else None
    best = bound(problem, parts.price)
    method: Method = "relaxed and rounded" if whole is None else "exact"
    whole = whole or rounded(problem, parts)
    if whole is None:
        return by_order(problem, problem.gain, price=parts.price)
    visited, given = _fairly(problem, *whole)
    return Allocation(visited, given, problem.worth(visited, given), best, parts.price, method)


def by_order(problem: Problem, order: Floats, *, price: Floats | None = None) -> Allocation:
    """The greedy plan: the highest `order` first, with its distance to a bound of all plans.

    Parameters
    ----------
    order
        A score a household, higher is sooner. Shape (households,).
    price
        Of the relaxation; without it the bound is that of everybody visited and everything handed over.
    """
    visited, given = greedy(problem, order)
    price = np.zeros(problem.least.size) if price is None else price
    return Allocation(visited, given, problem.worth(visited, given), bound(problem, price), price, "greedy")


def _fairly(problem: Problem, visited: Booleans, given: Booleans) -> tuple[Booleans, Booleans]:
    """The same places of each kind, held by its households of highest gain; equal gains by lot.

    No limit changes, as households of a kind take the same of each. It never reaches less, for what is handed over to a
    household is worth the more, the higher its gain.
    """
    order = np.lexsort((problem.lot, -problem.gain, problem.kind))
    kind = problem.kind[order]
    start = np.flatnonzero(np.r_[True, kind[1:] != kind[:-1]])
    within = np.arange(order.size) - np.repeat(start, np.diff(np.r_[start, order.size]))
    extra = np.bincount(problem.home, problem.offer_gain * given, minlength=problem.households).astype(float)
    extra = np.divide(extra, problem.gain, out=np.zeros_like(extra), where=problem.gain > 0)
    # Places of a kind in the order of what they hand over, beside its households in the order of their gain.
    places = np.lexsort((within[np.argsort(order)], -extra, ~visited, problem.kind))
    holder = np.empty_like(order)
    holder[places] = order  # the place that a household held goes to the one at its rank
    changed = np.zeros_like(visited)
    changed[holder] = visited
    return changed, _handed_over(problem, given, holder)


def _handed_over(problem: Problem, given: Booleans, holder: np.ndarray) -> Booleans:
    """What each place hands over, at its new holder: households of a kind have the same offers in the same order."""
    first = np.searchsorted(problem.home, np.arange(problem.households))
    where = first[holder[problem.home]] + np.arange(problem.offers) - first[problem.home]
    changed = np.zeros_like(given)
    changed[where] = given
    return changed
