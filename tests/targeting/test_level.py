"""The same risks on the register's and on the survey's level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings_list import Survey
from targeting.level import WHOLE, on_survey_level
from tests.drawn import drawn

SSGI = Survey(share=0.276, low=0.23, high=0.32, of="SSGI 2022")
SCORES = drawn("""
    unit_id       | region_id | risk_now | risk_at_24m | unit_kind
    --------------+-----------+----------+-------------+----------
    ana           | north     | 0.05     | 0.10        | child
    budi          | north     | 0.10     |             | child
    citra         | south     | 0.02     | 0.30        | child
    dewi          |           | 0.20     |             | child
    pregnancy-ina | south     |          | 0.15        | pregnancy
""")
RISKS = st.lists(st.floats(0.001, 0.999), min_size=2, max_size=20)


def scored(risks: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"risk_now": risks, "risk_at_24m": risks[::-1], "region_id": "r"})


def test_the_mean_over_the_children_is_the_surveys_and_a_pregnancy_has_no_say():
    both = on_survey_level(SCORES, SSGI).scores
    children = on_survey_level(SCORES.head(4), SSGI).scores

    assert pytest.approx(0.276) == both.risk_now_survey.mean()
    assert list(children.risk_now_survey) == list(both.risk_now_survey.head(4))
    assert pd.isna(both.risk_now_survey.iloc[4])


def test_every_risk_moves_by_the_same_odds_at_24_months_too():
    found = on_survey_level(SCORES, SSGI).scores

    def odds(name):
        risk = found[name].astype(float).dropna()
        return risk / (1 - risk)

    factor = odds("risk_now_survey") / odds("risk_now")
    assert [pytest.approx(factor.iloc[0])] * 4 == list(factor)
    assert [pytest.approx(factor.iloc[0])] * 3 == list(odds("risk_at_24m_survey") / odds("risk_at_24m"))


@given(RISKS, st.floats(0.02, 0.9))
def test_no_order_of_units_changes_on_the_surveys_level(risks, share):
    found = on_survey_level(scored(risks), Survey(share=share, low=share, high=share, of="s")).scores

    for name in ("risk_now", "risk_at_24m"):
        ordered = found.sort_values(name, kind="stable")
        assert ordered[f"{name}_survey"].is_monotonic_increasing


@given(RISKS, st.floats(0.1, 0.9))
def test_a_region_has_an_interval_around_what_is_to_be_expected(risks, share):
    found = on_survey_level(scored(risks), Survey(share=share, low=share - 0.05, high=share + 0.05, of="s")).regions

    assert (found.share_survey_low <= found.share_survey).all()
    assert (found.share_survey <= found.share_survey_high).all()
    assert [share - 0.05, share, share + 0.05] == pytest.approx(
        found.iloc[-1][["share_survey_low", "share_survey", "share_survey_high"]].astype(float).tolist()
    )


def test_each_region_stands_in_the_table_with_both_levels_and_the_whole_comes_last():
    found = on_survey_level(SCORES, SSGI).regions.set_index("region_id")

    assert ["north", "south", WHOLE] == list(found.index)
    assert [2, 1, 4] == list(found.children)
    assert [pytest.approx(0.075), pytest.approx(0.02), pytest.approx(0.0925)] == list(found.share_register)
    assert [pytest.approx(0.15), pytest.approx(0.02), pytest.approx(0.37)] == list(found.expected_register)
    assert pytest.approx(4 * 0.276) == found.expected_survey[WHOLE]
    assert ["SSGI 2022"] * 3 == list(found.survey)


def test_without_a_survey_the_columns_are_there_and_empty():
    with_one, without = on_survey_level(SCORES, SSGI), on_survey_level(SCORES, Survey())
    empty = [name for name in without.regions if "survey" in name]

    assert list(with_one.scores) == list(without.scores)
    assert list(with_one.regions) == list(without.regions)
    assert without.scores[["risk_now_survey", "risk_at_24m_survey"]].isna().all(axis=None)
    assert without.regions[empty].isna().all(axis=None)
    assert list(with_one.regions.share_register) == list(without.regions.share_register)


def test_pregnancies_alone_have_no_level():
    found = on_survey_level(SCORES.tail(1), SSGI)

    assert found.scores.risk_at_24m_survey.isna().all()
    assert [0] == list(found.regions.children)


@given(RISKS, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(risks, seed):
    rows = scored(risks).assign(unit_id=range(len(risks)), region_id=[f"r{n % 3}" for n in range(len(risks))])
    plain, shuffled = (on_survey_level(each, SSGI) for each in (rows, rows.sample(frac=1, random_state=seed)))

    again = shuffled.scores.sort_values("unit_id").risk_now_survey.to_numpy()
    assert plain.scores.risk_now_survey.to_numpy() == pytest.approx(again, abs=1e-9)
    assert np.array_equal(plain.regions.children, shuffled.regions.children)
