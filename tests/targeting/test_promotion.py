"""What the gate lets in, and what it keeps out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings import load
from targeting.promotion import Against, Evidence, checks, ece_by_chance
from targeting.promotion_report import drawn, page
from tests.conftest import ROOT

GATE = load(ROOT / "params.yaml", ROOT / "no-run.yaml").gate
METRICS = {
    "calibration_slope": 1.04, "calibration_slope_low": 0.99, "calibration_slope_high": 1.10,
    "ece": 0.011, "ece_low": 0.008, "ece_high": 0.020,
}  # fmt: skip
GOOD = Evidence(
    stamp="determinants-new",
    reports="reports/promotion",
    learned_until="2014-01-01",
    judged_gaps=30,
    untold_gaps=12, quarantined=("child", 0.01), leak_guard=True, rule="KRS, then rank, then count",
    lead={"difference": 0.13, "low": 0.12, "high": 0.14}, metrics=METRICS, chance_ece=0.009, outside=(),
    set_aside=None, instead_of_real=False, champion_learned_until="2014-01-01", test_from="2014-01-01",
)  # fmt: skip
BESIDE = Against("determinants-old", 0.004, 0.001, 0.007, routine=False, jaccard=0.8)


def failed(found=GOOD, against=BESIDE, quarantine=0.05):
    return [check.name for check in checks(found, against, gate=GATE, quarantine=quarantine) if not check.passed]


def test_a_model_that_is_better_and_keeps_its_word_passes():
    assert [] == failed()
    assert [] == failed(against=None)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"quarantined": ("child", 0.06)}, "data checks"),
        ({"leak_guard": False}, "leak guard and tripwire"),
        ({"lead": {"difference": 0.01, "low": -0.001, "high": 0.02}}, "better than KRS, then rank, then count"),
        ({"champion_learned_until": "2014-06-01"}, "children that the champion has not seen"),
        ({"champion_learned_until": ""}, "children that the champion has not seen"),
        ({"learned_until": "2014-06-01"}, "children that it has not seen"),
        ({"metrics": METRICS | {"calibration_slope_low": 1.3, "calibration_slope_high": 1.5}}, "calibration slope"),
        ({"metrics": METRICS | {"ece": 0.022}}, "calibration error (ECE)"),
        ({"outside": ("By sex, calibration is 0.06 apart.",)}, "gaps between groups"),
        ({"set_aside": "it sent nobody to Jatigede"}, "not set aside by a person"),
        ({"instead_of_real": True}, "learned from real children"),
    ],
)
def test_each_fault_alone_keeps_a_model_out(change, name):
    assert [name] == failed(replace(GOOD, **change))


@pytest.mark.parametrize(
    ("low", "routine", "passes"),
    [
        (0.0001, False, True),
        (0.0, False, False),
        (-0.0029, False, False),
        (-0.0029, True, True),
        (-0.0031, True, False),
    ],
)
def test_new_settings_must_be_proven_better_and_a_routine_retraining_not_proven_worse(low, routine, passes):
    assert passes is ([] == failed(against=replace(BESIDE, low=low, routine=routine)))


def test_a_list_that_changes_too_much_is_not_let_through():
    assert ["churn of the list"] == failed(against=replace(BESIDE, jaccard=0.49))


def test_a_slope_and_an_error_that_chance_explains_are_no_fault():
    wide = METRICS | {"calibration_slope": 0.7, "calibration_slope_low": 0.5, "calibration_slope_high": 0.9}
    assert [] == failed(replace(GOOD, metrics=wide))
    few = METRICS | {"ece": 0.05}
    assert [] == failed(replace(GOOD, metrics=few, chance_ece=0.05))


@given(low=st.floats(-0.1, 0.1), more=st.floats(0, 0.1), routine=st.booleans())
def test_a_better_challenger_is_never_refused_where_a_worse_one_passes(low, more, routine):
    worse = failed(against=replace(BESIDE, low=low, routine=routine))
    better = failed(against=replace(BESIDE, low=low + more, routine=routine))
    assert set(better) <= set(worse)


def test_fewer_children_leave_more_to_chance():
    risk = np.random.default_rng(0).beta(2, 6, 10_000)
    few, many = ece_by_chance(risk[:300], seed=1), ece_by_chance(risk, seed=1)
    assert 0.03 < few < 0.10
    assert 0.004 < many < 0.015


def test_the_table_and_the_page_say_what_to_do_about_each_fault():
    made = checks(replace(GOOD, quarantined=("child", 0.5)), BESIDE, gate=GATE, quarantine=0.05)
    said = {"challenger": "new", "champion": "old", "passed": False, "without_comparison": "", "jaccard": 0.8}

    written = page(made, said, None)

    assert "# new is refused" in written
    assert "`child` 50.0% in quarantine | at most 5.0% | **not met** | Correct the rows in" in written
    assert "REFUSED" in str(drawn(made, "new", passed=False).title)
