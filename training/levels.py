"""Risks as they come, and on a survey's level: of this model, and of one that learned from a poor register."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from features.errors import InputRefused
from training.learn import learn
from training.metrics import with_intervals
from training.prior_shift import Prevalence, shifted
from training.resampling import resamples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from features.settings import Settings

MISSED: Final = 2 / 3
"""Share of the stunted whom a register takes for tall enough: 8% were found where a survey found 24.5%."""
JUST_ABOVE: Final = -1.9
"""Height-for-age that such a child is given. [SD]"""


def levels(
    risk: np.ndarray, train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings, how: Mapping[str, Any]
) -> dict[str, Any]:
    """ECE and mean risk before and after the shift, for the model and for one learned from a register that misses many.

    The survey is the test rows themselves: their prevalence is the one number that the shift is told.

    Parameters
    ----------
    how
        `cluster`, `draws` and `seed` of the bootstrap.
    """
    survey = prevalence(test.stunted, **how)
    by_model = {"this model": risk}
    # Of few children, a third of the stunted may be too few to learn from.
    with suppress(InputRefused):
        poor = learn(missing_many(train, seed=settings.train.seed), settings=settings, seed=settings.train.seed)
        by_model["learned from a register that misses two thirds"] = poor.risk(poor.prepared(test))
    return {
        "survey": {"share": survey.share, "share_low": survey.low, "share_high": survey.high},
        "models": {name: _both(test.stunted, found, survey, how) for name, found in by_model.items()},
    }


def prevalence(label: pd.Series, *, cluster: ArrayLike, draws: int, seed: int) -> Prevalence:
    """The share stunted with its 95% interval, whole clusters drawn."""
    shares = [float(np.average(label, weights=w)) for w in resamples(cluster, draws, seed=seed) if w.any()]
    return Prevalence.from_error(float(label.mean()), float(np.std(shares)))


def missing_many(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The rows as such a register has them: two thirds of the stunted, by lot, stand just above the line."""
    missed = (rows.stunted == 1) & (np.random.default_rng(seed).random(len(rows)) < MISSED)
    return rows.assign(haz=rows.haz.mask(missed, JUST_ABOVE), stunted=rows.stunted.mask(missed, 0))


def _both(label: pd.Series, risk: np.ndarray, survey: Prevalence, how: Mapping[str, Any]) -> dict[str, Any]:
    made = shifted(risk, survey)
    naive, moved = (with_intervals(label, one, **how) for one in (risk, made.risk))
    figures = ("ece", "calibration_slope")
    ends = ("", "_low", "_high")
    return {
        "mean": made.naive_mean,
        "shifted_mean": made.mean,
        "shifted_mean_low": float(made.low.mean()),
        "shifted_mean_high": float(made.high.mean()),
        "auc": naive["auc"],
        **{f"{name}{end}": naive[f"{name}{end}"] for name in figures for end in ends},
        **{f"shifted_{name}{end}": moved[f"{name}{end}"] for name in figures for end in ends},
    }
