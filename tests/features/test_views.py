"""Time is cut in one place."""

from __future__ import annotations

from features.engines import Engine
from features.views import earlier_measurements, known_on
from tests.drawn import drawn

COHORT = drawn("""
    unit_id | as_of      | child_id
    --------+------------+---------
    ana     | 2024-06-01 | ana
    budi    | 2024-06-01 | budi
""")


def test_the_newest_fact_ignores_one_recorded_after_the_as_of_date(engine: Engine) -> None:
    facts = drawn("""
        child_id | recorded_on | birth_order
        ---------+-------------+------------
        ana      | 2024-03-11  | 1
        ana      | 2024-05-02  | 2
        ana      | 2024-07-01  | 3
        budi     | 2024-06-01  | 4
    """)

    events, cohort = engine.hold("events", facts), engine.hold("cohort", COHORT)
    seen = engine.fetch(known_on(events, cohort, key="child_id"))

    assert {"ana": 2, "budi": 4} == dict(zip(seen.unit_id, seen.birth_order, strict=True))


def test_a_measurement_of_the_same_day_is_not_an_earlier_one(engine: Engine) -> None:
    measured = drawn("""
        child_id | measured_on | recorded_on | haz
        ---------+-------------+-------------+-----
        ana      | 2024-05-31  | 2024-05-31  | -1.0
        ana      | 2024-06-01  | 2024-06-01  | -2.5
        budi     | 2024-05-01  | 2024-06-02  | -3.0
    """)

    measurements, cohort = engine.hold("measurement", measured), engine.hold("cohort", COHORT)
    seen = engine.fetch(earlier_measurements(measurements, cohort))

    assert [-1.0] == list(seen.haz)
