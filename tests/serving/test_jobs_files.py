"""What an uploaded file may be: read by the batch's own reader and contracts, or refused in words."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.adapters import books, bounds
from features.errors import InputRefused
from serving.access.scope import EVERYWHERE, Scope
from serving.jobs import sheets
from serving.jobs.checking import ROW, absent, check
from serving.jobs.homes import CROWDED, OUTSIDE, STRANGER, group
from serving.jobs.rows import read_batch
from serving.rows import SCORED_FROM

TODAY = dt.date(2025, 6, 30)
CHILD = "child_id,household_id,recorded_on,birth_date,sex\n"


def child(path: Path, rows: str, header: str = CHILD):
    (path / "child.csv").write_text(header + rows)
    return check(path / "child.csv", "child", today=TODAY)


def book(path: Path, *rows: list[object], sheet: str = "child") -> Path:
    made = openpyxl.Workbook()
    made.active.title = sheet
    for row in rows:
        made.active.append(row)
    made.save(path / "child.xlsx")
    return path / "child.xlsx"


def refusal(path: Path) -> str:
    with pytest.raises(InputRefused) as refused:
        check(path, "child", today=TODAY)
    return str(refused.value)


def test_every_row_is_accepted_or_refused_and_what_was_found_is_not_repeated(tmp_path):
    made = child(
        tmp_path, "a,h1,2025-01-01,2024-01-01,m\nSITI,h2,2025-01-01,2027-01-01,x\nb,h2,2025-01-01,1/2/2024,f\n"
    )

    assert (3, 2, 1) == (made.read, len(made.accepted), made.refused_rows)
    assert [1, 3] == made.accepted[ROW].to_list()
    assert [("child", 2, "birth_date"), ("child", 2, "sex")] == list(
        made.refused[["register", "row", "column"]].itertuples(index=False, name=None)
    )
    assert "SITI" not in made.refused.to_csv()
    assert "2027" not in made.refused.to_csv()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (CHILD.encode(), "no rows"),
        (CHILD.encode() + "a,h1,2025-01-01,2024-01-01,é\n".encode("latin-1"), "is not UTF-8"),
        (CHILD.encode("utf-16"), "zero bytes"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 64, "zero bytes"),
        (b"child_id,household_id,recorded_on\na,h1,2025-01-01\n", "no column birth_date"),
        (b"child_id,child_id,household_id,recorded_on,birth_date\na,a,h,2025-01-01,2024-01-01\n", "more than once"),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "child.csv").write_bytes(content)

    assert words in refusal(tmp_path / "child.csv")


@pytest.mark.parametrize(("cell", "reason"), [("1,5e", "not a number"), ("200", "outside the allowed range")])
def test_a_decimal_comma_is_read_and_a_bad_number_is_refused(tmp_path, cell, reason):
    (tmp_path / "measurement.csv").write_text(
        f"child_id;measured_on;recorded_on;weight_kg\na;2025-01-01;2025-01-01;7,5\nb;2025-01-01;2025-01-01;{cell}\n"
    )
    made = check(tmp_path / "measurement.csv", "measurement", today=TODAY)

    assert [7.5] == made.accepted.weight_kg.to_list()
    assert [reason] == made.refused.reason.to_list()


def test_a_workbook_gives_the_rows_that_a_csv_file_would(tmp_path):
    day = dt.datetime.fromisoformat("2025-01-01")
    path = book(
        tmp_path,
        ["child_id", "household_id", "recorded_on", "birth_date", "sex", "birth_order", None],
        ["a", 17, day, dt.date(2024, 1, 1), "m", 2],
        [],
        ["b", 3211012345678901, day, 45292, "f", 2.5],
    )
    made = check(path, "child", today=TODAY)

    assert [("a", "17", 2, 1)] == list(
        made.accepted[["child_id", "household_id", "birth_order", ROW]].itertuples(index=False, name=None)
    )
    assert [
        ("household_id", "damaged by a spreadsheet; export the column as text"),
        ("birth_date", "an Excel serial number; export the column as a date, YYYY-MM-DD"),
        ("birth_order", "has a fraction, but counts whole things"),
    ] == list(made.refused[["column", "reason"]].itertuples(index=False, name=None))
    assert {3} == set(made.refused.row)


def test_a_workbook_with_formulas_or_several_sheets_of_other_names_is_refused(tmp_path):
    assert "a formula on line 2" in refusal(book(tmp_path, ["child_id"], ["=1+1"]))
    made = openpyxl.Workbook()
    made.create_sheet("other")
    made.save(tmp_path / "child.xlsx")
    assert "none is named child" in refusal(tmp_path / "child.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "child.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (64 * 2**20))
    monkeypatch.setattr(books, "MOST_UNPACKED", 8 * 2**20)

    assert 100_000 > path.stat().st_size
    assert "unpacks to more than is read" in refusal(path)


def test_a_zip_whose_directory_lies_about_its_size_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", b" " * 100_000)
    (tmp_path / "child.xlsx").write_bytes(packed.getvalue().replace((100_000).to_bytes(4, "little"), b"\x10\0\0\0"))

    assert "no Excel workbook" in refusal(tmp_path / "child.xlsx")


def test_a_workbook_that_declares_entities_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "child.xlsx", "w") as packed:
        packed.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')

    assert "declares entities" in refusal(tmp_path / "child.xlsx")


@pytest.mark.parametrize("name", ["child.xlsx", "child.parquet"])
def test_a_renamed_executable_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 4096)

    assert "is no " in refusal(tmp_path / name)


def test_a_parquet_file_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 20_000]))
    pq.write_table(pa.table({"child_id": long}), tmp_path / "child.parquet")

    assert "a cell of more than 10,000 bytes" in refusal(tmp_path / "child.parquet")


def test_a_parquet_bomb_of_many_repeated_cells_is_refused(tmp_path, monkeypatch):
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 9_000]))
    pq.write_table(pa.table({"child_id": texts}), tmp_path / "child.parquet")
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 100 * 2**20)

    assert 100_000 > (tmp_path / "child.parquet").stat().st_size
    assert "unpacks to more than 100 MiB" in refusal(tmp_path / "child.parquet")
    assert bounds.MOST_UNPACKED > 100_000 * 9_000


def test_lists_in_a_parquet_file_are_refused(tmp_path):
    pq.write_table(pa.table({"child_id": [["a"]]}), tmp_path / "child.parquet")

    assert "lists or structures" in refusal(tmp_path / "child.parquet")


@pytest.fixture
def registers(tmp_path: Path) -> Path:
    """Two homes in two regions; Ana moved from one to the other, and a stranger was weighed."""
    (tmp_path / "accepted").mkdir()
    day = [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-02-01"), pd.Timestamp("2025-01-01")]
    given = {
        "household": {"household_id": ["h1", "h2", "h2"], "recorded_on": day, "area_id": ["north", "south", "south"]},
        "child": {"child_id": ["ana", "ana", "budi"], "household_id": ["h1", "h2", "h1"], "recorded_on": day,
                  "birth_date": [pd.Timestamp("2024-01-01")] * 3, "mother_id": ["mia", "mia", None]},
        "maternal": {"mother_id": ["mia"], "household_id": ["h1"], "recorded_on": day[:1], "pregnant": [True]},
        "measurement": {"child_id": ["ana", "x"], "measured_on": day[:2], "recorded_on": day[:2]},
    }  # fmt: skip
    for name in SCORED_FROM:
        empty = absent(name)
        rows = pd.DataFrame(given.get(name, {}))
        rows = rows.reindex(columns=empty.columns).astype({c: t for c, t in empty.dtypes.items() if c != ROW})
        rows.assign(**{ROW: range(1, len(rows) + 1)}).to_parquet(tmp_path / "accepted" / f"{name}.parquet")
    areas = {"area_id": ["north", "south"], "region_id": ["99.01", "99.02"]}
    pd.DataFrame(areas).to_parquet(tmp_path / "area.parquet")
    return tmp_path


def test_a_child_is_of_the_household_of_its_newest_row_and_brings_its_mother_along(registers):
    made = group(registers, areas=registers / "area.parquet", scope=EVERYWHERE, as_of=None)
    batch = read_batch(registers / "facts", first=0, last=made.households, as_of=None)

    assert ["h1", "h2"] == [home.household_id for home in batch.households]
    children = [[row["child_id"] for row in home.registers["child"]] for home in batch.households]
    assert [["budi"], ["ana", "ana"]] == children
    assert [1, 1] == [len(home.registers["maternal"]) for home in batch.households]
    assert [frozenset(), frozenset({"mia"})] == batch.elsewhere
    assert [("measurement", 2, STRANGER)] == list(
        made.refused[["register", "row", "reason"]].itertuples(index=False, name=None)
    )


def test_as_of_a_day_a_child_is_where_it_was_then(registers):
    day = dt.datetime.fromisoformat("2025-01-15")
    group(registers, areas=registers / "area.parquet", scope=EVERYWHERE, as_of=day)
    batch = read_batch(registers / "facts", first=0, last=2, as_of=day)

    assert [{"ana", "budi"}, set()] == [{r["child_id"] for r in h.registers["child"]} for h in batch.households]


@pytest.mark.parametrize(
    "scope", [Scope(regions=frozenset({"99.02"})), Scope(areas=frozenset({"south"})), Scope(areas=frozenset({"it's"}))]
)
def test_rows_of_households_outside_the_makers_regions_are_refused(registers, scope):
    made = group(registers, areas=registers / "area.parquet", scope=scope, as_of=None)
    inside = "it's" not in scope.areas
    outside = made.refused[made.refused.reason == OUTSIDE]

    assert (1 if inside else 0) == made.households
    # of h1 alone; its woman is known through her child, too
    assert (2 if inside else 8) == len(outside)
    batch = read_batch(registers / "facts", first=0, last=made.households, as_of=None)
    assert (["h2"] if inside else []) == [home.household_id for home in batch.households]


def test_a_household_with_more_rows_than_a_request_may_have_is_refused(registers):
    path = registers / "accepted" / "measurement.parquet"
    one = pd.read_parquet(path).head(1)
    many = pd.concat([one] * 201, ignore_index=True).assign(**{ROW: range(1, 202)})
    many.to_parquet(path)
    made = group(registers, areas=registers / "area.parquet", scope=EVERYWHERE, as_of=None)

    assert 1 == made.households
    assert 201 == (made.refused[made.refused.register == "measurement"].reason == CROWDED).sum()
