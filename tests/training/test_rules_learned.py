"""Rules fitted on training rows: what they learn from, and what they may not see."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import drawn
from training.krs import KrsRule
from training.rules_learned import PEOPLE, SEEN, UNKNOWN_LAST, krs_logistic, proxy_means

FAMILY = {
    "water_krs_safe": 1.0, "toilet_krs_safe": 1.0, "mother_age": 27.0, "mother_pregnant": 0.0, "mother_listed": 1.0,
    "short_interval": 0.0, "living_children": 1.0, "birth_order": 1.0, "modern_contraception": np.nan,
    "desil": np.nan, "wealth_quintile": np.nan,
}  # fmt: skip


def rows(text: str) -> pd.DataFrame:
    """What is drawn, else a plain family in a house nobody has seen."""
    found = drawn(text)
    rest = FAMILY | dict.fromkeys((*SEEN, *PEOPLE, "head_female"), np.nan)
    rest |= {"unit_id": [f"u{n}" for n in range(len(found))], "as_of": pd.Timestamp("2024-01-01")}
    rest |= {"household_id": [f"h{n}" for n in range(len(found))]}
    return found.assign(**{name: fact for name, fact in rest.items() if name not in found})


CHILDREN = rows("""
    stunted | toilet_krs_safe | living_children | desil
    --------+-----------------+-----------------+------
    1       | 0               | 1               | 2
    1       | 0               | 4               | 1
    1       | 0               | 1               | 4
    0       | 0               | 4               | 3
    1       | 1               | 4               | 5
    0       | 1               | 1               | 6
    0       | 1               | 4               | 9
    0       | 1               | 1               | 7
""")


def risk(test: pd.DataFrame, *, train: pd.DataFrame = CHILDREN) -> pd.Series:
    return krs_logistic(train, train.stunted, test, rule=KrsRule()).score


RISK = risk(CHILDREN)


def test_a_factor_that_went_with_stunting_raises_the_probability():
    asked = rows("""
        toilet_krs_safe | desil
        ----------------+------
        0               | 5
        1               | 5
    """)
    assert risk(asked)[0] > risk(asked)[1]


def test_a_factor_learned_the_other_way_lowers_it():
    asked = rows("""
        toilet_krs_safe | desil
        ----------------+------
        0               | 5
        1               | 5
    """)
    turned = risk(asked, train=CHILDREN.assign(stunted=1 - CHILDREN.stunted))

    assert turned[0] < turned[1]


def test_an_unrecorded_toilet_is_not_taken_for_a_proper_one_if_past_children_say_otherwise():
    past = rows("""
        stunted | toilet_krs_safe
        --------+----------------
        1       |                 |
        1       |                 |
        0       |                 |
        1       | 0
        0       | 1
        0       | 1
        1       | 1
        0       | 1
    """)
    asked = rows("""
        toilet_krs_safe | desil
        ----------------+------
        |               |      |
        1               |      |
    """)
    found = risk(asked, train=past)

    assert found[0] > found[1]


@settings(max_examples=15)
@given(st.permutations(range(len(CHILDREN))), st.permutations(range(len(CHILDREN))))
def test_the_order_of_the_rows_does_not_matter(past, asked):
    turned = risk(CHILDREN.iloc[asked], train=CHILDREN.iloc[past]).sort_index()

    pd.testing.assert_series_equal(RISK, turned, check_exact=True)


def test_equal_families_tie_wherever_they_stand():
    many = pd.concat([CHILDREN[5:6].assign(desil=n % 7, unit_id=f"u{n}") for n in range(701)], ignore_index=True)

    assert 7 == risk(many).nunique()


@settings(max_examples=15)
@given(st.lists(st.integers(0, 1), min_size=len(CHILDREN), max_size=len(CHILDREN)))
def test_the_outcomes_of_the_rows_to_score_change_nothing(outcomes):
    pd.testing.assert_series_equal(RISK, risk(CHILDREN.assign(stunted=outcomes)))


def test_the_outcomes_of_the_past_are_paired_by_position_not_by_index():
    apart = pd.Series(CHILDREN.stunted.to_numpy(), index=range(100, 100 + len(CHILDREN)))

    pd.testing.assert_series_equal(RISK, krs_logistic(CHILDREN, apart, CHILDREN, rule=KrsRule()).score)


HOUSES = rows("""
    household_id | stunted | desil | owns_tv | floor_quality | fuel_ladder | member_count
    -------------+---------+-------+---------+---------------+-------------+-------------
    h1           | 0       | 1     | 0       | 3             | 4           | 8
    h2           | 1       | 2     | 0       | 3             | 4           | 6
    h3           | 0       | 3     | 0       | 2             | 4           | 7
    h4           | 0       | 5     | 1       | 1             | 2           | 5
    h5           | 1       | 8     | 1       | 1             | 1           | 4
    h6           | 1       | 10    | 1       | 0             | 1           | 3
