"""Which group a child is in, and what a list finds in each group."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import drawn
from training.groups import (
    HOUSEHOLD_FACTS,
    NOT_KNOWN,
    SHARES,
    Listed,
    apart,
    coded,
    equal_recall,
    equal_shares,
    found,
    groups,
    language,
)
from training.metrics import measure, steps_of

BANDS = {"0-5": (0, 6), "6-11": (6, 12), "12-23": (12, 24)}
MATERNAL = drawn("""
    mother_id | language | recorded_on
    ----------+----------+------------
    ani       | Sunda    | 2024-01-10
    ani       | Jawa     | 2024-03-10
    ani       | Bugis    | 2024-06-10
    beni      |          | 2024-01-10
""")
UNITS = drawn("""
    as_of      | mother_id | mother_listed | male | urban | region_id | desil | wealth_quintile | head_age | age_months
    -----------+-----------+---------------+------+-------+-----------+-------+-----------------+----------+-----------
    2024-05-01 | ani       | 1             | 0    | 1     | Timur     | 4     | 5               | 40       | 5.9
    2024-05-01 | beni      | 1             | 1    | 0     | Barat     |       | 5               |          | 6
    2024-05-01 |           | 0             | 1    | 0     |           |       |                 | 30       | 11.9
    2024-05-01 |           | 0             |      |       | Barat     |       |                 |          | 12
