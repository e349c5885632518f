"""KRS by its own thresholds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.baselines import krs_rank_count, poverty_only, random
from training.krs import KrsRule, flags

PLAIN = {
    "water_krs_safe": 1.0, "toilet_krs_safe": 1.0, "mother_age": 27.0, "mother_pregnant": 0.0, "mother_listed": 1.0, "short_interval": 0.0,  # noqa: E501 (one plain family)
    "living_children": 1.0, "birth_order": 1.0, "modern_contraception": 0.0, "desil": 5.0, "wealth_quintile": np.nan,
}  # fmt: skip


def family(**facts: float) -> pd.DataFrame:
    return pd.DataFrame([PLAIN | facts]).assign(unit_id="a")


@pytest.mark.parametrize(
    ("facts", "krs"),
    [
        ({}, False),
        ({"mother_age": 19}, True),
        ({"mother_age": 20}, False),
        ({"mother_age": 34}, False),
        ({"mother_age": 35}, True),
        ({"mother_age": 40}, True),
        ({"mother_age": 41}, False),
        ({"mother_age": 41, "mother_pregnant": 1}, True),
        ({"short_interval": 1}, True),
        ({"living_children": 3}, True),
        ({"living_children": 3, "modern_contraception": 1}, False),
        ({"living_children": np.nan, "birth_order": 3}, True),
        ({"water_krs_safe": 0, "modern_contraception": 1}, True),
        ({"toilet_krs_safe": 0, "modern_contraception": 1}, True),
        ({"water_krs_safe": np.nan, "toilet_krs_safe": np.nan}, False),
    ],
)
def test_krs_thresholds(facts: dict[str, float], krs: bool) -> None:
    assert krs == flags(family(**facts), rule=KrsRule()).krs.item()


def test_each_switch_changes_what_it_names() -> None:
    many = family(living_children=4, modern_contraception=1)
    assert flags(many, rule=KrsRule(four_t_requires_no_modern_kb=False)).krs.item()
    expecting = family(mother_age=36, mother_pregnant=1, modern_contraception=1)
    assert flags(expecting, rule=KrsRule()).krs.item()
    assert not flags(expecting, rule=KrsRule(pregnant_four_t_counts=False)).krs.item()
    assert flags(family(water_krs_safe=np.nan), rule=KrsRule(null_facility="tidak_layak")).krs.item()
    unknown = family(living_children=4, modern_contraception=np.nan)
    assert not flags(unknown, rule=KrsRule(reading="kb_unknown_does_not_count")).krs.item()


def test_krs_comes_before_rank_and_rank_before_count() -> None:
    rows = pd.concat(
        [
            family(desil=1),
            family(water_krs_safe=0, desil=9),
            family(water_krs_safe=0, desil=2, living_children=3, short_interval=1),
            family(water_krs_safe=0, desil=1),
        ],
        ignore_index=True,
    )
    order = krs_rank_count(rows, rule=KrsRule()).sort_values(ascending=False).index
    assert [3, 2, 1, 0] == list(order)


def test_unknown_welfare_comes_last() -> None:
    rows = pd.concat([family(desil=10), family(desil=np.nan)], ignore_index=True)
    assert poverty_only(rows)[0] > poverty_only(rows)[1]


def test_the_lot_does_not_depend_on_row_order() -> None:
    rows = pd.DataFrame({"unit_id": ["a", "b", "c"]})
    assert (random(rows, seed=1) == random(rows[::-1], seed=1).sort_index()).all()
