"""Contributions to a risk as steps that add up, also as they are shown; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from features.catalog import BY_NAME
from targeting.reasons import GROUP_OF, UNSAID
from targeting.waterfall_words import GROUP_NAMES
from training.masking import CHILD_FACTS, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BASE: Final = "base"
STEPS: Final = 10
"""Groups of features that have a step of their own; what all others add is one step more."""
PLACES: Final = Decimal("0.001")
ALIKE: Final = 1e-9
"""Groups that weigh this nearly the same may have changed places since their reasons were worded."""
OF_CHILD: Final = frozenset(columns_of(*CHILD_FACTS))
"""What is not known of a child not born yet, and so is no reason."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one thing adds.

    Parameters
    ----------
    kind
        `base`, `group`, `rest`, or `age`: asked at 24 months in place of now.
    name_id, name_en
        What it is; empty but for a group.
    says_id, says_en
        What is known of it, as the reason says it; empty where no reason is made of it.
    amount
        As it is shown. [log-odds]
    start, end
        Sum of the shown amounts before and after it. [log-odds]
    """

    kind: str
    name_id: str = ""
    name_en: str = ""
    says_id: str = ""
    says_en: str = ""
    amount: Decimal
    start: Decimal
    end: Decimal


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """A risk, from the base to its log-odds; the shown amounts add up to the shown log-odds exactly.

    Parameters
    ----------
    log_odds, risk
        Of today; `risk` is the logistic of the unrounded log-odds, and null for a pregnancy.
    age_step, log_odds_24m, risk_24m
        The way on to the risk at 24 months; null where that is not asked.
    """

    steps: tuple[Step, ...]
    log_odds: Decimal
    risk: float | None
    age_step: Step | None
    log_odds_24m: Decimal | None
    risk_24m: float | None

    @property
    def span(self) -> tuple[Decimal, Decimal]:
        """Least and greatest sum on the way. [log-odds]"""
        ends = [end for step in self.all_steps for end in (step.start, step.end)]
        return min(ends), max(ends)

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step on the way, that of the age last."""
        return self.steps if self.age_step is None else (*self.steps, self.age_step)


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """The reasons that were published with a risk, strongest first."""

    said_id: tuple[str, ...]
    said_en: tuple[str, ...]


def waterfall(
    contributions: Mapping[str, float],
    reasons: Reasons,
    *,
    risk: float | None,
    risk_24m: float | None,
    unborn: bool = False,
) -> Waterfall:
    """The steps to a risk; the base first, then the groups that weigh most, then the rest with what rounding leaves.

    Parameters
    ----------
    contributions
        By feature, and `base`; they add up to the log-odds of now. [log-odds]
    risk, risk_24m
        As published; null where it is not asked. [probability]
    unborn
        Whether it is a pregnancy.
    """
    total = math.fsum(contributions.values())
    groups = _groups(contributions)
    telling = {name: weight for name, weight in contributions.items() if not (unborn and name in OF_CHILD)}
    said = _said(_groups(telling), reasons)
    largest = sorted(groups, key=lambda name: (-abs(groups[name]), name))[:STEPS]
    shown = [("base", "", contributions[BASE]), *(("group", name, groups[name]) for name in largest)]
    steps = _steps(shown, said)
    log_odds = _rounded(total)
    at = steps[-1].end
    steps = [*steps, Step(kind="rest", amount=log_odds - at, start=at, end=log_odds)]
    then = None if risk_24m is None else _rounded(_logit(risk_24m))
    age = None if then is None else Step(kind="age", amount=then - log_odds, start=log_odds, end=then)
    return Waterfall(
        steps=tuple(steps), log_odds=log_odds, risk=risk, age_step=age, log_odds_24m=then, risk_24m=risk_24m
    )


def _steps(shown: Iterable[tuple[str, str, float]], said: Mapping[str, tuple[str, str]]) -> list[Step]:
    steps: list[Step] = []
    at = Decimal(0)
    for kind, name, weight in shown:
        amount = _rounded(weight)
        words = dict(zip(("name_id", "name_en"), GROUP_NAMES[name], strict=True)) if name else {}
        told = dict(zip(("says_id", "says_en"), said.get(name, ("", "")), strict=True))
        steps.append(Step(kind=kind, amount=amount, start=at, end=at + amount, **words, **told))
        at += amount
    return steps


def _groups(contributions: Mapping[str, float]) -> dict[str, float]:
    """What features that say nearly the same add together; without those of which nothing is said."""
    parts: dict[str, list[float]] = {}
    for name, weight in contributions.items():
        if name != BASE and name not in UNSAID and not BY_NAME[name].protected:
            parts.setdefault(GROUP_OF.get(name, name), []).append(weight)
    return {group: math.fsum(weights) for group, weights in parts.items()}


def _said(groups: Mapping[str, float], reasons: Reasons) -> dict[str, tuple[str, str]]:
    """By group: the words of its reason. Reasons stand in the order in which the groups raise the risk."""
    raising = sorted((name for name in groups if groups[name] > 0), key=lambda name: -groups[name])
    pairs = list(zip(raising, zip(reasons.said_id, reasons.said_en, strict=False), strict=False))
    if len(reasons.said_id) > len(raising) or _has_alike([groups[name] for name, _ in pairs]):
        return {}
    return dict(pairs)


def _has_alike(weights: Sequence[float]) -> bool:
    return any(one - other < ALIKE for one, other in pairwise(weights))


def _rounded(value: float) -> Decimal:
    return Decimal(value).quantize(PLACES)


def _logit(risk: float) -> float:
    return math.log(risk / (1 - risk))
