"""A policy, households and their unmet services -> a plan, with why each household is on it or not; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.errors import InputRefused
from targeting import feasibility
from targeting.allocation import allocate
from targeting.formulation import lots, names_of, problem_of
from targeting.greedy import hand_over
from targeting.limits import NAMED, limits_of
from targeting.plan_lots import drawn
from targeting.plan_offers import offers_of
from targeting.plan_prices import limit_lines
from targeting.plan_tables import Solved, left_out, lines, service_lines

if TYPE_CHECKING:
    from targeting.allocation import Method
    from targeting.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a plan comes to.

    Parameters
    ----------
    competing
        Households that could be chosen, and `expected` stunted children among them.
    visits, by_lot
        Of the round, and those of them that fall by lot.
    reached
        Expected stunted children of the households visited, those by lot among them; on both tracks together, though
        one is of today and the other at 24 months. [children]
    reached_by, expected_by
        The same by track. [children]
    worth, bound, gap
        What was maximised, the most that any plan could have (`allocation`), and how far below it this one is. [0-1]
    cost_idr
        Of the visits, and of the services by owner.
    """

    competing: int
    expected: float
    visits: int
    by_lot: int
    reached: float
    reached_by: dict[str, float]
    expected_by: dict[str, float]
    worth: float
    bound: float
    gap: float
    method: Method
    cost_idr: dict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Whom to visit, in order, what to hand over, and why.

    Parameters
    ----------
    lines
        The households to visit by `rank`; see `plan_tables.lines`.
    left_out
        Every other household with a score, and what kept it out; see `plan_tables.left_out`.
    services
        Every unmet, unknown or received service of a visited household; see `plan_tables.service_lines`.
    limits
        What each limit allows, what is used, and what a little more of it would reach; see `plan_tables.limit_lines`.
    """

    policy: Policy
    lines: pd.DataFrame
    left_out: pd.DataFrame
    services: pd.DataFrame
    limits: pd.DataFrame
    figures: Figures
    notes: tuple[str, ...]


def plan(policy: Policy, homes: pd.DataFrame, *, apart: pd.DataFrame, needs: pd.DataFrame, menu: pd.DataFrame) -> Plan:
    """The plan that reaches most under the policy; the same for any order of rows.

    Parameters
    ----------
    homes, apart
        See `candidates`; `homes` with the columns that a list shows.
    needs
        household_id, service, status, persons, cost_idr, why_id, why_en; see `needs`.
    menu
        By service code: `owner`, `name_id`, `name_en` and `reduction`.

    Raises
    ------
    InputRefused
        The policy names what is not there, or its rules cannot all be kept.
    """
    here, elsewhere = in_regions(policy, homes)
    limits = limits_of(policy, here)
    if not limits.visits:
        raise InputRefused(
            "a policy that pays for no visit", "one visit or more", "Raise `capacity`, or lower what a visit takes."
        )
    feasibility.check(limits, policy=policy, homes=here)
    offers, notes = offers_of(policy, here, needs, menu)
    problem = problem_of(policy, limits, here, offers)
    made = allocate(problem)
    by_lot = drawn(limits, here.household_id.tolist(), made.visited, salt=policy.round)
    made = replace(made, given=made.given | hand_over(problem, by_lot, made))
    solved = Solved(
        policy=policy, limits=limits, problem=problem, made=made, by_lot=by_lot, homes=here, offers=offers,
        names=names_of(policy, limits), lot=lots(policy, here),
    )  # fmt: skip
    return Plan(
        policy=policy,
        lines=lines(solved, needs=needs, menu=menu),
        left_out=left_out(solved, apart=pd.concat([apart, elsewhere], ignore_index=True)),
        services=service_lines(solved, needs=needs, menu=menu),
        limits=limit_lines(solved),
        figures=_figures(solved),
        notes=(*limits.notes, *_of_places(policy, here, apart), *_kept(solved), *notes),
    )


def _of_places(policy: Policy, homes: pd.DataFrame, apart: pd.DataFrame) -> list[str]:
    """Places under a floor that nobody competes for, and whom a reserve cannot see."""
    found = []
    for level, column in (("region", "region_id"), ("area", "area_id")):
        silent = set(apart[column].dropna()) - set(homes[column].dropna())
        if level in policy.floors and silent and policy.regions is None:
            found.append(f"floors.{level}: {len(silent):,} of them have no household that competes, and no visit")
    if policy.objective == "find" and policy.reserves.pregnant:
        found.append("reserves.pregnant with the objective find: who has no child yet has no risk now, and is left out")
    return found


def _kept(solved: Solved) -> list[str]:
    """Visits that the limits leave unused, and limits that a greedy plan could not keep."""
    found, limits, made = [], solved.limits, solved.made
    unused = limits.visits - int((made.visited | solved.by_lot).sum())
    if unused:
        found.append(
            f"{unused:,} of {limits.visits:,} visits are not used: the other limits leave no household for them"
        )
    short = solved.problem.used(made.visited, made.given) < solved.problem.least - 1e-6
    rules = dict.fromkeys(rule for (rule, _), is_so in zip(solved.names, short, strict=True) if is_so)
    if rules:
        found.append(f"not kept by this plan, which is {made.method}: {', '.join(rules)}")
    return found


def in_regions(policy: Policy, homes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Households of the regions asked for, by identifier, and the others with why."""
    homes = homes.sort_values("household_id", ignore_index=True)
    if policy.regions is None:
        inside = np.ones(len(homes), dtype=bool)
    else:
        known = sorted(map(str, homes.region_id.dropna().unique()))
        unknown = [name for name in policy.regions if name not in known]
        if unknown:
            raise InputRefused(
                f"regions that no household is in: {', '.join(unknown)}",
                f"{len(known)} regions, among them {', '.join(known[:NAMED])}",
                "Correct the identifiers under `regions`.",
            )
        inside = homes.region_id.isin(policy.regions).to_numpy()
    others = homes.loc[~inside, ["household_id", "region_id", "area_id"]].assign(why="other region")
    return homes[inside].reset_index(drop=True), others


def _figures(solved: Solved) -> Figures:
    made, homes = solved.made, solved.homes
    visited = made.visited | solved.by_lot
    spent = solved.offers[made.given].groupby("owner").cost_idr.sum()
    cost: dict[str, int] = {owner: int(spent.get(owner, 0)) for owner in solved.policy.budgets_idr}
    return Figures(
        competing=len(homes),
        expected=float(homes.value.sum()),
        visits=int(visited.sum()),
        by_lot=int(solved.by_lot.sum()),
        reached=float(homes.value[visited].sum()),
        reached_by=_by_track(homes[visited]),
        expected_by=_by_track(homes),
        worth=made.reached,
        bound=made.bound,
        gap=made.gap,
        method=made.method,
        cost_idr={"visits": int(visited.sum()) * solved.policy.visit.cost_idr, **cost},
    )


def _by_track(homes: pd.DataFrame) -> dict[str, float]:
    return {str(track): float(value) for track, value in homes.groupby("track").value.sum().items()}
