"""Children and women who are referred at once."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.run import _looked_for, in_danger_since
from targeting.urgent import COLUMNS, LISTED, OF_A_WOMAN, UrgentLimits, urgent, urgent_list, urgent_women
from tests.drawn import drawn

LIMITS = UrgentLimits(haemoglobin_g_dl=8.0)
SINCE = dt.date(2024, 1, 1)


def seen(child="ana", on="2024-05-01", known="2024-05-02", **found):
    """One measurement of a well child of 24 months, but for what was found."""
    well = {"whz": 0.0, "muac_cm": 14.0, "oedema": False, "age_months": 24.0}
    place = {"household_id": "h1", "region_id": "r1", "area_id": "a1"}
    return {"child_id": child, "measured_on": on, "recorded_on": known, **place, **well, **found}


def referred(*rows):
    return urgent(pd.DataFrame(list(rows), columns=COLUMNS), limits=LIMITS)


@pytest.mark.parametrize(
    ("found", "count"),
    [
        ({"whz": -3.01}, 1),
        ({"whz": -3.0}, 0),
        ({"whz": -5.0}, 1),
        ({"whz": -5.01}, 0),
        ({"whz": None, "oedema": True}, 1),
        ({"oedema": None}, 0),
        ({"muac_cm": 11.4}, 1),
        ({"muac_cm": 11.5}, 0),
        ({"muac_cm": 11.4, "age_months": 5.9}, 0),
        ({"muac_cm": 11.4, "age_months": 6}, 1),
        ({"muac_cm": 11.4, "age_months": 59.9}, 1),
        ({"muac_cm": 11.4, "age_months": 60}, 0),
        ({"whz": None, "muac_cm": None, "oedema": None}, 0),
    ],
)
def test_a_child_is_referred_by_any_one_sign(found, count):
    assert count == len(referred(seen(**found)))


def test_two_reasons_are_one_row_with_both():
    (row,) = referred(seen(whz=-3.5, muac_cm=11.0)).to_dict("records")

    assert "BB/TB di bawah -3 SD; LiLA di bawah 11,5 cm" == row["why_id"]
    assert "weight-for-height below -3 SD; arm circumference below 11.5 cm" == row["why_en"]


def test_only_the_latest_measurement_counts():
    assert 0 == len(referred(seen(on="2024-01-01", whz=-4), seen()))
    assert 1 == len(referred(seen(on="2024-01-01"), seen(whz=-4)))


def test_a_correction_recorded_later_replaces_the_first_entry():
    assert 0 == len(referred(seen(whz=-4), seen(known="2024-05-09")))


def test_two_entries_of_the_same_moment_never_hide_an_urgent_one():
    assert 1 == len(referred(seen(), seen(whz=-4)))
    assert 1 == len(referred(seen(whz=-4), seen()))


def test_children_are_in_order_of_place_not_of_severity():
    rows = referred(seen("c", whz=-4.5), seen("a", whz=-3.1), seen("b", oedema=True))

    assert ["a", "b", "c"] == list(rows["child_id"])
    assert "rank" not in rows


def test_no_measurements_refer_no_one():
    assert [*COLUMNS, "why_id", "why_en"] == list(referred().columns)


def test_a_measurement_without_a_date_is_refused():
    with pytest.raises(ValueError, match="1 of 2 measurements lack one of"):
        referred(seen(), seen("b", on=None))


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column whz"):
        urgent(pd.DataFrame([seen()]).drop(columns="whz"), limits=LIMITS)


@given(
    whz=st.lists(st.sampled_from([-6.0, -4.0, -2.0, None]), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
)
def test_the_order_of_the_input_does_not_matter(whz, seed):
    frame = pd.DataFrame([seen(f"c{i % 5}", whz=value) for i, value in enumerate(whz)])
    shuffled = frame.sample(frac=1, random_state=seed)

    pd.testing.assert_frame_equal(urgent(frame, limits=LIMITS), urgent(shuffled, limits=LIMITS))


def woman(mother="ina", known="2024-05-02", hb=None, home="h1"):
    """One record of a woman."""
    place = {"household_id": home, "region_id": "r1", "area_id": "a1"}
    return {"mother_id": mother, "recorded_on": known, **place, "haemoglobin_g_dl": hb}


def women(*rows, below=8.0):
    return urgent_women(pd.DataFrame(list(rows), columns=OF_A_WOMAN), limits=UrgentLimits(haemoglobin_g_dl=below))


@pytest.mark.parametrize(("hb", "count"), [(7.99, 1), (8.0, 0), (8.01, 0), (2.0, 1), (None, 0)])
def test_a_woman_is_referred_strictly_below_the_limit(hb, count):
    assert count == len(women(woman(hb=hb)))


def test_a_womans_row_says_the_limit_in_both_languages():
    (row,) = women(woman(hb=7.4), below=7.5).to_dict("records")

    assert "Hb di bawah 7,5 g/dL" == row["why_id"]
    assert "haemoglobin below 7.5 g/dL" == row["why_en"]


def test_without_a_limit_no_woman_is_looked_at():
    assert 0 == len(women(woman(hb=2.0), below=None))


def test_only_the_newest_haemoglobin_counts_and_a_newer_record_without_one_says_nothing():
    assert 0 == len(women(woman(known="2024-01-01", hb=7), woman(hb=11)))
    assert 1 == len(women(woman(known="2024-01-01", hb=11), woman(hb=7)))
    assert 1 == len(women(woman(known="2024-01-01", hb=7), woman()))


def test_two_haemoglobins_of_the_same_day_never_hide_the_low_one():
    assert [7] == list(women(woman(hb=7), woman(hb=11)).haemoglobin_g_dl)
    assert [7] == list(women(woman(hb=11), woman(hb=7)).haemoglobin_g_dl)


def test_a_record_without_a_woman_or_a_column_is_refused():
    with pytest.raises(ValueError, match="1 of 1 records lack one of mother_id, recorded_on"):
        women(woman(mother=None, hb=7))
    with pytest.raises(ValueError, match="records has no column haemoglobin_g_dl"):
        urgent_women(pd.DataFrame([woman()]).drop(columns="haemoglobin_g_dl"), limits=LIMITS)


def listed(children, records):
    measured = pd.DataFrame(children, columns=COLUMNS)
    return urgent_list(measured, pd.DataFrame(records, columns=OF_A_WOMAN), limits=LIMITS)


def test_the_list_names_children_and_women_of_a_household_children_first():
    found = listed([seen("ana", whz=-4)], [woman(hb=7), woman("adi", home="h0", hb=7)])

    assert [(None, "adi"), ("ana", None), (None, "ina")] == [
        tuple(None if pd.isna(key) else key for key in row) for row in zip(found.child_id, found.mother_id, strict=True)
    ]
    assert [True, False, True] == list(found.measured_on.isna())
    assert pd.isna(found.haemoglobin_g_dl[1])


@pytest.mark.parametrize("rows", [([], []), ([seen(whz=-4)], []), ([], [woman(hb=7)])])
def test_the_list_has_the_same_columns_and_types_whoever_is_on_it(rows):
    found = listed(*rows)

    assert list(LISTED.values()) == [str(kind) for kind in found.dtypes]
    assert list(LISTED) == list(found)


PEOPLE = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([-4.0, 0.0]), st.sampled_from([7.0, 8.0, 9.0]), st.integers(1, 3)),
    max_size=10,
)


@given(ours=PEOPLE, others=PEOPLE, seed=st.integers(0, 1000))
def test_rows_of_other_people_never_shorten_the_urgent_list(ours, others, seed):
    def rows(people, prefix):
        return (
            [seen(f"{prefix}{who}", known=f"2024-05-0{day}", whz=whz) for who, whz, _, day in people],
            [woman(f"{prefix}{who}", known=f"2024-05-0{day}", hb=hb) for who, _, hb, day in people],
        )

    children, records = rows(ours, "our")
    more_children, more_records = rows(others, "other")
    alone = listed(children, records)
    mixed = [pd.DataFrame(both).sample(frac=1, random_state=seed).to_dict("records") if both else []
             for both in (children + more_children, records + more_records)]  # fmt: skip
    beside = listed(*mixed)

    kept = beside[beside.child_id.fillna(beside.mother_id).str.startswith("our")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, kept)


MOTHERS = drawn("""
    mother_id | haemoglobin_g_dl | household_id | recorded_on
    ----------+------------------+--------------+------------
    ina       | 7.9              | h1           | 2024-02-01
    ina       |                  | h2           | 2024-06-01
    sari      | 7                | h1           | 2023-06-01
    tuti      | 8                | h1           | 2024-02-01
