import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells import AMBIGUOUS, GROUPED, MARKED, NOTHING, UNPRINTABLE, guarded
from features.errors import InputRefused
from features.schema import Column, Kind, Register
from features.validation import CONFLICT, COPY, DAMAGED, EMPTY, SERIAL, UNBORN, UNTIMELY, validate

VISITS = Register(
    "visits",
    "Visits",
    "One row per child and visit.",
    ("child_id", "seen_on"),
    (
        Column("child_id", Kind.TEXT, "The child.", "not allowed", required=True),
        Column("seen_on", Kind.DATE, "Date.", "not allowed", required=True),
        Column("height_cm", Kind.NUMBER, "Height.", "not measured", unit="cm", valid=(38, 140)),
        Column("visits", Kind.WHOLE, "Visits.", "not known", valid=(0, 20)),
        Column("oedema", Kind.YES_NO, "Oedema.", "not looked for"),
        Column("position", Kind.CODE, "Position.", "not known", codes={"l": "lying", "h": "standing"}),
        Column("note", Kind.TEXT, "Note.", "nothing to say"),
    ),
)
PLACES = Register(
    "places",
    "Places",
    "One row per place.",
    ("place_id",),
    (
        Column("place_id", Kind.TEXT, "The place.", "not allowed", required=True),
        Column("altitude_m", Kind.NUMBER, "Altitude.", "not known", unit="m", valid=(-50, 6000)),
        Column("people", Kind.WHOLE, "People.", "not known", valid=(0, 9000)),
    ),
)
BIRTHS = Register(
    "births",
    "Births",
    "One row per child and date of knowledge.",
    ("child_id", "recorded_on"),
    (
        Column("child_id", Kind.TEXT, "The child.", "not allowed", required=True),
        Column("recorded_on", Kind.DATE, "Known from.", "not allowed", required=True),
        Column("birth_date", Kind.DATE, "Born.", "not allowed", required=True),
    ),
)
HEADER = ("child_id", "seen_on", "height_cm", "visits", "oedema", "position")


def visits(*rows, header=HEADER):
    return pd.DataFrame(rows, columns=list(header), dtype="str")


def check(frame, most=1.0):
    return validate(frame, VISITS, max_quarantine_share=most)


def one(**cells):
    given_row = dict(zip(HEADER, ("ana", "2024-03-10", "73.4", "1", "0", "l"), strict=True)) | cells
    return check(visits(tuple(given_row.values())))


def reasons(outcome):
    return outcome.quarantined.set_index("column")["reason"].to_dict()


def test_accepted_rows_are_typed_in_the_registers_order_and_absent_columns_are_null():
    outcome = check(visits(("ana", "2024-03-10"), header=("seen_on", "child_id")[::-1]))

    assert VISITS.names == list(outcome.accepted.columns)
    assert ["string", "datetime64[us]", "float64", "Int64", "boolean", "string", "string"] == [
        str(d) for d in outcome.accepted.dtypes
    ]
    assert outcome.absent_columns == ("height_cm", "visits", "oedema", "position", "note")
    assert outcome.accepted.loc[0, "height_cm":].isna().all()


@pytest.mark.parametrize(
    ("written", "read"),
    [("1", True), ("true", True), ("Ya", True), ("V", True), ("✓", True), ("yes", True)]
    + [("0", False), ("FALSE", False), ("Tidak", False), ("no", False), ("1.0", True)],
)
def test_yes_and_no_may_be_written_as_clerks_write_them(written, read):
    assert one(oedema=written).accepted["oedema"].tolist() == [read]


def test_a_blank_is_null_and_not_no():
    assert one(oedema="  ").accepted["oedema"].isna().tolist() == [True]


@pytest.mark.parametrize("written", ["2024-03-10", "10/03/2024", "2024-03-10 08:30:00", "2024-03-10T00:00"])
def test_a_date_is_read_with_the_day_first_or_the_year_first(written):
    assert one(seen_on=written).accepted["seen_on"].tolist() == [pd.Timestamp("2024-03-10")]


