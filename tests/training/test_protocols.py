"""The harder tests keep what they promise: what a place has said is not used for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.drawn import drawn
from tests.training.rows import rows, settings
from training.calibration import Calibration
from training.protocols import figures, new_places, new_regions, within_regions
from training.splits import known_weights

SETTINGS = settings()
TRAIN, TEST = rows(900, seed=1), rows(300, seed=2, year=2014, areas=20)
AS_IS = Calibration(0.0, 1.0)


def upside_down(train: pd.DataFrame, where: pd.Series) -> pd.DataFrame:
    """The same children, tall where they were short, in these places."""
    haz = train.haz.where(~where, -4.0 - train.haz)
    return train.assign(haz=haz, stunted=(haz < -2).astype(int))


def test_what_the_areas_of_the_test_said_before_changes_nothing_for_them():
    known = TRAIN.area_id.isin(TEST.area_id)

    first = new_places(TRAIN, TEST, settings=SETTINGS, seed=1)
    other = new_places(upside_down(TRAIN, known), TEST, settings=SETTINGS, seed=1)

    assert known.any()
    assert first.tolist() == other.tolist()


def test_what_a_region_said_before_changes_nothing_for_it_and_much_for_the_others():
    how = {"settings": SETTINGS, "seed": 1, "calibration": AS_IS}
    here = TEST.region_id == "r1"

    first = new_regions(TRAIN, TEST, **how)
    other = new_regions(upside_down(TRAIN, TRAIN.region_id == "r1"), TEST, **how)

    assert first[here].tolist() == other[here].tolist()
    assert (first[~here] != other[~here]).any()


def test_a_child_of_no_known_region_is_left_out_and_counted():
    test = TEST.assign(region_id=TEST.region_id.mask(TEST.index < 7))

    risk = new_regions(TRAIN, test, settings=SETTINGS, seed=1, calibration=AS_IS)
    found = figures(test, risk, draws=10, seed=1)

    assert 7 == np.isnan(risk).sum() == found["left_out"]
    assert 293 == found["n"]


def test_weights_count_only_where_every_row_has_one():
    risk = np.linspace(0, 1, len(TEST))
    weighted = TEST.assign(sample_weight=np.where(TEST.stunted == 1, 2.0, 1.0))

    assert "weighted" not in figures(TEST, risk, draws=5, seed=1)
    assert "weighted" not in figures(
        weighted.assign(sample_weight=weighted.sample_weight.mask(TEST.index == 3)), risk, draws=5, seed=1
    )
    assert "weighted" in figures(weighted, risk, draws=5, seed=1)
    assert pytest.approx(1.0) == known_weights(weighted).mean()


def test_a_region_of_few_children_has_no_figure_of_its_own():
    test = drawn("""
        region_id | stunted | risk
        ----------+---------+-----
        north     | 1       | 0.9
        north     | 1       | 0.8
        north     | 0       | 0.1
        north     | 0       | 0.2
        south     | 1       | 0.1
        south     | 0       | 0.9
    """)

    found = within_regions(test, test.risk.to_numpy(float), at_least=2)

    assert {"mean": 1.0, "by_region": {"north": 1.0}} == found
