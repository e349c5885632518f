"""Whom a service is for, and the facts of each that its predicates may read; declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from features.contracts import REGISTERS
from features.schema import Column, Kind

READABLE = (Kind.WHOLE, Kind.NUMBER, Kind.YES_NO, Kind.CODE)
"""Identifiers, dates and free text are no facts to decide by."""
NEVER = 36525
"""Days since a child was measured that never was; a hundred years, so that every limit is passed. [days]"""
NO_CHILD = 1200
"""Age of the youngest child of a woman with none under five listed, as `NEVER`. [months]"""


class Person(StrEnum):
    """Whose facts the predicates of a service read."""

    CHILD = "child"
    PREGNANCY = "pregnancy"
    MOTHER = "mother"
    HOUSEHOLD = "household"
    ADOLESCENT = "adolescent"


@dataclass(frozen=True)
class Fact:
    """A column that a predicate may read, and the register that is to blame where it is null."""

    column: Column
    register: str


def _facts(register: str, prefix: str = "", *, without: tuple[str, ...] = ()) -> dict[str, Fact]:
    return {
        prefix + column.name: Fact(replace(column, name=prefix + column.name, required=False), register)
        for column in REGISTERS[register].columns
        if column.kind in READABLE and prefix + column.name not in without
    }


def _number(register: str, name: str, meaning: str, unit: str, *, high: float, null_means: str) -> dict[str, Fact]:
    return {name: Fact(Column(name, Kind.NUMBER, meaning, null_means, unit=unit, valid=(0, high)), register)}


def _together(*parts: Mapping[str, Fact]) -> dict[str, Fact]:
    """All facts of a kind of person; a name stands for one of them only."""
    found: dict[str, Fact] = {}
    for part in parts:
        if twice := found.keys() & part.keys():
            raise ValueError(f"{', '.join(sorted(twice))}: one name for two facts; give one of them a prefix.")
        found |= part
    return found


MISSING_CHILD = "no register `child`"
HOUSEHOLD = _together(
    _facts("household"),
    _facts("sanitation"),
    _number(
        "household", "welfare_decile", "`desil`, else twice `wealth_quintile`: the upper of its two tenths.", "-",
        high=10, null_means="neither is known",
    ),
    _number(
        "child", "children_listed", "Living children under five listed.", "children",
        high=20, null_means=MISSING_CHILD,
    ),
    _number("child", "babies_listed", "Those of them under two.", "children", high=20, null_means=MISSING_CHILD),
    _number(
        "maternal", "pregnancies_listed", "Pregnancies that have not ended.", "pregnancies",
        high=15, null_means="no register `maternal`",
    ),
)  # fmt: skip
WOMAN = _together(
    _facts("maternal"),
    _facts("pregnancy"),
    HOUSEHOLD,
    _number(
        "child", "youngest_age_months", f"Age of her youngest listed child under five; {NO_CHILD} without one.",
        "months", high=NO_CHILD, null_means=MISSING_CHILD,
    ),
)  # fmt: skip
CHILD = _together(
    _facts("child"),
    _facts("measurement"),
    _facts("pregnancy"),
    # The child's own register says its mother's schooling, in fewer words; that one keeps the name.
    _facts("maternal", "mother_", without=("mother_education",)),
    HOUSEHOLD,
    _number("child", "age_months", "Age on the day of the needs.", "months", high=61, null_means="no register `child`"),
    _number(
        "measurement", "days_since_measured", f"Days since the newest measurement; {NEVER} without one.", "days",
        high=NEVER, null_means="no register `measurement`",
    ),
    _number(
        "measurement", "falterings_in_row", "Newest weighings, one after another, without enough gain; 2 is 2T.",
        "visits", high=60, null_means="not weighed in two months that follow each other",
    ),
)  # fmt: skip
ADOLESCENT = _together(
    HOUSEHOLD,
    _number(
        "household", "women_unlisted", "`women_15_49_count` less the women of the household in `maternal`.", "women",
        high=15, null_means="the count is not known",
    ),
    _number("maternal", "age_years", "Age, which no register says of her.", "years", high=65, null_means="always"),
)  # fmt: skip
FACTS: Mapping[Person, Mapping[str, Fact]] = {
    Person.CHILD: CHILD,
    Person.PREGNANCY: WOMAN,
    Person.MOTHER: WOMAN,
    Person.HOUSEHOLD: HOUSEHOLD,
    Person.ADOLESCENT: ADOLESCENT,
}
RECEIPT = Fact(
    Column("receipt", Kind.YES_NO, "It was given, within the service's window.", "no register `service`"), "service"
)
"""Known of every person and service; only `received` may read it."""
LONGEST_PREGNANCY_DAYS = 310
"""Days after which a woman recorded as pregnant is pregnant no longer, whatever else is known. [days]"""


def columns(person: Person, *, receipt: bool) -> dict[str, Column]:
    """What a predicate about such a person may read, by name."""
    found = {name: fact.column for name, fact in FACTS[person].items()}
    return found | ({"receipt": RECEIPT.column} if receipt else {})