@pytest.mark.parametrize("written", ["73.4", "73,4", " 73.40 "])
def test_a_decimal_comma_is_a_decimal_point(written):
    assert one(height_cm=written).accepted["height_cm"].tolist() == [73.4]


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("child_id", "3.21101E+15", DAMAGED),
        ("child_id", "3211012345678901.0", DAMAGED),
        ("child_id", " ", EMPTY),
        ("seen_on", "45361", SERIAL),
        ("seen_on", "2024-02-30", "not a date"),
        ("seen_on", "31/02/2024", "not a date"),
        ("seen_on", "0204-03-10", "before 1900"),
        ("height_cm", "734", "outside the allowed range"),
        ("height_cm", "1e999", "outside the allowed range"),
        ("height_cm", "tall", "not a number"),
        ("height_cm", "nan", "not a number"),
        ("visits", "1.5", "has a fraction, but counts whole things"),
        ("oedema", "maybe", "neither yes nor no"),
        ("position", "x", "unknown code"),
    ],
)
def test_a_fault_is_told_with_its_row_its_value_and_what_is_allowed(column, written, reason):
    outcome = one(**{column: written})

    line = outcome.quarantined.iloc[0]
    assert (1, column, written.strip(), reason) == (line.row, line.column, line.value_seen, line.reason)
    assert VISITS.column(column).allowed() == line.allowed
    assert (1, 0, 1) == (outcome.read, len(outcome.accepted), outcome.quarantined_rows)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("3.21e15", DAMAGED),
        ("3.21E15", DAMAGED),
        ("3,21E+15", DAMAGED),
        ("3e15", DAMAGED),
        ("123.00", DAMAGED),
        ('="3211012345678901"', MARKED),
        ("'3211012345678901", MARKED),
        ("NaN", NOTHING),
        ("null", NOTHING),
        ("-", NOTHING),
        ("３２１１", UNPRINTABLE),  # noqa: RUF001 (full-width digits are the case)
        ("3211\x000123", UNPRINTABLE),
        ("3211\n0123", UNPRINTABLE),
        ("3211\u200b0123", UNPRINTABLE),
        ("\ufeff32110123", UNPRINTABLE),
        ("3211  0123", UNPRINTABLE),
    ],
)
def test_an_identifier_that_a_spreadsheet_or_a_slip_changed_is_quarantined(written, reason):
    assert {"child_id": reason} == reasons(one(child_id=written))


@pytest.mark.parametrize(
    "written", ["0031", "2012-000101 1", "1234e567", "9f3e21aa", "-12", "a_b/c.1", "32.11.01.2003"]
)
def test_an_identifier_of_plain_letters_digits_and_signs_is_kept_as_it_is(written):
    assert [written] == one(child_id=written).accepted["child_id"].tolist()


def test_free_text_may_hold_any_character():
    outcome = check(visits(("ana", "2024-03-10", "Désa\u200b = 3.0"), header=("child_id", "seen_on", "note")))

    assert ["Désa\u200b = 3.0"] == outcome.accepted["note"].tolist()


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("altitude_m", "2,975", AMBIGUOUS),
        ("altitude_m", "2.975", AMBIGUOUS),
        ("altitude_m", "-1.050", AMBIGUOUS),
        ("altitude_m", "2,975.5", "not a number"),
        ("people", "1,000", GROUPED),
        ("people", "1.000", GROUPED),
        ("people", "12.0000", "not written as a whole number"),
        ("people", "1e3", "not written as a whole number"),
        ("people", "2.5", "has a fraction, but counts whole things"),
    ],
)
def test_a_number_that_could_be_a_thousand_times_larger_is_quarantined(column, written, reason):
    frame = pd.DataFrame({"place_id": ["a-1"], column: [written]}, dtype="str")
    outcome = validate(frame, PLACES, max_quarantine_share=1)

    assert {column: reason} == reasons(outcome)


def test_a_number_with_one_reading_is_kept():
    frame = pd.DataFrame(
        {
            "place_id": ["a-1", "a-2", "a-3", "a-4", "a-5"],
            "altitude_m": ["2975", "2975,0", "2.9750", "0.987", "29.75"],
            "people": ["1000", "3.0", "3,0", "3.00", "+4"],
        },
        dtype="str",
    )
    outcome = validate(frame, PLACES, max_quarantine_share=0)

    assert [2975, 2975, 2.975, 0.987, 29.75] == outcome.accepted["altitude_m"].tolist()
    assert [1000, 3, 3, 3, 4] == outcome.accepted["people"].tolist()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["1.539", "0.9913", "2.975"], 3),
        (["1,539", "12,5", "2,975"], 3),
        (["2.975", "12,5", "3.104"], 1),
        (["2.975", "1.25", "12,5"], 2),
    ],
)
def test_the_columns_other_numbers_tell_what_its_decimal_sign_is(written, kept):
    frame = pd.DataFrame({"place_id": ["a-1", "a-2", "a-3"], "altitude_m": written}, dtype="str")
    outcome = validate(frame, PLACES, max_quarantine_share=1)

    assert (3, kept) == (outcome.read, len(outcome.accepted))


