"""How well height and weight were measured, and what worse labels would do to a list.

Limits that turn a figure into a word stand in `Limits`, as configuration: where no source sets one, they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.fitted import PLAUSIBLE, STUNTED_BELOW
from training.metrics import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Risk = Callable[[pd.DataFrame], np.ndarray]
    Learn = Callable[[pd.DataFrame], Risk]

DIGITS: Final = 10
HALF: Final = 5
BY_CHANCE: Final = 2 / DIGITS
"""Share of measurements to 0.1 that end in .0 or .5 when no digit is preferred."""
TOO_FEW: Final = "too few to tell"


@dataclass(frozen=True)
class Limits:
    """When a figure is good, and when it is poor; between the two it is fair.

    Parameters
    ----------
    few
        Below so many measurements nothing is said: at 100, chance alone scores a digit preference of 10.
    sd_low, sd_good, sd_poor
        Of HAZ; good from the first to the second, poor above the third, fair else. Configuration: no source sets
        all three. WHO 1995 expects 1.10 to 1.30; 51 surveys had 1.35 to 1.95, from the 5th to the 95th percentile
        (Mei and Grummer-Strawn 2007). [SD]
    preference_good, preference_poor
        Digit preference score: good up to the first, poor above the second. Configuration, after the plausibility
        check of SMART (up to 12 good, above 20 problematic).
    flagged_poor
        Share of z-scores beyond 6 SD that is poor (WHO and UNICEF 2019: above 1%).

    References
    ----------
    WHO, UNICEF. *Recommendations for data collection, analysis and reporting on anthropometric indicators in children
    under 5 years old*. Geneva: WHO, 2019, ch. 3.

    WHO. *Physical Status: the Use and Interpretation of Anthropometry*. Technical Report Series 854, 1995.

    Mei, Grummer-Strawn. Standard deviation of anthropometric Z-scores as a data quality assessment tool using the 2006
    WHO growth standards. *Bulletin of the WHO* 2007; 85: 441-448.
    """

    few: int = 100
    sd_low: float = 0.8
    sd_good: float = 1.2
    sd_poor: float = 1.5
    preference_good: float = 12.0
    preference_poor: float = 20.0
    flagged_poor: float = 0.01


@dataclass(frozen=True)
class Preference:
    """What the last digits of measurements to 0.1 say; NaN without any.

    Parameters
    ----------
    n
        Measurements.
    halves
        Share that ends in .0 or .5; 0.2 without preference.
    whipple
        `halves` over 0.2, in percent, as Whipple's index of ages: 100 without preference, 500 when all are halves.
    score
        Digit preference score, 100 * sqrt(chi2 / (9 n)): 0 when all digits are as frequent, 100 when there is one
        only; by chance alone about 100 / sqrt(n).
    dissimilarity
        Share of measurements that would need another digit for all to be as frequent, 0 to 0.9.
    """

    n: int
    halves: float
    whipple: float
    score: float
    dissimilarity: float


def preference(values: pd.Series) -> Preference:
    """Terminal-digit preference of measurements to 0.1 cm or 0.1 kg; a null is none.

    References
    ----------
    Kuulasmaa, Hense, Tolonen. *Quality Assessment of Data on Blood Pressure in the WHO MONICA Project*. WHO MONICA
    Project e-publications 9, 1998 (the score).

    WHO, UNICEF. *Recommendations ...*, 2019, ch. 3 (the index of dissimilarity).

    Examples
    --------
    >>> found = preference(pd.Series([70.0, 71.5, 72.0, 73.5]))
    >>> found.halves, found.whipple, round(found.score, 1), found.dissimilarity
    (1.0, 500.0, 66.7, 0.8)
    """
    known = values.dropna().to_numpy(dtype=float)
    if not known.size:
        return Preference(0, *[float("nan")] * 4)
    digit = np.round(known * DIGITS).astype(int) % DIGITS
    share = np.bincount(digit, minlength=DIGITS) / known.size
    # chi2 / n is the sum of (share - 0.1)^2 / 0.1.
    score = 100 * np.sqrt(DIGITS * ((share - 1 / DIGITS) ** 2).sum() / (DIGITS - 1))
    halves = float(share[0] + share[HALF])
    dissimilarity = float(np.abs(share - 1 / DIGITS).sum() / 2)
    return Preference(known.size, halves, 100 * halves / BY_CHANCE, float(score), dissimilarity)


def quality(measured: pd.DataFrame, *, by: str | None = None, limits: Limits | None = None) -> pd.DataFrame:
    """Digit preference, spread of HAZ and flags, for all measurements or by team or area.

    A desa of tall and short families has a wider spread for that reason, too: a word is a reason to look, no verdict.

    Parameters
    ----------
    measured
        Rows of the register `measurement`: `height_cm`, `weight_kg`, `haz`, each null where not known.
    by
        Column of the team or area, such as `posyandu_id`; a null is a group of its own, 'not known'. All together as
        'all' if None.

    Returns
    -------
    `group`; `height_n`, `height_halves`, `height_whipple`, `height_score`, `height_dissimilarity` and the same of
    `weight_` (see `Preference`); `haz_n`; `haz_sd` of unflagged z-scores [SD]; `flagged` share beyond 6 SD;
    `without_haz` share of heights that have no z-score, which a source may have taken out itself; and `digits`,
    `spread`, `implausible` in words: good, fair, poor, or 'too few to tell', beside the figures of however few.
    """
    of = pd.Series("all", index=measured.index) if by is None else measured[by].astype("object").fillna("not known")
    found = [{"group": group, **_figures(rows, limits or Limits())} for group, rows in measured.groupby(of.to_numpy())]
    return pd.DataFrame(found)


def _figures(rows: pd.DataFrame, limits: Limits) -> dict[str, object]:
    digits = {name: preference(rows[column]) for name, column in (("height", "height_cm"), ("weight", "weight_kg"))}
    scored = rows.haz.dropna()
    flagged, spread = (scored.abs() > PLAUSIBLE).mean(), scored[scored.abs() <= PLAUSIBLE].std()
    return {
        **{f"{name}_{part}": value for name, one in digits.items() for part, value in vars(one).items()},
        "haz_n": len(scored),
        "haz_sd": float(spread),
        "flagged": float(flagged),
        "without_haz": float(rows.haz[rows.height_cm.notna()].isna().mean()),
        "digits": _digits_word(digits["height"], limits),
        "spread": TOO_FEW if len(scored) < limits.few else _spread_word(float(spread), limits),
        "implausible": TOO_FEW if len(scored) < limits.few else "poor" if flagged > limits.flagged_poor else "good",
    }


def _digits_word(height: Preference, limits: Limits) -> str:
    """Of heights, from which HAZ is made."""
    if height.n < limits.few:
        return TOO_FEW
    if height.score <= limits.preference_good:
        return "good"
    return "poor" if height.score > limits.preference_poor else "fair"


def _spread_word(spread: float, limits: Limits) -> str:
    if spread > limits.sd_poor:
        return "poor"
    return "good" if limits.sd_low <= spread <= limits.sd_good else "fair"


def noised(rows: pd.DataFrame, *, sd: float, seed: int, near: float | None = None, lift: float = 0.0) -> pd.DataFrame:
    """The rows with a normal error added to `haz`, and `stunted` made from it anew.

    Parameters
    ----------
    rows
        `unit_id`, `as_of`, `haz`, `stunted`. The error goes by the order of the keys, not of the rows.
    sd, lift
        Standard deviation and mean of the error; registers lift children over the line, so theirs is above 0. [SD]
    near
        Only children this near -2 get an error, as where heights are rounded at the line; all if None. [SD]

    Raises
    ------
    ValueError
        `sd` or `near` is negative or null.
    """
    if not sd >= 0 or (near is not None and not near >= 0):
        raise ValueError(f"sd is {sd} and near is {near}; both must be 0 or more, in SD of HAZ.")
    error = np.empty(len(rows))
    error[_by_key(rows)] = np.random.default_rng(seed).normal(lift, sd, len(rows))
    touched = np.ones(len(rows), dtype=bool) if near is None else ((rows.haz - STUNTED_BELOW).abs() <= near).to_numpy()
    haz = (rows.haz + np.where(touched, error, 0.0)).round(2)
    return rows.assign(haz=haz, stunted=(haz < STUNTED_BELOW).astype(int))


def label_noise(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    learn: Learn,
    sds: Sequence[float],
    seed: int,
    near: float | None = None,
    lift: float = 0.0,
    share: float = 0.1,
) -> pd.DataFrame:
    """What errors in the training labels do to the risks of test rows, whose own labels stay clean.

    Parameters
    ----------
    train, test
        Rows with `unit_id`, `as_of`, `haz`, `stunted` and what `learn` needs.
    learn
        Training rows -> a function from test rows to their risk.
    sds, near, lift
        See `noised`; one line for each of `sds`, from the same draw.
    share
        Of the test rows that a list holds; equal risks fall by `unit_id`.

    Returns
    -------
    `sd`; `turned` share of training labels that changed; `stunted` share after it; `jaccard` of the list with that
    of clean labels (rows on both over rows on either); `auc` against the clean labels of the test, and `auc_change`
    from the model of clean labels.
    """
    clean = learn(train)(test)
    lines = []
    for sd in sds:
        wrong = noised(train, sd=sd, seed=seed, near=near, lift=lift)
        turned = {"turned": float((wrong.stunted != train.stunted).mean()), "stunted": float(wrong.stunted.mean())}
        lines.append({"sd": sd, **turned, **_changed(test, clean, learn(wrong)(test), share)})
    return pd.DataFrame(lines)


def _changed(test: pd.DataFrame, clean: np.ndarray, risk: np.ndarray, share: float) -> dict[str, float]:
    before, after = (measure(test.stunted, one, calibrated=False)["auc"] for one in (clean, risk))
    first, second = _top(test, clean, share), _top(test, risk, share)
    return {"jaccard": len(first & second) / len(first | second), "auc": after, "auc_change": after - before}


def _by_key(rows: pd.DataFrame) -> np.ndarray:
    return rows.reset_index(drop=True).sort_values(["unit_id", "as_of"]).index.to_numpy()


def _top(rows: pd.DataFrame, risk: np.ndarray, share: float) -> set[int]:
    """Positions of the riskiest share, at least one row."""
    keys = _by_key(rows)
    order = keys[np.argsort(-np.asarray(risk)[keys], kind="stable")]
    return set(order[: max(1, int(share * len(rows) + 0.5))].tolist())
