"""What is left without age: bands, age and sex alone, and infants beside two-year-olds."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from features.settings import load
from tests.conftest import ROOT
from tests.drawn import drawn
from training.age import (
    BANDS,
    age_and_sex_risk,
    asked_at,
    beside_age,
    fit_age_and_sex,
    infants_in,
    pseudo_cohort,
    two_year_olds_in,
)
from training.labels import labelled
from training.learn import learn
from training.metrics import measure

RANDOM = np.random.default_rng(11)
ROWS = 3_000
MONTHS = RANDOM.uniform(0, 60, ROWS)
BOY = RANDOM.integers(0, 2, ROWS).astype(float)
PEAKED = 0.05 + 0.5 * np.exp(-(((MONTHS - 24) / 10) ** 2)) + 0.1 * BOY
CHILDREN = pd.DataFrame(
    {
        "age_months": MONTHS,
        "male": BOY,
        "stunted": (RANDOM.random(ROWS) < PEAKED).astype(int),
        "area_id": RANDOM.integers(0, 100, ROWS).astype(str),
        "household_id": np.arange(ROWS).astype(str),
    }
)

INFANTS = drawn("""
    unit_id | as_of      | age_months | area_id | household_id | wealth_quintile | weight
    --------+------------+------------+---------+--------------+-----------------+-------
    ana     | 2012-03-01 | 3          | x       | h1           | 1               | 3
    beto    | 2012-04-01 | 11.9       | y       | h2           | 1               | 1
    caro    | 2012-05-01 | 0          | z       | h3           | 2               | 1
    dina    | 2012-05-01 | 12         | z       | h4           | 2               | 1
    elio    | 2013-05-01 | 4          | z       | h5           | 2               | 1
""")
LATER = drawn("""
    unit_id | as_of      | age_months | area_id | household_id | wealth_quintile | weight | stunted
    --------+------------+------------+---------+--------------+-----------------+--------+--------
    fina    | 2014-03-01 | 22         | x       | h6           | 1               | 1      | 1
    gina    | 2014-04-01 | 30.9       | y       | h7           | 1               | 1      | 0
    hugo    | 2014-05-01 | 26         | z       | h8           | 3               | 2      | 1
    ines    | 2014-05-01 | 31         | z       | h9           | 2               | 1      | 0
