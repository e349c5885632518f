"""Rules that cannot all be kept are refused, with which they are and the smallest change that ends it."""

import re
from dataclasses import replace
from math import inf

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from features.errors import InputRefused
from targeting import feasibility
from targeting.limits import Line, limits_of
from targeting.plan import plan
from targeting.policy import policy_of
from tests.targeting.planned import (
    MENU,
    NO_NEED,
    NOBODY,
    crowd,
    homes_with,
    policy_with,
    rounds,
    subsets,
)  # fmt: skip

CHANGE = re.compile(
    r"(?:; or |this: )([\w.]+): (a share of )?(\d[\d,]*(?:\.\d+)?)(?: \w+)? in place of (\d[\d,]*(?:\.\d+)?)"
)
THREE = homes_with(
    np.full(12, 0.5), region_id=[f"r{n % 3}" for n in range(12)], area_id=[f"d{n % 6}" for n in range(12)]
)


def refusal(policy, homes):
    try:
        feasibility.check(limits_of(policy, homes), policy=policy, homes=homes)
    except InputRefused as refused:
        return refused
    return None


def refused(rows=THREE, **rules):
    return refusal(policy_with(**rules), rows)


def changes(said):
    """By rule: its number, and in place of which."""
    return {rule: (number(now), number(was)) for rule, _, now, was in CHANGE.findall(str(said))}


def number(written):
    return float(written.replace(",", ""))


def changed(policy, rule, value):
    """The policy with that number in place of its own, as an office would write it."""
    found = policy.model_dump()
    *groups, last = place_of(policy, rule)
    group = found
    for key in groups:
        group = group[key]
    group[last] = int(value) if isinstance(group[last], int) else value
    return policy_of(found, of="the test")


def place_of(policy, rule):
    keys = rule.split(".")
    if keys[0] not in {"capacity", "floors", "quotas"}:
        return keys
    part = policy.capacity if keys == ["capacity"] else getattr(policy, keys[0])[keys[1]]
    count = "amount" if keys == ["capacity"] else "visits"
    return [*keys, count if part.share is None else "share"]


def step_of(policy, rule):
    """What an office would change a number by at least."""
    return {
        "share": 0.001, "visits": 1, "at_least": 1, "at_most": 1, "most": 1,
        "amount": policy.visit.cost_idr if policy.capacity.unit == "rupiah" else 1,
    }.get(place_of(policy, rule)[-1], 0.001)  # fmt: skip


def rule_of(line):
    return f"named.{line.place}" if line.rule == "named" else line.rule


def pays_for_a_visit(found):
    try:
        return bool(limits_of(found.policy, found.homes).visits)
    except InputRefused:
        return False


def fits(limits, households):
    """By trying every choice of households."""
    chosen = subsets(households)
    counts = np.column_stack([chosen[:, line.members].sum(axis=1) for line in limits.lines])
    least, most = np.array([line.least for line in limits.lines]), np.array([line.most for line in limits.lines])
    return bool(((counts >= least) & (counts <= most)).all(axis=1).any())


payable = rounds().filter(pays_for_a_visit)
against_each_other = payable.map(lambda found: (found, refusal(found.policy, found.homes))).filter(lambda pair: pair[1])


@settings(max_examples=40)
@given(payable)
def test_limits_are_refused_when_no_choice_of_households_keeps_them(found):
    limits = limits_of(found.policy, found.homes)

    assert fits(limits, len(found.homes)) == (refusal(found.policy, found.homes) is None)


@settings(max_examples=40)
@given(payable)
def test_the_rules_named_conflict_and_would_not_without_any_one_of_them(found):
    limits = limits_of(found.policy, found.homes)
    said = refusal(found.policy, found.homes)
    if said is None:
        return
    named = [rule for rule in {rule_of(line) for line in limits.lines} if re.search(rf"\b{rule}\b", said.found)]

    assert not fits(with_rules(limits, named), len(found.homes))
    for rule in named:
        assert fits(with_rules(limits, [one for one in named if one != rule]), len(found.homes))


@settings(max_examples=30)
@given(against_each_other)
def test_a_plan_is_made_when_any_change_proposed_is_carried_out(refused_round):
    found, said = refused_round
    for rule, (now, _) in changes(said).items():
        mended = changed(found.policy, rule, now)

        assert fits(limits_of(mended, found.homes), len(found.homes))
        assert len(found.homes) == plan(mended, found.homes, apart=NOBODY, needs=NO_NEED, menu=MENU).figures.competing


