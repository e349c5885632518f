"""A policy and the households that compete -> the limits on their visits, line by line; pure.

Everything is counted in visits: hours and rupiah of a round are as many visits as they pay for. Shares of places are
whole visits by largest remainder (`floors`), so that few visits and many desa fit together whenever the shares do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.errors import InputRefused
from targeting.floors import rounded, shares_rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from targeting.policy import Part, Policy

CAPACITY: Final = "capacity"
KINDS: Final = ("pregnant", "under_24_months", "never_measured")
NAMED: Final = 10  # known places that a refusal lists
TINY: Final = 1e-9
WORKER: Final = "worker"
LEVELS: Final = {"region": "region_id", "area": "area_id", "posyandu": "posyandu"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One limit on visits.

    Parameters
    ----------
    rule, place
        The line of the policy that it comes from, and the place or track that it is about; "" for all.
    members
        Whose visits count: their places in the table of households, ascending.
    least, most
        Of those chosen by what they are worth. [visits]
    ceiling
        Most of all, with those drawn by lot. [visits]
    """

    rule: str
    place: str
    members: np.ndarray
    least: int = 0
    most: float = math.inf
    ceiling: float = math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What visits must keep.

    Parameters
    ----------
    visits
        Of the round, those by lot among them.
    by_lot
        Exploration.
    lots
        Visits by lot of each cell, and `cell` of each household: those who count for the same bounded limits are one.
        Shapes (cells,) and (households,).
    notes
        What a planner should know of how rules met the registers.
    """

    lines: tuple[Line, ...]
    visits: int
    by_lot: int
    lots: np.ndarray
    cell: np.ndarray
    notes: tuple[str, ...]


def worker_of(homes: pd.DataFrame, *, by: str) -> pd.Series:
    """Who visits each household: the team of its posyandu, else that of its desa."""
    desa = "desa " + homes.area_id.astype("string").fillna("?")
    return homes.posyandu_id.astype("string").fillna(desa) if by == "posyandu" else desa


def limits_of(policy: Policy, homes: pd.DataFrame) -> Limits:
    """The limits of a policy on these households.

    Parameters
    ----------
    homes
        One row a household that competes: household_id, region_id, area_id, posyandu_id (null: not known), track
        (`find` or `prevent`), and whether it is `pregnant`, `under_24_months`, `never_measured`.

    Raises
    ------
    InputRefused
        A place is named that no household is in, or has too few, or no household competes.
    """
    if homes.empty:
        raise InputRefused("no household competes", "at least one", "Widen `regions`, or loosen `exclusions`.")
    homes = homes.assign(
        **{WORKER: worker_of(homes, by=policy.workload.by), LEVELS["posyandu"]: worker_of(homes, by="posyandu")}
    )
    notes: list[str] = []
    visits = _visits(policy, len(homes), notes)
    by_lot = rounded(policy.reserves.exploration, visits)
    chosen = visits - by_lot
    lines = [
        Line(rule=CAPACITY, place="", members=np.arange(len(homes)), most=chosen),
        *_tracks(policy, homes, chosen),
        *_places(policy, homes),
        *_named(policy, homes),
        *_kinds(policy, homes, visits, notes),
        *_workload(policy, homes, chosen),
    ]
    cell, lots = cells_of(lines, len(homes), by_lot, salt=policy.round)
    lines = [_with_room(line, cell, lots) for line in lines]
    notes += _of_no_place(policy, homes)
    return Limits(lines=tuple(lines), visits=visits, by_lot=by_lot, lots=lots, cell=cell, notes=tuple(notes))


def _visits(policy: Policy, count: int, notes: list[str]) -> int:
    asked = policy.capacity
    if asked.share is not None:
        return rounded(asked.share, count)
    each = {"visits": 1.0, "cadre_hours": policy.visit.hours, "rupiah": float(policy.visit.cost_idr)}[asked.unit]
    amount = float(asked.amount or 0.0)
    visits = math.floor(amount / each + TINY)
    if asked.unit != "visits":
        notes.append(f"{amount:,.9g} {asked.unit} pay for {visits:,} visits of {each:,.9g}")
    if visits > count:
        notes.append(f"capacity is {visits:,} visits, and {count:,} households compete: each can be visited")
    return min(visits, count)


def _tracks(policy: Policy, homes: pd.DataFrame, visits: int) -> Iterator[Line]:
    """Risks now and at 24 months are never on one order: each has its part; what one cannot use goes to the other."""
    if policy.objective != "by_age":
        return
    prevent = (homes.track == "prevent").to_numpy()
    places = min(rounded(policy.prevent_share, visits), int(prevent.sum()))
    places = max(places, visits - int((~prevent).sum()))
    yield Line(rule="prevent_share", place="prevent", members=np.flatnonzero(prevent), most=places)
    yield Line(rule="prevent_share", place="find", members=np.flatnonzero(~prevent), most=visits - places)


def _places(policy: Policy, homes: pd.DataFrame) -> Iterator[Line]:
    levels = [level for level in LEVELS if level in policy.floors or level in policy.quotas]
    for level in levels:
        place = homes[LEVELS[level]]
        members_of = _members(place)
        counts = pd.Series({name: len(members) for name, members in members_of.items()}, dtype="int64")
        parts = policy.floors.get(level), policy.quotas.get(level)
        floor, quota = (_counted(part, counts, policy) for part in parts)
        by_share = all(part is not None and part.share is not None for part in parts)
        for name, members in members_of.items():
            least = 0 if floor is None else int(floor[name])
            if least:
                yield Line(rule=f"floors.{level}", place=str(name), members=members, least=least)
            if quota is not None:
                room = int(quota[name])
                if by_share:  # both rounded, a floor may stand one above its quota
                    room = max(room, least)
                yield Line(rule=f"quotas.{level}", place=str(name), members=members, most=room, ceiling=room)


def _members(place: pd.Series) -> dict[str, np.ndarray]:
    """Rows of each place by its name, in the order of names; those of no known place are in none."""
    found = place.reset_index(drop=True).groupby(place.to_numpy()).indices
    return {str(name): np.sort(members) for name, members in sorted(found.items(), key=lambda one: str(one[0]))}


def _counted(part: Part | None, counts: pd.Series, policy: Policy) -> pd.Series | None:
    """Whole visits of each place; never more than it has households."""
    if part is None:
        return None
    if part.visits is not None:
        return counts.clip(upper=part.visits)
    return shares_rounded(part.share or 0.0, counts, salt=policy.round)


def cells_of(lines: list[Line], count: int, by_lot: int, *, salt: str) -> tuple[np.ndarray, np.ndarray]:
    """Which households share every bounded limit, and how many visits by lot fall to them: to each cell its part."""
    marks = np.random.default_rng(0).integers(1, 2**63, size=len(lines), dtype=np.uint64)
    sums = np.zeros(count, dtype=np.uint64)
    for line, mark in zip(lines, marks, strict=True):
        if math.isfinite(line.ceiling):
            sums[line.members] += mark
    # Numbered as households come, so that the lot between cells hangs on no random mark.
    cell, _ = pd.factorize(sums)
    sizes = pd.Series(np.bincount(cell))
    return cell, shares_rounded(by_lot / count, sizes, salt=f"{salt}|exploration").to_numpy()


def _with_room(line: Line, cell: np.ndarray, lots: np.ndarray) -> Line:
    """The limit with room left for the visits by lot that fall below it, unless a least amount needs the room."""
    if math.isinf(line.ceiling):
        return line
    taken = int(lots[np.unique(cell[line.members])].sum())
    return replace(line, most=max(line.ceiling - taken, min(line.least, line.ceiling), 0))


def _of_no_place(policy: Policy, homes: pd.DataFrame) -> list[str]:
    """Households that no place counts, or that count for their desa in place of a posyandu."""
    found = []
    for level in ("region", "area"):
        lacking = int(homes[LEVELS[level]].isna().sum())
        if lacking and (level in policy.floors or level in policy.quotas):
            found.append(f"{lacking:,} households of no known {level} are under no floor or quota of one")
    balanced = policy.workload.most is not None or bool(policy.workload.equal_share)
    if "posyandu" in policy.floors or "posyandu" in policy.quotas or (balanced and policy.workload.by == "posyandu"):
        lacking = int(homes.posyandu_id.isna().sum())
        if lacking:
            found.append(f"{lacking:,} households of no known posyandu count as a team of their desa")
    return found


def _named(policy: Policy, homes: pd.DataFrame) -> Iterator[Line]:
    for name, part in policy.named.items():
        inside = (homes.region_id == name) | (homes.area_id == name)
        members = np.flatnonzero(inside.fillna(value=False).to_numpy(dtype=bool))
        if not members.size:
            known = sorted(homes.region_id.dropna().unique())
            raise InputRefused(
                f"named.{name}: no household that competes is in a region or area {name}",
                f"{len(known)} regions, among them {', '.join(map(str, known[:NAMED]))}, and their areas",
                "Correct the identifier, or take the line out.",
            )
        if part.at_least > members.size:
            raise InputRefused(
                f"named.{name}: at_least {part.at_least} visits, where {members.size} households compete",
                f"at most {members.size}", "Lower at_least.",
            )  # fmt: skip
        room = math.inf if part.at_most is None else part.at_most
        yield Line(rule="named", place=name, members=members, least=part.at_least, most=room, ceiling=room)


def _kinds(policy: Policy, homes: pd.DataFrame, visits: int, notes: list[str]) -> Iterator[Line]:
    for kind in KINDS:
        share = getattr(policy.reserves, kind)
        if not share:
            continue
        members = np.flatnonzero(homes[kind].fillna(value=False).to_numpy(dtype=bool))
        least = math.ceil(share * visits - TINY)
        if homes[kind].isna().all():
            notes.append(f"reserves.{kind}: nobody knows who is of this kind, so no visit is kept for it")
        elif least > members.size:
            notes.append(f"reserves.{kind} asks for {least:,} visits; {members.size:,} such households compete")
        yield Line(rule=f"reserves.{kind}", place="", members=members, least=min(least, members.size))


def _workload(policy: Policy, homes: pd.DataFrame, visits: int) -> Iterator[Line]:
    load = policy.workload
    if load.most is None and not load.equal_share:
        return
    members_of = _members(homes[WORKER])
    counts = pd.Series({name: len(members) for name, members in members_of.items()}, dtype="int64")
    spread = shares_rounded(load.equal_share * visits / len(homes), counts, salt=policy.round)
    for name, members in members_of.items():
        if spread[name]:
            yield Line(rule="workload.equal_share", place=str(name), members=members, least=int(spread[name]))
        if load.most is not None:
            yield Line(rule="workload.most", place=str(name), members=members, most=load.most, ceiling=load.most)
