"""The trail of a running service: on the disk before the answer, whatever becomes of the store."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from starlette.requests import Request

from serving.access.roles import Act
from serving.access.who import ANYBODY
from serving.errors import RequestRefused, StoreUnavailable
from serving.shelf import Shelf
from serving.store import open_store
from serving.trail.chain import words_of
from serving.trail.keeper import Trail
from serving.trail.noting import entry_of
from serving.trail.reading import Filter, lines
from serving.trail.spool import Waiting, own
from serving.watch import Watch
from tests.conftest import ROOT
from tests.serving.trails import NOON, judged, keeping, look

SOON_S = 60


def told(url):
    """The lines, oldest first, as they are read."""
    with closing(open_store(url)) as store, store.database.reading() as connection:
        return lines(connection, Filter(), limit=10_000)[::-1]


def said(url):
    return [line.request_id for line in told(url)]


def measure(trail, name):
    return trail._watch.registry.get_sample_value(name)


def caught_up(trail):
    """Wait until nothing waits beside the store."""
    done = threading.Event()
    for _ in range(SOON_S * 50):
        if measure(trail, "tepat_trail_spooled") == 0:
            return True
        done.wait(0.02)
    return False


@contextmanager
def away(url, request):
    """The store, as long as it cannot be written: a file that another holds, a server that is down."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    server = request.getfixturevalue("postgres")
    server.stop()
    try:
        yield
    finally:
        server.start()


def look_words(request_id):
    return words_of([look(request_id)])[0]


def in_a_child(script):
    """A process that is killed in the midst of what it does."""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (our own words)
    assert done.returncode == -9, done.stderr


def test_requests_that_wait_at_once_share_a_commit_and_each_line_is_there_when_its_own_is_told(url, tmp_path):
    commits = []

    async def ask(trail, number):
        await trail.noted(look(f"r{number}", "house-1"))
        return number

    async def ask_all(trail):
        return await asyncio.gather(*(ask(trail, number) for number in range(200)))

    with keeping(url, tmp_path) as trail:
        trail.note(look("first"))
        with trail._shelf.store() as store:
            sa.event.listen(store.database.engine, "commit", commits.append)
        asyncio.run(ask_all(trail))
        assert len(said(url)) == 201
        assert len(commits) < 100
        assert measure(trail, "tepat_trail_lines_total") == 201
    assert judged(url).fault is None


def test_threads_and_tasks_are_served_alike_and_one_that_is_broken_off_harms_nobody(url, tmp_path):
    async def break_off(trail):
        task = asyncio.create_task(trail.noted(look("broken off")))
        await asyncio.sleep(0)
        task.cancel()
        await trail.noted(look("task"))

    with keeping(url, tmp_path) as trail:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda n: trail.note(look(f"thread-{n}")), range(8)))
        asyncio.run(break_off(trail))
        trail.note()
    assert {"task", *(f"thread-{n}" for n in range(8))} <= set(said(url))


def test_lines_wait_beside_a_store_that_is_away_and_come_into_the_chain_once_and_in_order(url, tmp_path, request):
    with keeping(url, tmp_path) as trail:
        trail.note(look("before"))
        with away(url, request):
            trail.note(look("r1", "house-1"), look("r2", "house-2"))
            trail.note(look("r3", "house-3"))
            spool = tmp_path / "trail.spool"
            assert len(spool.read_text().splitlines()) == 3
            assert stat.S_IMODE(spool.stat().st_mode) == 0o600
            assert measure(trail, "tepat_trail_spooled") == 3
        assert caught_up(trail)
        trail.note(look("after"))
        assert spool.read_text() == ""

    found = told(url)
    assert [line.request_id for line in found] == ["before", "r1", "r2", "r3", "after"]
    assert ["spooled" in line.about for line in found] == [False, True, True, True, False]
    assert {line.at for line in found} == {NOON}
    assert judged(url).fault is None


def test_what_waits_when_the_service_ends_is_brought_in_first_by_the_next(url, tmp_path, request):
    open_store(url).close()
    with away(url, request), keeping(url, tmp_path) as trail:
        trail.note(look("r1"))
        trail.note(look("r2"))
    with keeping(url, tmp_path) as trail:
        trail.note(look("r3"))

    assert said(url) == ["r1", "r2", "r3"]


def test_a_kill_between_the_commit_and_the_end_of_the_spool_writes_no_line_twice(url, tmp_path):
    open_store(url).close()
    spool = own(tmp_path)
    spool.add([Waiting(words=look_words(f"r{n}")) for n in range(5)])
    spool.close()
    in_a_child(
        "import os, pathlib; from serving.trail import spool; from tests.serving.trails import keeping\n"
        "spool.Spool.drop = lambda self: os.kill(os.getpid(), 9)\n"
        f"with keeping({url!r}, pathlib.Path({str(tmp_path)!r})): pass"
    )
    assert len((tmp_path / "trail.spool").read_text().splitlines()) == 5
    assert said(url) == [f"r{n}" for n in range(5)]
    with keeping(url, tmp_path) as trail:
        trail.note(look("after"))

    assert said(url) == [*(f"r{n}" for n in range(5)), "after"]
    assert judged(url).fault is None


