"""A plan beside today's rules, an equal share and a lottery, all under the same limits."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.errors import InputRefused
from targeting.plan_pictures import plans
from targeting.policy import policy_of
from targeting.rival_orders import NAMES, followed, orders_asked, terms_of
from targeting.rivals import MEANINGS, compared
from tests.drawn import drawn

HOMES = drawn("""
    household_id | region_id | area_id | welfare_decile | pregnant | under_24_months | value
    -------------+-----------+---------+----------------+----------+-----------------+------
    h0           | kota      | a1      | 9              | 0        | 1               | 0.90
    h1           | kota      | a1      | 8              | 0        | 0               | 0.80
    h2           | kota      | a1      | 1              | 1        | 0               | 0.70
    h3           | kota      | a2      | 1              | 0        | 0               | 0.60
    h4           | laut      | a3      | 5              | 0        | 1               | 0.50
    h5           | laut      | a3      | 5              | 0        | 0               | 0.40
    h6           | laut      | a3      | 2              | 1        | 0               | 0.30
    h7           | laut      | a4      |                | 0        | 0               | 0.20
""").assign(
    posyandu_id=None, track="find", never_measured=None, unit_count=1, stalest_on=pd.Timestamp("2024-01-01"),
    pregnant=lambda homes: homes.pregnant == 1, under_24_months=lambda homes: homes.under_24_months == 1,
)  # fmt: skip
ORDERS = drawn("""
    household_id | krs | krs_rank_count | poverty_only
    -------------+-----+----------------+-------------
    h1           | 1   | 132            | -8
    h2           | 0   | 40             | -1
    h3           | 1   | 141            | -1
    h4           | 0   | 20             | -5
    h5           | 1   | 122            | -5
    h6           | 1   | 131            | -2
    h7           | 0   | 0              | -11
""").assign(krs=lambda orders: orders.krs == 1)
MENU = pd.DataFrame(
    {"owner": ["pupr", "dinkes"], "name_id": ["Jamban", "Vitamin"], "name_en": ["Latrine", "Vitamins"],
     "reduction": [np.nan, np.nan]},
    index=["latrine", "vitamins"],
)  # fmt: skip
NEEDS = drawn("""
    household_id | service  | status  | persons | cost_idr
    -------------+----------+---------+---------+---------
    h0           | latrine  | unmet   | 1       | 300
    h1           | latrine  | unmet   | 1       | 300
    h1           | vitamins | unmet   | 1       | 20
    h3           | latrine  | unmet   | 1       | 300
    h5           | vitamins | unmet   | 1       | 20
    h6           | latrine  | unknown | 1       | 300
""").assign(why_id=None, why_en=None)
APART = drawn("""
    household_id | region_id | area_id | why
    -------------+-----------+---------+------
    z1           | kota      | a1      | moved
