"""An interval on a risk: the model learned again on whole clusters drawn with replacement.

A refit sees each drawn cluster as often as it was drawn, rows repeated, with the champion's settings and its own area
history, masks and seed. It is calibrated by the champion's curve on the clusters that were not drawn, about 37% of
them: one booster a refit, where the champion's folds take six. Those rows have less past of their own area than the
champion's folds, a price of the saving. Each refit depends on the seed and its own number alone, so refits can be
made in pieces, and those already kept in a folder are not made again.

The spread of refits is the noise of the training sample and of the learning. What every refit has in common, such as a
booster too small for the facts, it does not show: intervals cover less often than their percentiles say.

References
----------
Efron, Tibshirani. *An Introduction to the Bootstrap*. Chapman & Hall, 1993, ch. 13.

Davison, Hinkley. *Bootstrap Methods and their Application*. Cambridge, 1997, section 3.8 (clusters).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from features.build import add_history
from features.errors import InputRefused
from features.fitted import area_history
from features.progress import unseen
from training.calibration import fit_calibration
from training.labels import sloped
from training.learn import NAME, fingerprint
from training.masking import mask
from training.model import RiskModel
from training.models import fit_booster, margin
from training.resampling import INTERVAL, resamples
from training.splits import clusters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from features.settings import Settings

    Steps = Callable[[Sequence[int]], Iterable[int]]

GROUPS: Final = 10


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
        Percentiles of the refits at `low` and `high`.
    """

    log_odds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    drift: np.ndarray
    ends: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Band:
    """Who could as well have been on the other side of a list's end.

    Parameters
    ----------
    cut
        Of the last one chosen. [log-odds]
    inside
        Whose interval contains the cut. Shape (rows,).
    """

    cut: float
    inside: np.ndarray


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


def refitted(
    train: pd.DataFrame,
    asked: pd.DataFrame,
    *,
    settings: Settings,
    seed: int,
    draws: Sequence[int],
    steps: Steps = unseen,
    kept: Path | None = None,
) -> np.ndarray:
    """Log-odds of each asked row by each refit. Shape (draws, rows).

    Parameters
    ----------
    asked
        Units with features, area history aside; for `risk_at_24m`, with `age_months` set to 24.
    draws
        Numbers of the refits: `range(100)`, or `range(100, 200)` for a hundred more. 100 will do for a band, some
        hundreds for the ends of a 95% interval.
    steps
        How the loop over refits is shown; `features.progress.shown` draws a bar.
    kept
        Folder in which each refit's answer is kept as a file, and from which it is taken if it is there: an
        interrupted run goes on where it stopped. Other rows or settings make other files.
    """
    key = _key(train, asked, settings=settings, seed=seed) if kept else ""
    made = np.empty((len(draws), len(asked)))
    for n, draw in enumerate(steps(draws)):
        path = kept / f"{key}-{draw}.npy" if kept else None
        if path and path.exists():
            made[n] = np.load(path)
            continue
        made[n] = log_odds_of(refit(train, settings=settings, seed=seed, draw=draw), asked)
        if path:
            _write_whole(made[n], path)
    return made


def intervals(log_odds: np.ndarray, refits: np.ndarray, *, ends: tuple[float, float] = INTERVAL) -> Intervals:
    """The champion's log-odds with the spread of the refits around it.

    The percentiles are taken from the median of the refits and set around the champion, for the refits' own level is
    not the champion's: each sees fewer clusters.

    Parameters
    ----------
    log_odds
        The champion's. Shape (rows,).
    refits
        See `refitted`. Shape (draws, rows), at least two draws.
    ends
        Percentiles at the low and the high end, below and above 50.

    Raises
    ------
    ValueError
        The shapes do not pair, there are fewer than two refits, or the ends do not enclose the median.
    """
    low, high = ends
    if refits.ndim != 2 or refits.shape[1:] != log_odds.shape or len(refits) < 2:  # noqa: PLR2004 (a spread needs two)
        raise ValueError(
            f"refits have shape {refits.shape} and the champion's log-odds {log_odds.shape}; give (draws, rows) and "
            "(rows,), with 2 draws or more."
        )
    if not 0 <= low < 50 < high <= 100:  # noqa: PLR2004 (the median)
        raise ValueError(f"ends are {low:g} and {high:g}; give percentiles below and above 50, such as 5 and 95.")
    bottom, middle, top = np.percentile(refits, [low, 50, high], axis=0)
    return Intervals(log_odds, log_odds + (bottom - middle), log_odds + (top - middle), middle - log_odds, ends)


