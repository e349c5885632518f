"""The outcome: stunted at the first valid measurement on or after `as_of`, inside the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from features.fitted import PLAUSIBLE, STUNTED_BELOW

if TYPE_CHECKING:
    from features.settings import Outcome

CENT = 0.01
"""Heights-for-age are given to two decimals: -2.01 is below the line and -2.00 is not."""


def labelled(units: pd.DataFrame, measurements: pd.DataFrame, *, window: Outcome) -> pd.DataFrame:
    """The units that have an outcome, with it."""
    return units.merge(outcomes(units, measurements, window=window), on=["unit_id", "as_of"], validate="1:1")


def outcomes(cohort: pd.DataFrame, measurements: pd.DataFrame, *, window: Outcome) -> pd.DataFrame:
    """`unit_id, as_of, measured_on, outcome_known_on, haz, stunted` for each row that has an outcome.

    A flagged z-score (|HAZ| > 6, WHO 2006) is no outcome; exactly -2.00 is not stunted.
    """
    valid = measurements[measurements.haz.abs() <= PLAUSIBLE]
    valid = valid.rename(columns={"recorded_on": "outcome_known_on"})
    pairs = cohort[["unit_id", "as_of", "child_id"]].merge(valid, on="child_id")
    after = (pairs.measured_on - pairs.as_of).dt.days
    pairs = pairs[after.between(window.from_days, window.to_days)]
    first = pairs.sort_values(["unit_id", "as_of", "measured_on"]).drop_duplicates(["unit_id", "as_of"])
    made = first[["unit_id", "as_of", "measured_on", "outcome_known_on", "haz"]]
    return made.assign(stunted=(made.haz.round(2) < STUNTED_BELOW).astype(int))


def sloped(haz: pd.Series, *, width_sd: float) -> np.ndarray:
    """How surely each child is below the line: 1 well below, 0 well above, a normal curve of this width between.

    A step throws away how far from the line a child is, and tells the booster that two children a millimetre apart
    are opposites. With a width of 0 it is the step. [0-1]
    """
    below = STUNTED_BELOW - CENT / 2 - haz.round(2).to_numpy(float)
    return (below > 0).astype(float) if width_sd == 0 else ndtr(below / width_sd)
