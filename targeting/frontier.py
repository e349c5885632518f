"""What a round reaches when it is smaller or larger, by this plan and by KRS under the same limits; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from features.errors import InputRefused
from targeting import feasibility
from targeting.allocation import allocate
from targeting.rival_orders import KRS, PLAN, followed, orders_asked, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from targeting.allocation import Allocation
    from targeting.policy import Policy
    from targeting.rival_orders import Terms

Of = Literal["capacity", "budgets"]
FACTORS: Final = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
LARGEST: Final = 1_000.0
"""A round a thousand times as large is another programme, and a slip of the pen."""
MEANINGS: Final = {
    "of": ("Yang diubah", "capacity: the visits; budgets: the rupiah for services"),
    "factor": ("Kali", "how many times what the policy says"),
    "plan": ("Cara", "plan: what reaches most under the limits; krs: KRS families first"),
    "visits": ("Kunjungan", "households visited; null where the limits do not fit"),
    "visits_idr": ("Biaya kunjungan (rupiah)", "cost of the visits, rupiah"),
    "services_idr": ("Biaya layanan (rupiah)", "cost of the services handed over, rupiah"),
    "reached": ("Perkiraan anak stunting terjangkau", "expected stunted children of the households visited"),
    "share": ("Bagian dari semua", "reached, as a share of all that is expected of the households that compete, 0-1"),
    "worth": ("Nilai", "what the plan maximises: children reached, and services by the policy's weights"),
    "gap": ("Jarak ke batas", "how far worth is below the most that any order could have, 0-1"),
    "kept": ("Semua ketentuan terpenuhi", "true: every limit holds, least amounts too"),
    "refused": ("Mengapa tidak ada", "why there is no plan of this size; null where there is one"),
}
"""Column: heading in Indonesian, meaning in English."""


def frontier(
    policy: Policy,
    homes: pd.DataFrame,
    *,
    orders: pd.DataFrame,
    needs: pd.DataFrame,
    menu: pd.DataFrame,
    factors: Sequence[float] = FACTORS,
    of: Of = "capacity",
) -> pd.DataFrame:
    """One row a factor and order, with the columns of `MEANINGS`; the same for any order of rows.

    Only the capacity, or only the budgets, are multiplied; floors and quotas stay as they are, and what is a share of
    the visits grows with them. Exploration is left out, as in `compared`. More never reaches less (`worth`) where no
    rule is a share of the visits and the plan is exact; else it may, by the roundings of those shares and by the gap.

    Parameters
    ----------
    homes, orders, needs, menu
        As for `compared`.
    factors
        Above 0 and at most `LARGEST`; told in ascending order, each once.

    Raises
    ------
    InputRefused
        The policy names what is not there; or there is no budget to multiply. Limits that do not fit together at some
        size are no error: that point is null, with the reason in `refused`.
    ValueError
        A factor is out of range.
    """
    wrong = [factor for factor in factors if not 0 < factor <= LARGEST]
    if wrong or not factors:
        found = f"{wrong[0]:g} is a factor" if wrong else "there is no factor"
        raise ValueError(f"{found}; allowed: above 0 to {LARGEST:g}. Give 1 for what the policy says.")
    rows: list[dict[str, Any]] = []
    for factor in sorted(set(factors)):
        terms = terms_of(_scaled(policy, factor, of=of), homes, needs=needs, menu=menu)
        rows += ({"of": of, "factor": factor, **row} for row in _rows(terms, orders))
    return pd.DataFrame(rows, columns=list(MEANINGS)).astype({"visits": "Int64", "visits_idr": "Int64",
        "services_idr": "Int64", "kept": "boolean", "refused": "string"})  # fmt: skip


def _scaled(policy: Policy, factor: float, *, of: Of) -> Policy:
    if of == "capacity":
        capacity = policy.capacity
        if capacity.share is not None:
            changed: dict[str, float] = {"share": min(capacity.share * factor, 1.0)}
        else:
            amount = (capacity.amount or 0.0) * factor
            changed = {"amount": float(math.floor(amount + 0.5)) if capacity.unit == "visits" else amount}
        return policy.model_copy(update={"capacity": capacity.model_copy(update=changed)})
    if not any(policy.budgets_idr.values()):
        raise InputRefused(
            "a policy without an amount in budgets_idr", "an owner with rupiah for services", "Give one an amount."
        )
    budgets = {owner: None if most is None else round(most * factor) for owner, most in policy.budgets_idr.items()}
    return policy.model_copy(update={"budgets_idr": budgets})


def _rows(terms: Terms, orders: pd.DataFrame) -> Iterator[dict[str, Any]]:
    try:
        feasibility.check(terms.limits, policy=terms.policy, homes=terms.homes)
    except InputRefused as refusal:
        yield from ({"plan": name, "refused": str(refusal)} for name in (PLAN, KRS))
        return
    best = allocate(terms.problem)
    yield _point(terms, best, bound=best.bound) | {"plan": PLAN}
    yield _point(terms, followed(terms.problem, orders_asked(terms, orders)[KRS]), bound=best.bound) | {"plan": KRS}


def _point(terms: Terms, made: Allocation, *, bound: float) -> dict[str, Any]:
    value, visits = terms.homes.value.to_numpy(float), int(made.visited.sum())
    reached, expected = float(value[made.visited].sum()), float(value.sum())
    return {
        "visits": visits,
        "visits_idr": visits * terms.policy.visit.cost_idr,
        "services_idr": int(terms.offers.cost_idr[made.given].sum()),
        "reached": reached,
        "share": reached / expected if expected > 0 else np.nan,
        "worth": made.reached,
        "gap": max(bound - made.reached, 0.0) / bound if bound > 0 else 0.0,
        "kept": terms.problem.keeps(made.visited, made.given),
    }