""")

labels_and_risks = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20), st.sampled_from("abc")), min_size=2, max_size=60
).filter(lambda rows: any(label for label, _, _ in rows))


def units(index=None):
    unknown = {name: np.nan for name in HOUSEHOLD_FACTS if name not in UNITS}
    made = UNITS.assign(**unknown)
    return made if index is None else made.set_axis(index)


def seen(dimension):
    return groups(units(), MATERNAL, bands=BANDS)[dimension].fillna("-").tolist()


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("sex", ["girl", "boy", "boy", "-"]),
        ("place", ["urban", "rural", "rural", "-"]),
        ("wealth", ["2", "5 (richest)", "-", "-"]),
        ("region", ["Timur", "Barat", "-", "Barat"]),
        ("age", ["0-5", "6-11", "6-11", "12-23"]),
        ("mother", ["listed", "listed", "not listed", "not listed"]),
        ("links", ["mother and household", "mother and household", "household only", "neither"]),
        ("language", ["Jawa", "-", "-", "-"]),
    ],
)
def test_a_child_is_in_the_group_that_its_row_says(dimension, expected):
    assert expected == seen(dimension)


def test_a_mother_without_facts_of_her_household_is_linked_to_the_mother_only():
    alone = units().assign(desil=np.nan, wealth_quintile=np.nan, head_age=np.nan)

    assert "mother only" == groups(alone, MATERNAL, bands=BANDS).links[0]


def test_the_language_is_that_of_the_newest_row_known_by_then():
    days = units().head(1).assign(as_of=pd.Timestamp("2024-01-09"))

    assert language(days, MATERNAL).isna().all()
    assert "Sunda" == language(days.assign(as_of=pd.Timestamp("2024-01-10")), MATERNAL)[0]


def test_the_groups_keep_the_index_of_the_rows():
    made = groups(units(index=[7, 3, 9, 1]), MATERNAL, bands=BANDS)

    assert [7, 3, 9, 1] == made.index.tolist()
    assert ["Jawa"] == made.language.dropna().tolist()


def test_an_age_outside_every_band_is_not_known():
    assert groups(units().assign(age_months=24.0), MATERNAL, bands=BANDS).age.isna().all()


def test_groups_stand_in_the_order_of_their_numbers_and_not_known_last():
    members = pd.DataFrame({"age": ["12-23", None, "6-11", "0-5"]})

    assert ["0-5", "6-11", "12-23", NOT_KNOWN] == coded(members).names.group.tolist()


@given(st.lists(st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from(["p", None])), min_size=1, max_size=30))
def test_every_row_counts_once_in_each_dimension(rows):
    numbered = coded(pd.DataFrame(rows, columns=["one", "other"], dtype="string"))
    total = pd.Series(numbered.sums(np.ones(len(rows)))).groupby(numbered.names.dimension).sum()

    assert {"one": len(rows), "other": len(rows)} == total.to_dict()


def listed(rows):
    label, score, group = zip(*rows, strict=True)
    labels, risks = np.array(label, dtype=float), np.array(score) / 20
    return Listed(labels, risks, coded(pd.DataFrame({"group": list(group), "all": "all"})))


def test_equal_risks_share_the_last_places():
    rows = [(1, 18, "a"), (0, 10, "a"), (1, 10, "a"), (0, 10, "b"), (0, 10, "b"), *[(0, 1, "b")] * 5]
    part = listed(rows).visited(np.ones(10), 0.20)

    assert [1, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0] == part.tolist()


@given(labels_and_risks)
def test_the_list_of_everybody_has_the_recall_and_precision_that_the_metrics_say(rows):
    everybody = listed(rows)
    place = everybody.groups.names.index[everybody.groups.names.group == "all"][0]
    figures = everybody.by_group(np.ones(len(rows)))
    expected = measure(everybody.label, everybody.risk)

    assert pytest.approx(expected["recall_at_10"]) == figures["recall 0.1"][place]
    assert pytest.approx(expected["precision_at_20"]) == figures["precision 0.2"][place]
    assert pytest.approx(expected["recall_at_20"]) == everybody.by_rule(np.ones(len(rows)))[0, 0, 1]


@given(labels_and_risks, st.data())
def test_a_weight_of_two_equals_the_row_twice(rows, data):
    weight = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    twice = [row for row, times in zip(rows, weight, strict=True) for _ in range(times)]
    if len({group for _, _, group in twice}) == len({group for _, _, group in rows}) and any(r[0] for r in twice):
        once = listed(rows).by_group(np.array(weight, dtype=float))
        again = listed(twice).by_group(np.ones(len(twice)))
        for name, figures in once.items():
            np.testing.assert_allclose(figures, again[name], atol=1e-12, err_msg=name)


@settings(deadline=None, max_examples=20)
@given(labels_and_risks)
def test_fairlearn_and_the_resampled_sums_agree(rows):
    everybody = listed(rows)
    figures = everybody.by_group(np.ones(len(rows)))
    for share in SHARES:
        table = found(everybody.groups, everybody.label, everybody.visited(np.ones(len(rows)), share))
        for name in table:
            np.testing.assert_allclose(figures[f"{name} {share}"], table[name], atol=1e-12, err_msg=name)


FIRST = steps_of([1, 1, 0, 0], [0.9, 0.8, 0.7, 0.6])
SECOND = steps_of([0, 1, 0, 0], [0.5, 0.4, 0.3, 0.2])


def test_equal_recall_gives_each_group_the_visits_it_needs():
    # Three visits: both groups find all of theirs with two, so three reach three quarters of each.
    assert [0.75] == equal_recall([FIRST, SECOND], np.array([3.0])).tolist()
    assert [1.0] == equal_recall([FIRST, SECOND], np.array([4.0])).tolist()
    assert [1.0] == equal_recall([FIRST, SECOND], np.array([8.0])).tolist()


def test_equal_shares_visit_the_same_part_of_each_group():
    # One and a half visits in each group of four: 1.5 stunted in the first, half of one in the second.
    assert pytest.approx([2 / 3]) == equal_shares([FIRST, SECOND], np.array([3.0])).tolist()


def test_a_group_without_stunted_children_takes_no_visit_under_equal_recall():
    nobody = steps_of([0, 0], [0.99, 0.98])

    assert [1.0] == equal_recall([FIRST, nobody], np.array([2.0])).tolist()


def test_without_stunted_children_no_rule_has_a_recall():
    nobody = [steps_of([0, 0], [0.9, 0.8])]

    assert math.isnan(equal_recall(nobody, np.array([1.0]))[0])
    assert math.isnan(equal_shares(nobody, np.array([1.0]))[0])


def test_the_gap_between_two_groups_strays_as_far_as_its_draws():
    # In each draw the gap of 0.5 is off by 0.1 one way or the other.
    gap, low, high = apart(np.array([0.7, 0.2]), np.array([[0.8, 0.2], [0.6, 0.2]]))

    assert pytest.approx((0.5, 0.4, 0.6)) == (gap, low, high)


def test_the_best_of_many_equal_groups_is_not_unfair():
    random = np.random.default_rng(5)
    figures = random.normal(0.3, 0.05, 25)
    draws = figures + random.normal(0, 0.05, (400, 25))
    best, worst = figures.argmax(), figures.argmin()
    gap, low, _ = apart(figures, draws)

    # The interval of that one pair alone would say that they differ.
    assert 0 < np.percentile(draws[:, best] - draws[:, worst], 2.5)
    assert (0, figures.max() - figures.min()) == (low, gap)


def test_one_group_alone_has_no_gap():
    assert all(math.isnan(end) for end in apart(np.array([0.3]), np.zeros((4, 1))))
