"""From parts to whole visits: an integer program over those near the cut, or over all where they are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from targeting.problem import left
from targeting.relaxation import within

if TYPE_CHECKING:
    from targeting.problem import Booleans, Integers, Problem
    from targeting.relaxation import Relaxed

EXACT_UP_TO: Final = (150, 600)
"""Households and offers that are solved in whole numbers from the start."""
WHOLE: Final = 1e-6
NEAR: Final = (100, 400, 1_600)
"""How many nearest to the cut are decided anew, with those in parts; more when there is no plan among them."""
GAP: Final = 2e-4  # of what is reached: an integer program that is this near its own bound is done
FINE: Final = 1e4
"""Gains are multiplied by it: HiGHS takes differences of 1e-6 for none."""
UNIT: Final = 1e5
"""Rupiah that HiGHS sees as one: it overdraws a limit by some 1e-6, and so by less than a rupiah."""
SPARES: Final = (0.0, 1e-6, 1e-5)
"""Of a limit's largest use, held back in turn: by a hair, HiGHS may still overdraw, or find no plan where there is."""
CUT_SHORT: Final = 1  # scipy's word for it
NODES: Final = 20_000  # a count of nodes ends in the same place on every machine, a time does not


@dataclass(frozen=True, eq=False)
class Free:
    """What is to be decided, and what is settled before.

    Parameters
    ----------
    homes, offers
        Places of the open visits and offers.
    visited, given
        The settled ones; false where open.
    """

    homes: Integers
    offers: Integers
    visited: Booleans
    given: Booleans


def exact(problem: Problem) -> tuple[Booleans, Booleans] | None:
    """The best plan in whole numbers; None when it is not found within `NODES`."""
    free = Free(
        np.arange(problem.households), np.arange(problem.offers),
        np.zeros(problem.households, dtype=bool), np.zeros(problem.offers, dtype=bool),
    )  # fmt: skip
    return _decided(problem, free, gap=0.0)


def rounded(problem: Problem, parts: Relaxed) -> tuple[Booleans, Booleans] | None:
    """A whole plan next to the one in parts; None when none is found there."""
    reached = problem.worth(parts.visited, parts.given)
    for near in NEAR:
        free = _near_the_cut(problem, parts, near=near)
        open_worth = problem.gain[free.homes].sum() + problem.offer_gain[free.offers].sum()
        found = _decided(problem, free, gap=min(0.01, GAP * reached / max(open_worth, 1e-12)))
        if found is not None:
            return found
        if near >= problem.households:
            return None
    return None


def _near_the_cut(problem: Problem, parts: Relaxed, *, near: int) -> Free:
    worth = left(problem, parts.price)
    in_parts = _in_parts(parts.visited)
    in_parts[problem.home[_in_parts(parts.given)]] = True
    is_open = in_parts.copy()
    is_open[np.argsort(np.abs(worth.household), kind="stable")[:near]] = True
    visited = (parts.visited > 0.5) & ~is_open  # noqa: PLR2004 (whole by now)
    offer_open = is_open[problem.home] | _in_parts(parts.given)
    settled = visited[problem.home]
    offer_open[np.flatnonzero(settled)[np.argsort(np.abs(worth.offer[settled]), kind="stable")[:near]]] = True
    given = (parts.given > 0.5) & settled & ~offer_open  # noqa: PLR2004 (whole by now)
    return Free(np.flatnonzero(is_open), np.flatnonzero(offer_open & (is_open | visited)[problem.home]), visited, given)


def _in_parts(taken: np.ndarray) -> Booleans:
    return (taken > WHOLE) & (taken < 1 - WHOLE)


def _decided(problem: Problem, free: Free, *, gap: float) -> tuple[Booleans, Booleans] | None:
    if not free.homes.size + free.offers.size:
        return (free.visited, free.given) if problem.keeps(free.visited, free.given) else None
    for spare in SPARES:
        made = _searched(problem, free, gap=gap, spare=spare)
        if made.status == CUT_SHORT and (made.x is None or gap == 0):
            return None
        if made.x is not None and problem.keeps(*(found := _whole(free, made.x))):
            return found
    return None


def _whole(free: Free, taken: np.ndarray) -> tuple[Booleans, Booleans]:
    visited, given = free.visited.copy(), free.given.copy()
    visited[free.homes[taken[: free.homes.size] > 0.5]] = True  # noqa: PLR2004 (whole)
    given[free.offers[taken[free.homes.size :] > 0.5]] = True  # noqa: PLR2004 (whole)
    return visited, given


def _searched(problem: Problem, free: Free, *, gap: float, spare: float) -> Any:
    columns = np.concatenate([free.homes, problem.households + free.offers])
    used, scale = problem.used(free.visited, free.given), np.minimum(problem.scale, UNIT)
    limits = sparse.csr_array(problem.use[:, columns].tocsr() / scale[:, None])
    most = problem.most - spare * np.where(problem.scale > 1, problem.scale, 0.0)
    return milp(
        -FINE * np.concatenate([problem.gain[free.homes], problem.offer_gain[free.offers]]),
        integrality=1,
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(limits, (problem.least - used) / scale, (most - used) / scale),
            *_links(problem, free),
        ],
        options={"mip_rel_gap": gap, "node_limit": NODES},
    )


def _links(problem: Problem, free: Free) -> list[LinearConstraint]:
    """An offer needs a visit that is open too, or settled; a credited one that no other was settled."""
    is_open = np.isin(problem.home[free.offers], free.homes)
    made = []
    linked = free.offers[is_open]
    if linked.size:
        rows = within(problem, free.homes, linked)
        column = np.concatenate([np.arange(free.homes.size), free.homes.size + np.flatnonzero(is_open)])
        wide = sparse.csr_array(
            (rows.data, column[rows.indices], rows.indptr), shape=(rows.shape[0], free.homes.size + free.offers.size)
        )
        made.append(LinearConstraint(wide, -np.inf, 0))
    apart = np.flatnonzero(~is_open & problem.credited[free.offers])
    if apart.size:
        owner, group = np.unique(problem.home[free.offers[apart]], return_inverse=True)
        taken = np.bincount(problem.home[free.given & problem.credited], minlength=problem.households)[owner]
        rows = sparse.csr_array(
            (np.ones(apart.size), (group, free.homes.size + apart)),
            shape=(owner.size, free.homes.size + free.offers.size),
        )
        made.append(LinearConstraint(rows, -np.inf, 1 - taken))
    return made
