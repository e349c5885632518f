"""Decisions: added to, never changed, with the line as it stood; and whom they keep off the next plan."""

from __future__ import annotations

import datetime as dt
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputRefused
from serving.access.who import ANYBODY
from serving.decisions import Asked, Decisions, KeyTaken, NotOnTheList
from serving.plan_store import PlanStore
from serving.store import StoreRefused, open_store
from tests.serving.plans import planned
from tests.serving.published import NOON, heading, made

DAY = dt.timedelta(days=1)
TODAY = NOON.date()
REFUSED = {
    "an override": ({"kind": "override"}, "override without a reason", "Fill in `reason`"),
    "an objection": ({"kind": "object", "reason": "  "}, "object without a reason", "Fill in `reason`"),
    "a deferral": ({"kind": "defer", "until": TODAY}, "defer without a reason", "Fill in `reason`"),
    "no end": ({"kind": "defer", "reason": "pergi"}, "defer without a last day", "Fill in `until`"),
    "an end in the past": (
        {"kind": "defer", "reason": "pergi", "until": TODAY - DAY}, "a deferral until 2024-05-05", "still to come",
    ),
    "an end of nothing": ({"kind": "accept", "until": TODAY}, "accept with a last day", "Leave `until` out"),
    "nobody": ({"kind": "accept", "decided_by": " "}, "a decision of nobody", "Fill in `decided_by`"),
    "a NIK": ({"kind": "accept", "decided_by": "Ibu 3201010101010001"}, "16 digits in decided_by", "Leave it out"),
    "a NIK in parts": ({"kind": "accept", "reason": "3201 0101 0101 0001"}, "16 digits in reason", "Leave it out"),
    "a KK in parts": ({"kind": "accept", "reason": "320101-010101-0001"}, "16 digits in reason", "Leave it out"),
}  # fmt: skip
ON_SQLITE = [
    "UPDATE decision SET reason = 'lain'",
    "UPDATE OR IGNORE decision SET kind = 'accept'",
    "UPDATE OR REPLACE decision SET number = 9",
    "DELETE FROM decision",
    "REPLACE INTO decision SELECT * FROM decision",
    """INSERT OR REPLACE INTO decision
    (number, id, worklist_id, household_id, kind, decided_by, decided_at, model_stamp, on_list, line) SELECT
    77, id, worklist_id, household_id, 'accept', decided_by, decided_at, model_stamp, on_list, line FROM decision""",
    """INSERT OR REPLACE INTO decision
    (id, worklist_id, household_id, kind, decided_by, decided_at, model_stamp, on_list, line, request_key) SELECT
    'new', worklist_id, household_id, 'accept', decided_by, decided_at, model_stamp, on_list, line, request_key
    FROM decision""",
    "INSERT INTO decision SELECT * FROM decision WHERE true ON CONFLICT DO UPDATE SET reason = 'lain'",
]
ON_POSTGRESQL = [
    "UPDATE decision SET reason = 'lain'",
    "UPDATE decision SET number = 9",
    "DELETE FROM decision",
    "TRUNCATE decision",
    "TRUNCATE worklist CASCADE",
    "INSERT INTO decision SELECT * FROM decision ON CONFLICT (number) DO UPDATE SET reason = 'lain'",
    """MERGE INTO decision USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE""",
    "WITH gone AS (DELETE FROM decision RETURNING 1) SELECT * FROM gone",
]
CHANGES = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def done():
    return planned()


@pytest.fixture
def plan(store, done):
    return PlanStore(store.database).publish_plan(done, heading())


@pytest.fixture
def kept(store):
    return Decisions(store.database)


def asked(plan, household_id="h1", **more):
    given_all = {"kind": "accept", "decided_by": "Puskesmas Contoh"} | more
    return Asked(worklist_id=plan.id, household_id=household_id, **given_all)


def deferred(plan, household_id="h1", until=TODAY):
    return asked(plan, household_id, kind="defer", reason="pergi", until=until)


def objecting(plan, household_id="h1"):
    return asked(plan, household_id, kind="object", reason="tidak mau")


def away(kept, on=TODAY):
    return dict(kept.held(on).itertuples(index=False))


def test_a_decision_reads_as_it_was_made(kept, plan):
    jakarta = NOON.astimezone(dt.timezone(dt.timedelta(hours=7)))
    decision = kept.decide(deferred(plan, until=TODAY + DAY), at=jakarta, who=ANYBODY)

    assert [decision] == kept.decisions(limit=9, who=ANYBODY)
    assert asdict(deferred(plan, until=TODAY + DAY)) == {name: asdict(decision)[name] for name in asdict(asked(plan))}
    assert (NOON, dt.UTC) == (decision.decided_at, kept.decisions(limit=9, who=ANYBODY)[0].decided_at.tzinfo)
    assert (plan.model_stamp, plan.policy_stamp, True) == (
        decision.model_stamp, decision.policy_stamp, decision.on_list,
    )  # fmt: skip


