"""What was not known is said, and what that costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.catalog import CATALOG, View
from training.absence import by_register, fuller, lines, unknown
from training.models import INPUTS

PREGNANCY = [f.name for f in CATALOG if f.view is View.PREGNANCY]
NOTHING = {"known_features": 85, "never_known": {}, "not_in_training": {}, "not_in_test": {}, "cost": None}


def test_an_input_is_unknown_when_no_row_has_it():
    rows = pd.DataFrame(1.0, index=range(3), columns=list(INPUTS)).assign(desil=np.nan)
    rows.loc[0, "mother_age"] = np.nan
    assert ("desil",) == unknown(rows)


def test_unknown_features_are_told_by_register():
    assert {"household": ["desil"], "maternal": ["mother_age"]} == by_register(["desil", "mother_age"])


def test_nothing_missing_leaves_nothing_to_say():
    assert [] == lines({**NOTHING, "compared_with": None})


def test_a_register_that_never_came_has_the_cost_that_was_seen_elsewhere():
    said = lines({**NOTHING, "never_known": {"pregnancy": PREGNANCY}, "compared_with": None})
    assert f"`pregnancy` {len(PREGNANCY)} features" in said[0]
    assert "cannot say what going without `pregnancy` costs" in said[1]
    assert [] == [line for line in lines({**NOTHING, "never_known": {"pregnancy": PREGNANCY[:3]}}) if "cannot" in line]


def test_facts_that_the_test_year_lacks_have_the_cost_measured_in_training():
    cost = {
        m: {"difference": d, "low": d - 0.01, "high": d + 0.01} for m, d in (("auc", -0.02), ("precision_at_10", -0.05))
    }
    said = lines({**NOTHING, "not_in_test": {"maternal": ["mother_age"]}, "cost": {"cost": cost}})
    assert "costs AUC -0.020 (-0.030 to -0.010) and precision in the top tenth -0.050" in said[0]


def test_the_fullest_model_on_the_same_children_is_the_one_compared_with():
    measured = {"known_features": 60, "auc": 0.80, "precision_at_10": 0.5}
    earlier = [
        {"stamp": "a", "known_features": 70, "auc": 0.82, "precision_at_10": 0.6},
        {"stamp": "b", "known_features": 85, "auc": 0.84, "precision_at_10": 0.6},
        {"stamp": "c", "known_features": 60, "auc": 0.99, "precision_at_10": 0.9},
    ]
    found = fuller(measured, earlier)
    assert "b" == found["stamp"]
    assert pytest.approx(-0.04) == found["auc_cost"]
    assert fuller({**measured, "known_features": 85}, earlier) is None
    assert "-0.040 and -0.100" in lines({**NOTHING, "known_features": 60, "compared_with": found})[0]
