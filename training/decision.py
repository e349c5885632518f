"""What a risk is worth to a planner who can visit a share of the children, district-wide or by quota.

Two orders are compared at equal effort: as many visits among the same children. Rows of
equal risk share the last places evenly, as in `training.metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from training.metrics import Floats, paired_difference
from training.resampling import interval, resamples
from training.visits import ratio, way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

CAPACITIES: Final = tuple(percent / 100 for percent in range(1, 51))
LEADING: Final = (0.10, 0.20)  # the capacities of `recall_at_10` and `recall_at_20`
COMPARED: Final = ("auc", "precision_at_10", "recall_at_10")


def capacity_curve(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    cluster: ArrayLike,
    draws: int,
    seed: int,
    weight: ArrayLike | None = None,
    area: ArrayLike | None = None,
    capacities: Sequence[float] = CAPACITIES,
) -> pd.DataFrame:
    """What visiting the riskiest share of the children finds, each figure with its 95% `_low` and `_high`.

    Parameters
    ----------
    label
        What happened, 0 or 1. Shape (rows,).
    risk
        A risk or any score, higher is sooner. Shape (rows,).
    cluster
        The sampling unit of each row; whole ones are drawn again. Not null. Shape (rows,).
    draws
        Number of resamples, at least 1.
    seed
        The same seed resamples the same clusters, whatever the risk.
    weight
        Times each row counts, 0 or more; all 1 if None. Shape (rows,). [rows]
    area
        Whose quota a row belongs to: each area visits the same share of its own rows. Not
        null, shape (rows,). If None, the riskiest of the whole district are visited.
    capacities
        Shares to visit, above 0 and at most 1; in rows, rounded as for `precision_at_10`.

    Returns
    -------
    pandas.DataFrame
        By `capacity` [share of rows]: `precision` [0-1], `recall` [0-1; NaN without a case]
        and `number_needed_to_visit` [visits per case found; NaN where none is]. The last is
        1 / `precision` and its interval that of the precision turned over: where the low end
        of the precision is 0, its own high end is NaN.

    Notes
    -----
    Quotas are whole rows by largest remainder: each area gets its share rounded down. The
    places left, until the total equals the district's, go one each to the areas that lost
    most by rounding; of equal losses, to the area whose next row is riskiest; areas equal in
    both share evenly. So an area may lose a place as capacity grows, and recall by quota may
    dip. An area inside one cluster that is drawn twice counts as two areas.

    Examples
    --------
    >>> four = capacity_curve([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], cluster=list("abcd"), draws=9, seed=1)
    >>> four.loc[0.5, ["precision", "recall", "number_needed_to_visit"]].tolist()
    [0.5, 0.5, 2.0]
    """
    chosen = way(label, risk, cluster=cluster, weight=weight, area=area, capacities=capacities)

    def rates(count: Floats) -> dict[str, Floats]:
        found = chosen.reached(count)
        return {"precision": ratio(found.hits, found.places), "recall": ratio(found.hits, found.cases)}

    table = estimated(rates, at=_index(capacities), cluster=cluster, draws=draws, seed=seed)
    for end, turned in (("", ""), ("_low", "_high"), ("_high", "_low")):
        precision = table[f"precision{turned}"]
        table[f"number_needed_to_visit{end}"] = 1 / precision.where(precision > 0)
    return table


def recall_ratio(
    label: ArrayLike,
    risk: ArrayLike,
    rule: ArrayLike,
    *,
    cluster: ArrayLike,
    draws: int,
    seed: int,
    weight: ArrayLike | None = None,
    area: ArrayLike | None = None,
) -> pd.DataFrame:
    """How many times as many cases the risk finds as the rule with the same visits [1: as many].

    Both are tried on the same resampled clusters. A draw in which the rule finds no case is
    left out, which can only lower the interval.

    Parameters
    ----------
    label, risk, cluster, draws, seed, weight, area
        As for `capacity_curve`.
    rule
        The other score, higher is sooner. Shape (rows,).

    Returns
    -------
    pandas.DataFrame
        `recall_ratio`, `recall_ratio_low` and `recall_ratio_high` by `capacity`, one of `CAPACITIES`.
    """
    first, second = (
        way(label, score, cluster=cluster, weight=weight, area=area, capacities=CAPACITIES) for score in (risk, rule)
    )
    return estimated(
        lambda count: {"recall_ratio": ratio(first.reached(count).hits, second.reached(count).hits)},
        at=_index(CAPACITIES),
        cluster=cluster,
        draws=draws,
        seed=seed,
    )


def quota_gain(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    area: ArrayLike,
    cluster: ArrayLike,
    draws: int,
    seed: int,
    weight: ArrayLike | None = None,
    capacities: Sequence[float] = LEADING,
) -> pd.DataFrame:
    """`recall_gain` by quota over district-wide, on the same resamples; below 0 where the quota costs cases.

    Parameters and intervals as for `capacity_curve`. By `capacity`. [0-1]
    """
    quota, free = (
        way(label, risk, cluster=cluster, weight=weight, area=each, capacities=capacities) for each in (area, None)
    )

    def gain(count: Floats) -> dict[str, Floats]:
        by_quota, districtwide = quota.reached(count), free.reached(count)
        return {"recall_gain": ratio(by_quota.hits - districtwide.hits, districtwide.cases)}

    return estimated(gain, at=_index(capacities), cluster=cluster, draws=draws, seed=seed)


def freshness(
    label: ArrayLike, fresh: ArrayLike, stale: ArrayLike, *, cluster: ArrayLike, draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """What fresh facts are worth: fresh minus stale risk of the same rows, by metric of `COMPARED`.

    Parameters and limits as for `training.metrics.paired_difference`.
    """
    return {
        metric: paired_difference(label, fresh, stale, metric=metric, cluster=cluster, draws=draws, seed=seed)
        for metric in COMPARED
    }


def estimated(
    measured: Callable[[Floats], Mapping[str, Floats]],
    *,
    at: pd.Index,
    cluster: ArrayLike,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Every figure of `measured` with its 95% `_low` and `_high` over resampled whole clusters.

    Parameters
    ----------
    measured
        From how often each row counts, shape (rows,), to figures by name, shape (len(at),)
        each. A draw in which a figure is NaN is left out of its interval.
    at
        What the figures were measured at; the index of the result.
    cluster, draws, seed
        As for `capacity_curve`.
    """
    whole = measured(np.ones(np.size(cluster)))
    drawn = [measured(count) for count in resamples(cluster, draws, seed=seed)]
    table = pd.DataFrame(index=at)
    for name, figure in whole.items():
        table[name] = figure
        values = np.reshape([one[name] for one in drawn], (-1, len(at)))
        ends = np.array([interval(list(column)) for column in values.T])
        table[f"{name}_low"], table[f"{name}_high"] = ends.T
    return table


def _index(capacities: Sequence[float]) -> pd.Index:
    return pd.Index(capacities, name="capacity")