def test_a_decision_keeps_the_line_as_it_stood_though_a_newer_list_is_made(store, kept, plan):
    decision = kept.decide(asked(plan), at=NOON, who=ANYBODY)
    line = asdict(PlanStore(store.database).line_of(plan.id, "h1", who=ANYBODY))
    newer = PlanStore(store.database).publish_plan(planned(capacity={"amount": 2}), heading(created_at=NOON + DAY))
    anew = kept.decide(asked(newer), at=NOON + DAY, who=ANYBODY)

    days = {name: line[name].isoformat() for name in ("freshest_on", "stalest_on")}
    assert line | days == decision.line
    assert [anew, decision] == kept.decisions(limit=9, who=ANYBODY)
    assert anew.policy_stamp != decision.policy_stamp


def test_a_household_that_was_left_out_is_decided_of_with_why_it_was(kept, plan):
    decision = kept.decide(asked(plan, "h6", kind="override", reason="masih tinggal di sini"), at=NOON, who=ANYBODY)

    assert (False, "moved", "sudah pindah") == (
        decision.on_list, decision.line["kept_out_by"], decision.line["why_id"],
    )  # fmt: skip


def test_a_decision_of_a_list_by_risk_alone_has_no_policy(store, kept):
    listed = store.publish(made(3), heading())
    decision = kept.decide(asked(listed, "house-000001"), at=NOON, who=ANYBODY)

    assert (None, 2) == (decision.policy_stamp, decision.line["rank"])


@pytest.mark.parametrize(("more", "found", "remedy"), REFUSED.values(), ids=REFUSED)
def test_a_decision_that_cannot_stand_is_refused_and_not_kept(kept, plan, more, found, remedy):
    with pytest.raises(InputRefused) as refused:
        kept.decide(asked(plan, **more), at=NOON, who=ANYBODY)

    assert found in str(refused.value)
    assert remedy in refused.value.remedy
    assert "0101" not in str(refused.value)
    assert [] == kept.decisions(limit=9, who=ANYBODY)


def test_only_a_household_that_the_list_knows_is_decided_of(kept, plan):
    with pytest.raises(NotOnTheList, match="does not know a household"):
        kept.decide(asked(plan, "h7"), at=NOON, who=ANYBODY)
    with pytest.raises(NotOnTheList, match="No list"):
        kept.decide(Asked(worklist_id="0" * 32, household_id="h1", kind="accept", decided_by="x"), at=NOON, who=ANYBODY)


def _changes(dialect):
    return [pytest.param(dialect, change, id=f"{dialect}-{place}") for place, change in enumerate(CHANGES[dialect])]


@pytest.mark.parametrize(("dialect", "change"), [*_changes("sqlite"), *_changes("postgresql")], indirect=["dialect"])
def test_a_decision_cannot_be_changed_by_sql(store, kept, plan, url, dialect, change):
    decision = kept.decide(objecting(plan), at=NOON, key="k", who=ANYBODY)
    on_a_file = dialect == "sqlite"
    beside = sqlite3.connect(store.database.path, isolation_level=None) if on_a_file else psycopg.connect(url)
    refusal = sqlite3.IntegrityError if on_a_file else psycopg.errors.RaiseException
    with pytest.raises(refusal, match="a decision is kept as it was made"):
        beside.execute(change)
    beside.close()

    assert [decision] == kept.decisions(limit=9, who=ANYBODY)


def test_a_list_of_which_something_was_decided_stays(store, kept, plan):
    kept.decide(asked(plan), at=NOON, who=ANYBODY)
    with pytest.raises(StoreRefused), store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM worklist")

    assert [plan.id] == [one.id for one in store.worklists(limit=9, who=ANYBODY)]


def test_a_request_sent_twice_is_one_decision(kept, plan):
    first = kept.decide(deferred(plan), at=NOON, key="klik-1", who=ANYBODY)
    again = kept.decide(deferred(plan), at=NOON + 9 * DAY, key="klik-1", who=ANYBODY)

    assert first == again
    assert [first] == kept.decisions(limit=9, who=ANYBODY)
    assert first.id != kept.decide(deferred(plan), at=NOON, key="klik-2", who=ANYBODY).id
    assert 2 == len({kept.decide(asked(plan), at=NOON, who=ANYBODY).id for _ in range(2)})


@pytest.mark.parametrize("more", [{"reason": "lain"}, {"household_id": "h2"}, {"until": TODAY + DAY}])
def test_a_key_stands_for_one_decision_only(kept, plan, more):
    first = kept.decide(deferred(plan), at=NOON, key="klik-1", who=ANYBODY)
    with pytest.raises(KeyTaken, match=f"differs in {next(iter(more))}"):
        kept.decide(Asked(**asdict(deferred(plan)) | more), at=NOON, key="klik-1", who=ANYBODY)

    assert [first] == kept.decisions(limit=9, who=ANYBODY)


