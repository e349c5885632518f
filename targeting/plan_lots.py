"""The visits of a plan that fall by lot among all whom it did not choose; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from targeting.limits import Limits, Line


def drawn(limits: Limits, names: list[str], visited: np.ndarray, *, salt: str) -> np.ndarray:
    """Which households are visited by lot, of those not chosen.

    Each cell of households that share all bounded limits draws the lots that `limits` kept for it, so quotas hold and
    no draw is refused. Which cells get the lots left over by rounding falls by lot, too: over rounds every household
    has about one chance. What a cell has no household or no room for falls wherever there is room. The lot is the order
    of SHA-256 of `salt|exploration|household`: nobody can choose it for a household, and anybody can draw it again.

    Parameters
    ----------
    names
        Identifiers of the households, ascending.
    visited
        Those chosen. Shape (households,).

    References
    ----------
    Cochran. *Sampling Techniques*. Wiley, 1977, chapter 5: stratified sampling with proportional allocation.
    """
    by_lot = np.zeros(visited.size, dtype=bool)
    if not limits.by_lot:
        return by_lot
    others = np.flatnonzero(~visited)
    lots = [_lot(salt, names[place]) for place in others]
    others = others[np.argsort(np.array(lots), kind="stable")]
    by_cell = others[np.argsort(limits.cell[others], kind="stable")]
    cells, first, count = np.unique(limits.cell[by_cell], return_index=True, return_counts=True)
    for cell, start, size in zip(cells, first, count, strict=True):
        by_lot[by_cell[start : start + min(int(limits.lots[cell]), size)]] = True
    bounded = [line for line in limits.lines if np.isfinite(line.ceiling)]
    for line in bounded:  # where a least amount took the room of a lot
        over = int(visited[line.members].sum() + by_lot[line.members].sum() - line.ceiling)
        by_lot[line.members[by_lot[line.members]][: max(over, 0)]] = False
    left = limits.by_lot - int(by_lot.sum())
    return by_lot | _where_room_is(bounded, others[~by_lot[others]], visited | by_lot, count=left) if left else by_lot


def _where_room_is(bounded: list[Line], others: np.ndarray, taken: np.ndarray, *, count: int) -> np.ndarray:
    """Lots that their own cell had no household for, one after another wherever every limit has room."""
    sizes = [line.members.size for line in bounded]
    row = np.repeat(np.arange(len(bounded)), sizes)
    column = np.concatenate([line.members for line in bounded]) if bounded else np.zeros(0, dtype=int)
    member = sparse.csc_array((np.ones(row.size), (row, column)), shape=(len(bounded), taken.size))
    room = np.array([line.ceiling - taken[line.members].sum() for line in bounded])
    more = np.zeros(taken.size, dtype=bool)
    for place in others:
        limits_of_it = member.indices[member.indptr[place] : member.indptr[place + 1]]
        if count == 0:
            break
        if (room[limits_of_it] >= 1).all():
            more[place] = True
            room[limits_of_it] -= 1
            count -= 1
    return more


def _lot(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt}|exploration|{name}".encode()).hexdigest()
