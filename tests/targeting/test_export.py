"""The files of a worklist."""

import csv
import datetime as dt
import tempfile
import time
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from targeting.export import picture, write_csv, write_xlsx
from targeting.headings import HEADINGS
from targeting.urgent import UrgentLimits, urgent
from targeting.worklist import COLUMNS, INTERVAL, worklist

META = {"model_version": "m1", "as_of": dt.date(2024, 6, 1), "objective": "find"}
HOUSEHOLDS = pd.DataFrame(
    {
        "household_id": ["h1", "h2"], "region_id": ["north", "south"], "area_id": "a1",
        "area_name": ["=1+1", None], "unit_count": [1, 2], "expected_stunted": [0.25, 1.1],
        "risk_find": [0.25, 0.75], "risk_prevent": None, "risk": [0.25, 0.75],
        "objective": "find", "freshest_on": dt.date(2024, 5, 1),
        "stalest_on": dt.date(2024, 1, 1), "reasons_id": "jamban; miskin",
        "reasons_en": "latrine; poor", "reasons_unit_id": "ana", "missing_registers": "", "model_version": "m1",
    }
)  # fmt: skip
MEASURED = pd.DataFrame(
    {
        "child_id": ["ana"], "household_id": ["h1"], "region_id": ["north"], "area_id": ["a1"],
        "measured_on": [dt.date(2024, 5, 1)], "recorded_on": [dt.date(2024, 5, 2)],
        "whz": [-3.5], "muac_cm": [None], "oedema": [False], "age_months": [24],
    }
)  # fmt: skip
LIST = worklist(HOUSEHOLDS, capacity=2, salt="r1")
URGENT = urgent(MEASURED, limits=UrgentLimits())


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines))


@pytest.fixture
def book(tmp_path):
    write_xlsx(LIST, URGENT, tmp_path / "list.xlsx", meta=META)
    return tmp_path / "list.xlsx"


def test_a_csv_starts_with_the_mark_that_excel_needs(tmp_path):
    write_csv(pd.DataFrame({"area": ["Désa"]}), tmp_path / "x.csv")

    assert b"\xef\xbb\xbfarea\r\n" == (tmp_path / "x.csv").read_bytes()[:9]
    assert [["area"], ["Désa"]] == read_csv(tmp_path / "x.csv")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(tmp_path, start):
    write_csv(pd.DataFrame({f"{start}h": [f"{start}cmd"]}), tmp_path / "x.csv")

    assert [[f"'{start}h"], [f"'{start}cmd"]] == read_csv(tmp_path / "x.csv")


def test_negative_numbers_stay_numbers_and_nulls_stay_empty(tmp_path):
    write_csv(pd.DataFrame({"n": [-1, 2], "x": [-1.5, None]}), tmp_path / "x.csv")

    assert [["n", "x"], ["-1", "-1.5"], ["2", ""]] == read_csv(tmp_path / "x.csv")


def test_the_sheets_hold_the_list_the_referrals_and_the_notes(book):
    read = CalamineWorkbook.from_path(book)
    first = read.get_sheet_by_name("Prioritas").to_python()
    child = read.get_sheet_by_name("Rujukan segera").to_python()
    notes = read.get_sheet_by_name("Keterangan").to_python()

    assert ["Prioritas", "Rujukan segera", "Keterangan"] == read.sheet_names
    assert ["Urutan", "ID keluarga"] == first[0][:2]
    assert [[1, "h2"], [2, "h1"]] == [row[:2] for row in first[1:]]
    assert "'=1+1" == first[2][4]
    assert "ana" == child[1][0]
    assert ["Versi model / Model version", "m1"] in notes
    assert any("independent" in str(row[1]) for row in notes)
    assert any("advice" in str(row[1]) for row in notes)


def test_the_list_prints_on_a4_with_its_header_on_every_page(book):
    sheet = openpyxl.load_workbook(book)["Prioritas"]

    assert ("A2", "$1:$1") == (sheet.freeze_panes, sheet.print_title_rows)
    assert ("landscape", 9) == (sheet.page_setup.orientation, int(sheet.page_setup.paperSize))
    assert sheet.dimensions == sheet.auto_filter.ref


def test_two_workbooks_written_at_different_times_have_the_same_bytes(book):
    before = book.read_bytes()
    time.sleep(2.1)  # zip times step by two seconds
    write_xlsx(LIST, URGENT, book, meta=META)

    assert before == book.read_bytes()


def test_meta_without_a_model_version_is_refused(tmp_path):
    with pytest.raises(ValueError, match="it also needs model_version"):
        write_xlsx(LIST, URGENT, tmp_path / "x.xlsx", meta={"as_of": 1, "objective": "find"})


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_csv(pd.DataFrame({"a": [2]}), tmp_path / "x.csv")

    assert [["a"], ["1"]] == read_csv(tmp_path / "x.csv")
    assert ["x.csv"] == [file.name for file in tmp_path.iterdir()]


def test_an_empty_list_still_makes_every_file(tmp_path):
    nothing = worklist(HOUSEHOLDS.head(0), capacity=2, salt="r1")
    write_xlsx(nothing, URGENT.head(0), tmp_path / "x.xlsx", meta=META)
    picture(nothing, HOUSEHOLDS.head(0), tmp_path / "x.png")

    assert {"x.xlsx", "x.png"} == {file.name for file in tmp_path.iterdir()}


def test_two_pictures_have_the_same_bytes(tmp_path):
    picture(LIST, HOUSEHOLDS, tmp_path / "a.png")
    picture(LIST, HOUSEHOLDS, tmp_path / "b.png")

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_two_writes_give_the_same_bytes_and_no_cell_can_run(texts):
    rows = LIST.rows.head(1).assign(reasons_id=" ".join(texts))
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "1.csv"), Path(folder, "2.csv")
        write_csv(rows, one)
        write_csv(rows, two)

        assert one.read_bytes() == two.read_bytes()
        reasons = read_csv(one)[1][list(rows.columns).index("reasons_id")]
        assert not reasons.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_interval_and_both_levels_have_headings_that_say_which_is_which(tmp_path):
    known = worklist(
        HOUSEHOLDS.assign(risk_low=[0.1, 0.6], risk_high=[0.4, 0.9], risk_survey=[0.5, 0.8]), capacity=1, salt="r1"
    )
    write_xlsx(known, URGENT, tmp_path / "x.xlsx", meta=META | {"level": "SSGI", "boundary": "1"})
    read = CalamineWorkbook.from_path(tmp_path / "x.xlsx")
    sheet = read.get_sheet_by_name("Prioritas").to_python()
    notes = {row[0]: row[1] for row in read.get_sheet_by_name("Keterangan").to_python()}

    assert ["Batas bawah risiko", "Batas atas risiko", "Dekat batas daftar", "Risiko menurut survei"] == sheet[0][-4:]
    assert [0.6, 0.9, True, 0.8] == sheet[1][-4:]
    assert "on the register's level" in notes["Risiko dasar urutan"]
    assert "on the level of the survey" in notes["Risiko menurut survei"]
    assert ("SSGI", "1") == (
        notes["Tingkat risiko / Level of risks"], notes["Dekat batas daftar / Near the end of the list"],
    )  # fmt: skip


def test_every_column_of_a_list_has_a_heading():
    assert set() == {"rank", *COLUMNS, *INTERVAL, "boundary", "risk_survey"} - set(HEADINGS)
