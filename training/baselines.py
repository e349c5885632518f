"""Today's ways to choose whom to visit, which a model must beat: a score per row, higher is sooner.

Equal scores are not told apart here; `training.metrics` counts what is expected of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from features.fitted import PLAUSIBLE
from features.settings import Krs
from training.krs import PRIORITY, KrsRule, Reading, flags, readings, welfare_decile, welfare_rank
from training.rules_learned import krs_logistic, proxy_means

AFTER_ALL: Final = -11.0  # behind the tenth decile
LEAST_MEASURED: Final = 0.10
"""Share of rows with an earlier measurement from which `last_haz` is judged: below it, the rule could not
fill even the shortest list that is judged, a tenth of the rows, and lots would."""
READINGS: Final[dict[Reading, str]] = {
    "kb_unknown_counts": "four too's count where contraception is not recorded",
    "kb_unknown_does_not_count": "four too's do not count where contraception is not recorded",
}
MEANINGS: Final = {
    "random": "a lottery",
    "poverty_only": "welfare decile, else wealth quintile, the poorest first",
    "krs": "BKKBN's Keluarga Berisiko Stunting, yes or no",
    "krs_rank_count": "KRS families first, then by welfare rank 1 to 4, then by the number of risk factors",
    "krs_logistic": "KRS's factors and the welfare decile, weighed by a logistic regression on past children",
    "proxy_means": "proxy means test: welfare as foretold by the house, its goods and its people, the poorest first",
    "last_haz": "the newest earlier height-for-age, the lowest first; children without one last",
}
SOURCES: Final = {
    "random": "what any rule must beat",
    "poverty_only": "DTSEN's decile (desil_nasional), by which social aid is given; DHS wealth index for surveys",
    "krs": "BKKBN, Buku Saku Metadata Indikator KRS, 2022; the AND with contraception is inferred, not read there",
    "krs_rank_count": "as krs; kesejahteraan_prioritas of its per-family records. The order within is ours",
    "krs_logistic": "factors as krs; the weighting is ours",
    "proxy_means": "Grosh and Baker, LSMS Working Paper 118, World Bank, 1995; Alatas et al., American Economic Review "
    "102(4), 2012, 1206-1240. Its use for Indonesia's PPLS and BDT is general knowledge, not checked",
    "last_haz": "growth monitoring at the posyandu (e-PPGBM): children found short are seen again; the order is ours",
}


@dataclass(frozen=True)
class Baselines:
    """Every baseline that can be had, and how.

    Parameters
    ----------
    scores
        A score per row of the test, by name; a subset of `MEANINGS`.
    reading
        Which reading of the KRS rule is used, and why.
    said
        By name, what was declared or fitted; for a baseline without scores, why it has none.
    """

    scores: dict[str, pd.Series]
    reading: str
    said: dict[str, str]


def random(rows: pd.DataFrame, *, seed: int) -> pd.Series:
    """A lottery that gives a unit the same number in any order of rows. [0-1]"""
    digests = [hashlib.sha256(f"{seed}|{unit}".encode()).hexdigest() for unit in rows.unit_id]
    return pd.Series([int(digest[:13], 16) / 16**13 for digest in digests], index=rows.index, dtype=float)


def poverty_only(rows: pd.DataFrame) -> pd.Series:
    """Poorest first: minus the welfare decile, else the middle of the wealth quintile's two; unknown is last.

    References
    ----------
    DTSEN, `desil_nasional`, 1 the poorest; for surveys the DHS wealth quintile.
    """
    return -welfare_decile(rows).fillna(-AFTER_ALL)


def krs(rows: pd.DataFrame, *, rule: KrsRule) -> pd.Series:
    """The KRS flag. [0 or 1]

    References
    ----------
    BKKBN, *Buku Saku Metadata Indikator KRS*, 2022.
    """
    return flags(rows, rule=rule).krs.astype(float)


def krs_rank_count(rows: pd.DataFrame, *, rule: KrsRule) -> pd.Series:
    """KRS first, then welfare rank 1 to 4, then the number of factors: the digits of one number.

    References
    ----------
    BKKBN, as for `krs`; its per-family records carry the rank, `kesejahteraan_prioritas`.
    """
    found = flags(rows, rule=rule)
    sooner = (PRIORITY + 1 - welfare_rank(rows)).fillna(0)
    return found.krs * 100.0 + sooner * 10.0 + found.factor_count


def earlier_haz(rows: pd.DataFrame, *, measured: pd.DataFrame) -> pd.Series:
    """The newest height-for-age taken strictly before `as_of` and recorded by then; null without one. [SD]

    Parameters
    ----------
    rows
        `unit_id`, `as_of` and `child_id` (null for a pregnancy), unique by the first two.
    measured
        The register of measurements. A null or implausible (|HAZ| > 6, WHO 2006) value is passed over.
    """
    valid = measured.loc[measured.haz.abs() <= PLAUSIBLE, ["child_id", "measured_on", "recorded_on", "haz"]]
    asked = rows[["unit_id", "as_of", "child_id"]].dropna(subset="child_id")
    seen = asked.merge(valid, on="child_id")
    seen = seen[(seen.measured_on < seen.as_of) & (seen.recorded_on <= seen.as_of)]
    newest = seen.sort_values("measured_on").drop_duplicates(["unit_id", "as_of"], keep="last")
    found = rows[["unit_id", "as_of"]].merge(newest[["unit_id", "as_of", "haz"]], on=["unit_id", "as_of"], how="left")
    return pd.Series(found.haz.to_numpy(float), index=rows.index)


def last_haz(rows: pd.DataFrame, *, measured: pd.DataFrame) -> pd.Series:
    """Shortest for age first, by `earlier_haz`; children without an earlier measurement are last. [-SD]

    References
    ----------
    Growth monitoring as posyandu do it (e-PPGBM): a child found short is seen again. The order is ours.
    """
    return -earlier_haz(rows, measured=measured).fillna(PLAUSIBLE + 1)


def stronger_reading(rows: pd.DataFrame, label: pd.Series, *, declared: Krs) -> tuple[KrsRule, str]:
    """The reading with the higher AUC of `krs_rank_count`, the first when they are equal; and so in words.

    What is declared is never varied, only what these rows leave open. Give it training rows only: the
    test must not choose its own opponent.
    """
    candidates = readings(rows, declared=declared)
    aucs = [float(roc_auc_score(label, krs_rank_count(rows, rule=rule))) for rule in candidates]
    rule = candidates[int(np.argmax(aucs))]
    if len(candidates) == 1:
        return rule, "one reading only: no training row's answer hangs on unrecorded contraception"
    compared = ", ".join(f"{each.reading} {auc:.4f}" for each, auc in zip(candidates, aucs, strict=True))
    return rule, f"{rule.reading}: {READINGS[rule.reading]} (AUC in training: {compared})"


def baseline_scores(
    train: pd.DataFrame,
    train_label: pd.Series,
    test: pd.DataFrame,
    *,
    measured: pd.DataFrame,
    declared: Krs,
    seed: int,
) -> Baselines:
    """Every baseline's scores of the test rows, whose outcomes are not read.

    Parameters
    ----------
    train, train_label
        Past rows and their outcome (0/1, both present), paired by position: on them the learned baselines
        are fitted and the reading of KRS is chosen.
    measured
        The register of measurements, cut at each row's `as_of` in `earlier_haz`.
    declared
        The KRS rule of `params.yaml`.
    """
    rule, reading = stronger_reading(train, train_label, declared=declared)
    logistic, means = krs_logistic(train, train_label, test, rule=rule), proxy_means(train, test)
    share = float(earlier_haz(test, measured=measured).notna().mean())
    scores = {
        "random": random(test, seed=seed),
        "poverty_only": poverty_only(test),
        "krs": krs(test, rule=rule),
        "krs_rank_count": krs_rank_count(test, rule=rule),
        "krs_logistic": logistic.score,
        "proxy_means": means.score,
        "last_haz": last_haz(test, measured=measured) if share >= LEAST_MEASURED else None,
    }
    said = {"krs": f"{_declared(declared)}; {reading}", "krs_logistic": logistic.said, "proxy_means": means.said}
    had = {name: score for name, score in scores.items() if score is not None}
    return Baselines(had, reading, {**said, "last_haz": _measured(share)})


def _declared(rule: Krs) -> str:
    clause = "only without modern contraception" if rule.four_t_requires_no_modern_kb else "always"
    expecting = "" if rule.pregnant_four_t_counts or not rule.four_t_requires_no_modern_kb else ", never in pregnancy"
    return f"KRS {rule.version}: four too's count {clause}{expecting}; an unrecorded facility is {rule.null_facility}"


def _measured(share: float) -> str:
    if share == 0:
        return "no earlier measurement"
    found = f"{share:.0%} of the rows have an earlier measurement"
    return found if share >= LEAST_MEASURED else f"{found}, fewer than the {LEAST_MEASURED:.0%} it takes to be judged"
