"""From the risks of children and pregnancies to that of a household."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.households import part_urgent, score_households
from targeting.scoring import newest
from tests.drawn import drawn

SCORES = drawn("""
    unit_id | household_id | risk_now | risk_at_24m | reasons_id | reasons_en | reasons_24m_id | reasons_24m_en
    --------+--------------+----------+-------------+------------+------------+----------------+---------------
    ana     | h1           | 0.5      | 0.6         | ana kini   | ana now    | ana nanti      | ana later
    budi    | h1           | 0.2      |             | budi kini  | budi now   | budi nanti     | budi later
    citra   | h2           |          | 0.4         | citra kini | citra now  | citra nanti    | citra later
""").assign(area_id="a", region_id="r")


def home(objective: str, household: str) -> pd.Series:
    return score_households(SCORES, objective=objective).set_index("household_id").loc[household]


def test_a_household_carries_the_risk_that_any_of_its_children_is_stunted():
    assert pytest.approx(1 - 0.5 * 0.8) == home("find", "h1").risk
    assert pytest.approx(0.7) == home("find", "h1").expected_stunted


def test_prevention_counts_only_those_who_are_not_yet_24_months():
    assert pytest.approx(0.6) == home("prevent", "h1").risk


def test_a_pregnancy_has_a_risk_to_prevent_and_none_to_find():
    assert pd.isna(home("find", "h2").risk)
    assert pytest.approx(0.4) == home("prevent", "h2").risk


def test_the_reasons_are_those_of_the_child_and_the_question_that_weigh_most():
    assert "ana kini" == home("find", "h1").reasons_id
    assert "ana nanti" == home("prevent", "h1").reasons_id
    assert "citra later" == home("prevent", "h2").reasons_en


def test_the_reasons_say_whom_they_are_about():
    assert "ana" == home("find", "h1").reasons_unit_id
    assert "citra" == home("prevent", "h2").reasons_unit_id


def test_an_urgent_child_is_parted_from_those_to_rank_and_a_pregnancy_never_is():
    scores = drawn("""
        unit_id       | child_id | household_id
        --------------+----------+-------------
        ana           | ana      | h1
        budi          | budi     | h1
        pregnancy-ina |          | h2
    """)
    urgent_ids = pd.Series(["ana", None, "dewi"], dtype="string")

    ranked, referred = part_urgent(scores, urgent_ids)

    assert ["budi", "pregnancy-ina"] == list(ranked.unit_id)
    assert ["ana"] == list(referred.unit_id)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
def test_a_household_is_never_safer_than_its_riskiest_child_and_order_says_nothing(risks, order):
    rows = pd.DataFrame({"unit_id": [f"u{n}" for n in range(len(risks))], "risk_now": risks})
    said = dict.fromkeys(["reasons_id", "reasons_en", "reasons_24m_id", "reasons_24m_en"], "x")
    rows = rows.assign(household_id="h", area_id="a", region_id="r", risk_at_24m=None, **said)
    shuffled = rows.sample(frac=1, random_state=order.randrange(2**31))

    risk = score_households(rows, objective="find").risk.item()

    assert max(risks) - 1e-12 <= risk <= min(1.0, sum(risks)) + 1e-12
    assert pytest.approx(risk, abs=1e-12) == score_households(shuffled, objective="find").risk.item()


MOTHERS = drawn("""
    mother_id | recorded_on | pregnant
    ----------+-------------+---------
    ina       | 2014-02-01  | 1
    ina       | 2014-09-01  | 0
    sari      | 2014-03-01  | 1
""")


CHILDREN = drawn("""
    child_id | mother_id | birth_date
    ---------+-----------+-----------
    budi     | ina       | 2012-01-05
    rini     | wati      | 2014-06-11
""")


def test_a_pregnancy_ends_with_a_birth_or_the_record_that_no_longer_has_it():
    units = drawn("""
        unit_id        | unit_kind | mother_id | as_of
        ---------------+-----------+-----------+-----------
        pregnancy-ina  | pregnancy | ina       | 2014-02-01
        pregnancy-sari | pregnancy | sari      | 2014-03-01
        pregnancy-wati | pregnancy | wati      | 2014-03-02
        budi           | child     | ina       | 2014-01-05
    """)

    scored = newest(units, MOTHERS, CHILDREN, since=dt.date(2014, 1, 1))

    assert {"pregnancy-sari", "budi"} == set(scored.unit_id)


def test_the_newest_record_of_a_unit_is_scored_and_older_periods_are_left():
    units = drawn("""
        unit_id | as_of
        --------+-----------
        ana     | 2013-12-31
        ana     | 2014-02-01
        ana     | 2014-05-01
        budi    | 2013-01-01
    """)

    units = units.assign(unit_kind="child", mother_id=None)

    scored = newest(units, MOTHERS, CHILDREN, since=dt.date(2014, 1, 1))

    assert [("ana", pd.Timestamp("2014-05-01"))] == list(zip(scored.unit_id, scored.as_of, strict=True))
