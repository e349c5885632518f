"""Risk -> exact contributions (TreeSHAP, log-odds); only this file imports shap and woodelf.

Contributions plus the booster's bias equal its margin. Woodelf's own `expected_value` differs from
that bias, so the base is always the booster's. Calibration multiplies every contribution by its
slope and shifts the base, so that they add up to the printed log-odds.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from woodelf import WoodelfExplainer

from training.models import INPUTS, bias, inputs_of, margins, matrix, shares

if TYPE_CHECKING:
    from pathlib import Path

    import xgboost as xgb

    from training.calibration import Calibration

PARTS = (*INPUTS, "base")
CLOSE = 1e-3  # float32 trees summed in another order
# Below this many rows Woodelf's fixed cost of seconds outweighs its speed.
BULK_FROM = 5_000


def contributions(booster: xgb.Booster, rows: pd.DataFrame, *, calibration: Calibration) -> pd.DataFrame:
    """Calibrated log-odds by feature, and `base`: each row's sum is its calibrated log-odds.

    Raises
    ------
    ArithmeticError
        They do not add up to the booster's margin within 1e-3.
    """
    names = _names(booster)
    made = assessed(booster, inputs_of(rows, names), calibration=calibration)[1]
    return pd.DataFrame(made, index=rows.index, columns=[*names, "base"])


def assessed(booster: xgb.Booster, inputs: np.ndarray, *, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """The margins, and the `PARTS` that add up to them after calibration; see `contributions`."""
    ready = matrix(inputs)
    found = margins(booster, ready)
    if len(inputs) >= BULK_FROM:
        made, base = bulk(booster, inputs), bias(booster)
    else:
        both = shares(booster, ready)
        made, base = both[:, :-1], float(both[0, -1]) if len(both) else 0.0
    gap = np.abs(made.sum(axis=1) + base - found).max(initial=0.0)
    if gap > CLOSE:
        msg = (
            f"Contributions miss the margin by {gap:.2e}; allowed is {CLOSE:.0e}. The explainer does not fit the model."
        )
        raise ArithmeticError(msg)
    shifted = np.full((len(inputs), 1), calibration.intercept + calibration.slope * base)
    return found, np.hstack([made * calibration.slope, shifted])


def single(booster: xgb.Booster, inputs: np.ndarray) -> np.ndarray:
    """By XGBoost itself: a millisecond a row."""
    return shares(booster, matrix(inputs))[:, :-1]


def bulk(booster: xgb.Booster, inputs: np.ndarray) -> np.ndarray:
    """By Woodelf: several times faster from tens of thousands of rows (`make bench`)."""
    # Woodelf 0.4.8 lowers each threshold by one float32 step and still compares with `<`, so that a value one
    # step below a threshold takes the wrong branch. Lowering the values by as much undoes it.
    lowered = np.nextafter(inputs.astype(np.float32), -np.float32(np.inf))
    with contextlib.redirect_stderr(io.StringIO()):  # It prints its own progress.
        made = WoodelfExplainer(booster).shap_values(pd.DataFrame(lowered, columns=_names(booster)), verbose=False)
    return np.asarray(made, dtype=float)


def reference(booster: xgb.Booster, inputs: np.ndarray) -> np.ndarray:
    """By `shap`, the reference the other two are tested against."""
    import shap  # noqa: PLC0415 (it takes seconds and draws matplotlib in; scoring needs neither)

    named = pd.DataFrame(inputs.astype(np.float32), columns=_names(booster))
    made: np.ndarray = shap.TreeExplainer(booster).shap_values(named)
    return made


def _names(booster: xgb.Booster) -> list[str]:
    return list(booster.feature_names or INPUTS)


def beeswarm(contributed: pd.DataFrame, rows: pd.DataFrame, path: Path) -> None:
    """A picture of which features move the risk, and which way: one dot a row, log-odds across."""
    import shap  # noqa: PLC0415 (as above)
    from matplotlib import pyplot as plt  # noqa: PLC0415 (shap draws on the current figure)

    names = [name for name in contributed if name != "base"]
    shown = shap.Explanation(values=contributed[names].to_numpy(), data=rows[names].to_numpy(), feature_names=names)
    figure = plt.figure()
    shap.plots.beeswarm(shown, max_display=20, show=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
