"""Retention: what is old goes, and what somebody decided on stays."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from serving.access.who import ANYBODY, at_command
from serving.children import hold
from serving.cli import app
from serving.decisions import Asked, Decisions
from serving.handing_told import FOLDER, GIVEN, State, Turn, keep, kept
from serving.plan_store import PlanStore
from serving.retention import Due, Limits, due, retain
from serving.store import open_store
from serving.tables import metadata
from serving.tables_access import account, credential, session, sign_in, trail
from serving.trail.verify import verify
from tests.serving.filled import contents
from tests.serving.plans import planned
from tests.serving.published import NOON, heading, made

pytestmark = pytest.mark.xdist_group("postgres")
DAY = dt.timedelta(days=1)
LIMITS = Limits.of(NOON, lists_days=100, scores_days=100, jobs_days=30)
ME = at_command("siti")
NOTHING = Due(lists=(), runs=(), sessions=0, sign_ins=0, tokens=0, jobs=0, hand_overs=0)
LISTS = ("worklist", "worklist_line", "worklist_left_out", "worklist_urgent")


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture
def lists(store):
    """By name: old, old with a decision on one of its households, an old plan, and one of 100 days."""
    found = {name: store.publish(made(3), heading(name, NOON - 101 * DAY)) for name in ("old", "decided")}
    found["plan"] = PlanStore(store.database).publish_plan(planned(), heading("plan", NOON - 102 * DAY))
    found["young"] = store.publish(made(3), heading("young", NOON - 100 * DAY))
    decided(store, found["decided"])
    return found


def decided(store, listed):
    asked = Asked(worklist_id=listed.id, household_id="house-000001", kind="accept", decided_by="Bu Sri")
    Decisions(store.database).decide(asked, at=NOON, who=ANYBODY)


def names(store):
    return {one.name for one in store.worklists(limit=100, who=ANYBODY)}


def told(store):
    with store.database.reading() as connection:
        assert verify(connection).fault is None
        lines = connection.execute(sa.select(trail).where(trail.c.act == "retain").order_by(trail.c.number)).mappings()
        return [(line["who"], line["list_id"], json.loads(line["about"])) for line in lines]


def signed_in(store):
    """Of each kind one that is over, and one that is not."""
    of = {"id": "a1", "name": "sri", "kind": "person", "roles": [], "everywhere": True, "regions": [], "areas": [],
          "must_change": False, "disabled": False, "failed": 0, "created_at": NOON, "changed_at": NOON}  # fmt: skip
    with store.database.writing() as connection:
        connection.execute(sa.insert(account), of)
        for place, until in enumerate((NOON - DAY, NOON + DAY)):
            key = {"account_id": "a1", "created_at": NOON, "expires_at": until}
            connection.execute(sa.insert(session), key | {"digest": f"s{place}", "via": "password", "seen_at": NOON})
            connection.execute(
                sa.insert(sign_in),
                {"digest": f"i{place}", "nonce": "n", "verifier": "v", "next_path": "/", "expires_at": until},
            )
            for kind in ("token", "key"):
                row = key | {"id": f"{kind}{place}", "kind": kind, "digest": "d", "label": "l"}
                connection.execute(sa.insert(credential), row)


def test_old_lists_go_whole_and_those_with_a_decision_stay(store, url, lists, tmp_path):
    before = contents(url)
    shown = due(store.database, LIMITS, folder=tmp_path)
    assert [("plan", 3), ("old", 3)] == [(one.name, one.row_count) for one in shown.lists]
    assert before == contents(url)

    assert shown == retain(store.database, LIMITS, who=ME, folder=tmp_path)

    assert {"decided", "young"} == names(store)
    after = contents(url)
    gone = {lists["old"].id, lists["plan"].id}
    for name in LISTS:
        of = "id" if name == "worklist" else "worklist_id"
        assert [row for row in before[name] if row[of] not in gone] == after[name]
    assert before["decision"] == after["decision"]
    assert [("command:siti", lists["plan"].id, 3), ("command:siti", lists["old"].id, 3)] == [
        (who, list_id, about["rows"]) for who, list_id, about in told(store)
    ]


def test_what_is_over_goes_and_keys_stay(store, tmp_path):
    signed_in(store)
    expected = Due(lists=(), runs=(), sessions=1, sign_ins=1, tokens=1, jobs=0, hand_overs=0)

    assert (
        expected
        == due(store.database, LIMITS, folder=tmp_path)
        == retain(store.database, LIMITS, who=ME, folder=tmp_path)
    )

    with store.database.reading() as connection:
        assert ["s1"] == connection.execute(sa.select(session.c.digest)).scalars().all()
        assert ["i1"] == connection.execute(sa.select(sign_in.c.digest)).scalars().all()
        assert {"token1", "key0", "key1"} == set(connection.execute(sa.select(credential.c.id)).scalars())
    assert [("command:siti", None, {"sessions": 1, "sign_ins": 1, "tokens": 1})] == told(store)


def test_jobs_that_ended_long_ago_go_with_their_files(store, tmp_path):
    job = metadata.tables["job"]
    row = {"name": "n", "made_by": "sri", "files": {}, "options": {}, "households_done": 0}
    for name, ended in (("old", NOON - 31 * DAY), ("young", NOON - 29 * DAY)):
        (tmp_path / "jobs" / name).mkdir(parents=True)
        with store.database.writing() as connection:
            moments = {"created_at": ended, "finished_at": ended}
            connection.execute(sa.insert(job), row | moments | {"id": name, "state": "done"})

    assert (
        1
        == due(store.database, LIMITS, folder=tmp_path).jobs
        == retain(store.database, LIMITS, who=ME, folder=tmp_path).jobs
    )

    assert ["young"] == [path.name for path in (tmp_path / "jobs").iterdir()]
    with store.database.reading() as connection:
        assert ["young"] == connection.execute(sa.select(job.c.id)).scalars().all()
    assert [("command:siti", None, {"jobs": 1})] == told(store)


def test_registers_that_nobody_used_go_with_their_files_unless_somebody_works_on_them(store, tmp_path):
    there = tmp_path / FOLDER
    (there / GIVEN).mkdir(parents=True)
    turn = Turn(by="sri", begun_at=NOON - 29 * DAY, sent=(), state=State.CHECKED)
    keep(there, turn)
    assert 0 == retain(store.database, LIMITS, who=ME, folder=tmp_path).hand_overs
    keep(there, replace(turn, begun_at=NOON - 31 * DAY))
    with hold(there):
        assert 0 == retain(store.database, LIMITS, who=ME, folder=tmp_path).hand_overs
    assert (there / GIVEN).exists()

    shown = due(store.database, LIMITS, folder=tmp_path)
    assert 1 == shown.hand_overs == retain(store.database, LIMITS, who=ME, folder=tmp_path).hand_overs

    assert (State.DROPPED, ME.name) == (kept(there).state, kept(there).decided_by)
    assert not (there / GIVEN).exists()
    assert [("command:siti", None, {"hand_overs": 1})] == told(store)


def test_where_nothing_is_due_nothing_is_written(store, tmp_path):
    assert NOTHING == retain(store.database, LIMITS, who=ME, folder=tmp_path)
    assert [] == told(store)


def test_a_list_on_which_somebody_decides_meanwhile_stays(store, lists, tmp_path, monkeypatch):
    shown = due(store.database, LIMITS, folder=tmp_path)
    decided(store, lists["old"])
    monkeypatch.setattr("serving.retention.due", lambda *_, **__: shown)

    assert ["plan"] == [one.name for one in retain(store.database, LIMITS, who=ME, folder=tmp_path).lists]
    assert {"old", "decided", "young"} == names(store)


def test_the_command_shows_first_and_lets_go_when_told(store, url, lists, tmp_path, monkeypatch):
    monkeypatch.setenv("TEPAT_DATABASE", url)
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("TEPAT_KEEP_LISTS_DAYS", "100")

    shown = CliRunner().invoke(app, ["retain"], env={"COLUMNS": "200"})
    assert (0, True, True) == (
        shown.exit_code,
        "Would go with --apply" in shown.output,
        lists["old"].id in shown.output,
    )
    assert {"old", "decided", "plan", "young"} == names(store)
    done = CliRunner().invoke(app, ["retain", "--apply"])
    assert (0, True) == (done.exit_code, "Gone" in done.output)
    assert {"decided"} == names(store)


def test_a_backup_by_command_moves_a_store_to_the_other_database(store, dialect, lists, address, url, tmp_path):
    other = address("sqlite" if dialect == "postgresql" else "postgresql", empty=True)
    file = tmp_path / "b.zip"

    taken = CliRunner().invoke(app, ["backup", str(file)], env={"TEPAT_DATABASE": url})
    put = CliRunner().invoke(app, ["restore", str(file)], env={"TEPAT_DATABASE": other})

    assert (0, 0) == (taken.exit_code, put.exit_code), taken.output + put.output
    assert "hush" not in taken.output + put.output
    moved = open_store(other)
    assert store.worklists(limit=9, who=ANYBODY) == moved.worklists(limit=9, who=ANYBODY)
    moved.close()
    assert lists["plan"] == PlanStore(store.database).plan(lists["plan"].id, who=ANYBODY)
