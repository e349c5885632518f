"""A solved plan -> its lines, whom it left out, its services and its limits, each with why; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.formulation import per_child
from targeting.plan_words import APART, BY_LOT, BY_VALUE, kept_out, rule_said
from targeting.problem import left

if TYPE_CHECKING:
    from targeting.allocation import Allocation
    from targeting.limits import Limits
    from targeting.policy import Policy
    from targeting.problem import Floats, Problem

TRACKS: Final = ("prevent", "find")
LOT: Final = "exploration"
VALUE: Final = "value"
SHORT_DECIMALS: Final = 9
OTHER_CHOSEN: Final = "another service with a known effect is handed over"
HALVINGS: Final = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Solved:
    """The problem, its allocation and the lots, with the tables that they are of.

    Parameters
    ----------
    names
        Rule and place of each limit.
    lot
        Equal values fall by it. Shape (households,).
    """

    policy: Policy
    limits: Limits
    problem: Problem
    made: Allocation
    by_lot: np.ndarray
    homes: pd.DataFrame
    offers: pd.DataFrame
    names: list[tuple[str, str]]
    lot: Floats


@dataclass(frozen=True, eq=False)
class _Weighed:
    """What the prices of limits say of each household.

    Parameters
    ----------
    worth
        Beyond what it takes; below 0 it is too dear. Shape (households,). [children]
    dearest, pushing
        The limit whose price weighs most against it, and for it; -1 where none does. Shape (households,).
    pushed
        What least amounts add to it. Shape (households,). [children]
    """

    worth: Floats
    dearest: np.ndarray
    pushing: np.ndarray
    pushed: Floats


def lines(solved: Solved, *, needs: pd.DataFrame, menu: pd.DataFrame) -> pd.DataFrame:
    """The households to visit: `rank`, what a list shows, and why.

    By `value`, then lot; the two tracks take turns by their shares, so that a round cut short serves both. `chosen_for`
    is `value`, `exploration` or the rule without which the household would be too dear, in words as `chosen_for_id` and
    `chosen_for_en`; `chance` of being visited [0-1] and `weight`, one over it; `services` handed over and `unmet`,
    those that are not, as codes; `services_idr` [rupiah].
    """
    homes, visited = solved.homes, solved.made.visited
    weighed = _weighed(solved)
    chosen = np.flatnonzero(visited | solved.by_lot)
    rows = homes.iloc[chosen].reset_index(drop=True)
    others = int((~visited).sum())
    chance = np.where(solved.by_lot[chosen], solved.by_lot.sum() / max(others, 1), 1.0)
    said = [_chosen_for(solved, weighed, int(place)) for place in chosen]
    rows = rows.assign(
        chosen_for=[rule for rule, _, _ in said],
        chosen_for_id=[words_id for _, words_id, _ in said],
        chosen_for_en=[words_en for _, _, words_en in said],
        chance=chance,
        weight=1.0 / chance,
    )
    given = solved.offers[solved.made.given]
    rows = rows.merge(_joined(given, menu), on="household_id", how="left")
    unmet = _plain(needs[(needs.status == "unmet") & needs.household_id.isin(rows.household_id)])
    handed = pd.MultiIndex.from_frame(given[["household_id", "service"]])
    still = unmet[~pd.MultiIndex.from_frame(unmet[["household_id", "service"]]).isin(handed)]
    rows = rows.merge(
        _joined(still, menu, prefix="unmet")[["household_id", "unmet", "unmet_id"]], on="household_id", how="left"
    )
    words = ["services", "services_id", "unmet", "unmet_id"]
    rows = rows.assign(**{name: rows[name].fillna("") for name in words}, services_idr=rows.services_idr.fillna(0))
    rows = rows.iloc[_in_turn(rows, solved.lot[chosen])].reset_index(drop=True).astype({"services_idr": "int64"})
    rows.insert(0, "rank", range(1, len(rows) + 1))
    return rows


def _in_turn(rows: pd.DataFrame, lot: Floats) -> np.ndarray:
    """Places of the rows in the order of visit."""
    order = np.lexsort((lot, -rows.value.to_numpy()))
    track = rows.track.map(TRACKS.index).to_numpy(int)[order]
    counts = np.bincount(track, minlength=len(TRACKS))
    turn = np.empty(order.size)
    for place, count in enumerate(counts):
        turn[track == place] = (np.arange(count) + 0.5) / max(count, 1)
    return order[np.lexsort((track, turn))]


def left_out(solved: Solved, *, apart: pd.DataFrame) -> pd.DataFrame:
    """Every household that is not visited, by identifier: what kept it out, and how far from the cut it is.

    `kept_out_by` is a rule of the policy with its `place`, or why the household did not compete; `short_by` is what
    its value lacks [expected stunted children; null: it did not compete].
    """
    homes, weighed = solved.homes, _weighed(solved)
    out = np.flatnonzero(~(solved.made.visited | solved.by_lot))
    short = _short(solved, weighed.worth)[out].round(SHORT_DECIMALS)
    limit = [solved.names[n] if n >= 0 else ("capacity", "") for n in weighed.dearest[out]]
    said = [kept_out(rule, place, by) for (rule, place), by in zip(limit, short, strict=True)]
    competed = homes.iloc[out][["household_id", "region_id", "area_id", "track", "risk", "value"]].assign(
        kept_out_by=[rule for rule, _ in limit],
        place=[place for _, place in limit],
        short_by=short,
        why_id=[words.id for words in said],
        why_en=[words.en for words in said],
    )
    words = [APART[why] for why in apart.why]
    never = apart.drop(columns="why").assign(
        track=None, risk=np.nan, value=np.nan, kept_out_by=apart.why, place="", short_by=np.nan,
        why_id=[one.id for one in words], why_en=[one.en for one in words],
    )  # fmt: skip
    both = [part for part in (competed, never) if len(part)]
    found = pd.concat(both, ignore_index=True) if both else competed
    return found.sort_values("household_id", ignore_index=True)


def service_lines(solved: Solved, *, needs: pd.DataFrame, menu: pd.DataFrame) -> pd.DataFrame:
    """Every service that a visited household may have: unmet, received or unknown, and whether it is handed over.

    `short_by_idr`: how much cheaper it would have to be for its owner's budget; 0 where it is handed over or was not
    in the plan's reach, and `why_id`, `why_en` say which.
    """
    visited = solved.homes.household_id[solved.made.visited | solved.by_lot]
    rows = _plain(needs[needs.household_id.isin(visited)])
    offers = solved.offers.assign(given=solved.made.given, short_by_idr=_too_dear(solved), beyond=_beyond(solved))
    told = ["household_id", "service", "given", "short_by_idr", "beyond"]
    rows = rows.merge(offers[told], on=["household_id", "service"], how="left")
    spent = (rows.short_by_idr > 0) | rows.pop("beyond").eq(other=True)
    offered = rows.given.notna()
    given = rows.given.fillna(value=False).astype(bool)
    rows = rows.assign(given=given, short_by_idr=rows.short_by_idr.fillna(0).round().astype("int64"))
    rows = rows.assign(**{name: rows.service.map(menu[name]) for name in ("owner", "name_id", "name_en")})
    unmet = rows.status == "unmet"
    other = rows.service.isin(offers.service[solved.problem.credited]) & rows.household_id.isin(
        offers.household_id[solved.problem.credited & solved.made.given]
    )
    asked = rows.service.isin(menu.index if solved.policy.services is None else solved.policy.services)
    why = [
        (unmet & given, "diberikan pada kunjungan ini", "handed over on this visit"),
        (unmet & ~asked, "tidak termasuk layanan rencana ini", "not among the services of this plan"),
        (unmet & ~given & ~offered, "pemilik layanan tidak punya anggaran di rencana", "its owner has no budget here"),
        (unmet & ~given & offered & other, "layanan lain yang dampaknya diketahui sudah dipilih", OTHER_CHOSEN),
        (unmet & ~given & offered & spent, "anggaran pemilik habis", "its owner's budget is spent"),
        (unmet & ~given & offered, "tidak terpilih dalam rencana ini", "not chosen in this plan"),
        (rows.status == "received", "sudah diterima", "already received"),
    ]
    for name, place in (("why_id", 1), ("why_en", 2)):
        rows[name] = np.select([one[0] for one in why], [one[place] for one in why], default=rows[name].fillna(""))
    return rows.sort_values(["household_id", "service"], ignore_index=True)


def _weighed(solved: Solved) -> _Weighed:
    problem, price = solved.problem, solved.made.price
    visits = problem.use[:, : problem.households].tocoo()
    paid = price[visits.row] * visits.data
    count = problem.households
    dearest, pushing = np.full(count, -1), np.full(count, -1)
    for found, sign in ((dearest, 1.0), (pushing, -1.0)):
        weight = sign * paid
        counts = weight > 0
        order = np.lexsort((-visits.row[counts], weight[counts]))  # the last written stays: the largest, the first rule
        found[visits.col[counts][order]] = visits.row[counts][order]
    pushed = np.bincount(visits.col, np.maximum(-paid, 0.0), minlength=count).astype(float)
    return _Weighed(left(problem, price).household, dearest, pushing, pushed)


def _short(solved: Solved, worth: Floats) -> Floats:
    """How much more value would be worth its price, found by halving: what is handed over adds to it as it grows."""
    visit, offer, _ = per_child(solved.policy, solved.homes, solved.offers)
    value = solved.homes.value.to_numpy(float)
    low, high = np.zeros_like(value), np.maximum(-worth, 0.0) / visit
    for _ in range(HALVINGS if high.any() else 0):
        middle = (low + high) / 2
        raised = value + middle
        problem = replace(solved.problem, gain=raised * visit, offer_gain=raised[solved.problem.home] * offer)
        enough = left(problem, solved.made.price).household >= 0
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _chosen_for(solved: Solved, weighed: _Weighed, place: int) -> tuple[str, str, str]:
    if solved.by_lot[place]:
        return LOT, *BY_LOT
    if weighed.worth[place] - weighed.pushed[place] >= -(10.0**-SHORT_DECIMALS) or weighed.pushing[place] < 0:
        return VALUE, *BY_VALUE
    rule, where = solved.names[weighed.pushing[place]]
    return rule, *rule_said(rule, where)


def _too_dear(solved: Solved) -> Floats:
    """By how much each offer that was not taken costs more than it is worth at its budget's price. [rupiah]"""
    problem, price = solved.problem, solved.made.price
    rate = np.asarray(problem.use[:, problem.households :].T @ price) / np.maximum(solved.offers.cost_idr, 1)
    lacking = -left(problem, price).offer
    short = np.divide(lacking, rate, out=np.zeros(problem.offers), where=rate > 0)
    return np.where(solved.made.given, 0.0, np.maximum(short, 0.0))


def _beyond(solved: Solved) -> np.ndarray:
    """Which offers cost more than is left of their budget. Shape (offers,)."""
    problem, made = solved.problem, solved.made
    left_over = problem.most - problem.used(made.visited, made.given)
    taken = problem.use[:, problem.households :].tocoo()
    return np.bincount(taken.col[taken.data > left_over[taken.row]], minlength=problem.offers) > 0


def _plain(needs: pd.DataFrame) -> pd.DataFrame:
    """The needs with words in place of categories, of which those are kept that no row has."""
    return needs.astype(dict.fromkeys(["household_id", "service", "status", "why_id", "why_en"], "object"))


def _joined(rows: pd.DataFrame, menu: pd.DataFrame, *, prefix: str = "services") -> pd.DataFrame:
    """By household: codes, names and cost of its services."""
    named = rows.assign(name=rows.service.map(menu.name_id)).sort_values(["household_id", "service"])
    grouped = named.groupby("household_id", observed=True)
    found = {prefix: grouped.service.agg("; ".join), f"{prefix}_id": grouped.name.agg("; ".join)}
    return pd.DataFrame({**found, f"{prefix}_idr": grouped.cost_idr.sum()}).reset_index()
