"""From the risks of children and pregnancies to that of a household."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from targeting.households import part_urgent, score_households
from targeting.scoring import households_of, newest, with_intervals
from tests.drawn import drawn
from training.refits import normal_intervals
from training.spread import Spread

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


def test_an_urgent_child_and_the_pregnancy_of_an_urgent_woman_are_parted_from_those_to_rank():
    scores = drawn("""
        unit_id        | unit_kind | child_id | mother_id | household_id
        ---------------+-----------+----------+-----------+-------------
        ana            | child     | ana      |           | h1
        budi           | child     | budi     | sari      | h1
        pregnancy-ina  | pregnancy |          | ina       | h2
        pregnancy-sari | pregnancy |          | sari      | h1
    """)
    in_danger = drawn("""
        household_id | child_id | mother_id | why_id
        -------------+----------+-----------+--------
        h1           | ana      |           | LiLA
        h1           |          | sari      | Hb
        h9           | dewi     |           | edema
    """)

    ranked, referred = part_urgent(scores, in_danger)

    assert ["budi", "pregnancy-ina"] == list(ranked.unit_id)
    assert ["ana", "pregnancy-sari"] == list(referred.unit_id)


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
    tuti      | 2014-03-03  | 1
""")


CHILDREN = drawn("""
    child_id | mother_id | birth_date | recorded_on
    ---------+-----------+------------+------------
    budi     | ina       | 2012-01-05 | 2012-02-01
    rini     | wati      | 2014-06-11 | 2014-06-20
    joko     |           | 2014-07-01 | 2014-07-09
    lala     |           | 2014-01-20 | 2014-07-09
""")


PREGNANCIES = drawn("""
    pregnancy_id | mother_id | recorded_on | child_id
    -------------+-----------+-------------+---------
    p-1          | tuti      | 2014-07-02  | joko
    p-2          | sari      | 2014-07-02  | lala
""")
REGISTERS = {"maternal": MOTHERS, "child": CHILDREN, "pregnancy": PREGNANCIES}


def test_a_pregnancy_ends_with_a_birth_or_the_record_that_no_longer_has_it():
    units = drawn("""
        unit_id        | unit_kind | mother_id | as_of
        ---------------+-----------+-----------+-----------
        pregnancy-ina  | pregnancy | ina       | 2014-02-01
        pregnancy-sari | pregnancy | sari      | 2014-03-01
        pregnancy-wati | pregnancy | wati      | 2014-03-02
        pregnancy-tuti | pregnancy | tuti      | 2014-03-03
        budi           | child     | ina       | 2014-01-05
    """)

    scored = newest(units, REGISTERS, since=dt.date(2014, 1, 1))

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

    scored = newest(units, REGISTERS, since=dt.date(2014, 1, 1))

    assert [("ana", pd.Timestamp("2014-05-01"))] == list(zip(scored.unit_id, scored.as_of, strict=True))


FAMILY = drawn("""
    unit_id       | child_id | risk_now | risk_at_24m | risk_now_survey | risk_at_24m_survey | household_id
    --------------+----------+----------+-------------+-----------------+--------------------+-------------
    ana           | ana      | 0.4      | 0.5         | 0.6             | 0.7                | h2
    budi          | budi     | 0.2      |             | 0.4             |                    | h1
    citra         | citra    | 0.3      | 0.3         | 0.5             | 0.5                | h1
    pregnancy-ina |          |          | 0.6         |                 | 0.8                | h3
""").assign(unit_kind=["child", "child", "child", "pregnancy"], mother_id=[None, None, None, "ina"])
NO = np.nan
BY_REFIT = Spread(
    now=logit([[0.3, 0.1, 0.3, NO], [0.5, 0.3, 0.3, NO], [0.4, 0.1, 0.4, NO]]),
    at_24m=logit([[0.4, NO, 0.2, 0.6], [0.5, NO, 0.3, 0.5], [0.6, NO, 0.5, 0.7]]),
)


