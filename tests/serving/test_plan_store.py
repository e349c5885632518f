"""Published plans: whole or absent, with whom they leave out and the urgent list, and lists of before beside them."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from serving.access.who import ANYBODY
from serving.database import connect
from serving.migrations import upgrade
from serving.plan_store import MOST_LIMITS, LeftOut, PlanStore, Urgent
from serving.store import Line, StoreRefused, open_store
from targeting.plan_files import LINE
from tests.conftest import ROOT
from tests.elsewhere import ELSEWHERE
from tests.serving import plans
from tests.serving.plans import HOMES, ON, URGENT, long, planned, policy
from tests.serving.published import NOON, heading, made

FIRST_VERSION = [
    """INSERT INTO worklist VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2024-05-06 12:00:00.000000', 'lama', 'find', 2,
    '["R1"]', 9, 2, 'r', 'm-1', 'c0ffee', '2024-05-01', '2023-11-30', true)""",
    """INSERT INTO worklist_line (worklist_id, rank, household_id, unit_count, risk, freshest_on) VALUES
    ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'h1', 1, 0.9, '2024-05-01'),
    ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 2, 'h2', 1, 0.5, '2024-05-01')""",
]
MANY = {"sqlite": 100_000, "postgresql": 60_000}
TABLES = ("worklist", "worklist_line", "worklist_left_out", "worklist_urgent")


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture
def of_plans(store):
    return PlanStore(store.database)


@pytest.fixture(scope="module")
def paged(dialect, address):
    """A plan that leaves out 37 households of three regions, and another."""
    opened = open_store(address(dialect))
    stored = PlanStore(opened.database).publish_plan(long(37), heading())
    PlanStore(opened.database).publish_plan(planned(), heading())
    yield PlanStore(opened.database), stored.id
    opened.close()


def counts(store):
    with store.database.reading() as connection:
        return [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in TABLES]  # noqa: S608 (our own names)


def pages_of(store, list_id, **asked):
    found, last = [], None
    while page := store.left_out(list_id, after_household=last, **asked, who=ANYBODY):
        assert asked["limit"] >= len(page)
        last = page[-1].household_id
        found += page
    return found


def test_a_plan_reads_as_it_was_made(store, of_plans):
    stored = of_plans.publish_plan(planned(), heading())

    assert stored == of_plans.plan(stored.id, who=ANYBODY)
    assert ("7", ON, 3, 5, 3, "2024-2") == (
        stored.policy_stamp.split("+")[0], stored.plan_on, stored.capacity, stored.eligible, stored.row_count,
        stored.round_name,
    )  # fmt: skip
    assert policy().model_dump(mode="json") == stored.policy
    assert (3, "exact", {"visits": 150_000, "pupr": 2_500_000}) == (
        stored.figures["visits"], stored.figures["method"], stored.figures["cost_idr"],
    )  # fmt: skip
    assert {"units.parquet": "c0ffee"} == stored.fingerprints
    assert ["dinsos has no line", "no register `service`", "no register `contact`"] == [
        note[: len(said)]
        for note, said in zip(
            stored.notes, ["dinsos has no line", "no register `service`", "no register `contact`"], strict=True
        )
    ]
    lines = store.page(stored.id, after_rank=0, limit=10, who=ANYBODY)
    assert [
        (1, "h1", 0.9, "value", 1.0, "jamban", 2_500_000, "pkh", "melati", 0.1, None),
        (2, "h2", 0.8, "value", 1.0, "", 0, "", None, 0.1, None),
        (3, "h4", 0.2, "floors.region", 1.0, "", 0, "jamban", None, 0.1, None),
    ] == [
        (
            one.rank, one.household_id, one.value, one.chosen_for, one.weight, one.services, one.services_idr,
            one.unmet, one.posyandu_id, one.risk_low, one.risk_survey,
        )
        for one in lines
    ]  # fmt: skip


def _plain(cell):
    """A cell of a table as a program that knows no table has it."""
    if pd.isna(cell):
        return None
    return cell.date() if isinstance(cell, pd.Timestamp) else cell


def test_every_cell_of_a_plan_is_kept(store, of_plans):
    done = planned()
    stored = of_plans.publish_plan(done, heading())

    def same(kept, table, names):
        told = [[_plain(cell) for cell in row] for row in table[names].itertuples(index=False)]
        return told == [[getattr(one, name) for name in names] for one in kept]

    of_lines = [name for name in Line.__dataclass_fields__ if name in done.plan.lines]
    assert set(Line.__dataclass_fields__) == set(of_lines)
    assert same(store.page(stored.id, after_rank=0, limit=99, who=ANYBODY), done.plan.lines, of_lines)
    assert same(
        of_plans.left_out(stored.id, limit=99, who=ANYBODY), done.plan.left_out, list(LeftOut.__dataclass_fields__)
    )
    numbered = URGENT.assign(place=[1, 2, 3])
    assert same(of_plans.urgent(stored.id, who=ANYBODY), numbered, list(Urgent.__dataclass_fields__))


def test_a_line_of_a_plan_holds_what_its_file_shows_or_can_be_told_from_its_columns():
    of_the_list = {"region_name", "model_version"}
    kinds = {"pregnant", "under_24_months", "never_measured"}

    assert of_the_list | kinds == set(LINE) - set(Line.__dataclass_fields__)


def test_a_household_is_on_the_plan_or_left_out_with_why_or_not_known(of_plans):
    stored = of_plans.publish_plan(planned(), heading())
    found = {name: of_plans.line_of(stored.id, name, who=ANYBODY) for name in ("h1", "h3", "h6", "h7")}

    assert (Line, 1) == (type(found["h1"]), found["h1"].rank)
    assert (LeftOut, "capacity") == (type(found["h3"]), found["h3"].kept_out_by)
    assert (LeftOut, "moved", None, "sudah pindah") == (
        type(found["h6"]), found["h6"].kept_out_by, found["h6"].short_by, found["h6"].why_id,
    )  # fmt: skip
    assert found["h7"] is None
    assert of_plans.line_of("0" * 32, "h1", who=ANYBODY) is None


def test_the_urgent_list_is_whole_though_the_plan_is_of_one_region(of_plans):
    stored = of_plans.publish_plan(planned(regions=["R2"], capacity={"amount": 1}), heading())

    assert [("ana", None), (None, "ina"), ("budi", None)] == [
        (one.child_id, one.mother_id) for one in of_plans.urgent(stored.id, who=ANYBODY)
    ]
    assert [1, 2] == [one.place for one in of_plans.urgent(stored.id, household_id="h1", who=ANYBODY)]
    assert ("R2",) == stored.regions


def test_a_list_by_risk_alone_is_no_plan(store, of_plans):
    listed = store.publish(made(3), heading())

    assert of_plans.plan(listed.id, who=ANYBODY) is None
    assert of_plans.plan("0" * 32, who=ANYBODY) is None
    assert ([], []) == (of_plans.left_out(listed.id, limit=9, who=ANYBODY), of_plans.urgent(listed.id, who=ANYBODY))
    assert (listed.policy_stamp, listed.plan_on) == (None, None)
    assert None is of_plans.line_of(listed.id, "house-000001", who=ANYBODY).track


def test_a_plan_of_no_visits_is_a_plan(of_plans):
    stored = of_plans.publish_plan(planned(quotas={"region": {"visits": 0}}, floors={}), heading())

    assert (0, None, None) == (stored.row_count, stored.freshest_on, stored.stalest_on)
    assert 6 == len(of_plans.left_out(stored.id, limit=9, who=ANYBODY))


def test_the_same_policy_twice_makes_equal_plans(store, of_plans):
    first, second = (of_plans.publish_plan(planned(), heading()) for _ in range(2))

    assert first.id != second.id
    assert store.page(first.id, after_rank=0, limit=9, who=ANYBODY) == store.page(
        second.id, after_rank=0, limit=9, who=ANYBODY
    )
    assert of_plans.left_out(first.id, limit=9, who=ANYBODY) == of_plans.left_out(second.id, limit=9, who=ANYBODY)
    assert (first.policy_stamp, first.figures) == (second.policy_stamp, second.figures)


def test_limits_that_cost_or_bind_are_kept_the_dearest_first_and_as_plain_json(of_plans):
    stored = of_plans.publish_plan(planned(), heading())

    assert stored.limits == json.loads(json.dumps(stored.limits, allow_nan=False))
    kept = {(one["rule"], one["place"]) for one in stored.limits}
    assert {("capacity", ""), ("floors.region", "R2")} <= kept
    assert ("floors.region", "R1") not in kept  # two visits where one is asked for
    step = {"visits": 10, "rupiah": 10_000_000}
    weights = [abs(one["price"]) * step[one["unit"]] for one in stored.limits]
    assert sorted(weights, reverse=True) == weights


def test_of_very_many_limits_the_dearest_are_kept(of_plans):
    many = pd.concat([HOMES.assign(household_id=f"{place}" + HOMES.household_id, area_id=f"A{place}")
                      for place in range(MOST_LIMITS)])  # fmt: skip
    done = planned(homes=many, floors={}, quotas={"area": {"visits": 1}}, capacity={"amount": MOST_LIMITS})
    stored = of_plans.publish_plan(done, heading())

    assert MOST_LIMITS + 1 < len(done.plan.limits)
    assert MOST_LIMITS == len(stored.limits)


@given(limit=st.integers(1, 40), region=st.sampled_from([None, "R0", "R1", "R2", "R9"]))
def test_pages_joined_are_all_whom_a_plan_leaves_out_once_and_by_identifier(paged, limit, region):
    store, list_id = paged
    expected = [f"house-{place:06d}" for place in range(37) if region in (None, f"R{place % 3}")]

    assert expected == [one.household_id for one in pages_of(store, list_id, limit=limit, region=region)]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nobody_is_refused(paged, limit):
    store, list_id = paged
    with pytest.raises(ValueError, match="must be 1 or more"):
        store.left_out(list_id, limit=limit, who=ANYBODY)


@pytest.mark.parametrize("stop_at", [14, None], ids=["midst", "commit"])
def test_a_process_killed_while_publishing_leaves_no_plan_and_harms_none(
    store, of_plans, url, dialect, monkeypatch, stop_at
):
    whole = of_plans.publish_plan(planned(), heading("whole"))
    before = counts(store)
    monkeypatch.syspath_prepend(ROOT)
    here, there = ELSEWHERE.Pipe()
    process = ELSEWHERE.Process(target=plans.publish_until, args=(url, MANY[dialect], stop_at, there))
    process.start()
    there.close()  # so that a process that fails is heard
    assert "here" == here.recv()
    process.kill()
    process.join()
    store.close()
    again = open_store(url)

    assert -9 == process.exitcode
    assert [whole.id] == [one.id for one in again.worklists(limit=9, who=ANYBODY)]
    assert whole == PlanStore(again.database).plan(whole.id, who=ANYBODY)
    assert before == counts(again)
    with again.database.reading() as connection:
        if dialect == "sqlite":
            assert "ok" == connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    assert PlanStore(again.database).publish_plan(planned(), heading()).row_count == 3
    again.close()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_plan_that_finds_no_room_is_refused_whole(store, of_plans):
    # The result code of a full disk.
    room = [200]
    sa.event.listen(
        store.database.engine, "begin", lambda found: found.exec_driver_sql(f"PRAGMA max_page_count = {room[0]}")
    )
    with pytest.raises(StoreRefused, match="its disk is full"):
        of_plans.publish_plan(long(20_000), heading())

    assert [0, 0, 0, 0] == counts(store)
    room[0] = 100_000
    assert of_plans.publish_plan(long(20_000), heading()).row_count == 3
    assert [1, 3, 20_000, 3] == counts(store)


def test_a_plan_that_leaves_out_five_times_as_many_takes_no_more_memory(of_plans, monkeypatch):
    monkeypatch.setattr("serving.keeping.CHUNK", 500)
    peaks = []
    for left_out in (1_000, 5_000):
        big = long(left_out)
        tracemalloc.start()
        of_plans.publish_plan(big, heading())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def test_a_store_of_before_plans_keeps_its_lists(dialect, address):
    url = address(dialect, empty=True)
    _first_version(url)
    store = open_store(url)
    listed = store.worklists(limit=9, who=ANYBODY)

    assert ["lama"] == [one.name for one in listed]
    assert (NOON, 2, ("R1",), None) == (
        listed[0].created_at, listed[0].row_count, listed[0].regions, listed[0].policy_stamp,
    )  # fmt: skip
    lines = store.page("a" * 32, after_rank=0, limit=9, who=ANYBODY)
    assert [(1, "h1", 0.9, None, None), (2, "h2", 0.5, None, None)] == [
        (one.rank, one.household_id, one.risk, one.value, one.services_idr) for one in lines
    ]
    assert dt.date(2024, 5, 1) == lines[0].freshest_on
    assert PlanStore(store.database).publish_plan(planned(), heading()).row_count == 3
    store.close()


def _first_version(url: str) -> None:
    """A filled store, as the version of revision 0001 left it."""
    database = connect(url, wait_ms=5_000)
    with database.writing() as connection:
        upgrade(connection, database.name, to="0001")
        for statement in FIRST_VERSION:
            connection.exec_driver_sql(statement)
    database.close()
