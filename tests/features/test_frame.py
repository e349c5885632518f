"""A feature's value is rounded and checked in one place, whichever engine made it."""

from __future__ import annotations

import dataclasses

import ibis
import numpy as np
import pandas as pd
import pytest

from features.catalog import BY_NAME, CATALOG
from features.engines import duckdb
from features.frame import finished


def cut(values: list[float], *, decimals: int, valid: tuple[float, float] = (-1e9, 1e9)) -> list[float]:
    feature = dataclasses.replace(BY_NAME["mother_bmi"], decimals=decimals, valid=valid)
    return finished(np.array(values)[:, None], [feature])[:, 0].tolist()


def test_a_value_is_rounded_in_its_steps_and_half_goes_away_from_zero():
    # 1.005 is 100.49999999999999 steps, and so 1.0
    assert [2.68, -2.68, 0.13, -0.13, 1.0, 4.35] == cut([2.675, -2.675, 0.125, -0.125, 1.005, 4.35], decimals=2)
    assert [0.0] == cut([0.49999999999999994], decimals=0)


def test_zero_has_no_sign():
    assert not np.signbit(cut([-0.001], decimals=2)[0])


def test_what_lies_outside_the_valid_range_is_null():
    assert [0.0, 1.0] == cut([-0.004, 1.004], decimals=2, valid=(0, 1))
    assert np.isnan(cut([-0.006, 1.006, np.nan, np.inf], decimals=2, valid=(0, 1))).all()


@pytest.mark.parametrize("decimals", sorted({f.decimals for f in CATALOG}))
def test_values_at_the_edge_of_their_rounding_fall_as_duckdb_would_have_them(decimals):
    steps = np.random.default_rng(decimals).integers(-(10**7), 10**7, 4000)
    values = np.concatenate([steps / 8, (10 * steps + 5) / 1e5, (10 * steps + 5) / 1e3, steps / 7])
    with duckdb() as engine:
        table = engine.create_table("values_of", pd.DataFrame({"n": range(len(values)), "value": values}))
        rounded = table.select("n", value=table.value.round(ibis.literal(decimals))).to_pandas().sort_values("n")

    assert (rounded.value.to_numpy() + 0.0).tolist() == cut(values.tolist(), decimals=decimals)
