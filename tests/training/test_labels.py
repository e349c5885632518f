"""The outcome, as a step for everyone who is told of it, and as a slope for the booster that learns from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.labels import sloped

HAZ = st.lists(st.floats(-6, 6), min_size=1, max_size=20).map(lambda values: pd.Series(values).round(2))


def test_the_slope_is_half_at_the_line_and_sure_far_from_it():
    found = sloped(pd.Series([-5.0, -2.01, -2.00, 1.0]), width_sd=0.5)

    assert pytest.approx([1, 0.504, 0.496, 0], abs=1e-3) == found


@given(HAZ)
def test_without_a_width_it_is_the_step_at_minus_two(haz):
    assert (haz < -2.0).astype(float).tolist() == sloped(haz, width_sd=0).tolist()


@given(HAZ, st.floats(0.05, 3))
def test_who_is_below_the_line_is_always_on_the_upper_half_and_a_shorter_child_never_on_a_lower_place(haz, width):
    found = sloped(haz, width_sd=width)

    assert ((found > 0.5) == (haz < -2.0)).all()
    assert (np.diff(found[np.argsort(haz, kind="stable")]) <= 0).all()