def test_a_key_is_not_kept_as_it_was_given(store, kept, plan):
    kept.decide(asked(plan), at=NOON, key="3201010101010001", who=ANYBODY)
    with store.database.reading() as connection:
        assert "3201010101010001" not in str(connection.exec_driver_sql("SELECT * FROM decision").all())


def test_eight_threads_with_one_key_keep_one_decision(kept, plan):
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: kept.decide(objecting(plan), at=NOON, key="klik", who=ANYBODY), range(24)))

    assert 1 == len({one.id for one in told}) == len(kept.decisions(limit=99, who=ANYBODY))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_joined_are_all_decisions_once_and_newest_first(kept, plan, limit):
    made_all = [kept.decide(asked(plan, f"h{place % 3 + 1}"), at=NOON, who=ANYBODY) for place in range(7)]
    seen = []
    while page := kept.decisions(limit=limit, before=seen[-1].id if seen else None, who=ANYBODY):
        seen += page

    assert made_all[::-1] == seen
    assert made_all[::-1][::3] == kept.decisions(limit=9, household_id="h1", who=ANYBODY)
    assert [] == kept.decisions(limit=9, worklist_id="0" * 32, who=ANYBODY)
    assert 7 == len(kept.decisions(limit=9, worklist_id=plan.id, who=ANYBODY))
    with pytest.raises(InputRefused, match="Begin again without it"):
        kept.decisions(limit=1, before="0" * 32, who=ANYBODY)


def test_an_objection_holds_until_it_is_withdrawn(kept, plan):
    assert {} == away(kept)
    kept.decide(objecting(plan), at=NOON, who=ANYBODY)
    kept.decide(asked(plan), at=NOON, who=ANYBODY)
    assert {"h1": "objection"} == away(kept, TODAY + 999 * DAY)
    kept.decide(asked(plan, kind="withdraw"), at=NOON, who=ANYBODY)
    assert {} == away(kept)


def test_a_deferral_ends_on_a_day_of_the_clock_by_which_it_is_made(kept, plan):
    early = dt.datetime.combine(TODAY, dt.time(5, 6), tzinfo=ZoneInfo("Asia/Jakarta"))  # still yesterday in UTC

    with pytest.raises(InputRefused, match=f"until {TODAY - DAY}"):
        kept.decide(deferred(plan, until=TODAY - DAY), at=early, who=ANYBODY)
    assert early == kept.decide(deferred(plan, until=TODAY), at=early, who=ANYBODY).decided_at


def test_a_deferral_holds_through_its_last_day(kept, plan):
    kept.decide(deferred(plan, until=TODAY + DAY), at=NOON, who=ANYBODY)

    assert [{"h1": "deferred"}, {"h1": "deferred"}, {}] == [away(kept, TODAY + n * DAY) for n in range(3)]


def test_a_newer_deferral_counts_though_it_ends_sooner_and_the_clock_was_set_back(kept, plan):
    kept.decide(deferred(plan, until=TODAY + 9 * DAY), at=NOON, who=ANYBODY)
    kept.decide(deferred(plan, until=TODAY), at=NOON - DAY, who=ANYBODY)

    assert {} == away(kept, TODAY + DAY)


def test_a_household_that_objects_and_is_deferred_objects(kept, plan):
    kept.decide(deferred(plan, until=TODAY + DAY), at=NOON, who=ANYBODY)
    kept.decide(objecting(plan), at=NOON, who=ANYBODY)

    assert {"h1": "objection"} == away(kept)


MOVES = st.tuples(
    st.sampled_from(["h1", "h2"]), st.sampled_from(["accept", "override", "defer", "object", "withdraw"]),
    st.integers(0, 3),
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, max_size=8), on=st.integers(0, 4))
def test_whoever_is_held_back_follows_from_the_decisions_in_their_order(kept, plan, moves, on):
    for home in ("h1", "h2"):  # what earlier examples decided is over
        kept.decide(asked(plan, home, kind="withdraw"), at=NOON, who=ANYBODY)
    objects, until = set(), {}
    for home, kind, days in moves:
        last = TODAY + days * DAY if kind == "defer" else None
        kept.decide(asked(plan, home, kind=kind, reason="sebab", until=last), at=NOON, who=ANYBODY)
        if kind in ("defer", "accept", "withdraw"):
            until[home] = last
        if kind in ("object", "withdraw"):
            (objects.add if kind == "object" else objects.discard)(home)
    day = TODAY + on * DAY
    expected = {home: "deferred" for home, last in until.items() if last and last >= day}

    assert expected | dict.fromkeys(objects, "objection") == away(kept, day)
