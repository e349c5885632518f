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
from training.refits import (
    boundary,
    intervals,
    log_odds_of,
    of_households,
    outcomes_covered,
    refit,
    refitted,
    truth_covered,
)

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings

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
    return refitted(train, asked[0], settings=settings, seed=5, draws=range(8))


@pytest.fixture(scope="module")
def champion(train: pd.DataFrame, settings: Settings) -> RiskModel:
    return learn(train, settings=settings, seed=5)


def test_a_refit_is_the_same_for_the_same_seed_and_number_in_any_row_order(train, asked, settings):
    shuffled = train.sample(frac=1, random_state=3)
    once, again = (refit(rows, settings=settings, seed=5, draw=2) for rows in (train, shuffled))

    assert (log_odds_of(once, asked[0]) == log_odds_of(again, asked[0])).all()


def test_every_draw_and_every_seed_gives_another_model(train, asked, settings, answers):
    other = refitted(train, asked[0], settings=settings, seed=6, draws=[0])

    assert 9 == len({one.tobytes() for one in (*answers, other[0])})


def test_refits_made_in_pieces_equal_those_made_at_once(train, asked, settings, answers):
    later = refitted(train, asked[0], settings=settings, seed=5, draws=range(6, 8))

    assert (answers[6:] == later).all()


def test_an_interrupted_run_goes_on_where_it_stopped(train, asked, settings, answers, tmp_path: Path):
    def broken_off(draws):
        yield draws[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refitted(train, asked[0], settings=settings, seed=5, draws=range(3), steps=broken_off, kept=tmp_path)
    first = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    whole = refitted(train, asked[0], settings=settings, seed=5, draws=range(3), kept=tmp_path)

    assert 1 == len(first)
    assert 3 == len(list(tmp_path.iterdir()))
    assert all(path.stat().st_mtime_ns == then for path, then in first.items())
    assert (answers[:3] == whole).all()


def test_what_was_kept_is_not_taken_for_other_rows(train, asked, settings, tmp_path: Path):
    rows = asked[0].head(20)
    first = refitted(train, rows, settings=settings, seed=5, draws=[0], kept=tmp_path)
    taller = refitted(
        train, rows.assign(mother_height_cm=180.0), settings=settings, seed=5, draws=[0], kept=tmp_path
    )  # fmt: skip

    assert 2 == len(list(tmp_path.iterdir()))
    assert taller.mean() < first.mean()


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


@given(SPREADS, st.integers(1, 4))
def test_the_last_one_chosen_is_in_the_band(spreads, places):
    found = boundary(intervals(CHAMPION, np.array(spreads)), places=places)

    assert CHAMPION[-places] == found.cut
    assert found.inside[-places]


def test_the_band_holds_whoever_could_change_places():
    spread = np.array([[-0.3], [0.0], [0.3]]) * np.array([1.0, 6.0, 1.0, 1.0])
    found = boundary(intervals(CHAMPION, CHAMPION + spread, ends=(0, 100)), places=2)

    assert 0.5 == found.cut
    assert [False, True, True, False] == list(found.inside)


@pytest.mark.parametrize("places", [0, 5])
def test_a_list_of_no_places_or_more_than_rows_has_no_band(places):
    with pytest.raises(ValueError, match="must be 1 to 4"):
        boundary(intervals(CHAMPION, np.zeros((2, 4))), places=places)


def test_an_interval_covers_the_truth_that_it_contains():
    found = intervals(CHAMPION, CHAMPION + np.array([[-0.1], [0.1]]), ends=(0, 100))
    table = truth_covered(found, np.r_[expit(CHAMPION[:3] + 0.05), 1.0], groups=2)

    assert [(2, 1.0), (2, 0.5)] == list(table[["n", "covered"]].itertuples(index=False, name=None))


def test_a_group_is_inside_when_its_share_lies_in_its_mean_interval():
    log_odds = np.repeat(logit([0.2, 0.5]), 10)
    found = intervals(log_odds, log_odds + np.array([[-0.5], [0.5]]), ends=(0, 100))
    label = np.r_[np.arange(10) < 2, np.arange(10) < 9]
    table = outcomes_covered(found, label, groups=2)

    assert [(10, 0.2, True), (10, 0.9, False)] == list(
        table[["n", "observed", "inside"]].itertuples(index=False, name=None)
    )


def test_equal_risks_make_one_group():
    found = intervals(np.zeros(6), np.array([[-1.0] * 6, [1.0] * 6]))

    assert [6] == list(outcomes_covered(found, np.array([0, 1, 0, 1, 0, 1]), groups=3).n)


def test_intervals_cover_most_of_the_truth_where_it_is_known(asked, answers, champion):
    rows, truth = asked
    found = intervals(log_odds_of(champion, rows), answers)
    table = truth_covered(found, truth, groups=4)
    covered = float((table.n * table.covered).sum() / table.n.sum())

    # Eight refits of a coarse booster: far from none and from a coin's toss, not yet 95%.
    assert covered > 0.5
    assert table.truth.is_monotonic_increasing
    of_a_point = intervals(found.log_odds, found.log_odds + np.zeros((2, 1)))
    assert truth_covered(of_a_point, truth).covered.max() < 0.05


def test_observed_shares_lie_in_the_intervals_of_groups(asked, answers, champion):
    rows, _ = asked
    table = outcomes_covered(intervals(log_odds_of(champion, rows), answers), rows.stunted.to_numpy(), groups=4)

    assert 400 == table.n.sum()
    assert (table.low <= table.risk).all()
    assert (table.risk <= table.high).all()
    assert table.inside.sum() >= 3
