"""The visits of a plan that fall by lot among all whom it did not choose; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from features.errors import InputRefused

if TYPE_CHECKING:
    from targeting.limits import Limits

TRIES: Final = 1_000


def drawn(limits: Limits, names: list[str], visited: np.ndarray, *, salt: str) -> np.ndarray:
    """Which households are visited by lot: `limits.by_lot` of those not chosen, all with one chance.

    A draw that would break the most of some place is drawn again as a whole (rejective sampling); the chance of a
    household hardly moves by it while most places have room. The lot is the order of SHA-256 of
    `salt|exploration|try|household`: nobody can choose it for a household, and anybody can draw it again.

    Parameters
    ----------
    names
        Identifiers of the households, ascending.
    visited
        Those chosen. Shape (households,).

    Raises
    ------
    InputRefused
        No draw of so many leaves every limit whole.

    References
    ----------
    Fuller. Some design properties of a rejective sampling procedure. *Biometrika* 2009; 96: 933-944.
    """
    lots = np.zeros(visited.size, dtype=bool)
    others = np.flatnonzero(~visited)
    count = min(limits.by_lot, others.size)
    bounded = [(line, line.ceiling - visited[line.members].sum()) for line in limits.lines if np.isfinite(line.ceiling)]
    for turn in range(TRIES if count else 0):
        order = sorted(others, key=lambda place: _lot(f"{salt}|exploration|{turn}", names[place]))
        lots[:] = False
        lots[order[:count]] = True
        if all(lots[line.members].sum() <= room for line, room in bounded):
            return lots
    if count:
        raise InputRefused(
            f"no room for the {count:,} visits that fall by lot beside the quotas and workloads",
            "a share of exploration that fits under them",
            "Raise the quotas or `workload.most`, or lower `reserves.exploration`.",
        )
    return lots


def _lot(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt}|{name}".encode()).hexdigest()
