"""Which group each child is in, and what a list of visits would find in each.

A group is a fact for the audit, whether the model sees it or not: language is never an input. Nobody is
left out: where a group is not known, that is a group too.

What a list finds in each group is fairlearn's `MetricFrame` with its `selection_rate`, and scikit-learn's recall and
precision, which are NaN where there is nobody to count. Ours is what fairlearn lacks: the cut of one list, which
shares the last places among equal risks; the lists under equalising rules; an interval over all pairs of groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, selection_rate  # type: ignore[import-untyped]  # it ships no types
from sklearn.metrics import precision_score, recall_score

from features.catalog import CATALOG, View
from training.metrics import Rows, Steps, hits_within, places_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

SHARES: Final = (0.10, 0.20)
MEASURES: Final = ("recall", "visited", "precision", "excess")
RULES: Final = ("equal recall", "equal shares")
NOT_KNOWN: Final = "not known"
FIFTHS: Final = {1: "1 (poorest)", 2: "2", 3: "3", 4: "4", 5: "5 (richest)"}
# Counted from the list of members, so they are known even of a household that was never asked anything.
_COUNTED: Final = frozenset({"member_count", "under5_count", "women_count", "under5_share"})
HOUSEHOLD_FACTS: Final = tuple(f.name for f in CATALOG if f.view is View.HOUSEHOLD and f.name not in _COUNTED)


def groups(rows: pd.DataFrame, maternal: pd.DataFrame, *, bands: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """The group of each row by dimension; index of `rows`, null where not known.

    `sex`, `place`, `wealth` (fifth: the decile's, else the survey's own), `region`, `age`, `mother` (listed or
    not), `links` (identity: could the child be joined to its mother and to what is known of its household)
    and `language`.

    Parameters
    ----------
    rows
        Units with features, a row per (unit_id, as_of). A household counts as joined when any of
        `HOUSEHOLD_FACTS` is known; the units table holds no NIK, so a missing one shows only as a missing join.
    maternal
        The register: `mother_id, recorded_on, language`.
    bands
        Name -> age from, up to but without. [months]

    Examples
    --------
    >>> child = {"as_of": pd.Timestamp("2024-05-01"), "mother_id": "ani", "region_id": "32.11", "age_months": 7.0}
    >>> facts = dict.fromkeys(HOUSEHOLD_FACTS, np.nan) | {"wealth_quintile": 1.0}
    >>> rows = pd.DataFrame([child | facts | {"male": 0.0, "urban": np.nan, "mother_listed": 1.0}])
    >>> ani = pd.DataFrame({"mother_id": ["ani"], "recorded_on": [pd.Timestamp("2024-01-01")], "language": ["Sunda"]})
    >>> groups(rows, ani, bands={"6-11": (6, 12)}).fillna(NOT_KNOWN).loc[0].tolist()
    ['girl', 'not known', '1 (poorest)', '32.11', '6-11', 'listed', 'mother and household', 'Sunda']
    """
    fifth = (rows.desil.astype(float) / 2).apply(np.ceil).fillna(rows.wealth_quintile.astype(float))
    made = {
        "sex": rows.male.map({1.0: "boy", 0.0: "girl"}),
        "place": rows.urban.map({1.0: "urban", 0.0: "rural"}),
        "wealth": fifth.map(FIFTHS),
        "region": rows.region_id,
        "age": _bands(rows.age_months, bands),
        "mother": rows.mother_listed.map({1.0: "listed", 0.0: "not listed"}),
        "links": _links(rows),
        "language": language(rows, maternal),
    }
    return pd.DataFrame({name: column.astype("string") for name, column in made.items()}, index=rows.index)


def language(rows: pd.DataFrame, maternal: pd.DataFrame) -> pd.Series:
    """The mother's language by her newest row recorded by `as_of`; null if it says none, or there is no row."""
    asked = pd.DataFrame({"mother_id": rows.mother_id.astype("string"), "as_of": rows.as_of, "row": range(len(rows))})
    told = maternal[["mother_id", "recorded_on", "language"]].astype({"mother_id": "string"})
    pairs = asked.dropna(subset="mother_id").merge(told, on="mother_id")
    pairs = pairs[pairs.recorded_on <= pairs.as_of].sort_values(["recorded_on", "language"])
    newest = pairs.drop_duplicates("row", keep="last").set_index("row").language
    return newest.astype("string").reindex(range(len(rows))).set_axis(rows.index)