def of_households(log_odds: np.ndarray, household_id: pd.Series) -> tuple[pd.Index, np.ndarray]:
    """Households in the order of their ids, and the log-odds of 1 - prod(1 - risk) over their units.

    Give the champion's and the refits' units through this before `intervals`: a household's interval is not made of
    its children's.

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


def boundary(found: Intervals, *, places: int) -> Band:
    """The band of a list of so many places, riskiest first.

    Raises
    ------
    ValueError
        There are not so many rows, or no place.
    """
    if not 1 <= places <= len(found.log_odds):
        raise ValueError(f"places is {places}; it must be 1 to {len(found.log_odds)}, the number of rows.")
    cut = float(np.sort(found.log_odds)[-places])
    return Band(cut, (found.low <= cut) & (cut <= found.high))


def truth_covered(found: Intervals, truth: np.ndarray, *, groups: int = GROUPS) -> pd.DataFrame:
    """Share of intervals that contain the true risk, by groups of equal size and rising risk.

    Where the truth is known, as in a simulation. Intervals speak of the risk given the facts that the model sees: a
    truth that also depends on what no register says, or on another level of prevalence, is covered less often.
    Columns: `n` [rows], `risk` and `truth` [mean probability], `covered` [share].
    """
    with np.errstate(divide="ignore"):  # a true risk of 0 or 1 lies outside every interval
        true = logit(np.asarray(truth, dtype=float))
    rows = pd.DataFrame(
        {
            "risk": expit(found.log_odds),
            "truth": truth,
            "covered": ((found.low <= true) & (true <= found.high)).astype(float),
        }
    )
    return _by_group(rows, found, groups)


def outcomes_covered(found: Intervals, label: np.ndarray, *, groups: int = GROUPS) -> pd.DataFrame:
    """Whether each group's share stunted lies in its mean interval, by groups of equal size and rising risk.

    Where only outcomes are known, as in a survey. A mean of intervals is wider than an interval of the mean, and the
    observed share has an error of its own, about sqrt(share * (1 - share) / n): a check of level, not a proof.
    Columns: `n` [rows], `risk`, `low`, `high` [mean probability], `observed` [share], `inside` [true or false].
    """
    ends = {"risk": found.log_odds, "low": found.low, "high": found.high}
    rows = pd.DataFrame({name: expit(value) for name, value in ends.items()} | {"observed": label})
    table = _by_group(rows, found, groups)
    return table.assign(inside=table.observed.between(table.low, table.high))


def _by_group(rows: pd.DataFrame, found: Intervals, groups: int) -> pd.DataFrame:
    # Equal risks share a rank, so they are never told apart.
    group = pd.qcut(pd.Series(found.log_odds).rank(), groups, labels=False, duplicates="drop").fillna(0)
    made = rows.astype(float).groupby(group.to_numpy()).mean()
    made.insert(0, "n", group.value_counts().sort_index().to_numpy())
    return made.reset_index(drop=True)


def _seed(seed: int, draw: int) -> int:
    # Halved, because XGBoost takes a signed number.
    return int(np.random.SeedSequence([seed, draw]).generate_state(1)[0]) >> 1


def _key(train: pd.DataFrame, asked: pd.DataFrame, *, settings: Settings, seed: int) -> str:
    ordered = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    how = settings.train.model_dump_json() + settings.history.model_dump_json()
    said = "|".join((fingerprint(ordered), fingerprint(asked), how, str(seed)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _write_whole(answer: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    with half.open("wb") as file:
        np.save(file, answer)
    half.replace(path)
