"""Whether limits fit together; where not, which of them conflict, and the smallest change that makes them fit; pure.

Households that count for the same limits are alike here, so a few hundred whole numbers stand for all of them.

References
----------
Chinneck. *Feasibility and Infeasibility in Optimization*. Springer, 2008, chapter 6: the deletion filter.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from features.errors import InputRefused
from targeting.limits import CAPACITY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targeting.limits import Limits, Line

    Loosened = Callable[[list[Line], int], list[Line]]

SHOWN: Final = 3  # places of a rule that are named
NAMED: Final = "named"
INFEASIBLE: Final = 2  # scipy's word for it


@dataclass(frozen=True, eq=False)
class _Alike:
    """Rows are limits; columns, households that count for the same of them; `count` of each."""

    rows: sparse.csr_array
    count: np.ndarray


def check(limits: Limits, *, households: int) -> None:
    """Nothing, when some choice of visits keeps every limit.

    Raises
    ------
    InputRefused
        None does: the message names rules that conflict, none of which could be left out of the conflict, and for each
        the smallest change of it alone that ends it.
    """
    alike = _alike(limits.lines, households)
    if _fit(alike, limits.lines):
        return
    rules = _conflict(alike, limits.lines)
    said = "; ".join(_said(rule, limits.lines) for rule in rules)
    changes = [change for rule in rules if (change := _smallest_change(alike, limits.lines, rules, rule))]
    by_lot = f", of which {limits.by_lot:,} fall by lot and are not counted in these" if limits.by_lot else ""
    raise InputRefused(
        f"rules that cannot all be kept: {said}",
        f"rules that fit together in {limits.visits:,} visits{by_lot}",
        f"Change one of them by as little as this: {'; or '.join(changes)}." if changes else "Loosen them together.",
    )


def _alike(lines: tuple[Line, ...], households: int) -> _Alike:
    sizes = [line.members.size for line in lines]
    row, column = np.repeat(np.arange(len(lines)), sizes), np.concatenate([line.members for line in lines])
    member = sparse.csr_array((np.ones(row.size), (row, column)), shape=(len(lines), households)).tocsc()
    # Each limit is given a number at random; equal sums are equal sets, but for a chance of 2^-60.
    marks = np.random.default_rng(0).integers(1, 2**62, size=len(lines), dtype=np.uint64)
    sums = np.add.reduceat(marks[member.indices], member.indptr[:-1]) if member.nnz else np.zeros(households)
    _, first, count = np.unique(sums, return_index=True, return_counts=True)
    return _Alike(member[:, first].tocsr(), count.astype(float))


def _fit(alike: _Alike, lines: Sequence[Line]) -> bool:
    least, most = np.array([line.least for line in lines], dtype=float), np.array([line.most for line in lines])
    made = milp(
        np.zeros(alike.count.size), integrality=1, bounds=Bounds(0, alike.count),
        constraints=LinearConstraint(alike.rows, least, most) if lines else None,
    )  # fmt: skip
    return made.status != INFEASIBLE


def _rule(line: Line) -> str:
    """What an office would change: the line of one named place, a rule for all of its places."""
    return f"{line.rule}.{line.place}" if line.rule == NAMED else line.rule


def _conflict(alike: _Alike, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Rules that conflict, each of them needed for it: one after another is left out, and stays out if it is not."""
    rules = list(dict.fromkeys(_rule(line) for line in lines))
    for rule in reversed(rules.copy()):  # capacity last: a conflict without it is the plainer one
        fewer = [one for one in rules if one != rule]
        if not _fit(*_only(alike, lines, fewer)):
            rules = fewer
    return tuple(rules)


def _only(alike: _Alike, lines: tuple[Line, ...], rules: Sequence[str]) -> tuple[_Alike, list[Line]]:
    kept = [n for n, line in enumerate(lines) if _rule(line) in rules]
    return _Alike(alike.rows[kept], alike.count), [lines[n] for n in kept]


def _smallest_change(alike: _Alike, lines: tuple[Line, ...], rules: tuple[str, ...], rule: str) -> str | None:
    """In words, by how many visits one rule must give way alone; None when it cannot."""
    few, theirs = _only(alike, lines, rules)
    own = [line for line in theirs if _rule(line) == rule]
    for most, loosened, said in ((_asked(own), _asking_less, _less_said), (_room(own), _allowing_more, _more_said)):

        def fits(visits: int, loosened: Loosened = loosened) -> bool:
            changed = iter(loosened(own, visits))
            return _fit(few, [next(changed) if _rule(line) == rule else line for line in theirs])

        if most and fits(most):
            return f"{rule}: {said(own, 1 + bisect_left(range(1, most), x=True, key=fits))}"
    return None


def _asked(own: list[Line]) -> int:
    return sum(line.least for line in own)


def _room(own: list[Line]) -> int:
    """Visits that could be allowed beyond `most`, until every household may be visited."""
    return sum(_spare(line) for line in own)


def _spare(line: Line) -> int:
    return int(max(line.members.size - line.most, 0))


def _asking_less(own: list[Line], visits: int) -> list[Line]:
    """So many visits fewer in all, of each limit its part of them."""
    left = _parts(_asked(own) - visits, [line.least for line in own])
    return [replace(line, least=least) for line, least in zip(own, left, strict=True)]


def _allowing_more(own: list[Line], visits: int) -> list[Line]:
    more = _parts(visits, [_spare(line) for line in own])
    return [replace(line, most=line.most + one) for line, one in zip(own, more, strict=True)]


def _parts(total: int, weights: list[int]) -> list[int]:
    """`total` in whole parts, as the weights, by largest remainder."""
    whole = [total * weight // sum(weights) for weight in weights]
    lost = [total * weight % sum(weights) for weight in weights]
    for place in sorted(range(len(weights)), key=lambda place: -lost[place])[: total - sum(whole)]:
        whole[place] += 1
    return whole


def _less_said(own: list[Line], visits: int) -> str:
    asked = _asked(own)
    # Rounded down: a share of this much surely fits.
    share = f" ({100 * (asked - visits) // asked}% of what it asks)" if len(own) > 1 else ""
    return f"{asked - visits:,} visits at least in place of {asked:,}{share}"


def _more_said(own: list[Line], visits: int) -> str:
    allowed = sum(line.most for line in own if math.isfinite(line.most))
    over = f" over {len(own)} places" if len(own) > 1 else ""
    return f"room for {allowed + visits:,.0f} visits in place of {allowed:,.0f}{over}"


def _said(rule: str, lines: tuple[Line, ...]) -> str:
    own = [line for line in lines if _rule(line) == rule]
    least, most = _asked(own), sum(line.most for line in own if math.isfinite(line.most))
    if rule == CAPACITY:
        return f"{CAPACITY} leaves {most:,.0f} visits"
    places = [line.place for line in own if line.place and line.rule != NAMED]
    more = ", ..." if len(places) > SHOWN else ""
    where = f" of {len(places)} places, {', '.join(places[:SHOWN])}{more}" if len(places) > 1 else "".join(places)
    where = f" of {where}" if len(places) == 1 else where
    asks = [f"asks for {least:,} visits at least"] if least else []
    allows = [f"allows {most:,.0f} visits at most"] if any(math.isfinite(line.most) for line in own) else []
    return f"{rule}{where} {' and '.join([*asks, *allows])}"
