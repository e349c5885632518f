"""Faults of the file under the store: said as refusals, and over once their cause is gone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving.access.who import ANYBODY
from serving.store import StoreRefused, open_store
from tests.conftest import ROOT
from tests.elsewhere import ELSEWHERE
from tests.serving import published
from tests.serving.conftest import mount
from tests.serving.published import heading, made

NOBODY = 65534
BIG = 20_000  # lines that fit in no room left below


@pytest.fixture
def folder():
    """A folder that any user can reach; those of pytest are for one."""
    with tempfile.TemporaryDirectory() as made_folder:
        Path(made_folder).chmod(0o755)
        yield Path(made_folder)


@pytest.fixture
def path(folder):
    return folder / "store.db"


@pytest.fixture
def store(path):
    opened = open_store(f"sqlite:///{path}", wait_ms=200)
    yield opened
    opened.close()


@contextmanager
def not_as_root():
    """Permissions of a file do not hinder root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@contextmanager
def held(path, statements):
    """A lock held by another process."""
    here, there = ELSEWHERE.Pipe()
    process = ELSEWHERE.Process(target=published.hold, args=(str(path), statements, there))
    process.start()
    there.close()  # so that a process that fails is heard
    try:
        assert "held" == here.recv()
        yield
        here.send("let go")
        assert "free" == here.recv()
    finally:
        process.kill()
        process.join()


def works(store, *lists):
    """Whether these lists are there, whole, and another can be published."""
    store.ready()
    found = {one.id: one for one in store.worklists(limit=100, who=ANYBODY)}
    assert all(found.get(one.id) == one for one in lists)
    assert all(one.row_count == len(store.page(one.id, after_rank=0, limit=BIG, who=ANYBODY)) for one in found.values())
    one_more = store.publish(made(2), heading())
    return {*found, one_more.id} == {one.id for one in store.worklists(limit=100, who=ANYBODY)}


def refused(call, *arguments, **named):
    """What a refusal says."""
    with pytest.raises(StoreRefused) as caught:
        call(*arguments, **named)
    assert f"Found: {caught.value.found}. What to do: {caught.value.remedy}." == str(caught.value)
    assert "house-" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_writer_elsewhere_stops_publishing_and_not_reading(store, path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    first = store.publish(made(3), heading())
    with held(path, ["BEGIN EXCLUSIVE"]):
        assert "is locked by another process" in refused(store.publish, made(3), heading())
        assert "is locked by another process" in refused(store.ready)
        assert [1, 2, 3] == [line.rank for line in store.page(first.id, after_rank=0, limit=9, who=ANYBODY)]

    assert works(store, first)


def test_a_file_held_whole_elsewhere_is_neither_read_nor_written(store, path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    first = store.publish(made(3), heading())
    store.close()
    with held(path, ["PRAGMA locking_mode = EXCLUSIVE", "CREATE TABLE lock (one INTEGER)", "DROP TABLE lock"]):
        assert "is locked by another process" in refused(store.page, first.id, after_rank=0, limit=9, who=ANYBODY)
        assert "Close what holds it" in refused(store.publish, made(3), heading())
        assert "is locked by another process" in refused(store.ready)
        assert "is locked by another process" in refused(open_store, f"sqlite:///{path}", wait_ms=50)

    assert works(store, first)


def test_a_thread_that_waits_too_long_for_another_is_told_to_try_again(store):
    first = store.publish(made(3), heading())
    with store.database.turn:
        assert "was being written for 200 ms. What to do: Try again" in refused(store.publish, made(3), heading())
        store.ready()

    assert works(store, first)


def test_a_file_that_may_not_be_written_is_refused_until_it_may(store, path, folder):
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, -1)
        os.chown(path, NOBODY, -1)
    first = store.publish(made(3), heading())
    store.close()
    path.chmod(0o444)
    with not_as_root():
        assert "write permission" in refused(store.publish, made(3), heading())
        assert "write permission" in refused(store.ready)
        assert "write permission" in refused(store.worklists, limit=9, who=ANYBODY)
        assert "write permission" in refused(open_store, f"sqlite:///{path}")
    path.chmod(0o600)
    with not_as_root():
        assert works(store, first)
        store.close()


def test_a_disk_that_turned_read_only_is_refused_until_it_may_be_written(small_disk):
    store = open_store(f"sqlite:///{small_disk}/store.db")
    first = store.publish(made(3), heading())
    store.close()
    assert 0 == mount("-o", "remount,ro", small_disk).returncode

    assert "cannot be written" in refused(store.publish, made(3), heading())
    assert "cannot be written" in refused(store.ready)
    assert "Read-only file system" in refused(open_store, f"sqlite:///{small_disk}/new.db")

    assert 0 == mount("-o", "remount,rw", small_disk).returncode
    assert works(store, first)
    store.close()


def test_a_folder_that_may_not_be_entered_is_refused_until_it_may(store, path, folder):
    first = store.publish(made(3), heading())
    store.close()
    folder.chmod(0o700 if os.geteuid() == 0 else 0o000)
    with not_as_root():
        assert f"{path} cannot be opened" in refused(store.ready)
        assert f"{path} cannot be opened" in refused(open_store, f"sqlite:///{path}")
    folder.chmod(0o755)

    assert works(store, first)


def test_a_folder_that_may_not_be_written_takes_no_new_file(folder):
    folder.chmod(0o555)
    with not_as_root():
        said = refused(open_store, f"sqlite:///{folder}/new.db")

    assert f"{folder}/new.db cannot be opened. What to do: Give the user that runs Tepat permission" in said


def test_a_full_disk_takes_no_list_and_harms_none(small_disk):
    store = open_store(f"sqlite:///{small_disk}/store.db")
    first = store.publish(made(100), heading())
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 512 * 1024))

    assert "its disk is full. What to do: Free space" in refused(store.publish, made(BIG), heading())
    assert "MiB free on the disk" in refused(store.ready)
    assert [first] == store.worklists(limit=9, who=ANYBODY)
    assert 100 == len(store.page(first.id, after_rank=0, limit=BIG, who=ANYBODY))

    filler.unlink()
    assert works(store, first)
    store.close()