""")


def test_age_and_sex_alone_find_the_age_at_which_most_are_stunted():
    asked = pd.DataFrame({"age_months": [2.0, 24.0, 55.0], "male": [1.0, 1.0, 1.0]})
    young, two, old = age_and_sex_risk(fit_age_and_sex(CHILDREN), asked)

    assert two > young + 0.2
    assert two > old + 0.2


def test_age_and_sex_alone_are_as_good_as_the_truth_where_there_is_nothing_else():
    found = measure(CHILDREN.stunted, age_and_sex_risk(fit_age_and_sex(CHILDREN), CHILDREN))

    assert measure(CHILDREN.stunted, PEAKED)["auc"] == pytest.approx(found["auc"], abs=0.02)
    assert found["ece"] < 0.03


def test_a_child_of_unknown_sex_has_a_risk_all_the_same():
    unknown = pd.DataFrame({"age_months": [24.0, 24.0, 24.0], "male": [0.0, np.nan, 1.0]})
    girl, either, boy = age_and_sex_risk(fit_age_and_sex(CHILDREN), unknown)

    assert min(girl, boy) <= either <= max(girl, boy)


def test_every_band_holds_its_own_children_and_all_hold_everybody():
    found = beside_age(CHILDREN, PEAKED, PEAKED, draws=5, seed=1)

    assert ["all", *BANDS] == list(found)
    assert ROWS == found["all"]["n"] == sum(found[band]["n"] for band in BANDS)
    assert int((MONTHS < 6).sum()) == found["0-5"]["n"]


def test_a_risk_has_no_lead_over_itself():
    found = beside_age(CHILDREN, PEAKED, PEAKED, draws=20, seed=1)

    assert {(0.0, 0.0, 0.0)} == {(f["auc_lead"], f["auc_lead_low"], f["auc_lead_high"]) for f in found.values()}


def test_a_model_that_knows_more_than_age_leads_within_bands_too():
    label = CHILDREN.stunted.to_numpy()
    knows_more = np.clip(PEAKED + 0.2 * label, 0, 1)
    found = beside_age(CHILDREN, knows_more, PEAKED, draws=50, seed=1)

    assert all(0 < f["auc_lead_low"] < f["auc_lead"] < f["auc_lead_high"] for f in found.values())
    assert found["12-23"]["auc"] - found["12-23"]["age_and_sex_auc"] == pytest.approx(found["12-23"]["auc_lead"])


def test_a_band_without_children_is_left_out_and_one_outcome_leaves_the_auc_undefined():
    few = pd.DataFrame(
        {"age_months": [1.0, 2.0], "stunted": [0, 0], "area_id": ["x", "y"], "household_id": ["h1", "h2"]}
    )
    found = beside_age(few, np.array([0.1, 0.2]), np.array([0.1, 0.2]), draws=3, seed=1)

    assert ["all", "0-5"] == list(found)
    assert math.isnan(found["0-5"]["auc"])


def test_infants_and_two_year_olds_are_told_by_year_and_completed_months():
    assert ["ana", "beto", "caro"] == list(infants_in(INFANTS, year=2012).unit_id)
    assert ["fina", "gina", "hugo"] == list(two_year_olds_in(LATER, year=2014).unit_id)


def test_the_mean_risk_at_24_months_stands_beside_the_share_stunted_later():
    infants, later = infants_in(INFANTS, year=2012), two_year_olds_in(LATER, year=2014)
    found = pseudo_cohort(infants, np.array([0.2, 0.4, 0.9]), later, draws=50, seed=1, by=["wealth_quintile"])

    # Quintile 2 has no two-year-old and quintile 3 no infant.
    assert [("all", "all", 3, 3), ("wealth_quintile", 1, 2, 2)] == list(
        found[["by", "group", "infants", "later"]].itertuples(index=False, name=None)
    )
    assert [0.5, pytest.approx(0.3)] == list(found.forecast)
    assert [pytest.approx(2 / 3), 0.5] == list(found.observed)
    assert [pytest.approx(-1 / 6), pytest.approx(-0.2)] == list(found.difference)
    assert (found.low <= found.difference).all()
    assert (found.difference <= found.high).all()


def test_a_survey_weight_counts_a_child_so_many_times():
    infants, later = infants_in(INFANTS, year=2012), two_year_olds_in(LATER, year=2014)
    found = pseudo_cohort(infants, np.array([0.2, 0.4, 0.9]), later, draws=5, seed=1, by=(), weight="weight")

    assert pytest.approx((3 * 0.2 + 0.4 + 0.9) / 5) == found.forecast[0]
    assert 0.75 == found.observed[0]


def test_infants_whose_risk_is_what_came_true_in_every_cluster_differ_by_nothing():
    infants, later = infants_in(INFANTS, year=2012), two_year_olds_in(LATER, year=2014)
    found = pseudo_cohort(infants, np.ones(3), later.assign(stunted=1), draws=20, seed=1, by=())

    assert (0.0, 0.0, 0.0) == (found.difference[0], found.low[0], found.high[0])


@tries(max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_the_infants_does_not_matter(risks, random):
    infants, later = infants_in(INFANTS, year=2012), two_year_olds_in(LATER, year=2014)
    order = random.sample(range(3), 3)
    once = pseudo_cohort(infants, np.array(risks), later, draws=10, seed=1, by=["wealth_quintile"])
    again = pseudo_cohort(infants.iloc[order], np.array(risks)[order], later, draws=10, seed=1, by=["wealth_quintile"])

    pd.testing.assert_frame_equal(once, again)


def test_a_side_without_children_is_refused_with_what_to_check():
    with pytest.raises(ValueError, match="3 infants, 3 risks and 0 later children"):
        pseudo_cohort(infants_in(INFANTS, year=2012), np.ones(3), LATER.head(0), draws=1, seed=1)


def test_a_model_of_2012_asked_about_its_infants_is_near_the_two_year_olds_of_2014(units, interim):
    settings = load(ROOT / "params.yaml", ROOT / "no-run.yaml")
    quick = settings.train.booster.model_copy(update={"rounds": 20, "eta": 0.3})
    settings = settings.model_copy(update={"train": settings.train.model_copy(update={"booster": quick, "folds": 2})})
    rows = labelled(units, pd.read_parquet(interim / "measurement.parquet"), window=settings.outcome)
    model = learn(rows[rows.outcome_known_on < pd.Timestamp("2013-01-01")], settings=settings, seed=1)
    infants, later = infants_in(rows, year=2012), two_year_olds_in(rows, year=2014)
    found = pseudo_cohort(infants, asked_at(model, infants), later, draws=50, seed=1)

    everybody = found[found.by == "all"].iloc[0]
    # Infants of today are stunted half as often as two-year-olds, so a risk of today would be far off.
    assert abs(everybody.difference) < 0.08
    assert model.risk(model.prepared(infants)).mean() < everybody.forecast - 0.05
    poorest_first = found[found.by == "wealth_quintile"].sort_values("group")
    assert poorest_first.forecast.is_monotonic_decreasing
    assert 25 == (found.by == "region_id").sum()
