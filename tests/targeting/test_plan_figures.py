"""What a plan reaches under limits, beside today's rules under the same."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings import load
from targeting.allocation import allocate
from targeting.formulation import problem_of
from targeting.limits import limits_of
from targeting.orders import RULES, reading_of
from targeting.plan_figures import Order, figures, observed
from targeting.policy import policy_of
from tests.conftest import ROOT
from tests.drawn import drawn
from training.krs import KrsRule
from training.labels import labelled
from training.learn import learn
from training.splits import temporal

TEN = drawn("""
    household_id | region_id | area_id | expected_stunted | krs_rank_count | poverty_only | stunted | measured
    -------------+-----------+---------+------------------+----------------+--------------+---------+---------
    h0           | kota      | a1      | 1.9              | 0              | -9           | 2       | 2
    h1           | kota      | a1      | 0.8              | 145            | -9           | 1       | 1
    h2           | kota      | a1      | 0.7              | 145            | -8           | 0       | 1
    h3           | kota      | a2      | 0.6              | 0              | -8           | 1       | 1
    h4           | kota      | a2      | 0.5              | 10             | -7           | 0       | 1
    h5           | laut      | a3      | 0.4              | 140            | -1           | 1       | 2
    h6           | laut      | a3      | 0.3              | 0              | -2           | 0       | 1
    h7           | laut      | a3      | 0.2              | 0              | -3           | 0       | 1
    h8           | laut      | a4      | 0.1              | 0              | -4           | 1       | 1
    h9           | laut      | a4      | 0.1              | 0              | -5           | 0       | 1
