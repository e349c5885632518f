"""Children who are referred at once."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.urgent import COLUMNS, UrgentLimits, urgent

LIMITS = UrgentLimits()


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
