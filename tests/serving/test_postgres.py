"""The store on a real PostgreSQL: who writes, in which order, and what is said when it fails."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event

import psycopg
import pytest
import sqlalchemy as sa

from serving.access.who import ANYBODY
from serving.database import open_database
from serving.decisions import Asked, Decisions
from serving.faults import StoreRefused
from serving.postgres import MOST_OPEN, ONE_WRITER
from serving.store import open_store
from serving.tables import decision, worklist
from tests.serving.conftest import mount
from tests.serving.postgres import PASSWORD
from tests.serving.published import NOON, heading, made

pytestmark = pytest.mark.xdist_group("postgres")
TOUCH = sa.delete(worklist).where(worklist.c.id == "")


@pytest.fixture
def url(postgres):
    return postgres.new()


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=200)
    yield opened
    opened.close()


@pytest.fixture
def other(url):
    """Another program's connection to the same database."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def refused(call, *arguments, **named):
    """What a refusal says."""
    with pytest.raises(StoreRefused) as caught:
        call(*arguments, **named)
    assert f"Found: {caught.value.found}. What to do: {caught.value.remedy}." == str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert "house-" not in shown
    assert PASSWORD not in shown
    return str(caught.value)


def works(store, *lists):
    """Whether these lists are there, whole, and another can be published."""
    store.ready()
    one_more = store.publish(made(2), heading())
    found = {one.id: one for one in store.worklists(limit=100, who=ANYBODY)}
    assert all(found[one.id] == one for one in lists)
    assert all(one.row_count == len(store.page(one.id, after_rank=0, limit=500, who=ANYBODY)) for one in lists)
    return one_more.id in found


def name_of(url):
    return url.rpartition("/")[2]


def test_a_server_that_is_stopped_is_refused_and_used_again_once_it_runs(store, postgres):
    first = store.publish(made(3), heading())
    postgres.stop("immediate")
    try:
        for call in (store.ready, lambda: store.publish(made(3), heading()), lambda: open_store(postgres.url("t1"))):
            assert "is on a server that cannot be reached. What to do: Start PostgreSQL" in refused(call)
    finally:
        postgres.start()

    assert works(store, first)


def test_a_server_that_was_started_again_between_two_requests_is_noticed_by_none(store, postgres):
    first = store.publish(made(3), heading())
    postgres.stop()
    postgres.start()

    assert works(store, first)


def test_a_connection_that_is_cut_in_a_transaction_leaves_nothing_of_it(store, other):
    first = store.publish(made(3), heading())

    def cut():
        with store.database.writing() as connection:
            connection.execute(sa.delete(worklist))  # nothing comes of it: lines refer to the list
            connection.execute(TOUCH)

    def ended():
        with store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE worklist SET name = 'lain'")
            other.execute("SELECT pg_terminate_backend(%s)", [connection.scalar(sa.func.pg_backend_pid())])
            connection.execute(TOUCH)

    assert "SQLSTATE 23503" in refused(cut)
    assert "was shut down. What to do: Start PostgreSQL" in refused(ended)
    assert works(store, first)


