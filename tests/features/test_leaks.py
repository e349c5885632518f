"""No feature reaches what was found on the outcome visit."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from ibis import _

from features.catalog import BY_NAME, CATALOG
from features.engines import Engine
from features.fitted import area_history
from features.frame import frame
from features.leaks import LeakRefused, guard
from tests.drawn import drawn
from training.tripwire import tripwire


def test_a_feature_made_of_a_measurement_is_refused_under_any_name(engine: Engine) -> None:
    measured = drawn("""
        child_id | height_cm
        ---------+----------
        ana      | 73.4
    """)
    table = engine.hold("measurement", measured)
    disguised = table.select(garden_size=_.height_cm * 2).mutate(twice=_.garden_size + 1)
    with pytest.raises(LeakRefused, match=r"measurement\.height_cm"):
        guard("garden_size", disguised.twice)


def test_a_register_column_named_after_the_outcome_is_refused(engine: Engine) -> None:
    registers = {
        "child": drawn("""
        child_id | stunted_label
        ---------+--------------
        ana      | 1
    """)
    }
    table = engine.hold("child", registers["child"])
    with pytest.raises(LeakRefused, match="stunted_label"):
        guard("innocent", table.stunted_label.cast("float64"))


def test_a_planted_feature_does_not_build_into_a_frame(embedded: Engine, units: pd.DataFrame) -> None:
    del units  # only so that the real frame is known to build beside it
    planted = dataclasses.replace(BY_NAME["male"], name="planted", value=_.whz_score)
    cohort = drawn("""
        unit_id | as_of      | child_id | mother_id | household_id
        --------+------------+----------+-----------+-------------
        ana     | 2024-06-01 | ana      | m         | h
    """)
    child = drawn("""
        child_id | recorded_on | mother_id | household_id | whz_score
        ---------+-------------+-----------+--------------+----------
        ana      | 2024-06-01  | m         | h            | -2.0
    """)
    tables = {"child": embedded.hold("child", child)}
    with pytest.raises(LeakRefused, match="planted"):
        frame(tables, embedded.hold("cohort", cohort), (planted,))


def test_the_height_of_the_visit_in_a_birth_column_trips_the_wire(units: pd.DataFrame, interim: object) -> None:
    measured = pd.read_parquet(interim / "measurement.parquet")  # type: ignore[operator]  # a path
    rows = units.merge(measured[["child_id", "height_cm", "haz"]], on="child_id")
    rows = rows[rows.haz.notna()].reset_index(drop=True)
    rows = rows.assign(birth_size=rows.height_cm)

    with pytest.raises(LeakRefused, match="birth_size"):
        tripwire(rows, (rows.haz < -2).astype(int), ("male", "birth_size"), limit=0.80)


def test_a_siblings_measurement_of_the_same_day_trips_the_wire_or_the_guard(engine: Engine) -> None:
    siblings = drawn("""
        child_id | haz
        ---------+-----
        budi     | -2.5
    """)
    table = engine.hold("measurement", siblings)
    with pytest.raises(LeakRefused, match="sibling_z"):
        guard("sibling_z", table.group_by("child_id").agg(z=_.haz.mean()).z)


def test_the_areas_prevalence_of_the_same_round_is_refused(engine: Engine) -> None:
    children = drawn("""
        child_id | area_id
        ---------+--------
        ana      | a
        budi     | a
    """)
    measured = drawn("""
        child_id | haz
        ---------+-----
        ana      | -2.5
        budi     | -1.0
    """)
    child, measurement = engine.hold("child", children), engine.hold("measurement", measured)
    by_area = child.inner_join(measurement, "child_id").group_by("area_id").agg(share=(_.haz < -2).mean())
    cohort = child.inner_join(by_area, "area_id")
    with pytest.raises(LeakRefused, match=r"share_here.*measurement\.haz"):
        guard("share_here", cohort.share)


def test_an_area_sees_only_outcomes_of_earlier_rounds() -> None:
    outcomes = drawn("""
        area_id | region_id | outcome_known_on | stunted
        --------+-----------+-------------+--------
        a       | r         | 2012-05-01  | 1
        a       | r         | 2012-06-01  | 0
        a       | r         | 2013-05-01  | 1
    """)

    history = area_history(outcomes, prior_children=1e-9)
    by_round = history[history.level == "area"].set_index("known_from").prevalence

    assert 0.5 == pytest.approx(by_round["2013-01-01"])
    assert 2 / 3 == pytest.approx(by_round["2014-01-01"], abs=1e-6)
    assert pd.Timestamp("2012-01-01") not in by_round.index


def test_the_real_catalogue_has_at_least_sixty_features_each_fully_said() -> None:
    assert len(CATALOG) >= 60
    with pytest.raises(ValueError, match="unsaid"):
        dataclasses.replace(CATALOG[0], null_means="")
