"""Names are handed over apart, checked as any register, read by nothing that makes features, and shown masked."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from features.build import build, read_registers
from features.contracts import APART, HOUSEHOLD_NAME, NEVER_FEATURES, REGISTERS, TOGETHER
from features.errors import InputRefused
from features.ingest import ingest
from features.names import BESIDE_A_NAME, FORMULA, HIDDEN, NAMELESS, NUMBERED, STARS, fault_of, masked
from features.simulation import heads
from features.simulation.areas import made_up
from features.simulation.part import made
from features.simulation.places import settle
from features.validation import CONFLICT, COPY, EMPTY
from tests.conftest import DUCKDB

TODAY = dt.date(2024, 6, 1)
OTHERS = {
    "area": "area_id,region_id\na-1,r-1\n",
    "household": "household_id,recorded_on,area_id\nh-1,2024-01-02,a-1\nh-2,2024-01-02,a-1\n",
    "child": "child_id,household_id,recorded_on,birth_date\nc-1,h-1,2024-01-02,2023-05-01\n",
}
NAMES = """\
household_id,recorded_on,head_name
h-1,2024-01-02,"Hj. Siti Aminah, S.Pd."
h-2,2024-01-02,'Aisyah
h-2,2024-03-01,王小明
"""
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=0, max_size=12)
WORDS = st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), LETTERS, LETTERS), min_size=1, max_size=6)


def ingested(tmp_path, names=NAMES, share=0.0):
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in OTHERS.items() if names is None else [*OTHERS.items(), ("household_name", names)]:
        (raw / f"{name}.csv").write_text(text, encoding="utf-8")
    return ingest(raw, "canonical", tmp_path / "out", max_quarantine_share=share, today=TODAY)


def first_letters(name: str) -> list[str]:
    """The first letter of every word, whatever else stands in it."""
    plain = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) not in {"Cf", "Mn", "Me"})
    words = [
        [c for c in word if c.isalpha() and unicodedata.category(c) != "Lm"] for word in re.split(r"[\s.,]+", plain)
    ]
    return [letters[0] for letters in words if letters]


def comes_in_order(some: list[str], among: list[str]) -> bool:
    left = iter(among)
    return all(any(one in (other, other.upper()) for other in left) for one in some)


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("Siti Aminah", "S*** A***"),
        ("siti AMINAH", "S*** A***"),
        ("Hj. Siti Aminah binti Abdullah", "S*** A*** A***"),
        ("H.Ahmad bin Umar, S.E., M.M.", "A*** U***"),
        ("Nur'aini", "N***"),
        ("'Aisyah", "A***"),
        ("ʿAisyah", "A***"),
        ("Siti-Aminah", "S***"),
        ("A. M. Fatwa Putra", "A*** M*** F***"),
        ("Rohani 2", "R***"),
        ("O", "O***"),
        ("Haji", "H***"),
        ("e\u0301lan", "É***"),
        ("Si\u202eti", "S***"),
        ("ßa", "ß***"),
        ("王小明", "王***"),
        ("سيتي أمينة", "س*** أ***"),
        ("S*** A***", "S*** A***"),
        (", Siti", "S***"),
        ("3201010101010001", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_mask_has_the_first_letters_of_at_most_three_words_without_titles(name, mask):
    assert mask == masked(name)


@given(st.text(max_size=60))
def test_no_more_than_the_first_letter_of_any_word_is_in_a_mask(name):
    mask = masked(name)
    shown = [] if mask is None else mask.split(" ")

    assert all(len(one) == 1 + len(STARS) and one.endswith(STARS) for one in shown)
    assert len(shown) <= 3
    assert comes_in_order([one[0] for one in shown], first_letters(name))
    assert (mask is None) == (first_letters(name) == [])


@given(WORDS)
def test_names_whose_words_begin_alike_have_one_mask_however_long_they_are(words):
    name, other = (" ".join(first + tails[at] for first, *tails in words) for at in (0, 1))
    assume(not BESIDE_A_NAME & {*name.split(), *other.split()})

    assert masked(name) == masked(other)


@given(st.text(max_size=60))
def test_a_mask_of_a_mask_is_the_same(name):
    mask = masked(name)
    assert mask is None or mask == masked(mask)


@given(st.text(max_size=60))
def test_a_name_that_is_accepted_has_a_mask(name):
    assert fault_of(name) or masked(name)


@given(st.text("0123456789", min_size=16, max_size=16), st.sampled_from(["", " ", ".", "-", "/"]), LETTERS)
def test_a_nik_is_no_name_however_it_is_written(digits, between, beside):
    written = between.join(digits[at : at + 4] for at in range(0, 16, 4))
    assert NUMBERED == fault_of(f"{beside} {written}".strip())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("081234567890", NUMBERED), ("7", NUMBERED), ("-", NAMELESS), ("N/A", NAMELESS), ("Tidak ada", NAMELESS),
        ("=A1&B1", FORMULA), ("#NAME?", FORMULA), ("3,2E+15", FORMULA), ("Siti\nAminah", HIDDEN), ("Siti", ""),
        ("ROHANI 2", ""), ("'Aisyah", ""), ("王小明", ""),
    ],
)  # fmt: skip
def test_what_is_no_name_is_told_by_its_kind(name, why):
    assert why == fault_of(name)


def test_names_are_accepted_as_they_are_written_and_the_others_are_kept_back_with_why(tmp_path):
    more = """\
