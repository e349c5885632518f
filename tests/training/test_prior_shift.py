"""A register's risks on a survey's level: the mean is the survey's, and no order changes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from training.prior_shift import Prevalence, shifted

RISKS = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=30)
SHARES = st.floats(0.001, 0.999)
AS_SURVEYED = Prevalence(0.276, 0.23, 0.32)


def only(share: float) -> Prevalence:
    return Prevalence(share, share, share)


@given(RISKS, SHARES)
def test_the_mean_of_the_shifted_risks_is_the_surveys_prevalence(risks, share):
    found = shifted(risks, only(share))

    assert share == pytest.approx(found.mean, abs=1e-9)
    assert share == pytest.approx(found.risk.mean(), abs=1e-9)
    assert np.mean(risks) == pytest.approx(found.naive_mean)


@given(RISKS, SHARES)
def test_the_shift_keeps_the_order(risks, share):
    order = np.argsort(risks, kind="stable")

    assert (np.diff(shifted(risks, only(share)).risk[order]) >= 0).all()


@given(RISKS, SHARES)
def test_the_odds_of_every_child_change_by_the_same_factor(risks, share):
    found = shifted(risks, only(share))
    before, after = np.array(risks), np.clip(found.risk, 1e-300, 1 - 1e-12)
    moved = np.log(after / (1 - after)) - np.log(before / (1 - before))

    assume((found.risk < 1 - 1e-6).all())
    assert found.shift == pytest.approx(moved, abs=1e-6)


@given(RISKS)
def test_a_survey_that_agrees_with_the_register_changes_nothing(risks):
    found = shifted(risks, only(float(np.mean(risks))))

    assert risks == pytest.approx(found.risk, abs=1e-9)
    assert found.shift == pytest.approx(0, abs=1e-6)


@given(st.floats(0.01, 0.99), st.integers(1, 20), SHARES)
def test_identical_risks_become_the_prevalence_itself(risk, rows, share):
    assert [pytest.approx(share)] * rows == list(shifted([risk] * rows, only(share)).risk)


@given(RISKS, st.floats(0.2, 0.8), st.floats(0.001, 0.05), st.floats(0.001, 0.05))
def test_a_wider_survey_interval_gives_wider_risks(risks, share, reach, more):
    narrow = shifted(risks, Prevalence(share, share - reach, share + reach))
    wide = shifted(risks, Prevalence(share, share - reach - more, share + reach + more))

    assert (wide.low <= narrow.low).all()
    assert (narrow.low <= narrow.risk).all()
    assert (narrow.risk <= narrow.high).all()
    assert (narrow.high <= wide.high).all()
    assert narrow.shift_low < narrow.shift < narrow.shift_high


@given(RISKS, SHARES)
def test_the_ends_have_the_surveys_ends_as_their_means(risks, share):
    low, high = share / 2, (1 + share) / 2
    found = shifted(risks, Prevalence(share, low, high))

    assert (low, high) == (pytest.approx(found.low.mean(), abs=1e-9), pytest.approx(found.high.mean(), abs=1e-9))


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 4)), min_size=1, max_size=12), SHARES)
def test_a_weight_of_two_equals_the_row_twice(rows, share):
    risk, weight = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    assume(weight.sum() > 0)
    twice = shifted(np.repeat(risk, weight.astype(int)), only(share))

    assert twice.shift == pytest.approx(shifted(risk, only(share), weight=weight).shift, abs=1e-9)


def test_odds_of_one_in_nineteen_and_one_in_nine_are_moved_by_hand():
    # Odds 1/19 and 1/9, both times 4: 4/23 and 4/13.
    found = shifted([0.05, 0.10], only((4 / 23 + 4 / 13) / 2))

    assert math.log(4) == pytest.approx(found.shift)
    assert [pytest.approx(4 / 23), pytest.approx(4 / 13)] == list(found.risk)


def test_the_naive_mean_of_a_register_stands_beside_the_surveys():
    found = shifted(np.full(1000, 0.0827), AS_SURVEYED)

    assert (pytest.approx(0.0827), pytest.approx(0.276)) == (found.naive_mean, found.mean)


def test_a_certain_risk_stays_and_the_others_make_up_for_it():
    found = shifted([0.0, 0.2, 0.2, 1.0], only(0.5))

    assert [0.0, pytest.approx(0.5), pytest.approx(0.5), 1.0] == list(found.risk)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 27.6, math.nan])
def test_a_prevalence_that_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"must be a share between 0 and 1.*27\.6% as 0\.276"):
        only(share)


def test_an_interval_that_does_not_contain_the_prevalence_is_refused():
    with pytest.raises(ValueError, match=r"0\.3 to 0\.4 does not contain the prevalence 0\.2"):
        Prevalence(0.2, 0.3, 0.4)


def test_a_standard_error_gives_the_interval_on_the_log_odds():
    found = Prevalence.from_error(0.5, 0.05)

    # 1.96 * 0.05 / 0.25 = 0.392 log-odds to either side of 0.
    assert (pytest.approx(1 / (1 + math.exp(0.392)), abs=1e-4), 0.5) == (found.low, found.share)
    assert 1 == pytest.approx(found.low + found.high)


@given(SHARES, st.floats(0, 2))
def test_the_interval_of_a_standard_error_never_leaves_the_shares(share, error):
    assume(1.96 * error / (share * (1 - share)) < 30)
    found = Prevalence.from_error(share, error)

    assert 0 < found.low <= share <= found.high < 1


@pytest.mark.parametrize(("share", "error", "said"), [(0.2, -0.1, "0 or more"), (1.2, 0.1, "between 0 and 1")])
def test_a_standard_error_or_share_that_is_none_is_refused(share, error, said):
    with pytest.raises(ValueError, match=said):
        Prevalence.from_error(share, error)


@pytest.mark.parametrize("risks", [[0, 0, 0], [1, 1], [0, 1], [1, 1, 1, 0.5]])
def test_risks_of_nothing_but_0_and_1_cannot_be_shifted(risks):
    with pytest.raises(ValueError, match=r"no shift brings the mean risk to 0\.276.*exactly 0 or 1 cannot move"):
        shifted(risks, AS_SURVEYED)


@pytest.mark.parametrize(
    ("risks", "weight", "said"),
    [
        ([], None, "0 risks of total weight 0"),
        ([0.1], [0], "1 risks of total weight 0"),
        ([0.1, math.nan], None, "1 of 2 risks are null or outside 0-1; first: row 1"),
        ([1.5], None, "1 of 1 risks are null or outside"),
        ([0.1, 0.2], [1], "give one per row"),
    ],
)
def test_a_bad_row_is_counted_and_located(risks, weight, said):
    with pytest.raises(ValueError, match=said):
        shifted(risks, AS_SURVEYED, weight=weight)
