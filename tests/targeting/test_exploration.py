"""What visits by lot say of all households."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.exploration import prevalence
from targeting.limits import Limits, Line, cells_of
from targeting.plan_lots import drawn
from targeting.plan_tables import LOT, VALUE

HOMES = [f"h{n:03}" for n in range(200)]
TRUTH = pd.Series([int(n % 10 < (4 if n < 50 else 1)) for n in range(200)], index=HOMES, dtype=float)
"""Four in ten of the first fifty are stunted, and one in ten of the others."""


def visits(*, chosen, by_lot, salt="round-1", homes=HOMES, lines=()):
    """The first `chosen` households and `by_lot` of the others, as the lines of a plan."""
    first = np.arange(len(homes)) < chosen
    cell, of_cell = cells_of(list(lines), len(homes), by_lot, salt=salt)
    limits = Limits(lines=lines, visits=chosen + by_lot, by_lot=by_lot, lots=of_cell, cell=cell, notes=())
    lots = drawn(limits, homes, first, salt=salt)
    chance = np.where(lots, by_lot / max(len(homes) - chosen, 1), 1.0)
    rows = pd.DataFrame({"household_id": homes, "chosen_for": np.where(lots, LOT, VALUE), "chance": chance})
    return rows[first | lots].assign(weight=lambda found: 1 / found.chance).reset_index(drop=True)


def told(rows, *, households=200):
    return prevalence(rows, TRUTH[rows.household_id].to_numpy(), households=households)


def test_weighted_visits_find_the_share_of_all_and_plain_ones_do_not():
    plain, weighted, by_weight, inside = [], [], [], []
    for n in range(300):
        rows = visits(chosen=42, by_lot=18, salt=f"round-{n}")
        found, made = TRUTH[rows.household_id].to_numpy(), told(rows)
        plain.append(found.mean())
        weighted.append(made.share)
        by_weight.append((found * rows.weight).sum() / 200)
        inside.append(made.low <= TRUTH.mean() <= made.high)

    assert 0.175 == TRUTH.mean()
    assert abs(np.mean(weighted) - TRUTH.mean()) < 0.01
    assert pytest.approx(weighted) == by_weight
    assert np.mean(plain) - TRUTH.mean() > 0.1
    assert 0.93 < np.mean(inside)


def test_draws_that_a_quota_rejects_hardly_move_the_share():
    # Of the last hundred, where one in ten is stunted, at most 8 of the 12 lots: three draws in ten are drawn again.
    quota = Line(rule="quotas.region", place="r", members=np.arange(100, 200), ceiling=8)
    found = [told(visits(chosen=42, by_lot=12, salt=f"round-{n}", lines=(quota,))).share for n in range(400)]

    assert abs(np.mean(found) - TRUTH.mean()) < 0.02


def test_everybody_who_was_not_chosen_is_drawn_equally_often():
    times = pd.Series(0, index=HOMES[40:])
    for n in range(400):
        rows = visits(chosen=40, by_lot=10, salt=f"round-{n}")
        times[rows.household_id[rows.chosen_for == LOT]] += 1

    # 400 draws of 10 out of 160: 25 each, with a standard deviation of 4.8.
    assert 25 == times.mean()
    assert 5 < times.min() < times.max() < 50


@given(count=st.integers(1, 60), chosen=st.integers(0, 60), by_lot=st.integers(1, 60), salt=st.text(max_size=5))
def test_the_weights_stand_for_every_household(count, chosen, by_lot, salt):
    chosen = min(chosen, count - 1)
    rows = visits(chosen=chosen, by_lot=min(by_lot, count - chosen), salt=salt, homes=HOMES[:count])

    assert pytest.approx(count) == rows.weight.sum()


@given(found=st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40), more=st.integers(0, 100))
def test_with_every_visit_by_lot_the_weighted_share_is_the_plain_share(found, more):
    households = len(found) + more
    rows = visits(chosen=0, by_lot=len(found), homes=HOMES[:households])
    made = prevalence(rows, np.array(found), households=households)

    assert pytest.approx(np.mean(found)) == made.share
    assert pytest.approx(made.share) == np.average(found, weights=rows.weight)
    assert made.low <= made.share + 1e-12
    assert made.share - 1e-12 <= made.high


def test_lots_that_found_nobody_leave_room_for_somebody():
    made = prevalence(visits(chosen=54, by_lot=6), np.zeros(60), households=200)
    assert 0 == made.share == made.low
    assert 0.1 < made.high


def test_forty_lots_tell_a_share_of_a_fifth_to_about_twelve_points():
    rows = visits(chosen=0, by_lot=40)
    made = prevalence(rows, np.r_[np.ones(8), np.zeros(32)], households=200)

    assert pytest.approx(0.124, abs=0.003) == (made.high - made.low) / 2


def test_a_visit_without_an_outcome_is_stood_for_by_its_own_kind():
    rows = visits(chosen=48, by_lot=12)
    found = (rows.chosen_for == VALUE).to_numpy(float)
    half = found.copy()
    half[np.flatnonzero(rows.chosen_for == VALUE)[:24]] = np.nan

    assert prevalence(rows, found, households=200).share == prevalence(rows, half, households=200).share


def test_visits_of_the_chosen_alone_say_nothing_of_the_others():
    with pytest.raises(ValueError, match="no visit by lot has an outcome, for 140 households"):
        told(visits(chosen=60, by_lot=0))
    made = told(visits(chosen=60, by_lot=0, homes=HOMES[:60]), households=60)
    assert made.low == made.share == made.high == TRUTH[:60].mean()


def test_more_visits_than_households_are_refused():
    with pytest.raises(ValueError, match="30 households, and 60 of them visited; count all that competed"):
        told(visits(chosen=48, by_lot=12), households=30)
