"""The audit by groups: does the risk keep its word in each, is each found as well, and what would equality cost.

What the list finds in each group comes from fairlearn (through `training.groups`), slope and ECE from
`training.metrics.measure`. Every interval is ours: fairlearn resamples rows, where whole clusters must be drawn
(`training.resampling`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from training.groups import MEASURES, RULES, SHARES, Listed, apart, coded, found
from training.metric_inputs import check_rows
from training.metrics import measure
from training.resampling import interval, resamples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

INSIDE, OUTSIDE, TOO_FEW, NOT_BOUNDED = "inside", "outside", "too few to tell", "not bounded"
REMEDY: Final = {
    "calibration": "Do not print these risks as probabilities for the group: see which facts its registers lack, "
    "and train again with newer rows of it",
    "recall": "Give the group visits of its own in the policy, or complete its registers and train again; "
    "the costs of the audit say what equal shares would take from the whole list",
    "excess": "The risks do not order these children as they say: look at what the registers record differently in "
    "the two groups, and train again with both in mind",
}


@dataclass(frozen=True)
class Bounds:
    """How far groups may lie apart, and how many children it takes to say so.

    Attributes
    ----------
    calibration_gap
        Largest distance of a group's mean risk from its observed share. [0-1]
    recall_gap
        Largest distance between the recalls of two groups of a dimension. [0-1]
    excess_gap
        The same for `excess`, see `Audit.visits`. [0-1]
    recall_gap_of
        Limit of the recall for a dimension that has its own, by its name. [0-1]
    rows
        Children that a group needs before its calibration is judged.
    stunted
        Stunted children that a group needs before its recall is judged.
    clusters
        Sampling units that a group needs for either: with few, resampling them understates the noise.
    told_share
        Share of the children whose groups must be large enough before a dimension is `INSIDE`. [0-1]
    """

    calibration_gap: float = 0.03
    recall_gap: float = 0.10
    excess_gap: float = 0.10
    recall_gap_of: Mapping[str, float] = field(default_factory=dict)
    rows: int = 500
    stunted: int = 100
    clusters: int = 20
    told_share: float = 0.90

    def allowed(self, gap: Mapping[str, Any]) -> float:
        """Limit of a row of `Audit.gaps`; NaN where none is set: more visits are fair where need is greater."""
        recall = self.recall_gap_of.get(gap["dimension"], self.recall_gap)
        limits = {"calibration": self.calibration_gap, "recall": recall, "excess": self.excess_gap}
        return limits.get(gap["measure"], np.nan)


@dataclass(frozen=True)
class Audit:
    """What was found; intervals are 95%, `<name>_low` and `<name>_high`, from the same resampled clusters.

    Attributes
    ----------
    calibration
        A row per group: `n, clusters, stunted`, mean `risk`, `observed` share, `gap` (risk minus observed),
        calibration `slope`, `ece` and `verdict`.
    visits
        A row per group and `share` of all children visited from the top of one list of the whole district:
        `recall`, `visited` (share of the group) and `precision`; NaN where nobody is there to count. `excess`
        is recall minus what it would be if every risk held: a gap in recall without one in `excess` follows from
        need, and from what is known of each group; one in `excess` is the model's error.
    gaps
        A row per dimension, measure and share: the gap between its `best` and its `worst` group, of the groups
        that are large enough. They hold the share `told` of the children; `untold` names the others. For
        calibration the gap is the distance from observed of the `worst` group, the one that is furthest off for
        certain; `gap_high` is the furthest end of any group's interval.
    costs
        A row per dimension, share and rule: `recall` of the list under the rule, `plain` without, and `change`.
    """

    calibration: pd.DataFrame
    visits: pd.DataFrame
    gaps: pd.DataFrame
    costs: pd.DataFrame


def audit(
    members: pd.DataFrame,
    *,
    label: ArrayLike,
    risk: ArrayLike,
    cluster: ArrayLike,
    bounds: Bounds,
    draws: int,
    seed: int,
) -> Audit:
    """Every group of every dimension (column of `members`) judged on the same resampled clusters.

    Parameters
    ----------
    members
        Group by dimension, as `training.groups.groups` gives it. Shape (rows, dimensions).
    label, risk, cluster, draws, seed
        As for `training.metrics.with_intervals`; the risk must be a probability.
    """
    labels, risks = np.asarray(label, dtype=float), np.asarray(risk, dtype=float)
    check_rows(labels, risks, calibrated=True)
    everybody = Listed(labels, risks, coded(members))
    weights = chain([np.ones(len(labels))], resamples(cluster, draws, seed=seed))
    by_group, by_rule = zip(*((everybody.by_group(w), everybody.by_rule(w)) for w in weights), strict=True)
    drawn = {name: np.array([one[name] for one in by_group]) for name in by_group[0]}
    calibration = _calibration(everybody, drawn["gap"], cluster=cluster, bounds=bounds)
    return Audit(
        calibration,
        _visits(everybody, drawn),
        _gaps(calibration, drawn, bounds=bounds),
        _costs(list(members.columns), np.array(by_rule)),
    )


def verdict(low: float, high: float, *, allowed: float, told: bool = True) -> str:
    """`OUTSIDE` if the whole interval is beyond what is allowed, `INSIDE` if none of it is, else `TOO_FEW`.

    An interval that straddles the limit is too wide to decide. Without `told`, what is not outside is not
    inside either.

    Examples
    --------
    >>> [verdict(low, high, allowed=0.03) for low, high in ((0.0, 0.02), (0.01, 0.05), (0.04, 0.05))]
    ['inside', 'too few to tell', 'outside']
    """
    if np.isnan(allowed):
        return NOT_BOUNDED
    if low > allowed:
        return OUTSIDE
    return INSIDE if told and high <= allowed else TOO_FEW


def refusals(audit: Audit, bounds: Bounds) -> list[str]:
    """A sentence for each gap that lies outside the bounds: what was found, what is allowed, what to do."""
    gaps: list[dict[str, Any]] = audit.gaps.to_dict("records")  # type: ignore[assignment]  # columns are named
    return [_refusal(gap, allowed=bounds.allowed(gap)) for gap in gaps if _judged(gap, bounds) == OUTSIDE]


def _refusal(gap: Mapping[str, Any], *, allowed: float) -> str:
    what = gap["measure"]
    where = what if np.isnan(gap["share"]) else f"{what} in the first {gap['share']:.0%}"
    pair = f"{gap['worst']!r} against " + (repr(gap["best"]) if gap["best"] else "what was observed")
    return (
        f"Found: by {gap['dimension']}, {where} is {gap['gap']:.3f} apart (95% interval from {gap['gap_low']:.3f}), "
        f"{pair}. Allowed: {allowed:g}. What to do: {REMEDY[what]}."
    )


def _calibration(everybody: Listed, gap: Floats, *, cluster: ArrayLike, bounds: Bounds) -> pd.DataFrame:
    groups, label, risk = everybody.groups, everybody.label, everybody.risk
    inside = [np.flatnonzero((groups.codes == number).any(axis=0)) for number in groups.names.index]
    measured = pd.DataFrame([measure(label[rows], risk[rows]) for rows in inside])
    n = groups.sums(np.ones(len(label)))
    table = groups.names.assign(
        n=n.astype(int),
        clusters=[len(np.unique(np.asarray(cluster)[rows])) for rows in inside],
        stunted=groups.sums(label).astype(int),
        risk=groups.sums(risk) / n,
        observed=groups.sums(label) / n,
        gap=lambda each: each.risk - each.observed,
        **_ends("gap", gap[1:]),
        slope=measured.calibration_slope,
        ece=measured.ece,
    )
    near, far = _distance(table)
    judged = [verdict(low, high, allowed=bounds.calibration_gap) for low, high in zip(near, far, strict=True)]
    return table.assign(verdict=np.where(_enough_rows(table, bounds), judged, TOO_FEW))


def _visits(everybody: Listed, drawn: dict[str, Floats]) -> pd.DataFrame:
    groups, made = everybody.groups, []
    for share in SHARES:
        seen = everybody.visited(np.ones(len(everybody.label)), share)
        figures = groups.names.assign(share=share, excess=drawn[f"excess {share}"][0])
        figures = figures.join(found(groups, everybody.label, seen))
        for name in MEASURES:
            figures = figures.assign(**_ends(name, drawn[f"{name} {share}"][1:]))
        made.append(figures)
    return pd.concat(made, ignore_index=True)


def _gaps(calibration: pd.DataFrame, drawn: dict[str, Floats], *, bounds: Bounds) -> pd.DataFrame:
    made: list[dict[str, Any]] = []
    for dimension, table in calibration.groupby("dimension", sort=False):
        made.append({"dimension": dimension, "measure": "calibration", **_furthest(table, bounds)})
        made += [
            {"dimension": dimension, "measure": name, "share": share}
            | _between(table, drawn[f"{name} {share}"][:, table.index], bounds)
            for name in MEASURES
            for share in SHARES
        ]
    return pd.DataFrame([gap | {"allowed": bounds.allowed(gap), "verdict": _judged(gap, bounds)} for gap in made])


def _judged(gap: Mapping[str, Any], bounds: Bounds) -> str:
    told = bool(gap["told"] >= bounds.told_share)
    return verdict(gap["gap_low"], gap["gap_high"], allowed=bounds.allowed(gap), told=told)


def _furthest(table: pd.DataFrame, bounds: Bounds) -> dict[str, Any]:
    """The largest distance from observed among the groups that are large enough, and how sure it is."""
    enough = _enough_rows(table, bounds)
    told = table[enough]
    if told.empty:
        return _told(table, enough) | {"share": np.nan, "gap": np.nan, "gap_low": np.nan, "gap_high": np.nan}
    near, far = _distance(told)
    worst = pd.DataFrame({"near": near, "far": far}).sort_values(["near", "far"]).index[-1]
    return _told(table, enough) | {
        "share": np.nan,
        "worst": table.group[worst],
        "gap": abs(float(told.gap[worst])),
        "gap_low": float(near[worst]),
        "gap_high": float(far.max()),
    }


def _between(table: pd.DataFrame, figures: Floats, bounds: Bounds) -> dict[str, Any]:
    large = ((table.stunted >= bounds.stunted) & (table.clusters >= bounds.clusters)).to_numpy()
    enough = large & np.isfinite(figures).all(axis=0)
    gap, low, high = apart(figures[0, enough], figures[1:, enough])
    made = _told(table, pd.Series(enough, index=table.index)) | {"gap": gap, "gap_low": low, "gap_high": high}
    if np.isnan(gap):
        return made
    names = table.group.to_numpy()[enough]
    return made | {"best": names[figures[0, enough].argmax()], "worst": names[figures[0, enough].argmin()]}


def _costs(dimensions: list[str], recall: Floats) -> pd.DataFrame:
    """`recall` has shape (1 + draws, dimensions, 1 + rules, shares); the plain list is the first rule."""
    made = []
    for d, n, s in np.ndindex(len(dimensions), len(RULES), len(SHARES)):
        plain, under = recall[:, d, 0, s], recall[:, d, n + 1, s]
        low, high = interval((under - plain)[1:].tolist())
        made.append((dimensions[d], SHARES[s], RULES[n], under[0], plain[0], under[0] - plain[0], low, high))
    return pd.DataFrame(
        made, columns=["dimension", "share", "rule", "recall", "plain", "change", "change_low", "change_high"]
    )


def _told(table: pd.DataFrame, enough: pd.Series) -> dict[str, Any]:
    told = float(table.n[enough].sum() / table.n.sum())
    return {"best": "", "worst": "", "told": told, "untold": ", ".join(table.group[~enough])}


def _enough_rows(table: pd.DataFrame, bounds: Bounds) -> pd.Series:
    return (table.n >= bounds.rows) & (table.clusters >= bounds.clusters)


def _distance(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """How far from 0 the interval of `gap` is at least, and at most."""
    near = pd.concat([table.gap_low, -table.gap_high], axis=1).max(axis=1).clip(lower=0)
    return near, pd.concat([-table.gap_low, table.gap_high], axis=1).max(axis=1)


def _ends(name: str, drawn: Floats) -> dict[str, list[float]]:
    ends = [interval(group) for group in drawn.T.tolist()]
    return {f"{name}_low": [low for low, _ in ends], f"{name}_high": [high for _, high in ends]}
