"""The cluster bootstrap: whole clusters drawn again, and the interval of what was measured on them."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

INTERVAL: Final = (2.5, 97.5)


def resamples(cluster: ArrayLike, draws: int, *, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield, per draw, how often each row counts; as many clusters are drawn as there are [rows].

    Parameters
    ----------
    cluster
        The sampling unit of each row; not null. Shape (rows,).
    """
    names, code = np.unique(np.asarray(cluster), return_inverse=True)
    if not names.size:
        return
    random, even = np.random.default_rng(seed), np.full(names.size, 1 / names.size)
    for _ in range(draws):
        yield random.multinomial(names.size, even)[code].astype(float)


def interval(values: list[float]) -> tuple[float, float]:
    """The 95% percentile interval of the values that are not NaN; NaN if all are.

    Examples
    --------
    >>> interval([0.0, 100.0, float("nan")])
    (2.5, 97.5)
    """
    known = np.array([value for value in values if not np.isnan(value)])
    if not known.size:
        return np.nan, np.nan
    low, high = np.percentile(known, INTERVAL)
    return float(low), float(high)
