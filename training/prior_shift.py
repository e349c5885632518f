"""Risk on a register's level -> risk on a survey's level: one shift of the log-odds, so no order changes.

A register that misses two thirds of the stunted gives risks a third as high as they should be. The shift puts their
mean where a survey puts it. It assumes that only the level is wrong: that the facts of stunted children, and those of
others, are spread alike in the register and in the survey, P(facts | stunted). Where a register misses the poor's
stunting more than others', or one team's more than another's, the shift keeps that error, and only the mean is right.

References
----------
Saerens, Latinne, Decaestecker. Adjusting the outputs of a classifier to new a priori probabilities: a simple procedure.
*Neural Computation* 2002; 14(1): 21-41.

Elkan. The foundations of cost-sensitive learning. *IJCAI* 2001: 973-978, theorem 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from training.metric_inputs import check_weight

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from features.settings_list import Survey

    Floats = NDArray[np.float64]

Z_95: Final = float(norm.ppf(0.975))
SPARE: Final = 1.0
"""Added to either end of the interval that holds the shift, lest rounding leave it outside. [log-odds]"""


@dataclass(frozen=True)
class Prevalence:
    """What a survey says of the share stunted, with its interval; each strictly between 0 and 1.

    Raises
    ------
    ValueError
        A share is outside, or the interval does not contain the prevalence.
    """

    share: float
    low: float
    high: float

    def __post_init__(self) -> None:
        for name, value in (("prevalence", self.share), ("low end", self.low), ("high end", self.high)):
            if not 0 < value < 1:
                raise ValueError(
                    f"the {name} is {value}; it must be a share between 0 and 1, both left out. Give 27.6% as 0.276."
                )
        if not self.low <= self.share <= self.high:
            raise ValueError(
                f"the interval {self.low} to {self.high} does not contain the prevalence {self.share}; give both from "
                "the same survey and year."
            )

    @classmethod
    def from_error(cls, share: float, standard_error: float) -> Prevalence:
        """With a 95% interval from the standard error, clusters accounted for. [share]

        The interval is made on the log-odds, so it stays between 0 and 1.

        Examples
        --------
        >>> found = Prevalence.from_error(0.276, 0.023)
        >>> round(found.low, 3), round(found.high, 3)
        (0.233, 0.323)
        """
        if not standard_error >= 0:
            raise ValueError(f"the standard error is {standard_error}; it must be 0 or more, as a share.")
        if not 0 < share < 1:
            return cls(share, share, share)
        reach = Z_95 * standard_error / (share * (1 - share))
        low, high = float(expit(logit(share) - reach)), float(expit(logit(share) + reach))
        return cls(share, min(low, share), max(share, high))  # rounding must not leave the share outside


def prevalence_of(survey: Survey) -> Prevalence | None:
    """What the survey of `params.yaml` says; None where none is set."""
    if survey.share is None or survey.low is None or survey.high is None:
        return None
    return Prevalence(survey.share, survey.low, survey.high)


@dataclass(frozen=True, eq=False)
class Shifted:
    """Risks on the survey's level, and both levels.

    Parameters
    ----------
    risk, low, high
        Each row's risk at the survey's prevalence and at the ends of its interval. Shape (rows,). [probability]
    naive_mean, mean
        Weighted mean of the risks as they came, and as shifted; show both and say which one is printed. [share]
    shift, shift_low, shift_high
        What was added, at the prevalence and at the ends. [log-odds]
    """

    risk: Floats
    low: Floats
    high: Floats
    naive_mean: float
    mean: float
    shift: float
    shift_low: float
    shift_high: float


def shifted(risk: ArrayLike, survey: Prevalence, *, weight: ArrayLike | None = None) -> Shifted:
    """The risks with their log-odds moved by one amount, so that their mean is the survey's prevalence.

    Saerens and Elkan move by the ratio of the odds of both prevalences, which is right for rows drawn anew at the
    survey's. The rows here are the register's own children, whom the survey sampled too, so their mean is what must
    agree. The ends carry the survey's uncertainty alone, not the model's.

    Parameters
    ----------
    risk
        One per child of the survey's population and ages. A risk of exactly 0 or 1 has no log-odds and stays.
        Shape (rows,). [probability]
    weight
        Times each row counts, 0 or more; all 1 if None. Shape (rows,). [rows]

    Raises
    ------
    ValueError
        There are no rows of any weight; a risk is null or outside 0-1; or so many are exactly 0 or 1 that no shift
        reaches the prevalence.

    Examples
    --------
    >>> found = shifted([0.05, 0.10], Prevalence(0.25, 0.20, 0.30))
    >>> found.risk.round(3).tolist(), round(found.naive_mean, 3)
    ([0.181, 0.319], 0.075)
    """
    rows = np.asarray(risk, dtype=float)
    mass = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=float)
    _check(rows, mass)
    mid, low, high = (_shift(rows, mass, share) for share in (survey.share, survey.low, survey.high))
    made = moved(rows, mid)
    naive, mean = (float(mass @ values / mass.sum()) for values in (rows, made))
    return Shifted(made, moved(rows, low), moved(rows, high), naive, mean, mid, low, high)


def moved(risk: ArrayLike, shift: float) -> Floats:
    """Risks with their log-odds moved by so much; a risk of 0 or 1 stays, and null stays null. [probability]"""
    made: Floats = expit(logit(np.asarray(risk, dtype=float)) + shift)
    return made


def _check(risk: Floats, mass: Floats) -> None:
    check_weight(mass, len(risk))
    if not mass.sum() > 0:
        raise ValueError(
            f"{len(risk)} risks of total weight {mass.sum():g}; at least one must count. Score rows first."
        )
    wrong = ~((risk >= 0) & (risk <= 1))
    if wrong.any():
        raise ValueError(
            f"{wrong.sum()} of {len(risk)} risks are null or outside 0-1; first: row {wrong.argmax()}. "
            "Calibrate them first."
        )


def _shift(risk: Floats, mass: Floats, prevalence: float) -> float:
    """What to add to the log-odds so that the weighted mean is the prevalence."""
    free = (risk > 0) & (risk < 1) & (mass > 0)
    certain, movable = float(mass[risk == 1].sum()), float(mass[free].sum())
    wanted = (prevalence * float(mass.sum()) - certain) / movable if movable else np.nan
    if not 0 < wanted < 1:
        share = movable / float(mass.sum())
        raise ValueError(
            f"no shift brings the mean risk to {prevalence:g}: only {share:.0%} of the risks are strictly between "
            "0 and 1, and a risk of exactly 0 or 1 cannot move. Give calibrated risks."
        )
    odds, share_of = logit(risk[free]), mass[free] / movable
    low, high = logit(wanted) - odds.max() - SPARE, logit(wanted) - odds.min() + SPARE
    return float(brentq(lambda shift: share_of @ expit(odds + shift) - wanted, low, high, xtol=1e-12))