""").assign(krs_per_child=lambda rows: rows.krs_rank_count)
NO_OFFERS = pd.DataFrame(columns=["household_id", "service", "owner", "persons", "cost_idr", "reduction"])
HOW = {"capacity_share": 0.3, "floor_share": 0.2, "draws": 20, "seed": 3}


def test_a_region_s_best_take_its_floor_and_the_best_of_all_others_the_rest():
    found = figures(TEN, **HOW)["asked"]

    # Three visits, one in each region at least: h0, h1 and h5; without floors h0, h1 and h2.
    assert (3, 2) == (found["visits"], found["floor_visits"])
    assert (4, -1) == (found["plan"]["reached"], found["plan"]["price_of_floor"])
    assert pytest.approx(4 / 6) == found["plan"]["share"]


def test_equals_share_the_last_visit_and_no_lot_decides():
    found = figures(TEN, **HOW)["asked"]["krs_rank_count"]

    # The floor takes h5, and one of h1 and h2 the floor of kota: the other has the visit that is left.
    assert (2, 2) == (found["reached"], found["ratio"])
    # One visit in each region: half of it falls to h1, half to h2.
    few = figures(TEN, **HOW | {"capacity_share": 0.2})["asked"]["krs_rank_count"]
    assert (1.5, 2) == (few["reached"], few["ratio"])


def test_each_region_is_told_what_falls_to_it():
    kota, laut = figures(TEN, **HOW)["regions"]

    assert ("kota", 5, 4, 1, 2.0, 3.0) == tuple(
        kota[name] for name in ("region_id", "households", "stunted", "floor", "visits_plan", "reached_plan")
    )
    assert (1.0, 1.0, 1.0) == (laut["visits_plan"], laut["visits_krs_rank_count"], laut["reached_krs_rank_count"])


def test_capacities_below_the_floor_are_not_told():
    assert [0.2, 0.3] == [one["capacity_share"] for one in figures(TEN, **HOW)["capacities"]]
    without = figures(TEN, **HOW | {"floor_share": 0.0})["capacities"]
    assert [0.05, 0.1, 0.2, 0.3] == [one["capacity_share"] for one in without]


def test_without_floors_there_is_no_price_and_the_ratio_is_the_free_one():
    found = figures(TEN, **HOW | {"floor_share": 0.0})["asked"]

    assert [0.0, 0.0, 0.0] == [found["plan"][f"price_of_floor{end}"] for end in ("", "_low", "_high")]
    for rule in RULES:
        assert found[rule]["ratio"] == found[rule]["ratio_without_floor"]


def test_a_rule_that_reaches_nobody_has_no_ratio_and_the_figures_are_json():
    found = figures(TEN.assign(stunted=0), **HOW)

    assert found["asked"]["poverty_only"]["ratio"] is None
    assert found == json.loads(json.dumps(found, allow_nan=False))


def test_households_without_a_region_or_an_area_have_a_floor_and_stand_alone():
    lost = TEN.assign(region_id=TEN.region_id.replace("laut", None), area_id=None)
    found = figures(lost, **HOW)

    assert ["kota", "not known"] == [line["region_id"] for line in found["regions"]]
    assert (10, 4) == (found["areas"], found["asked"]["plan"]["reached"])


home = st.tuples(
    st.integers(0, 3), st.integers(0, 8), st.integers(0, 20), st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)
)


def drawn_homes(rows, *, distinct=False):
    """Households from tuples of region, area, value, KRS, poverty and stunted children."""
    names = ["region_id", "area_id", "expected_stunted", "krs_rank_count", "poverty_only", "stunted"]
    made = pd.DataFrame(rows, columns=names).assign(household_id=[f"h{n:03}" for n in range(len(rows))], measured=3)
    made["krs_per_child"] = made.krs_rank_count
    if distinct:
        made["expected_stunted"] += np.linspace(0, 0.5, len(made))
    return made.astype({"region_id": str, "area_id": str})


homes = st.lists(home, min_size=1, max_size=40)
percents = st.tuples(st.integers(1, 100), st.integers(0, 100)).map(lambda two: (max(two) / 100, min(two) / 100))


def limits(made, shares):
    """Region codes, floors of each region and places, of shares of all households."""
    regions, code = np.unique(made.region_id, return_inverse=True)
    floors = np.floor(shares[1] * np.bincount(code)).astype(float)
    return regions, code, floors, max(float(round(shares[0] * len(made))), floors.sum())


def greedy(made, code, floors, places):
    """A plain choice, one household after another."""
    line = made.expected_stunted.sort_values(ascending=False).index
    chosen = [at for region, floor in enumerate(floors) for at in [n for n in line if code[n] == region][: int(floor)]]
    for at in line:
        if len(chosen) < places and at not in chosen:
            chosen.append(at)
    return set(chosen)


@given(homes, percents)
def test_each_household_once_is_a_plain_greedy_choice(rows, shares):
    made = drawn_homes(rows, distinct=True)
    _, code, floors, places = limits(made, shares)
    visited = Order(made.expected_stunted.to_numpy(), code).visited(np.ones(len(made)), floors=floors, places=places)

    assert {0.0, 1.0} >= set(visited)
    assert greedy(made, code, floors, places) == set(np.flatnonzero(visited))


@given(homes, percents, st.data())
def test_limits_hold_in_every_resample(rows, shares, data):
    made = drawn_homes(rows)
    regions, code, _, _ = limits(made, shares)
    count = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(made), max_size=len(made))), dtype=float)
    there = np.bincount(code, count, minlength=len(regions))
    floors = np.floor(shares[1] * there)
    places = max(np.floor(shares[0] * count.sum()), floors.sum())
    visited = Order(made.expected_stunted.to_numpy(float), code).visited(count, floors=floors, places=places)

    assert places == pytest.approx(visited.sum())
    assert (visited >= -1e-9).all()
    assert (visited <= count + 1e-9).all()
    assert (np.bincount(code, visited, minlength=len(regions)) >= floors - 1e-9).all()


@given(homes, percents)
def test_whoever_is_passed_over_is_no_more_urgent_than_any_visited_of_the_region(rows, shares):
    made = drawn_homes(rows)
    _, code, floors, places = limits(made, shares)
    visited = Order(made.expected_stunted.to_numpy(float), code).visited(
        np.ones(len(made)), floors=floors, places=places
    )

    for region in set(code):
        value, part = made.expected_stunted[code == region], visited[code == region]
        passed_over, chosen = value[part < 1 - 1e-9], value[part > 1e-9]
        assert max(passed_over, default=0) <= min(chosen, default=np.inf)


@given(homes, percents)
def test_a_household_that_is_there_twice_is_two_households(rows, shares):
    made = drawn_homes(rows)
    twice = pd.concat([made, made], ignore_index=True)
    _, code, floors, places = limits(twice, shares)
    score = twice.expected_stunted.to_numpy(float)
    apart = Order(score, code).visited(np.ones(len(twice)), floors=floors, places=places)
    half = len(made)
    counted = Order(score[:half], code[:half]).visited(np.full(half, 2.0), floors=floors, places=places)

    np.testing.assert_allclose(counted, apart[:half] + apart[half:], atol=1e-9)


@given(homes, st.randoms(use_true_random=False))
def test_the_order_of_the_households_does_not_matter(rows, chance):
    made = drawn_homes(rows)
    turned = made.iloc[chance.sample(range(len(made)), k=len(made))]

    assert figures(made, **HOW | {"draws": 2}) == figures(turned, **HOW | {"draws": 2})


@given(homes)
def test_a_plan_that_knows_the_outcome_reaches_no_fewer_than_any_rule(rows):
    made = drawn_homes(rows).assign(expected_stunted=lambda one: one.stunted)
    for found in figures(made, **HOW | {"draws": 2})["capacities"]:
        for rule in RULES:
            assert found["plan"]["reached"] >= found[rule]["reached"] - 1e-9


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"capacity_share": 10}, "capacity_share is 10; allowed: above 0 and at most 1"),
        ({"floor_share": 0.4}, "floor_share is 0.4; allowed: 0 to capacity_share, 0.3"),
        ({"households": TEN.head(0)}, "no household has a measured child"),
        ({"households": pd.concat([TEN, TEN.head(1)])}, "stands twice"),
        ({"households": TEN.assign(stunted=TEN.stunted.where(TEN.index != 2))}, "1 of 10 .* no stunted; first: row 2"),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        figures(**{"households": TEN, **HOW, **wrong})


TEST = drawn("""
    unit_id | as_of      | household_id | region_id | area_id | desil | toilet_krs_safe | stunted | risk
    --------+------------+--------------+-----------+---------+-------+-----------------+---------+-----
    ana     | 2014-01-10 | h1           | kota      | a1      | 1     | 0               | 0       | 0.9
    ana     | 2014-06-10 | h1           | kota      | a1      | 1     | 0               | 1       | 0.5
    budi    | 2014-06-10 | h1           | kota      | a1      | 1     | 0               | 1       | 0.2
    citra   | 2014-06-11 | h2           | laut      |         | 4     | 1               | 0       | 0.1
