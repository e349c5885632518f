"""What each limit of a solved plan allows, what is used of it, and what a little more would reach; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.limits import CAPACITY
from targeting.plan_words import price_said, rule_said

if TYPE_CHECKING:
    from targeting.plan_tables import Solved
    from targeting.problem import Floats

BUDGETS: Final = "budgets_idr"
GROWING: Final = ("prevent_share", "reserves.", "workload.equal_share")
"""Rules that are shares of the visits: with more visits, their limits grow too."""


def limit_lines(solved: Solved) -> pd.DataFrame:
    """Every limit: `rule`, `place`, `unit` (visits or rupiah), `least`, `most` [null: none], `used`, `price`, words.

    `most` and `used` are of all visits, with those by lot, for the capacity and where a policy says a most itself; else
    of those chosen by value. `price` is what one more unit of `most`, or one fewer of `least`, would add, about;
    that of the capacity counts that shares of the visits grow with it. [children, as the objective counts them]
    """
    problem = solved.problem
    price = _prices(solved)
    most, used = _as_the_policy_says(solved)
    room = _room(solved)
    said = [
        price_said(rule, place, price[n], least=problem.least[n], room=room[n], objective=solved.policy.objective)
        for n, (rule, place) in enumerate(solved.names)
    ]
    words = [rule_said(rule, place) for rule, place in solved.names]
    return pd.DataFrame(
        {
            "rule": [rule for rule, _ in solved.names],
            "place": [place for _, place in solved.names],
            "unit": ["rupiah" if rule == BUDGETS else "visits" for rule, _ in solved.names],
            "least": problem.least,
            "most": np.where(np.isfinite(most), most, np.nan),
            "used": used,
            "price": price,
            "limit_id": [one.id for one in words],
            "limit_en": [one.en for one in words],
            "price_id": [one.id if one else "" for one in said],
            "price_en": [one.en if one else "" for one in said],
        }
    )


def _prices(solved: Solved) -> Floats:
    """The prices of the limits, that of the capacity with what it does to the limits that are shares of it."""
    problem, price = solved.problem, solved.made.price.copy()
    chosen = max(solved.limits.visits - solved.limits.by_lot, 1)
    for place, (rule, _) in enumerate(solved.names):
        if rule.startswith(GROWING):
            bound = problem.most[place] if price[place] > 0 else problem.least[place]
            price[0] += price[place] * (bound / chosen if np.isfinite(bound) else 0.0)
    return price


def _as_the_policy_says(solved: Solved) -> tuple[Floats, Floats]:
    """Most and used of each limit, with the visits by lot where the policy's own number is of all visits."""
    problem, made = solved.problem, solved.made
    most, used = problem.most.copy(), problem.used(made.visited, made.given)
    for place, line in enumerate(solved.limits.lines):
        if line.rule == CAPACITY:
            most[place], used[place] = solved.limits.visits, (made.visited | solved.by_lot).sum()
        elif np.isfinite(line.ceiling):
            most[place] = line.ceiling
            used[place] += solved.by_lot[line.members].sum()
    return most, used


def _room(solved: Solved) -> list[int]:
    """Households of each limit that are not visited yet: more visits than these cannot be had; budgets have no such."""
    visited = solved.made.visited | solved.by_lot
    room = [int((~visited[line.members]).sum()) for line in solved.limits.lines]
    return [*room, *(0 for _ in range(len(solved.names) - len(room)))]
