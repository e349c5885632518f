import datetime as dt

import pandas as pd
import pytest

from features import hand_over
from features.errors import InputRefused
from features.hand_over import Laid, before, lay_over, take
from features.ingest import ingest
from features.settings import Source
from features.source import bring_in, register_files, standing

SPLIT = dt.date(2025, 1, 1)
REAL = Source(format="canonical", fingerprint="x", test_from=SPLIT)
HOUSEHOLD = "household_id,recorded_on,area_id,member_count\nh-1,2024-01-02,a-1,4\n"
CHILD = "child_id,household_id,recorded_on,birth_date\nc-1,h-1,2024-01-02,2023-05-01\n"


def folder(place, **files):
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return place


def names(place):
    return sorted(p.name for p in place.iterdir())


def laid(tmp_path, source):
    """What is in `given` over what is in `raw`, and what was seen then."""
    over, raw = before(source, raw=tmp_path / "raw"), tmp_path / "raw"
    lay_over(tmp_path / "given", tmp_path / "laid", over=over, raw=raw)
    return Laid(mark=standing(tmp_path / "laid"), over=standing(raw), stays=over.stays)


def test_a_new_file_takes_the_place_of_its_register_in_whatever_form_that_came_and_the_others_stay(tmp_path):
    folder(tmp_path / "raw", household__parquet="h", child__csv__gz="c", note__txt="Dear", _DS_Store="x")
    (tmp_path / "raw" / "_DS_Store").rename(tmp_path / "raw" / ".DS_Store")
    folder(tmp_path / "given", child__xlsx="new", area__csv="new")

    told = laid(tmp_path, REAL)
    take(tmp_path / "laid", told, source=REAL, raw=tmp_path / "raw", run=tmp_path / "run.yaml")

    assert ["area.csv", "child.xlsx", "household.parquet", "note.txt"] == names(tmp_path / "raw")
    assert "new" == (tmp_path / "raw" / "child.xlsx").read_text()
    assert not (tmp_path / "raw" / "child.xlsx").is_symlink()
    assert f"fingerprint: {told.mark}" in (tmp_path / "run.yaml").read_text()
    assert "test_from: '2025-01-01'" in (tmp_path / "run.yaml").read_text()


@pytest.mark.parametrize(
    ("source", "marker"),
    [
        (REAL.model_copy(update={"simulated": True}), {}),
        (REAL, {"simulated__json": "{}"}),
        (REAL.model_copy(update={"format": "dhs"}), {}),
    ],
)
def test_real_registers_are_not_mixed_with_simulated_ones_or_those_of_another_layout(tmp_path, source, marker):
    folder(tmp_path / "raw", household__csv="made up", **marker)
    folder(tmp_path / "given", child__csv="real")

    made = take(
        tmp_path / "laid", laid(tmp_path, source), source=source, raw=tmp_path / "raw", run=tmp_path / "run.yaml"
    )

    assert ["child.csv"] == names(tmp_path / "raw")
    assert ("canonical", False, None) == (made.format, made.simulated, made.test_from)


def test_the_first_hand_over_comes_to_nothing(tmp_path):
    folder(tmp_path / "given", child__csv="real")

    told = laid(tmp_path, Source())

    assert ("", True) == (told.over, told.stays)
    take(tmp_path / "laid", told, source=Source(), raw=tmp_path / "raw", run=tmp_path / "run.yaml")
    assert ["child.csv"] == names(tmp_path / "raw")


@pytest.mark.parametrize("changed", ["raw/household.csv", "raw/area.csv", "given/child.csv"])
def test_what_changed_since_it_was_checked_is_not_taken_and_everything_stays(tmp_path, changed):
    folder(tmp_path / "raw", household__csv="h")
    folder(tmp_path / "given", child__csv="c")
    told = laid(tmp_path, REAL)
    (tmp_path / changed).write_text("changed meanwhile")
    there = names(tmp_path / "raw")

    with pytest.raises(InputRefused, match="hand it over again"):
        take(tmp_path / "laid", told, source=REAL, raw=tmp_path / "raw", run=tmp_path / "run.yaml")

    assert there == names(tmp_path / "raw")
    assert not (tmp_path / "run.yaml").exists()