""").assign(
    water_krs_safe=1.0,
    mother_age=27.0,
    mother_pregnant=0.0,
    mother_listed=1.0,
    short_interval=0.0,
    living_children=1.0,
    birth_order=1.0,
    modern_contraception=1.0,
    wealth_quintile=np.nan,
)


def test_a_household_is_what_its_measured_children_are_each_counted_once():
    found = observed(TEST, TEST.risk.to_numpy(float), rule=KrsRule()).set_index("household_id")

    assert {"h1": 0.7, "h2": 0.1} == pytest.approx(found.expected_stunted.to_dict())
    assert {"h1": 0.6, "h2": 0.1} == pytest.approx(found.risk.to_dict())
    assert {"h1": 2, "h2": 0} == found.stunted.to_dict()
    assert {"h1": 2, "h2": 1} == found.measured.to_dict()
    assert {"h1": 141.0, "h2": 10.0} == found.krs_rank_count.to_dict()


def test_on_the_survey_a_plan_reaches_half_as_many_stunted_children_again_as_krs_under_the_same_limits(units, interim):
    own = load(ROOT / "params.yaml", ROOT / "no-run.yaml")
    known = labelled(units, pd.read_parquet(interim / "measurement.parquet"), window=own.outcome)
    train, test = temporal(known, test_from=own.test_from)
    model = learn(train, settings=own, seed=own.train.seed)
    rule, _ = reading_of(train, declared=own.krs)
    homes = observed(test, model.risk(model.prepared(test)), rule=rule)
    found = figures(homes, capacity_share=0.10, floor_share=0.04, draws=400, seed=own.train.seed)

    assert (8_135, 9_864, 1_523, 25) == (
        found["households"], found["children"], found["areas"], len(found["regions"])
    )  # fmt: skip
    assert (814, 325) == (found["asked"]["visits"], found["asked"]["floor_visits"])
    against = found["asked"]["krs_rank_count"]
    assert against["ratio"] >= 1.55
    assert against["ratio_low"] > 1.4
    assert found["asked"]["plan"]["price_of_floor"] < 0.05 * found["asked"]["plan"]["reached"]
    assert all(line["visits_plan"] >= line["floor"] for line in found["regions"])
    assert found["asked"]["plan"]["reached"] == pytest.approx(planned_by_the_program(homes))


def planned_by_the_program(homes: pd.DataFrame) -> float:
    """Stunted children in the households of the plan that `tepat plan` makes under the same limits."""
    rules = {
        "version": "1",
        "name": "tenth",
        "round": "r",
        "capacity": {"share": 0.10},
        "floors": {"region": {"share": 0.04}},
    }
    policy = policy_of(rules, of="the test")
    rows = homes.sort_values("household_id", ignore_index=True).assign(
        value=lambda one: one.expected_stunted, track="find", posyandu_id=None, unit_count=1, stalest_on=pd.NaT
    )
    limits = limits_of(policy, rows)
    made = allocate(problem_of(policy, limits, rows, NO_OFFERS))
    assert made.gap < 1e-6
    return float(rows.stunted[made.visited].sum())
