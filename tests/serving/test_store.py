"""Published lists: whole or absent, the same page by page, from any thread and process."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputRefused
from serving import tables_access, tables_scores
from serving.access.who import ANYBODY
from serving.store import LINE_COLUMNS, Line, StoredList, open_store
from targeting.plan_files import LINE
from targeting.worklist import COLUMNS, worklist
from tests.conftest import ROOT
from tests.drawn import drawn
from tests.elsewhere import ELSEWHERE
from tests.serving import published
from tests.serving.published import NOON, heading, made

MANY = {"sqlite": 100_000, "postgresql": 60_000}

HOUSEHOLDS = drawn("""
    household_id | region_id | area_id | area_name | unit_count | expected_stunted | risk_find | risk_prevent | risk | objective | freshest_on | stalest_on | reasons_id | reasons_en | reasons_unit_id | missing_registers | model_version
    -------------+-----------+---------+-----------+------------+------------------+-----------+--------------+------+-----------+-------------+------------+------------+------------+-----------------+-------------------+--------------
    rumah-1      | R1        | A1      | Sukamaju  | 1          | 0.25             | 0.25      |              | 0.25 | find      |             |            | Jamban     | Toilet     | unit-1          | child             | 3
    rumah-2      | R2        | A2      |           | 2          | 0.8              | 0.6       | 0.5          | 0.6  | find      | 2024-05-01  | 2023-11-30 | Air        | Water      | unit-2          |                   | 3
