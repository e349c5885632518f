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

from training.models import INPUTS, bias, margin, matrix

if TYPE_CHECKING:
    from pathlib import Path

    import xgboost as xgb

    from training.calibration import Calibration

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
    return assessed(booster, rows, calibration=calibration)[1]


def assessed(booster: xgb.Booster, rows: pd.DataFrame, *, calibration: Calibration) -> tuple[np.ndarray, pd.DataFrame]:
    """The margins, and the contributions that add up to them after calibration; see `contributions`."""
    if len(rows) >= BULK_FROM:
        made, base, margins = bulk(booster, rows).to_numpy(), bias(booster), margin(booster, rows)
    else:
        found, base, margins = single(booster, rows)
        made = found.to_numpy()
    gap = np.abs(made.sum(axis=1) + base - margins).max(initial=0.0)
    if gap > CLOSE:
        msg = (
            f"Contributions miss the margin by {gap:.2e}; allowed is {CLOSE:.0e}. The explainer does not fit the model."
        )
        raise ArithmeticError(msg)
    shifted = np.full((len(rows), 1), calibration.intercept + calibration.slope * base)
    parts = np.hstack([made * calibration.slope, shifted])
    return margins, pd.DataFrame(parts, index=rows.index, columns=[*INPUTS, "base"])


def single(booster: xgb.Booster, rows: pd.DataFrame) -> tuple[pd.DataFrame, float, np.ndarray]:
    """By XGBoost itself: a millisecond a request. The bias and the margins come beside them."""
    inputs = matrix(rows)
    made = booster.predict(inputs, pred_contribs=True).astype(float)
    margins: np.ndarray = booster.predict(inputs, output_margin=True).astype(float)
    own = pd.DataFrame(made[:, :-1], index=rows.index, columns=list(INPUTS))
    return own, float(made[0, -1]) if len(made) else 0.0, margins


def bulk(booster: xgb.Booster, rows: pd.DataFrame) -> pd.DataFrame:
    """By Woodelf: several times faster from tens of thousands of rows (`make bench`)."""
    exact = rows[list(INPUTS)].to_numpy(np.float32)
    # Woodelf 0.4.8 lowers each threshold by one float32 step and still compares with `<`, so that a value one
    # step below a threshold takes the wrong branch. Lowering the values by as much undoes it.
    lowered = np.nextafter(exact, -np.float32(np.inf))
    inputs = pd.DataFrame(lowered, index=rows.index, columns=list(INPUTS))
    with contextlib.redirect_stderr(io.StringIO()):  # It prints its own progress.
        made = WoodelfExplainer(booster).shap_values(inputs, verbose=False)
    return pd.DataFrame(np.asarray(made, dtype=float), index=rows.index, columns=list(INPUTS))


def reference(booster: xgb.Booster, rows: pd.DataFrame) -> np.ndarray:
    """By `shap`, the reference the other two are tested against."""
    import shap  # noqa: PLC0415 (it takes seconds and draws matplotlib in; scoring needs neither)

    made: np.ndarray = shap.TreeExplainer(booster).shap_values(rows[list(INPUTS)].astype(np.float32))
    return made


def beeswarm(contributed: pd.DataFrame, rows: pd.DataFrame, path: Path) -> None:
    """A picture of which features move the risk, and which way: one dot a row, log-odds across."""
    import shap  # noqa: PLC0415 (as above)
    from matplotlib import pyplot as plt  # noqa: PLC0415 (shap draws on the current figure)

    shown = shap.Explanation(
        values=contributed[list(INPUTS)].to_numpy(), data=rows[list(INPUTS)].to_numpy(), feature_names=list(INPUTS)
    )
    figure = plt.figure()
    shap.plots.beeswarm(shown, max_display=20, show=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
