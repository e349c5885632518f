"""Behind the lineage guard: no single feature may separate as only the outcome itself can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from features.leaks import LeakRefused
from training.splits import folds

if TYPE_CHECKING:
    import pandas as pd

BESIDE = ["age_months", "male"]


def tripwire(rows: pd.DataFrame, label: pd.Series, names: tuple[str, ...], *, limit: float) -> dict[str, float]:
    """Cross-fitted AUC of a shallow tree on (feature, age, sex), for each feature.

    Seen on a survey: height 0.91, weight-for-age 0.88, weight 0.84; the best legitimate feature 0.71.

    Raises
    ------
    LeakRefused
        A feature passes `limit`.
    """
    parts = list(folds(rows, count=3))
    found = {name: _auc(rows, label, name, parts) for name in names}
    worst = max(found, key=lambda name: found[name])
    if found[worst] > limit:
        msg = (
            f"Feature {worst!r} alone, with age and sex, reaches AUC {found[worst]:.3f}; allowed is {limit:.2f}. "
            "Only the outcome's own visit separates like that (height, weight, a z-score under another name). "
            "Trace the column to its source, and remove it or take it from before `as_of`."
        )
        raise LeakRefused(msg)
    return found


def _auc(rows: pd.DataFrame, label: pd.Series, name: str, parts: list[tuple[np.ndarray, np.ndarray]]) -> float:
    # XGBoost-like handling of nulls is not needed for a tripwire: one far value keeps them apart.
    inputs = rows[list(dict.fromkeys([name, *BESIDE]))].fillna(-9999.0).to_numpy()
    score = np.zeros(len(rows))
    for seen, unseen in parts:
        tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=50, random_state=0)
        score[unseen] = tree.fit(inputs[seen], label.iloc[seen]).predict_proba(inputs[unseen])[:, -1]
    return float(roc_auc_score(label, score))
