"""How good a risk is: discrimination, calibration and hits within capacity.

Every metric reads the same small table, `Steps`: one line per distinct risk,
highest first. Rows that share a risk are never told apart, so no number here
depends on the order of the input, and a weight of 2 equals the row twice.
"""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS: Final = 10
INTERVAL: Final = (2.5, 97.5)
# A risk of exactly 0 or 1 has no logit; scikit-learn's `log_loss` clips here too.
_EDGE: Final = float(np.finfo(np.float64).eps)
_NEWTON_STEPS: Final = 100
_HALVINGS: Final = 60
# Relative to the total weight: below this the score equations count as solved.
_SOLVED: Final = 1e-10


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
    steps = _Rows(label, risk, calibrated=calibrated).steps(weight)
    return _measure(steps, calibrated=calibrated)


def with_intervals(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    cluster: ArrayLike,
    draws: int,
    seed: int,
    calibrated: bool = True,
) -> dict[str, float]:
    """Every metric with `<metric>_low` and `<metric>_high`, its 95% interval.

    Percentiles over resampled whole clusters, so households measured together stay
    together. A draw in which a metric is undefined is left out of its interval. A
    percentile interval is not centred: for `ece`, which noise only raises, it may
    lie above the point.

    Parameters
    ----------
    label, risk, calibrated
        As for `measure`.
    cluster
        The sampling unit of each row; not null. Shape (rows,).
    draws
        Number of resamples, at least 1.
    seed
        The same seed resamples the same clusters, whatever the risk.
    """
    rows = _Rows(label, risk, calibrated=calibrated)
    found = _measure(rows.steps(), calibrated=calibrated)
    drawn = [_measure(rows.steps(weight), calibrated=calibrated) for weight in _resamples(cluster, draws, seed=seed)]
    for name in METRICS:
        found[f"{name}_low"], found[f"{name}_high"] = _interval([one[name] for one in drawn])
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
    pair = [_Rows(label, risk, calibrated=metric in CALIBRATION) for risk in (first, second)]
    drawn = [of(pair[0].steps(weight)) - of(pair[1].steps(weight)) for weight in _resamples(cluster, draws, seed=seed)]
    low, high = _interval(drawn)
    return {"difference": of(pair[0].steps()) - of(pair[1].steps()), "low": low, "high": high}


def steps_of(label: ArrayLike, risk: ArrayLike) -> Steps:
    """Gather the rows by equal risk, highest first; any score will do."""
    return _Rows(label, risk, calibrated=False).steps()


def hits_within(steps: Steps, places: ArrayLike) -> Floats:
    """Count the expected rows with label 1 among the riskiest `places` rows [rows].

    When the cut falls among equal risks, each of them counts by the same fraction.
    The result has the shape of `places` [rows].
    """
    within: Floats = np.interp(np.asarray(places, dtype=float), _climb(steps.mass), _climb(steps.hits))
    return within


class _Rows:
    """Labels and risks, sorted once, so that each new weighting is a few sums."""

    def __init__(self, label: ArrayLike, risk: ArrayLike, *, calibrated: bool) -> None:
        labels, risks = np.asarray(label, dtype=float), np.asarray(risk, dtype=float)
        _check(labels, risks, calibrated=calibrated)
        self.order = np.argsort(-risks, kind="stable")
        self.label, ranked = labels[self.order], risks[self.order]
        new = np.ones(len(ranked), dtype=bool)
        new[1:] = ranked[1:] != ranked[:-1]
        self.starts = np.flatnonzero(new)
        self.risk = ranked[self.starts]

    def steps(self, weight: ArrayLike | None = None) -> Steps:
        count = np.ones(len(self.order)) if weight is None else np.asarray(weight, dtype=float)
        _check_weight(count, len(self.order))
        count = count[self.order]
        mass = np.add.reduceat(count, self.starts)
        hits = np.add.reduceat(count * self.label, self.starts)
        present = mass > 0
        return Steps(self.risk[present], mass[present], hits[present])


def _check(label: Floats, risk: Floats, *, calibrated: bool) -> None:
    if label.ndim != 1 or label.shape != risk.shape:
        message = f"label has shape {label.shape} and risk {risk.shape}; give one of each per row."
        raise ValueError(message)
    _refuse("labels", ~np.isin(label, (0, 1)), "are not 0 or 1; drop rows without an outcome")
    _refuse("risks", np.isnan(risk), "are null; score every row first")
    if calibrated:
        outside = (risk < 0) | (risk > 1)
        _refuse("risks", outside, "are outside 0-1; calibrate them, or pass calibrated=False")


