"""The logistic line from a risk's own logit to the outcome: slope 1 and intercept 0 if it keeps its word.

Takes rows gathered by equal risk: `risk` [0-1], `mass` and `hits` as in `training.metrics.Steps`, each of
shape (steps,). Both labels must be present.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A risk of exactly 0 or 1 has no logit; scikit-learn's `log_loss` clips here too.
EDGE: Final = float(np.finfo(np.float64).eps)
_NEWTON_STEPS: Final = 100
_HALVINGS: Final = 60
# Relative to the total weight: below this the score equations count as solved.
_SOLVED: Final = 1e-10


def slope(risk: Floats, *, hits: Floats, mass: Floats) -> float:
    """Factor on the logit that fits best, beside a free intercept [unitless].

    Below 1, the risks are too far apart. NaN where a threshold splits the labels: the factor is then infinite.
    """
    if _separated(risk, hits=hits, mass=mass):
        return np.nan
    logit = _logit(risk)
    design = np.column_stack([np.ones_like(logit), logit])
    return _last_coefficient(design, hits=hits, mass=mass, offset=np.zeros_like(logit))


def intercept(risk: Floats, *, hits: Floats, mass: Floats) -> float:
    """Shift of the logit, at slope 1, that fits best [log-odds]; above 0, the risks are too low."""
    logit = _logit(risk)
    return _last_coefficient(np.ones((logit.size, 1)), hits=hits, mass=mass, offset=logit)


def _logit(risk: Floats) -> Floats:
    clipped = np.clip(risk, EDGE, 1 - EDGE)
    return np.log(clipped) - np.log1p(-clipped)


def _separated(risk: Floats, *, hits: Floats, mass: Floats) -> bool:
    """Whether some threshold splits the labels, which sends the slope to infinity."""
    hit, missed = risk[hits > 0], risk[mass - hits > 0]
    return bool(hit.min() >= missed.max() or missed.min() >= hit.max())


def _last_coefficient(design: Floats, *, hits: Floats, mass: Floats, offset: Floats) -> float:
    """Fit an unpenalised logistic regression by Newton's method."""
    beta, total = np.zeros(design.shape[1]), mass.sum()
    for _ in range(_NEWTON_STEPS):
        # The tanh form of the logistic function cannot overflow.
        chance = 0.5 * (1 + np.tanh((offset + design @ beta) / 2))
        score = design.T @ (hits - mass * chance)
        if np.abs(score).max() <= _SOLVED * total:
            return float(beta[-1])
        curve = (design.T * (mass * chance * (1 - chance))) @ design
        # The ridge guards a flat curve; the solution is where the score is 0, so it does not bias.
        move = np.linalg.solve(curve + _SOLVED * total * np.eye(beta.size), score)
        beta = _improve(beta, move, likelihood=lambda b: _likelihood(offset + design @ b, hits=hits, mass=mass))
    return np.nan


def _improve(beta: Floats, move: Floats, *, likelihood: Callable[[Floats], float]) -> Floats:
    now, share = likelihood(beta), 1.0
    for _ in range(_HALVINGS):
        # Near the top, rounding may hide the gain.
        if likelihood(beta + share * move) >= now - 1e-12 * abs(now):
            break
        share /= 2
    return beta + share * move


def _likelihood(logit: Floats, *, hits: Floats, mass: Floats) -> float:
    softplus = np.maximum(logit, 0) + np.log1p(np.exp(-np.abs(logit)))
    return float(hits @ logit - mass @ softplus)
