"""The plan that reaches most: exact where there are few, proven near where there are many, and within every limit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from features.errors import InputRefused
from targeting import allocation, feasibility, relaxation
from targeting.allocation import allocate, by_order
from targeting.formulation import names_of, problem_of
from targeting.limits import limits_of
from targeting.problem import Problem, bound
from targeting.relaxation import relaxed
from tests.targeting.planned import (
    crowd,
    half_up,
    homes_with,
    offers_with,
    policy_with,
    rounds,
    subsets,
)  # fmt: skip

TINY = 1e-9
"""Children: sums of floats in another order."""


def fitting(found):
    """The limits and the problem of a round whose rules can all be kept."""
    limits = limits_of(found.policy, found.homes)
    try:
        feasibility.check(limits, policy=found.policy, homes=found.homes)
    except InputRefused:
        assume(condition=False)
    return limits, problem_of(found.policy, limits, found.homes, found.offers)


def worth_of(found):
    """What each visit and each offer is worth, from the rows. [children]"""
    policy, homes = found.policy, found.homes.set_index("household_id")
    credited = {name: policy.credit_effects and track == "prevent" for name, track in homes.track.items()}
    visit = [value * (policy.service_worth if credited[name] else 1.0) for name, value in homes.value.items()]
    offer = [
        homes.value[one.household_id]
        * (
            one.reduction * min(one.persons / homes.unit_count[one.household_id], 1)
            if credited[one.household_id] and one.reduction == one.reduction
            else policy.service_worth
        )
        for one in found.offers.itertuples()
    ]
    return np.array(visit), np.array(offer)


def best(found, problem):
    """The most that any choice of visits and offers reaches. [children]"""
    visits, offers = problem.households, problem.offers
    chosen = subsets(visits + offers)
    visited, given_ = chosen[:, :visits], chosen[:, visits:]
    used = chosen.astype(float) @ problem.use.T.toarray()
    keeps = ((used <= problem.most + 0.01) & (used >= problem.least - 0.01)).all(axis=1)
    keeps &= ~(given_ & ~visited[:, problem.home]).any(axis=1)
    for home in range(visits):
        keeps &= given_[:, (problem.home == home) & problem.credited].sum(axis=1) <= 1
    visit, offer = worth_of(found)
    return (visited[keeps] @ visit + given_[keeps] @ offer).max()


@settings(max_examples=25)
@given(rounds(lots=False, most=7, offers=4))
def test_no_choice_of_visits_and_offers_reaches_more(found):
    _, problem = fitting(found)
    made = allocate(problem)
    visit, offer = worth_of(found)

    assert "exact" == made.method
    assert best(found, problem) == pytest.approx(made.reached, abs=TINY)
    assert visit @ made.visited + offer @ made.given == pytest.approx(made.reached, abs=TINY)
    assert made.reached <= made.bound + TINY


@settings(max_examples=10)
@given(rounds(lots=False, most=12, offers=1))
def test_no_choice_among_a_dozen_households_reaches_more(found):
    _, problem = fitting(found)

    assert best(found, problem) == pytest.approx(allocate(problem).reached, abs=TINY)


@settings(max_examples=25)
@given(rounds())
def test_no_unchosen_household_dominates_a_chosen_one_under_the_same_limits(found):
    _, problem = fitting(found)
    made = allocate(problem)

    for kind in np.unique(problem.kind):
        own = problem.kind == kind
        inside, outside = problem.gain[own & made.visited], problem.gain[own & ~made.visited]
        if inside.size and outside.size:
            assert inside.min() >= outside.max()
            level = own & (problem.gain == inside.min())
            tied_in, tied_out = problem.lot[level & made.visited], problem.lot[level & ~made.visited]
            assert not tied_out.size or tied_in.max() < tied_out.min()


@settings(max_examples=25)
@given(rounds(lots=False), st.data(), st.integers(1, 60))
def test_a_raised_risk_never_drops_a_chosen_household(found, data, more):
    _, problem = fitting(found)
    chosen = np.flatnonzero(allocate(problem).visited)
    assume(chosen.size)
    home = data.draw(st.sampled_from(chosen.tolist()))
    raised = found.homes.assign(value=found.homes.value + np.where(np.arange(len(found.homes)) == home, more / 100, 0))
    again = problem_of(found.policy, limits_of(found.policy, raised), raised, found.offers)

    assert allocate(again).visited[home]


@settings(max_examples=25)
@given(rounds(), st.data())
def test_looser_limits_never_reach_less(found, data):
    limits, problem = fitting(found)
    names = names_of(found.policy, limits)
    row = data.draw(st.sampled_from(range(len(names))))
    loosened = np.arange(len(names)) == row
    more = 600_000 if names[row][0] == "budgets_idr" else 1
    wider = replace(problem, most=problem.most + more * loosened)
    lower = replace(problem, least=np.maximum(problem.least - more * loosened, 0.0))

    assert allocate(wider).reached >= allocate(problem).reached - TINY
    assert allocate(lower).reached >= allocate(problem).reached - TINY


def reached(policy, homes, offers):
    return allocate(problem_of(policy, limits_of(policy, homes), homes, offers)).reached


@pytest.mark.parametrize(
    ("tight", "loose"),
    [
        ({"capacity": {"amount": 3}}, {"capacity": {"amount": 4}}),
        ({"quotas": {"region": {"visits": 2}}}, {"quotas": {"region": {"visits": 3}}}),
        ({"floors": {"region": {"visits": 1}}}, {"floors": {"region": {"visits": 0}}}),
        ({"named": {"a05": {"at_least": 1}}}, {"named": {}}),
        ({"workload": {"by": "area", "most": 0}}, {"workload": {"by": "area", "most": 1}}),
        ({"budgets_idr": {"dinkes": 700_000}}, {"budgets_idr": {"dinkes": 1_400_000}}),
        ({"budgets_idr": {"dinkes": 0}}, {"budgets_idr": {"dinkes": None}}),
    ],
)
def test_a_looser_policy_reaches_more_where_its_rule_binds(tight, loose):
    homes = homes_with([0.9, 0.8, 0.7, 0.6, 0.1, 0.1], region_id=["r1", "r1", "r1", "r1", "r2", "r2"])
    offers = offers_with([("h00", "pmt"), ("h01", "pmt")])
    offers = offers[offers.owner.isin(list(tight.get("budgets_idr", {})))]

    assert reached(policy_with(**tight), homes, offers) < reached(policy_with(**loose), homes, offers)


@settings(max_examples=25)
@given(rounds(), st.data())
def test_any_prices_prove_a_bound(found, data):
    _, problem = fitting(found)
    price = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.5, 2.0])
    prices = np.array(data.draw(st.lists(price, min_size=problem.least.size, max_size=problem.least.size)))

    assert allocate(problem).reached <= bound(problem, prices / problem.scale) + TINY
    # Where nothing is asked for, a price below 0 would be one for not using a limit, and proves as well.
    assert allocate(problem).reached <= bound(problem, -prices / problem.scale) + TINY


@settings(max_examples=25)
@given(rounds())
def test_a_greedy_plan_keeps_every_upper_limit_and_where_it_keeps_all_never_beats_the_bound(found):
    _, problem = fitting(found)
    price = relaxed(problem).price
    made = by_order(problem, problem.gain, price=price)

    assert replace(problem, least=np.zeros_like(problem.least)).keeps(made.visited, made.given)
    assert made.reached <= made.bound + TINY or not problem.keeps(made.visited, made.given)
    assert "greedy" == made.method


@settings(max_examples=40)
@given(rounds())
def test_every_rule_is_kept(found):
    limits, problem = fitting(found)
    made = allocate(problem)

    assert problem.keeps(made.visited, made.given)
    kept(found, made.visited)
    handed_over(found, made.visited, made.given)
    assert half_up(found.policy.reserves.exploration, limits.visits) == limits.by_lot


def kept(found, visited):
    """The rules on visits, by their own numbers."""
    policy, homes = found.policy, found.homes
    count = len(homes)
    capacity = policy.capacity
    visits = {
        "visits": half_up(capacity.share, count) if capacity.share is not None else capacity.amount,
        "rupiah": int((capacity.amount or 0) // policy.visit.cost_idr),
    }[capacity.unit]
    visits = int(min(visits, count))
    chosen = visits - half_up(policy.reserves.exploration, visits)
    assert visited.sum() <= chosen
    worker = homes.posyandu_id.fillna("desa " + homes.area_id.fillna("?"))
    place = {"region": homes.region_id, "area": homes.area_id, "posyandu": worker}
    for level, part in policy.floors.items():
        for here in members(place[level]):
            least = min(part.visits, here.sum()) if part.visits is not None else int(part.share * here.sum())
            assert visited[here].sum() >= least
    for level, part in policy.quotas.items():
        for here in members(place[level]):
            most = part.visits if part.visits is not None else -int(-part.share * here.sum() // 1)
            assert visited[here].sum() <= most
    for name, named in policy.named.items():
        here = (homes.region_id.eq(name) | homes.area_id.eq(name)).fillna(value=False).to_numpy(bool)
        assert named.at_least <= visited[here].sum() <= (count if named.at_most is None else named.at_most)
    for kind in ("pregnant", "under_24_months", "never_measured"):
        own = homes[kind].fillna(value=False).to_numpy(bool)
        assert visited[own].sum() >= min(getattr(policy.reserves, kind) * visits - TINY, own.sum())
    cared = worker if policy.workload.by == "posyandu" else "desa " + homes.area_id.fillna("?")
    for here in members(cared):
        assert visited[here].sum() <= (count if policy.workload.most is None else policy.workload.most)
        assert visited[here].sum() >= int(policy.workload.equal_share * chosen * here.sum() / count - TINY)
    if policy.objective == "by_age":
        prevent = (homes.track == "prevent").to_numpy()
        places = max(min(half_up(policy.prevent_share, chosen), prevent.sum()), chosen - (~prevent).sum())
        assert visited[prevent].sum() <= places
        assert visited[~prevent].sum() <= chosen - places


def members(place):
    return [(place == name).fillna(value=False).to_numpy(bool) for name in place.dropna().unique()]


def handed_over(found, visited, given_):
    """The rules on services, by their own numbers."""
    policy, offers = found.policy, found.offers[given_]
    for owner, spent in offers.groupby("owner").cost_idr.sum().items():
        assert policy.budgets_idr[owner] is None or spent <= policy.budgets_idr[owner]
    assert set(offers.household_id) <= set(found.homes.household_id[visited])
    track = found.homes.set_index("household_id").track
    credited = offers[offers.reduction.notna() & offers.household_id.map(track).eq("prevent")]
    if policy.credit_effects:
        assert max(Counter(credited.household_id).values(), default=0) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_a_budget_is_kept_to_the_rupiah(seed):
    chance = np.random.default_rng(seed)
    cost = chance.integers(1_000_000, 30_000_000, 8)
    wanted = chance.integers(0, 2**8 - 1)
    most = cost[subsets(8)[wanted + 1]].sum() - 1  # one rupiah less than some choice costs
    problem = Problem(
        gain=np.full(8, 0.5), home=np.arange(8), offer_gain=chance.integers(1, 100, 8) / 100,
        credited=np.zeros(8, dtype=bool),
        use=sparse.csc_array(np.vstack([np.r_[np.ones(8), np.zeros(8)], np.r_[np.zeros(8), cost]])),
        least=np.zeros(2), most=np.array([8.0, most]), kind=np.arange(8), lot=chance.random(8),
    )  # fmt: skip
    made = allocate(problem)
    worths = [choice @ problem.offer_gain for choice in subsets(8) if choice @ cost <= most]

    assert most >= cost[made.given].sum()
    assert 4 + max(worths) == pytest.approx(made.reached)


CROWDED = {
    "capacity": {"share": 0.1}, "floors": {"region": {"share": 0.04}, "area": {"share": 0.02}},
    "quotas": {"area": {"share": 0.3}}, "reserves": {"pregnant": 0.1, "under_24_months": 0.4},
    "workload": {"most": 12, "equal_share": 0.2},
    "budgets_idr": {"dinkes": 20_000_001, "pupr": 40_000_000, "dinsos": None},
}  # fmt: skip
MANY = [
    (400, {"objective": "find"}),
    (1_000, {"objective": "by_age", "credit_effects": True}),
    (3_000, {"objective": "find"}),
    (1_500, {"objective": "prevent", "credit_effects": True}),
]


def crowded(count, rules):
    homes, offers = crowd(count)
    policy = policy_with(**CROWDED, **rules)
    limits = limits_of(policy, homes)
    feasibility.check(limits, policy=policy, homes=homes)
    return problem_of(policy, limits, homes, offers)


@pytest.mark.parametrize(("count", "rules"), MANY)
def test_a_rounded_plan_keeps_every_limit_and_is_near_its_bound(count, rules):
    problem = crowded(count, rules)
    made = allocate(problem)

    assert "relaxed and rounded" == made.method
    assert problem.keeps(made.visited, made.given)
    assert made.reached <= made.bound + TINY
    assert made.gap < (0.005 if count >= 1_000 else 0.02)
    down_the_list = by_order(problem, problem.gain, price=made.price)
    assert problem.keeps(down_the_list.visited, down_the_list.given)
    assert made.reached >= down_the_list.reached


@pytest.mark.parametrize(("count", "rules"), MANY[:2])
def test_sifting_ends_at_the_bound_of_the_whole_relaxation(count, rules, monkeypatch):
    problem = crowded(count, rules)
    whole = relaxed(problem)
    monkeypatch.setattr(relaxation, "WHOLE_UP_TO", 200)
    monkeypatch.setattr(relaxation, "SAMPLE", 100)
    sifted = relaxed(problem)

    assert bound(problem, whole.price) == pytest.approx(bound(problem, sifted.price), rel=1e-6)
    assert problem.worth(whole.visited, whole.given) == pytest.approx(
        problem.worth(sifted.visited, sifted.given), rel=1e-6
    )


def test_a_relaxed_plan_reaches_its_own_bound():
    problem = crowded(400, {"objective": "find"})
    parts = relaxed(problem)

    assert bound(problem, parts.price) == pytest.approx(problem.worth(parts.visited, parts.given), rel=1e-9)


@settings(max_examples=25)
@given(rounds(), st.data(), st.floats(-0.4, 0.4))
def test_a_little_more_of_a_limit_adds_no_more_than_its_price(found, data, change):
    _, problem = fitting(found)
    parts = relaxed(problem)
    row = data.draw(st.sampled_from(np.flatnonzero(np.isfinite(problem.most)).tolist()))
    other = relaxed(
        replace(problem, most=problem.most + change * problem.scale * (np.arange(len(problem.most)) == row))
    )
    assume(other is not None)
    step = change * problem.scale[row] * max(parts.price[row], 0.0)

    assert problem.worth(other.visited, other.given) <= problem.worth(parts.visited, parts.given) + step + 1e-7


def test_a_price_is_what_a_little_more_adds():
    # Parts of visits, so that no cut falls between two households: 2.5 visits of r1, 4.3 in all.
    homes = homes_with([0.93, 0.71, 0.52, 0.34, 0.61, 0.47, 0.29], region_id=["r1", "r1", "r1", "r1", "r2", "r2", "r2"])
    policy = policy_with(quotas={"region": {"visits": 4}}, floors={"region": {"visits": 1}}, capacity={"amount": 4})
    problem = problem_of(policy, limits_of(policy, homes), homes, offers_with([]))
    names = names_of(policy, limits_of(policy, homes))
    most = dict(zip(names, problem.most, strict=True)) | {("capacity", ""): 4.3, ("quotas.region", "r1"): 2.5}
    problem = replace(problem, most=np.array([most[name] for name in names]))
    parts = relaxed(problem)
    price = dict(zip(names, parts.price, strict=True))

    assert 0.47 == pytest.approx(price["capacity", ""])
    assert 0.52 - 0.47 == pytest.approx(price["quotas.region", "r1"])
    for row, name in enumerate(names):
        if price[name] > 0:
            more = relaxed(replace(problem, most=problem.most + 0.1 * (np.arange(len(names)) == row)))
            added = problem.worth(more.visited, more.given) - problem.worth(parts.visited, parts.given)
            assert 0.1 * price[name] == pytest.approx(added)


def test_equal_gains_fall_by_lot_and_by_the_name_of_the_round():
    homes = homes_with(np.full(10, 0.5))
    chosen = set()
    for name in ("satu", "dua", "tiga", "empat"):
        policy = policy_with(round=name)
        problem = problem_of(policy, limits_of(policy, homes), homes, offers_with([]))
        visited = allocate(problem).visited
        assert set(np.argsort(problem.lot)[:3]) == set(np.flatnonzero(visited))
        chosen.add(tuple(np.flatnonzero(visited)))

    assert 1 < len(chosen)


def test_of_equal_gains_the_stalest_facts_come_first():
    homes = homes_with(np.full(4, 0.5), stalest_on=["2024-03-01", "2023-03-01", None, "2024-03-01"])
    policy = policy_with(ties="stalest_first", capacity={"amount": 2})
    problem = problem_of(policy, limits_of(policy, homes), homes, offers_with([]))

    assert [False, True, True, False] == allocate(problem).visited.tolist()


def test_where_the_solver_finds_nothing_the_plan_is_greedy_and_says_so(monkeypatch):
    problem = crowded(400, {"objective": "find"})
    monkeypatch.setattr(allocation, "relaxed", lambda _: None)
    made = allocate(problem)

    assert "greedy" == made.method
    assert problem.keeps(made.visited, made.given)
    assert made.reached <= made.bound