def _check_weight(weight: Floats, rows: int) -> None:
    if weight.shape != (rows,):
        message = f"weight has shape {weight.shape}; give one per row, shape ({rows},)."
        raise ValueError(message)
    _refuse("weights", ~(weight >= 0), "are null or negative; use 0 to leave a row out")


def _refuse(what: str, wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        message = f"{wrong.sum()} of {wrong.size} {what} {why}; first: row {wrong.argmax()}."
        raise ValueError(message)


def _measure(steps: Steps, *, calibrated: bool) -> dict[str, float]:
    return {name: of(steps) if calibrated or name not in CALIBRATION else np.nan for name, of in METRICS.items()}


def _resamples(cluster: ArrayLike, draws: int, *, seed: int) -> Iterator[Floats]:
    names, code = np.unique(np.asarray(cluster), return_inverse=True)
    if not names.size:
        return
    random, even = np.random.default_rng(seed), np.full(names.size, 1 / names.size)
    for _ in range(draws):
        yield random.multinomial(names.size, even)[code].astype(float)


def _interval(values: list[float]) -> tuple[float, float]:
    known = np.array([value for value in values if not np.isnan(value)])
    if not known.size:
        return np.nan, np.nan
    low, high = np.percentile(known, INTERVAL)
    return float(low), float(high)


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
    risk = np.clip(steps.risk, _EDGE, 1 - _EDGE)
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


def _logit(risk: Floats) -> Floats:
    clipped = np.clip(risk, _EDGE, 1 - _EDGE)
    return np.log(clipped) - np.log1p(-clipped)


def _calibration_slope(steps: Steps) -> float:
    if steps.one_class or _separated(steps):
        return np.nan
    logit = _logit(steps.risk)
    design = np.column_stack([np.ones_like(logit), logit])
    return _logistic(steps, design, offset=np.zeros_like(logit))


def _calibration_intercept(steps: Steps) -> float:
    if steps.one_class:
        return np.nan
    logit = _logit(steps.risk)
    return _logistic(steps, np.ones((logit.size, 1)), offset=logit)


def _separated(steps: Steps) -> bool:
    """Whether some threshold splits the labels, which sends the slope to infinity."""
    hit, missed = steps.risk[steps.hits > 0], steps.risk[steps.misses > 0]
    return bool(hit.min() >= missed.max() or missed.min() >= hit.max())


def _logistic(steps: Steps, design: Floats, *, offset: Floats) -> float:
    """Fit the last coefficient of an unpenalised logistic regression, by Newton's method."""
    beta, total = np.zeros(design.shape[1]), steps.mass.sum()
    for _ in range(_NEWTON_STEPS):
        # The tanh form of the logistic function cannot overflow.
        chance = 0.5 * (1 + np.tanh((offset + design @ beta) / 2))
        score = design.T @ (steps.hits - steps.mass * chance)
        if np.abs(score).max() <= _SOLVED * total:
            return float(beta[-1])
        curve = (design.T * (steps.mass * chance * (1 - chance))) @ design
        # The ridge guards a flat curve; the solution is where the score is 0, so it does not bias.
        move = np.linalg.solve(curve + _SOLVED * total * np.eye(beta.size), score)
        beta = _improve(beta, move, lambda b: _likelihood(steps, offset + design @ b))
    return np.nan


def _improve(beta: Floats, move: Floats, likelihood: Callable[[Floats], float]) -> Floats:
    now, share = likelihood(beta), 1.0
    for _ in range(_HALVINGS):
        # Near the top, rounding may hide the gain.
        if likelihood(beta + share * move) >= now - 1e-12 * abs(now):
            break
        share /= 2
    return beta + share * move


def _likelihood(steps: Steps, logit: Floats) -> float:
    softplus = np.maximum(logit, 0) + np.log1p(np.exp(-np.abs(logit)))
    return float(steps.hits @ logit - steps.mass @ softplus)


def _places(steps: Steps, share: float) -> float:
    """Rows a capacity of `share` reaches: rounded half up, at least 1, at most all."""
    total = float(steps.mass.sum())
    return min(max(1.0, float(np.floor(share * total + 0.5))), total)


def _precision_at(share: float) -> Metric:
    def precision(steps: Steps) -> float:
        places = _places(steps, share)
        return float(hits_within(steps, places)) / places if places else np.nan

    return precision


def _recall_at(share: float) -> Metric:
    def recall(steps: Steps) -> float:
        hits = float(steps.hits.sum())
        return float(hits_within(steps, _places(steps, share))) / hits if hits else np.nan

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
