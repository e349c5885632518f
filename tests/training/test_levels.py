"""The level of risks, and what one number from a survey mends."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.rows import rows, settings
from training.learn import learn
from training.levels import levels, missing_many, prevalence
from training.splits import clusters

SETTINGS = settings()
TRAIN, TEST = rows(1500, seed=1), rows(800, seed=2, year=2014)
HOW = {"cluster": clusters(TEST), "draws": 40, "seed": 3}


def test_a_register_that_misses_two_thirds_keeps_a_third_and_changes_nobody_else():
    poor = missing_many(TRAIN, seed=5)

    assert 0.28 < poor.stunted.sum() / TRAIN.stunted.sum() < 0.39
    assert ((poor.haz < -2).astype(int) == poor.stunted).all()
    assert poor.haz[TRAIN.stunted == 0].equals(TRAIN.haz[TRAIN.stunted == 0])


def test_the_shift_brings_risks_of_a_poor_register_to_the_level_and_leaves_their_order():
    model = learn(TRAIN, settings=SETTINGS, seed=1)
    found = levels(model.risk(model.prepared(TEST)), TRAIN, TEST, settings=SETTINGS, how=HOW)
    poor = found["models"]["learned from a register that misses two thirds"]

    assert poor["mean"] < 0.5 * TEST.stunted.mean()
    assert TEST.stunted.mean() == found["survey"]["share"] == pytest.approx(poor["shifted_mean"])
    assert poor["shifted_ece"] < poor["ece"]
    assert poor["auc"] > 0.6


def test_a_prevalence_of_fewer_areas_is_less_sure():
    wide = prevalence(TEST.stunted, cluster=np.arange(len(TEST)) % 5, draws=100, seed=1)
    narrow = prevalence(TEST.stunted, cluster=np.arange(len(TEST)), draws=100, seed=1)

    assert TEST.stunted.mean() == wide.share == narrow.share
    assert narrow.low < narrow.share < narrow.high
    assert wide.low < wide.share < wide.high
