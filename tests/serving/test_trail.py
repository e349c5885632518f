"""The trail as a chain: added to by anybody at once, changed by nobody unseen."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from serving.cli import app
from serving.commands import audit
from serving.store import open_store
from serving.tables_access import trail, trail_head, trail_household
from serving.trail.chain import FIRST_PREVIOUS, Head, Words, digest
from serving.trail.entry import MOST_HOUSEHOLDS
from serving.trail.verify import Fault
from serving.trail.writer import append
from tests.conftest import ROOT
from tests.elsewhere import ELSEWHERE
from tests.serving.trails import append_each, judged, look

TEXT = st.text(max_size=30)  # NUL and halves of surrogate pairs among it
NOBODY = 65534


def said(url):
    """The request ids of the trail, in its order."""
    with closing(open_store(url)) as store, store.database.reading() as connection:
        return list(connection.scalars(sa.select(trail.c.request_id).order_by(trail.c.number)))


class Tampered:
    """A trail of six lines under the hands of somebody who owns the database."""

    def __init__(self, url):
        self.url = url
        with closing(open_store(url)) as store:
            with store.database.writing() as connection:
                append(
                    connection, [look(f"r{n}", f"house-{n}", f"house-{n + 1}", why="kunjungan") for n in range(1, 7)]
                )
            self.dialect = store.database.engine.dialect.name
        name = "postgresql+psycopg" if self.dialect == "postgresql" else "sqlite"
        self.engine = sa.create_engine(sa.make_url(url).set(drivername=name))
        with self.engine.begin() as connection:
            self._unguard(connection)
            self.whole = [
                [dict(row) for row in connection.execute(sa.select(table).order_by(key)).mappings()]
                for table, key in ((trail, trail.c.number), (trail_household, trail_household.c.number))
            ]
        self.renew()

    def _unguard(self, connection):
        if self.dialect == "postgresql":
            connection.exec_driver_sql("ALTER TABLE trail DISABLE TRIGGER USER")
            connection.exec_driver_sql("ALTER TABLE trail_household DISABLE TRIGGER USER")
            return
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'trail%'"
        )
        for (name,) in names.fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")

    def renew(self):
        self.lines, self.index = ([dict(row) for row in rows] for rows in self.whole)
        self.head = {"number": 6, "hash": self.lines[-1]["hash"]}

    def bind(self, start, stop=None):
        """Make previous and hash of lines anew, so that they fit each other."""
        for place in range(start - 1, stop or len(self.lines)):
            line = self.lines[place]
            line["previous"] = self.lines[place - 1]["hash"] if place else FIRST_PREVIOUS
            line["hash"] = digest(line["number"], [line[name] for name in Words._fields], line["previous"])

    def anchor(self, number):
        return Head(number, self.whole[0][number - 1]["hash"])

    def verdict(self, *anchors):
        """What verification says of it now."""
        with self.engine.begin() as connection:
            for table in (trail, trail_household, trail_head):
                connection.execute(sa.delete(table))
            connection.execute(sa.insert(trail), self.lines)
            connection.execute(sa.insert(trail_household), self.index)
            if self.head:
                connection.execute(sa.insert(trail_head), {"only": 1, **self.head})
        return judged(self.url, *anchors)

    def fault(self, *anchors):
        found = self.verdict(*anchors).fault
        return found and (found.kind, found.number)


@pytest.fixture(scope="module")
def tampered_once(dialect, address):
    made = Tampered(address(dialect))
    yield made
    made.engine.dispose()


@pytest.fixture
def tampered(tampered_once):
    tampered_once.renew()
    return tampered_once


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


def test_the_database_itself_refuses_to_change_or_delete_a_line(url):
    with closing(open_store(url)) as opened:
        with opened.database.writing() as connection:
            append(connection, [look("r1", "house-1"), look("r2", "house-2")])
        on_server = opened.database.engine.dialect.name == "postgresql"
        tries = ["UPDATE trail SET who = 'budi'", "DELETE FROM trail WHERE number = 2", "DELETE FROM trail_household",
                 "UPDATE trail_household SET household_id = 'x'"]  # fmt: skip
        tries += ["TRUNCATE trail"] if on_server else ["INSERT OR REPLACE INTO trail SELECT * FROM trail"]
        for statement in tries:
            with opened.database.engine.connect() as raw:
                raw.execution_options(writes=True, wait_ms=5_000)
                with pytest.raises(DBAPIError, match="kept as it was written"):
                    raw.exec_driver_sql(statement)
    assert (judged(url).last.number, judged(url).fault) == (2, None)


def test_a_trail_without_a_line_is_whole(url):
    open_store(url).close()
    assert judged(url).last == Head(0, FIRST_PREVIOUS)
    assert judged(url).fault is None


def test_more_households_than_a_line_names_become_several_lines_and_each_once(url):
    names = [f"house-{n}" for n in range(MOST_HOUSEHOLDS + 1)]
    with closing(open_store(url)) as opened, opened.database.writing() as connection:
        assert append(connection, [look("r1", *names, *names)]).number == 2
        assert connection.scalar(sa.select(sa.func.count()).select_from(trail_household)) == MOST_HOUSEHOLDS + 1
    assert judged(url).fault is None


def give_up(opened):
    """Fail in the midst of a change."""
    with opened.database.writing() as connection:
        append(connection, [look("never", "house-1")])
        raise ZeroDivisionError


def test_a_change_that_is_not_made_leaves_no_line(url):
    with closing(open_store(url)) as opened:
        with pytest.raises(ZeroDivisionError):
            give_up(opened)
        with opened.database.writing() as connection:
            append(connection, [look("r1", "house-1")])
    assert said(url) == ["r1"]


ENTRIES = st.lists(
    st.builds(
        lambda request_id, households, **more: look(request_id, *households, **more),
        TEXT, st.lists(TEXT, max_size=3), who=TEXT, why=st.none() | TEXT, list_id=st.none() | TEXT,
        about=st.dictionaries(TEXT, TEXT | st.integers() | st.booleans() | st.none(), max_size=2),
        at=st.datetimes(timezones=st.timezones()),
    ),
    max_size=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def long_trail(dialect, address):
    url = address(dialect)
    opened = open_store(url)
    yield url, opened
    opened.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_a_trail_of_any_entries_is_whole(long_trail, entries):
    url, opened = long_trail
    with opened.database.writing() as connection:
        last = append(connection, entries)

    assert judged(url).last == last
    assert judged(url).fault is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 6), st.sampled_from([*Words._fields, "previous", "hash"]), st.data())
def test_any_cell_that_is_changed_is_found_at_its_line(tampered_once, number, name, data):
    tampered_once.renew()
    line = tampered_once.lines[number - 1]
    new = data.draw(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=64).filter(
            lambda text: text != line[name]
        )
    )
    line[name] = new

    assert tampered_once.fault() == ("changed", number)


TAMPERINGS = {}


def tampering(kind, number):
    """A way to tamper, and where it is to be found as what."""

    def keep(how):
        TAMPERINGS[how.__name__.strip("_")] = (how, kind, number)
        return how

    return keep


@tampering("changed", 3)
def _a_word_is_changed(of):
    of.lines[2]["who"] = "budi"


@tampering("changed", 3)
def _a_word_is_emptied(of):
    of.lines[2]["why"] = None


@tampering("changed", 3)
def _a_line_is_rewritten_with_its_hash(of):
    of.lines[2]["who"] = "budi"
    of.bind(3, 3)


@tampering("changed", 4)
def _lines_are_rewritten_up_to_one(of):
    of.lines[2]["who"] = "budi"
    of.bind(3, 4)


@tampering("removed", 3)
def _a_line_is_taken_out(of):
    del of.lines[2]


@tampering("removed", 1)
def _the_first_lines_are_taken_out(of):
    del of.lines[:2]


@tampering("removed", 3)
def _a_line_is_taken_out_and_the_gap_closed(of):
    del of.lines[2]
    for line in of.lines[2:]:
        line["number"] -= 1


@tampering("inserted", 3)
def _a_line_is_put_in(of):
    of.lines.insert(2, of.lines[2] | {"who": "budi"})
    for line in of.lines[3:]:
        line["number"] += 1


@tampering("inserted", 3)
def _a_line_is_put_in_that_fits_the_one_before(of):
    _a_line_is_put_in(of)
    of.bind(3, 3)


@tampering("inserted", 1)
def _a_line_of_no_number_is_put_in(of):
    of.lines.insert(0, of.lines[0] | {"number": 0})


@tampering("reordered", 3)
def _two_lines_change_places(of):
    of.lines[2]["number"], of.lines[3]["number"] = 4, 3


@tampering("reordered", 2)
def _a_line_is_moved_down(of):
    of.lines.insert(4, of.lines.pop(1))
    for number, line in enumerate(of.lines, start=1):
        line["number"] = number


@tampering("cut", 5)
def _the_tail_is_cut(of):
    del of.lines[4:]


@tampering("forged", 7)
def _the_tail_is_longer_than_the_head_says(of):
    of.lines.append(of.lines[-1] | {"number": 7, "households": "[]"})
    of.bind(7)


@tampering("forged", 6)
def _the_tail_is_written_anew_but_not_the_head(of):
    of.lines[3]["who"] = "budi"
    of.bind(4)


@tampering("index", 4)
def _a_household_is_hidden_in_the_index(of):
    of.index = [row for row in of.index if row != {"household_id": "house-5", "number": 4}]


@tampering("index", 4)
def _a_household_is_put_into_the_index(of):
    of.index.append({"household_id": "house-9", "number": 4})


@tampering("index", 99)
def _a_household_is_in_the_index_at_no_line(of):
    of.index.append({"household_id": "house-9", "number": 99})


@tampering("changed", 3)
def _the_chain_is_made_anew_with_households_that_are_none(of):
    of.lines[2]["households"] = '{"house-3":1'
    of.bind(3)
    of.head["hash"] = of.lines[-1]["hash"]


@tampering("changed", 3)
def _the_chain_is_made_anew_with_households_that_are_no_texts(of):
    of.lines[2]["households"] = '[["house-3"],{}]'
    of.bind(3)
    of.head["hash"] = of.lines[-1]["hash"]


@tampering("head", 6)
def _the_head_is_taken_away(of):
    of.head = None


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_located(tampered, name):
    assert tampered.verdict().fault is None
    tamper, kind, number = TAMPERINGS[name]
    tamper(tampered)

    assert tampered.fault() == (kind, number)


def test_a_trail_that_was_made_anew_from_a_line_on_is_whole_in_itself_and_found_by_an_anchor(tampered):
    tampered.lines[3]["who"] = "budi"
    tampered.bind(4)
    tampered.head["hash"] = tampered.lines[-1]["hash"]

    assert tampered.fault() is None
    assert tampered.fault(tampered.anchor(2)) is None
    assert tampered.fault(tampered.anchor(2), tampered.anchor(5)) == ("rewritten", 5)
    assert "after line 2" in tampered.verdict(tampered.anchor(5), tampered.anchor(2)).fault.found


def test_a_tail_that_was_cut_together_with_the_head_is_found_by_an_anchor(tampered):
    del tampered.lines[4:]
    tampered.index = [row for row in tampered.index if row["number"] < 5]
    tampered.head = {"number": 4, "hash": tampered.lines[-1]["hash"]}

    assert tampered.fault() is None
    assert tampered.fault(tampered.anchor(6)) == ("cut", 5)


def test_the_command_says_whole_or_where_the_fault_is_and_ends_with_1(tampered):
    def asked(*words):
        done = CliRunner().invoke(app, ["audit", *words], env={"TEPAT_DATABASE": tampered.url})
        return done.exit_code, done.stdout

    tampered.verdict()
    code, head = asked("head")
    assert (code, head.strip()) == (0, f"6:{tampered.head['hash']}")
    assert (0, True) == ((found := asked("verify", "--anchor", head.strip()))[0], found[1].startswith("Whole: 6 lines"))
    tampered.lines[2]["who"] = "budi"
    tampered.verdict()
    code, words = asked("verify")
    assert code == 1
    assert "Fault at line 3: changed." in words
    assert f"Up to line 2 it holds, with hash {tampered.lines[1]['hash']}" in words


def test_who_looks_into_the_trail_at_the_command_line_stands_in_it(url, monkeypatch):
    append_each(url, ["r1", "r2"])
    monkeypatch.setattr(audit, "console", Console(width=200))  # COLUMNS would count only if it was set from the start
    done = CliRunner().invoke(app, ["audit", "who", "house-1"], env={"TEPAT_DATABASE": url})

    assert done.exit_code == 0, done.output
    assert done.stdout.count("household.see") == 2
    assert said(url) == ["r1", "r2", "command"]
    assert judged(url).fault is None


def test_a_cell_of_bytes_that_are_no_text_is_found(tampered):
    if tampered.dialect == "postgresql":
        pytest.skip("it takes none")
    for bytes_of in ("x'ff'", "CAST(x'ff' AS TEXT)", "3"):
        tampered.renew()
        tampered.verdict()
        with tampered.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE trail SET who = {bytes_of} WHERE number = 3"))  # noqa: S608 (our own)
        assert judged(tampered.url).fault == Fault(
            "changed", 3, "line 3 was changed: its hash is not that of its words"
        )


def test_who_may_only_read_a_file_can_verify_it(request):
    # pytest's own folders are closed to whoever else is on the machine.
    made = tempfile.TemporaryDirectory()
    request.addfinalizer(made.cleanup)
    folder = Path(made.name)
    append_each(f"sqlite:///{folder}/store.db", ["r1"])
    assert not (folder / "store.db-wal").exists()
    path = folder / "store.db"
    path.chmod(0o444)
    folder.chmod(0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        verdict = judged(f"sqlite:///{path}")
    finally:
        os.seteuid(was)
        folder.chmod(0o755)
    assert (verdict.last.number, verdict.fault) == (1, None)
    assert [one.name for one in folder.iterdir()] == ["store.db"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_who_may_only_read_a_server_can_verify_it(postgres):
    url = postgres.new()
    append_each(url, ["r1"])
    name = sa.make_url(url).database
    postgres.run("CREATE ROLE auditor LOGIN PASSWORD 'looks-only'")
    try:
        postgres.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor", database=name)
        asked = sa.make_url(url).set(username="auditor", password="looks-only")  # noqa: S106 (of this test)
        assert judged(asked.render_as_string(hide_password=False)).last.number == 1
    finally:
        postgres.run("DROP OWNED BY auditor", database=name)
        postgres.run("DROP ROLE auditor")


def test_threads_and_processes_that_append_at_once_lose_no_line(url, elsewhere):
    names = [[f"{place}-{n}" for n in range(15)] for place in range(9)]
    open_store(url).close()
    processes = [elsewhere(append_each, url, some) for some in names[8:]]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda some: append_each(url, some), names[:8]))
    for process in processes:
        process.join(60)

    assert [0] == [process.exitcode for process in processes]
    assert sorted(said(url)) == sorted(name for some in names for name in some)
    assert judged(url).fault is None
    for some in names:
        assert [name for name in said(url) if name in some] == some


def test_no_line_that_was_confirmed_is_lost_by_a_kill(url, tmp_path):
    open_store(url).close()
    script = f"from tests.serving.trails import note_forever; note_forever({url!r}, {str(tmp_path)!r})"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own command)
    try:
        confirmed = [process.stdout.readline().strip() for _ in range(150)]
    finally:
        process.kill()
        confirmed += process.stdout.read().split("\n")[:-1]
        process.stdout.close()
        process.wait()

    assert len(confirmed) >= 150
    assert set(confirmed) <= set(said(url))
    assert judged(url).fault is None
