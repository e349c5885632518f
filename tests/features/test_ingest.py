import datetime as dt
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from features import ingest as stage
from features.contracts import REGISTERS
from features.errors import InputRefused
from features.ingest import ingest, table, to_correct
from tests.conftest import ROOT

AREA = "area_id,region_id\na-1,r-1\n"
HOUSEHOLD = """\
household_id,recorded_on,area_id,member_count
h-1,2024-01-02,a-1,4
h-2,2024-01-03,a-9,5
"""
CHILD = """\
child_id,household_id,recorded_on,birth_date
c-1,h-1,2024-01-02,2023-05-01
c-2,h-7,2024-01-02,01/06/2023
c-3,h-1,2024-01-02,45000
"""


def folder(root, **files):
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / f"{name}.csv").write_text(content, encoding="utf-8")
    return root


def run(raw, out, most=0.5):
    return ingest(raw, "canonical", out, max_quarantine_share=most, today=dt.date(2024, 6, 1))


def contents(out):
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_every_register_is_written_and_an_absent_one_is_empty_and_typed(tmp_path):
    run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out")

    for name, register in REGISTERS.items():
        assert register.names == list(pd.read_parquet(tmp_path / "out" / f"{name}.parquet").columns)
    absent = pd.read_parquet(tmp_path / "out" / "measurement.parquet")
    assert (0, "float64") == (len(absent), str(absent["height_cm"].dtype))


def test_the_account_counts_every_row(tmp_path):
    run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out")
    account = json.loads((tmp_path / "out" / "ingest.json").read_text(encoding="utf-8"))

    assert account["registers"]["child"] == {"read": 3, "accepted": 2, "quarantined": 1, "absent": False}
    assert account["registers"]["area"] == {"read": 0, "accepted": 0, "quarantined": 0, "absent": True}


def test_the_clerks_file_shows_the_row_as_it_was_sent(tmp_path):
    run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out")
    line = pd.read_csv(tmp_path / "out" / "quarantine" / "child.csv", dtype="str").iloc[0]

    assert ("3", "birth_date", "45000", "c-3") == (
        line["row"],
        line["column"],
        line["value_seen"],
        line["child_id"],
    )
    assert "Excel serial" in line["reason"]


def test_a_row_without_its_household_or_area_is_kept_and_counted(tmp_path):
    raw = folder(tmp_path / "raw", area=AREA, household=HOUSEHOLD, child=CHILD)
    report = run(raw, tmp_path / "out")

    notes = " ".join(report.notes)
    assert "1 of 2 rows of `child` have a household_id that is not in `household`" in notes
    assert "they were kept. Such children have no facts of their household, no area and no region." in notes
    assert "1 of 2 rows of `household` have an area_id that is not in `area`; they were kept." in notes


def test_absent_registers_unknown_files_and_unknown_columns_are_named(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD, letter="x")
    notes = " ".join(run(raw, tmp_path / "out").notes)

    assert "Register `area` was not handed over." in notes
    assert "letter.csv" in notes
    assert "`child` lacks the columns mother_id" in notes


def test_a_date_after_the_day_of_the_run_is_quarantined(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD.replace("2024-01-03", "2024-06-02"), child=CHILD)

    assert {"household": 1, "child": 1} == {
        r.name: r.quarantined for r in run(raw, tmp_path / "out").registers if not r.absent
    }


def test_the_day_of_the_run_is_today_unless_it_is_given(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD.replace("2024-01-03", "2924-06-02"), child=CHILD)
    report = ingest(raw, "canonical", tmp_path / "out", max_quarantine_share=0.5)

    assert [1] == [r.quarantined for r in report.registers if r.name == "household"]


def test_the_row_of_a_fault_is_its_place_below_the_header_with_blank_lines_counted(tmp_path):
    run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD.replace("c-2", "\n\nc-2")), tmp_path / "out")

    assert ["5"] == pd.read_csv(tmp_path / "out" / "quarantine" / "child.csv", dtype="str")["row"].tolist()


