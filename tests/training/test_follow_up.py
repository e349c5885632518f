"""Infants asked at 24 months, beside themselves when they are two."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.drawn import drawn
from tests.training.rows import rows, settings
from training.follow_up import follow_up, followed

CUT = pd.Timestamp("2024-01-01")
INFANTS = drawn("""
    unit_id | child_id | as_of      | age_months | household_id
    --------+----------+------------+------------+-------------
    ana     | ana      | 2023-01-15 | 3          | h1
    ana     | ana      | 2023-07-15 | 9          | h1
    budi    | budi     | 2023-07-15 | 2          | h2
    citra   | citra    | 2023-07-15 | 14         | h3
    dewi    | dewi     | 2024-02-15 | 5          | h4
    eka     | eka      | 2023-07-15 | 6          | h5
""")
MEASURED = drawn("""
    child_id | measured_on | haz
    ---------+-------------+------
    ana      | 2023-12-15  | -3.0
    ana      | 2024-10-15  | -2.01
    ana      | 2025-01-15  | -1.0
    budi     | 2024-06-15  | -2.5
    citra    | 2024-08-15  | -2.5
    dewi     | 2025-10-15  | -2.5
    eka      | 2024-12-15  | -7.0
    eka      | 2025-01-15  | -2.00
""")


def test_an_infant_is_taken_as_last_known_and_by_its_first_height_of_22_to_30_months():
    rows_ = INFANTS.assign(as_of=pd.to_datetime(INFANTS.as_of), age_months=INFANTS.age_months.astype(float))
    measured = MEASURED.assign(measured_on=pd.to_datetime(MEASURED.measured_on))

    found = followed(rows_, measured, cut=CUT)

    assert [("ana", 9.0, 1), ("eka", 6.0, 0)] == list(
        found[["unit_id", "age_months", "stunted"]].itertuples(index=False, name=None)
    )


KNOWN = rows(1500, seed=1, year=2012)
AGAIN = KNOWN[["child_id", "haz"]].assign(
    measured_on=KNOWN.as_of + pd.to_timedelta((25 - KNOWN.age_months) * 30.4375, unit="D")
)
HOW = {"draws": 30, "seed": 1}


def test_what_was_foretold_is_set_beside_what_came_by_a_model_that_saw_neither():
    made = follow_up(KNOWN, AGAIN, settings=settings(), how=HOW)

    infants = KNOWN[KNOWN.age_months < 12]
    assert "2013-01-01" == made["before"]
    assert len(infants) == made["n"]
    assert infants.stunted.mean() == made["observed"]
    assert pytest.approx(made["forecast"] - made["observed"]) == made["difference"]
    assert made["low"] < made["difference"] < made["high"]
    assert made["auc"] > 0.6

    turned = KNOWN.assign(haz=KNOWN.haz.where(KNOWN.age_months >= 12, -4.0 - KNOWN.haz))
    turned = turned.assign(stunted=(turned.haz < -2).astype(int))
    assert made == follow_up(turned, AGAIN, settings=settings(), how=HOW)  # their own outcomes were not learned from


def test_where_too_few_are_measured_again_nothing_is_said():
    assert follow_up(KNOWN, AGAIN.head(60), settings=settings(), how=HOW) is None
    assert follow_up(KNOWN, AGAIN.head(0), settings=settings(), how=HOW) is None
