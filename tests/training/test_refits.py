"""Intervals from refits on whole clusters: deterministic, resumable, and honest where the truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from features.build import KEYS
from features.errors import InputRefused
from features.settings import load
from tests.conftest import ROOT
from training.learn import learn
from training.model import RiskModel
from training.models import INPUTS
from training.refits import intervals, log_odds_of, normal_intervals, of_households, refit

if TYPE_CHECKING:
    from features.settings import Settings

pytestmark = pytest.mark.xdist_group("refits")  # one worker makes what is dear, once
SPREADS = st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=2, max_size=9)
CHAMPION = np.array([-2.0, -1.0, 0.5, 1.0])


@pytest.fixture(scope="module")
def settings() -> Settings:
    whole = load(ROOT / "params.yaml", ROOT / "no-run.yaml")
    quick = whole.train.booster.model_copy(update={"rounds": 20, "eta": 0.3, "max_depth": 2})
    return whole.model_copy(update={"train": whole.train.model_copy(update={"booster": quick})})


def simulated(clusters: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Children whose true risk follows from their mother's height alone, ten in a cluster."""
    random = np.random.default_rng(seed)
    count = clusters * 10
    tall = random.normal(size=count)
    true = -1.2 - 1.1 * tall
    # A logistic error makes the chance of lying below -2 the logistic function of `true`.
    haz = -2.005 - (true + random.logistic(size=count))
    facts = {
        **dict.fromkeys(KEYS, "x"),
        "unit_id": [f"{seed}-{n:04}" for n in range(count)],
        "household_id": [f"{seed}-{n // 2}" for n in range(count)],
        "area_id": [f"{seed}-{n // 10:03}" for n in range(count)],
        "as_of": pd.Timestamp("2012-06-01"),
        "outcome_known_on": pd.Timestamp("2012-06-01"),
        "mother_height_cm": 152 + 6 * tall,
        "age_months": random.uniform(0, 60, count),
        "haz": haz,
        "stunted": (haz.round(2) < -2).astype(int),
    }
    rows = pd.DataFrame(np.nan, index=range(count), columns=list(INPUTS)).assign(**facts)
    return rows, expit(true)


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return simulated(80, seed=1)[0]


@pytest.fixture(scope="module")
def asked() -> tuple[pd.DataFrame, np.ndarray]:
    return simulated(40, seed=2)


@pytest.fixture(scope="module")
def answers(train: pd.DataFrame, asked: tuple[pd.DataFrame, np.ndarray], settings: Settings) -> np.ndarray:
    refits = [refit(train, settings=settings, seed=5, draw=draw) for draw in range(8)]
    return np.array([log_odds_of(one, asked[0]) for one in refits])


@pytest.fixture(scope="module")
def champion(train: pd.DataFrame, settings: Settings) -> RiskModel:
    return learn(train, settings=settings, seed=5)


def test_a_refit_is_the_same_for_the_same_seed_and_number_in_any_row_order(train, asked, settings):
    shuffled = train.sample(frac=1, random_state=3)
    once, again = (refit(rows, settings=settings, seed=5, draw=2) for rows in (train, shuffled))

    assert (log_odds_of(once, asked[0]) == log_odds_of(again, asked[0])).all()


def test_every_draw_and_every_seed_gives_another_model(train, asked, settings, answers):
    other = log_odds_of(refit(train, settings=settings, seed=6, draw=0), asked[0])

    assert 9 == len({one.tobytes() for one in (*answers, other)})


def test_clusters_that_leave_no_outcome_to_calibrate_on_are_refused(train, settings):
    one_cluster = train.head(10)

    with pytest.raises(InputRefused, match=r"draw 0 leaves out 0 rows of 1 clusters"):
        refit(one_cluster, settings=settings, seed=5, draw=0)


@given(SPREADS)
def test_the_champion_is_always_inside_its_interval(spreads):
    found = intervals(CHAMPION, np.array(spreads))

    assert (found.low <= CHAMPION).all()
    assert (found.high >= CHAMPION).all()


@given(SPREADS)
def test_wider_ends_give_a_wider_interval(spreads):
    narrow, wide = (intervals(CHAMPION, np.array(spreads), ends=ends) for ends in ((5, 95), (2.5, 97.5)))

    assert (wide.low <= narrow.low + 1e-12).all()
    assert (wide.high >= narrow.high - 1e-12).all()


