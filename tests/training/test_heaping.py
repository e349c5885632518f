"""How measurements were written down, and what worse labels do to a list."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import chisquare

from tests.drawn import drawn
from training.heaping import Limits, label_noise, noised, preference, quality

TENTHS = st.lists(st.integers(450, 1200), min_size=1, max_size=60)

MEASURED = drawn("""
    child_id | team | height_cm | weight_kg | haz  |
    ---------+------+-----------+-----------+------
    a        | p    | 70.0      | 8.1       | -1.0 |
    b        | p    | 71.5      | 8.2       | -3.0 |
    c        | p    | 72.0      |           | 6.5  |
    d        | p    | 80.0      | 9.4       |      |
    e        | q    | 80.3      | 9.4       | -2.0 |
    f        |      |           | 9.9       |      |
""")

RANDOM = np.random.default_rng(3)
ROWS = 800
CAUSE = RANDOM.normal(size=ROWS)
CHILDREN = pd.DataFrame(
    {
        "unit_id": [f"u{n:03}" for n in range(ROWS)],
        "as_of": pd.Timestamp("2012-06-01"),
        "cause": CAUSE,
        "haz": (-1.3 - 0.6 * CAUSE + 0.8 * RANDOM.normal(size=ROWS)).round(2),
    }
).assign(stunted=lambda rows: (rows.haz < -2).astype(int))
TRAIN, TEST = CHILDREN.iloc[:500], CHILDREN.iloc[500:]


def learn(rows: pd.DataFrame):
    """A model of one cause: how far the stunted are from the others, in its units."""
    direction = rows.cause[rows.stunted == 1].mean() - rows.cause[rows.stunted == 0].mean()
    return lambda asked: expit(direction * asked.cause.to_numpy())


def by_neighbour(rows: pd.DataFrame):
    """A model that believes every label: the share of the five nearest causes that are stunted."""
    known, label = rows.cause.to_numpy(), rows.stunted.to_numpy()
    return lambda asked: np.array([label[np.argsort(np.abs(known - one))[:5]].mean() for one in asked.cause])


def test_every_digit_as_frequent_is_no_preference():
    found = preference(pd.Series(np.arange(700, 800) / 10))

    assert (100, 0.2, 100.0) == (found.n, found.halves, pytest.approx(found.whipple))
    assert (0, 0) == (pytest.approx(found.score, abs=1e-6), pytest.approx(found.dissimilarity))


def test_one_digit_only_is_the_whole_score():
    found = preference(pd.Series([70.0, 71.0, 85.0]))

    assert (1.0, pytest.approx(500.0), pytest.approx(100.0), pytest.approx(0.9)) == (
        found.halves, found.whipple, found.score, found.dissimilarity
    )  # fmt: skip


def test_the_register_of_magelang_prefers_halves_three_times_as_often_as_chance():
    halves = np.repeat([70.0, 70.5], 314)
    others = np.resize([70.1, 70.2, 70.3, 70.4, 70.6, 70.7, 70.8, 70.9], 372)
    found = preference(pd.Series(np.r_[halves, others]))

    assert (pytest.approx(0.628), pytest.approx(314.0)) == (found.halves, found.whipple)
    assert found.score > Limits().preference_poor


@given(TENTHS)
def test_the_score_is_that_of_the_chi_square(tenths):
    found = preference(pd.Series(tenths) / 10)
    counts = np.bincount(np.array(tenths) % 10, minlength=10)

    assert 100 * math.sqrt(chisquare(counts).statistic / (9 * len(tenths))) == pytest.approx(found.score, abs=1e-6)


@given(TENTHS)
def test_the_figures_stay_within_their_bounds(tenths):
    found = preference(pd.Series(tenths) / 10)

    assert 0 <= found.score <= 100 + 1e-9
    assert 0 <= found.dissimilarity <= 0.9 + 1e-9
    assert 0 <= found.halves <= 1


@given(TENTHS)
def test_rounding_to_the_half_never_lowers_the_share_of_halves(tenths):
    values = pd.Series(tenths) / 10

    assert 1.0 == preference((values * 2).round() / 2).halves >= preference(values).halves


def test_no_measurement_has_no_preference():
    found = preference(pd.Series([np.nan, np.nan]))

    assert 0 == found.n
    assert math.isnan(found.score)


def test_every_team_is_counted_and_a_measurement_of_an_unknown_team_too():
    found = quality(MEASURED, by="team").set_index("group")

    assert {"not known": 0, "p": 4, "q": 1} == dict(found.height_n)
    assert {"not known": 1, "p": 3, "q": 1} == dict(found.weight_n)
    assert {"not known": 0, "p": 3, "q": 1} == dict(found.haz_n)
    assert (1.0, pytest.approx(1 / 3), 0.25) == tuple(found.loc["p", ["height_halves", "flagged", "without_haz"]])


def test_a_flagged_z_score_is_left_out_of_the_spread():
    assert math.sqrt(2) == pytest.approx(quality(MEASURED, by="team").set_index("group").haz_sd["p"])


def test_few_measurements_have_figures_but_no_word():
    found = quality(MEASURED).iloc[0]

    assert 5 == found.height_n
    assert ["too few to tell"] * 3 == list(found[["digits", "spread", "implausible"]])


@pytest.mark.parametrize(
    ("heights", "word"),
    [
        (np.arange(700, 900) / 10, "good"),
        (np.r_[np.arange(700, 870) / 10, [70.0] * 30], "fair"),
        ([70.0, 70.5] * 100, "poor"),
    ],
)
def test_digits_are_told_in_words_by_the_limits(heights, word):
    rows = pd.DataFrame({"height_cm": heights, "weight_kg": np.nan, "haz": np.nan})

    assert word == quality(rows).digits[0]


@pytest.mark.parametrize(("sd", "word"), [(0.5, "fair"), (1.0, "good"), (1.4, "fair"), (1.7, "poor")])
def test_the_spread_is_told_in_words_by_the_limits(sd, word):
    rows = pd.DataFrame({"height_cm": 70.1, "weight_kg": 8.0, "haz": np.tile([-1.5 - sd, -1.5 + sd], 200)})

    assert word == quality(rows).spread[0]


def test_one_flag_in_a_hundred_is_good_and_two_are_poor():
    rows = pd.DataFrame({"height_cm": 70.1, "weight_kg": 8.0, "haz": [7.0, *[-1.0] * 99]})
    second = rows.assign(haz=[7.0, 7.0, *[-1.0] * 98])

    assert ("good", "poor") == (quality(rows).implausible[0], quality(second).implausible[0])


@given(st.permutations(range(len(MEASURED))))
def test_the_order_of_the_measurements_does_not_matter(order):
    pd.testing.assert_frame_equal(quality(MEASURED, by="team"), quality(MEASURED.iloc[order], by="team"))


def test_no_error_turns_no_label():
    pd.testing.assert_frame_equal(CHILDREN, noised(CHILDREN, sd=0.0, seed=1))


def test_an_error_near_the_line_leaves_the_far_ones_alone():
    found = noised(CHILDREN, sd=0.5, seed=1, near=0.3)
    far = (CHILDREN.haz + 2).abs() > 0.3

    assert (CHILDREN.haz[far] == found.haz[far]).all()
    assert (CHILDREN.haz[~far] != found.haz[~far]).mean() > 0.9


def test_labels_follow_from_the_heights_with_their_error_and_exactly_minus_two_is_not_stunted():
    rows = drawn("""
        unit_id | as_of      | haz   | stunted
        --------+------------+-------+--------
        ana     | 2012-01-01 | -2.30 | 1
        beto    | 2012-01-01 | -2.10 | 1
        caro    | 2012-01-01 | -2.00 | 0
    """)
    found = noised(rows, sd=0.0, seed=1, lift=0.3)

    assert [-2.0, -1.8, -1.7] == list(found.haz)
    assert [0, 0, 0] == list(found.stunted)


@given(st.randoms(use_true_random=False))
def test_a_child_gets_the_same_error_in_any_order_of_rows(random):
    order = random.sample(range(60), 60)
    few = CHILDREN.head(60)

    pd.testing.assert_frame_equal(
        noised(few, sd=0.5, seed=1), noised(few.iloc[order], sd=0.5, seed=1).sort_index()
    )  # fmt: skip


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_register_that_lifts_more_finds_less(lift, more):
    some, most = (noised(CHILDREN, sd=0.3, seed=1, lift=by).stunted.sum() for by in (lift, lift + more))

    assert most <= some


@pytest.mark.parametrize(("sd", "near"), [(-0.1, None), (math.nan, None), (0.1, -1.0)])
def test_an_error_of_negative_size_is_refused(sd, near):
    with pytest.raises(ValueError, match="both must be 0 or more"):
        noised(CHILDREN, sd=sd, seed=1, near=near)


def test_labels_without_error_give_the_same_list_and_the_same_auc():
    found = label_noise(TRAIN, TEST, learn=by_neighbour, sds=[0.0], seed=1).iloc[0]

    assert (0.0, 1.0, 0.0) == (found.turned, found.jaccard, found.auc_change)


def test_worse_labels_change_the_list_of_a_model_that_believes_each_of_them():
    found = label_noise(TRAIN, TEST, learn=by_neighbour, sds=[0.2, 2.0], seed=1)

    assert found.turned.is_monotonic_increasing
    assert found.turned[0] > 0
    assert 1 > found.jaccard[0] > found.jaccard[1]
    assert found.auc[1] < found.auc[0]
    assert list(found.auc_change) == pytest.approx(
        list(found.auc - label_noise(TRAIN, TEST, learn=by_neighbour, sds=[0.0], seed=1).auc[0])
    )


def test_a_model_of_one_slope_keeps_its_order_under_noise():
    found = label_noise(TRAIN, TEST, learn=learn, sds=[0.5], seed=1).iloc[0]

    assert found.turned > 0.05
    assert (1.0, 0.0) == (found.jaccard, found.auc_change)


def test_equal_risks_fall_by_the_unit_so_that_a_list_without_knowledge_repeats_itself():
    found = label_noise(
        TRAIN, TEST.iloc[::-1], learn=lambda _: lambda asked: np.full(len(asked), 0.2), sds=[1.0], seed=1
    )

    assert (1.0, 0.5) == (found.jaccard[0], found.auc[0])