def test_a_database_that_turned_read_only_is_read_and_not_written_until_it_may_be(store, postgres, url):
    first = store.publish(made(3), heading())
    postgres.run(f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    store.close()

    assert "cannot be written. What to do: Name the primary server" in refused(store.publish, made(3), heading())
    assert "cannot be written" in refused(store.ready)
    assert [first] == store.worklists(limit=9, who=ANYBODY)

    postgres.run(f"ALTER DATABASE {name_of(url)} RESET default_transaction_read_only")
    store.close()
    assert works(store, first)


def test_a_full_disk_takes_no_list_and_harms_none(postgres, small_disk):
    small_disk.chmod(0o777)
    postgres.own(small_disk)
    postgres.run(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    postgres.run("GRANT CREATE ON TABLESPACE small TO tepat")
    url = postgres.new("template1")
    postgres.run(f"ALTER DATABASE {name_of(url)} SET default_tablespace = small")
    store = open_store(url)
    try:
        first = store.publish(made(100), heading())

        assert "its disk is full. What to do: Free space" in refused(store.publish, made(20_000), heading())
        assert [first] == store.worklists(limit=9, who=ANYBODY)
        assert 100 == len(store.page(first.id, after_rank=0, limit=500, who=ANYBODY))

        assert 0 == mount("-o", "remount,size=32m", small_disk).returncode
        assert works(store, first)
    finally:
        store.close()
        postgres.run(f"DROP DATABASE {name_of(url)}")
        postgres.run("DROP TABLESPACE small")


def test_what_is_wrong_with_an_address_is_said_without_its_password(postgres):
    said = {
        "refuses our login": postgres.url("store", password="wrong-" + PASSWORD),
        "refuses our login. What to do: Check user": postgres.url("store", user="siapa"),
        "none at 127.0.0.1": postgres.url("none"),
        "cannot be reached": f"postgresql://tepat:{PASSWORD}@127.0.0.1:1/store",
        "cannot be reached. What": f"postgresql://tepat:{PASSWORD}@127.0.0.1:{postgres.port}/store?sslmode=require",
        "options of the store's address that are not known: pass": f"postgresql://h/store?pass={PASSWORD}",
        "an address without a database": f"postgresql://tepat:{PASSWORD}@127.0.0.1",
        "a store on mysql": f"mysql://tepat:{PASSWORD}@127.0.0.1/store",
        "cannot be read": f"postgresql://tepat:{PASSWORD}@127.0.0.1:port/store",
    }

    for found, url in said.items():
        assert found in refused(open_store, url, wait_ms=200)


def test_a_socket_of_this_machine_is_an_address(postgres):
    name = name_of(postgres.new())
    store = open_store(f"postgresql://tepat:{PASSWORD}@/{name}?host={postgres.folder}&port={postgres.port}")

    assert works(store)
    assert store.database.name.endswith(f" at {postgres.folder}")
    store.close()


def test_a_database_in_another_encoding_is_refused(postgres):
    postgres.run("CREATE DATABASE latin OWNER tepat TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")

    assert "keeps texts as LATIN1. What to do: Make it anew" in refused(open_store, postgres.url("latin"))


def test_a_database_of_somebody_else_is_refused(postgres):
    postgres.run("CREATE DATABASE theirs")

    assert "does not let us. What to do: Make the user of TEPAT_DATABASE the owner" in refused(
        open_store, postgres.url("theirs")
    )


def test_another_programs_database_is_refused_and_left_alone(postgres):
    url = postgres.new("template1")
    with psycopg.connect(url, autocommit=True) as theirs:
        theirs.execute("CREATE TABLE runs (id INTEGER)")

        assert "holds tables of another program" in refused(open_store, url)
        assert [("runs",)] == theirs.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()


def test_a_newer_versions_database_is_refused_and_left_alone(store, url):
    first = store.publish(made(3), heading())
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert "is at revision 9999; this version of Tepat knows none after" in refused(open_store, url)
    assert [first] == store.worklists(limit=9, who=ANYBODY)


def test_a_database_that_takes_no_more_connections_is_refused_until_it_does(store, postgres, url):
    first = store.publish(made(3), heading())
    store.close()
    postgres.run(f"ALTER DATABASE {name_of(url)} CONNECTION LIMIT 0")
    assert "takes no more connections. What to do: Close some" in refused(store.ready)

    postgres.run(f"ALTER DATABASE {name_of(url)} CONNECTION LIMIT -1")
    assert works(store, first)


def test_no_more_connections_are_opened_than_a_server_can_spare(url):
    database = open_database(url, wait_ms=200)
    held = [database.reading() for _ in range(MOST_OPEN)]
    for one in held:
        one.__enter__().execute(sa.select(worklist.c.id))

    with database.turn:  # as the pool is empty, a reader is told so
        assert f"all {MOST_OPEN} connections to {database.name} in use" in refused(database.reading().__enter__)
    for one in held:
        one.__exit__(None, None, None)
    database.check_writable(TOUCH)
    database.close()


def test_a_writer_elsewhere_stops_writing_and_not_reading(store, other):
    first = store.publish(made(3), heading())
    other.execute("SELECT pg_advisory_lock(%s)", [ONE_WRITER])

    assert "was being written by others. What to do: Try again" in refused(store.publish, made(3), heading())
    assert [first] == store.worklists(limit=9, who=ANYBODY)
    store.ready()

    other.execute("SELECT pg_advisory_unlock(%s)", [ONE_WRITER])
    assert works(store, first)


def test_a_statement_that_takes_too_long_is_ended(store):
    def slow():
        with store.database.reading(wait_ms=50) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(60)")

    assert "took too long over a statement. What to do: Try again" in refused(slow)
    assert works(store)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("40P01", "was changed by others at the same time. What to do: Try again"),
        ("40001", "was changed by others at the same time. What to do: Try again"),
        ("53100", "has no room to grow"),
        ("53200", "without memory left"),
        ("58030", "could not be read or written by the disk"),
        ("XX001", "is damaged"),
        ("42P01", "does not have the tables of Tepat"),
        ("25P03", "ended a transaction that stood still"),
        ("55000", "answered with SQLSTATE 55000. What to do: Look it up"),
    ],
)
def test_what_the_server_answers_is_said_with_what_to_do(store, state, said):
    def answered():
        with store.database.writing() as connection:
            connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'house-1' USING ERRCODE = '{state}'; END $$")

    with pytest.raises(StoreRefused, match=said):
        answered()
    assert works(store)


