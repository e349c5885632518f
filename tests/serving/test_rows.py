"""A row of a request is judged as a row of a register is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from features.contracts import REGISTERS
from features.schema import Column, Kind
from features.validation import validate
from serving.rows import ROWS, SCORED_FROM

TODAY = dt.datetime.now(tz=dt.timezone(dt.timedelta(hours=14))).date()
WORDS = st.sampled_from(
    ["h-1", "3.21101E+15", "'42", "=1+1", "-", "nan", "99.01.01.2001", "a b", "a  b", "ibu", "é", "12.0"]
)
DAYS = st.dates(dt.date(1890, 1, 1), TODAY + dt.timedelta(days=30)).map(str) | st.sampled_from(
    ["2024-02-30", "kemarin"]
)


def cells(column: Column) -> st.SearchStrategy[Any]:
    """Values that a column takes, and some that it does not."""
    if column.kind is Kind.CODE:
        return st.sampled_from([*column.codes, next(iter(column.codes)).upper(), "unheard of"])
    if column.kind is Kind.YES_NO:
        return st.sampled_from([True, False, 1, 0, 2])
    if column.kind is Kind.DATE:
        return DAYS
    if column.kind is Kind.TEXT:
        return WORDS
    low, high = column.valid or (0, 1)
    edges = st.sampled_from([low, high, low - 1, high + 1, (low + high) / 2, low + 0.5])
    return edges if column.kind is Kind.NUMBER else edges | st.integers(int(low) - 1, int(high) + 1)


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    register = draw(st.sampled_from(SCORED_FROM))
    columns = REGISTERS[register].columns
    given_columns = [c for c in columns if c.required or draw(st.booleans())]
    return register, {c.name: draw(cells(c)) for c in given_columns}


@given(rows())
def test_the_api_takes_a_row_exactly_when_the_registers_do(drawn_row):
    register, row = drawn_row
    # As a file would hold it: identifiers and dates as text, numbers as numbers.
    frame = pd.DataFrame({name: pd.Series([value]) for name, value in row.items()})
    accepted = validate(frame, REGISTERS[register], max_quarantine_share=1.0, today=TODAY).accepted
    try:
        taken = ROWS[register].model_validate(row)
    except ValidationError:
        taken = None
    if taken is not None and "birth_date" in row and row["birth_date"] > row["recorded_on"]:
        taken = None  # the request refuses it when it looks at the household as a whole

    assert (len(accepted) == 1) == (taken is not None)


@given(rows())
def test_a_row_that_both_take_has_the_same_values(drawn_row):
    register, row = drawn_row
    frame = pd.DataFrame({name: pd.Series([value]) for name, value in row.items()})
    accepted = validate(frame, REGISTERS[register], max_quarantine_share=1.0, today=TODAY).accepted
    if len(accepted) == 0:
        return
    taken = ROWS[register].model_validate(row).__dict__
    batch = {name: None if pd.isna(value) else value for name, value in accepted.iloc[0].items()}

    assert batch == {name: pd.Timestamp(v) if isinstance(v, dt.datetime) else v for name, v in taken.items()}


@pytest.mark.parametrize("register", SCORED_FROM)
def test_every_column_of_a_contract_is_a_field_that_says_what_it_allows(register):
    fields = ROWS[register].model_fields
    assert REGISTERS[register].names == list(fields)
    assert all(REGISTERS[register].column(name).allowed() in (f.description or "") for name, f in fields.items())
