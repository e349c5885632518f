"""How a share of households becomes whole households, in the district and in each group of it; pure."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction

import pandas as pd

HALF = Fraction(1, 2)


def rounded(share: float, count: int) -> int:
    """`share` of `count` households, rounded half up. [households]

    The share is taken as it is written, so that no arithmetic of the machine decides: 0.07 of 50 is three and a half.

    Raises
    ------
    ValueError
        The share is not between 0 and 1.

    Examples
    --------
    >>> rounded(0.07, 50), rounded(0.07, 49)
    (4, 3)
    """
    return _half_up(_exact(share) * count)


def shares_rounded(share: float, counts: pd.Series, *, salt: str) -> pd.Series:
    """The same share of every group in whole households, by largest remainder. [households]

    Each group gets its share rounded down. The places left, until the total is `rounded(share, counts.sum())`, go one
    each to the groups that lost most by it. So none is a whole household off its share, none gets more than it has,
    and a group too small for one household of its own may get none.

    Parameters
    ----------
    share
        Of the households of each group, 0 to 1.
    counts
        Households by group, whole and 0 or more; the index holds each group once, none of them null.
    salt
        Name of the round. Of groups that lost as much, those come first whose SHA-256 of `salt|group` is lower.

    Returns
    -------
    Integers with the index of `counts`, in its order.

    Raises
    ------
    ValueError
        A share, a count or a group breaks one of the rules above.

    References
    ----------
    Balinski, Young. *Fair Representation*. Yale University Press, 1982: Hamilton's method.

    Examples
    --------
    >>> shares_rounded(0.1, pd.Series({"hulu": 14, "kota": 17, "laut": 9}), salt="round-1").to_dict()
    {'hulu': 1, 'kota': 2, 'laut': 1}
    """
    _check(counts)
    exact = [_exact(share) * int(count) for count in counts]
    whole = [math.floor(wanted) for wanted in exact]
    left = _half_up(sum(exact, Fraction(0))) - sum(whole)
    lots = [hashlib.sha256(f"{salt}|{group}".encode()).hexdigest() for group in counts.index]
    turn = sorted(range(len(whole)), key=lambda place: (whole[place] - exact[place], lots[place]))
    for place in turn[:left]:
        whole[place] += 1
    return pd.Series(whole, index=counts.index, dtype="int64")


def _exact(share: float) -> Fraction:
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; allowed: 0 to 1. Give 0.04 for 4 in 100.")
    return Fraction(str(float(share)))


def _half_up(wanted: Fraction) -> int:
    return math.floor(wanted + HALF)


def _check(counts: pd.Series) -> None:
    groups = list(counts.index)
    wrong = ~((counts >= 0) & (counts % 1 == 0))
    if wrong.any():
        first = f"{groups[int(wrong.argmax())]!r} has {counts[wrong].iloc[0]}"
        raise ValueError(f"{wrong.sum()} counts are not whole or below 0; first: {first}. Count the households.")
    unclear = counts.index.isna() | counts.index.duplicated()
    if unclear.any():
        first = repr(groups[int(unclear.argmax())])
        raise ValueError(f"{unclear.sum()} groups are null or stand twice; first: {first}. Name each group once.")
