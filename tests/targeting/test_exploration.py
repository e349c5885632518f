"""The reserve of visits by lot, and what may be concluded from it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.exploration import BY_LOT, BY_RISK, prevalence, reserved

HOMES = [f"h{n:03}" for n in range(200)]


def test_the_riskiest_keep_their_places_and_the_rest_fall_by_lot():
    visits = reserved(HOMES, places=50, share=0.1, salt="round-1")

    assert HOMES[:45] == list(visits.household_id[:45])
    assert {BY_RISK: 45, BY_LOT: 5} == visits.chosen_for.value_counts().to_dict()
    assert set(visits.household_id[45:]) <= set(HOMES[45:])
    assert pytest.approx(5 / 155) == visits.chance.iloc[-1]
    assert pytest.approx(200) == visits.weight.sum()


@given(count=st.integers(1, 60), places=st.integers(0, 80), share=st.floats(0, 1), salt=st.text(max_size=5))
def test_no_visit_is_lost_or_given_twice_and_the_weights_stand_for_everybody(count, places, share, salt):
    visits = reserved(HOMES[:count], places=places, share=share, salt=salt)

    assert min(places, count) == len(visits) == visits.household_id.nunique()
    assert visits.chance.between(0, 1).all()
    if (visits.chosen_for == BY_LOT).any() or len(visits) == count:
        assert pytest.approx(count) == visits.weight.sum()


def test_another_round_draws_other_households_and_the_same_round_the_same():
    first, again, other = (set(reserved(HOMES, places=60, share=0.5, salt=s).household_id) for s in ("a", "a", "b"))
    assert first == again != other


def test_everybody_off_the_list_is_drawn_equally_often():
    times = pd.Series(0, index=HOMES[40:])
    for n in range(400):
        visits = reserved(HOMES, places=50, share=0.2, salt=f"round-{n}")
        times[visits.household_id[visits.chosen_for == BY_LOT]] += 1
    # 400 draws of 10 out of 160: 25 each, with a standard deviation of 4.8.
    assert 25 == times.mean()
    assert 5 < times.min() < times.max() < 50


TRUTH = pd.Series([int(n % 10 < (4 if n < 50 else 1)) for n in range(200)], index=HOMES, dtype=float)
"""Four in ten of the first fifty are stunted, and one in ten of the others."""


def test_weighted_visits_find_the_share_of_all_and_plain_ones_do_not():
    plain, weighted, inside = [], [], []
    for n in range(300):
        visits = reserved(HOMES, places=60, share=0.3, salt=f"round-{n}")
        found = TRUTH[visits.household_id].to_numpy()
        made = prevalence(visits, found, households=200)
        plain.append(found.mean())
        weighted.append(made.share)
        inside.append(made.low <= TRUTH.mean() <= made.high)

    assert 0.175 == TRUTH.mean()
    assert abs(np.mean(weighted) - TRUTH.mean()) < 0.01
    assert np.mean(plain) - TRUTH.mean() > 0.1
    assert 0.93 < np.mean(inside)


def test_lots_that_found_nobody_leave_room_for_somebody():
    visits = reserved(HOMES, places=60, share=0.1, salt="round-1")
    made = prevalence(visits, np.zeros(60), households=200)
    assert 0 == made.share == made.low
    assert 0.1 < made.high


def test_a_visit_without_an_outcome_is_stood_for_by_its_own_kind():
    visits = reserved(HOMES, places=60, share=0.2, salt="round-1")
    found = np.r_[np.ones(48), np.zeros(12)]
    half = found.copy()
    half[:24] = np.nan

    assert prevalence(visits, found, households=200).share == prevalence(visits, half, households=200).share


def test_visits_by_risk_alone_say_nothing_of_the_others():
    visits = reserved(HOMES, places=60, share=0.0, salt="round-1")
    with pytest.raises(ValueError, match="no visit by lot has an outcome, for 140 households"):
        prevalence(visits, np.ones(60), households=200)
    everybody = reserved(HOMES[:60], places=60, share=0.0, salt="round-1")
    made = prevalence(everybody, TRUTH[:60].to_numpy(), households=60)
    assert made.low == made.share == made.high == TRUTH[:60].mean()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"order": ["a", "a"]}, "1 households stand twice"),
        ({"places": -1}, "places is -1"),
        ({"share": 1.1}, "share is 1.1"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_found(change, words):
    with pytest.raises(ValueError, match=words):
        reserved(**{"order": ["a", "b"], "places": 1, "share": 0.5, "salt": "r"} | change)