@settings(max_examples=30)
@given(against_each_other)
def test_a_smaller_change_than_the_one_proposed_is_not_enough(refused_round):
    found, said = refused_round
    for rule, (now, was) in changes(said).items():
        step = step_of(found.policy, rule)
        nearer = round(now - step if was < now else now + step, 3)
        if (nearer - was) * (now - was) > 0:
            assert not fits(limits_of(changed(found.policy, rule, nearer), found.homes), len(found.homes))


def with_rules(limits, rules):
    every = Line(rule="none", place="", members=np.arange(1))
    return replace(limits, lines=(every, *(line for line in limits.lines if rule_of(line) in rules)))


def test_floors_that_ask_for_more_than_there_is_are_refused_with_both_ways_out():
    said = refused(capacity={"amount": 6}, floors={"region": {"visits": 3}})

    assert (
        "rules that cannot all be kept: capacity leaves 6 visits; "
        "floors.region of 3 places, r0, r1, r2 asks for 9 visits at least"
    ) == said.found
    assert "rules that fit together in 6 visits" == said.allowed
    assert (
        "Change one of them by as little as this: capacity: 9 visits in place of 6; "
        "or floors.region: 2 visits in place of 3."
    ) == said.remedy


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        ({"amount": 4}, "capacity: 6 visits in place of 4; or floors.area: 0 visits in place of 1"),
        ({"share": 0.3}, "capacity: a share of 0.459 in place of 0.3; or "),  # half up: 5.508 of 12 are 6 visits
        ({"unit": "cadre_hours", "amount": 6.5}, "capacity: 9 cadre_hours in place of 6.5; or "),
        ({"unit": "rupiah", "amount": 1_000_000}, "capacity: 1,200,000 rupiah in place of 1,000,000; or "),
    ],
)
def test_a_larger_capacity_is_told_in_the_unit_of_the_policy(capacity, expected):
    said = refused(capacity=capacity, visit={"hours": 1.5, "cost_idr": 200_000}, floors={"area": {"visits": 1}})

    assert expected in said.remedy


def test_a_capacity_is_told_with_the_visits_that_fall_by_lot_from_it():
    rows = homes_with(np.full(40, 0.5), area_id=[f"a{n // 2:02d}" for n in range(40)])
    rules = {"floors": {"area": {"visits": 1}}, "reserves": {"exploration": 0.3}}
    said = refused(rows, capacity={"amount": 20}, **rules)

    assert {"capacity": (28, 20), "floors.area": (0, 1), "reserves.exploration": (0.024, 0.3)} == changes(said)
    assert refused(rows, capacity={"amount": 27}, **rules)
    assert refused(rows, capacity={"amount": 28}, **rules) is None


def test_a_capacity_is_told_with_the_reserves_that_grow_with_it():
    rows = homes_with(
        np.full(40, 0.5), pregnant=[True] * 20 + [False] * 20,
        never_measured=pd.array([False] * 20 + [True] * 20, dtype="boolean"),
    )  # fmt: skip
    reserves = {"pregnant": 0.6, "never_measured": 0.6}
    told = {
        amount: changes(refused(rows, capacity={"amount": amount}, reserves=reserves))["capacity"][0]
        for amount in (10, 12, 16, 39)
    }

    assert dict.fromkeys((10, 12, 16, 39), 40) == told
    assert refused(rows, capacity={"amount": 40}, reserves=reserves) is None


def test_a_floor_above_its_quota_is_refused_with_both():
    said = refused(floors={"region": {"visits": 2}}, quotas={"region": {"share": 0.25}}, capacity={"amount": 9})

    # Half up: 0.459 of 12 are 6 visits, and largest remainders give each region two of them.
    assert {"floors.region": (1, 2), "quotas.region": (0.459, 0.25)} == changes(said)
    assert "capacity" not in said.found


def test_floors_that_are_shares_give_way_by_thousandths():
    rows = homes_with(np.full(1_000, 0.5), area_id=[f"d{n % 300:03d}" for n in range(1_000)])
    rules = {"floors": {"area": {"share": 0.04}}}

    assert refused(rows, capacity={"amount": 40}, **rules) is None
    said = refused(rows, capacity={"amount": 32}, **rules)
    assert {"capacity": (40, 32), "floors.area": (0.032, 0.04)} == changes(said)
    assert "floors.area: a share of 0.032 in place of 0.04" in said.remedy


