"""A hand-over of registers, by the functions that the service runs: whole or not at all, whatever breaks in between."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pandas as pd
import pytest
import yaml

from features.errors import InputRefused
from features.hand_over import Fewer
from features.source import RAW, RUN, standing
from serving import handing, handing_work
from serving.errors import StoreUnavailable
from serving.handing import Already, Gone, Handing, Waits
from serving.handing_files import NoRegister, Twice, receive
from serving.handing_told import GIVEN, STOPPED, UNBEGUN, WORK, Sent, State, Turn, answer, keep, kept, settle
from serving.trail.entry import Entry
from tests.project import ROOT

HOUSEHOLD = "household_id,recorded_on,area_id,member_count\nh-1,2024-01-02,a-1,4\nh-2,2024-01-03,a-1,5\n"
CHILD = "child_id,household_id,recorded_on,birth_date\nc-1,h-1,2024-01-02,2023-05-01\nc-2,h-2,2024-01-02,2023-06-01\n"
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def noted() -> list[Entry]:
    return []


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: list[Entry]) -> Handing:
    """A project with two registers, in which nobody serves."""
    (tmp_path / RAW).mkdir(parents=True)
    (tmp_path / RAW / "household.csv").write_text(HOUSEHOLD)
    (tmp_path / RAW / "child.csv").write_text(CHILD)
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return Handing(tmp_path / "own", trail=SimpleNamespace(note=noted.append))


def note(why: str | None = None) -> Entry:
    return Entry(at=AT, who="officer", via="session", act="register.hand-over", request_id="uji", why=why)


def given(room: Handing, **files: bytes) -> None:
    """Files that arrived whole; `__` is a dot."""
    place = room.open()
    for name, content in files.items():
        (place.folder / name.replace("__", ".")).write_bytes(content)
    settle(room.folder)
    place.lock.close()


def ready(room: Handing, **files: bytes) -> str:
    """The mark of a hand-over that was checked and waits."""
    given(room, **files)
    laid = handing_work.checked(room.folder)
    sent = tuple(Sent(name=f"{name}.csv", register=name.split("__")[0], size=1) for name in files)
    keep(room.folder, Turn(by="officer", begun_at=AT, sent=sent, state=State.CHECKED, laid=laid))
    return laid.mark


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"child__csv": b""}, "child.csv is empty"),
        ({"child__csv": CHILD.encode("utf-16")}, "zero bytes"),
        ({"child__csv": CHILD.replace("c-1", "\u00e9").encode("latin-1")}, "child.csv is not UTF-8"),
        ({"child__csv": CHILD.replace("birth_date", "child_id").encode()}, "child_id"),
        ({"child__csv": CHILD.replace("2023-06-01", "kemarin").encode()}, "1 of 2 rows have faults"),
        ({"child__csv__gz": b"\x1f\x8b\x08cut"}, "child.csv.gz is damaged or cut short"),
        ({"child__xlsx": b"no book"}, "child.xlsx is no Excel workbook"),
        ({"child__parquet": b"PAR1"}, "child.parquet is no Parquet file"),
        ({"child__csv": b"a" * 200_000}, "more than 131,072 characters"),
    ],
)
def test_a_file_that_ingest_refuses_is_refused_with_its_words(room, file, words):
    given(room, **file)

    with pytest.raises(InputRefused, match=re.escape(words)):
        handing_work.checked(room.folder)


def test_the_check_keeps_no_accepted_rows_and_changes_nothing(room):
    before = standing()
    ready(room, child__csv=CHILD.encode())

    kept_here = sorted(str(path.relative_to(room.folder / "out")) for path in (room.folder / "out").rglob("*.*"))
    assert ["ingest.json", "quarantine/child.csv", "quarantine/household.csv"] == kept_here
    assert before == standing()
    assert not RUN.exists()


def test_a_register_that_would_lose_many_rows_is_named_with_both_counts(room):
    more = "".join(f"c-{n},h-1,2024-01-02,2023-05-01\n" for n in range(3, 21))
    (RAW / "child.csv").write_text(CHILD + more)
    (RAW / "household.csv").unlink()
    pd.read_csv(io.StringIO(HOUSEHOLD)).to_parquet(RAW / "household.parquet")
    ready(
        room,
        child__csv=CHILD.rstrip().encode(),
        household__csv=HOUSEHOLD.encode(),
        area__csv=b"area_id,region_id\na-1,r-1\n",
    )

    assert (Fewer(register="child", now=20, new=2),) == room.last().laid.fewer


@pytest.mark.parametrize("now", ["child.xlsx", "child.csv"])
def test_a_workbook_is_counted_too(room, now):
    [head, row, _] = CHILD.splitlines()
    many = pd.read_csv(io.StringIO("\n".join([head, *(row.replace("c-1", f"c-{n}") for n in range(20))])), dtype="str")
    (RAW / "child.csv").unlink()
    many.to_excel(RAW / now, index=False) if now.endswith("xlsx") else many.to_csv(RAW / now, index=False)
    new = io.BytesIO()
    many.head(2).to_excel(new, index=False)
    ready(room, child__xlsx=new.getvalue())

    assert (Fewer(register="child", now=20, new=2),) == room.last().laid.fewer


@pytest.mark.parametrize("broken", ["child.parquet", "child.csv.gz", "child.xlsx"])
def test_a_register_that_is_broken_now_is_replaced_like_any_other(room, broken):
    (RAW / "child.csv").unlink()
    (RAW / broken).write_bytes(b"PAR1")
    ready(room, child__csv=CHILD.encode())

    assert () == room.last().laid.fewer


@pytest.mark.parametrize(("new", "told"), [(17, True), (18, False), (40, False)])
def test_a_register_may_lose_a_tenth_of_its_rows_without_a_word(room, new, told):
    [head, row, _] = CHILD.splitlines()
    (RAW / "child.csv").write_text("\n".join([head, *(row.replace("c-1", f"c-{n}") for n in range(20))]))
    rows = gzip.compress("\n".join([head, *(row.replace("c-1", f"c-{n}") for n in range(new))]).encode())
    ready(room, child__csv__gz=rows)

    assert told == bool(room.last().laid.fewer)


def test_registers_that_changed_since_the_check_are_not_overwritten(room, noted):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())
    (RAW / "area.csv").write_text("area_id,region_id\na-1,r-1\n")

    with pytest.raises(InputRefused, match="other registers in data/raw"):
        room.use(mark, note=note("uji"))
    assert (State.CHECKED, None) == ((last := room.last()).state, last.because)
    assert ["done", "refused"] == [one.outcome for one in noted]
    assert CHILD == (RAW / "child.csv").read_text()
    with pytest.raises(Waits):
        room.open()
    room.drop(mark, note=note())
    room.drop(mark, note=note())
    assert State.DROPPED is room.last().state
    assert [] == left(room)
    assert 3 == len(noted)


def test_only_the_hand_over_that_is_meant_is_used_or_thrown_away(room, noted):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())

    for did in (room.use, room.drop):
        with pytest.raises(Gone):
            did("0" * 64, note=note("uji"))
    assert [] == noted
    assert mark == room.last().laid.mark


def test_a_disk_that_is_full_in_the_middle_of_a_use_leaves_it_to_whoever_comes_next(room, noted, monkeypatch):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())

    with monkeypatch.context() as patched:
        patched.setattr("features.hand_over.tell", full)
        with pytest.raises(OSError, match="No space left"):
            room.use(mark, note=note("uji"))
    assert State.HALF_USED is room.last().state
    assert not RUN.exists()

    room.start()
    assert State.USED is room.last().state
    assert "c-9" in (RAW / "child.csv").read_text()
    assert yaml.safe_load(RUN.read_text())["fingerprint"] == standing() == mark
    assert [] == left(room)
    # What the trail tells last is what became of it.
    ends = [(one.outcome, one.about["state"]) for one in noted]
    assert [("done", "using"), ("failed", "using"), ("done", "used")] == ends

    mark = ready(room, child__csv=CHILD.encode())
    with monkeypatch.context() as patched:
        patched.setattr("features.source.shutil.copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            room.use(mark, note=note("uji"))
    assert State.CHECKED is room.last().state
    assert "c-9" in (RAW / "child.csv").read_text()


def test_one_hands_over_at_a_time_of_all_services_on_a_folder_and_a_stop_ends_the_check(room, noted, monkeypatch):
    monkeypatch.setattr(handing, "begun", lambda *_: subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE))
    other = Handing(room.folder.parent, trail=SimpleNamespace(note=noted.append))
    place = arrived(room)
    with pytest.raises(Already):
        other.open()
    room.begin(place, SENT, note=note())
    for service in (room, other):
        assert State.CHECKING is service.last().state
        with pytest.raises(Already):
            service.open()
    other.start()
    assert (room.folder / GIVEN / "child.csv").exists()
    room.stop()

    assert [(State.FAILED, STOPPED)] * 2 == [(one.last().state, one.last().said) for one in (room, other)]
    assert ["done", "failed"] == [one.outcome for one in noted]
    assert not (room.folder / GIVEN).exists()


def test_a_hand_over_that_the_trail_cannot_tell_of_is_not_begun(room):
    shut = Handing(room.folder.parent, trail=SimpleNamespace(note=away))
    with pytest.raises(StoreUnavailable):
        shut.begin(arrived(shut), SENT, note=note())
    assert (None, []) == (shut.last(), left(room))
    mark = ready(room, child__csv=CHILD.encode())
    with pytest.raises(StoreUnavailable):
        shut.use(mark, note=note("uji"))
    assert State.CHECKED is room.last().state


def away(_: Entry) -> None:
    raise StoreUnavailable("uji")


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


SENT = (Sent(name="child.csv", register="child", size=1),)


def arrived(room: Handing) -> Any:
    place = room.open()
    (place.folder / "child.csv").write_text(CHILD)
    return place


def left(room: Handing) -> list[str]:
    return [name for name in WORK if (room.folder / name).exists()]


def test_a_check_that_cannot_be_begun_is_told_to_its_end_and_leaves_nothing(room, noted, monkeypatch):
    monkeypatch.setattr(handing, "begun", full)
    with pytest.raises(OSError, match="No space left"):
        room.begin(arrived(room), SENT, note=note())

    assert [("done", "checking"), ("failed", "failed")] == [(one.outcome, one.about["state"]) for one in noted]
    assert ((State.FAILED, UNBEGUN), []) == (((last := room.last()).state, last.said), left(room))
    room.open().lock.close()


@pytest.mark.parametrize("fault", [away, full])
def test_what_was_checked_and_cannot_be_kept_or_told_is_gone_and_is_said_to_be(room, monkeypatch, fault):
    told: list[Entry] = []

    def once(entry: Entry) -> None:
        """The first line is written; of the second, or of what it tells, nothing is."""
        if told and fault is away:
            away(entry)
        told.append(entry)
        if len(told) > 1:
            monkeypatch.setattr(handing, "keep", full)

    def process(_: str, folder: Path) -> subprocess.Popen[bytes]:
        laid = handing_work.checked(folder)
        answer(folder, State.CHECKED, laid=laid)
        return subprocess.Popen(["/bin/true"], stdin=subprocess.PIPE)

    monkeypatch.setattr(handing, "begun", process)
    service = Handing(room.folder.parent, trail=SimpleNamespace(note=once))
    service.begin(arrived(service), SENT, note=note())
    service.stop()

    assert ((State.FAILED, STOPPED), []) == (((last := service.last()).state, last.said), left(room))


def test_a_service_that_is_killed_in_a_check_is_told_of_by_the_next(room, noted):
    given(room, child__csv=CHILD.encode())
    keep(room.folder, Turn(by="officer", begun_at=AT, sent=SENT))
    room.start()

    assert [("officer", "start", "failed", "failed")] == [
        (one.who, one.via, one.outcome, one.about["state"]) for one in noted
    ]
    assert [] == left(room)
    room.start()
    assert 1 == len(noted)


@pytest.mark.parametrize("brought_in", [False, True])
def test_a_service_that_is_killed_in_a_use_is_followed_by_one_that_uses_it_or_says_why_not(room, noted, brought_in):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())
    turn = replace(kept(room.folder), state=State.USING, decided_by="officer", because="uji")
    keep(room.folder, turn)
    assert State.HALF_USED is room.last().state
    if brought_in:
        handing.take(room.folder / "laid", turn.laid, source=handing.load().source)
    else:
        (RAW / "area.csv").write_text("area_id,region_id\na-1,r-1\n")
    room.start()

    [line] = noted
    if brought_in:
        assert ("done", "used", "uji") == (line.outcome, line.about["state"], line.why)
        assert (State.USED, "c-9" in (RAW / "child.csv").read_text()) == (room.last().state, True)
    else:
        assert ("refused", "checked", "uji") == (line.outcome, line.about["state"], line.why)
        assert (State.CHECKED, CHILD) == (room.last().state, (RAW / "child.csv").read_text())
        with pytest.raises(InputRefused, match="other registers in data/raw"):
            room.use(mark, note=note("uji"))


def test_a_use_that_the_trail_cannot_tell_the_end_of_is_ended_by_whoever_comes_next(room, noted):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())
    turns = iter([noted.append, away])

    def tell(line: Entry) -> None:
        next(turns)(line)

    shut = Handing(room.folder.parent, trail=SimpleNamespace(note=tell))
    with pytest.raises(StoreUnavailable):
        shut.use(mark, note=note("uji"))
    assert State.HALF_USED is room.last().state
    room.start()

    assert [("done", "using"), ("done", "used")] == [(one.outcome, one.about["state"]) for one in noted]
    assert (State.USED, []) == (room.last().state, left(room))


def test_a_hand_over_that_is_put_in_place_at_this_moment_is_told_as_such(room, monkeypatch):
    mark = ready(room, child__csv=CHILD.encode())
    seen = []

    def take(*_: object, **__: object) -> None:
        seen.append(Handing(room.folder.parent, trail=SimpleNamespace(note=away)).last().state)

    monkeypatch.setattr(handing, "take", take)
    room.use(mark, note=note("uji"))
    assert [State.USING] == seen


def test_a_disk_without_room_for_the_registers_is_said_before_a_byte_is_copied(room, monkeypatch):
    mark = ready(room, child__csv=CHILD.replace("c-1", "c-9").encode())
    monkeypatch.setattr("features.source.shutil.disk_usage", lambda _: SimpleNamespace(free=3 * 2**20))
    with pytest.raises(InputRefused, match="3 MiB free on the disk of data") as refusal:
        room.use(mark, note=note("uji"))

    assert "16 MiB, for the new registers" in str(refusal.value)
    assert State.CHECKED is room.last().state
    assert ["raw"] == sorted(path.name for path in RAW.parent.iterdir())


async def sent(*files: tuple[str, bytes]) -> Any:
    for name, content in files:

        async def blocks(content: bytes = content) -> Any:
            yield content

        yield name, blocks()


def test_a_file_arrives_under_the_name_of_its_register_for_this_user_alone(tmp_path, monkeypatch):
    known = anyio.run(receive, tmp_path, sent(("C:\\data\\Child.CSV", b"ab"), ("", b""), ("area.csv.gz", b"c")))

    assert (
        Sent(name="child.csv", register="child", size=2),
        Sent(name="area.csv.gz", register="area", size=1),
    ) == known
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    with pytest.raises(NoRegister):
        anyio.run(receive, tmp_path, sent(("../../anak.csv", b"")))
    with pytest.raises(Twice):
        anyio.run(receive, tmp_path, sent(("service.csv", b""), ("SERVICE.xlsx", b"")))
    monkeypatch.setattr("serving.jobs.uploads.is_full", lambda _: True)
    with pytest.raises(StoreUnavailable, match="Free space"):
        anyio.run(receive, tmp_path, sent(("contact.csv", b"x")))


def test_a_turn_that_is_kept_is_read_again_and_one_that_is_damaged_is_none(room):
    turn = Turn(by="officer", begun_at=AT, sent=SENT)
    room.folder.mkdir(parents=True)
    keep(room.folder, turn)
    assert turn == kept(room.folder)
    assert (State.FAILED, STOPPED) == ((last := room.last()).state, last.said)
    room.start()
    assert replace(kept(room.folder), ended_at=None) == replace(turn, state=State.FAILED, said=STOPPED)
    (room.folder / "turn.json").write_text("{")
    assert None is room.last()
