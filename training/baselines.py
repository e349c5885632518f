"""Today's ways to choose whom to visit, which a model must beat: a score per row, higher is sooner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from training.krs import KrsRule, Reading, flags

RULES: Final = tuple(KrsRule(reading=reading) for reading in get_args(Reading))
PRIORITY: Final = 4  # the last rank of `kesejahteraan_prioritas`
AFTER_ALL: Final = -11.0  # behind the tenth decile
MEANINGS: Final[dict[Reading, str]] = {
    "kb_unknown_counts": "four too's count where contraception is not recorded",
    "kb_unknown_does_not_count": "four too's do not count where contraception is not recorded",
}


@dataclass(frozen=True)
class Baselines:
    """Scores by name, and in words which reading of the KRS rule they use."""

    scores: dict[str, pd.Series]
    reading: str


def random(rows: pd.DataFrame, *, seed: int) -> pd.Series:
    """A lottery that gives a unit the same number in any order of rows. [0-1]"""
    digests = [hashlib.sha256(f"{seed}|{unit}".encode()).hexdigest() for unit in rows.unit_id]
    return pd.Series([int(digest[:13], 16) / 16**13 for digest in digests], index=rows.index, dtype=float)


def poverty_only(rows: pd.DataFrame, *, seed: int = 0) -> pd.Series:  # noqa: ARG001 (one signature for all)
    """Poorest first: minus the welfare decile, else the middle of the wealth quintile's two; unknown is last."""
    return -_desil(rows).fillna(-AFTER_ALL)


def krs(rows: pd.DataFrame, *, rule: KrsRule, seed: int = 0) -> pd.Series:  # noqa: ARG001 (one signature for all)
    """The KRS flag. [0 or 1]"""
    return flags(rows, rule=rule).krs.astype(float)


def krs_rank_count(rows: pd.DataFrame, *, rule: KrsRule, seed: int = 0) -> pd.Series:  # noqa: ARG001 (one signature)
    """KRS first, then welfare rank 1 to 4, then the number of factors: the digits of one number."""
    found = flags(rows, rule=rule)
    sooner = (PRIORITY + 1 - welfare_rank(rows)).fillna(0)
    return found.krs * 100.0 + sooner * 10.0 + found.factor_count


def welfare_rank(rows: pd.DataFrame) -> pd.Series:
    """`kesejahteraan_prioritas`, 1 (poorest) to 4, by decile, else by wealth quintile; null is not priority."""
    rank = rows.desil.astype(float).fillna(rows.wealth_quintile.astype(float))
    return rank.where(rank.between(1, PRIORITY))


def stronger_reading(rows: pd.DataFrame, label: pd.Series) -> KrsRule:
    """The reading with the higher AUC of `krs_rank_count`; the first when they are equal.

    Give it training rows only: the test must not choose its own opponent.
    """
    aucs = _aucs(rows, label)
    return RULES[int(np.argmax(aucs))]


def baseline_scores(train: pd.DataFrame, train_label: pd.Series, test: pd.DataFrame, *, seed: int) -> Baselines:
    """Scores of the test rows; the KRS reading is the stronger on the training rows."""
    rule = stronger_reading(train, train_label)
    scores = {
        "random": random(test, seed=seed),
        "poverty_only": poverty_only(test),
        "krs": krs(test, rule=rule),
        "krs_rank_count": krs_rank_count(test, rule=rule),
    }
    aucs = zip(RULES, _aucs(train, train_label), strict=True)
    compared = ", ".join(f"{each.reading} {auc:.4f}" for each, auc in aucs)
    return Baselines(scores, f"{rule.reading}: {MEANINGS[rule.reading]} (AUC in training: {compared})")


def _desil(rows: pd.DataFrame) -> pd.Series:
    return rows.desil.astype(float).fillna(2 * rows.wealth_quintile.astype(float) - 0.5)


def _aucs(rows: pd.DataFrame, label: pd.Series) -> list[float]:
    return [float(roc_auc_score(label, krs_rank_count(rows, rule=rule))) for rule in RULES]