def test_a_named_place_is_changed_by_itself():
    rules = {"capacity": {"amount": 9}, "named": {"d0": {"at_least": 2}, "r0": {"at_most": 1}, "r1": {"at_most": 3}}}
    said = refused(**rules)

    assert "named.d0 asks for 2 visits at least; named.r0 allows 1 visits at most" in said.found
    assert {"named.d0.at_least": (1, 2), "named.r0.at_most": (2, 1)} == changes(said)


def test_reserves_that_no_household_can_share_are_refused():
    rows = THREE.assign(pregnant=THREE.index < 6, under_24_months=THREE.index >= 6)
    said = refused(rows, capacity={"amount": 10}, reserves={"pregnant": 0.6, "under_24_months": 0.6})

    assert {
        "capacity": (12, 10), "reserves.pregnant": (0.4, 0.6), "reserves.under_24_months": (0.4, 0.6),
    } == changes(said)  # fmt: skip


@pytest.mark.parametrize(
    ("prevent_share", "named", "expected"),
    [
        (0.9, {"r2": {"at_least": 4}}, 0.649),  # half up: 6.49 of 10 are 6, and 4 are left
        (0.1, {"r1": {"at_least": 4}}, 0.35),
        (1.0, {"r1": {"at_least": 5}, "r2": {"at_least": 5}}, 0.549),  # lower, but not to 0: 5 of each alone fit
    ],
)
def test_the_share_of_a_track_is_moved_the_way_that_helps(prevent_share, named, expected):
    rows = homes_with(np.full(40, 0.5), track=["prevent"] * 20 + ["find"] * 20, region_id=["r1"] * 20 + ["r2"] * 20)
    said = refused(rows, objective="by_age", prevent_share=prevent_share, capacity={"amount": 10}, named=named)

    assert (expected, prevent_share) == changes(said)["prevent_share"]


def test_visits_by_lot_are_told_where_they_are_what_is_lacking():
    said = refused(capacity={"amount": 6}, floors={"region": {"visits": 2}}, reserves={"exploration": 0.2})

    assert "capacity leaves 5 visits" in said.found
    assert "rules that fit together in 6 visits, of which 1 fall by lot and are not counted in these" == said.allowed
    assert (0.083, 0.2) == changes(said)["reserves.exploration"]  # half up: less than half a visit


def test_workers_who_may_not_visit_so_many_are_named():
    rows = THREE.assign(posyandu_id="mawar")
    said = refused(rows, workload={"most": 2}, floors={"region": {"visits": 1}})

    assert "workload.most of mawar allows 2 visits at most" in said.found
    assert {"workload.most": (3, 2), "floors.region": (0, 1)} == changes(said)


def test_a_share_spread_over_workers_gives_way():
    said = refused(
        capacity={"amount": 6}, workload={"by": "area", "equal_share": 1.0}, named={"d0": {"at_most": 0}}
    )  # fmt: skip

    assert {"named.d0.at_most": (1, 0)}.items() <= changes(said).items()
    assert 0 < changes(said)["workload.equal_share"][0] < 1


def test_two_conflicts_that_no_one_change_ends_are_told_so():
    named = {"d0": {"at_least": 2}, "d1": {"at_least": 2}, "r0": {"at_most": 1}, "r1": {"at_most": 1}}

    assert (
        "No change of one of them alone is enough: loosen more than one."
        == refused(capacity={"amount": 9}, named=named).remedy
    )


def test_a_round_of_many_households_is_told_a_capacity_that_is_just_enough():
    rows, _ = crowd(20_000, desa=100)
    rules = {"floors": {"area": {"share": 0.04}}, "reserves": {"exploration": 0.1}}

    assert (889, 500) == changes(refused(rows, capacity={"amount": 500}, **rules))["capacity"]
    assert refused(rows, capacity={"amount": 888}, **rules)
    assert refused(rows, capacity={"amount": 889}, **rules) is None


def test_limits_on_nothing_fit():
    policy = policy_with(capacity={"amount": 2})
    rows = homes_with([0.5, 0.5])
    free = replace(limits_of(policy, rows), lines=(Line(rule="capacity", place="", members=np.arange(2), most=inf),))

    assert feasibility.check(free, policy=policy, homes=rows) is None
