"""Where there is nothing to learn, nothing is found: shuffled labels on the real survey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from features.build import add_history
from tests.training.rows import settings
from training.labels import labelled
from training.learn import uncalibrated
from training.models import margin
from training.splits import temporal

SHUFFLES = 10
SETTINGS = settings(rounds=60, eta=0.15)


def shuffled(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The same children, each with the height of another."""
    lots = np.random.default_rng(seed).permutation(len(rows))
    return rows.assign(haz=rows.haz.to_numpy()[lots], stunted=rows.stunted.to_numpy()[lots])


def test_a_model_of_shuffled_labels_orders_shuffled_children_no_better_than_a_lottery(
    units: pd.DataFrame, interim: Path
) -> None:
    measured = pd.read_parquet(interim / "measurement.parquet")
    train, test = temporal(labelled(units, measured, window=SETTINGS.outcome), test_from=SETTINGS.test_from)
    found = []
    for seed in range(SHUFFLES):
        booster, history = uncalibrated(shuffled(train, seed=seed), settings=SETTINGS, seed=seed)
        asked = shuffled(test, seed=SHUFFLES + seed)
        found.append(roc_auc_score(asked.stunted, margin(booster, add_history(asked, history))))

    assert 0.49 < np.mean(found) < 0.51, found
