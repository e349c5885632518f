"""The plan of someone who goes down a list: the fallback, and how today's orders fare under the same limits; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from targeting.problem import SPARE

if TYPE_CHECKING:
    from targeting.allocation import Allocation
    from targeting.problem import Booleans, Floats, Problem


def greedy(problem: Problem, order: Floats) -> tuple[Booleans, Booleans]:
    """Down the list twice: first those whom a least amount still lacks, then anyone within the limits; then services.

    A least amount that others crowd out may stay short; `Problem.keeps` tells.

    Parameters
    ----------
    order
        A score a household, higher is sooner; equal ones fall by lot. Shape (households,).
    """
    down = np.lexsort((problem.lot, -order))
    used = np.zeros(problem.least.size)
    visited, given = np.zeros(problem.households, dtype=bool), np.zeros(problem.offers, dtype=bool)
    for lacking in (True, False):
        for home in down[~visited[down]]:
            limits, amount = _uses(problem, home)
            wanted = not lacking or bool((used[limits] < problem.least[limits]).any())
            if wanted and _fits(problem, used, limits, amount):
                visited[home] = True
                used[limits] += amount
    _hand_over(problem, down[visited[down]], used, given)
    return visited, given


def hand_over(problem: Problem, by_lot: Booleans, made: Allocation) -> Booleans:
    """What the budgets still allow for households visited by lot, one after another. Shape (offers,)."""
    used, given = problem.used(made.visited, made.given), np.zeros(problem.offers, dtype=bool)
    homes = np.flatnonzero(by_lot)
    _hand_over(problem, homes[np.lexsort((problem.lot[homes], -problem.gain[homes]))], used, given)
    return given


def _hand_over(problem: Problem, homes: np.ndarray, used: Floats, given: Booleans) -> None:
    """Household after household, what is worth most first, while there is budget."""
    start = np.searchsorted(problem.home, np.arange(problem.households + 1))
    for home in homes:
        offers = np.arange(start[home], start[home + 1])
        credited = False
        for offer in offers[np.argsort(-problem.offer_gain[offers], kind="stable")]:
            if problem.credited[offer] and credited:
                continue
            limits, amount = _uses(problem, problem.households + offer)
            if _fits(problem, used, limits, amount):
                given[offer] = True
                used[limits] += amount
                credited |= bool(problem.credited[offer])


def _uses(problem: Problem, column: int) -> tuple[np.ndarray, np.ndarray]:
    span = slice(problem.use.indptr[column], problem.use.indptr[column + 1])
    return problem.use.indices[span], problem.use.data[span]


def _fits(problem: Problem, used: Floats, limits: np.ndarray, amount: np.ndarray) -> bool:
    return bool((used[limits] + amount <= problem.most[limits] + SPARE * problem.scale[limits]).all())
