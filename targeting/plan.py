"""A policy, households and their unmet services -> a plan, with why each household is on it or not; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.errors import InputRefused
from targeting import feasibility
from targeting.allocation import allocate
from targeting.formulation import lots, names_of, problem_of
from targeting.limits import NAMED, limits_of
from targeting.plan_lots import drawn
from targeting.plan_tables import Solved, left_out, limit_lines, lines, service_lines

if TYPE_CHECKING:
    from targeting.allocation import Method
    from targeting.policy import Policy

OFFER: Final = ["household_id", "service", "owner", "persons", "cost_idr", "reduction"]


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
        Expected stunted children of the households visited, those by lot among them. [children]
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
    feasibility.check(limits, households=len(here))
    offers, notes = offers_of(policy, here, needs, menu)
    problem = problem_of(policy, limits, here, offers)
    made = allocate(problem)
    by_lot = drawn(limits, here.household_id.tolist(), made.visited, salt=policy.round)
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
        notes=(*limits.notes, *notes),
    )


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


def offers_of(
    policy: Policy, homes: pd.DataFrame, needs: pd.DataFrame, menu: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Unmet services that may be handed over, by household and service; and what a planner should know of the rest."""
    unknown = sorted(set(policy.services or ()) - set(menu.index))
    if unknown:
        raise InputRefused(
            f"services that the menu does not have: {', '.join(unknown)}",
            f"codes of docs/services.md, among them {', '.join(sorted(menu.index)[:NAMED])}",
            "Correct the codes under `services`.",
        )
    unmet = needs[(needs.status == "unmet") & needs.household_id.isin(homes.household_id)]
    unmet = unmet.astype({"household_id": "object", "service": "object"})
    if policy.services is not None:
        unmet = unmet[unmet.service.isin(policy.services)]
    unmet = unmet.assign(owner=unmet.service.map(menu.owner), reduction=unmet.service.map(menu.reduction))
    funded = unmet.owner.isin(list(policy.budgets_idr))
    notes = [
        f"{owner} has no line in budgets_idr: {len(rows):,} unmet services of it are named, and not handed over"
        for owner, rows in unmet[~funded].groupby("owner")
    ]
    offers = unmet.loc[funded, OFFER].sort_values(["household_id", "service"], ignore_index=True)
    return offers, notes


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
        worth=made.reached,
        bound=made.bound,
        gap=made.gap,
        method=made.method,
        cost_idr={"visits": int(visited.sum()) * solved.policy.visit.cost_idr, **cost},
    )
