"""Score -> risk: a logistic curve fitted on rows that the booster did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.errors import InputRefused

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Calibration:
    """`risk = expit(intercept + slope * margin)`; the slope is positive, so no order changes."""

    intercept: float
    slope: float

    def log_odds(self, margin: np.ndarray) -> np.ndarray:
        """Calibrated log-odds."""
        return self.intercept + self.slope * margin

    def risk(self, margin: np.ndarray) -> np.ndarray:
        """Calibrated risk. [probability]"""
        made: np.ndarray = expit(self.log_odds(margin))
        return made


def fit_calibration(margin: np.ndarray, label: pd.Series) -> Calibration:
    """Platt's curve, not penalised, on out-of-fold margins.

    Raises
    ------
    InputRefused
        The slope is not positive: the score does not separate at all.

    References
    ----------
    Platt, *Probabilistic outputs for support vector machines*, 1999.
    """
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(margin.reshape(-1, 1), label)
    slope = float(model.coef_[0, 0])
    if slope <= 0:
        raise InputRefused(
            f"a calibration slope of {slope:.3f}, so the score does not separate at all",
            "a slope above 0",
            "The outcomes may be shuffled or too few: check `measurement.haz` and its child_id.",
        )
    return Calibration(float(model.intercept_[0]), slope)
