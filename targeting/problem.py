"""Whom to visit and what to hand over, as numbers: what each is worth, and the limits on all together; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]
    Integers = NDArray[np.int64]

SPARE: Final = 1e-9  # of a limit's largest use: sums of floats, and less than a rupiah


@dataclass(frozen=True, eq=False)
class Problem:
    """Households that may be visited, services that may be offered to them, and limits.

    A service is handed over on a visit only. Of a household's credited services one at most is: their effects are known
    apart, and not together.

    Parameters
    ----------
    gain
        What a visit is worth, 0 or more. Shape (households,). [children]
    home
        The household of each offer, its place in `gain`, ascending. Shape (offers,).
    offer_gain
        What handing it over adds, 0 or more. Shape (offers,). [children]
    credited
        Whether a known effect of it is counted. Shape (offers,).
    use
        What each visit, then each offer, takes of each limit, 0 or more: visits, hours or rupiah. Compressed by
        column; shape (limits, households + offers).
    least, most
        Of each limit; `most` may be infinite. Shape (limits,).
    kind
        Households of one number take the same of every limit and are offered the same. Shape (households,).
    lot
        Equal gains fall by it, the least first. Shape (households,).
    """

    gain: Floats
    home: Integers
    offer_gain: Floats
    credited: Booleans
    use: sparse.csc_array
    least: Floats
    most: Floats
    kind: Integers
    lot: Floats

    @property
    def households(self) -> int:
        """How many may be visited."""
        return self.gain.size

    @property
    def offers(self) -> int:
        """How many services may be handed over."""
        return self.home.size

    @cached_property
    def scale(self) -> Floats:
        """The largest use of each limit, by which a solver sees rupiah and visits alike. Shape (limits,)."""
        largest = self.use.max(axis=1).toarray().ravel() if self.use.nnz else np.zeros(self.use.shape[0])
        return np.where(largest > 0, largest, 1.0)

    def used(self, visited: Floats | Booleans, given: Floats | Booleans) -> Floats:
        """What is taken of each limit. Shape (limits,)."""
        return np.asarray(self.use @ np.concatenate([visited, given]).astype(float))

    def worth(self, visited: Floats | Booleans, given: Floats | Booleans) -> float:
        """What visits and offers reach together. [children]"""
        return float(self.gain @ visited + self.offer_gain @ given)

    def keeps(self, visited: Booleans, given: Booleans) -> bool:
        """Whether every limit holds, and nothing is handed over without a visit."""
        used, spare = self.used(visited, given), SPARE * np.maximum(self.scale, 1.0)
        once = np.bincount(self.home[given & self.credited], minlength=self.households)
        return bool(
            (used <= self.most + spare).all()
            and (used >= self.least - spare).all()
            and not (given & ~visited[self.home]).any()
            and (once <= 1).all()
        )


@dataclass(frozen=True, eq=False)
class Left:
    """What each visit and offer is worth beyond the price of what it takes: above 0, it is taken.

    Parameters
    ----------
    household
        A visit with all that is worth handing over on it. Shape (households,). [children]
    offer
        Shape (offers,). [children]
    """

    household: Floats
    offer: Floats


def left(problem: Problem, price: Floats) -> Left:
    """Worth beyond price; `price` is of one unit of each limit, negative where a least amount forces. [children]"""
    taken = np.asarray(problem.use.T @ price)
    offer = problem.offer_gain - taken[problem.households :]
    worth = np.maximum(offer, 0.0)
    free = np.bincount(problem.home, np.where(problem.credited, 0.0, worth), minlength=problem.households)
    best = np.zeros(problem.households)
    np.maximum.at(best, problem.home, np.where(problem.credited, worth, 0.0))
    return Left(problem.gain - taken[: problem.households] + free + best, offer)


def bound(problem: Problem, price: Floats) -> float:
    """No plan under the limits reaches more. [children]

    Any prices give a bound: whoever could sell every limit at them, and keep what is left, could do no worse (weak
    duality). So the proof is this sum, and asks no solver to be trusted.
    """
    paid = np.where(price > 0, price * np.where(price > 0, problem.most, 0.0), price * problem.least)
    return float(paid.sum() + np.maximum(left(problem, price).household, 0.0).sum())
