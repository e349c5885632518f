"""Backups: of one moment, whole or not there; and back into either kind of database, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import tracemalloc
import zipfile

import pytest
import sqlalchemy as sa

from features.errors import InputRefused
from serving.access.who import ANYBODY, at_command
from serving.archive import MANIFEST, PASSING
from serving.backup import backup, checksum
from serving.database import connect, open_database
from serving.faults import StoreRefused
from serving.restoring import Restored, restore
from serving.store import open_store
from serving.tables import metadata, worklist, worklist_line
from tests.serving.filled import ROWS, contents, fill, is_empty
from tests.serving.published import NOON, heading, made

pytestmark = pytest.mark.xdist_group("postgres")
BOTH = ["sqlite", "postgresql"]
ME = at_command("siti")


def nobody(done, total):
    """Is told how far it is."""
    assert done <= total


def taken(url, path, *, told=nobody):
    database = connect(url, wait_ms=60_000, make=False)
    try:
        return backup(database, path, at=NOON, told=told)
    finally:
        database.close()


def put_back(path, url, *, told=nobody):
    database = connect(url, wait_ms=60_000)
    try:
        return restore(path, database, at=NOON, who=ME, told=told)
    finally:
        database.close()


@pytest.fixture(scope="module")
def filled(address):
    """The addresses of a filled store of each kind; nobody changes them."""
    return {dialect: fill(address(dialect, empty=True)) for dialect in BOTH}


@pytest.fixture
def whole(filled, tmp_path):
    """A backup."""
    path = tmp_path / "whole.zip"
    taken(filled["sqlite"], path)
    return path


@pytest.fixture
def empty(tmp_path):
    """The address of an empty database."""
    return f"sqlite:///{tmp_path}/empty.db"


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("source", BOTH)
def test_every_row_of_every_table_comes_back_as_it_was(filled, address, tmp_path, source, target):
    before = contents(filled[source])
    manifest = taken(filled[source], tmp_path / "b.zip")
    url = address(target, empty=True)

    assert Restored(manifest, None) == put_back(tmp_path / "b.zip", url)

    after = contents(url)
    (restored,) = [line for line in after["trail"] if line not in before["trail"]]
    assert ("command:siti", "restore", ROWS + 1) == (restored["who"], restored["act"], restored["number"])
    for name in metadata.tables.keys() - {*PASSING, "trail", "trail_head"}:
        assert before[name] == after[name], name
        assert before[name]
    assert all(line in after["trail"] for line in before["trail"])
    assert before["trail_head"][0]["hash"] == manifest.trail.hash == restored["previous"]


@pytest.mark.parametrize("dialect", BOTH)
def test_what_is_decided_after_a_restore_comes_after_what_was_before(filled, address, tmp_path, dialect):
    taken(filled[dialect], tmp_path / "b.zip")
    put_back(tmp_path / "b.zip", url := address(dialect, empty=True))
    decided = metadata.tables["decision"]
    database = open_database(url, wait_ms=60_000)
    with database.writing() as connection:
        last = connection.scalar(sa.select(sa.func.max(decided.c.number)))
        row = dict(connection.execute(sa.select(decided).limit(1)).mappings().one())
        new = {name: cell for name, cell in row.items() if name != "number"} | {"id": "n", "request_key": "n"}
        connection.execute(sa.insert(decided), [new])
        assert last + 1 == connection.scalar(sa.select(sa.func.max(decided.c.number)))
    database.close()


@pytest.mark.parametrize("dialect", BOTH)
def test_a_trail_that_was_tampered_with_is_put_back_and_told(address, whole, dialect):
    line = json.loads(lines_of(whole, "trail")[0])
    with zipfile.ZipFile(whole) as archive:
        columns = json.loads(archive.read(MANIFEST))["tables"]["trail"]["columns"]
    line[columns.index("who")] = "somebody else"

    restored = put_back(resaid(whole, "trail", line), url := address(dialect, empty=True))

    assert ("changed", 1) == (restored.fault.kind, restored.fault.number)
    assert ROWS + 1 == len(contents(url)["trail"])


def test_nobody_is_signed_in_by_a_restore(whole):
    with zipfile.ZipFile(whole) as archive:
        assert {"session.jsonl", "sign_in.jsonl"}.isdisjoint(archive.namelist())


@pytest.mark.parametrize("revision", ["0001", "0002"])
@pytest.mark.parametrize("dialect", BOTH)
def test_a_filled_store_of_before_keeps_every_cell_when_it_is_brought_up(address, dialect, revision):
    url = fill(address(dialect, empty=True), to=revision)
    before = contents(url)
    store = open_store(url)

    after = contents(url)
    assert all(
        [{name: row[name] for name in old} for row, old in zip(after[table], rows, strict=True)] == rows
        for table, rows in before.items()
    )
    assert ROWS == len(store.worklists(limit=10, who=ANYBODY))
    listed = store.publish(made(2), heading())
    assert 2 == len(store.page(listed.id, after_rank=0, limit=10, who=ANYBODY))
    store.close()


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("source", BOTH)
def test_a_backup_of_before_is_put_back_and_brought_up(address, tmp_path, source, target):
    old = fill(address(source, empty=True), to="0002")
    manifest = taken(old, tmp_path / "b.zip")
    put_back(tmp_path / "b.zip", url := address(target, empty=True))

    assert ("0002", None) == (manifest.revision, manifest.trail)
    before, after = contents(old), contents(url)
    for table, rows in before.items():
        assert rows == [{name: row[name] for name in rows[0]} for row in after[table]]
    assert ["restore"] == [line["act"] for line in after["trail"]]


@pytest.mark.parametrize("dialect", BOTH)
def test_a_backup_is_of_the_moment_at_which_it_began(address, tmp_path, dialect):
    store = open_store(address(dialect))
    store.publish(made(20), heading("before"))
    asked = []

    def publish(done, total):
        if not asked:
            asked.append(store.publish(made(30), heading("while")))
        assert done <= total

    url = store.database.engine.url if dialect == "postgresql" else f"sqlite:///{store.database.path}"
    manifest = backup(store.database, tmp_path / "b.zip", at=NOON, told=publish)

    assert url
    assert (1, 20) == (manifest.tables["worklist"].rows, manifest.tables["worklist_line"].rows)
    assert 2 == len(store.worklists(limit=10, who=ANYBODY))
    store.close()


def test_only_its_owner_reads_a_backup_and_none_is_written_over(filled, whole):
    assert 0o600 == stat.S_IMODE(whole.stat().st_mode)
    assert 64 == len(checksum(whole))
    before = whole.read_bytes()
    with pytest.raises(InputRefused, match=r"is there already.*Name another"):
        taken(filled["sqlite"], whole)
    assert before == whole.read_bytes()


def test_a_full_disk_takes_no_half_of_a_backup(filled, small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))

    with pytest.raises(InputRefused, match=r"cannot be written: No space left.*nothing was left behind"):
        taken(filled["sqlite"], small_disk / "b.zip")
    assert [filler] == list(small_disk.iterdir())


def test_a_fault_in_the_midst_leaves_no_half_of_a_backup(filled, tmp_path):
    def fail(done, total):
        raise StoreRefused("a fault", f"{done} of {total}")

    with pytest.raises(StoreRefused, match="a fault"):
        taken(filled["sqlite"], tmp_path / "b.zip", told=fail)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["none/b.zip", "params.yaml/b.zip"])
def test_a_folder_that_is_none_takes_no_backup(filled, tmp_path, place):
    (tmp_path / "params.yaml").touch()
    with pytest.raises(InputRefused, match=r"b\.zip cannot be written: (No such file|Not a directory)"):
        taken(filled["sqlite"], tmp_path / place)


def test_what_is_not_there_is_not_backed_up(tmp_path):
    with pytest.raises(StoreRefused, match=r"no file .*none\.db"):
        taken(f"sqlite:///{tmp_path}/none.db", tmp_path / "b.zip")
    connect(f"sqlite:///{tmp_path}/new.db", wait_ms=100).close()
    with pytest.raises(StoreRefused, match=r"holds nothing. What to do: Name the database"):
        taken(f"sqlite:///{tmp_path}/new.db", tmp_path / "b.zip")
    assert not (tmp_path / "none.db").exists()
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize("dialect", BOTH)
def test_a_database_that_holds_something_is_filled_from_no_backup(address, whole, dialect):
    store = open_store(url := address(dialect))
    first = store.publish(made(3), heading())

    with pytest.raises(StoreRefused, match=r"holds tables already. What to do: Name an empty database"):
        put_back(whole, url)
    assert [first] == store.worklists(limit=9, who=ANYBODY)
    store.close()


def changed(whole, *, left_out=(), **members):
    """A copy of a backup, with other members."""
    path = whole.with_name("changed.zip")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        said = {name: source.read(name) for name in source.namelist() if name not in left_out}
        for name, text in (said | members).items():
            target.writestr(name, text)
    return path


def said_of(whole, **more):
    """Its manifest, with other words."""
    with zipfile.ZipFile(whole) as archive:
        return json.dumps(json.loads(archive.read(MANIFEST)) | more)


def lines_of(whole, table):
    with zipfile.ZipFile(whole) as archive:
        return archive.read(f"{table}.jsonl").splitlines(keepends=True)


def cut(whole):
    whole.write_bytes(whole.read_bytes()[:-200])
    return whole


def flipped(whole):
    with zipfile.ZipFile(whole) as archive:
        at = archive.getinfo("decision.jsonl").header_offset + 80
    found = bytearray(whole.read_bytes())
    found[at] ^= 255
    whole.write_bytes(found)
    return whole


def letter(whole):
    whole.write_text("Kepada Yth. Kepala Puskesmas")
    return whole


FOREIGN = {
    "cut short": (cut, "is damaged"),
    "a bit flipped": (flipped, "is damaged"),
    "a letter": (letter, "is damaged: File is not a zip file"),
    "a folder": (lambda whole: whole.parent, "Is a directory"),
    "not there": (lambda whole: whole.with_name("none.zip"), "No such file"),
    "without its manifest": (lambda whole: changed(whole, left_out=[MANIFEST]), "is no backup of this form"),
    "of another form": (
        lambda whole: changed(whole, **{MANIFEST: said_of(whole, version=2)}), "is no backup of this form",
    ),
    "of a newer Tepat": (
        lambda whole: changed(whole, **{MANIFEST: said_of(whole, revision="9999")}),
        "is of revision 9999, of a newer Tepat.*Restore it with the Tepat that made it",
    ),
    "of an older one, as it says": (
        lambda whole: changed(whole, **{MANIFEST: said_of(whole, revision="0002")}),
        "has not the tables of revision 0002",
    ),
    "without a table": (lambda whole: changed(whole, left_out=["trail.jsonl"]), "1 tables are missing, 0 unknown"),
    "with one more": (lambda whole: changed(whole, **{"more.jsonl": b""}), "0 tables are missing, 1 unknown"),
    "a row less": (
        lambda whole: changed(whole, **{"trail.jsonl": b"".join(lines_of(whole, "trail")[:-1])}),
        "table trail has 2 rows of 3",
    ),
    "rows in another order": (
        lambda whole: changed(whole, **{"trail.jsonl": b"".join(lines_of(whole, "trail")[::-1])}),
        "table trail has 3 rows of 3, or others than were written",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_not_as_it_was_written_is_put_nowhere(whole, empty, name):
    change, said = FOREIGN[name]

    with pytest.raises(InputRefused, match=said):
        put_back(change(whole), empty)
    assert is_empty(empty)


def resaid(whole, table, line):
    """The backup with another first line of a table, and a manifest that says so."""
    lines = b"".join([json.dumps(line).encode() + b"\n", *lines_of(whole, table)[1:]])
    manifest = json.loads(said_of(whole))
    manifest["tables"][table]["sha256"] = hashlib.sha256(lines).hexdigest()
    return changed(whole, **{MANIFEST: json.dumps(manifest), f"{table}.jsonl": lines})


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line[:-1], "a line is no row of its table"),
        (
            lambda line: ["2024-02-30" if str(cell).startswith("2024-0") else cell for cell in line],
            "a line is no row of its table",
        ),
        (lambda line: [None, *line[1:]], "has rows that contradict others, or that do not fit it"),
        (lambda _: {"number": 1}, "a line is no row of its table"),
    ],
    ids=["too short", "no day", "null", "no list"],
)
def test_a_backup_that_contradicts_itself_leaves_nothing_behind(address, whole, dialect, change, said):
    line = json.loads(lines_of(whole, "worklist_line")[0])
    url = address(dialect, empty=True)

    with pytest.raises(InputRefused, match=said) as caught:
        put_back(resaid(whole, "worklist_line", change(line)), url)
    assert "Bu Sri" not in str(caught.getrepr(style="short"))
    assert is_empty(url)


@pytest.mark.parametrize("dialect", BOTH)
def test_a_store_four_times_as_large_takes_no_more_memory(address, tmp_path, monkeypatch, dialect):
    for module in ("backup", "restoring"):
        monkeypatch.setattr(f"serving.{module}.CHUNK", 100)  # of long rows, as few go faster here
    peaks = []

    def watched(done, total):
        """From the first table on: to migrate is slow while memory is watched."""
        if not tracemalloc.is_tracing() and done >= begins * total:
            tracemalloc.start()

    for count in (500, 2_000):
        url = fill(address(dialect, empty=True))
        database = connect(url, wait_ms=60_000)
        with database.writing() as connection:
            row = {"worklist_id": connection.scalar(sa.select(worklist.c.id).limit(1)), "unit_count": 1, "risk": 0.5}
            rows = [row | {"rank": 100 + place, "household_id": f"{place}" * 4_000} for place in range(count)]
            connection.execute(sa.insert(worklist_line), rows)
        del rows
        database.close()
        path, begins = tmp_path / f"{count}.zip", 0
        taken(url, path, told=watched)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        begins = 0.5  # the first half checks
        put_back(path, address(dialect, empty=True), told=watched)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[2] < 1.5 * peaks[0]
    assert peaks[3] < 1.5 * peaks[1]
