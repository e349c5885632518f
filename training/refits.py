"""An interval on a risk: the model learned again on whole clusters drawn with replacement.

A refit sees each drawn cluster as often as it was drawn, rows repeated, with the champion's settings and its own area
history, masks and seed. It is calibrated by the champion's curve on the clusters that were not drawn, about 37% of
them: one booster a refit, where the champion's folds take six. Those rows have less past of their own area than the
champion's folds, a price of the saving. Each refit depends on the seed and its own number alone, so refits can be
made in pieces.

The spread of refits is the noise of the training sample and of the learning. What every refit has in common, such as a
booster too small for the facts, it does not show: intervals cover less often than their level says.

References
----------
Efron, Tibshirani. *An Introduction to the Bootstrap*. Chapman & Hall, 1993, ch. 13.

Davison, Hinkley. *Bootstrap Methods and their Application*. Cambridge, 1997, section 3.8 (clusters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from features.build import add_history
from features.errors import InputRefused
from features.fitted import area_history
from training.calibration import fit_calibration
from training.labels import sloped
from training.learn import NAME, fingerprint
from training.masking import mask
from training.model import RiskModel
from training.models import fit_booster, margin
from training.resampling import INTERVAL, resamples
from training.splits import clusters

if TYPE_CHECKING:
    from features.settings import Settings


@dataclass(frozen=True, eq=False)
class Intervals:
    """Log-odds with their interval, each of shape (rows,).

    Parameters
    ----------
    log_odds
        The champion's.
    low, high
        Never above, and never below, the champion's.
    drift
        Median of the refits minus the champion's: refits see 63% of the clusters, so theirs are drawn inwards.
    ends
        Percentiles at `low` and `high`: of the refits, or of the normal curve with their spread.
    """

    log_odds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    drift: np.ndarray
    ends: tuple[float, float]


def refit(train: pd.DataFrame, *, settings: Settings, seed: int, draw: int) -> RiskModel:
    """The model of one draw of clusters; the same for the same rows in any order, seed and number of the draw.

    Parameters
    ----------
    train
        As for `learn`: one row per unit, with `outcome_known_on`, `haz` and `stunted`.

    Raises
    ------
    InputRefused
        The clusters left out hold one outcome only, so nothing can be calibrated.
    """
    rows = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    how, own = settings.train, _seed(seed, draw)
    count = next(resamples(clusters(rows), 1, seed=own)).astype(int)
    drawn = np.repeat(np.arange(len(rows)), count)
    history = area_history(rows.iloc[drawn], prior_children=settings.history.prior_children)
    known = add_history(rows, history)
    bag, left = known.iloc[drawn].reset_index(drop=True), known[count == 0]
    if left.stunted.nunique() < 2:  # noqa: PLR2004 (stunted and not)
        raise InputRefused(
            f"draw {draw} leaves out {len(left):,} rows of {clusters(rows).nunique():,} clusters, with "
            f"{left.stunted.nunique()} of 2 outcomes",
            "stunted and not stunted children in the clusters left out",
            "Give rows of more clusters.",
        )
    seen = mask(bag, registers=how.register_dropout, pregnancies=how.pregnancy_dropout, seed=own)
    booster = fit_booster(seen, sloped(bag.haz, width_sd=how.label_width_sd), how=how.booster, seed=own)
    calibration = fit_calibration(margin(booster, left), left.stunted)
    return RiskModel(NAME, booster, calibration, history, fingerprint(bag), float(bag.stunted.mean()), own,
                     simulated=settings.source.simulated)  # fmt: skip


def log_odds_of(model: RiskModel, rows: pd.DataFrame) -> np.ndarray:
    """Calibrated log-odds of rows without area history. Shape (rows,)."""
    return model.calibration.log_odds(margin(model.booster, model.prepared(rows)))


def intervals(log_odds: np.ndarray, refits: np.ndarray, *, ends: tuple[float, float] = INTERVAL) -> Intervals:
    """The champion's log-odds with the percentiles of the refits around it; for some hundreds of refits.

    The percentiles are taken from the median of the refits and set around the champion, for the refits' own level is
    not the champion's: each sees fewer clusters. They take no shape for granted, and so need many refits: of twenty,
    the 5th and the 95th percentile are little but the lowest and the highest one. With few, see `normal_intervals`.

    Parameters
    ----------
    log_odds
        The champion's. Shape (rows,).
    refits
        Log-odds of the same rows by each refit. Shape (draws, rows), at least two draws.
    ends
        Percentiles at the low and the high end, below and above 50.

    Raises
    ------
    ValueError
        The shapes do not pair, there are fewer than two refits, or the ends do not enclose the median.
    """
    low, high = ends
    _check_pairs(log_odds, refits)
    if not 0 <= low < 50 < high <= 100:  # noqa: PLR2004 (the median)
        raise ValueError(f"ends are {low:g} and {high:g}; give percentiles below and above 50, such as 5 and 95.")
    bottom, middle, top = np.percentile(refits, [low, 50, high], axis=0)
    return Intervals(log_odds, log_odds + (bottom - middle), log_odds + (top - middle), middle - log_odds, ends)


def normal_intervals(log_odds: np.ndarray, refits: np.ndarray, *, level: float) -> Intervals:
    """The champion's log-odds, more and less so many standard deviations of the refits; for twenty refits or so.

    A standard deviation of twenty is known to about a sixth of itself, far better than a percentile near their ends.
    The price is a shape: log-odds are taken as normal, and as far out on either side. With some hundreds of refits
    `intervals` needs neither.

    Parameters
    ----------
    log_odds, refits
        As for `intervals`.
    level
        How often the interval should contain what it is about, between 0 and 1. The spread is of the learning alone;
        see the top of this file for what it leaves out.

    Raises
    ------
    ValueError
        The shapes do not pair, there are fewer than two refits, or the level is outside.
    """
    _check_pairs(log_odds, refits)
    if not 0 < level < 1:
        raise ValueError(f"the level is {level:g}; give a share between 0 and 1, such as 0.90.")
    ends = (50 - 50 * level, 50 + 50 * level)
    reach = float(norm.ppf(ends[1] / 100)) * refits.std(axis=0, ddof=1)
    return Intervals(log_odds, log_odds - reach, log_odds + reach, np.median(refits, axis=0) - log_odds, ends)


def _check_pairs(log_odds: np.ndarray, refits: np.ndarray) -> None:
    if refits.ndim != 2 or refits.shape[1:] != log_odds.shape or len(refits) < 2:  # noqa: PLR2004 (a spread needs two)
        raise ValueError(
            f"refits have shape {refits.shape} and the champion's log-odds {log_odds.shape}; give (draws, rows) and "
            "(rows,), with 2 draws or more."
        )


def of_households(log_odds: np.ndarray, household_id: pd.Series) -> tuple[pd.Index, np.ndarray]:
    """Households in the order of their ids, and the log-odds of 1 - prod(1 - risk) over their units.

    Give the champion's and the refits' units through this before an interval is made: a household's interval is not
    made of its children's.

    Parameters
    ----------
    log_odds
        Of units. Shape (rows,), or (draws, rows).
    household_id
        Of each unit, not null. Shape (rows,).

    Returns
    -------
    The ids, and log-odds of shape (households,) or (draws, households).
    """
    names = pd.Index(np.unique(household_id.to_numpy(dtype=object)))
    code = names.get_indexer(pd.Index(household_id.to_numpy(dtype=object)))
    # -log(1 - risk) adds up over independent children, and never rounds a small risk away.
    hazards = np.atleast_2d(np.logaddexp(0.0, log_odds))
    total = np.array([np.bincount(code, weights=one, minlength=len(names)) for one in hazards])
    made = total + np.log(-np.expm1(-total))
    return names, made if log_odds.ndim > 1 else made[0]


def _seed(seed: int, draw: int) -> int:
    # Halved, because XGBoost takes a signed number.
    return int(np.random.SeedSequence([seed, draw]).generate_state(1)[0]) >> 1
