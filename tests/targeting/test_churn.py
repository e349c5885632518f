"""Who changes places between two models."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.churn import churn, household_risks, why
from targeting.promotion_report import page, picture
from tests.drawn import drawn
from tests.training.rows import rows, settings
from training.learn import learn

RISKS = drawn("""
    household_id | before | after
    -------------+--------+------
    ana          | 0.9    | 0.9
    budi         | 0.8    | 0.1
    citra        | 0.3    | 0.7
    dewi         | 0.2    | 0.2
""").set_index("household_id")


def test_who_enters_and_who_leaves_with_both_places():
    made = churn(RISKS.before, RISKS.after, share=0.5)

    assert 2 == made.places
    assert pytest.approx(1 / 3) == made.jaccard
    assert {"citra": "enters", "budi": "leaves"} == made.movers.move.to_dict()
    assert (3, 2) == tuple(made.movers.loc["citra", ["before", "after"]])
    assert (0.8, 0.1) == tuple(made.movers.loc["budi", ["risk_before", "risk_after"]])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1), st.randoms())
def test_the_same_risks_in_any_order_change_nobody(risks, share, random):
    before = pd.Series(risks, index=[f"h{n}" for n in range(len(risks))])
    order = list(before.index)
    random.shuffle(order)

    made = churn(before, before.loc[order], share=share)

    assert 1.0 == made.jaccard
    assert made.movers.empty


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0, 1))
def test_as_many_enter_as_leave(pairs, share):
    both = pd.DataFrame(pairs, columns=["before", "after"], index=[f"h{n}" for n in range(len(pairs))])
    made = churn(both.before, both.after, share=share)
    assert (made.movers.move == "enters").sum() == (made.movers.move == "leaves").sum()
    assert 0 <= made.jaccard <= 1


def test_other_households_are_refused():
    with pytest.raises(ValueError, match="1 households are on one side only, first dewi"):
        churn(RISKS.before, RISKS.after.drop("dewi"), share=0.5)


@pytest.fixture(scope="module")
def pair():
    train = rows(600, seed=1)
    return [learn(train, settings=settings(), seed=seed) for seed in (1, 2)]


@pytest.mark.parametrize("objective", ["find", "prevent"])
def test_each_mover_has_the_fact_that_moved_it(pair, objective, tmp_path):
    units = rows(300, seed=5, year=2014)
    risks = [household_risks(model, units, objective=objective) for model in pair]
    made = churn(*risks, share=0.2)

    movers = why(made, *pair, units, objective=objective)

    assert len(movers) == len(made.movers) > 0
    assert movers.feature.notna().all()
    assert (movers.change != 0).all()
    said = {"challenger": "b", "champion": "a", "passed": True, "without_comparison": "", "jaccard": made.jaccard}
    told = page((), said, movers)
    assert f"- {len(movers) // 2} enter; moved most by " in told
    assert not any(home in told for home in movers.index)
    picture(made, tmp_path / "churn.png")
    assert (tmp_path / "churn.png").stat().st_size > 5000


def test_where_nobody_moves_there_is_nobody_to_explain(pair):
    units = rows(50, seed=7, year=2014)
    risk = household_risks(pair[0], units, objective="find")

    movers = why(churn(risk, risk, share=0.2), pair[0], pair[0], units, objective="find")

    assert movers.empty
    assert {"feature", "change"} <= set(movers.columns)


def test_prevent_ranks_the_first_two_years_and_the_unborn_only(pair):
    units = rows(100, seed=6, year=2014)
    units.loc[:4, "age_months"] = np.nan
    units.loc[:4, "unit_kind"] = "pregnancy"

    found = household_risks(pair[0], units, objective="prevent")
    now = household_risks(pair[0], units, objective="find")

    young = units[units.age_months.isna() | (units.age_months < 24)]
    assert set(young.household_id) == set(found.index)
    assert set(units.household_id[5:]) == set(now.index)