h-1,2024-02-02,3201010101010001
h-1,2024-02-03,
h-1,2024-02-04,Budi
h-1,2024-02-04,Budi
h-1,2024-02-05,Budi
h-1,2024-02-05,Budiman
"""
    report = ingested(tmp_path, NAMES + more, share=1.0)
    count = next(r for r in report.registers if r.name == "household_name")
    accepted = pd.read_parquet(tmp_path / "out/household_name.parquet")
    kept_back = pd.read_csv(tmp_path / "out/quarantine/household_name.csv", dtype="string")

    assert (9, 4, 5) == (count.read, count.accepted, count.quarantined)
    assert ["Hj. Siti Aminah, S.Pd.", "Budi", "'Aisyah", "王小明"] == accepted.head_name.to_list()
    assert [NUMBERED, EMPTY, COPY, CONFLICT, CONFLICT] == kept_back.reason.to_list()
    assert [4, 5, 7, 8, 9] == kept_back.row.astype(int).to_list()


def test_a_file_of_numbers_in_place_of_names_is_refused_without_repeating_one(tmp_path):
    with pytest.raises(InputRefused, match="1 of 1 rows have faults") as refusal:
        ingested(tmp_path, "household_id,recorded_on,head_name\nh-1,2024-01-02,Siti 3201010101010001\n")

    assert not re.search("siti|3201", str(refusal.value), re.IGNORECASE)
    assert not (tmp_path / "out").exists()


def test_names_of_unknown_households_are_kept_and_counted(tmp_path):
    report = ingested(tmp_path, NAMES + "h-9,2024-01-02,Budi\n")

    said = "1 of 4 rows of `household_name` have a household_id that is not in `household`; they were kept."
    assert any(note.startswith(said) for note in report.notes)


def test_no_stage_that_follows_reads_them(tmp_path):
    ingested(tmp_path)
    (tmp_path / "out/household_name.parquet").write_bytes(b"nobody opens it")
    registers = read_registers(tmp_path / "out")

    assert {"household_name"} == APART == REGISTERS.keys() - TOGETHER.keys()
    assert APART < NEVER_FEATURES
    assert TOGETHER.keys() == registers.keys()
    assert not [name for name, rows in registers.items() if "head_name" in rows]


def test_features_are_the_same_with_and_without_them(tmp_path):
    for name, names in (("with", NAMES), ("without", None)):
        (tmp_path / name).mkdir()
        ingested(tmp_path / name, names)
    first, second = (build(read_registers(tmp_path / name / "out"), DUCKDB) for name in ("with", "without"))
    handed = {**read_registers(tmp_path / "with/out"), "household_name": pd.DataFrame({"head_name": ["Siti"]})}

    pd.testing.assert_frame_equal(second.units, first.units)
    pd.testing.assert_frame_equal(second.units, build(handed, DUCKDB).units)


def test_the_simulated_names_change_no_other_register(monkeypatch):
    desa = settle(made_up(), households=300, seed=5)[0]
    before = made(desa, part=0, seed=5, survey_take=0)
    monkeypatch.setattr(heads, "HANDED_OVER", 0.5)
    monkeypatch.setattr(heads, "MEN", ("Agus",))
    after = made(desa, part=0, seed=5, survey_take=0)
    same = {name for name in before.registers if before.registers[name].equals(after.registers[name])}

    assert before.registers.keys() - {HOUSEHOLD_NAME.name} == same


def test_a_simulated_name_is_of_a_household_that_is_there_and_has_a_mask():
    desa = settle(made_up(), households=400, seed=7)[0]
    part = made(desa, part=0, seed=7, survey_take=0)
    names = part.registers["household_name"].to_pandas()
    clean = names.drop(index=part.faults["household_name"]["row"].to_numpy() - 1)
    homes = {*part.registers["household"]["household_id"].to_pylist()}
    homes |= {fault["was"] for fault in part.faults["household"].to_pylist() if fault["column"] == "household_id"}

    assert set() == set(clean.household_id) - homes
    assert len(clean) > 0.9 * desa.households
    assert {""} == set(map(fault_of, clean.head_name))
    assert all(clean.head_name.map(masked))
