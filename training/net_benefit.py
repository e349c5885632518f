"""Whether a risk is worth acting on, for planners who weigh a needless visit differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from training.decision import estimated
from training.metric_inputs import check_rows
from training.metrics import Floats, Rows, hits_within
from training.visits import of_each_row, ratio, weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from training.metrics import Steps

THRESHOLDS: Final = tuple(percent / 100 for percent in range(1, 51))
NO_ONE: Final = "visit_none"
ALL: Final = "visit_all"
MODEL: Final = "model"
GAIN: Final = "gain"


def decision_curve(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    rules: Mapping[str, ArrayLike],
    cluster: ArrayLike,
    draws: int,
    seed: int,
    weight: ArrayLike | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
) -> pd.DataFrame:
    """Net benefit of visiting every child at or above a threshold of risk. [cases found per row]

    Cases visited less others visited, these at the weight that the threshold gives them:
    TP/n - FP/n * pt / (1 - pt). Whoever would make nine needless visits to find one case has
    the threshold 0.1. Every figure has its 95% `_low` and `_high` over resampled whole clusters.

    Parameters
    ----------
    label, cluster, draws, seed, weight
        As for `training.decision.capacity_curve`.
    risk
        Calibrated risk. Shape (rows,). [0-1]
    rules
        Name -> whom a rule visits, 0 or 1, whatever the threshold. Shape (rows,) each.
    thresholds
        Risks from which a visit is worth it, from 0 to below 1.

    Returns
    -------
    pandas.DataFrame
        By `threshold`: `model`, `visit_all`, `visit_none` (0), each rule, and `gain`: the
        model's lead over the better of `visit_all` and `visit_none` in the same resample.
        NaN without rows.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction
    models. *Med Decis Making* 2006; 26(6): 565-574.

    Examples
    --------
    >>> curve = decision_curve(
    ...     [1, 0, 1, 0], [0.9, 0.6, 0.2, 0.1], rules={"poor": [1, 1, 0, 0]}, cluster=list("abcd"), draws=9, seed=1
    ... )
    >>> curve.loc[0.5, ["model", "poor", "visit_all", "gain"]].tolist()
    [0.0, 0.0, 0.0, 0.0]
    >>> round(float(curve.loc[0.2, "model"]), 4)
    0.4375
    """
    _check(label, risk, rules=rules, thresholds=thresholds)
    times = weights(weight, np.size(label))
    model = Rows(label, risk, calibrated=True)
    flags = {name: Rows(label, flag, calibrated=False) for name, flag in rules.items()}
    odds = np.array([threshold / (1 - threshold) for threshold in thresholds])

    def benefits(count: Floats) -> dict[str, Floats]:
        steps = model.steps(count * times)
        everyone, chosen = _benefit(steps, 0.0, odds=odds), _benefit(steps, thresholds, odds=odds)
        return {
            MODEL: chosen,
            ALL: everyone,
            NO_ONE: np.zeros_like(odds),
            **{name: _benefit(flag.steps(count * times), 1.0, odds=odds) for name, flag in flags.items()},
            GAIN: chosen - np.maximum(everyone, 0),
        }

    at = pd.Index(thresholds, name="threshold")
    cluster = of_each_row("cluster", cluster, times.size)
    return estimated(benefits, at=at, cluster=cluster, draws=draws, seed=seed)


def _benefit(steps: Steps, cut: ArrayLike, *, odds: Floats) -> Floats:
    """Net benefit of visiting all rows at `cut` or above. Shape of `odds`. [cases found per row]"""
    visited = np.append(0, np.cumsum(steps.mass))[np.searchsorted(-steps.risk, -np.asarray(cut), side="right")]
    found = hits_within(steps, visited)
    return ratio(found - (visited - found) * odds, np.full_like(odds, steps.mass.sum()))


def _check(label: ArrayLike, risk: ArrayLike, *, rules: Mapping[str, ArrayLike], thresholds: Sequence[float]) -> None:
    check_rows(np.asarray(label, dtype=float), np.asarray(risk, dtype=float), calibrated=True)
    if wrong := [threshold for threshold in thresholds if not 0 <= threshold < 1]:
        message = f"threshold is {wrong[0]}; allowed: 0 to below 1. Give risks, 0.1 for one in ten."
        raise ValueError(message)
    taken = (MODEL, ALL, NO_ONE, GAIN)
    for name, flag in rules.items():
        if name in taken:
            message = f"a rule is named {name!r}; that is a column of the result, as are {', '.join(taken)}. Rename it."
            raise ValueError(message)
        if (other := ~np.isin(np.asarray(flag, dtype=float), (0, 1))).any():
            message = (
                f"{other.sum()} of {other.size} values of the rule {name!r} are not 0 or 1; first: row "
                f"{other.argmax()}. Give whom it visits, not its score."
            )
            raise ValueError(message)