""")


def policy(**rules):
    """Three visits and no more rules than those given."""
    plain = {"version": "1", "name": "uji", "round": "r1", "capacity": {"amount": 3}, "visit": {"cost_idr": 50}}
    return policy_of(plain | rules, of="a test")


def beside(rules, *, homes=HOMES, needs=NEEDS, orders=ORDERS, draws=None, level=0.9):
    return compared(
        policy(**rules), homes, orders=orders, needs=needs, menu=MENU, apart=APART, draws=draws, level=level
    )


def visited(made, name):
    return made.visited.household_id[made.visited[name]].tolist()


def row(made, name):
    return made.table.set_index("plan").loc[name]


def test_each_order_visits_whom_it_ranks_first():
    made = beside({})

    assert ["h0", "h1", "h2"] == visited(made, "plan")
    assert ["h1", "h3", "h6"] == visited(made, "krs")
    assert ["h2", "h3", "h6"] == visited(made, "poverty_only")


def test_a_household_that_an_order_knows_nothing_of_comes_last():
    made = beside({"capacity": {"amount": 7}})

    assert "h0" not in visited(made, "krs")
    assert "h0" not in visited(made, "poverty_only")


def test_what_is_reached_is_told_as_children_as_a_share_and_as_a_multiple():
    krs = row(beside({}), "krs")

    assert pytest.approx(0.8 + 0.6 + 0.3) == krs.reached
    assert pytest.approx(1.7 / 4.4) == krs.share
    assert pytest.approx((2.4 - 1.7, 2.4 / 1.7)) == (krs.difference, krs.ratio)
    assert (1, 1 / 5) == (krs.in_both, krs.jaccard)


def test_every_order_keeps_the_same_floor():
    made = beside({"floors": {"region": {"visits": 2}}, "capacity": {"amount": 4}})

    assert ["h0", "h1", "h4", "h5"] == visited(made, "plan")
    assert ["h1", "h3", "h5", "h6"] == visited(made, "krs")
    # Down the list: h2, h3 and h6, and h4 or h5, who are as poor, by lot.
    assert {"h2", "h3", "h6"} < set(visited(made, "poverty_only"))
    assert made.table.kept.all()


def test_an_order_that_would_leave_a_floor_short_gives_way_as_little_as_it_must():
    # Down the list of KRS, h3 fills kota and a2, then h1 the reserve of kota's three visits, and a4 is left without.
    rules = {
        "capacity": {"amount": 3},
        "named": {"kota": {"at_least": 2}, "a2": {"at_least": 1}, "a4": {"at_least": 1}},
        "reserves": {"pregnant": 0.3},
    }
    made = beside(rules)

    assert made.table.kept.all()
    for name in NAMES:
        chosen = HOMES[HOMES.household_id.isin(visited(made, name))]
        assert (2, 1, 1, 1) == (
            (chosen.region_id == "kota").sum(), (chosen.area_id == "a2").sum(), (chosen.area_id == "a4").sum(),
            chosen.pregnant.sum(),
        )  # fmt: skip


def test_no_visit_falls_by_lot_in_any_order():
    with_lots = beside({"capacity": {"amount": 4}, "reserves": {"exploration": 0.5}})
    without = beside({"capacity": {"amount": 4}})

    pd.testing.assert_frame_equal(without.visited, with_lots.visited)


def test_services_are_handed_over_within_each_owner_s_budget():
    made = beside({"budgets_idr": {"pupr": 300, "dinkes": None}})

    assert (150, 300, 20, 470) == tuple(
        row(made, "krs")[["visits_idr", "services_pupr_idr", "services_dinkes_idr", "cost_idr"]]
    )
    assert 2 == row(made, "krs").services
    assert (made.table.services_pupr_idr <= 300).all()


def test_the_interval_is_the_spread_of_the_refits_and_the_difference_is_paired():
    draws = HOMES.value.to_numpy()[:, None] * np.array([0.5, 1.0, 1.5])
    made = beside({}, draws=draws, level=0.8)
    krs, z = row(made, "krs"), NormalDist().inv_cdf(0.9)

    # Refits of 0.5, 1 and 1.5 times the risks: half of what is reached is one standard deviation.
    assert pytest.approx((1.7 * (1 - z / 2), 1.7 * (1 + z / 2))) == (krs.reached_low, krs.reached_high)
    assert pytest.approx((0.7 * (1 - z / 2), 0.7 * (1 + z / 2))) == (krs.difference_low, krs.difference_high)
    # In each refit the plan reaches the same multiple.
    assert pytest.approx((2.4 / 1.7, 2.4 / 1.7)) == (krs.ratio_low, krs.ratio_high)
    assert 0.8 == made.level


def test_without_refits_there_is_no_interval():
    ends = [f"{name}_{end}" for name in ("reached", "difference", "ratio") for end in ("low", "high")]

    assert beside({}).table[ends].isna().all(axis=None)


@pytest.mark.parametrize("draws", [np.ones(8), np.ones((7, 3)), np.ones((8, 1)), np.full((8, 2), np.nan)])
def test_draws_of_other_households_are_refused(draws):
    with pytest.raises(ValueError, match=r"draws are of shape .* allowed: \(8, 2 or more refits\)"):
        beside({}, draws=draws)


def test_a_household_that_stands_twice_in_the_orders_is_refused():
    with pytest.raises(ValueError, match="stands twice in orders"):
        beside({}, orders=pd.concat([ORDERS, ORDERS.head(1)]))


def test_coverage_is_told_by_group_and_the_unknown_come_last():
    made = beside({})
    krs = made.coverage[made.coverage.plan == "krs"].set_index(["dimension", "group"])

    assert (4, 2, 0.5) == tuple(krs.loc[("region_id", "kota"), ["households", "visited", "share"]])
    assert (2, 1) == tuple(krs.loc[("pregnant", "yes"), ["households", "visited"]])
    assert (2, 0) == tuple(krs.loc[("under_24_months", "yes"), ["households", "visited"]])
    assert (8, 3) == tuple(krs.loc[("never_measured", "not known"), ["households", "visited"]])
    assert ["1", "2", "5", "8", "9", "not known"] == krs.loc["welfare_decile"].index.tolist()
    assert (4, 3) == tuple(krs.loc[("krs", "yes"), ["households", "visited"]])
    assert (4, 1) == tuple(row(made, "krs")[["areas", "areas_with_none"]])


def test_limits_that_do_not_fit_are_refused_as_for_the_plan():
    with pytest.raises(InputRefused, match="cannot all be kept"):
        beside({"floors": {"region": {"visits": 2}}})


def test_those_who_compete_in_no_order_are_told():
    assert ("1 households compete in none of these orders (moved: 1)",) == beside({}).notes


def test_every_column_is_explained():
    owners = {"services_pupr_idr", "services_dinkes_idr"}
    assert {*MEANINGS} | owners == set(beside({"budgets_idr": {"pupr": 1, "dinkes": 1}}).table.columns)


@st.composite
def rounds(draw):
    """A few households with risks in tenths, so that ties are common, and a policy over them."""
    count = draw(st.integers(2, 10))
    column = {name: draw(st.lists(values, min_size=count, max_size=count)) for name, values in {
        "region_id": st.sampled_from(["kota", "laut"]),
        "area_id": st.sampled_from(["a1", "a2", "a3"]),
        "tenths": st.integers(0, 15),
        "pregnant": st.booleans(),
        "rank": st.integers(0, 4),
        "latrine": st.booleans(),
    }.items()}  # fmt: skip
    homes = pd.DataFrame(column).assign(
        household_id=[f"h{n}" for n in range(count)], posyandu_id=None, track="find", under_24_months=False,
        never_measured=False, unit_count=1, stalest_on=pd.Timestamp("2024-01-01"),
        value=lambda made: made.tenths / 10,
    )  # fmt: skip
    rules = {
        "capacity": {"amount": draw(st.integers(1, count))},
        "floors": draw(st.sampled_from([{}, {"region": {"share": 0.3}}, {"area": {"visits": 1}}])),
        "quotas": draw(st.sampled_from([{}, {"area": {"visits": 2}}, {"region": {"share": 0.8}}])),
        "reserves": {"pregnant": draw(st.sampled_from([0.0, 0.3, 0.6]))},
        "budgets_idr": draw(st.sampled_from([{}, {"pupr": 600}, {"pupr": None}])),
        "service_worth": draw(st.sampled_from([0.0, 0.02, 0.5])),
    }
    wanted = homes[homes.latrine]
    needs = pd.DataFrame({"household_id": wanted.household_id}).assign(
        service="latrine", status="unmet", persons=1, cost_idr=300, why_id=None, why_en=None
    )
    orders = homes[["household_id"]].assign(krs_rank_count=homes["rank"] * 10.0, poverty_only=-1.0 * homes["rank"])
    return homes, needs, orders, rules


@given(rounds())
@hypothesis_settings(max_examples=40, deadline=None)
def test_no_order_reaches_more_than_the_plan_under_the_same_limits(drawn_round):
    homes, needs, orders, rules = drawn_round
    made = made_or_assumed_away(homes, needs, orders, rules)

    best = row(made, "plan")
    assert made.table.kept.all()
    assert (made.table.worth <= best.worth + 1e-6).all()


@given(rounds(), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=15, deadline=None)
def test_the_order_of_rows_never_matters(drawn_round, shuffled):
    homes, needs, orders, rules = drawn_round
    draws = np.outer(homes.value, [0.8, 1.1, 1.2]) + np.arange(len(homes))[:, None] * [0.01, 0.02, 0.05]
    places = list(range(len(homes)))
    shuffled.shuffle(places)
    one = made_or_assumed_away(homes, needs, orders, rules, draws=draws)
    other = made_or_assumed_away(
        homes.iloc[places], needs.iloc[::-1], orders.iloc[places[::-1]], rules, draws=draws[places]
    )

    for name in ("table", "coverage", "visited"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    share=st.floats(0.05, 0.95),
    name=st.text("rs", min_size=1),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_an_equal_share_visits_each_desa_within_one_of_its_share(sizes, share, name):
    areas = np.repeat([f"a{n}" for n in range(len(sizes))], sizes)
    homes = pd.DataFrame({"area_id": areas}).assign(
        household_id=[f"h{n:03d}" for n in range(len(areas))], region_id="kota", posyandu_id=None, track="find",
        pregnant=False, under_24_months=False, never_measured=False, unit_count=1, value=0.5,
        stalest_on=pd.Timestamp("2024-01-01"),
    )  # fmt: skip
    rules = policy(round=name, capacity={"share": share})
    terms = terms_of(rules, homes, needs=NEEDS.head(0), menu=MENU)
    chosen = followed(terms.problem, orders_asked(terms, ORDERS)["equal_share"]).visited

    each = pd.Series(chosen).groupby(areas).agg(["sum", "size"])
    assert terms.limits.visits == chosen.sum()
    assert (abs(each["sum"] - terms.limits.visits / len(homes) * each["size"]) < 1).all()


def test_a_lottery_and_an_equal_share_fall_differently_in_another_round():
    many = pd.concat([HOMES.assign(household_id=HOMES.household_id + f"-{n}") for n in range(10)], ignore_index=True)
    first, second = (beside({"round": name, "capacity": {"amount": 40}}, homes=many) for name in ("r1", "r2"))

    assert visited(first, "lottery") != visited(second, "lottery")
    assert visited(first, "equal_share") != visited(second, "equal_share")
    assert visited(first, "lottery") != visited(first, "equal_share")


@pytest.mark.parametrize("draws", [None, np.outer(HOMES.value, [0.5, 1.5])])
def test_the_picture_is_a_png_and_the_same_numbers_give_the_same_bytes(tmp_path, draws):
    for name in ("one.png", "two.png"):
        plans(beside({}, draws=draws), tmp_path / name)

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def made_or_assumed_away(homes, needs, orders, rules, *, draws=None):
    """The comparison; a draw whose limits do not fit together says nothing here."""
    try:
        return beside(rules, homes=homes, needs=needs, orders=orders, draws=draws)
    except InputRefused as refusal:
        assume("cannot all be kept" not in refusal.found)
        raise
