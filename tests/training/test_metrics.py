"""What every metric of a risk must obey."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training import plots
from training.metrics import CALIBRATION, METRICS, measure, paired_difference, with_intervals

RANDOM = np.random.default_rng(7)
ROWS = 600
RISK = np.round(RANDOM.beta(2, 5, ROWS), 2)
LABEL = (RANDOM.random(ROWS) < RISK).astype(int)
WEIGHT = RANDOM.integers(0, 4, ROWS)
CLUSTER = RANDOM.integers(0, 60, ROWS)

both_classes = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) > 1
)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("auc", roc_auc_score),
        ("average_precision", average_precision_score),
        ("brier", brier_score_loss),
        ("log_loss", log_loss),
    ],
)
def test_a_metric_agrees_with_scikit_learn_under_weights(name, published):
    expected = published(LABEL, RISK, sample_weight=WEIGHT)

    assert expected == pytest.approx(measure(LABEL, RISK, weight=WEIGHT)[name], abs=1e-12)


def test_the_calibration_slope_agrees_with_an_unpenalised_regression():
    risk = np.clip(RISK, 0.01, 0.99)
    logit = np.log(risk / (1 - risk)).reshape(-1, 1)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit, LABEL, sample_weight=WEIGHT)

    assert fitted.coef_[0, 0] == pytest.approx(measure(LABEL, risk, weight=WEIGHT)["calibration_slope"], abs=1e-5)


def test_the_calibration_intercept_undoes_a_shift_of_the_logit():
    risk = np.full(100, 1 / (1 + math.exp(1)))
    label = np.arange(100) < 50

    assert pytest.approx(1.0) == measure(label, risk)["calibration_intercept"]


def test_the_calibration_error_is_the_mean_gap_over_ten_equal_bins():
    label = np.tile([1, 0], 50)
    risk = np.linspace(0.9, 0.6, 100)

    assert pytest.approx(0.25) == measure(label, risk)["ece"]


@pytest.mark.parametrize(("rows", "places"), [(3, 1), (14, 1), (15, 2), (24, 2), (25, 3)])
def test_a_capacity_of_ten_percent_rounds_half_up_and_is_at_least_one(rows, places):
    label = np.arange(rows) == 0

    assert 1 / places == measure(label, np.linspace(1, 0, rows))["precision_at_10"]


def test_a_flag_shares_its_places_among_all_it_flags():
    label = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    flag = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    found = measure(label, flag, calibrated=False)

    assert (0.25, 0.25) == (found["precision_at_20"], found["recall_at_20"])


def test_a_weight_of_two_equals_the_row_twice():
    twice = measure(np.repeat(LABEL, WEIGHT), np.repeat(RISK, WEIGHT))

    assert twice == pytest.approx(measure(LABEL, RISK, weight=WEIGHT))


@given(both_classes)
def test_the_auc_is_unchanged_by_a_monotone_transform(rows):
    label, score = np.array(rows).T
    risk = score / 20

    assert measure(label, risk)["auc"] == measure(label, np.exp(score), calibrated=False)["auc"]


@given(both_classes, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = ([label for label, _ in r] for r in (rows, shuffled))
    before = measure(first, [score / 20 for _, score in rows])
    after = measure(second, [score / 20 for _, score in shuffled])

    np.testing.assert_equal(after, before)


@given(both_classes)
def test_a_perfect_forecast_ranks_and_calibrates_perfectly(rows):
    label = [label for label, _ in rows]
    found = measure(label, label)

    assert (1, 1, 0, 0) == tuple(found[n] for n in ("auc", "average_precision", "brier", "ece"))
    assert pytest.approx(0, abs=1e-12) == found["log_loss"]
    assert pytest.approx(0, abs=1e-6) == found["calibration_intercept"]
    assert math.isnan(found["calibration_slope"])


@given(both_classes)
def test_equal_risks_give_the_prevalence_whatever_their_order(rows):
    label = [label for label, _ in rows]
    found = measure(label, [0.5] * len(label))

    assert pytest.approx(np.mean(label)) == found["precision_at_10"]
    assert pytest.approx(np.mean(label)) == found["precision_at_20"]
    assert found["auc"] == 0.5


@given(both_classes)
def test_the_slope_is_finite_or_undefined_but_never_huge_by_accident(rows):
    label, score = np.array(rows).T
    found = measure(label, score / 20)

    assert math.isfinite(found["calibration_intercept"])
    hit, missed = score[label == 1], score[label == 0]
    separated = hit.min() >= missed.max() or missed.min() >= hit.max()
    assert separated == math.isnan(found["calibration_slope"])


def test_nothing_is_defined_without_rows():
    found = with_intervals([], [], cluster=[], draws=3, seed=1)

    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_leaves_discrimination_undefined_and_losses_defined(only):
    found = measure([only] * 4, [0.1, 0.2, 0.3, 0.4])

    assert math.isnan(found["auc"])
    assert math.isnan(found["calibration_slope"])
    assert math.isnan(found["calibration_intercept"])
    assert math.isfinite(found["brier"])
    assert only == found["precision_at_10"]


def test_a_score_that_is_no_probability_has_no_calibration():
    found = measure(LABEL, RISK * 100, calibrated=False)

    assert set(CALIBRATION) == {name for name, value in found.items() if math.isnan(value)}


@pytest.mark.parametrize(
    ("label", "risk", "said"),
    [
        ([1, 0], [0.5, 1.5], "1 of 2 risks are outside 0-1.*first: row 1"),
        ([1, 0], [math.nan, 0.5], "1 of 2 risks are null.*first: row 0"),
        ([2, 0], [0.5, 0.5], "1 of 2 labels are not 0 or 1.*first: row 0"),
        ([1, 0], [0.5], "one of each per row"),
    ],
)
def test_a_bad_row_is_counted_and_located(label, risk, said):
    with pytest.raises(ValueError, match=said):
        measure(label, risk)


def test_an_unknown_metric_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="'f1'; allowed: auc, "):
        paired_difference(LABEL, RISK, RISK, metric="f1", cluster=CLUSTER, draws=1, seed=1)


def test_an_interval_contains_its_point():
    found = with_intervals(LABEL, RISK, cluster=CLUSTER, draws=200, seed=3)

    # Noise only raises `ece`, so its percentile interval need not hold the point.
    for name in set(METRICS) - {"ece"}:
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"], name


def test_the_same_seed_gives_the_same_interval():
    once, again = (with_intervals(LABEL, RISK, cluster=CLUSTER, draws=5, seed=3) for _ in "ab")

    assert once == again


@pytest.mark.parametrize("metric", METRICS)
def test_a_risk_does_not_differ_from_itself(metric):
    found = paired_difference(LABEL, RISK, RISK, metric=metric, cluster=CLUSTER, draws=20, seed=3)

    assert {"difference": 0, "low": 0, "high": 0} == found


def test_a_better_risk_has_a_positive_difference_in_auc():
    noise = np.random.default_rng(1).random(ROWS)
    found = paired_difference(LABEL, RISK, noise, metric="auc", cluster=CLUSTER, draws=50, seed=3)

    assert 0 < found["low"] < found["difference"] < found["high"]


@pytest.mark.parametrize("draw", [plots.roc, plots.precision_at_capacity, plots.calibration])
def test_a_plot_is_written_as_the_same_png_each_time(draw, tmp_path: Path):
    for name in ("a.png", "b.png"):
        draw(LABEL, {"model": RISK, "flag": (RISK > 0.3).astype(float)}, tmp_path / name)

    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
