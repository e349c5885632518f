"""Candidates and rungs: each learns, each is compared fairly, and the claim is no larger than its interval."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.rows import rows, settings
from training.candidates import CANDIDATES
from training.compare import compared, proven, verdict
from training.ladder import CHAMPION, INDEX_OF, ladder, wealth_index
from training.models import INPUTS

SETTINGS = settings()
TRAIN, ASKED = rows(700, seed=3), rows(300, seed=4)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_finds_the_causes(name):
    order = CANDIDATES[name](TRAIN, how=SETTINGS.train, seed=1)(ASKED)

    assert roc_auc_score(ASKED.stunted, order) > 0.75


def test_a_blend_is_the_mean_of_its_parts():
    parts = [
        CANDIDATES[n](TRAIN, how=SETTINGS.train, seed=1)(ASKED) for n in ("booster", "lightgbm", "logistic_splines")
    ]

    assert np.allclose(np.mean(parts, axis=0), CANDIDATES["blend"](TRAIN, how=SETTINGS.train, seed=1)(ASKED))


def test_each_rung_knows_what_the_one_before_knew_and_the_last_knows_all():
    steps = ladder()
    climbed = list(steps)[: list(steps).index(CHAMPION) + 1]

    for name in climbed[1:]:
        assert set(steps[steps[name].after].names) <= set(steps[name].names)
    assert INPUTS == steps[CHAMPION].names
    assert {CHAMPION} == {step.after for name, step in steps.items() if name not in climbed}


def test_a_wealth_index_rises_or_falls_with_every_asset_alike():
    poor, rich = (
        TRAIN.head(1).assign(**dict.fromkeys(INDEX_OF, 0.0)),
        TRAIN.head(1).assign(**dict.fromkeys(INDEX_OF, 1.0)),
    )
    together = TRAIN.assign(**dict.fromkeys(INDEX_OF, TRAIN.owns_tv))
    index = wealth_index(together)

    low, high = (index.transform(one[list(INDEX_OF)])[0, 0] for one in (poor, rich))

    assert abs(high - low) > 1


def test_the_comparison_has_a_paired_interval_for_every_claim():
    few = SETTINGS.model_copy(update={"compare": SETTINGS.compare.model_copy(update={"candidates": ("logistic",)})})

    found = compared(TRAIN, settings=few)

    assert {"booster", "logistic"} == set(found["candidates"])
    assert "difference" not in found["candidates"]["booster"]
    for line in found["ladder"].values():
        assert ("difference" in line) == (line["after"] is not None)
    each = found["ladder"]["+ the mother"]["difference"]["auc"]
    assert each["low"] <= each["difference"] <= each["high"]
    assert proven(each)


def test_a_rival_must_lead_clearly_and_surely():
    def lead(difference, low, high):
        return {"booster": {}, "rival": {"difference": {"auc": {"difference": difference, "low": low, "high": high}}}}

    assert "the booster stays" in verdict(lead(0.02, -0.01, 0.05))
    assert "the booster stays" in verdict(lead(0.004, 0.002, 0.006))
    assert "rival" in verdict(lead(0.006, 0.001, 0.011))