def test_a_row_that_is_refused_is_repeated_nowhere(store):
    def twice():
        with store.database.writing() as connection:
            row = {"worklist_id": first.id, "rank": 1, "household_id": "house-9", "unit_count": 1, "risk": 0.1}
            connection.execute(sa.insert(sa.table("worklist_line", *map(sa.column, row))), row)

    first = store.publish(made(3), heading())

    assert "SQLSTATE 23505" in refused(twice)


def test_readers_see_one_view_and_can_write_nothing(store):
    first = store.publish(made(3), heading())
    with store.database.reading() as connection:
        assert 1 == connection.scalar(sa.select(sa.func.count()).select_from(worklist))
        store.publish(made(3), heading())
        assert 1 == connection.scalar(sa.select(sa.func.count()).select_from(worklist))

    def write():
        with store.database.reading() as connection:
            connection.execute(TOUCH)

    assert "cannot be written" in refused(write)
    assert works(store, first)


def test_a_commit_waits_for_the_disk_though_the_database_says_otherwise(postgres, url):
    postgres.run(f"ALTER DATABASE {name_of(url)} SET synchronous_commit = off")
    database = open_database(url, wait_ms=200)
    with database.reading() as connection:
        assert "on" == connection.scalar(sa.text("SHOW synchronous_commit"))
    database.close()


def test_numbers_of_decisions_follow_the_order_of_their_commits(store, url):
    store.close()
    patient = open_store(url, wait_ms=60_000)
    listed = patient.publish(made(8), heading())
    done, seen = Event(), []
    numbers = sa.select(decision.c.number).order_by(decision.c.number)

    def decide(place):
        for _ in range(10):
            asked = Asked(worklist_id=listed.id, household_id=f"house-{place:06d}", kind="accept", decided_by="Bu Sri")
            Decisions(patient.database).decide(asked, at=NOON, who=ANYBODY)

    def watch():
        while not done.is_set():
            with patient.database.reading() as connection:
                seen.append(connection.execute(numbers).scalars().all())

    with ThreadPoolExecutor(9) as threads:
        watching = threads.submit(watch)
        list(threads.map(decide, range(8)))
        done.set()
        watching.result()
    patient.close()

    assert 80 >= len(seen[-1])
    assert all(later[: len(sooner)] == sooner for sooner, later in pairwise(seen))
