"""What a smaller and a larger round reach, by the plan and by KRS."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.errors import InputRefused
from targeting import plan_pictures
from targeting.frontier import MEANINGS, frontier
from targeting.policy import policy_of
from tests.drawn import drawn

HOMES = drawn("""
    household_id | region_id | area_id | value
    -------------+-----------+---------+------
    h0           | kota      | a1      | 0.8
    h1           | kota      | a1      | 0.7
    h2           | kota      | a2      | 0.6
    h3           | laut      | a3      | 0.3
    h4           | laut      | a3      | 0.2
    h5           | laut      | a4      | 0.1
""").assign(
    posyandu_id=None, track="find", pregnant=False, under_24_months=False, never_measured=False, unit_count=1,
    stalest_on=pd.Timestamp("2024-01-01"),
)  # fmt: skip
ORDERS = drawn("""
    household_id | krs_rank_count | poverty_only
    -------------+----------------+-------------
    h0           | 0              | -1
    h1           | 10             | -1
    h2           | 120            | -1
    h3           | 140            | -1
    h4           | 130            | -1
    h5           | 110            | -1
""")
MENU = pd.DataFrame(
    {"owner": ["pupr"], "name_id": ["Jamban"], "name_en": ["Latrine"], "reduction": [np.nan]}, index=["latrine"]
)
NEEDS = drawn("""
    household_id | service | status | persons | cost_idr
    -------------+---------+--------+---------+---------
    h0           | latrine | unmet  | 1       | 300
    h1           | latrine | unmet  | 1       | 300
    h3           | latrine | unmet  | 1       | 300
