"""The linear relaxation: visits and offers may be taken in parts; its value is a bound, its duals are prices.

References
----------
Huangfu, Hall. Parallelizing the dual revised simplex method. *Mathematical Programming Computation* 2018; 10: 119-142
(HiGHS).

Bixby et al. Very large-scale linear programming: a case study in combining interior point and simplex methods.
*Operations Research* 1992; 40: 885-897 (sifting).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from targeting.problem import Problem, bound, left

if TYPE_CHECKING:
    from targeting.problem import Booleans, Floats, Integers

WHOLE_UP_TO: Final = 3_000
"""Households of which everything is open to the solver: its time grows faster than they do."""
SAMPLE: Final = 1_500
"""Least households of a sample."""
THINNEST: Final = 5
"""A sample is at least every fifth household; a large one has a sample of its own."""
NEAR: Final = 0.05
"""Prices of before settle what they leave this far from even. [share of what a visit, or an offer, is worth]"""
WIDER: Final = 1.5
"""`NEAR` grows by it from round to round, so that in the end all is open."""
ROUNDS: Final = 40
SAME: Final = 1e-9
"""A plan that is this near the bound is the best one. [share of the bound]"""
ROUGH: Final = 1e-3
"""The same for a sample, which only has to show what is open."""
DEAR: Final = (10.0, 1e4)
"""What it costs to lack one unit of a least amount, in visits of the highest worth: the second where the first was
paid. So there is always a plan among the open, and its prices call in whoever is lacking."""
LACKING: Final = 1e-6  # of a limit's largest use: less than this is the solver's tolerance


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The best plan in parts.

    Parameters
    ----------
    visited, given
        Parts 0-1. Shapes (households,) and (offers,).
    price
        What one more unit of each limit is worth; negative where a least amount costs. Shape (limits,). [children]
    """

    visited: Floats
    given: Floats
    price: Floats


@dataclass(frozen=True, eq=False)
class _Doubt:
    """What is open; the rest is settled.

    Parameters
    ----------
    homes
        Households that may be visited; the others are not. Shape (households,).
    offers
        The solver decides on them. Shape (offers,).
    sure
        Of the others, those that go with the visit of their household, as if they were one. Shape (offers,).
    """

    homes: Booleans
    offers: Booleans
    sure: Booleans


@dataclass(frozen=True, eq=False)
class _Found:
    """The best plan in parts, under limits whose least amounts may lack something at a cost.

    Parameters
    ----------
    value
        What it reaches, less that cost. [children]
    lacking
        The most that any of them lacks. [its largest use]
    """

    plan: Relaxed
    value: float
    lacking: float


def relaxed(problem: Problem) -> Relaxed | None:
    """The best plan in parts; None when the solver finds none.

    Of many households only what is in doubt is handed to the solver. Prices of a sample tell who is far from a visit,
    and what would surely, or never, be handed over on it. Whatever new prices tell otherwise is opened, until the plan
    is worth as much as the bound on all plans: the result is the same.
    """
    for dear in DEAR if problem.households > WHOLE_UP_TO else ():
        found = _sifted(problem, dear=dear, gap=SAME)
        if found is not None and found.lacking <= LACKING:
            return found.plan
    found = _solved(problem, _all_open(problem), dear=None)
    return None if found is None else found.plan


def _sifted(problem: Problem, *, dear: float, gap: float) -> _Found | None:
    if problem.households <= WHOLE_UP_TO:
        return _solved(problem, _all_open(problem), dear=dear)
    sample = _sample(problem)
    found = _sifted(sample, dear=dear, gap=ROUGH)
    if found is None:
        return None
    visit = sample.worth(found.plan.visited, found.plan.given) / max(found.plan.visited.sum(), 1.0)
    doubt, near = _doubt(problem, found.plan.price, visit=visit, near=NEAR), NEAR
    for _ in range(ROUNDS):
        found = _solved(problem, doubt, dear=dear)
        if found is None:
            return None
        best, near = bound(problem, found.plan.price), near * WIDER
        more = _more(problem, doubt, _doubt(problem, found.plan.price, visit=visit, near=near))
        if best - found.value <= gap * abs(best) or more is None:
            return found
        doubt = more
    return found


