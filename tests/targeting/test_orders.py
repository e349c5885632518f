"""How today's rules see a household."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings import Krs
from targeting.orders import orders_of, reading_of, rule_of
from tests.drawn import drawn
from tests.training.rows import rows, settings
from training.baselines import krs_rank_count, poverty_only, stronger_reading
from training.krs import KrsRule
from training.splits import temporal

PLAIN = {
    "water_krs_safe": 1.0, "toilet_krs_safe": 1.0, "mother_age": 27.0, "mother_pregnant": 0.0, "mother_listed": 1.0,
    "short_interval": 0.0, "living_children": 1.0, "birth_order": 1.0, "modern_contraception": 1.0, "desil": 5.0,
    "wealth_quintile": np.nan,
}  # fmt: skip
KNOWN = ("water_krs_safe", "toilet_krs_safe", "mother_age", "modern_contraception", "desil")


def families(text):
    """Units as drawn; what is not drawn of them is plain."""
    found = drawn(text)
    return found.assign(**{name: value for name, value in PLAIN.items() if name not in found})


HOMES = families("""
    unit_id | household_id | toilet_krs_safe | desil | mother_age | modern_contraception
    --------+--------------+-----------------+-------+------------+---------------------
    ana     | h1           | 0               | 1     | 27         | 1
    budi    | h1           | 0               | 1     | 38         | 0
    citra   | h2           | 1               | 2     | 27         | 0
    dewi    | h3           | 1               | 9     | 18         | 0
    eka     | h3           | 1               | 9     | 30         | 1
    fajar   | h4           | 1               |       | 30         | 1
""")


def test_a_household_is_seen_as_its_unit_that_a_rule_would_visit_soonest():
    found = orders_of(HOMES, rule=KrsRule()).set_index("household_id")

    # h1: a bad toilet counts for both children; only budi's mother is too old without modern contraception: 3 factors.
    assert {"h1": 143.0, "h2": 31.0, "h3": 102.0, "h4": 0.0} == found.krs_rank_count.to_dict()
    assert {"h1": True, "h2": False, "h3": True, "h4": False} == found.krs.to_dict()
    assert found.krs_per_child["h1"] > found.krs_rank_count["h1"]  # of two children, not of the one seen soonest
    assert {"h1": -1.0, "h2": -2.0, "h3": -9.0, "h4": -11.0} == found.poverty_only.to_dict()


units = st.lists(
    st.fixed_dictionaries(
        {
            "household_id": st.sampled_from(["h1", "h2", "h3"]),
            "water_krs_safe": st.sampled_from([0.0, 1.0, np.nan]),
            "toilet_krs_safe": st.sampled_from([0.0, 1.0, np.nan]),
            "mother_age": st.sampled_from([18.0, 27.0, 38.0, np.nan]),
            "modern_contraception": st.sampled_from([0.0, 1.0, np.nan]),
            "desil": st.sampled_from([1.0, 4.0, 9.0, np.nan]),
        }
    ),
    min_size=1,
    max_size=12,
).map(lambda made: pd.DataFrame([PLAIN | one for one in made]))


@given(units, st.randoms(use_true_random=False))
def test_the_order_of_the_units_does_not_matter(found, chance):
    turned = found.iloc[chance.sample(range(len(found)), k=len(found))]

    pd.testing.assert_frame_equal(orders_of(found, rule=KrsRule()), orders_of(turned, rule=KrsRule()))


@given(units)
def test_a_further_unit_never_moves_a_household_back(found):
    fewer = orders_of(found.iloc[:-1], rule=KrsRule()).set_index("household_id")
    more = orders_of(found, rule=KrsRule()).set_index("household_id").loc[fewer.index]

    assert (more.krs_rank_count >= fewer.krs_rank_count).all()
    assert (more.poverty_only >= fewer.poverty_only).all()
    assert (more.krs >= fewer.krs).all()


@given(units)
def test_a_household_of_one_unit_is_scored_as_the_unit(found):
    alone = found.assign(household_id=[f"h{n:02}" for n in range(len(found))])
    seen = orders_of(alone, rule=KrsRule())

    assert krs_rank_count(alone, rule=KrsRule()).tolist() == seen.krs_rank_count.tolist()
    assert poverty_only(alone).tolist() == seen.poverty_only.tolist()


PAST = families("""
    unit_id | household_id | mother_age | modern_contraception | desil | stunted
    --------+--------------+------------+----------------------+-------+--------
    ana     | h1           | 18         |                      | 5     | 0
    budi    | h2           | 18         |                      | 5     | 0
    citra   | h3           | 18         | 0                    | 5     | 1
    dewi    | h4           | 27         | 1                    | 4     | 1
""")


def test_past_outcomes_choose_the_reading_as_for_the_evaluation():
    rule, said = reading_of(PAST, declared=Krs())

    assert "kb_unknown_does_not_count" == rule.reading
    assert stronger_reading(PAST, PAST.stunted, declared=Krs()) == (rule, said)


def test_without_past_outcomes_the_declared_rule_is_read_the_first_way_and_says_so():
    rule, said = reading_of(None, declared=Krs(null_facility="tidak_layak"))

    assert KrsRule(null_facility="tidak_layak", reading="kb_unknown_counts") == rule
    assert "no outcome of the past" in said


@pytest.fixture
def project(tmp_path):
    """Settings of a project with the features and measurements of two years."""
    known = pd.concat([rows(300, seed=1), rows(200, seed=2, year=2014)], ignore_index=True)
    known = known.assign(**{name: known[name].round() for name in KNOWN[:2]}, mother_age=18.0)
    measured = known[["child_id", "haz"]].assign(measured_on=known.as_of, recorded_on=known.as_of)
    known.drop(columns=["haz", "stunted", "outcome_known_on"]).to_parquet(tmp_path / "units.parquet")
    measured.to_parquet(tmp_path / "measurement.parquet")
    own = settings()
    return own.model_copy(
        update={"paths": own.paths.model_copy(update={"features": tmp_path, "interim": tmp_path})}
    ), known


def test_the_rule_is_that_which_the_model_is_judged_against(project):
    own, known = project
    train, _ = temporal(known, test_from=own.test_from)

    assert stronger_reading(train, train.stunted, declared=own.krs) == rule_of(own)


def test_registers_without_an_outcome_leave_the_first_reading(project):
    own, _ = project
    path = own.paths.interim / "measurement.parquet"
    pd.read_parquet(path).assign(haz=np.nan).to_parquet(path)

    rule, said = rule_of(own)

    assert "kb_unknown_counts" == rule.reading
    assert "no outcome of the past" in said
