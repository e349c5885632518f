from pathlib import Path

import pandas as pd
import pytest

from features.contracts import REGISTERS
from features.registers_page import example, page
from features.validation import validate

COMMITTED = Path(__file__).parents[2] / "docs" / "registers.md"


def test_the_committed_page_is_the_generated_one():
    assert page() == COMMITTED.read_text(encoding="utf-8")


@pytest.mark.parametrize("register", REGISTERS.values(), ids=list(REGISTERS))
def test_the_worked_example_of_every_register_is_accepted(register):
    outcome = validate(pd.DataFrame([example(register)]), register, max_quarantine_share=1)

    assert outcome.quarantined.empty
    assert len(outcome.accepted) == 1


def test_every_column_and_every_code_is_on_the_page():
    text = page()

    for register in REGISTERS.values():
        for column in register.columns:
            assert f"| `{column.name}` |" in text
            assert all(f"`{code}` " in text for code in column.codes)
