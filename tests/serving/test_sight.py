"""What somebody sees of published lists: the part in their regions, ranked by itself, and nothing beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputRefused
from serving.access.roles import Role
from serving.access.scope import EVERYWHERE, Scope
from serving.access.who import ANYBODY, Who
from serving.decisions import Asked, Decisions, KeyTaken, NotOnTheList
from serving.list_page import in_danger
from serving.listing import Asking, KeyUsed, digest_of, key_of
from serving.plan_store import LeftOut, PlanStore
from serving.store import open_store
from serving.tables_access import trail
from serving.trail.entry import Entry
from serving.trail.writer import append
from targeting.worklist import worklist
from tests.serving.plans import HOMES, planned
from tests.serving.published import NOON, heading, made

PLACES = [(f"R{region}", f"R{region}A{area}") for region in range(3) for area in range(3)]
NOWHERE_KNOWN = (None, None)
SCOPES = st.builds(
    Scope,
    regions=st.frozensets(st.sampled_from(["R0", "R1", "R2", "R9"]), max_size=3),
    areas=st.frozensets(st.sampled_from([area for _, area in PLACES] + ["R9A9"]), max_size=4),
)
LISTED, LEFT_OUT = 37, 23
OF_ALL = {"chance": None, "weight": None}
MANY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def who(scope: Scope, name: str = "ani") -> Who:
    return Who(name=name, kind="person", roles=frozenset({Role.PLANNER}), scope=scope, via="session")


def only(*regions: str, areas: tuple[str, ...] = ()) -> Who:
    return who(Scope(regions=frozenset(regions), areas=frozenset(areas)))


def placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Households spread over the places, one in ten nowhere that is known."""
    where = [NOWHERE_KNOWN if n % 10 == 7 else PLACES[n * 7 % len(PLACES)] for n in range(len(rows))]
    return rows.assign(region_id=[region for region, _ in where], area_id=[area for _, area in where])


def wide_list():
    rows = placed(made(LISTED).rows.drop(columns="rank"))
    return worklist(rows, capacity=LISTED, salt="2024-2")


def wide_plan(**more):
    """A plan of all places: some households on it, others left out, three urgent."""
    many = pd.concat([HOMES.assign(household_id=HOMES.household_id + f"-{n:02d}") for n in range(12)])
    many = placed(many.reset_index(drop=True))
    gone = placed(pd.DataFrame({"household_id": [f"gone-{n}" for n in range(9)], "why": "moved"}))
    rules = {"floors": {}, "budgets_idr": {}, "capacity": {"amount": 25}, "reserves": {"exploration": 0.2}} | more
    return planned(homes=many, apart=gone, **rules)