@given(SPREADS, st.floats(-3, 3))
def test_refits_that_are_all_higher_drift_and_do_not_widen(spreads, more):
    before, after = (intervals(CHAMPION, np.array(spreads) + shift) for shift in (0.0, more))

    assert before.high - before.low == pytest.approx(after.high - after.low, abs=1e-9)
    assert before.drift + more == pytest.approx(after.drift, abs=1e-9)


def test_the_percentiles_are_set_around_the_champion():
    refits = np.arange(101.0).reshape(-1, 1)
    found = intervals(np.array([10.0]), refits, ends=(5, 95))

    assert (-35.0, 55.0, 40.0) == (found.low[0], found.high[0], found.drift[0])


def test_a_normal_interval_reaches_as_far_as_its_level_says():
    # Refits of 9 and 11: a standard deviation of sqrt(2); 90% of a normal curve lies within 1.645 of them.
    found = normal_intervals(np.array([10.5]), np.array([[9.0], [11.0]]), level=0.90)

    assert [pytest.approx(10.5 - 1.644854 * 2**0.5), pytest.approx(10.5 + 1.644854 * 2**0.5)] == [
        found.low[0], found.high[0],
    ]  # fmt: skip
    assert (5, 95) == tuple(np.round(found.ends, 9))
    assert -0.5 == found.drift[0]


@given(SPREADS, st.floats(0.01, 0.98), st.floats(-3, 3))
def test_a_normal_interval_holds_the_champion_in_its_middle_and_widens_with_its_level(spreads, level, more):
    refits = np.array(spreads)
    narrow, wide = (normal_intervals(CHAMPION, refits, level=each) for each in (level, level + 0.01))
    moved = normal_intervals(CHAMPION, refits + more, level=level)

    assert CHAMPION == pytest.approx((narrow.low + narrow.high) / 2, abs=1e-9)
    assert (wide.low <= narrow.low).all()
    assert (narrow.high <= wide.high).all()
    assert narrow.high == pytest.approx(moved.high, abs=1e-9)


def test_a_normal_interval_of_normal_refits_is_that_of_their_percentiles():
    refits = np.random.default_rng(1).normal(scale=[0.1, 1.0, 0.5, 2.0], size=(20_000, 4))
    plain, normal = intervals(CHAMPION, refits, ends=(5, 95)), normal_intervals(CHAMPION, refits, level=0.90)

    assert plain.high - plain.low == pytest.approx(normal.high - normal.low, rel=0.03)


@pytest.mark.parametrize(
    ("refits", "level", "said"),
    [
        (np.zeros((1, 4)), 0.9, "with 2 draws or more"),
        (np.zeros((5, 3)), 0.9, r"shape \(5, 3\)"),
        (np.zeros((5, 4)), 90, "the level is 90; give a share between 0 and 1"),
        (np.zeros((5, 4)), 0, "the level is 0"),
    ],
)
def test_what_makes_no_normal_interval_is_refused(refits, level, said):
    with pytest.raises(ValueError, match=said):
        normal_intervals(CHAMPION, refits, level=level)


@pytest.mark.parametrize(
    ("refits", "ends", "said"),
    [
        (np.zeros((1, 4)), (5, 95), "with 2 draws or more"),
        (np.zeros((5, 3)), (5, 95), r"shape \(5, 3\)"),
        (np.zeros((5, 4)), (60, 95), "below and above 50"),
    ],
)
def test_what_is_no_spread_is_refused(refits, ends, said):
    with pytest.raises(ValueError, match=said):
        intervals(CHAMPION, refits, ends=ends)


def test_a_household_is_at_risk_when_any_of_its_children_is():
    names, found = of_households(logit([0.5, 0.2, 0.5]), pd.Series(["b", "a", "b"]))

    assert ["a", "b"] == list(names)
    assert [pytest.approx(0.2), pytest.approx(0.75)] == list(expit(found))


def test_households_of_every_refit_are_made_as_the_champions():
    odds, ids = logit([[0.5, 0.2, 0.5], [0.1, 0.3, 0.4]]), pd.Series(["b", "a", "b"])

    assert (of_households(odds[1], ids)[1] == of_households(odds, ids)[1][1]).all()


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=5))
def test_a_household_is_never_at_less_risk_than_its_child_most_at_risk(odds):
    found = of_households(np.array(odds), pd.Series(["h"] * len(odds)))[1]

    assert found[0] >= max(odds) - 1e-6
