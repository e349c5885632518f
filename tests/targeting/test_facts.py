"""How fresh the facts behind a score are."""

import pandas as pd
import pytest

from targeting.facts import fact_dates
from tests.drawn import drawn

BY_HOME = drawn("""
    household_id | recorded_on
    -------------+------------
    h1           | 2024-03-01
    h2           | 2024-02-01
""")
REGISTERS = {
    "household": BY_HOME,
    "sanitation": BY_HOME,
    "maternal": drawn("""
        mother_id | recorded_on
        ----------+------------
        ibu       | 2024-02-01
        ibu       | 2024-04-01
        ina       | 2024-02-01
    """),
    "child": drawn("""
        child_id | recorded_on
        ---------+------------
        ana      | 2020-01-01
        ana      | 2024-08-01
        budi     | 2024-05-01
    """),
    "pregnancy": drawn("""
        pregnancy_id | child_id | recorded_on
        -------------+----------+------------
        p1           | ana      | 2021-01-01
        p2           | budi     | 2024-05-01
        p3           |          | 2024-05-02
    """),
}
SCORES = drawn("""
    unit_id       | unit_kind | as_of      | child_id | mother_id | household_id
    --------------+-----------+------------+----------+-----------+-------------
    ana           | child     | 2024-06-01 | ana      | ibu       | h1
    budi          | child     | 2024-06-01 | budi     | ibu       | h1
    pregnancy-ina | pregnancy | 2024-06-01 |          | ina       | h2
""")


def home(household_id="h1", *, scores=SCORES, **registers):
    return fact_dates(scores, REGISTERS | registers).set_index("household_id").loc[household_id]


def date(text):
    return pd.Timestamp(text)


def test_a_fresh_sibling_does_not_hide_an_old_record():
    assert (date("2024-05-01"), date("2020-01-01")) == (home().freshest_on, home().stalest_on)


def test_only_the_newest_record_of_a_unit_counts():
    later = SCORES.assign(as_of=date("2024-09-01"))

    assert date("2024-08-01") == home(scores=later).freshest_on
    assert date("2021-01-01") == home(scores=later).stalest_on


def test_a_record_after_the_date_of_the_score_is_not_counted():
    late = drawn("""
        child_id | recorded_on
        ---------+------------
        ana      | 2024-06-01
        budi     | 2024-06-02
    """)

    assert date("2024-06-01") == home(child=late).freshest_on
    assert "child" == home(child=late).missing_registers


def test_a_pregnancy_missing_for_one_child_is_named_though_its_sibling_has_one():
    assert "" == home().missing_registers
    assert "pregnancy" == home(pregnancy=REGISTERS["pregnancy"].iloc[1:]).missing_registers


def test_missing_registers_are_named_in_order():
    bare = {name: rows.head(0) for name, rows in REGISTERS.items()}

    assert "household, sanitation, maternal, child, pregnancy" == home(**bare).missing_registers
    assert pd.isna(home(**bare).freshest_on)


def test_a_pregnancy_lacks_no_register_of_children():
    ina = home("h2")

    assert "" == ina.missing_registers
    assert date("2024-02-01") == ina.freshest_on == ina.stalest_on


def test_a_child_of_no_known_mother_lacks_the_mothers_register():
    alone = SCORES.assign(mother_id=SCORES.mother_id.where(SCORES.unit_id != "budi"))
    nameless = pd.concat([REGISTERS["maternal"], pd.DataFrame({"recorded_on": [date("2024-05-09")]})])

    assert "maternal" == home(scores=alone, maternal=nameless).missing_registers


@pytest.mark.parametrize("rows", [[2, 0, 1], [1, 2, 0]])
def test_the_order_of_the_units_says_nothing(rows):
    made = fact_dates(SCORES, REGISTERS)

    pd.testing.assert_frame_equal(made, fact_dates(SCORES.iloc[rows], REGISTERS))
