"""Made-up households with what they lack, under a policy with limits of every kind: they prove a machine only."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import pandas as pd

from targeting.feasibility import check
from targeting.formulation import problem_of
from targeting.limits import limits_of
from targeting.policy import Policy, policy_of
from targeting.problem import Problem

SEED: Final = 1
KECAMATAN, DESA, POSYANDU_OF_A_DESA = 26, 300, 5
OWNERS: Final = ("dinkes", "dp2kbp3a", "dinsos", "pupr", "disdik")
# Of each service: its price a person [rupiah], the share of households that lack it, and the part of a risk that it is
# known to take away (null: not known). Round numbers, made up.
PRICES: Final = tuple(1_000 * price for price in (20, 50, 80, 150, 300, 500, 900, 1_500, 50, 100, 30, 2_500))
LACKED: Final = np.linspace(0.15, 0.6, len(PRICES))
REDUCTIONS: Final = (0.29, 0.12, 0.36, *(np.nan,) * 9)
BUDGET: Final = 0.05
"""Of what everything lacking would cost, by owner."""
OBJECTIVES: Final = {"find": False, "by_age": True}
"""And whether effects of services are credited."""


def homes_of(count: int, draw: np.random.Generator) -> pd.DataFrame:
    """Households with a risk; a few have much."""
    desa = draw.integers(0, DESA, count)
    team = draw.integers(0, POSYANDU_OF_A_DESA, count)

    def some(share: float) -> np.ndarray:
        return draw.random(count) < share

    return pd.DataFrame(
        {
            "household_id": [f"h{n:07d}" for n in range(count)],
            "region_id": [f"k{n % KECAMATAN:02d}" for n in desa],
            "area_id": [f"d{n:03d}" for n in desa],
            "posyandu_id": [f"p{n:03d}-{m}" for n, m in zip(desa, team, strict=True)],
            "track": np.where(some(0.4), "prevent", "find"),
            "pregnant": some(0.05),
            "under_24_months": some(0.3),
            "never_measured": some(0.1),
            "value": draw.beta(1.2, 4, count) + draw.beta(1.2, 6, count) * some(0.3),
            "unit_count": draw.choice([1, 1, 2], count),
            "stalest_on": pd.Timestamp("2024-01-01"),
        }
    )


def offers_of(homes: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """What each household lacks."""
    home, service = np.nonzero(draw.random((len(homes), len(PRICES))) < LACKED)
    persons = draw.choice([1, 1, 2], home.size)
    return pd.DataFrame(
        {
            "household_id": homes.household_id.to_numpy()[home],
            "service": [f"s{n:02d}" for n in service],
            "owner": np.array(OWNERS)[service % len(OWNERS)],
            "persons": persons,
            "cost_idr": np.array(PRICES)[service] * persons,
            "reduction": np.array(REDUCTIONS)[service],
        }
    )


def policy(objective: str, households: int, offers: pd.DataFrame) -> Policy:
    """A tenth is visited, under rules of every kind."""
    lacking = offers.groupby("owner").cost_idr.sum()
    asked = {
        "version": "1", "name": "benchmark", "round": "benchmark",
        "objective": objective, "credit_effects": OBJECTIVES[objective], "capacity": {"share": 0.1},
        "floors": {"region": {"share": 0.04}, "area": {"share": 0.02}}, "quotas": {"area": {"share": 0.3}},
        "reserves": {"pregnant": 0.1, "under_24_months": 0.4},
        "workload": {"most": max(3, households * 3 // (10 * DESA * POSYANDU_OF_A_DESA)), "equal_share": 0.2},
        "budgets_idr": {owner: int(BUDGET * cost) for owner, cost in lacking.items()},
    }  # fmt: skip
    return policy_of(asked, of="the benchmark")


def prepared(households: int, objective: str) -> tuple[Problem, float]:
    """The problem, and the processor seconds it took from tables and policy."""
    draw = np.random.default_rng(SEED)
    homes = homes_of(households, draw)
    offers = offers_of(homes, draw)
    rules = policy(objective, households, offers)
    start = time.process_time()
    limits = limits_of(rules, homes)
    check(limits, policy=rules, homes=homes)
    return problem_of(rules, limits, homes, offers), time.process_time() - start