def test_columns_that_pass_for_our_row_numbers_are_not_read(tmp_path):
    lines = CHILD.splitlines()
    theirs = "\n".join([lines[0] + ",_source_row,_source_file", *(line + ",77,z" for line in lines[1:])])
    report = run(folder(tmp_path / "raw", household=HOUSEHOLD, child=theirs), tmp_path / "out")
    sheet = pd.read_csv(tmp_path / "out" / "quarantine" / "child.csv", dtype="str")

    assert (["3"], False) == (sheet["row"].tolist(), "file" in sheet)
    assert "`child` has unknown columns, not read: _source_file, _source_row." in report.notes


def test_the_clerks_file_runs_no_formula(tmp_path):
    child = CHILD.replace("birth_date", "birth_date,=cmd").replace("45000", '"=HYPERLINK(""http://x"")",-3.2')
    child = child.replace("05-01\n", "05-01,\n").replace("2023\n", "2023,\n")
    run(folder(tmp_path / "raw", household=HOUSEHOLD, child=child), tmp_path / "out")
    line = pd.read_csv(tmp_path / "out" / "quarantine" / "child.csv", dtype="str").iloc[0]

    guarded = """'=HYPERLINK("http://x")"""
    assert (guarded, guarded, "-3.2") == (line["value_seen"], line["birth_date"], line["'=cmd"])


def test_it_is_said_where_the_rows_to_correct_are(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD.replace(",5", ",many"), child=CHILD)
    report = run(raw, tmp_path / "out")

    assert ["2 rows to correct: data/interim/quarantine/household.csv (1), child.csv (1)"] == to_correct(
        report, Path("data/interim")
    )


def test_nothing_is_said_when_no_row_is_to_be_corrected(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD.replace("45000", "2023-05-01"))

    assert [] == to_correct(run(raw, tmp_path / "out"), Path("data/interim"))


@pytest.mark.parametrize(
    ("out", "found"),
    [
        ("given/raw", "one lies in the other"),
        ("given/raw/out", "one lies in the other"),
        ("given", "one lies in the other"),
        ("link", "one lies in the other"),
        ("letters", "no ingest made it"),
        ("note.txt", "is a file"),
        ("note.txt/out", "is a file"),
        ("here", "the command runs in it"),
        ("/", "a folder below the root"),
    ],
)
def test_an_out_that_holds_anything_but_an_earlier_ingest_is_refused_and_left_alone(tmp_path, monkeypatch, out, found):
    raw = folder(tmp_path / "given" / "raw", household=HOUSEHOLD, child=CHILD)
    folder(tmp_path / "letters", letter="Dear")
    (tmp_path / "here").mkdir()
    (tmp_path / "note.txt").write_text("Dear", encoding="utf-8")
    (tmp_path / "link").symlink_to(raw)
    monkeypatch.chdir(tmp_path / "here")
    before = contents(tmp_path)

    with pytest.raises(InputRefused, match=found):
        run(raw, tmp_path / out)

    assert before == contents(tmp_path)


@pytest.mark.parametrize("end", [".part", ".former"])
def test_registers_that_stand_where_a_run_keeps_its_halves_are_not_lost(tmp_path, end):
    raw = folder(tmp_path / f"out{end}", household=HOUSEHOLD, child=CHILD)
    before = contents(raw)

    with pytest.raises(InputRefused, match="one lies in the other"):
        run(raw, tmp_path / "out")
    with pytest.raises(InputRefused, match=r"holds \w+\.csv, which no ingest made"):
        run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out")

    assert before == contents(raw)


def test_a_letter_laid_into_the_folder_of_an_earlier_ingest_is_not_lost(tmp_path):
    raw, out = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out"
    run(raw, out)
    (out / "letter.txt").write_text("Dear", encoding="utf-8")

    with pytest.raises(InputRefused, match=r"holds letter\.txt, which no ingest made"):
        run(raw, out)


def test_an_earlier_ingest_and_an_empty_folder_are_replaced(tmp_path):
    raw, out = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out"
    out.mkdir()
    run(raw, out)
    before = contents(out)
    run(raw, out)

    assert before == contents(out)


@pytest.mark.parametrize("fmt", ["canonical", "dhs"])
@pytest.mark.parametrize(("raw", "found"), [("nowhere", "does not exist"), ("note.txt", "is not a folder")])
def test_registers_are_read_only_from_a_folder_that_is_there(tmp_path, fmt, raw, found):
    (tmp_path / "note.txt").write_text("Dear", encoding="utf-8")

    with pytest.raises(InputRefused, match=found):
        ingest(tmp_path / raw, fmt, tmp_path / "out", max_quarantine_share=0.5)

    assert {"note.txt"} == {p.name for p in tmp_path.iterdir()}


