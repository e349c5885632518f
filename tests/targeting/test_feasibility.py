"""Rules that cannot all be kept are refused, with which they are and the smallest change that ends it."""

import re
from dataclasses import replace
from math import inf

import numpy as np
from hypothesis import given, settings

from features.errors import InputRefused
from targeting import feasibility
from targeting.limits import Limits, Line, limits_of
from tests.targeting.planned import homes_with, policy_with, rounds, subsets

CHANGE = re.compile(r"(?:; or |this: )([\w.]+): (room for )?([\d,]+) visits (?:at least )?in place of ([\d,]+)")
THREE = homes_with(
    np.full(12, 0.5), region_id=[f"r{n % 3}" for n in range(12)], area_id=[f"d{n % 6}" for n in range(12)]
)


def refusal(limits, households):
    try:
        feasibility.check(limits, households=households)
    except InputRefused as refused:
        return refused
    return None


def refused(rows=THREE, **rules):
    return refusal(limits_of(policy_with(**rules), rows), len(rows))


def changes(said):
    """By rule: visits in place of which, and whether they are room."""
    return {
        rule: (int(now.replace(",", "")), int(was.replace(",", "")), bool(room))
        for rule, room, now, was in CHANGE.findall(said)
    }


def rule_of(line):
    return f"named.{line.place}" if line.rule == "named" else line.rule


def fits(limits, households):
    """By trying every choice of households."""
    chosen = subsets(households)
    counts = np.column_stack([chosen[:, line.members].sum(axis=1) for line in limits.lines])
    least, most = np.array([line.least for line in limits.lines]), np.array([line.most for line in limits.lines])
    return bool(((counts >= least) & (counts <= most)).all(axis=1).any())


@settings(max_examples=40)
@given(rounds())
def test_limits_are_refused_when_no_choice_of_households_keeps_them(found):
    limits = limits_of(found.policy, found.homes)

    assert fits(limits, len(found.homes)) == (refusal(limits, len(found.homes)) is None)


@settings(max_examples=40)
@given(rounds())
def test_the_rules_named_conflict_and_would_not_without_any_one_of_them(found):
    limits = limits_of(found.policy, found.homes)
    said = refusal(limits, len(found.homes))
    if said is None:
        return
    named = [rule for rule in {rule_of(line) for line in limits.lines} if re.search(rf"\b{rule}\b", said.found)]

    assert not fits(with_rules(limits, named), len(found.homes))
    for rule in named:
        assert fits(with_rules(limits, [one for one in named if one != rule]), len(found.homes))


@settings(max_examples=40)
@given(rounds())
def test_the_change_proposed_ends_the_conflict_and_a_smaller_one_does_not(found):
    limits = limits_of(found.policy, found.homes)
    said = refusal(limits, len(found.homes))
    if said is None:
        return
    named = [rule for rule in {rule_of(line) for line in limits.lines} if re.search(rf"\b{rule}\b", said.found)]
    for rule, (now, was, room) in changes(str(said)).items():
        if 1 < sum(rule_of(line) == rule for line in limits.lines):
            continue  # a change of several places at once is tried below
        step = 1 if room else -1
        assert 0 < (now - was) * step
        assert fits(changed(limits, rule, now, room=room, named=named), len(found.homes))
        assert not fits(changed(limits, rule, now - step, room=room, named=named), len(found.homes))


def with_rules(limits, rules):
    every = Line(rule="none", place="", members=np.arange(1))
    return replace(limits, lines=(every, *(line for line in limits.lines if rule_of(line) in rules)))


def changed(limits, rule, now, *, room, named):
    kept = with_rules(limits, named)
    number = {"most": now} if room else {"least": now}
    return replace(kept, lines=tuple(replace(line, **number) if rule_of(line) == rule else line for line in kept.lines))


def test_floors_that_ask_for_more_than_there_is_are_refused_with_both_ways_out():
    said = refused(capacity={"amount": 6}, floors={"region": {"visits": 3}})

    assert (
        "rules that cannot all be kept: capacity leaves 6 visits; "
        "floors.region of 3 places, r0, r1, r2 asks for 9 visits at least"
    ) == said.found
    assert "rules that fit together in 6 visits" == said.allowed
    assert (
        "Change one of them by as little as this: capacity: room for 9 visits in place of 6; "
        "or floors.region: 6 visits at least in place of 9 (66% of what it asks)."
    ) == said.remedy


