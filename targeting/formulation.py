"""Policy, limits, households and offers -> the problem that `allocation` solves; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import sparse

from targeting.problem import Problem

if TYPE_CHECKING:
    from targeting.limits import Limits
    from targeting.policy import Policy
    from targeting.problem import Booleans, Floats

GAIN_DECIMALS: Final = 9  # below this a difference is floating-point noise
DRAWN: Final = 2**52  # lots are of so many values, each exact as a float


def problem_of(policy: Policy, limits: Limits, homes: pd.DataFrame, offers: pd.DataFrame) -> Problem:
    """What is solved; rows as in `homes` and `offers`.

    Parameters
    ----------
    homes
        household_id, value [children], track, unit_count, stalest_on and the columns of `limits_of`, in the order that
        `limits` was made of.
    offers
        household_id, service, owner, persons, cost_idr and reduction [of the risk, 0-1; null: no effect is credited]: a
        row an unmet service that may be handed over, by household in the order of `homes`, and by service.
    """
    home = pd.Index(homes.household_id).get_indexer(offers.household_id)
    value = homes.value.to_numpy(float).round(GAIN_DECIMALS)
    visit, worth, credited = per_child(policy, homes, offers)
    budgets: dict[str, int] = {owner: amount for owner, amount in policy.budgets_idr.items() if amount is not None}
    return Problem(
        gain=value * visit,
        home=home.astype(np.int64),
        offer_gain=value[home] * worth,
        credited=credited,
        use=_use(limits, homes, offers, budgets),
        least=np.array([*(line.least for line in limits.lines), *(0.0 for _ in budgets)], dtype=float),
        most=np.array([*(line.most for line in limits.lines), *budgets.values()], dtype=float),
        kind=_kinds(limits, homes, offers, home=home, worth=worth),
        lot=lots(policy, homes),
    )


def per_child(policy: Policy, homes: pd.DataFrame, offers: pd.DataFrame) -> tuple[Floats, Floats, Booleans]:
    """What a visit and what each offer is worth for each child that is expected to be stunted, and who is credited.

    Shapes (households,), (offers,) and (offers,).
    """
    home = pd.Index(homes.household_id).get_indexer(offers.household_id)
    credit = policy.credit_effects & (homes.track == "prevent").to_numpy()
    credited = credit[home] & offers.reduction.notna().to_numpy()
    persons = np.minimum(offers.persons.to_numpy(float) / homes.unit_count.to_numpy(float)[home], 1.0)
    worth = np.where(credited, offers.reduction.fillna(0.0).to_numpy(float) * persons, policy.service_worth)
    return np.where(credit, policy.service_worth, 1.0), worth, credited


def names_of(policy: Policy, limits: Limits) -> list[tuple[str, str]]:
    """The rule and the place of each limit of the problem, in its order; a budget's place is the owner."""
    budgets = [("budgets_idr", owner) for owner, amount in policy.budgets_idr.items() if amount is not None]
    return [*((line.rule, line.place) for line in limits.lines), *budgets]


def lots(policy: Policy, homes: pd.DataFrame) -> np.ndarray:
    """Who comes first of equal households, the least first. Shape (households,)."""
    drawn = np.array([lot(policy.round, name) for name in homes.household_id])
    if policy.ties == "lot":
        return drawn
    days = pd.to_datetime(homes.stalest_on).rank(method="dense", na_option="top").to_numpy()
    return days + drawn


def lot(salt: str, name: str) -> float:
    """A number of [0, 1) that nobody chose: the start of SHA-256 of `salt|name`."""
    return int(hashlib.sha256(f"{salt}|{name}".encode()).hexdigest()[:13], 16) / DRAWN


def _use(limits: Limits, homes: pd.DataFrame, offers: pd.DataFrame, budgets: dict[str, int]) -> sparse.csc_array:
    sizes = [line.members.size for line in limits.lines]
    row = [np.repeat(np.arange(len(sizes)), sizes)]
    column = [line.members for line in limits.lines]
    amount = [np.ones(sum(sizes))]
    for place, owner in enumerate(budgets, start=len(sizes)):
        own = np.flatnonzero((offers.owner == owner).to_numpy() & (offers.cost_idr > 0).to_numpy())
        row.append(np.full(own.size, place))
        column.append(len(homes) + own)
        amount.append(offers.cost_idr.to_numpy(float)[own])
    shape = (len(sizes) + len(budgets), len(homes) + len(offers))
    return sparse.csc_array((np.concatenate(amount), (np.concatenate(row), np.concatenate(column))), shape=shape)


def _kinds(
    limits: Limits, homes: pd.DataFrame, offers: pd.DataFrame, *, home: np.ndarray, worth: np.ndarray
) -> np.ndarray:
    """Households that take the same of every limit and are offered the same have one number."""
    marks = np.random.default_rng(0).integers(1, 2**63, size=len(limits.lines), dtype=np.uint64)
    sums = np.zeros(len(homes), dtype=np.uint64)
    for line, mark in zip(limits.lines, marks, strict=True):
        sums[line.members] += mark
    each = pd.util.hash_pandas_object(
        offers[["service", "owner", "persons", "cost_idr"]].assign(worth=worth), index=False
    ).to_numpy()
    np.add.at(sums, home, each)
    return pd.factorize(pd.MultiIndex.from_arrays([sums, homes.track]))[0].astype(np.int64)
