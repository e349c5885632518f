"""What a policy allows and asks of the households that compete."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputRefused
from targeting.limits import limits_of, worker_of
from tests.drawn import drawn
from tests.targeting.planned import half_up, homes_with, policy_with

HOMES = drawn("""
    household_id | region_id | area_id | posyandu_id | track   | pregnant | under_24_months | never_measured |
    -------------+-----------+---------+-------------+---------+----------+-----------------+----------------+
    ana          |           |         |             | find    | 0        | 0               | 1              |
    budi         | r1        | d1      | mawar       | find    | 0        | 0               |                |
    cici         | r1        | d1      | mawar       | prevent | 1        | 0               | 0              |
    dewi         | r1        | d2      |             | prevent | 0        | 1               | 0              |
    eko          | r2        | d3      | melati      | find    | 1        | 1               | 1              |
""").assign(stalest_on=pd.Timestamp("2024-01-01"), value=0.5, unit_count=1)
HOMES = HOMES.astype(dict.fromkeys(["pregnant", "under_24_months", "never_measured"], "boolean"))


def lines(**rules):
    found = limits_of(policy_with(**rules), HOMES).lines
    return {
        (line.rule, line.place): (" ".join(HOMES.household_id[line.members]), line.least, line.most, line.ceiling)
        for line in found
        if line.rule != "capacity"
    }


ANY = float("inf")


def test_a_household_of_no_known_place_counts_in_none():
    assert {
        ("floors.region", "r1"): ("budi cici dewi", 1, ANY, ANY),
        ("floors.region", "r2"): ("eko", 1, ANY, ANY),
    } == lines(floors={"region": {"visits": 1}})


def test_a_household_of_no_known_posyandu_is_visited_by_its_desa():
    assert ["desa ?", "mawar", "mawar", "desa d2", "melati"] == worker_of(HOMES, by="posyandu").tolist()
    assert ["desa ?", "desa d1", "desa d1", "desa d2", "desa d3"] == worker_of(HOMES, by="area").tolist()


def test_a_quota_of_a_posyandu_is_of_the_posyandu_whoever_visits():
    found = lines(quotas={"posyandu": {"visits": 1}}, workload={"by": "area", "most": 2})

    assert ("budi cici", 0, 1, 1) == found["quotas.posyandu", "mawar"]
    assert ("budi cici", 0, 2, 2) == found["workload.most", "desa d1"]


def test_a_floor_asks_for_no_more_households_than_there_are():
    assert ("eko", 1, ANY, ANY) == lines(floors={"region": {"visits": 2}})["floors.region", "r2"]


def test_a_quota_of_visits_is_a_quota_beside_a_floor_of_a_share():
    found = lines(floors={"region": {"share": 1.0}}, quotas={"region": {"visits": 2}})

    assert 3 == found["floors.region", "r1"][1]
    assert 2 == found["quotas.region", "r1"][2]


def test_a_floor_that_rounding_lifts_above_its_quota_lifts_the_quota():
    found = lines(floors={"area": {"share": 0.5}}, quotas={"area": {"share": 0.5}})

    for place in ("d1", "d2", "d3"):
        _, _, most, ceiling = found["quotas.area", place]
        assert found.get(("floors.area", place), ("", 0))[1] <= most == ceiling


def test_a_quota_leaves_room_for_those_who_are_drawn_by_lot_and_for_no_more():
    found = lines(quotas={"region": {"visits": 3}}, reserves={"exploration": 0.2}, capacity={"amount": 5})
    most = {place: (found["quotas.region", place][2], found["quotas.region", place][3]) for place in ("r1", "r2")}

    # One visit falls by lot: to one of the regions, or to ani, whose region nobody knows.
    assert {"r1": 3, "r2": 1} == {place: ceiling for place, (_, ceiling) in most.items()}
    assert 3 <= sum(of_value for of_value, _ in most.values()) <= 4


def test_who_is_in_no_place_is_noted():
    limits = limits_of(policy_with(quotas={"region": {"visits": 1}}), HOMES)

    assert ("1 households of no known region are under no floor or quota of one",) == limits.notes


def test_a_named_place_is_a_region_or_an_area():
    found = lines(named={"r1": {"at_least": 1, "at_most": 2}, "d3": {"at_most": 0}})

    assert ("budi cici dewi", 1, 2, 2) == found["named", "r1"]
    assert ("eko", 0, 0, 0) == found["named", "d3"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (
            {"d9": {}},
            "named.d9: no household that competes is in a region or area d9. Allowed: 2 regions, among them r1",
        ),
        ({"d1": {"at_least": 3}}, "named.d1: at_least 3 visits, where 2 households compete. Allowed: at most 2"),
    ],
)
def test_a_named_place_without_enough_households_is_refused(named, said):
    with pytest.raises(InputRefused, match=said):
        lines(named=named)


def test_nobody_to_choose_from_is_refused():
    with pytest.raises(
        InputRefused, match=r"no household competes\. Allowed: at least one\. What to do: Widen `regions`"
    ):
        limits_of(policy_with(), HOMES.iloc[:0])


def test_a_reserve_is_a_share_of_all_the_visits_with_those_by_lot():
    found = lines(reserves={"pregnant": 0.4, "exploration": 0.2}, capacity={"amount": 5})

    assert ("cici eko", 2, ANY, ANY) == found["reserves.pregnant", ""]


def test_a_reserve_for_more_households_than_there_are_keeps_those_and_says_so():
    limits = limits_of(policy_with(reserves={"never_measured": 1.0}), HOMES)

    assert 2 == next(line.least for line in limits.lines if line.rule == "reserves.never_measured")
    assert ("reserves.never_measured asks for 3 visits; 2 such households compete",) == limits.notes


def test_what_one_objective_cannot_use_goes_to_the_other():
    found = lines(objective="by_age", prevent_share=0.9, capacity={"amount": 5})

    assert (2, 3) == (found["prevent_share", "prevent"][2], found["prevent_share", "find"][2])


@pytest.mark.parametrize(
    ("capacity", "visits", "note"),
    [
        ({"amount": 4}, 4, ()),
        ({"share": 0.5}, 3, ()),
        ({"unit": "cadre_hours", "amount": 4.5}, 3, ("4.5 cadre_hours pay for 3 visits of 1.5",)),
        ({"unit": "rupiah", "amount": 79_999}, 3, ("79,999 rupiah pay for 3 visits of 20,000",)),
        ({"amount": 9}, 5, ("capacity is 9 visits, and 5 households compete: each can be visited",)),
    ],
)
def test_everything_is_counted_in_visits(capacity, visits, note):
    limits = limits_of(policy_with(capacity=capacity, visit={"hours": 1.5, "cost_idr": 20_000}), HOMES)

    assert (visits, note) == (limits.visits, limits.notes)


@given(st.integers(0, 100).map(lambda percent: percent / 100), st.integers(1, 300))
def test_a_share_of_visits_covers_floors_of_the_same_share(share, count):
    rows = homes_with(np.full(count, 0.5), area_id=[f"d{n % 7}" for n in range(count)])
    limits = limits_of(policy_with(capacity={"share": share}, floors={"area": {"share": share}}), rows)

    assert half_up(share, count) == limits.visits
    assert limits.visits == sum(line.least for line in limits.lines)


def test_few_visits_and_many_desa_round_and_fit():
    rows = homes_with(np.full(1_000, 0.5), area_id=[f"d{n % 300:03d}" for n in range(1_000)])
    limits = limits_of(policy_with(capacity={"amount": 40}, floors={"area": {"share": 0.04}}), rows)
    floors = [line.least for line in limits.lines if line.rule == "floors.area"]

    # 100 desa of four households and 200 of three: 0.16 and 0.12 of a visit each, and 40 in all.
    assert 40 == sum(floors) == limits.visits
    assert [1] * 40 == floors
    assert {4} == {line.members.size for line in limits.lines if line.rule == "floors.area"}


def test_the_order_in_which_places_are_named_decides_nothing():
    named = {"r1": {"at_least": 1}, "d3": {"at_most": 0}}

    assert list(lines(named=named)) == list(lines(named=dict(reversed(named.items()))))
