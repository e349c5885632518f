"""The limits of a round, and the orders tried under them beside its plan: today's rules, shares and lots; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.allocation import allocate, by_order
from targeting.floors import shares_rounded
from targeting.formulation import lot, problem_of
from targeting.limits import limits_of
from targeting.plan import in_regions
from targeting.plan_offers import offers_of
from targeting.plan_words import Said

if TYPE_CHECKING:
    from targeting.allocation import Allocation
    from targeting.limits import Limits
    from targeting.policy import Policy
    from targeting.problem import Floats, Problem

PLAN: Final = "plan"
KRS: Final = "krs"
NAMES: Final = {
    PLAN: Said("Rencana ini", "this plan: what reaches most under the limits"),
    KRS: Said("KRS dulu", "KRS families first, then by welfare rank, then by the number of risk factors"),
    "poverty_only": Said("Termiskin dulu", "by welfare decile alone, the poorest first"),
    "equal_share": Said("Bagian sama tiap desa", "the same share of every desa's households, within it by lot"),
    "lottery": Said("Undian", "one lot drawn among all households"),
}
NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """What every order is asked alike: the households, services and limits of one round, without exploration."""

    policy: Policy
    homes: pd.DataFrame
    offers: pd.DataFrame
    limits: Limits
    problem: Problem


def terms_of(policy: Policy, homes: pd.DataFrame, *, needs: pd.DataFrame, menu: pd.DataFrame) -> Terms:
    """What every order is asked; whether the limits fit together is `feasibility`'s to check.

    Raises
    ------
    InputRefused
        The policy names a region, place or service that is not there.
    """
    policy = policy.model_copy(update={"reserves": policy.reserves.model_copy(update={"exploration": 0.0})})
    here, _ = in_regions(policy, homes)
    limits = limits_of(policy, here)
    offers, _ = offers_of(policy, here, needs, menu)
    problem = problem_of(policy, limits, here, offers)
    return Terms(policy=policy, homes=here, offers=offers, limits=limits, problem=problem)


def orders_asked(terms: Terms, orders: pd.DataFrame) -> dict[str, Floats]:
    """Scores by the name of the order, higher is sooner. Shape (households,) each."""
    if orders.household_id.duplicated().any():
        raise ValueError("a household stands twice in orders; give each household once, as `orders_of` does.")
    known = orders.set_index("household_id").reindex(terms.homes.household_id)

    def last_if_unknown(name: str) -> Floats:
        return np.asarray(known[name].astype(float).fillna(-np.inf), dtype=float)

    return {
        KRS: last_if_unknown("krs_rank_count"),
        "poverty_only": last_if_unknown("poverty_only"),
        "equal_share": _equal_share(terms),
        "lottery": -_lots(terms, of="lottery"),
    }


def followed(problem: Problem, order: Floats) -> Allocation:
    """An order under the limits: down the list, or as near to it as keeps every least amount.

    Where going down leaves a least amount short, those households go first whose places on the list add up to most
    under all limits.
    """
    made = by_order(problem, order)
    if problem.keeps(made.visited, made.given):
        return made
    place = np.empty(problem.households)
    place[np.lexsort((problem.lot, -order))] = np.arange(problem.households, 0, -1) / problem.households
    none = np.zeros(0, dtype=np.int64)
    visits = replace(
        problem, gain=place, home=none, offer_gain=none.astype(float), credited=none.astype(bool),
        use=problem.use[:, : problem.households],
    )  # fmt: skip
    first = allocate(visits).visited
    return by_order(replace(problem, least=np.zeros_like(problem.least)), place + first)


def _equal_share(terms: Terms) -> Floats:
    """First as many of each desa as its share of the visits is, then the others, both spread over all desa."""
    area = terms.homes.area_id.astype("string").fillna(NOT_KNOWN).astype(object)
    counts = area.value_counts()
    places = shares_rounded(terms.limits.visits / len(area), counts, salt=terms.policy.round)
    turn = pd.Series(_lots(terms, of="equal_share"), index=area.index).groupby(area).rank(method="first")
    first = turn <= area.map(places)
    order: Floats = (2.0 * first - (turn - 0.5) / area.map(counts)).to_numpy(float)
    return order


def _lots(terms: Terms, *, of: str) -> Floats:
    return np.array([lot(f"{terms.policy.round}|{of}", name) for name in terms.homes.household_id])