""")
ASKED = rows("""
    owns_tv | floor_quality | fuel_ladder | member_count
    --------+---------------+-------------+-------------
    1       | 0             | 1           | 4
    0       | 3             | 4           | 7
    |       |               |             | 7
""")


def test_the_household_whose_house_looks_poorer_comes_first_and_the_unknown_last():
    found = proxy_means(HOUSES, ASKED)

    assert [1, 0, 2] == found.score.sort_values(ascending=False).index.tolist()
    assert UNKNOWN_LAST == found.score[2]
    assert "6 training households" in found.said
    assert found.said.endswith("1 rows unknown, and last")


def test_one_fact_gives_the_mean_welfare_of_those_who_share_it():
    past = rows("""
        owns_tv | desil | wealth_quintile
        --------+-------+----------------
        0       | 1     |                 |
        0       | 3     |                 |
        1       |       | 4
        1       | 9     |                 |
    """)
    asked = rows("""
        owns_tv
        -------
        0
        1
    """)
    assert [-2.0, -8.25] == pytest.approx(proxy_means(past, asked).score.tolist())


def test_a_household_counts_once_by_its_newest_row_in_which_the_house_is_known():
    past = rows("""
        household_id | as_of      | owns_tv | desil
        -------------+------------+---------+------
        h1           | 2023-01-01 | 0       | 9
        h1           | 2023-06-01 | 0       | 2
        h1           | 2023-09-01 |         | 9
        h2           | 2023-01-01 | 1       | 8
    """)
    asked = rows("""
        owns_tv
        -------
        0
        1
    """)
    assert [-2.0, -8.0] == pytest.approx(proxy_means(past, asked).score.tolist())


def test_the_means_test_reads_no_outcome_of_a_child():
    assert "label" not in " ".join(inspect.signature(proxy_means).parameters)
    expected = proxy_means(HOUSES, ASKED).score

    pd.testing.assert_series_equal(expected, proxy_means(HOUSES.drop(columns="stunted"), ASKED).score)
    pd.testing.assert_series_equal(expected, proxy_means(HOUSES.assign(stunted=1 - HOUSES.stunted), ASKED).score)


def test_the_welfare_recorded_for_the_rows_to_score_is_not_read():
    pd.testing.assert_series_equal(proxy_means(HOUSES, ASKED).score, proxy_means(HOUSES, ASKED.assign(desil=1)).score)


def test_a_material_never_seen_in_training_still_gets_a_score():
    new = ASKED[:2].assign(fuel_ladder=5.0, roof_quality=2.0)

    assert np.isfinite(proxy_means(HOUSES, new).score).all()
    assert (proxy_means(HOUSES, new).score > UNKNOWN_LAST).all()


@pytest.mark.parametrize("desil", [np.nan, 4.0])
def test_without_two_degrees_of_welfare_there_is_no_means_test(desil):
    found = proxy_means(HOUSES.assign(desil=desil), ASKED)

    assert found.score is None
    assert found.said.startswith("not fitted: ")
