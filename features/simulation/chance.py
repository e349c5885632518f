"""Random streams, and the few kinds of draw of which the simulation is made."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Random: TypeAlias = np.random.Generator


def stream(seed: int, *place: int) -> Random:
    """The random stream of one place: none for the kabupaten, a desa's number, or that and the number of a part.

    What is drawn in one place does not change with what is drawn in another.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=place)))


def happens(random: Random, share: np.ndarray | float, *, size: int | None = None) -> np.ndarray:
    """Whether each event comes true, of the given probability."""
    return random.random(np.shape(share) if size is None else size) < share


def picked(random: Random, shares: dict[str, float], *, size: int) -> np.ndarray:
    """Words drawn by their shares, which add up to 1."""
    limits = np.cumsum(list(shares.values()))[:-1]
    return np.array(list(shares))[np.searchsorted(limits, random.random(size), side="right")]


def step(value: np.ndarray, limits: dict[str, float], *, above: str) -> np.ndarray:
    """The word of the first limit that the value stays below, else `above`."""
    words = np.array([*limits, above])
    return words[np.searchsorted(list(limits.values()), value, side="right")]


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """The probability of these log-odds."""
    return 1.0 / (1.0 + np.exp(-log_odds))


def unknown(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The values with nothing written where `where` holds: NaN among numbers, "" among words."""
    if values.dtype.kind == "U":
        return np.where(where, "", values)
    return np.where(where, np.nan, values.astype(float))


def turn(values: np.ndarray) -> np.ndarray:
    """How many of the same value stand before each, from 0."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.append(True, ordered[1:] != ordered[:-1]) if len(values) else np.empty(0, dtype=bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(values)), 0))
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values)) - starts
    return place
