"""What a round would reach at once: the best there is under floors alone, and never more than there is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.allocation import allocate
from targeting.preview import ORDERS, homes_of, preview
from targeting.preview_orders import Rules, within
from targeting.rival_orders import terms_of
from tests.drawn import drawn
from tests.targeting.planned import MENU, NO_NEED, policy_with

HOMES = drawn("""
    household_id | region_id | area_id | value | track   | pregnant
    -------------+-----------+---------+-------+---------+---------
    h1           | R1        | A1      | 0.9   | find    | false
    h2           | R1        | A1      | 0.8   | find    | false
    h3           | R1        | A2      | 0.3   | find    | true
    h4           | R2        | A3      | 0.2   | find    | false
    h5           | R2        | A3      | 0.1   | find    | true
    h6           |           |         | 0.6   | find    | false
""").assign(pregnant=lambda rows: rows.pregnant.astype(str).str.lower() == "true")
ORDERS_OF = drawn("""
    household_id | krs_rank_count | poverty_only
    -------------+----------------+-------------
    h1           | 1              | 1
    h2           | 2              | 6
    h3           | 3              | 2
    h4           | 4              | 5
    h5           | 5              | 4
""")


def made(rules=Rules(), *, visits=3, homes=HOMES, inside=None, **more):  # noqa: B008 (frozen)
    ready = homes_of(homes, ORDERS_OF, salt="uji")
    return preview(
        ready,
        ready.inside(inside or (lambda *_: True)),
        rules,
        visits=visits,
        most=more.pop("most", len(homes)),
        **more,
    )


def many(count, seed):
    """Drawn households; some know no place."""
    random = np.random.default_rng(seed)
    region = random.integers(0, 4, count)
    return pd.DataFrame(
        {
            "household_id": [f"h{place:04d}" for place in range(count)],
            "region_id": [None if one == 3 else f"R{one}" for one in region],
            "area_id": [None if one == 3 else f"R{one}.{random.integers(0, 3)}" for one in region],
            "value": random.beta(2, 5, count).round(6),
            "track": "find",
            "pregnant": random.random(count) < 0.2,
        }
    )


def test_without_rules_each_order_goes_down_its_list():
    at = made(visits=2).at
    assert {"plan": pytest.approx(1.7), "krs": pytest.approx(0.3), "poverty_only": pytest.approx(1.0)} == {
        name: at.reached[name] for name in ("plan", "krs", "poverty_only")
    }


def test_what_an_order_does_not_know_comes_last():
    found = made(visits=5).at.reached
    assert pytest.approx(2.3) == found["krs"] == found["poverty_only"]


def test_a_floor_takes_the_best_of_each_region_first():
    found = made(Rules(floor_share=0.5), visits=3)
    # Half of R1's three and of R2's two: of five, half is 2.5, so three; R1 has two of them and R2 one.
    assert (3, {"R1": 2, "R2": 1}) == (found.least, found.by_region)
    assert pytest.approx(0.9 + 0.8 + 0.2) == found.at.reached["plan"]


def test_one_in_each_desa_is_the_best_of_each():
    found = made(Rules(one_each_area=True), visits=4)
    assert (3, pytest.approx(0.9 + 0.3 + 0.2 + 0.8)) == (found.least, found.at.reached["plan"])


def test_fewer_visits_than_the_floors_need_are_no_round():
    found = made(Rules(one_each_area=True), visits=2)
    assert (None, {}, 3, ()) == (found.at, found.by_region, found.least, found.compared)
    assert 3 == found.curve[0].visits


def test_a_reserve_takes_the_pregnant_before_others():
    assert pytest.approx(0.9 + 0.3 + 0.1) == made(Rules(pregnant=0.67), visits=3).at.reached["plan"]


def test_visits_by_lot_count_at_the_mean_of_who_is_left():
    found = made(Rules(exploration=0.5), visits=4)
    assert (2, pytest.approx(1.7 + 2 * (0.3 + 0.2 + 0.1 + 0.6) / 4)) == (found.by_lot, found.at.reached["plan"])


def test_the_two_tracks_share_the_visits_and_what_one_cannot_use_goes_to_the_other():
    homes = HOMES.assign(track=["prevent", "find", "prevent", "find", "find", "find"])
    assert pytest.approx(0.9 + 0.8) == made(Rules(prevent_share=0.5), homes=homes, visits=2).at.reached["plan"]
    assert pytest.approx(0.9 + 0.3 + 0.8) == made(Rules(prevent_share=1.0), homes=homes, visits=3).at.reached["plan"]


def test_only_who_is_inside_is_counted():
    found = made(inside=lambda region, _: region == "R2", visits=9)
    assert (2, pytest.approx(0.3), 2) == (found.competing, found.expected, found.visits)
    nobody = made(inside=lambda *_: False, visits=3)
    assert (0, 0.0, None, ()) == (nobody.competing, nobody.expected, nobody.at, nobody.curve)


@given(st.integers(1, 120), st.integers(0, 9_999), st.sampled_from([0.0, 0.1, 0.3]), st.data())
@settings(max_examples=40, deadline=None)
def test_under_floors_of_regions_it_is_what_the_plan_reaches(count, seed, share, data):
    homes = many(count, seed)
    visits = data.draw(st.integers(1, count))
    found = made(Rules(floor_share=share), homes=homes, visits=visits, points=3)
    if found.at is None:
        return
    rules = policy_with(
        floors={"region": {"share": share}} if share else {},
        capacity={"amount": visits},
        round="preview",
        service_worth=0.0,
    )
    full = homes.assign(
        posyandu_id=None,
        under_24_months=False,
        never_measured=False,
        unit_count=1,
        stalest_on=pd.Timestamp("2024-01-01"),
    )
    best = allocate(terms_of(rules, full, needs=NO_NEED, menu=MENU).problem)

    assert found.at.reached["plan"] == pytest.approx(homes.value[best.visited].sum(), rel=1e-3)


@given(st.integers(1, 80), st.integers(0, 9_999), st.booleans(), st.sampled_from([0.0, 0.1, 0.5]))
@settings(max_examples=40, deadline=None)
def test_more_visits_never_reach_less_and_never_more_than_there_is(count, seed, each, lots):
    homes = many(count, seed)
    found = made(Rules(one_each_area=each, exploration=lots), homes=homes, visits=count, most=count, points=7)
    for name in ORDERS:
        reached = [point.reached[name] for point in found.curve]
        assert all(later >= earlier - 1e-9 for earlier, later in pairwise(reached)) or lots
        assert reached[-1] == pytest.approx(homes.value.sum())
    assert all(point.reached["plan"] >= max(point.reached.values()) - 1e-9 for point in found.curve)


@given(st.lists(st.integers(0, 5)))
def test_places_within_groups_count_those_before(groups):
    counted = [groups[:at].count(one) for at, one in enumerate(groups)]
    assert counted == within(np.array(groups, dtype=np.int64)).tolist()