@pytest.mark.parametrize("source", [REAL, REAL.model_copy(update={"simulated": True})])
@pytest.mark.parametrize("stopped", ["tell", "rename", "end"])
def test_what_was_stopped_midway_is_taken_again_to_the_same_end(tmp_path, monkeypatch, source, stopped):
    folder(tmp_path / "raw", household__csv="h")
    folder(tmp_path / "given", household__csv="new", child__csv="c")
    told = laid(tmp_path, source)
    run = tmp_path / "run.yaml"

    def stop(*_):
        raise OSError(5, "stopped")

    if stopped == "rename":
        (tmp_path / "raw").rename(tmp_path / ".raw.former")  # as a kill between the two renames leaves it
    elif stopped == "tell":
        with monkeypatch.context() as patched:
            patched.setattr(hand_over, "tell", stop)
            with pytest.raises(OSError, match="stopped"):
                take(tmp_path / "laid", told, source=source, raw=tmp_path / "raw", run=run)
    else:
        source = take(tmp_path / "laid", told, source=source, raw=tmp_path / "raw", run=run)
    made = take(tmp_path / "laid", told, source=source, raw=tmp_path / "raw", run=run)

    assert (told.mark, False) == (made.fingerprint, made.simulated)
    assert ["child.csv", "household.csv"] == names(tmp_path / "raw")
    assert ["given", "laid", "raw", "run.yaml"] == names(tmp_path)
    assert f"fingerprint: {told.mark}" in run.read_text()


def test_run_yaml_may_be_a_link_to_where_it_may_be_written_and_where_it_may_not_nothing_is_taken(tmp_path, monkeypatch):
    folder(tmp_path / "raw", household__csv="h")
    folder(tmp_path / "given", child__csv="c")
    told, run = laid(tmp_path, REAL), tmp_path / "run.yaml"
    run.symlink_to("raw.of/run.yaml")
    with monkeypatch.context() as patched:
        patched.setattr("features.hand_over.os.access", lambda *_: False)  # root may write everywhere
        with pytest.raises(InputRefused, match="may not be written here"):
            take(tmp_path / "laid", told, source=REAL, raw=tmp_path / "raw", run=run)
    assert ["household.csv"] == names(tmp_path / "raw")
    (tmp_path / "raw.of").mkdir()

    take(tmp_path / "laid", told, source=REAL, raw=tmp_path / "raw", run=run)

    assert run.is_symlink()
    assert f"fingerprint: {told.mark}" in (tmp_path / "raw.of" / "run.yaml").read_text()


def test_a_copy_that_fails_leaves_what_was_there_and_nothing_half(tmp_path, monkeypatch):
    raw, given = folder(tmp_path / "raw", area__csv="old"), folder(tmp_path / "given", area__csv="new")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("features.source.shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        bring_in(given, raw=raw)

    assert "old" == (raw / "area.csv").read_text()
    assert ["given", "raw"] == names(tmp_path)


def test_a_workbook_is_read_as_its_register_and_its_rows_keep_their_numbers(tmp_path):
    raw = folder(tmp_path / "raw", household__csv=HOUSEHOLD)
    rows = pd.DataFrame(
        {
            "child_id": ["c-1", None, "c-2"],
            "household_id": ["h-1", None, "h-1"],
            "recorded_on": [dt.date(2024, 1, 2), None, dt.date(2024, 1, 2)],
            "birth_date": [dt.date(2023, 5, 1), None, 45000],
        }
    )
    rows.to_excel(raw / "child.xlsx", index=False)

    report = ingest(raw, "canonical", tmp_path / "out", max_quarantine_share=0.5, today=dt.date(2024, 6, 1))

    counts = {one.name: (one.read, one.accepted, one.quarantined) for one in report.registers}
    assert ((1, 1, 0), (2, 1, 1)) == (counts["household"], counts["child"])
    faults = pd.read_csv(tmp_path / "out" / "quarantine" / "child.csv")
    assert [(3, "birth_date")] == list(zip(faults.row, faults.column, strict=True))
    assert ["child.xlsx", "household.csv"] == [path.name for path in register_files(raw)]


def test_a_workbook_and_a_table_of_one_register_are_refused(tmp_path):
    raw = folder(tmp_path / "raw", household__csv=HOUSEHOLD, child__csv=CHILD)
    pd.DataFrame({"child_id": ["c"]}).to_excel(raw / "child.xlsx", index=False)

    with pytest.raises(InputRefused, match=r"child\.csv and child\.xlsx"):
        ingest(raw, "canonical", tmp_path / "out", max_quarantine_share=0.5)