""")
REGISTERS = {
    "maternal": MOTHERS,
    "child": drawn("""
        child_id | household_id | recorded_on | birth_date
        ---------+--------------+-------------+-----------
        ana      | h1           | 2024-02-01  | 2022-02-01
    """),
    "household": drawn("""
        household_id | recorded_on | area_id
        -------------+-------------+--------
        h1           | 2024-01-01  | a1
        h2           | 2024-01-01  | a2
    """),
    "area": drawn("""
        area_id | region_id
        --------+----------
        a1      | r1
        a2      | r2
    """),
    "measurement": drawn("""
        child_id | whz  | muac_cm | oedema | measured_on | recorded_on
        ---------+------+---------+--------+-------------+------------
        ana      | -3.2 |         |        | 2024-02-01  | 2024-02-01
    """),
}


def test_a_woman_of_the_test_period_is_listed_where_she_was_last_recorded():
    found = in_danger_since(REGISTERS, SINCE, limits=LIMITS)

    assert ["ana"] == list(found.child_id.dropna())
    (ina,) = found[found.mother_id.notna()].to_dict("records")
    assert ("ina", "h2", "a2", "r2") == (ina["mother_id"], ina["household_id"], ina["area_id"], ina["region_id"])


def test_haemoglobin_is_a_sign_looked_for_only_where_it_has_a_limit():
    looked = _looked_for(REGISTERS, SINCE, limits=LIMITS).set_index("sign").measurements

    assert {"whz": 1, "muac_cm": 0, "oedema": 0, "haemoglobin_g_dl": 2} == looked.to_dict()
    assert "haemoglobin_g_dl" not in set(_looked_for(REGISTERS, SINCE, limits=UrgentLimits()).sign)