""")  # noqa: E501 (a drawn table)


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(monkeypatch):
    """Starts processes that can import the tests, and ends those that still run."""
    monkeypatch.syspath_prepend(ROOT)
    started = []

    def start(task, *arguments):
        process = ELSEWHERE.Process(target=task, args=arguments)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture(scope="module")
def paged(dialect, address):
    """A store with a list of 37 lines and eleven without, three of each moment."""
    opened = open_store(address(dialect))
    listed = opened.publish(made(37), heading("long", NOON - dt.timedelta(days=1)))
    for place in range(11):
        opened.publish(made(1), heading(str(place), NOON + dt.timedelta(microseconds=place // 3)))
    yield opened, listed.id
    opened.close()


def lines_of(store, list_id, *, limit=10_000, region=None):
    """All lines, page by page."""
    lines, pages, last = [], [], 0
    while page := store.page(list_id, after_rank=last, limit=limit, region=region, who=ANYBODY):
        assert last < page[0].rank
        last = page[-1].rank
        lines += page
        pages.append(len(page))
    assert all(size == limit for size in pages[:-1])
    return lines


def test_a_list_reads_as_it_was_made(store):
    stored = store.publish(worklist(HOUSEHOLDS, capacity=5, salt="2024-2", regions=["R2", "R1"]), heading())

    assert StoredList(
        id=stored.id, name="Triwulan 2", objective="find", model_stamp="determinants-3", catalogue="c0ffee",
        simulated=True, created_at=NOON, capacity=5, regions=("R1", "R2"), eligible=2, row_count=2, round_name="2024-2",
        freshest_on=dt.date(2024, 5, 1), stalest_on=dt.date(2023, 11, 30),
    ) == stored == store.worklist(stored.id, who=ANYBODY)  # fmt: skip
    assert [
        Line(
            rank=1, household_id="rumah-2", region_id="R2", area_id="A2", area_name=None, unit_count=2, risk=0.6,
            expected_stunted=0.8, risk_find=0.6, risk_prevent=0.5, reasons_id="Air", reasons_en="Water",
            reasons_unit_id="unit-2", freshest_on=dt.date(2024, 5, 1), stalest_on=dt.date(2023, 11, 30),
            missing_registers=None,
        ),
        Line(
            rank=2, household_id="rumah-1", region_id="R1", area_id="A1", area_name="Sukamaju", unit_count=1, risk=0.25,
            expected_stunted=0.25, risk_find=0.25, risk_prevent=None, reasons_id="Jamban", reasons_en="Toilet",
            reasons_unit_id="unit-1", freshest_on=None, stalest_on=None, missing_registers="child",
        ),
    ] == store.page(stored.id, after_rank=0, limit=10, who=ANYBODY)  # fmt: skip


def test_a_list_of_no_lines_is_a_list(store):
    stored = store.publish(worklist(HOUSEHOLDS, capacity=0, salt="2024-2"), heading())

    assert (0, 2, None, None) == (stored.row_count, stored.eligible, stored.freshest_on, stored.regions)
    assert stored == store.worklist(stored.id, who=ANYBODY)
    assert [] == store.page(stored.id, after_rank=0, limit=10, who=ANYBODY)


def test_a_list_outlives_the_process_that_published_it(store, url):
    stored = store.publish(made(3), heading())
    store.close()
    again = open_store(url)

    assert stored == again.worklist(stored.id, who=ANYBODY)
    assert [1, 2, 3] == [line.rank for line in lines_of(again, stored.id)]
    again.close()


def test_a_moment_in_another_zone_is_the_same_moment(store):
    jakarta = dt.timezone(dt.timedelta(hours=7))
    stored = store.publish(made(1), heading(created_at=NOON.astimezone(jakarta)))

    assert (NOON, dt.UTC) == (store.worklist(stored.id, who=ANYBODY).created_at, stored.created_at.tzinfo)


def test_a_moment_without_a_zone_is_no_moment():
    with pytest.raises(ValueError, match="without a time zone; give it one"):
        heading(created_at=NOON.replace(tzinfo=None))


def test_an_unknown_list_is_none_and_has_no_lines(store):
    assert store.worklist("0" * 32, who=ANYBODY) is None
    assert [] == store.page("0" * 32, after_rank=0, limit=10, who=ANYBODY)
    with pytest.raises(InputRefused, match="Begin again without it"):
        store.worklists(limit=1, before="0" * 32, who=ANYBODY)


@given(limit=st.integers(1, 40), region=st.sampled_from([None, "R0", "R1", "R2", "R9"]))
def test_pages_joined_are_the_list_once_and_in_order(paged, limit, region):
    store, list_id = paged
    expected = [place + 1 for place in range(37) if region in (None, f"R{place % 3}")]

    assert expected == [line.rank for line in lines_of(store, list_id, limit=limit, region=region)]


@given(after=st.integers(-2, 40) | st.integers(min_value=2**70) | st.integers(max_value=-(2**70)))
def test_a_page_begins_right_after_any_whole_number(paged, after):
    store, list_id = paged
    page = store.page(list_id, after_rank=after, limit=2**70, who=ANYBODY)

    assert [rank for rank in range(1, 38) if rank > after] == [line.rank for line in page]


@given(limit=st.integers(1, 14))
def test_pages_of_lists_joined_are_all_lists_once_and_newest_first(paged, limit):
    store, _ = paged
    seen = []
    while page := store.worklists(limit=limit, before=seen[-1].id if seen else None, who=ANYBODY):
        assert limit >= len(page)
        seen += page

    assert 12 == len({listed.id for listed in seen}) == len(seen)
    assert sorted(seen, key=lambda listed: (listed.created_at, listed.id), reverse=True) == seen
    assert "long" == seen[-1].name


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nothing_is_refused(paged, limit):
    store, list_id = paged
    with pytest.raises(ValueError, match="must be 1 or more"):
        store.page(list_id, after_rank=0, limit=limit, who=ANYBODY)
    with pytest.raises(ValueError, match="must be 1 or more"):
        store.worklists(limit=limit, who=ANYBODY)


def test_a_line_holds_no_more_than_the_list_shows():
    of_a_plan = set(LINE) - {"region_name", "pregnant", "under_24_months", "never_measured"}
    assert ({"rank", *COLUMNS} | of_a_plan) - {"objective", "model_version"} == set(LINE_COLUMNS)


def test_the_migrations_make_the_tables_that_are_declared(store):
    [declared] = {tables_access.metadata, tables_scores.metadata}
    with store.database.reading() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), declared)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_written_list_waits_for_the_disk_and_for_no_reader(store):
    settings = ("journal_mode", "synchronous", "foreign_keys")
    with store.database.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings]

    full, on = 2, 1
    assert ["wal", full, on] == found


def test_two_processes_may_open_a_new_store_at_once(dialect, address, elsewhere):
    urls = [address(dialect, empty=True) for _ in range(20 if dialect == "sqlite" else 3)]
    gate = ELSEWHERE.Barrier(2, timeout=120)
    both = [elsewhere(published.open_each, urls, gate) for _ in range(2)]
    for process in both:
        process.join()

    assert [0, 0] == [process.exitcode for process in both]
    for url in urls:
        store = open_store(url)
        assert [] == store.worklists(limit=1, who=ANYBODY)
        store.close()


@pytest.mark.parametrize("stop_at", [5, 12, None], ids=["first lines", "midst", "commit"])
def test_a_process_killed_while_publishing_leaves_no_list_and_harms_none(store, url, dialect, elsewhere, stop_at):
    whole = store.publish(made(5), heading("whole"))
    here, there = ELSEWHERE.Pipe()
    process = elsewhere(published.publish_until, url, MANY[dialect], stop_at, there)
    there.close()  # so that a process that fails is heard
    assert "here" == here.recv()
    log = Path(f"{url.removeprefix('sqlite:///')}-wal")
    written = log.stat().st_size if dialect == "sqlite" else None
    process.kill()
    process.join()
    store.close()
    again = open_store(url)

    assert -9 == process.exitcode
    assert stop_at == 5 or written is None or written > 10 * 2**20  # much of it was on the disk already
    assert [whole] == again.worklists(limit=10, who=ANYBODY)
    assert [1, 2, 3, 4, 5] == [line.rank for line in lines_of(again, whole.id)]
    with again.database.reading() as connection:
        assert 5 == connection.exec_driver_sql("SELECT count(*) FROM worklist_line").scalar()
        if dialect == "sqlite":
            assert "ok" == connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    assert 2 == len(lines_of(again, again.publish(made(2), heading()).id))
    again.close()


def test_eight_threads_publish_and_read_at_once(store):
    first = store.publish(made(50), heading())
    expected = lines_of(store, first.id)

    def publish_and_read(place: int) -> list[bool]:
        told = []
        for turn in range(5):
            stored = store.publish(made(100 + place), heading(f"{place}-{turn}"))
            told += [100 + place == len(lines_of(store, stored.id, limit=33)), expected == lines_of(store, first.id)]
            told += [stored == store.worklist(stored.id, who=ANYBODY), store.ready() is None]
        return told

    with ThreadPoolExecutor(8) as threads:
        told = [answer for answers in threads.map(publish_and_read, range(8)) for answer in answers]

    assert [True] * (8 * 5 * 4) == told
    listed = store.worklists(limit=100, who=ANYBODY)
    assert 41 == len({one.id for one in listed})
    assert all(one.row_count == len(lines_of(store, one.id)) for one in listed)


def test_a_list_five_times_as_long_takes_no_more_memory(store, monkeypatch):
    monkeypatch.setattr("serving.keeping.CHUNK", 500)
    peaks = []
    for lines in (1_000, 5_000):
        long = made(lines)
        tracemalloc.start()
        store.publish(long, heading())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def test_ids_of_lists_can_stand_in_an_address_and_repeat_never(store):
    ids = [store.publish(made(1), heading()).id for _ in range(50)]

    assert 50 == len(set(ids))
    assert all(one.isalnum() and one.isascii() and 32 == len(one) for one in ids)