def _sample(problem: Problem) -> Problem:
    """An even part of the households, with the same part of every limit."""
    step = max(2, min(THINNEST, problem.households // SAMPLE))
    homes = np.arange(0, problem.households, step)
    offers = np.flatnonzero(problem.home % step == 0)
    share = homes.size / problem.households
    return replace(
        problem,
        gain=problem.gain[homes], home=problem.home[offers] // step, offer_gain=problem.offer_gain[offers],
        credited=problem.credited[offers], use=problem.use[:, np.concatenate([homes, problem.households + offers])],
        least=problem.least * share, most=problem.most * share, kind=problem.kind[homes], lot=problem.lot[homes],
    )  # fmt: skip


def _all_open(problem: Problem) -> _Doubt:
    every = np.ones(problem.offers, dtype=bool)
    return _Doubt(np.ones(problem.households, dtype=bool), every, ~every)


def _doubt(problem: Problem, price: Floats, *, visit: float, near: float) -> _Doubt:
    """What `price` leaves open; `visit` is what one is worth, about. [children]"""
    worth = left(problem, price)
    lead, margin = _lead(problem, worth.offer), near * _stake(problem)
    return _Doubt(worth.household >= -near * visit, np.abs(lead) <= margin, lead > margin)


def _more(problem: Problem, doubt: _Doubt, now: _Doubt) -> _Doubt | None:
    """What was open, and what is so `now` or settled the other way; None when that is no more."""
    other = (now.offers | (now.sure != doubt.sure)) & now.homes[problem.home]
    homes, offers = doubt.homes | now.homes, doubt.offers | other
    if homes.sum() == doubt.homes.sum() and offers.sum() == doubt.offers.sum():
        return None
    return _Doubt(homes, offers, doubt.sure & ~offers)


def _stake(problem: Problem) -> Floats:
    """What is gained by an offer; by a credited one, as much as by the best of its household. Shape (offers,)."""
    best = np.zeros(problem.households)
    np.maximum.at(best, problem.home, np.where(problem.credited, problem.offer_gain, 0.0))
    return np.where(problem.credited, best[problem.home], problem.offer_gain)


def _lead(problem: Problem, worth: Floats) -> Floats:
    """How far each offer is before its alternative: nothing, or another credited one. Shape (offers,). [children]"""
    lead = worth.copy()
    some = np.flatnonzero(problem.credited)
    order = some[np.lexsort((-worth[some], problem.home[some]))]
    if order.size:
        home = problem.home[order]
        first = np.r_[True, home[1:] != home[:-1]]
        best = worth[order][first][np.cumsum(first) - 1]
        second = np.where(np.r_[first[1:], True], 0.0, np.r_[worth[order][1:], 0.0])
        lead[order] = worth[order] - np.maximum(np.where(first, second, best), 0.0)
    return lead


def _solved(problem: Problem, doubt: _Doubt, *, dear: float | None) -> _Found | None:
    """The best plan of what is open; least amounts are kept, or lack something at the cost `dear`."""
    homes = np.flatnonzero(doubt.homes)
    offers, sure = (np.flatnonzero(some & doubt.homes[problem.home]) for some in (doubt.offers, doubt.sure))
    gain, limits = _columns(problem, homes, offers, sure)
    above, below = np.isfinite(problem.most), problem.least > 0
    rows, lacks = within(problem, homes, offers), 0 if dear is None else int(below.sum())
    unit = gain.max(initial=0.0) or 1.0  # the solver's tolerances are absolute: small gains would be lost in them
    made = linprog(
        np.concatenate([-gain / unit, np.full(lacks, dear or 0.0)]),
        A_ub=sparse.block_array(
            [[sparse.vstack([rows, limits[above]]), None], [-limits[below], -sparse.eye_array(below.sum(), lacks)]]
        ).tocsr(),
        b_ub=np.concatenate(
            [np.zeros(rows.shape[0]), (problem.most / problem.scale)[above], -(problem.least / problem.scale)[below]]
        ),
        bounds=np.array([[0.0, 1.0]] * gain.size + [[0.0, np.inf]] * lacks),
        method="highs-ds",
    )
    if made.status != 0:
        return None
    # Rounding may leave a dual below 0, and one of a limit without end would make the bound endless.
    price, dual = np.zeros(problem.least.size), np.maximum(-unit * made.ineqlin.marginals[rows.shape[0] :], 0.0)
    price[above] += dual[: above.sum()]
    price[below] -= dual[above.sum() :]
    visited, given, lacking = np.zeros(problem.households), np.zeros(problem.offers), made.x[gain.size :]
    visited[homes], given[offers] = made.x[: homes.size], made.x[homes.size : gain.size]
    given[sure] = visited[problem.home[sure]]
    value = problem.worth(visited, given) - unit * (dear or 0.0) * float(lacking.sum())
    return _Found(Relaxed(visited, given, price / problem.scale), value, float(lacking.max(initial=0.0)))


def _columns(problem: Problem, homes: Integers, offers: Integers, sure: Integers) -> tuple[Floats, sparse.csr_array]:
    """What visits, with all that is sure, and offers are worth [children], and what they take of each limit's scale."""
    on_visit = sparse.csc_array(
        (np.ones(sure.size), (np.arange(sure.size), np.searchsorted(homes, problem.home[sure]))),
        shape=(sure.size, homes.size),
    )
    taken = [problem.use[:, homes] + problem.use[:, problem.households + sure] @ on_visit]
    taken.append(problem.use[:, problem.households + offers])
    gain = np.concatenate([problem.gain[homes] + problem.offer_gain[sure] @ on_visit, problem.offer_gain[offers]])
    return gain, sparse.csr_array(sparse.hstack(taken).tocsr() / problem.scale[:, None])


def within(problem: Problem, homes: Integers, offers: Integers) -> sparse.csr_array:
    """Rows that are at most 0: an offer needs its household's visit, and of the credited ones there is one a visit.

    Columns are the households, then the offers, as given.
    """
    place = np.full(problem.households, -1)
    place[homes] = np.arange(homes.size)
    at, credited = place[problem.home[offers]], problem.credited[offers]
    alone, once = np.flatnonzero(~credited), np.flatnonzero(credited)
    owners, group = np.unique(at[once], return_inverse=True)
    count = alone.size + owners.size
    each, grouped = np.arange(alone.size), np.arange(alone.size, count)
    row = np.concatenate([each, each, alone.size + group, grouped])
    column = np.concatenate([homes.size + alone, at[alone], homes.size + once, owners])
    sign = np.concatenate([np.ones(alone.size), -np.ones(alone.size), np.ones(once.size), -np.ones(owners.size)])
    return sparse.csr_array((sign, (row, column)), shape=(count, homes.size + offers.size))
