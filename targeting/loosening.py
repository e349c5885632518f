"""By how little one number of a policy must change, alone, so that all its rules can be kept; pure.

A number is tried in the steps that an office would write: whole visits, thousandths of a share.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from targeting.floors import rounded
from targeting.limits import CAPACITY, TINY
from targeting.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from targeting.limits import Limits
    from targeting.policy import Part

EXPLORATION: Final = "reserves.exploration"
TRACKS: Final = "prevent_share"
NAMED: Final = "named"
THOUSANDTHS: Final = 1_000
WIDER: Final = 8  # times as far, each time that a change is too small
TRIES: Final = 15  # of one number: at 300,000 households, one takes about a second


class Trial(Protocol):
    """The limits of one policy."""

    def fit(self) -> bool:
        """Whether they can all be kept."""

    def needed(self, rule: str, place: str) -> float:
        """Visits of that limit's households at least, for the other rules; infinite when those conflict."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """A policy and its limits on so many households; `tried` gives those of a changed one."""

    policy: Policy
    limits: Limits
    households: int
    trial: Trial
    tried: Callable[[Policy], Trial]

    @property
    def chosen(self) -> int:
        """Visits that do not fall by lot."""
        return self.limits.visits - self.limits.by_lot


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number of a policy.

    Parameters
    ----------
    at
        The keys that lead to it.
    was
        What it is.
    steps
        What it may be, the nearest first. [`each`]
    each
        What one step is. [the number's own unit]
    unit
        Word for it; "" for a share that stands alone.
    """

    at: tuple[str, ...]
    was: float
    steps: range
    each: float = 1
    unit: str = "visits"

    def value(self, step: int) -> float:
        """What the policy would say; never less than the step, to a thousandth."""
        if not self.unit or self.unit == "share":
            return step / THOUSANDTHS
        most = step * self.each
        return most if isinstance(most, int) else math.ceil(most * THOUSANDTHS - TINY) / THOUSANDTHS

    def put(self, policy: Policy, step: int) -> Policy:
        """The policy with it, checked as any other."""
        found: dict[str, Any] = policy.model_dump()
        group = found
        for key in self.at[:-1]:
            group = group[key]
        group[self.at[-1]] = self.value(step)
        return Policy.model_validate(found)

    def said(self, step: int) -> str:
        """The change in the words of the policy."""
        now, was = _written(self.value(step)), _written(self.was)
        if self.unit in {"", "share"}:
            rule = self.at if not self.unit else self.at[:-1]
            return f"{'.'.join(rule)}: {'a share of ' if self.unit else ''}{now} in place of {was}"
        rule = self.at[:-1] if self.at[-1] in {"visits", "amount"} else self.at
        unit = "visit" if (self.unit, now) == ("visits", "1") else self.unit
        return f"{'.'.join(rule)}: {now} {unit} in place of {was}"


def smallest_changes(asked: Round, rules: tuple[str, ...]) -> list[str]:
    """In words, the smallest change of each rule's own numbers that lets all rules be kept; none where none does."""
    found = []
    for rule in rules:
        changes = [
            (abs(number.value(step) - number.was), number.said(step))
            for number in _numbers(asked, rule)
            if (step := _first(asked, number)) is not None
        ]
        nearest = sorted(changes)[:1] if rule == TRACKS else changes
        found += [said for _, said in nearest]
    return found


def _numbers(asked: Round, rule: str) -> list[Number]:
    policy, (kind, _, name) = asked.policy, rule.partition(".")
    if kind == CAPACITY:
        return [_capacity(asked)]
    if kind == TRACKS:
        return [_share((kind,), policy.prevent_share, up=up) for up in (True, False)]
    most = _most(asked.limits, rule)
    if kind in {"floors", "quotas"}:
        return [_part((kind, name), getattr(policy, kind)[name], most=most if kind == "quotas" else None)]
    if kind == NAMED:
        place = policy.named[name]
        least = [_count((kind, name, "at_least"), place.at_least)]
        return least if place.at_most is None else [*least, _count((kind, name, "at_most"), place.at_most, most=most)]
    was = getattr(getattr(policy, kind), name)
    return [_count((kind, name), was, most=most) if rule == "workload.most" else _share((kind, name), was, up=False)]


def _part(at: tuple[str, str], part: Part, *, most: int | None) -> Number:
    if part.share is not None:
        return replace(_share((*at, "share"), part.share, up=most is not None), unit="share")
    return _count((*at, "visits"), part.visits or 0, most=most)


def _most(limits: Limits, rule: str) -> int:
    """Visits that no place of a rule can use more of, with those by lot that take of its room."""
    sizes = [line.members.size for line in limits.lines if rule in {line.rule, f"{line.rule}.{line.place}"}]
    return max(sizes, default=0) + limits.by_lot


def _capacity(asked: Round) -> Number:
    capacity = asked.policy.capacity
    if capacity.share is not None:
        return replace(_share((CAPACITY, "share"), capacity.share, up=True), unit="share")
    visit = asked.policy.visit
    each = {"visits": 1, "cadre_hours": visit.hours, "rupiah": visit.cost_idr}[capacity.unit]
    steps = range(asked.limits.visits + 1, asked.households + 1)
    return Number(at=(CAPACITY, "amount"), was=capacity.amount or 0.0, steps=steps, each=each, unit=capacity.unit)


def _share(at: tuple[str, ...], was: float, *, up: bool) -> Number:
    down = range(math.ceil(was * THOUSANDTHS - TINY) - 1, -1, -1)
    steps = range(math.floor(was * THOUSANDTHS + TINY) + 1, THOUSANDTHS + 1) if up else down
    return Number(at=at, was=was, steps=steps, unit="")


def _count(at: tuple[str, ...], was: int, *, most: int | None = None) -> Number:
    """Downwards, or upwards to `most`."""
    return Number(at=at, was=was, steps=range(was - 1, -1, -1) if most is None else range(was + 1, most + 1))


def _first(asked: Round, number: Number) -> int | None:
    """The nearest step that fits: ever wider ones until one does, then halved; the one found was tried."""
    count, trial = len(number.steps), asked.trial
    low, high, wide = -1, count, 1  # places of a step that is too small, and of one that fits
    for _ in range(TRIES):
        if low + 1 == high:
            break
        if high < count:
            place = (low + high) // 2
        else:
            low = max(low, min(_hint(asked, number, low, trial), count - 1) - 1)
            place, wide = min(low + wide, count - 1), wide * WIDER
        trial = asked.tried(number.put(asked.policy, number.steps[place]))
        low, high = (low, place) if trial.fit() else (place, high)
    return None if high == count else number.steps[high]


def _hint(asked: Round, number: Number, low: int, trial: Trial) -> int:
    """Place of the first step that gives as many visits as the other rules need; 0 where that is not told."""
    if number.at[0] == CAPACITY:
        needed = trial.needed(CAPACITY, "")
        visits = _visits_of(asked, number)
    elif number.at[0] == TRACKS and low < 0:
        up = number.steps.step > 0
        needed = trial.needed(TRACKS, "prevent" if up else "find")
        visits = _visits_of_track(asked, number, up=up)
    else:
        return 0
    return 0 if math.isinf(needed) else bisect_left(range(len(number.steps)), needed, key=visits)


def _visits_of(asked: Round, number: Number) -> Callable[[int], int]:
    """Visits of each place among the steps, but for those by lot."""

    def visits(place: int) -> int:
        step = number.steps[place]
        whole = rounded(number.value(step), asked.households) if number.unit == "share" else step
        return whole - rounded(asked.policy.reserves.exploration, whole)

    return visits


def _visits_of_track(asked: Round, number: Number, *, up: bool) -> Callable[[int], int]:
    def visits(place: int) -> int:
        prevent = rounded(number.value(number.steps[place]), asked.chosen)
        return prevent if up else asked.chosen - prevent

    return visits


def _written(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"
