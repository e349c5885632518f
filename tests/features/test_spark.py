"""DuckDB and Spark make the same features of any registers, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import Built, add_history, build
from features.contracts import REGISTERS
from features.fitted import area_history
from features.schema import Column, Kind
from features.validation import empty, validate
from tests.conftest import DUCKDB, ON_SPARK, SPARK

HOW_MANY = {"area_id": 8, "household_id": 60, "mother_id": 80, "child_id": 120, "pregnancy_id": 120, "region_id": 3}
ROWS = {"area": 8, "household": 150, "sanitation": 150, "maternal": 200, "pregnancy": 200, "child": 300}
UNKNOWN = 0.2


def drawn_cells(column: Column, n: int, lots: np.random.Generator) -> Any:
    if column.name in HOW_MANY:
        return [f"{column.name[:2]}{k}" for k in lots.integers(0, HOW_MANY[column.name], n)]
    if column.valid is not None:
        return drawn_numbers(*column.valid, n=n, whole=column.kind is Kind.WHOLE, lots=lots)
    if column.kind is Kind.DATE:
        days = lots.integers(0, 900, n) - (1500 if column.name == "birth_date" else 0)
        return (pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    return lots.choice(list(column.codes) or (["yes", "no"] if column.kind is Kind.YES_NO else ["word"]), n)


def drawn_numbers(low: float, high: float, *, n: int, whole: bool, lots: np.random.Generator) -> Any:
    """Numbers of the range, of which many end in a 5 where the rounding of a feature cuts."""
    if whole:
        return lots.integers(int(low), int(high) + 1, n)
    return np.round(lots.uniform(low, min(high, low + 500), n), 3) + lots.choice([0.0, 0.00005, 0.0005], n)


def drawn_registers(seed: int) -> dict[str, pd.DataFrame]:
    """Accepted rows of every register, of few people, so that many share a household, a mother and a day."""
    lots = np.random.default_rng(seed)
    made = {}
    for name, register in REGISTERS.items():
        n = ROWS.get(name, 0)
        rows = pd.DataFrame({c.name: drawn_cells(c, n, lots) for c in register.columns})
        for column in register.columns:
            if column.name not in register.key and not column.required:
                rows[column.name] = rows[column.name].astype(object).mask(lots.random(n) < UNKNOWN)
        rows = rows.drop_duplicates(list(register.key))
        made[name] = validate(rows, register, max_quarantine_share=1).accepted if n else empty(register)
    return made


def outcomes(built: Built) -> pd.DataFrame:
    children = built.units[built.units.unit_kind == "child"]
    stunted = np.arange(len(children)) % 3 == 0
    return children.assign(outcome_known_on=children.as_of, stunted=stunted.astype(int))


@pytest.mark.usefixtures("spark_settings")
@pytest.mark.xdist_group("spark")
@pytest.mark.skipif(ON_SPARK[1].args[0], reason=ON_SPARK[1].kwargs["reason"])
@settings(max_examples=2)
@given(st.integers(0, 2**32 - 1))
def test_any_registers_give_the_same_features_on_both_engines(seed):
    registers = drawn_registers(seed)
    one, other = build(registers, DUCKDB), build(registers, SPARK)
    history = area_history(outcomes(one), prior_children=20)

    assert len(one.units) > 100
    pd.testing.assert_frame_equal(one.units, other.units, check_exact=True)
    pd.testing.assert_frame_equal(one.household_items, other.household_items, check_exact=True)
    pd.testing.assert_frame_equal(
        add_history(one.units, history, on=DUCKDB), add_history(other.units, history, on=SPARK), check_exact=True
    )
