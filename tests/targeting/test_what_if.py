"""Changing the facts of a request: which rows, which values, and what is refused."""

from __future__ import annotations

from copy import deepcopy

import pytest

from features.contracts import REGISTERS
from features.errors import InputRefused
from features.request import HANDED_OVER
from targeting.what_if import change_of, changed

FACTS = {
    "households": [
        {
            "household_id": "h1",
            "registers": {
                "household": [{"recorded_on": "2024-01-01", "area_id": "a1", "desil": 3}],
                "sanitation": [
                    {"recorded_on": "2022-01-01", "toilet": "hanging"},
                    {"recorded_on": "2023-01-01", "toilet": "pit_slab"},
                    {"recorded_on": "2024-06-01", "toilet": "hanging"},
                ],
                "maternal": [
                    {"mother_id": "m1", "recorded_on": "2024-01-01", "height_cm": 148.5, "pregnant": False},
                    {"mother_id": "m2", "recorded_on": "2024-01-01", "height_cm": 155.0},
                ],
                "child": [
                    {"child_id": "c1", "recorded_on": "2023-01-01", "birth_date": "2022-05-01", "birth_order": 1},
                    {"child_id": "c1", "recorded_on": "2024-01-01", "birth_date": "2022-05-01", "birth_order": 1},
                    {"child_id": "c2", "recorded_on": "2024-01-01", "birth_date": "2023-05-01", "birth_order": 2},
                ],
            },
        }
    ]
}


def rows(facts, register, column):
    return [row.get(column) for row in facts["households"][0]["registers"][register]]


def test_the_newest_row_of_every_person_is_changed_and_older_ones_stay():
    made = changed(FACTS, ["child.birth_order=3", "maternal.height_cm=150"])

    assert [1, 3, 3] == rows(made, "child", "birth_order")
    assert [150.0, 150.0] == rows(made, "maternal", "height_cm")


def test_one_person_can_be_named():
    made = changed(FACTS, ["child[c2].birth_order=4", "maternal[m1].height_cm=150"])

    assert [1, 1, 4] == rows(made, "child", "birth_order")
    assert [150.0, 155.0] == rows(made, "maternal", "height_cm")


def test_a_row_that_was_the_newest_on_a_child_s_day_is_changed_beside_the_newest_of_all():
    # Both children are judged as of 2024-01-01, when the row of June was not there yet.
    made = changed(FACTS, ["sanitation.toilet=flush_septic"])

    assert ["hanging", "flush_septic", "flush_septic"] == rows(made, "sanitation", "toilet")


def test_the_request_s_own_date_says_which_row_is_the_newest():
    dated = deepcopy(FACTS)
    dated["households"][0]["as_of"] = "2022-12-31"

    made = changed(dated, ["sanitation.toilet=flush_septic"])

    assert ["flush_septic", "pit_slab", "flush_septic"] == rows(made, "sanitation", "toilet")


def test_what_was_handed_over_stays_as_it_is():
    before = deepcopy(FACTS)
    changed(FACTS, ["child.birth_order=3", "household.desil="])

    assert before == FACTS


@pytest.mark.parametrize("nothing", ["", "null", "  ", "NULL"])
def test_nothing_after_the_sign_makes_a_fact_unknown(nothing):
    assert [None] == rows(changed(FACTS, [f"household.desil={nothing}"]), "household", "desil")


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("maternal.height_cm=150,5", 150.5),
        ("maternal.pregnant=ya", True),
        ("maternal.pregnant=0", False),
        ("sanitation.toilet=Flush_Septic", "flush_septic"),
        ("household.desil=2", 2),
        ("child.birth_date=2023-02-28", "2023-02-28"),
        ("  sanitation.toilet = hanging ", "hanging"),
        ("maternal.language=jawa", "jawa"),
    ],
)
def test_a_value_is_read_as_a_register_s_cell_is(said, value):
    read = change_of(said).value
    assert (value, type(value)) == (read, type(read))


def test_of_two_changes_of_one_fact_the_later_holds():
    assert [9] == rows(changed(FACTS, ["household.desil=2", "household.desil=9"]), "household", "desil")


@pytest.mark.parametrize(
    ("said", "found", "allowed"),
    [
        ("toilet=hanging", "cannot be read", "register.column=value"),
        ("sanitation.toilet", "cannot be read", "register.column=value"),
        ("child[].birth_order=1", "cannot be read", "register.column=value"),
        ("animals.cows=2", "a register that the risk is not made from", "household, sanitation, maternal"),
        ("measurement.height_cm=70", "the risk is not made from: measurement", "household, sanitation, maternal"),
        ("sanitation.roof=tin", "no fact of sanitation", "water_source"),
        ("child.child_id=c9", "no fact of child: child_id", "birth_order"),
        ("child.recorded_on=2024-01-01", "no fact of child: recorded_on", "birth_order"),
        ("sanitation[m1].toilet=hanging", "tells of no single person", "maternal, pregnancy, child"),
        ("sanitation.toilet=golden", "sanitation.toilet that cannot stand: unknown code", "one of flush_sewer"),
        ("maternal.height_cm=90", "cannot stand: outside the allowed range", "a number from 120 to 200 cm"),
        ("maternal.height_cm=tall", "cannot stand: not a number", "a number from 120 to 200 cm"),
        ("maternal.height_cm=nan", "cannot stand: not a number", "a number from 120 to 200 cm"),
        ("child.birth_order=1.5", "cannot stand: has a fraction", "a whole number from 1 to 20"),
        ("maternal.pregnant=perhaps", "cannot stand: neither yes nor no", "1 (yes) or 0 (no)"),
        ("child.birth_date=yesterday", "cannot stand: not a date", "a date, YYYY-MM-DD"),
        ("child.birth_date=", "made unknown, and it is required", "a date, YYYY-MM-DD"),
        ("pregnancy.anc_visits=4", "nothing is known of the household", "household, sanitation, maternal, child"),
        ("child[c9].birth_order=1", "a child_id in square brackets that no row of child has", "`tepat facts`"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_with_what_is_allowed(said, found, allowed):
    with pytest.raises(InputRefused) as refusal:
        changed(FACTS, [said])

    assert found in refusal.value.found
    assert allowed in refusal.value.allowed
    assert refusal.value.remedy.endswith(".")


@pytest.mark.parametrize(
    "said",
    ["child[3201014501900001].birth_order=1", "maternal.height_cm=3201014501900001", "siti.aminah=1", "child.siti=1"],
)
def test_no_identifier_or_value_that_was_typed_is_repeated(said):
    with pytest.raises(InputRefused) as refusal:
        changed(FACTS, [said])

    assert "3201014501900001" not in str(refusal.value)
    assert "siti" not in str(refusal.value)


def test_no_change_at_all_is_refused():
    with pytest.raises(InputRefused, match="no change"):
        changed(FACTS, [])


@pytest.mark.parametrize("register", HANDED_OVER)
def test_every_fact_of_every_register_can_be_made_unknown_unless_it_is_required(register):
    facts = [c for c in REGISTERS[register].columns if not c.name.endswith("_id") and not c.required]
    for column in (c for c in facts if c.name != "sample_weight"):
        assert change_of(f"{register}.{column.name}=").value is None