def test_each_way_out_is_one():
    assert refused(capacity={"amount": 8}, floors={"region": {"visits": 3}})
    assert refused(capacity={"amount": 9}, floors={"region": {"visits": 3}}) is None
    assert refused(capacity={"amount": 6}, floors={"region": {"visits": 2}}) is None


def test_floors_of_one_visit_each_give_way_one_by_one():
    remedy = refused(capacity={"amount": 4}, floors={"area": {"visits": 1}}).remedy

    assert "floors.area: 4 visits at least in place of 6 (66% of what it asks)" in remedy


def test_a_floor_above_its_quota_is_refused_with_both():
    said = refused(floors={"region": {"visits": 2}}, quotas={"region": {"share": 0.25}}, capacity={"amount": 9})

    assert {"floors.region": (3, 6, False), "quotas.region": (6, 3, True)} == changes(str(said))
    assert "capacity" not in said.found
    assert refused(floors={"region": {"visits": 1}}, quotas={"region": {"share": 0.25}}) is None
    assert refused(floors={"region": {"visits": 2}}, quotas={"region": {"share": 0.5}}, capacity={"amount": 9}) is None


def test_a_named_place_is_changed_by_itself():
    rules = {"capacity": {"amount": 9}, "named": {"d0": {"at_least": 2}, "r0": {"at_most": 1}, "r1": {"at_most": 3}}}
    said = refused(**rules)

    assert "named.d0 asks for 2 visits at least; named.r0 allows 1 visits at most" in said.found
    assert {"named.d0": (1, 2, False), "named.r0": (2, 1, True)} == changes(str(said))
    assert refused(**rules | {"named": {"d0": {"at_least": 1}, "r0": {"at_most": 1}}}) is None


def test_reserves_that_no_household_can_share_are_refused():
    rows = THREE.assign(pregnant=THREE.index < 6, under_24_months=THREE.index >= 6)
    rules = {"capacity": {"amount": 10}, "reserves": {"pregnant": 0.6, "under_24_months": 0.6}}
    said = refused(rows, **rules)

    assert {
        "capacity": (12, 10, True),
        "reserves.pregnant": (4, 6, False),
        "reserves.under_24_months": (4, 6, False),
    } == (changes(str(said)))
    assert refused(rows, **rules | {"reserves": {"pregnant": 0.4, "under_24_months": 0.6}}) is None


def test_visits_by_lot_are_told_where_they_are_what_is_lacking():
    said = refused(capacity={"amount": 6}, floors={"region": {"visits": 2}}, reserves={"exploration": 0.2})

    assert "capacity leaves 5 visits" in said.found
    assert "rules that fit together in 6 visits, of which 1 fall by lot and are not counted in these" == said.allowed


def test_workers_who_may_not_visit_so_many_are_named():
    rows = THREE.assign(posyandu_id="mawar")
    said = refused(rows, workload={"most": 2}, floors={"region": {"visits": 1}})

    assert "workload.most of mawar allows 2 visits at most" in said.found
    assert {"workload.most": (3, 2, True), "floors.region": (2, 3, False)} == changes(str(said))


def test_few_visits_and_many_desa_fit():
    rows = homes_with(np.full(1_000, 0.5), area_id=[f"d{n % 300:03d}" for n in range(1_000)])
    rules = {"floors": {"area": {"share": 0.04}}}

    assert refused(rows, capacity={"amount": 40}, **rules) is None
    assert {"capacity": (40, 39, True), "floors.area": (39, 40, False)} == (
        changes(str(refused(rows, capacity={"amount": 39}, **rules)))
    )


def test_limits_on_nothing_fit():
    limits = Limits(
        lines=(Line(rule="capacity", place="", members=np.arange(2), most=inf),), visits=2, by_lot=0, notes=()
    )

    assert refusal(limits, 2) is None
