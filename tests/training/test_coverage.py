"""How often intervals contain what they are about."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.special import expit, logit

from tests.training.rows import rows, settings
from training.coverage import (
    given_the_facts,
    of_simulation,
    of_survey,
    outcomes_covered,
    table,
    truth_covered,
    with_truth,
)
from training.learn import learn
from training.refits import intervals

pytestmark = pytest.mark.xdist_group("coverage")  # one worker makes what is dear, once
CHAMPION = np.array([-2.0, -1.0, 0.5, 1.0])


def test_an_interval_covers_the_truth_that_it_contains():
    found = intervals(CHAMPION, CHAMPION + np.array([[-0.1], [0.1]]), ends=(0, 100))
    told = truth_covered(found, np.r_[expit(CHAMPION[:3] + 0.05), 1.0], groups=2)

    assert [(2, 1.0), (2, 0.5)] == list(told[["n", "covered"]].itertuples(index=False, name=None))


def test_a_group_is_inside_when_its_share_lies_in_its_mean_interval():
    log_odds = np.repeat(logit([0.2, 0.5]), 10)
    found = intervals(log_odds, log_odds + np.array([[-0.5], [0.5]]), ends=(0, 100))
    label = np.r_[np.arange(10) < 2, np.arange(10) < 9]
    told = outcomes_covered(found, label, groups=2)

    assert [(10, 0.2, True), (10, 0.9, False)] == list(
        told[["n", "observed", "inside"]].itertuples(index=False, name=None)
    )


def test_equal_risks_make_one_group():
    found = intervals(np.zeros(6), np.array([[-1.0] * 6, [1.0] * 6]))

    assert [6] == list(outcomes_covered(found, np.array([0, 1, 0, 1, 0, 1]), groups=3).n)


@pytest.fixture(scope="module")
def own():
    made = settings()
    few = made.intervals.model_copy(update={"refits": 4})
    return made.model_copy(update={"intervals": few})


@pytest.fixture(scope="module")
def labelled():
    """Two years of children with a true risk by their age and their mother's height."""
    made = pd.concat([rows(500, seed=1), rows(300, seed=2, year=2014)], ignore_index=True)
    likely = -2.5 - made.age_months / 60 + (made.mother_height_cm - 150) / 8 + made.wealth_quintile.fillna(3) / 4
    return made.assign(true_risk=expit(-2 * (likely + 2)), true_haz=made.haz - 0.3)


@pytest.fixture(scope="module")
def told(labelled, own):
    return of_simulation(labelled, settings=own)


def test_what_the_facts_say_of_the_truth_is_learned_from_other_areas(labelled, own):
    model = learn(labelled, settings=own, seed=1)
    found = given_the_facts(model, labelled, labelled.true_risk.to_numpy(), how=own.train)
    shuffled = labelled.sample(frac=1, random_state=2)
    again = given_the_facts(model, shuffled, shuffled.true_risk.to_numpy(), how=own.train)

    assert np.corrcoef(found, labelled.true_risk)[0, 1] > 0.9
    assert (again == found[shuffled.index]).all()


def test_the_truth_is_asked_for_in_five_ways_each_by_groups(labelled, told):
    ways = {name: list(found) for name, found in told["models"].items()}

    assert (500, 300) == (told["train"], told["test"])
    assert {
        "register": ["as_it_is", "on_its_level", "given_the_facts"], "true_heights": ["as_it_is", "given_the_facts"],
    } == ways  # fmt: skip
    for found in (found for each in told["models"].values() for found in each.values()):
        assert 300 == sum(group["n"] for group in found["groups"])
        assert 0 <= found["covered"] <= 1
    register = told["models"]["register"]
    assert pytest.approx(mean(register["on_its_level"], "risk")) == mean(register["on_its_level"], "truth")
    assert mean(register["as_it_is"], "truth") == pytest.approx(labelled.true_risk[500:].mean())


def mean(found, name):
    return np.average([group[name] for group in found["groups"]], weights=[group["n"] for group in found["groups"]])


def test_a_survey_is_asked_for_its_test_years_and_everything_fits_into_json(labelled, own, told):
    said = {"refits": 4, "level": 0.9, "simulation": told, "survey": of_survey(labelled, settings=own)}
    printed = Console(width=120, record=True)
    printed.print(table(json.loads(json.dumps(said))))

    assert {"n", "risk", "low", "high", "observed", "inside"} == set(said["survey"]["groups"][0])
    assert f"{sum(g['inside'] for g in said['survey']['groups'])} of 10 groups" in printed.export_text()


def test_the_truth_is_that_of_the_day_of_the_outcome(tmp_path):
    (tmp_path / "truth").mkdir()
    day = pd.Timestamp("2025-02-03")
    truth = pd.DataFrame(
        {
            "child_id": ["ana", "ana", "ana", "budi"], "kind": ["measurement", "record", "measurement", "measurement"],
            "on": [day.date(), day.date(), pd.Timestamp("2025-03-03").date(), day.date()],
            "haz": [-1.0, -9.0, -8.0, -3.0], "risk": [0.1, 0.9, 0.8, 0.3],
        }
    )  # fmt: skip
    truth.to_parquet(tmp_path / "truth" / "children.parquet")
    asked = pd.DataFrame({"child_id": ["budi", "ana", "citra"], "measured_on": [day] * 3, "haz": [-2.9, -1.1, 0.0]})

    found = with_truth(asked, tmp_path)

    assert [("budi", 0.3, -3.0), ("ana", 0.1, -1.0)] == list(
        found[["child_id", "true_risk", "true_haz"]].itertuples(index=False, name=None)
    )