def _bands(age_months: pd.Series, bands: Mapping[str, tuple[float, float]]) -> pd.Series:
    band = pd.Series(pd.NA, index=age_months.index, dtype="string")
    for name, (low, high) in bands.items():
        band = band.mask(age_months.between(low, high, inclusive="left"), name)
    return band


def _links(rows: pd.DataFrame) -> pd.Series:
    household = rows[list(HOUSEHOLD_FACTS)].notna().any(axis=1)
    names = {
        (True, True): "mother and household",
        (True, False): "mother only",
        (False, True): "household only",
        (False, False): "neither",
    }
    pairs = zip(rows.mother_id.notna(), household, strict=True)
    return pd.Series([names[bool(mother), bool(home)] for mother, home in pairs], index=rows.index, dtype="string")


@dataclass(frozen=True)
class Coded:
    """The groups of all dimensions in one numbering, so that one pass adds up every group.

    Attributes
    ----------
    names
        `dimension, group` of each number: dimensions as given, groups by number and name, not known last.
    codes
        Number of each row's group. Shape (dimensions, rows).
    """

    names: pd.DataFrame
    codes: NDArray[np.intp]

    def sums(self, amount: ArrayLike) -> Floats:
        """Total of `amount` (rows,) by group. Shape (groups,)."""
        repeated = np.tile(np.asarray(amount, dtype=float), len(self.codes))
        return np.bincount(self.codes.ravel(), weights=repeated, minlength=len(self.names)).astype(float)


def coded(members: pd.DataFrame) -> Coded:
    """Number the groups of each dimension (column); null becomes the group `NOT_KNOWN`."""
    names: list[tuple[str, str]] = []
    codes = []
    for dimension, column in members.items():
        said = column.astype("string").fillna(NOT_KNOWN)
        found = sorted(said.unique(), key=_place)
        codes.append(said.map({group: len(names) + n for n, group in enumerate(found)}).to_numpy(dtype=np.intp))
        names += [(str(dimension), group) for group in found]
    table = pd.DataFrame(names, columns=["dimension", "group"])
    return Coded(table, np.array(codes, dtype=np.intp).reshape(len(codes), len(members)))


def _place(group: str) -> tuple[bool, float, str]:
    number = re.match(r"\d+", group)
    return group == NOT_KNOWN, float(number.group()) if number else np.inf, group


class Listed:
    """Everybody in one list by risk, and the groups of each dimension in theirs; sorted once."""

    def __init__(self, label: Floats, risk: Floats, groups: Coded) -> None:
        self.label, self.risk, self.groups = label, risk, groups
        self.whole = Rows(label, risk, calibrated=True)
        self.members = [[np.flatnonzero(code == number) for number in np.unique(code)] for code in groups.codes]
        self.parts = [[Rows(label[rows], risk[rows], calibrated=True) for rows in part] for part in self.members]

    def visited(self, weight: Floats, share: float) -> Floats:
        """Part of each row that is visited from the top of the one list; equal risks share the last places. [0-1]

        `weight` is how often each row counts [rows], `share` the visits as a share of all of them.
        """
        steps = self.whole.steps(weight)
        climb = np.concatenate([[0.0], np.cumsum(steps.mass)])
        part = np.diff(np.minimum(climb, places_at(steps, share))) / steps.mass
        # A row of no weight in this draw takes the part of the risk below it, and adds nothing.
        step = np.searchsorted(-steps.risk, -self.risk).clip(max=len(part) - 1)
        return part[step]

    def by_group(self, weight: Floats) -> dict[str, Floats]:
        """`gap` of the calibration, and each of `MEASURES` by share. Shape (groups,) each; NaN where undefined."""
        sums = self.groups.sums
        n, stunted, expected = sums(weight), sums(weight * self.label), sums(weight * self.risk)
        with np.errstate(invalid="ignore"):
            figures = {"gap": (expected - stunted) / n}
            for share in SHARES:
                seen = weight * self.visited(weight, share)
                visits, hits = sums(seen), sums(seen * self.label)
                figures |= {f"recall {share}": hits / stunted, f"visited {share}": visits / n}
                figures[f"precision {share}"] = hits / visits
                figures[f"excess {share}"] = hits / stunted - sums(seen * self.risk) / expected
        return figures

    def by_rule(self, weight: Floats) -> Floats:
        """Recall of the one list, then under each of `RULES`. Shape (dimensions, 1 + rules, shares)."""
        whole = self.whole.steps(weight)
        places = np.array([places_at(whole, share) for share in SHARES])
        plain = equal_shares([whole], places)
        made = []
        for members, parts in zip(self.members, self.parts, strict=True):
            steps = [part.steps(weight[rows]) for rows, part in zip(members, parts, strict=True)]
            made.append([plain, equal_recall(steps, places), equal_shares(steps, places)])
        return np.array(made)