@pytest.mark.parametrize(
    "altitudes",
    [
        pd.Series([2.975, None]),
        pd.Series([2.975, None], dtype="Float64"),
        pd.Series([2.975, None], dtype="object"),
        pd.Series([Decimal("2.975"), None]),
        pd.Series([2.975, None]).astype("category"),
    ],
    ids=["float64", "Float64", "object", "decimal", "category"],
)
def test_a_number_that_came_as_a_number_is_not_doubted(altitudes):
    frame = pd.DataFrame({"place_id": ["a-1", "a-2"], "altitude_m": altitudes, "people": [1000.0, 3.0]})
    outcome = validate(frame, PLACES, max_quarantine_share=0)

    assert [2.975] == outcome.accepted["altitude_m"].dropna().tolist()
    assert [1000, 3] == outcome.accepted["people"].tolist()


def test_a_date_after_the_run_and_a_birth_after_its_record_are_quarantined():
    rows = [
        ("ana", "2024-03-10", "2024-03-10"),
        ("budi", "2024-03-10", "2024-03-11"),
        ("citra", "2024-06-02", "2024-01-01"),
        ("dewi", "2024-03-10", "2204-01-01"),
        ("eka", "2024-06-01", "2024-06-01"),
    ]
    outcome = validate(visits(*rows, header=BIRTHS.names), BIRTHS, max_quarantine_share=1, today=dt.date(2024, 6, 1))

    assert ["ana", "eka"] == outcome.accepted["child_id"].tolist()
    assert [(2, "birth_date", UNBORN), (3, "recorded_on", UNTIMELY), (4, "birth_date", UNTIMELY)] == list(
        outcome.quarantined[["row", "column", "reason"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("written", ["=1+1", "+a", "-abc", "@SUM(1)", "\tx", " =1"])
def test_the_apostrophe_of_the_clerks_sheet_is_taken_off_when_the_sheet_comes_back(written):
    sheet = guarded(pd.Series([written]))
    outcome = check(pd.DataFrame({"child_id": ["ana"], "seen_on": ["2024-03-10"], "note": sheet}))

    assert ["'" + written] == sheet.tolist()
    assert [written.strip()] == outcome.accepted["note"].tolist()


def test_an_identifier_that_begins_with_a_sign_comes_back_from_the_clerks_sheet_unfaulted():
    sheet = guarded(pd.Series(["-a1", "-12"]))
    outcome = check(pd.DataFrame({"child_id": sheet, "seen_on": ["2024-03-10", "2024-03-10"]}))

    assert ["'-a1", "-12"] == sheet.tolist()
    assert ["-a1", "-12"] == outcome.accepted["child_id"].tolist()


def test_the_clerks_sheet_leaves_numbers_blanks_and_plain_text_alone():
    cells = pd.Series(["-3.2", "+4", "-3,2", " ", "", None, "Desa", "'a"])

    assert ["-3.2", "+4", "-3,2", " ", "", "Desa", "'a"] == guarded(cells).dropna().tolist()
    assert [-3.2] == guarded(pd.Series([-3.2])).tolist()
    assert guarded(pd.Series([None, None], dtype="str")).isna().all()


def test_two_faults_in_one_row_are_two_lines_and_one_row():
    outcome = one(height_cm="734", position="x")

    assert {"height_cm", "position"} == set(reasons(outcome))
    assert outcome.quarantined_rows == 1


def test_niks_read_as_floats_are_quarantined_even_when_typed():
    frame = pd.DataFrame({"child_id": [3211012345678901.0, 3.21101e15], "seen_on": "2024-03-10"})

    assert [DAMAGED, DAMAGED] == check(frame).quarantined["reason"].tolist()


def test_a_typed_frame_is_accepted_as_it_is():
    frame = pd.DataFrame(
        {
            "child_id": pd.Series([1, 2, 3]),
            "seen_on": pd.to_datetime(["2024-03-10", "2024-03-11", "2024-03-12"]),
            "height_cm": [73.4, None, 80],
            "visits": [1.0, None, 3],
            "oedema": pd.array([True, None, False], dtype="boolean"),
            "position": pd.Categorical(["l", None, "h"]),
            "note": [dt.date(2024, 1, 1), None, "x"],
        }
    )
    outcome = check(frame)

    assert outcome.quarantined.empty
    assert outcome.accepted["child_id"].tolist() == ["1", "2", "3"]
    assert [1, pd.NA, 3] == outcome.accepted["visits"].tolist()


def test_an_exact_copy_is_quarantined_and_one_row_is_kept():
    row = ("ana", "2024-03-10", "73.4", "1", "0", "l")
    same = ("ana", "10/03/2024", "73,40", "1", "Tidak", "L")
    outcome = check(visits(row, same, row))

    assert [COPY, COPY] == outcome.quarantined["reason"].tolist()
    assert len(outcome.accepted) == 1


def test_rows_that_share_a_key_but_differ_are_all_quarantined():
    outcome = check(
        visits(
            ("ana", "2024-03-10", "73.4", "1", "0", "l"),
            ("ana", "2024-03-10", "74.3", "1", "0", "l"),
            ("budi", "2024-03-10", "80", "1", "0", "l"),
        )
    )

    assert [1, 2] == outcome.quarantined["row"].tolist()
    assert {CONFLICT} == set(outcome.quarantined["reason"])
    assert outcome.accepted["child_id"].tolist() == ["budi"]


def test_the_adapters_own_row_numbers_are_used_when_it_gives_them():
    frame = visits(("ana", "x"), header=HEADER[:2]).assign(_source_file="a.xlsx", _source_row=17)
    line = check(frame).quarantined.iloc[0]

    assert ("a.xlsx", 17) == (line.file, line.row)


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (visits(("ana",), header=["child_id"]), "no column seen_on"),
        (visits(("a", "b", "c"), header=["child_id", "seen_on", "seen_on"]), "'seen_on' more than once"),
        (visits(("a", "b", "c"), header=["child_id", "2024-03-10", "2024-03-10"]), "positions 2, 3"),
        (visits(("a",), header=["nama"]), "none of the register's columns"),
        (visits(header=HEADER), "no rows"),
        (pd.DataFrame(), "no column child_id, seen_on"),
    ],
)
def test_a_file_that_cannot_be_a_register_is_refused_whole(frame, found):
    with pytest.raises(InputRefused, match=found) as refusal:
        check(frame)

    assert all(part in str(refusal.value) for part in ("Found:", "Allowed:", "What to do:"))


def test_an_unknown_column_is_named_only_when_its_header_looks_like_a_column_name():
    outcome = check(
        visits(("ana", "2024-03-10", "1", "2"), header=["child_id", "seen_on", "desil", "3211012345678901"])
    )

    assert ("desil, position 4 (its header is not a column name)",) == outcome.unknown_columns


def test_two_percent_of_impossible_values_are_quarantined_and_more_than_allowed_are_refused():
    rows = [(f"c{i}", "2024-03-10", "999" if i % 50 == 0 else "73.4", "1", "0", "l") for i in range(1000)]

    assert check(visits(*rows), most=0.02).quarantined_rows == 20
    with pytest.raises(InputRefused, match="20 of 1000 rows have faults, the first in row 1"):
        check(visits(*rows), most=0.019)


def test_a_refusal_repeats_no_value_of_a_person():
    with pytest.raises(InputRefused) as refusal:
        check(visits(("ana", "born on 5 May"), header=HEADER[:2]), most=0)

    assert "ana" not in str(refusal.value)
    assert "5 May" not in str(refusal.value)


CELLS = st.tuples(
    st.sampled_from(["ana", "budi", "", "3.2E+15", "citra"]),
    st.sampled_from(["2024-03-10", "10/03/2024", "2024-04-01", "45361", ""]),
    st.sampled_from(["73.4", "73,4", "999", "", "x"]),
    st.sampled_from(["1", "1.5", ""]),
    st.sampled_from(["Ya", "1", "?", ""]),
    st.sampled_from(["l", "L", "z", ""]),
)


@given(st.lists(CELLS, min_size=1, max_size=30))
def test_every_row_read_is_either_accepted_or_quarantined(rows):
    outcome = check(visits(*rows))

    assert outcome.read == len(outcome.accepted) + outcome.quarantined_rows
    assert outcome.quarantined_rows == outcome.quarantined["row"].nunique()


@given(st.lists(CELLS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    one_way, other_way = (
        check(visits(*r)).accepted.sort_values(list(VISITS.key), ignore_index=True) for r in (rows, shuffled)
    )

    pd.testing.assert_frame_equal(one_way, other_way)
