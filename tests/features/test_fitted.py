"""Lookup tables: an area's past outcomes, and the totals of its households."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.fitted import area_history, area_totals
from tests.drawn import drawn

HISTORY_COLUMNS = ["level", "place_id", "known_from", "prevalence", "children"]


def outcomes(counts: pd.DataFrame) -> pd.DataFrame:
    """A row per child, of whom the first `stunted` of each line are stunted."""
    rows = counts.loc[counts.index.repeat(counts.children)]
    first = rows.groupby(level=0).cumcount() < rows.stunted
    return rows.assign(stunted=first.astype(int)).drop(columns="children").reset_index(drop=True)


def known_from(history: pd.DataFrame, day: str, *, level: str, column: str = "prevalence") -> dict[str, float]:
    rows = history[(history.level == level) & (history.known_from == day)]
    return rows.set_index("place_id")[column].to_dict()


def test_a_round_is_known_from_the_first_day_of_the_next_year():
    seen = outcomes(
        drawn("""
        area_id | region_id | outcome_known_on | children | stunted
        --------+-----------+-------------+----------+--------
        a       | r         | 2012-01-01  | 2        | 1
        a       | r         | 2012-12-31  | 3        | 0
        a       | r         | 2013-01-01  | 4        | 4
        a       | r         | 2015-06-01  | 5        | 0
    """)
    )
    history = area_history(seen, prior_children=10)
    area = history[history.level == "area"]

    assert {"2013-01-01": 5, "2014-01-01": 9, "2016-01-01": 14} == dict(
        zip(area.known_from.dt.strftime("%Y-%m-%d"), area.children, strict=True)
    )


def test_an_area_is_drawn_towards_its_region_and_a_region_towards_all():
    seen = outcomes(
        drawn("""
        area_id | region_id | outcome_known_on | children | stunted
        --------+-----------+-------------+----------+--------
        a       | r         | 2012-05-01  | 4        | 2
        b       | r         | 2012-05-01  | 1        | 1
        c       | s         | 2012-05-01  | 5        | 0
    """)
    )
    history = area_history(seen, prior_children=10)

    # 3 of all 10 are stunted: 0.3
    region = {"r": (3 + 10 * 0.3) / (5 + 10), "s": (0 + 10 * 0.3) / (5 + 10)}
    assert {"r": 0.4, "s": 0.2} == pytest.approx(region)
    assert pytest.approx(region, abs=1e-6) == known_from(history, "2013-01-01", level="region")
    area = {"a": (2 + 10 * 0.4) / (4 + 10), "b": (1 + 10 * 0.4) / (1 + 10), "c": (0 + 10 * 0.2) / (5 + 10)}
    assert pytest.approx(area, abs=1e-6) == known_from(history, "2013-01-01", level="area")
    assert {"a": 4, "b": 1, "c": 5} == known_from(history, "2013-01-01", level="area", column="children")


def test_the_fewer_children_an_area_has_the_closer_it_is_to_its_region():
    seen = outcomes(
        drawn("""
        area_id | region_id | outcome_known_on | children | stunted
        --------+-----------+-------------+----------+--------
        small   | r         | 2012-05-01  | 1        | 1
        middle  | r         | 2012-05-01  | 10       | 10
        large   | r         | 2012-05-01  | 100      | 100
        other   | r         | 2012-05-01  | 200      | 0
    """)
    )
    history = area_history(seen, prior_children=20)
    area = known_from(history, "2013-01-01", level="area")
    region = known_from(history, "2013-01-01", level="region")["r"]

    assert region < area["small"] < area["middle"] < area["large"] < 1
    assert 0 < area["other"] < region


def test_an_area_not_measured_again_keeps_its_children_and_follows_its_region():
    seen = outcomes(
        drawn("""
        area_id | region_id | outcome_known_on | children | stunted
        --------+-----------+-------------+----------+--------
        a       | r         | 2012-05-01  | 10       | 5
        b       | r         | 2013-05-01  | 10       | 0
    """)
    )
    history = area_history(seen, prior_children=10)

    assert {"a": 0.5} == known_from(history, "2013-01-01", level="area")
    assert {"a": 10, "b": 10} == known_from(history, "2014-01-01", level="area", column="children")
    assert {"a": 0.375, "b": 0.125} == known_from(history, "2014-01-01", level="area")


def test_without_outcomes_nothing_is_known():
    nobody = outcomes(
        drawn("""
        area_id | region_id | outcome_known_on | children | stunted
        --------+-----------+-------------+----------+--------
        a       | r         | 2012-05-01  | 0        | 0
    """)
    )
    history = area_history(nobody, prior_children=10)

    assert history.empty
    assert HISTORY_COLUMNS == list(history.columns)


# an area belongs to one region: a and b to r, c to s
CHILDREN = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(2010, 2013), st.integers(0, 1)), min_size=1, max_size=15
)


def measured(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["area_id", "year", "stunted"])
    frame["region_id"] = frame.area_id.map({"a": "r", "b": "r", "c": "s"})
    frame["outcome_known_on"] = pd.to_datetime(frame.year.astype(str) + "-07-01")
    return frame.drop(columns="year")


@settings(max_examples=40)
@given(CHILDREN, st.sampled_from([0.5, 10, 100]))
def test_a_past_prevalence_is_a_share(rows, prior):
    assert area_history(measured(rows), prior_children=prior).prevalence.between(0, 1).all()


@settings(max_examples=40)
@given(CHILDREN, st.randoms(use_true_random=False))
def test_history_does_not_depend_on_the_order_of_the_outcomes(rows, random):
    one_way, other_way = (area_history(measured(r), prior_children=10) for r in (rows, random.sample(rows, len(rows))))

    pd.testing.assert_frame_equal(one_way, other_way)


@settings(max_examples=40)
@given(CHILDREN, st.integers(2010, 2013))
def test_later_outcomes_do_not_change_what_was_known(rows, year):
    until = [r for r in rows if r[1] <= year]
    known = area_history(measured(rows), prior_children=10)
    known = known[known.known_from <= pd.Timestamp(year=year + 1, month=1, day=1)]

    assert known.to_dict("records") == area_history(measured(until), prior_children=10).to_dict("records")


def test_totals_are_of_the_newest_record_of_each_household():
    facts = drawn("""
        household_id | recorded_on | area_id | desil | height_cm |
        -------------+-------------+---------+-------+-----------+
        ana          | 2024-01-10  | a       | 1     | 150       |
        ana          | 2024-03-10  | a       | 3     |           |
        budi         | 2024-01-10  | a       | 5     |           |
        budi         | 2024-05-10  | b       | 6     | 160       |
    """)
    at = drawn("""
        area_id | as_of
        --------+-----------
        a       | 2024-01-09
        a       | 2024-01-10
        a       | 2024-04-01
        a       | 2024-05-10
        b       | 2024-05-09
        b       | 2024-05-10
        c       | 2024-05-10
    """)
    expected = drawn("""
        area_id | as_of      | desil_total | desil_households | height_cm_total | height_cm_households
        --------+------------+-------------+------------------+-----------------+---------------------
        a       | 2024-01-09 | 0.0         | 0.0              | 0.0             | 0.0
        a       | 2024-01-10 | 6.0         | 2.0              | 150.0           | 1.0
        a       | 2024-04-01 | 8.0         | 2.0              | 0.0             | 0.0
        a       | 2024-05-10 | 3.0         | 1.0              | 0.0             | 0.0
        b       | 2024-05-09 | 0.0         | 0.0              | 0.0             | 0.0
        b       | 2024-05-10 | 6.0         | 1.0              | 160.0           | 1.0
        c       | 2024-05-10 | 0.0         | 0.0              | 0.0             | 0.0
    """)

    totals = area_totals(facts, at=at, items=("desil", "height_cm"))

    assert expected.to_dict("records") == totals[list(expected.columns)].to_dict("records")


DAYS = st.integers(1, 6)
AREAS = st.sampled_from(["a", "b"])
# halves and whole numbers, so that sums are exact
AMOUNTS = st.sampled_from([None, 0.0, 0.5, 1.0, 3.0])
RECORDS = st.lists(
    st.tuples(st.sampled_from(["ana", "budi", "citra"]), DAYS, AREAS, AMOUNTS, AMOUNTS),
    max_size=12,
    unique_by=lambda record: record[:2],
)
PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), DAYS), max_size=8)


def in_june(days: pd.Series) -> pd.Series:
    return pd.to_datetime("2024-06-" + days.astype(int).astype("string"), format="%Y-%m-%d").astype("datetime64[us]")


def facts_of(records: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=["household_id", "recorded_on", "area_id", "x", "y"])
    frame = frame.astype({"household_id": "string", "area_id": "string", "x": "float64", "y": "float64"})
    return frame.assign(recorded_on=in_june(frame.recorded_on))


def pairs_of(pairs: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["area_id", "as_of"]).astype({"area_id": "string"})
    return frame.assign(as_of=in_june(frame.as_of))


def totals_of(records: list[tuple], pairs: list[tuple]) -> list[tuple]:
    made = area_totals(facts_of(records), at=pairs_of(pairs), items=("x", "y"))
    made = made.assign(day=made.as_of.dt.day)
    columns = ["area_id", "day", "x_total", "x_households", "y_total", "y_households"]
    return list(made[columns].itertuples(index=False, name=None))


def one_by_one(records: list[tuple], pairs: list[tuple]) -> list[tuple]:
    """For each area and day: the newest record of each household, if it is of that area."""
    rows = []
    for area, day in sorted({pair for pair in pairs if pair[0] is not None}):
        newest = {r[0]: r for r in sorted(records, key=lambda r: r[1]) if r[1] <= day}
        here = [r for r in newest.values() if r[2] == area]
        known = [[r[place] for r in here if r[place] is not None] for place in (3, 4)]
        rows.append((area, day, *(part for values in known for part in (sum(values), len(values)))))
    return rows


@given(RECORDS, PAIRS)
def test_totals_are_what_counting_household_by_household_gives(records, pairs):
    assert one_by_one(records, pairs) == totals_of(records, pairs)


@settings(max_examples=40)
@given(RECORDS, PAIRS, st.randoms(use_true_random=False))
def test_totals_do_not_depend_on_the_order_of_the_rows(records, pairs, random):
    shuffled, pairs_shuffled = random.sample(records, len(records)), random.sample(pairs, len(pairs))

    assert totals_of(records, pairs) == totals_of(shuffled, pairs_shuffled)