def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(InputRefused, match=r"the format excel\. Allowed: one of canonical, dhs"):
        ingest(tmp_path, "excel", tmp_path / "out", max_quarantine_share=0.5)


def test_a_needed_register_that_is_absent_is_refused_with_the_names_looked_for(tmp_path):
    with pytest.raises(InputRefused, match=r"child\.csv or child\.csv\.gz or child\.parquet"):
        run(folder(tmp_path / "raw", household=HOUSEHOLD), tmp_path / "out")


def test_two_files_for_one_register_are_refused(tmp_path):
    raw = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD)
    pd.DataFrame({"child_id": ["c"]}).to_parquet(raw / "child.parquet")

    with pytest.raises(InputRefused, match=r"child\.csv and child\.parquet"):
        run(raw, tmp_path / "out")


def test_a_write_that_fails_midway_leaves_the_former_tables_in_place(tmp_path, monkeypatch):
    raw, out = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out"
    run(raw, out)
    before = contents(out)

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage, "_clerks_sheet", full_disk)
    folder(raw, household=HOUSEHOLD.replace("a-1", "a-2"))
    with pytest.raises(OSError, match="No space left"):
        run(raw, out)

    assert before == contents(out)
    assert {"raw", "out"} == {p.name for p in tmp_path.iterdir()}


def test_a_run_stopped_between_the_two_renames_is_made_good(tmp_path):
    raw, out = folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out"
    run(raw, out)
    before = contents(out)
    out.rename(tmp_path / "out.former")

    run(raw, out)

    assert before == contents(out)
    assert {"raw", "out"} == {p.name for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        CHILD.replace("birth_date", "born"),
        CHILD.replace("recorded_on", "child_id"),
        CHILD.splitlines()[0],
        CHILD[:-20],
        CHILD.replace("c-", "3.2E+1"),
    ],
    ids=["0 bytes", "column dropped", "column doubled", "no rows", "truncated", "NIKs as floats"],
)
def test_a_damaged_file_is_refused_and_nothing_is_written(tmp_path, damaged):
    with pytest.raises(InputRefused):
        run(folder(tmp_path / "raw", household=HOUSEHOLD, child=damaged), tmp_path / "out")

    assert {"raw"} == {p.name for p in tmp_path.iterdir()}


def test_the_report_is_drawn_with_one_line_a_register(tmp_path):
    report = run(folder(tmp_path / "raw", household=HOUSEHOLD, child=CHILD), tmp_path / "out")
    console = Console(width=100)
    with console.capture() as drawn:
        console.print(table(report))

    assert all(name in drawn.get() for name in REGISTERS)


@settings(max_examples=10, deadline=None)
@given(st.permutations(HOUSEHOLD.splitlines()[1:] + ["h-3,2024-01-03,a-1,5", "h-3,2024-01-03,a-1,5"]))
def test_the_order_of_the_rows_changes_no_table(rows):
    header = HOUSEHOLD.splitlines()[0]
    with tempfile.TemporaryDirectory() as place:
        raw, out = Path(place) / "raw", Path(place) / "out"
        run(folder(raw, household="\n".join([header, *rows]), child=CHILD), out)
        written = (out / "household.parquet").read_bytes()
        run(folder(raw, household="\n".join([header, *sorted(rows)]), child=CHILD), out)

        assert written == (out / "household.parquet").read_bytes()


def test_registers_that_are_exchanged_while_they_are_read_end_the_stage(tmp_path, monkeypatch):
    raw = folder(tmp_path / "data" / "raw", household=HOUSEHOLD, child=CHILD.replace("45000", "2023-05-02"))
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    read = stage.ingest

    def exchanged(*given, **how):
        made = read(*given, **how | {"max_quarantine_share": 0.5})
        raw.rename(tmp_path / "data" / "before")
        folder(raw, household=HOUSEHOLD, child=CHILD)
        return made

    monkeypatch.setattr(stage, "ingest", exchanged)
    with pytest.raises(InputRefused, match="other registers in data/raw than when this run began"):
        stage.main()