""").assign(why_id=None, why_en=None)


def policy(**rules):
    plain = {"version": "1", "name": "uji", "round": "r1", "capacity": {"amount": 2}, "visit": {"cost_idr": 50}}
    return policy_of(plain | rules, of="a test")


def reached(rules, *, factors=(0.5, 1, 2), of="capacity", homes=HOMES, needs=NEEDS):
    return frontier(policy(**rules), homes, orders=ORDERS, needs=needs, menu=MENU, factors=factors, of=of)


def line(table, plan):
    return table[table.plan == plan].set_index("factor")


def test_each_size_is_told_for_the_plan_and_for_krs():
    table = reached({})

    assert [1, 2, 4] == line(table, "plan").visits.tolist()
    assert pytest.approx([0.8, 1.5, 2.4]) == line(table, "plan").reached.tolist()
    assert pytest.approx([0.3, 0.5, 1.2]) == line(table, "krs").reached.tolist()
    assert pytest.approx(2.4 / 2.7) == line(table, "plan").share[2]
    assert [50, 100, 200] == line(table, "krs").visits_idr.tolist()


def test_a_size_at_which_the_floors_do_not_fit_is_null_with_the_reason():
    table = reached({"floors": {"region": {"visits": 1}}})

    small = table[table.factor == 0.5]
    assert ["plan", "krs"] == small.plan.tolist()
    assert small[["visits", "reached", "worth", "gap", "kept"]].isna().all(axis=None)
    assert small.refused.str.contains("floors.region of 2 places, kota, laut asks for 2 visits at least").all()
    assert table[table.factor >= 1].refused.isna().all()


def test_a_limit_that_is_wrong_at_every_size_is_refused_and_no_point_hides_it():
    with pytest.raises(InputRefused, match=r"named\.gunung"):
        reached({"named": {"gunung": {"at_least": 1}}})


@pytest.mark.parametrize(
    ("capacity", "visits"),
    [
        ({"amount": 3}, [2, 3, 6]),  # half of three is one and a half: rounded half up
        ({"share": 0.5}, [2, 3, 6]),
        ({"share": 0.9}, [3, 5, 6]),
        ({"unit": "cadre_hours", "amount": 3.5}, [1, 3, 6]),
        ({"unit": "rupiah", "amount": 199}, [1, 3, 6]),
    ],
)
def test_capacity_grows_in_its_own_unit_and_stops_at_all_households(capacity, visits):
    assert visits == line(reached({"capacity": capacity}), "plan").visits.tolist()


def test_budgets_grow_while_the_visits_stay():
    table = line(reached({"budgets_idr": {"pupr": 300, "dinkes": None}}, of="budgets"), "plan")

    assert [2, 2, 2] == table.visits.tolist()
    assert [0, 300, 600] == table.services_idr.tolist()
    assert pytest.approx([1.5, 1.5 + 0.02 * 0.8, 1.5 + 0.02 * 1.5]) == table.worth.tolist()


@pytest.mark.parametrize("budgets", [{}, {"pupr": None}, {"pupr": 0}])
def test_without_an_amount_there_is_no_budget_to_multiply(budgets):
    with pytest.raises(InputRefused, match="without an amount in budgets_idr"):
        reached({"budgets_idr": budgets}, of="budgets")


@pytest.mark.parametrize("factors", [(0,), (1, -1), (float("nan"),), (2_000,), ()])
def test_a_factor_that_makes_no_round_is_refused(factors):
    with pytest.raises(ValueError, match="allowed: above 0 to 1000"):
        reached({}, factors=factors)


def test_factors_are_told_in_order_and_once():
    assert [0.5, 0.5, 1, 1] == reached({}, factors=(1, 0.5, 1)).factor.tolist()


def test_every_column_is_explained():
    assert [*MEANINGS] == reached({}).columns.tolist()


risks = st.lists(st.integers(0, 10), min_size=6, max_size=6)
FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)


@given(
    risks,
    st.sampled_from([{}, {"region": {"share": 0.34}}, {"area": {"visits": 1}}]),
    st.sampled_from([{}, {"area": {"visits": 1}}, {"region": {"share": 0.67}}]),
    st.sampled_from([{}, {"pupr": 300}]),
)
@hypothesis_settings(max_examples=15, deadline=None)
def test_a_larger_capacity_never_reaches_less(tenths, floors, quotas, budgets):
    homes = HOMES.assign(value=np.array(tenths) / 10)
    rules = {"floors": floors, "quotas": quotas, "budgets_idr": budgets}
    worth = line(reached(rules, factors=FACTORS, homes=homes), "plan").worth

    # Sizes at which the floors do not fit come before those at which they do.
    assert worth.isna().tolist() == sorted(worth.isna(), reverse=True)
    assert (worth.dropna().diff().dropna() >= -1e-9).all()


@given(risks, st.integers(1, 600), st.sampled_from([0.0, 0.02, 0.9]))
@hypothesis_settings(max_examples=15, deadline=None)
def test_a_larger_budget_never_reaches_less(tenths, budget, service_worth):
    homes = HOMES.assign(value=np.array(tenths) / 10)
    rules = {"budgets_idr": {"pupr": budget}, "service_worth": service_worth}
    table = line(reached(rules, factors=FACTORS, homes=homes, of="budgets"), "plan")

    assert (table.worth.diff().dropna() >= -1e-9).all()


def test_the_order_of_rows_never_matters():
    rules = {"budgets_idr": {"pupr": 600}, "floors": {"region": {"visits": 1}}}
    turned = reached(rules, homes=HOMES.iloc[::-1], needs=NEEDS.iloc[::-1])

    pd.testing.assert_frame_equal(reached(rules), turned)


@pytest.mark.parametrize(
    ("rules", "of"),
    [
        ({"floors": {"region": {"visits": 1}}}, "capacity"),
        ({"capacity": {"amount": 0}, "floors": {"region": {"visits": 1}}}, "capacity"),  # no point at all
        ({"budgets_idr": {"pupr": 300}}, "budgets"),
    ],
)
def test_the_picture_is_a_png_and_the_same_numbers_give_the_same_bytes(tmp_path, rules, of):
    for name in ("one.png", "two.png"):
        plan_pictures.frontier(reached(rules, of=of), tmp_path / name)

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
