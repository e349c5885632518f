"""A model learned on the real survey: contributions add up, storage is exact, time is respected."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from features.settings import Outcome, load
from tests.conftest import ROOT
from training import model as models
from training.contributions import bulk, reference, single
from training.labels import labelled, outcomes
from training.learn import learn
from training.masking import DROPPABLE, columns_of, hide, mask
from training.metrics import measure
from training.models import bias, inputs_of, margin
from training.splits import folds, temporal

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings
    from training.model import RiskModel

pytestmark = pytest.mark.xdist_group("survey model")  # one worker makes what is dear, once


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(ROOT / "params.yaml", ROOT / "no-run.yaml")


@pytest.fixture(scope="module")
def sides(units: pd.DataFrame, interim: Path, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    measured = pd.read_parquet(interim / "measurement.parquet")
    rows = labelled(units, measured, window=settings.outcome)
    return temporal(rows, test_from=settings.test_from)


@pytest.fixture(scope="module")
def model(sides: tuple[pd.DataFrame, pd.DataFrame], settings: Settings) -> RiskModel:
    return learn(sides[0], settings=settings, seed=settings.train.seed)


def test_the_test_side_is_every_measured_child_of_2014(sides: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    train, test = sides
    assert 9_864 == len(test)
    assert not set(train.household_id) & set(test.household_id)
    assert train.outcome_known_on.max() < pd.Timestamp("2014-01-01")


def test_no_area_straddles_two_folds(sides: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    train = sides[0]
    for seen, unseen in folds(train, count=5):
        assert not set(train.area_id.iloc[seen]) & set(train.area_id.iloc[unseen])


def test_the_model_reaches_what_was_promised_on_rows_it_has_not_seen(
    model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    test = sides[1]
    found = measure(test.stunted, model.risk(model.prepared(test)))
    assert found["auc"] >= 0.830
    assert found["precision_at_10"] >= 0.595
    assert 0.9 <= found["calibration_slope"] <= 1.1
    assert found["ece"] < 0.02


def test_contributions_agree_between_the_three_ways_and_add_up(
    model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    rows = model.prepared(sides[1].head(300))
    inputs = inputs_of(rows)
    alone = single(model.booster, inputs)

    assert np.allclose(alone, bulk(model.booster, inputs), atol=1e-3)
    assert np.allclose(alone, reference(model.booster, inputs), atol=1e-3)
    assert np.allclose(alone.sum(axis=1) + bias(model.booster), margin(model.booster, rows), atol=1e-4)
    explained = model.explained(rows)
    assert np.allclose(1 / (1 + np.exp(-explained.sum(axis=1))), model.risk(rows), atol=1e-4)


def test_values_beside_a_threshold_take_the_boosters_branch_in_bulk_too(
    model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    rows = model.prepared(sides[1].head(60)).reset_index(drop=True)
    splits = model.booster.trees_to_dataframe().dropna(subset=["Split"]).drop_duplicates("Feature")
    for name, threshold in zip(splits.Feature, splits.Split.astype(np.float32), strict=True):
        beside = [np.nextafter(threshold, np.float32(way)) for way in (-np.inf, np.inf)]
        rows[name] = np.resize([threshold, *beside], len(rows)).astype(np.float32)

    inputs = inputs_of(rows)
    assert np.allclose(single(model.booster, inputs), bulk(model.booster, inputs), atol=1e-4)


def test_a_model_read_back_gives_the_same_risks_to_the_last_bit(
    model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    models.write(model, tmp_path)
    back = models.read(tmp_path)
    assert (model.risk(model.prepared(sides[1])) == back.risk(back.prepared(sides[1]))).all()


def test_a_truncated_model_is_refused(model: RiskModel, tmp_path: Path) -> None:
    models.write(model, tmp_path)
    whole = (tmp_path / "booster.ubj").read_bytes()
    (tmp_path / "booster.ubj").write_bytes(whole[:1000])
    with pytest.raises(models.ModelRefused, match="cannot be read"):
        models.read(tmp_path)


def test_row_order_changes_nothing(sides: tuple[pd.DataFrame, pd.DataFrame], settings: Settings) -> None:
    few = sides[0].iloc[::8]
    shuffled = few.sample(frac=1, random_state=3)
    first, second = (learn(rows, settings=settings, seed=1) for rows in (few, shuffled))
    asked = sides[1].head(500)
    assert (first.risk(first.prepared(asked)) == second.risk(second.prepared(asked))).all()


def test_a_taller_mother_never_raises_the_risk(model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rows = model.prepared(sides[1].head(200))
    risks = [model.risk(rows.assign(mother_height_cm=cm, mother_short=float(cm < 150))) for cm in (140, 150, 160, 170)]
    assert all((later <= sooner + 1e-7).all() for sooner, later in pairwise(risks))


def test_masking_hides_whole_registers_in_the_share_asked(sides: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rows = model_rows = sides[0].assign(region_past_prevalence=0.2, area_past_prevalence=0.2)
    masked = mask(model_rows, registers=0.4, pregnancies=0.1, seed=5)
    unborn = masked.age_months.isna() & rows.age_months.notna()
    assert 0.1 == pytest.approx(unborn.mean(), abs=0.01)
    for view in DROPPABLE:
        names = columns_of(view)
        assert hide(rows, view)[names].isna().all().all()


def test_the_outcome_is_the_first_valid_measurement_on_or_after_as_of() -> None:
    cohort = pd.DataFrame({"unit_id": ["a"], "as_of": [pd.Timestamp("2024-01-10")], "child_id": ["a"]})
    days = ["2024-01-09", "2024-01-10", "2024-02-01", "2024-03-01"]
    measured = pd.DataFrame(
        {
            "child_id": "a",
            "measured_on": pd.to_datetime(days),
            "recorded_on": pd.to_datetime(days),
            "haz": [-4.0, -7.0, -2.0, -3.0],
        }
    )
    found = outcomes(cohort, measured, window=Outcome(from_days=0, to_days=300))
    assert [(-2.0, 0)] == list(zip(found.haz, found.stunted, strict=True))  # exactly -2.00 is not stunted


def test_area_codes_of_digits_only_are_read_back_as_codes(
    model: RiskModel, sides: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    renamed = {name: f"0{n:09}" for n, name in enumerate(sorted({*sides[1].area_id, *sides[1].region_id}))}
    rows = sides[1].head(200)
    coded = rows.assign(area_id=rows.area_id.map(renamed), region_id=rows.region_id.map(renamed))
    history = model.history.assign(place_id=model.history.place_id.map(lambda p: renamed.get(p, "0999999999")))
    models.write(dataclasses.replace(model, history=history), tmp_path)

    assert (model.risk(model.prepared(rows)) == (back := models.read(tmp_path)).risk(back.prepared(coded))).all()