def test_a_disk_without_a_byte_left_opens_no_store_and_ends_no_process(small_disk):
    first_store = open_store(f"sqlite:///{small_disk}/store.db")
    first = first_store.publish(made(100), heading())
    first_store.close()
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))

    assert "disk" in refused(open_store, f"sqlite:///{small_disk}/store.db")
    assert "disk" in refused(open_store, f"sqlite:///{small_disk}/new.db")

    filler.unlink()
    store = open_store(f"sqlite:///{small_disk}/store.db")
    assert works(store, first)
    store.close()


def test_a_file_that_may_not_grow_takes_no_list_and_harms_none(store):
    # The result code of a full disk, where none can be mounted.
    room = [200]
    sa.event.listen(
        store.database.engine, "begin", lambda found: found.exec_driver_sql(f"PRAGMA max_page_count = {room[0]}")
    )
    first = store.publish(made(100), heading())

    assert "its disk is full" in refused(store.publish, made(BIG), heading())
    assert [first] == store.worklists(limit=9, who=ANYBODY)

    room[0] = 100_000
    assert works(store, first)


def test_a_missing_folder_is_named(folder):
    assert f"no folder {folder}/none. What to do: Make the folder" in refused(
        open_store, f"sqlite:///{folder}/none/store.db"
    )


def test_a_folder_is_not_a_file(folder):
    assert f"{folder} cannot be opened" in refused(open_store, f"sqlite:///{folder}")


def test_a_file_of_another_kind_is_refused_and_left_alone(path):
    letter = b"Kepada Yth. Kepala Puskesmas " * 200
    path.write_bytes(letter)

    assert "is not an SQLite database" in refused(open_store, f"sqlite:///{path}")
    assert letter == path.read_bytes()


def test_another_programs_database_is_refused_and_left_alone(path):
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE runs (id INTEGER)")
    theirs.close()

    assert "holds tables of another program" in refused(open_store, f"sqlite:///{path}")
    with sqlite3.connect(path) as theirs:
        assert [("runs",)] == theirs.execute("SELECT name FROM sqlite_master").fetchall()
    theirs.close()


def test_a_newer_versions_database_is_refused_and_left_alone(store, path):
    first = store.publish(made(3), heading())
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    said = refused(open_store, f"sqlite:///{path}")
    assert "is at revision 9999; this version of Tepat knows none after 0006" in said
    assert "Run the newer Tepat" in said
    assert [first] == store.worklists(limit=9, who=ANYBODY)


def test_a_damaged_file_is_refused_until_it_is_mended(store, path):
    first = store.publish(made(500), heading())
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(len(whole) - 8192))

    assert "is damaged. What to do: Stop Tepat, keep a copy" in refused(
        store.page, first.id, after_rank=0, limit=BIG, who=ANYBODY
    )
    assert "is damaged" in refused(store.publish, made(3), heading())

    path.write_bytes(whole)
    assert works(store, first)


def test_a_file_that_lost_its_beginning_is_refused_until_it_is_mended(store, path):
    first = store.publish(made(500), heading())
    store.close()
    whole = path.read_bytes()
    path.write_bytes(b"x" * 100 + whole[100:])

    assert "is not an SQLite database" in refused(store.ready)

    path.write_bytes(whole)
    assert works(store, first)


def test_a_file_moved_away_takes_no_list_until_it_is_back(store, path):
    first = store.publish(made(3), heading())
    path.rename(path.with_suffix(".away"))

    for call in (store.ready, lambda: store.publish(made(3), heading()), lambda: store.worklist(first.id, who=ANYBODY)):
        assert f"no file {path}" in refused(call)
    assert not path.exists()

    path.with_suffix(".away").rename(path)
    assert works(store, first)


def test_a_deleted_file_comes_back_from_a_backup_with_a_new_start(store, path):
    first = store.publish(made(3), heading())
    store.close()
    backup = path.read_bytes()
    store.ready()
    path.unlink()
    assert "from a backup, with Tepat stopped" in refused(store.ready)
    taken = path.with_suffix(".taken")  # keeps the new file from getting the old one's number
    taken.touch()
    path.write_bytes(backup)

    assert "was replaced by another file" in refused(store.publish, made(3), heading())

    store.close()
    again = open_store(f"sqlite:///{path}")
    assert works(again, first)
    again.close()


def test_a_store_that_was_closed_opens_again_when_asked(store):
    first = store.publish(made(3), heading())
    store.close()

    assert works(store, first)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql+pymysql://tepat:hush@db/tepat", "a store on mysql"),
        ("sqlite:///store.db?mode=ro", "options after"),
        ("store.db", "cannot be read"),
    ],
)
def test_an_address_that_is_no_file_is_refused_without_its_password(url, found):
    said = refused(open_store, url)

    assert found in said
    assert "sqlite:///" in said
    assert "hush" not in said