def interval(risk: float, *refits: float) -> list[float]:
    found = normal_intervals(np.array([logit(risk)]), logit(np.array(refits)).reshape(-1, 1), level=0.9)
    return [expit(found.low[0]), expit(found.high[0])]


def test_each_unit_has_an_interval_of_each_risk_that_it_has():
    found = with_intervals(FAMILY, BY_REFIT, level=0.9).set_index("unit_id")
    now, then = ["risk_now_low", "risk_now_high"], ["risk_at_24m_low", "risk_at_24m_high"]

    assert interval(0.4, 0.3, 0.5, 0.4) == pytest.approx(list(found.loc["ana", now]))
    assert interval(0.6, 0.6, 0.5, 0.7) == pytest.approx(list(found.loc["pregnancy-ina", then]))
    assert found.loc["budi", then].isna().all()
    assert found.loc["pregnancy-ina", now].isna().all()


def test_a_household_has_the_interval_of_its_own_risk_and_not_of_its_childrens():
    found = households_of(FAMILY, BY_REFIT, level=0.9).set_index(["household_id", "objective"])
    together = interval(1 - 0.8 * 0.7, 1 - 0.9 * 0.7, 1 - 0.7 * 0.7, 1 - 0.9 * 0.6)

    assert together == pytest.approx(list(found.loc[("h1", "find"), ["risk_low", "risk_high"]]))
    assert interval(0.3, 0.2, 0.3, 0.5) == pytest.approx(list(found.loc[("h1", "prevent"), ["risk_low", "risk_high"]]))
    assert [("h1", "find"), ("h2", "find"), ("h1", "prevent"), ("h2", "prevent"), ("h3", "prevent")] == list(
        found.index
    )
    assert [0.9] * 5 == list(found.interval_level)


def test_a_household_whose_child_is_referred_has_the_interval_of_its_other_children():
    ranked, _ = part_urgent(FAMILY, pd.DataFrame({"child_id": ["citra"], "mother_id": [None]}))
    found = households_of(ranked, BY_REFIT, level=0.9).set_index(["household_id", "objective"])

    assert interval(0.2, 0.1, 0.3, 0.1) == pytest.approx(list(found.loc[("h1", "find"), ["risk_low", "risk_high"]]))
    assert ("h1", "prevent") not in found.index


def test_a_household_on_the_surveys_level_is_made_of_its_children_there():
    found = households_of(FAMILY, None, level=0.9).set_index(["household_id", "objective"])

    assert pytest.approx(1 - 0.6 * 0.5) == found.risk_survey["h1", "find"]
    assert pytest.approx(0.8) == found.risk_survey["h3", "prevent"]


def test_without_refits_and_survey_the_columns_are_there_and_empty():
    bare = FAMILY.assign(risk_now_survey=np.nan, risk_at_24m_survey=np.nan)
    units, homes = with_intervals(bare, None, level=0.9), households_of(bare, None, level=0.9)

    assert list(with_intervals(FAMILY, BY_REFIT, level=0.9)) == list(units)
    assert units.filter(regex="_(low|high)$").isna().all(axis=None)
    assert homes[["risk_low", "risk_high", "interval_level", "risk_survey"]].isna().all(axis=None)


@given(st.lists(st.tuples(st.integers(0, 3), *[st.floats(-6, 6)] * 4), min_size=1, max_size=10), st.floats(0.1, 0.99))
def test_a_households_interval_contains_its_risk(rows, level):
    home, *odds = (np.array(each) for each in zip(*rows, strict=True))
    risk = expit(odds[0])
    units = pd.DataFrame({"household_id": [f"h{n}" for n in home], "risk_now": risk, "risk_at_24m": risk}).assign(
        risk_now_survey=np.nan, risk_at_24m_survey=np.nan
    )
    refits = np.array(odds[1:])
    found = households_of(units, Spread(refits, refits), level=level)
    own = 1 - (1 - units.risk_now).groupby(units.household_id).prod()
    for objective in ("find", "prevent"):
        of = found[found.objective == objective].set_index("household_id")
        assert (of.risk_low <= own + 1e-9).all()
        assert (own - 1e-9 <= of.risk_high).all()
