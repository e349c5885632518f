"""How good a risk is: discrimination, calibration and hits within capacity.

Every metric reads the same small table, `Steps`: one line per distinct risk,
highest first. Rows that share a risk are never told apart, so no number here
depends on the order of the input, and a weight of 2 equals the row twice.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.calibration_line import EDGE, intercept, slope
from training.metric_inputs import check_rows, check_weight
from training.resampling import interval, resamples

Floats = NDArray[np.float64]

BINS: Final = 10


class Steps(NamedTuple):
    """Rows gathered by equal risk, highest risk first. Each array has shape (steps,).

    Attributes
    ----------
    risk
        The distinct risks, strictly decreasing. [0-1, or any score]
    mass
        Total weight of the rows at that risk, greater than 0. [rows]
    hits
        Weight of those rows whose label is 1. [rows]
    """

    risk: Floats
    mass: Floats
    hits: Floats

    @property
    def misses(self) -> Floats:
        """Weight of the rows whose label is 0, per step [rows]."""
        return self.mass - self.hits

    @property
    def one_class(self) -> bool:
        """Whether there is no row with label 1, or none with label 0."""
        return not (self.hits.any() and self.misses.any())


Metric = Callable[[Steps], float]


def measure(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    calibrated: bool = True,
) -> dict[str, float]:
    """Every metric of one risk, by name [unitless; NaN where undefined].

    Parameters
    ----------
    label
        What happened, 0 or 1. Shape (rows,).
    risk
        Probability forecast [0-1], or any score if not `calibrated`; higher is
        riskier. Shape (rows,).
    weight
        Times each row counts, 0 or more; all 1 if None. Shape (rows,). [rows]
    calibrated
        False for a score that is not a probability: the metrics in `CALIBRATION`
        are then NaN.

    Examples
    --------
    >>> found = measure([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.4])
    >>> found["auc"], found["precision_at_20"]
    (0.875, 1.0)
    """
    steps = Rows(label, risk, calibrated=calibrated).steps(weight)
    return _measure(steps, calibrated=calibrated)


def with_intervals(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    cluster: ArrayLike,
    draws: int,
    seed: int,
    weight: ArrayLike | None = None,
    calibrated: bool = True,
) -> dict[str, float]:
    """Every metric with `<metric>_low` and `<metric>_high`, its 95% interval.

    Percentiles over resampled whole clusters, so households measured together stay
    together. A draw in which a metric is undefined is left out of its interval. A
    percentile interval is not centred: for `ece`, which noise only raises, it may
    lie above the point.

    Parameters
    ----------
    label, risk, weight, calibrated
        As for `measure`; a resample weighs a row as often as it draws it.
    cluster
        The sampling unit of each row; not null. Shape (rows,).
    draws
        Number of resamples, at least 1.
    seed
        The same seed resamples the same clusters, whatever the risk.
    """
    rows = Rows(label, risk, calibrated=calibrated)
    found = _measure(rows.steps(weight), calibrated=calibrated)
    own = 1.0 if weight is None else np.asarray(weight, dtype=float)
    drawn = [_measure(rows.steps(own * times), calibrated=calibrated) for times in resamples(cluster, draws, seed=seed)]
    for name in METRICS:
        found[f"{name}_low"], found[f"{name}_high"] = interval([one[name] for one in drawn])
    return found


def paired_difference(
    label: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    metric: str,
    cluster: ArrayLike,
    draws: int,
    seed: int,
) -> dict[str, float]:
    """`difference` of a metric, first minus second, with its 95% `low` and `high`.

    Both risks are measured on the same resampled clusters, so what is hard about
    a cluster cancels. Units, shapes and limits as for `with_intervals`; `metric`
    is a name in `METRICS`.
    """
    if metric not in METRICS:
        message = f"metric is {metric!r}; allowed: {', '.join(METRICS)}. Choose one of these."
        raise ValueError(message)
    of = METRICS[metric]
    pair = [Rows(label, risk, calibrated=metric in CALIBRATION) for risk in (first, second)]
    drawn = [of(pair[0].steps(weight)) - of(pair[1].steps(weight)) for weight in resamples(cluster, draws, seed=seed)]
    low, high = interval(drawn)
    return {"difference": of(pair[0].steps()) - of(pair[1].steps()), "low": low, "high": high}


def steps_of(label: ArrayLike, risk: ArrayLike) -> Steps:
    """Gather the rows by equal risk, highest first; any score will do."""
    return Rows(label, risk, calibrated=False).steps()


def hits_within(steps: Steps, places: ArrayLike) -> Floats:
    """Count the expected rows with label 1 among the riskiest `places` rows [rows].

    When the cut falls among equal risks, each of them counts by the same fraction.
    The result has the shape of `places` [rows].
    """
    within: Floats = np.interp(np.asarray(places, dtype=float), _climb(steps.mass), _climb(steps.hits))
    return within


class Rows:
    """Labels and risks, sorted once, so that each new weighting is a few sums."""

    def __init__(self, label: ArrayLike, risk: ArrayLike, *, calibrated: bool) -> None:
        labels, risks = np.asarray(label, dtype=float), np.asarray(risk, dtype=float)
        check_rows(labels, risks, calibrated=calibrated)
        self.order = np.argsort(-risks, kind="stable")
        self.label, ranked = labels[self.order], risks[self.order]
        new = np.ones(len(ranked), dtype=bool)
        new[1:] = ranked[1:] != ranked[:-1]
        self.starts = np.flatnonzero(new)
        self.risk = ranked[self.starts]

    def steps(self, weight: ArrayLike | None = None) -> Steps:
        """The rows by equal risk, each counted `weight` times; once each if None."""
        count = np.ones(len(self.order)) if weight is None else np.asarray(weight, dtype=float)
        check_weight(count, len(self.order))
        count = count[self.order]
        mass = np.add.reduceat(count, self.starts)
        hits = np.add.reduceat(count * self.label, self.starts)
        present = mass > 0
        return Steps(self.risk[present], mass[present], hits[present])


def _measure(steps: Steps, *, calibrated: bool) -> dict[str, float]:
    return {name: of(steps) if calibrated or name not in CALIBRATION else np.nan for name, of in METRICS.items()}


def _climb(amount: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(amount)])


def _auc(steps: Steps) -> float:
    if steps.one_class:
        return np.nan
    below = steps.misses.sum() - np.cumsum(steps.misses)
    won = steps.hits @ (below + steps.misses / 2)
    return float(won / (steps.hits.sum() * steps.misses.sum()))


def _average_precision(steps: Steps) -> float:
    if not steps.hits.any():
        return np.nan
    precision = np.cumsum(steps.hits) / np.cumsum(steps.mass)
    return float(steps.hits @ precision / steps.hits.sum())


def _brier(steps: Steps) -> float:
    loss = float(steps.hits @ (1 - steps.risk) ** 2 + steps.misses @ steps.risk**2)
    return _per_row(loss, steps)


def _log_loss(steps: Steps) -> float:
    risk = np.clip(steps.risk, EDGE, 1 - EDGE)
    gain = float(steps.hits @ np.log(risk) + steps.misses @ np.log1p(-risk))
    return _per_row(-gain, steps)


def _per_row(total: float, steps: Steps) -> float:
    return float(total / steps.mass.sum()) if steps.mass.size else np.nan


def _ece(steps: Steps) -> float:
    """Mean gap between forecast and outcome over bins of equal weight [0-1].

    A step that straddles a bin's edge is shared between the two bins.
    """
    edges = np.linspace(0, steps.mass.sum(), BINS + 1)
    excess = np.interp(edges, _climb(steps.mass), _climb(steps.hits - steps.mass * steps.risk))
    return _per_row(float(np.abs(np.diff(excess)).sum()), steps)


def _calibration_slope(steps: Steps) -> float:
    return np.nan if steps.one_class else slope(steps.risk, hits=steps.hits, mass=steps.mass)


def _calibration_intercept(steps: Steps) -> float:
    return np.nan if steps.one_class else intercept(steps.risk, hits=steps.hits, mass=steps.mass)


def places_at(steps: Steps, share: float) -> float:
    """Rows a capacity of `share` reaches: rounded half up, at least 1, at most all."""
    total = float(steps.mass.sum())
    return min(max(1.0, float(np.floor(share * total + 0.5))), total)


def _precision_at(share: float) -> Metric:
    def precision(steps: Steps) -> float:
        places = places_at(steps, share)
        return float(hits_within(steps, places)) / places if places else np.nan

    return precision


def _recall_at(share: float) -> Metric:
    def recall(steps: Steps) -> float:
        hits = float(steps.hits.sum())
        return float(hits_within(steps, places_at(steps, share))) / hits if hits else np.nan

    return recall


CALIBRATION: Final = frozenset({"brier", "log_loss", "calibration_slope", "calibration_intercept", "ece"})
METRICS: Final = MappingProxyType[str, Metric](
    {
        "auc": _auc,
        "average_precision": _average_precision,
        "brier": _brier,
        "log_loss": _log_loss,
        "calibration_slope": _calibration_slope,
        "calibration_intercept": _calibration_intercept,
        "ece": _ece,
        "precision_at_10": _precision_at(0.10),
        "precision_at_20": _precision_at(0.20),
        "recall_at_10": _recall_at(0.10),
        "recall_at_20": _recall_at(0.20),
    }
)
