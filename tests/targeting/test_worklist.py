"""The order of visit."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.worklist import Band, worklist


def households(*drawn: tuple[str, str, float | None]) -> pd.DataFrame:
    """One household per (household_id, region_id, risk)."""
    frame = pd.DataFrame(drawn, columns=["household_id", "region_id", "risk"])
    return frame.assign(
        area_id="a", area_name=None, unit_count=1, expected_stunted=frame["risk"],
        risk_find=frame["risk"], risk_prevent=None, objective="find",
        freshest_on=dt.date(2024, 5, 1), stalest_on=dt.date(2024, 1, 1),
        reasons_id="x", reasons_en="x", reasons_unit_id="u", missing_registers="", model_version="1",
    )  # fmt: skip


THREE = households(("h1", "north", 0.2), ("h2", "south", 0.9), ("h3", "north", 0.5))
# multiples of a tenth, so that ties are common
DRAWN = st.lists(st.integers(0, 10), max_size=30).map(
    lambda tenths: households(*[(f"h{i}", "north", t / 10) for i, t in enumerate(tenths)])
)


def order(frame: pd.DataFrame, salt: str = "r1") -> list[str]:
    return list(worklist(frame, capacity=len(frame), salt=salt).rows["household_id"])


def test_the_highest_risk_comes_first():
    made = worklist(THREE, capacity=2, salt="r1")

    assert [(1, "h2"), (2, "h3")] == list(zip(made.rows["rank"], made.rows["household_id"], strict=True))
    assert 3 == made.eligible


def test_only_the_named_regions_compete():
    made = worklist(THREE, capacity=5, salt="r1", regions=["north"])

    assert ["h3", "h1"] == list(made.rows["household_id"])
    assert (2, ("north",)) == (made.eligible, made.regions)


def test_equal_risks_fall_by_a_lot_that_changes_with_the_round():
    tied = households(*[(f"h{i}", "north", 0.5) for i in range(20)])

    assert order(tied, "r1") != order(tied, "r2")
    assert order(tied, "r1") == order(tied, "r1")


def test_a_difference_below_nine_decimals_is_a_tie():
    near = households(*[(f"h{i}", "north", 0.5 + i * 1e-13) for i in range(20)])
    tied = households(*[(f"h{i}", "north", 0.5) for i in range(20)])

    assert order(tied) == order(near)


def test_no_capacity_and_no_households_give_empty_lists():
    assert 0 == len(worklist(THREE, capacity=0, salt="r1").rows)
    assert 0 == worklist(THREE.head(0), capacity=3, salt="r1").eligible


@pytest.mark.parametrize("capacity", [-1, 1.5, True, None])
def test_a_capacity_that_is_not_a_count_is_refused(capacity):
    with pytest.raises(ValueError, match=r"capacity is .*; it must be .* 0 or more"):
        worklist(THREE, capacity=capacity, salt="r1")


@pytest.mark.parametrize("risk", [None, -0.1, 1.1])
def test_a_risk_that_is_no_probability_is_refused(risk):
    frame = pd.concat([THREE, households(("h4", "north", risk))], ignore_index=True)

    with pytest.raises(ValueError, match="1 of 4 risks are null or outside 0-1; first: household"):
        worklist(frame, capacity=1, salt="r1")


def test_an_unknown_region_is_refused_with_at_most_ten_known_ones():
    frame = households(*[(f"h{i}", f"r{i:02}", 0.5) for i in range(15)])

    with pytest.raises(ValueError, match=r"Region west is unknown; 15 .* r00, .*, r09\.$"):
        worklist(frame, capacity=1, salt="r1", regions=["west"])


def test_a_household_listed_twice_is_refused():
    with pytest.raises(ValueError, match="1 of 4 rows repeat a household id; first: household h1"):
        worklist(pd.concat([THREE, THREE.head(1)]), capacity=1, salt="r1")


def test_two_objectives_are_never_mixed():
    mixed = THREE.assign(objective=["find", "prevent", "find"])

    with pytest.raises(ValueError, match="make one worklist for each"):
        worklist(mixed, capacity=1, salt="r1")


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column area_id"):
        worklist(THREE.drop(columns="area_id"), capacity=1, salt="r1")


@given(frame=DRAWN, capacity=st.integers(0, 35))
def test_no_unchosen_household_has_a_higher_risk_than_a_chosen_one(frame, capacity):
    rows = worklist(frame, capacity=capacity, salt="r1").rows
    unchosen = frame[~frame["household_id"].isin(rows["household_id"])]

    assert min(capacity, len(frame)) == len(rows)
    assert rows["risk"].min() >= unchosen["risk"].max() or rows.empty or unchosen.empty


@given(frame=DRAWN, capacity=st.integers(0, 35), seed=st.integers(0, 1000))
def test_the_order_of_the_input_does_not_matter(frame, capacity, seed):
    shuffled = frame.sample(frac=1, random_state=seed)

    pd.testing.assert_frame_equal(
        worklist(frame, capacity=capacity, salt="r1").rows,
        worklist(shuffled, capacity=capacity, salt="r1").rows,
    )


def with_intervals(frame: pd.DataFrame, *ends: tuple[float, float]) -> pd.DataFrame:
    """The households, each with the low and the high end of its interval."""
    low, high = zip(*ends, strict=True)
    return frame.assign(risk_low=low, risk_high=high)


def test_whoever_could_as_well_have_been_on_the_other_side_is_told():
    # 0.5 is the last one chosen; h1 reaches up to it, h4 does not, and h2 stays above it.
    four = pd.concat([THREE, households(("h4", "north", 0.1))], ignore_index=True)
    made = worklist(with_intervals(four, (0.1, 0.5), (0.6, 0.95), (0.4, 0.6), (0.05, 0.3)), capacity=2, salt="r1")

    assert [("h2", False), ("h3", True)] == list(zip(made.rows.household_id, made.rows.boundary, strict=True))
    assert Band(listed=1, unlisted=1) == made.band


@pytest.mark.parametrize("capacity", [0, 3, 9])
def test_a_list_of_everybody_or_nobody_has_no_other_side(capacity):
    made = worklist(with_intervals(THREE, (0, 1), (0, 1), (0, 1)), capacity=capacity, salt="r1")

    assert Band(0, 0) == made.band
    assert not made.rows.boundary.any()


def test_without_intervals_nothing_is_said_of_the_other_side():
    unknown = worklist(THREE.assign(risk_low=np.nan, risk_high=np.nan), capacity=2, salt="r1")

    assert unknown.rows.boundary.isna().all()
    assert unknown.band is None
    assert worklist(THREE, capacity=2, salt="r1").band is None
    assert "boundary" not in worklist(THREE, capacity=2, salt="r1").rows


def test_only_those_who_compete_are_in_the_band():
    everywhere = with_intervals(THREE, (0, 1), (0, 1), (0, 1))

    assert Band(1, 1) == worklist(everywhere, capacity=1, salt="r1", regions=["north"]).band
    assert Band(1, 2) == worklist(everywhere, capacity=1, salt="r1").band


def test_an_interval_without_its_risk_is_refused():
    with pytest.raises(ValueError, match="1 of 3 intervals do not contain their risk; first: household h3"):
        worklist(with_intervals(THREE, (0.1, 0.5), (0.6, 0.95), (0.51, 0.6)), capacity=2, salt="r1")


@given(frame=DRAWN, capacity=st.integers(1, 35), reach=st.floats(0, 0.3), seed=st.integers(0, 1000))
def test_the_last_one_chosen_is_in_the_band_and_the_band_has_no_holes(frame, capacity, reach, seed):
    known = frame.assign(risk_low=frame.risk - reach, risk_high=frame.risk + reach)
    made = worklist(known.sample(frac=1, random_state=seed), capacity=capacity, salt="r1")

    if capacity < len(frame):
        assert made.rows.boundary.iloc[-1]
        # Intervals of one width: who is nearer to the end of the list is in the band, too.
        assert made.rows.boundary.is_monotonic_increasing
    assert made.band is None or made.rows.boundary.sum() == made.band.listed
    assert list(worklist(frame, capacity=capacity, salt="r1").rows.household_id) == list(made.rows.household_id)


def test_no_column_that_was_there_before_intervals_moves():
    plain = worklist(THREE, capacity=2, salt="r1").rows
    known = worklist(with_intervals(THREE, (0, 1), (0, 1), (0, 1)).assign(risk_survey=0.5), capacity=2, salt="r1").rows

    assert [*plain, "risk_low", "risk_high", "boundary", "risk_survey"] == list(known)
