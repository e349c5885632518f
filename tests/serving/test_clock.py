"""What holds when the clock of a server is set back or forward: nothing lasts for ever, and nothing is out of order."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest

from serving.access.credentials import bearer_row, issue_token
from serving.access.keys import digest
from serving.access.known import known
from serving.access.limiting import Limits
from serving.access.sessions import open_session
from serving.access.shown import Shown
from serving.access.signing import Attempt, sign_in
from serving.access.who import ANYBODY
from serving.errors import TooMany, Unauthorized
from serving.jobs.claims import STALE, Claims
from serving.jobs.kept import Jobs, made_now
from serving.store import open_store
from serving.trail.reading import Filter, lines
from serving.trail.verify import verify
from serving.trail.writer import append
from tests.serving.doors import OWN, Doors, hash_quickly
from tests.serving.trails import look

NOW = dt.datetime(2027, 1, 11, 2, tzinfo=dt.UTC)
YEAR, HOUR, MINUTE = dt.timedelta(days=365), dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def doors(tmp_path, monkeypatch):
    hash_quickly(monkeypatch)
    made = Doors(tmp_path)
    yield made
    made.shelf.close()


def tries(doors, password, *, at):
    with doors.shelf.store() as store:
        attempt = Attempt(name="siti", password=password, at=at, request_id="r", address="10.0.0.1")
        return sign_in(store.database, attempt, doors.service)


def is_in(doors, shown, *, at):
    with doors.shelf.store() as store, store.database.reading() as connection:
        found = known(connection, shown, at=at)
    return found is not None and not found.is_over(at, doors.service)


def test_a_session_lasts_no_longer_when_the_clock_is_set_back(doors):
    account_id = doors.account("siti", "planner").account.id
    with doors.shelf.store() as store, store.database.writing() as connection:
        hours = doors.service.session_hours
        secret = open_session(connection, account_id, via="password", at=NOW, hours=hours)
    shown = Shown("session", digest(secret), secret)

    moments = (NOW, NOW - 5 * MINUTE, NOW + 5 * MINUTE, NOW - YEAR, NOW + YEAR)
    assert [True, True, True, False, False] == [is_in(doors, shown, at=at) for at in moments]


def test_a_lock_lasts_no_longer_when_the_clock_is_set_back(doors):
    password = doors.account("siti", "planner").one_time
    for _ in range(doors.service.lock_after):
        with pytest.raises(Unauthorized):
            tries(doors, OWN, at=NOW)

    for at in (NOW, NOW - 5 * MINUTE):
        with pytest.raises(Unauthorized):
            tries(doors, password, at=at)
    assert "siti" == tries(doors, password, at=NOW - YEAR).account.name


def test_a_token_lasts_no_longer_when_the_clock_is_set_back_and_a_key_holds_until_its_day(doors):
    client = doors.system("simpati", "integrator", kind="client")
    key = doors.hand().new_key("simpati", kind="key", label="uji", until=NOW)
    with doors.shelf.store() as store, store.database.writing() as connection:
        token, _ = issue_token(connection, client, at=NOW)

    with doors.shelf.store() as store, store.database.reading() as connection:
        held = {
            name: [bearer_row(connection, shown, at=at) is not None for at in (NOW - YEAR, NOW - HOUR / 2, NOW + HOUR)]
            for name, shown in (("token", token), ("key", key))
        }
    assert {"token": [False, True, False], "key": [True, True, False]} == held


def test_who_asked_too_often_may_ask_again_when_the_clock_is_set_back(doors, monkeypatch):
    limits, clock = Limits(doors.service), [NOW.timestamp()]
    monkeypatch.setattr("time.time", lambda: clock[0])

    def ask():
        for _ in range(doors.service.sign_ins_per_minute + 1):
            limits.count_sign_in("10.0.0.1", way="password")

    with pytest.raises(TooMany):
        ask()
    clock[0] -= YEAR.total_seconds()
    limits.count_sign_in("10.0.0.1", way="password")
    with pytest.raises(TooMany):
        ask()


@pytest.mark.parametrize("turned", [YEAR, -YEAR])
def test_a_job_of_a_server_that_ended_is_taken_up_whichever_way_the_clock_was_turned(tmp_path, turned):
    with closing(open_store(f"sqlite:///{tmp_path}/store.db")) as store:
        jobs, note = Jobs(store.database), look("r")
        made = made_now("x", who=ANYBODY, at=NOW, options={"as_of": None, "contributions": False})
        jobs.make(made, key=None, digest="d", note=note)
        jobs.start(made.id, who=ANYBODY, at=NOW, note=note)
        one, other = (Claims(store.database, place, f"{place}#1") for place in ("a:/jobs", "b:/jobs"))

        assert made.id == one.take(here=lambda _: True, now=NOW).id
        for beat in (NOW, NOW + STALE, NOW - STALE):
            assert other.take(here=lambda _: True, now=beat) is None
        assert made.id == other.take(here=lambda _: True, now=NOW + turned).id


def test_the_trail_is_whole_and_in_the_order_in_which_it_was_written(tmp_path):
    with closing(open_store(f"sqlite:///{tmp_path}/store.db")) as store:
        for name, at in (("first", NOW), ("back", NOW - YEAR), ("forward", NOW + YEAR), ("again", NOW)):
            with store.database.writing() as connection:
                append(connection, [look(name, "house-1", at=at)])

        with store.database.reading() as connection:
            assert verify(connection).fault is None
            assert ["again", "forward", "back", "first"] == [
                line.request_id for line in lines(connection, Filter(household_id="house-1"), limit=9)
            ]
            late = lines(connection, Filter(since=NOW), limit=9)
            assert ["again", "forward", "first"] == [line.request_id for line in late]