def equal_shares(steps: Sequence[Steps], places: Floats) -> Floats:
    """Recall of the whole list if each group gets visits in proportion to its rows. Shape of `places` [rows]."""
    share = places / sum(one.mass.sum() for one in steps)
    found = np.sum([hits_within(one, share * one.mass.sum()) for one in steps], axis=0)
    stunted = sum(float(one.hits.sum()) for one in steps)
    return found / stunted if stunted else np.full_like(found, np.nan)


def equal_recall(steps: Sequence[Steps], places: Floats) -> Floats:
    """The recall that every group reaches if each is cut where all reach the same. Shape of `places` [rows].

    It needs the labels, so it is a bound: nobody can set these cuts before the outcome is known. Between two
    stunted children of a group its cut falls by lot; a group without stunted children is not visited.
    """
    curves = [_needed(one) for one in steps if one.hits.any()]
    if not curves:
        return np.full_like(places, np.nan)
    level = np.unique(np.concatenate([recall for recall, _ in curves]))
    total = np.sum([np.interp(level, recall, needed) for recall, needed in curves], axis=0)
    return np.asarray(np.interp(places, total, level))


def _needed(steps: Steps) -> tuple[Floats, Floats]:
    """Recall reached at each step with a stunted child, and the places it takes; both begin at 0."""
    ends = steps.hits > 0
    recall = np.cumsum(steps.hits)[ends] / steps.hits.sum()
    return np.concatenate([[0.0], recall]), np.concatenate([[0.0], np.cumsum(steps.mass)[ends]])


def apart(figures: Floats, drawn: Floats) -> tuple[float, float, float]:
    """Largest figure minus smallest, and a 95% interval that holds for all pairs of groups at once.

    The best of many equal groups lies above the worst by luck alone, so the interval of that one pair would
    find unfairness everywhere. This one asks how far the furthest pair strays in each draw, in standard errors
    of the pair; it is above 0 only where some pair differs beyond that. NaN for fewer than two groups.

    Parameters
    ----------
    figures
        Of each group. Shape (groups,).
    drawn
        The same on each resample. Shape (draws, groups).

    References
    ----------
    T. Hothorn, F. Bretz, P. Westfall, "Simultaneous inference in general parametric models", Biometrical
    Journal 50 (2008) 346-363: the all-pairs contrast, here with quantiles of the resamples.
    """
    if len(figures) < 2:  # noqa: PLR2004 (a pair)
        return np.nan, np.nan, np.nan
    one, other = np.triu_indices(len(figures), k=1)
    gap = figures[one] - figures[other]
    strayed = drawn[:, one] - drawn[:, other] - gap
    error = np.sqrt((strayed**2).mean(axis=0))
    reach = np.percentile((np.abs(strayed) / np.where(error > 0, error, 1.0)).max(axis=1), 95)
    low, high = np.abs(gap) - reach * error, np.abs(gap) + reach * error
    return float(np.abs(gap).max()), float(max(0.0, low.max())), float(high.max())


def found(groups: Coded, label: Floats, seen: Floats) -> pd.DataFrame:
    """`recall`, share `visited` and `precision` of each group, by its number; NaN where there is nobody to count.

    `seen` is the share of each row that is visited: a row on the cut stands on both sides, by its share. [0-1]
    """
    sides = [(outcome, visited) for outcome in (1, 0) for visited in (1, 0)]
    # Children who agree in group, outcome and visit are one row that counts often: fairlearn reads rows one by one.
    times = [groups.sums(np.where(label == o, seen if v else 1 - seen, 0.0)) for o, v in sides]
    outcome, visited = np.repeat(sides, len(groups.names), axis=0).T
    told = {"recall": _recall, "visited": selection_rate, "precision": _precision}
    frame = MetricFrame(
        metrics=told,
        y_true=outcome,
        y_pred=visited,
        sensitive_features=np.tile(groups.names.index, len(sides)),
        sample_params={name: {"sample_weight": np.concatenate(times)} for name in told},
    )
    return frame.by_group


def _recall(label: Floats, visited: Floats, sample_weight: Floats) -> float:
    return float(recall_score(label, visited, sample_weight=sample_weight, zero_division=np.nan))


def _precision(label: Floats, visited: Floats, sample_weight: Floats) -> float:
    return float(precision_score(label, visited, sample_weight=sample_weight, zero_division=np.nan))