class Deaf(Shelf):
    """The answer to one commit is lost on its way."""

    lost = False

    @contextmanager
    def store(self):
        with super().store() as store:
            yield store
        if self.lost:
            self.lost = False
            raise StoreUnavailable("The connection was lost.")


def test_a_commit_whose_answer_is_lost_writes_no_line_twice(url, tmp_path):
    shelf = Deaf(url)
    trail = Trail(shelf, tmp_path, Watch())
    trail.start()
    trail.note(look("r1"))
    shelf.lost = True
    trail.note(look("r2"), look("r3"))
    assert caught_up(trail)
    trail.note(look("r4"))
    trail.stop()
    shelf.close()

    assert said(url) == ["r1", "r2", "r3", "r4"]


def test_where_neither_the_store_nor_the_spool_can_be_written_nothing_is_confirmed(tmp_path):
    url, folder = f"sqlite:///{tmp_path}/store.db", tmp_path / "no-folder"
    folder.write_text("a file in its place")
    with keeping(url, folder) as trail:
        trail.note(look("r1"))
        with away(url, None), pytest.raises(StoreUnavailable, match="Nor can the trail be kept beside it"):
            trail.note(look("r2"))
        trail.note(look("r3"))

    assert StoreUnavailable.retry_after_s
    assert said(url) == ["r1", "r3"]


def test_a_spool_that_is_full_takes_a_line_whole_or_not_at_all(small_disk, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    open_store(url).close()
    with keeping(url, small_disk) as trail, away(url, None):
        trail.note(look("r1"))
        with pytest.raises(StoreUnavailable, match="No space left"):
            trail.note(look("too long", why="x" * 9 * 2**20))
        trail.note(look("r2"))
    with keeping(url, small_disk):
        pass

    assert said(url) == ["r1", "r2"]


def test_a_last_line_that_is_not_whole_is_dropped_and_said_and_one_that_is_damaged_put_aside(
    tmp_path, caplog, monkeypatch
):
    url, path = f"sqlite:///{tmp_path}/store.db", tmp_path / "trail.spool"
    spool = own(tmp_path)
    spool.add([Waiting(words=look_words(f"r{n}")) for n in range(3)])
    spool.close()
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole[0] + b"{damaged}\n" + whole[1] + whole[2][:-20])
    monkeypatch.setattr(logging.getLogger("tepat"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="tepat"), keeping(url, tmp_path) as trail:
        trail.note(look("after"))

    assert said(url) == ["r0", "r1", "after"]
    assert "not whole" in caplog.text
    assert (tmp_path / "trail.damaged").read_bytes() == b"{damaged}\n"
    assert path.read_bytes() == b""


def test_services_that_share_a_folder_have_a_spool_each_and_one_takes_what_another_left(url, tmp_path, request):
    open_store(url).close()
    with keeping(url, tmp_path) as first:
        with away(url, request), keeping(url, tmp_path) as second:
            first.note(look("of the first"))
            second.note(look("of the second"))
            assert {one.name for one in tmp_path.glob("*.spool")} == {"trail.spool", "trail.1.spool"}
        assert caught_up(first)
        assert said(url) == ["of the first"]
    with keeping(url, tmp_path):
        pass

    assert said(url) == ["of the first", "of the second"]


def test_the_log_says_the_head_at_start_and_stop_so_that_it_is_an_anchor(tmp_path, caplog, monkeypatch):
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setattr(logging.getLogger("tepat"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="tepat"), keeping(url, tmp_path) as trail:
        trail.note(look("r1"))
    heads = [(one.number, one.hash) for one in caplog.records if one.msg == "the head of the trail"]

    assert heads[-1] == (1, judged(url).last.hash)
    assert len(heads) >= 2


def asking(purpose):
    headers = [] if purpose is None else [(b"x-purpose", purpose)]
    return Request({"type": "http", "headers": headers, "state": {"request_id": "r1"}})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, None),
        (b"  ", None),
        (b" Kunjungan rumah ", "Kunjungan rumah"),
        ("Audit \u2013 ke-2".encode(), "Audit \u2013 ke-2"),
        ("Prüfung".encode("latin-1"), "Prüfung"),
        (b"x" * 200, "x" * 200),
        (b"surat 421/12/2026 dan 081234567890", "surat 421/12/2026 dan 081234567890"),
    ],
)
def test_a_purpose_is_kept_as_it_was_meant(sent, kept):
    assert kept == entry_of(asking(sent), ANYBODY, Act.SCORE).why


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"x" * 201, "at most 200"),
        (b"NIK 3211012345678901", "16 digits"),
        (b"3211-0123-4567-8901", "16 digits"),
        ("".join(chr(ord("\uff10") + int(digit)) for digit in "3211012345678901").encode(), "16 digits"),
        (b"a\x1b[31m", "control"),
    ],
)
def test_a_purpose_that_does_not_hold_is_refused_without_repeating_it(sent, why):
    with pytest.raises(RequestRefused, match=why) as caught:
        entry_of(asking(sent), ANYBODY, Act.SCORE)
    assert "3211" not in caught.value.detail
