"""Whether limits fit together; where not, which of them conflict, and the smallest change that makes them fit; pure.

Households that count for the same limits are alike here, so a few hundred whole numbers stand for all of them. A change
is of a number that the policy gives, and is tried on the limits of the policy with it.

References
----------
Chinneck. *Feasibility and Infeasibility in Optimization*. Springer, 2008, chapter 6: the deletion filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from features.errors import InputRefused
from targeting.limits import CAPACITY, limits_of
from targeting.loosening import EXPLORATION, NAMED, Round, smallest_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from targeting.limits import Limits, Line
    from targeting.policy import Policy

SHOWN: Final = 3  # places of a rule that are named
TINY: Final = 1e-6  # visits; the solver's own tolerance
INFEASIBLE: Final = 2  # scipy's word for it


@dataclass(frozen=True, eq=False)
class _Alike:
    """Rows are limits; columns, households that count for the same of them; `count` of each."""

    rows: sparse.csr_array
    count: np.ndarray


@dataclass(frozen=True, eq=False)
class _Trial:
    """The limits of a policy on all households."""

    alike: _Alike
    lines: tuple[Line, ...]

    def fit(self) -> bool:
        return _fit(self.alike, self.lines)

    def needed(self, rule: str, place: str) -> float:
        """Visits of that limit's households at least, in parts of visits too; infinite when the others conflict."""
        of = next(n for n, line in enumerate(self.lines) if (line.rule, line.place) == (rule, place))
        alike, others = _only(self.alike, self.lines, [one for one in map(_rule, self.lines) if one != rule])
        made = milp(
            self.alike.rows[[of]].toarray()[0], bounds=Bounds(0, alike.count), constraints=_kept(alike, others)
        )  # fmt: skip
        return math.inf if made.fun is None else math.ceil(made.fun - TINY)


def check(limits: Limits, *, policy: Policy, homes: pd.DataFrame) -> None:
    """Nothing, when some choice of visits keeps every limit.

    Parameters
    ----------
    limits
        Those of `policy` on `homes`; see `limits_of`.

    Raises
    ------
    InputRefused
        None does: the message names rules that conflict, none of which could be left out of the conflict, and for each
        the smallest change of its own number with which every rule of the policy can be kept, where there is one.
    """
    trial = _trial(limits, len(homes))
    if trial.fit():
        return
    rules = _conflict(trial.alike, limits.lines)
    said = "; ".join(_said(rule, limits.lines) for rule in rules)
    asked = Round(
        policy=policy, limits=limits, households=len(homes), trial=trial,
        tried=lambda changed: _trial(limits_of(changed, homes), len(homes)),
    )  # fmt: skip
    changes = smallest_changes(asked, (*rules, EXPLORATION) if limits.by_lot else rules)
    by_lot = f", of which {limits.by_lot:,} fall by lot and are not counted in these" if limits.by_lot else ""
    raise InputRefused(
        f"rules that cannot all be kept: {said}",
        f"rules that fit together in {limits.visits:,} visits{by_lot}",
        f"Change one of them by as little as this: {'; or '.join(changes)}."
        if changes
        else "No change of one of them alone is enough: loosen more than one.",
    )


def _trial(limits: Limits, households: int) -> _Trial:
    return _Trial(_alike(limits.lines, households), limits.lines)


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
    made = milp(
        np.zeros(alike.count.size), integrality=1, bounds=Bounds(0, alike.count), constraints=_kept(alike, lines)
    )  # fmt: skip
    return made.status != INFEASIBLE


def _kept(alike: _Alike, lines: Sequence[Line]) -> LinearConstraint | None:
    least, most = np.array([line.least for line in lines], dtype=float), np.array([line.most for line in lines])
    return LinearConstraint(alike.rows, least, most) if lines else None


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


def _asked(own: list[Line]) -> int:
    return sum(line.least for line in own)


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