@pytest.fixture(scope="module")
def store(dialect, address):
    opened = open_store(address(dialect), wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def listed(store):
    return store.publish(wide_list(), heading("wide"))


@pytest.fixture(scope="module")
def plan(store):
    return PlanStore(store.database).publish_plan(wide_plan(), heading("plan"))


@pytest.fixture(scope="module")
def fresh(store):
    """Gives a list that nobody decided of yet."""
    return lambda: PlanStore(store.database).publish_plan(planned(), heading())


def pages_of(ask, *, last, key):
    found = []
    while page := ask(last):
        found += page
        last = key(page[-1])
    return found


def lines_of(store, list_id, *, who, limit=1_000):
    def ask(last):
        return store.page(list_id, after_rank=last, limit=limit, who=who)

    return pages_of(ask, last=0, key=lambda line: line.rank)


def inside(scope, rows):
    return [one for one in rows if scope.holds(region_id=one.region_id, area_id=one.area_id)]


def of_a_part(rows):
    """Lines as a part has them: ranked from one, without what counts the others."""
    return [replace(one, rank=place, **OF_ALL) for place, one in enumerate(rows, start=1)]


@MANY
@given(scope=SCOPES, limit=st.integers(1, 40))
def test_pages_joined_are_the_lines_of_ones_regions_in_order_and_ranked_from_one(store, listed, plan, scope, limit):
    asker = who(scope)
    for one in (listed, plan):
        expected = of_a_part(inside(scope, lines_of(store, one.id, who=ANYBODY)))
        found = store.worklist(one.id, who=asker)

        assert expected == lines_of(store, one.id, who=asker, limit=limit)
        if found is None:
            assert [] == expected
        else:
            assert (len(expected), None, None, None, False) == (
                found.row_count, found.capacity, found.eligible, found.scope, found.whole,
            )  # fmt: skip
            assert found.freshest_on == max((line.freshest_on for line in expected), default=None)
            assert found.stalest_on == min((line.stalest_on for line in expected), default=None)


@MANY
@given(scope=SCOPES, region=st.sampled_from(["R0", "R1", "R9"]))
def test_a_region_asked_for_is_of_ones_own_or_empty(store, listed, scope, region):
    asker = who(scope)
    expected = [line for line in lines_of(store, listed.id, who=asker) if line.region_id == region]

    assert expected == store.page(listed.id, after_rank=0, limit=99, region=region, who=asker)


@MANY
@given(scope=SCOPES, limit=st.integers(1, 30))
def test_whom_a_plan_leaves_out_and_whom_it_refers_are_those_of_ones_regions(store, plan, scope, limit):
    of_plans, asker = PlanStore(store.database), who(scope)
    left = pages_of(
        lambda last: of_plans.left_out(plan.id, after_household=last, limit=limit, who=asker),
        last=None, key=lambda one: one.household_id,
    )  # fmt: skip
    everybody = inside(scope, of_plans.left_out(plan.id, limit=1_000, who=ANYBODY))

    assert [one.household_id for one in everybody] == [one.household_id for one in left]
    assert all(one.short_by is None and " cut" not in one.why_en and "batas:" not in one.why_id for one in left)
    assert [one.kept_out_by for one in everybody] == [one.kept_out_by for one in left]
    urgent = inside(scope, of_plans.urgent(plan.id, who=ANYBODY))
    assert [replace(one, place=n) for n, one in enumerate(urgent, start=1)] == of_plans.urgent(plan.id, who=asker)


@MANY
@given(scope=SCOPES)
def test_a_household_is_seen_by_those_of_its_place_with_the_rank_of_their_page(store, plan, scope):
    of_plans, asker = PlanStore(store.database), who(scope)
    seen = {one.household_id: one for one in lines_of(store, plan.id, who=asker)}
    seen |= {one.household_id: one for one in of_plans.left_out(plan.id, limit=1_000, who=asker)}
    homes = [one.household_id for one in lines_of(store, plan.id, who=ANYBODY)][::4]
    homes += [one.household_id for one in of_plans.left_out(plan.id, limit=1_000, who=ANYBODY)][::7]

    assert [seen.get(home) for home in homes] == [of_plans.line_of(plan.id, home, who=asker) for home in homes]


@MANY
@pytest.mark.usefixtures("listed", "plan")
@given(scope=SCOPES, limit=st.integers(1, 5))
def test_lists_that_say_nothing_of_ones_regions_are_not_there(store, scope, limit):
    asker, of_plans = who(scope), PlanStore(store.database)
    seen = pages_of(
        lambda last: store.worklists(limit=limit, before=last, who=asker), last=None, key=lambda one: one.id
    )

    for one in store.worklists(limit=100, who=ANYBODY):
        told = [*lines_of(store, one.id, who=ANYBODY), *of_plans.left_out(one.id, limit=999, who=ANYBODY)]
        says = bool(inside(scope, [*told, *of_plans.urgent(one.id, who=ANYBODY)]))
        assert says == (one.id in {two.id for two in seen}) == (store.worklist(one.id, who=asker) is not None)
        if not says:
            with pytest.raises(InputRefused, match="the id of no list"):
                store.worklists(limit=1, before=one.id, who=asker)


@pytest.mark.parametrize("asker", [who(EVERYWHERE), only("R1"), only("R9")], ids=["all", "R1", "R9"])
@pytest.mark.parametrize("name", ["region_id", "area_id", "household_id"])
def test_who_is_in_danger_is_found_by_place_and_by_household(store, plan, name, asker):
    everybody = PlanStore(store.database).urgent(plan.id, who=ANYBODY)
    found = store.worklist(plan.id, who=asker)
    for one in {getattr(one, name) for one in everybody}:
        told = in_danger(store.database, found, who=asker, scores=None, limit=9, only={name: one})
        of_it = inside(asker.scope, [other for other in everybody if getattr(other, name) == one])

        assert len(of_it) == told.count
        assert [other.why_id for other in of_it] == [other.why_id for other in told.some]


def test_a_plan_is_told_to_those_who_see_all_of_it(store, plan):
    of_plans = PlanStore(store.database)

    assert plan == of_plans.plan(plan.id, who=who(EVERYWHERE))
    assert None is of_plans.plan(plan.id, who=only("R0", "R1", "R2"))


def test_a_list_made_for_one_region_is_whole_for_those_of_it_and_a_part_for_others(store):
    one_region = placed(made(9).rows.drop(columns="rank"))
    one_region = one_region[one_region.region_id == "R0"]
    scope = Scope(regions=frozenset({"R0"}))
    stored = store.publish(worklist(one_region, capacity=9, salt="2024-2"), heading(), asking=Asking(scope=scope))

    assert stored == store.worklist(stored.id, who=only("R0", "R1")) == store.worklist(stored.id, who=ANYBODY)
    assert ({"regions": ["R0"], "areas": []}, True) == (stored.scope, stored.whole)
    assert False is store.worklist(stored.id, who=only(areas=("R0A0",))).whole
    assert None is store.worklist(stored.id, who=only("R1"))


def test_a_plan_made_for_one_region_is_not_there_for_those_of_another(store):
    of_plans = PlanStore(store.database)
    one = of_plans.publish_plan(wide_plan(regions=["R0"]), heading("only R0"))
    far = of_plans.left_out(one.id, limit=1_000, region="R1", who=ANYBODY)

    assert {"other region", "moved"} >= {home.kept_out_by for home in far} >= {"other region"}
    assert [None, None] == [store.worklist(one.id, who=who) for who in (only("R1"), only(areas=("R2A1",)))]
    assert one.id not in {two.id for two in store.worklists(limit=100, who=only("R1"))}
    assert one.id == store.worklist(one.id, who=only("R0")).id == store.worklist(one.id, who=only("R0", "R1")).id


def test_ones_own_list_is_seen_though_nobody_is_on_it(store):
    scope = Scope(regions=frozenset({"R8"}))
    none = worklist(made(3).rows.drop(columns="rank"), capacity=0, salt="2024-2")
    stored = store.publish(none, replace(heading(), made_by="ani"), asking=Asking(scope=scope))

    assert stored == store.worklist(stored.id, who=who(scope))
    assert None is store.worklist(stored.id, who=who(scope, "budi"))


def asked(plan, home, **more):
    said = {"kind": "accept", "decided_by": "Puskesmas Contoh"} | more
    return Asked(worklist_id=plan.id, household_id=home, **said)


def test_decisions_are_seen_and_made_by_those_of_the_households_place(store, fresh):
    kept, one = Decisions(store.database), fresh()
    far = kept.decide(asked(one, "h1"), at=NOON, who=ANYBODY)
    near = kept.decide(asked(one, "h4"), at=NOON, who=only("R2"))

    assert [near] == kept.decisions(limit=9, who=only("R2"), worklist_id=one.id)
    assert [far.id] == [two.id for two in kept.decisions(limit=9, who=only("R1"), worklist_id=one.id)]
    assert [] == kept.decisions(limit=9, who=only("R2"), household_id="h1")
    for home in ("h1", "h3", "nobody"):
        with pytest.raises(NotOnTheList, match=r"^The list does not know a household of this identifier\.$"):
            kept.decide(asked(one, home), at=NOON, who=only("R2"))
    with pytest.raises(InputRefused, match="the id of no decision"):
        kept.decisions(limit=9, who=only("R2"), before=far.id)
    assert ("ani", "this-machine") == (near.account, far.account)


def test_a_decision_keeps_the_line_of_the_whole_list_and_tells_each_reader_theirs(store, fresh):
    kept, one = Decisions(store.database), fresh()
    theirs = kept.decide(asked(one, "h4"), at=NOON, who=only("R2"))
    left = kept.decide(asked(one, "h5"), at=NOON, who=only("R2"))
    [whole_left, whole] = kept.decisions(limit=9, who=ANYBODY, worklist_id=one.id)

    assert (1, None, None) == tuple(theirs.line[name] for name in ("rank", "chance", "weight"))
    assert (3, 1.0, 1.0) == tuple(whole.line[name] for name in ("rank", "chance", "weight"))
    assert theirs.line == whole.line | {"rank": 1} | OF_ALL
    assert (None, "the capacity of the round") == (left.line["short_by"], left.line["why_en"])
    assert (True, True) == (whole_left.line["short_by"] > 0, "below the cut" in whole_left.line["why_en"])


@MANY
@given(scope=SCOPES)
def test_decisions_of_a_plan_are_those_of_ones_regions_each_with_the_line_of_ones_page(store, plan, scope):
    kept, asker = Decisions(store.database), who(scope)
    if not kept.decisions(limit=1, who=ANYBODY, worklist_id=plan.id):
        lines = lines_of(store, plan.id, who=ANYBODY)
        for line in lines[::3]:
            kept.decide(asked(plan, line.household_id), at=NOON, who=ANYBODY)
    ranks = {line.household_id: line.rank for line in lines_of(store, plan.id, who=asker)}
    everybody = kept.decisions(limit=99, who=ANYBODY, worklist_id=plan.id)
    expected = [one.id for one in everybody if one.household_id in ranks]
    found = pages_of(
        lambda last: kept.decisions(limit=2, who=asker, worklist_id=plan.id, before=last), last=None,
        key=lambda one: one.id,
    )  # fmt: skip

    assert expected == [one.id for one in found]
    assert [ranks[one.household_id] for one in found] == [one.line["rank"] for one in found]


def test_an_objection_of_any_region_is_held_back(store, fresh):
    kept = Decisions(store.database)
    kept.decide(asked(fresh(), "h4", kind="object", reason="tidak mau"), at=NOON, who=only("R2"))

    assert "objection" == dict(kept.held(NOON.date()).itertuples(index=False))["h4"]


def test_equal_bodies_have_one_digest_and_equal_keys_of_two_accounts_differ():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
    assert 3 == len({key_of("ani", "klik"), key_of("budi", "klik"), key_of('ani", "k', "lik")})


def noted(line):
    """Asks that a line stands in the trail with the list."""

    def note(connection, list_id):
        append(connection, [replace(line, list_id=list_id)])

    return note


LINE = Entry(at=NOON, who="ani", via="session", act="list.make", request_id="r-1")


def trail_of(store, request_id):
    with store.database.reading() as connection:
        said = sa.select(trail.c.list_id, trail.c.households).where(trail.c.request_id == request_id)
        return [tuple(row) for row in connection.execute(said)]


def test_of_two_threads_with_one_key_one_makes_the_list_and_both_find_it(store):
    asking = Asking(key=key_of("ani", "klik-1"), digest="d", note=noted(replace(LINE, request_id="r-2")))

    def publish(_):
        try:
            return store.publish(made(200), heading(), asking=asking).id
        except KeyUsed:
            return store.of_request(asking.key)[0]

    with ThreadPoolExecutor(6) as threads:
        told = set(threads.map(publish, range(12)))

    [one] = told
    assert (one, "d") == store.of_request(asking.key)
    assert [(one, "[]")] == trail_of(store, "r-2")
    assert None is store.of_request(key_of("budi", "klik-1"))


def test_a_plan_is_made_once_for_a_key_too(store):
    asking, of_plans = Asking(key=key_of("ani", "klik-2"), digest="d"), PlanStore(store.database)
    stored = of_plans.publish_plan(planned(), heading(), asking=asking)
    with pytest.raises(KeyUsed):
        of_plans.publish_plan(planned(), heading(), asking=asking)

    assert (stored.id, "d") == store.of_request(asking.key)


@pytest.mark.parametrize("what", ["list", "plan"])
def test_a_list_that_cannot_be_noted_is_not_kept_and_one_that_is_refused_leaves_no_line(store, what):
    def refuse(connection, list_id):
        append(connection, [replace(LINE, request_id="r-3", list_id=list_id)])
        raise KeyError(list_id)

    before = store.worklists(limit=100, who=ANYBODY)
    publish, of = (store.publish, made(3)) if what == "list" else (PlanStore(store.database).publish_plan, planned())
    with pytest.raises(KeyError):
        publish(of, heading(), asking=Asking(note=refuse))

    assert before == store.worklists(limit=100, who=ANYBODY)
    assert [] == trail_of(store, "r-3")


def test_a_key_of_a_decision_is_of_one_account(store, fresh):
    kept, one = Decisions(store.database), fresh()
    first = kept.decide(asked(one, "h4"), at=NOON, who=only("R2"), key="klik-3")
    other = kept.decide(asked(one, "h1"), at=NOON, who=who(EVERYWHERE, "budi"), key="klik-3")

    assert first.id != other.id
    assert first == kept.decide(asked(one, "h4"), at=NOON, who=only("R2"), key="klik-3")
    # Who lost the region since is told no more than that the household is not known.
    with pytest.raises(NotOnTheList):
        kept.decide(asked(one, "h4"), at=NOON, who=only("R1"), key="klik-3")
    with pytest.raises(KeyTaken):
        kept.decide(asked(one, "h1"), at=NOON, who=only("R1"), key="klik-3")


def test_threads_with_one_key_keep_one_decision_with_its_line_of_the_trail_each(store, fresh):
    kept, one = Decisions(store.database), fresh()

    def note(connection, decision):
        line = replace(LINE, request_id="r-4", list_id=decision.worklist_id, households=(decision.household_id,))
        append(connection, [line])

    def decide(_):
        return kept.decide(asked(one, "h1"), at=NOON, who=ANYBODY, key="klik-4", note=note)

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(decide, range(12)))

    assert 1 == len({decision.id for decision in told}) == len(kept.decisions(limit=9, who=ANYBODY, worklist_id=one.id))
    assert [(one.id, '["h1"]')] * 12 == trail_of(store, "r-4")
    assert asdict(told[0]) == asdict(told[-1])


def test_the_trail_may_ask_whether_a_household_is_known_to_a_list_at_all(store, plan):
    of_plans = PlanStore(store.database)
    left = of_plans.left_out(plan.id, limit=1, who=ANYBODY)[0]

    assert isinstance(left, LeftOut)
    assert of_plans.knows(plan.id, left.household_id)
    assert not of_plans.knows(plan.id, "nobody")
    assert not of_plans.knows("0" * 32, left.household_id)
