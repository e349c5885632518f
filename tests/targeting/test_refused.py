"""Models that must never reach a door, learned from the real survey: each is refused, and is told why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputRefused
from features.leaks import LeakRefused
from targeting.promotion import Evidence, checks, ece_by_chance
from tests.training.rows import settings
from training.baselines import baseline_scores
from training.fit import KNOWN
from training.labels import labelled
from training.learn import learn
from training.metrics import paired_difference, with_intervals
from training.splits import clusters, temporal
from training.study import audited, told
from training.tripwire import tripwire

pytestmark = pytest.mark.xdist_group("refused")  # one worker makes what is dear, once
SETTINGS = settings(rounds=60, eta=0.15)
HOW = {"draws": 30, "seed": 1}
Sides = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def sides(units: pd.DataFrame, interim: Path) -> Sides:
    """Training and test children of the survey."""
    measured = pd.read_parquet(interim / "measurement.parquet")
    return temporal(labelled(units, measured, window=SETTINGS.outcome), test_from=SETTINGS.test_from)


def failed(train: pd.DataFrame, test: pd.DataFrame, interim: Path) -> dict[str, str]:
    """The checks that a model of these rows does not meet, and what was found; no champion stands beside it."""
    measured, maternal = (pd.read_parquet(interim / f"{name}.parquet") for name in ("measurement", "maternal"))
    model = learn(train, settings=SETTINGS, seed=1)
    risk, cluster = model.risk(model.prepared(test)), clusters(test)
    rules = baseline_scores(train, train.stunted, test, measured=measured, declared=SETTINGS.krs, seed=1)
    rule = rules.scores["krs_rank_count"]
    groups = told(audited(test, risk, maternal, settings=SETTINGS), SETTINGS)
    found = Evidence(
        stamp="determinants-new", reports="reports/promotion", quarantined=("", 0.0), leak_guard=True,
        rule="KRS, then rank, then count",
        lead=paired_difference(test.stunted, risk, rule, metric="auc", cluster=cluster, **HOW),
        metrics=with_intervals(test.stunted, risk, cluster=cluster, **HOW), chance_ece=ece_by_chance(risk, seed=1),
        outside=groups["outside"], judged_gaps=len(groups["gaps"]), untold_gaps=0, set_aside=None,
        instead_of_real=False, learned_until="2014-01-01", champion_learned_until="", test_from="2014-01-01",
    )  # fmt: skip
    made = checks(found, None, gate=SETTINGS.gate, quarantine=0.05)
    return {check.name: f"{check.found}. {check.to_do}" for check in made if not check.passed}


def test_a_model_of_the_survey_as_it_is_passes(sides: Sides, interim: Path) -> None:
    assert {} == failed(*sides, interim)


def test_a_model_of_shuffled_labels_is_refused(sides: Sides, interim: Path) -> None:
    train, test = sides
    lots = np.random.default_rng(1).permutation(len(train))
    shuffled = train.assign(haz=train.haz.to_numpy()[lots], stunted=train.stunted.to_numpy()[lots])

    try:
        why = failed(shuffled, test, interim)["better than KRS, then rank, then count"]
    except InputRefused as before_the_gate:  # where the folds already say that nothing separates
        why = str(before_the_gate)

    assert "It is not proven better than today's rule" in why or "The outcomes may be shuffled or too few" in why


def test_a_model_that_is_unfair_to_girls_is_refused(sides: Sides, interim: Path) -> None:
    """Girls stand eight tenths of a deviation too tall in the training register, and as they are in the test."""
    train, test = sides
    haz = train.haz.where(train.male == 1, (train.haz + 0.8).clip(upper=5.9))

    why = failed(train.assign(haz=haz, stunted=(haz.round(2) < -2).astype(int)), test, interim)["gaps between groups"]

    assert "Found: by sex, calibration is" in why
    assert "'girl' against what was observed. Allowed: 0.03." in why
    assert "Do not print these risks as probabilities for the group" in why


def test_a_planted_leak_stops_the_training_with_an_explanation(sides: Sides) -> None:
    train, _ = sides
    leaking = train.assign(birth_weight_g=(3200 + 400 * train.haz).clip(600, 6000))

    with pytest.raises(
        LeakRefused, match=r"Feature 'birth_weight_g' alone, with age and sex, reaches AUC 1\.000"
    ) as said:
        tripwire(leaking, leaking.stunted, KNOWN, limit=SETTINGS.train.tripwire_auc)

    assert "Trace the column to its source, and remove it or take it from before `as_of`" in str(said.value)
