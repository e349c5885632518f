"""The facts of a household with some of them changed, to ask what the model would say then; pure.

What comes of it is association under the model: nothing here says what changing the fact in the field would do.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.cells import parse
from features.contracts import REGISTERS
from features.errors import InputRefused
from features.request import HANDED_OVER
from features.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from features.schema import Column

Facts = dict[str, Any]
Row = dict[str, Any]

PERSON_OF: Final = {
    "household": "household_id", "sanitation": "household_id", "maternal": "mother_id", "pregnancy": "child_id",
    "child": "child_id",
}  # fmt: skip
"""By whom the rows of a register are told apart: the model sees the newest row of each."""
UNKNOWN: Final = ("", "null")
EXAMPLE: Final = "sanitation.toilet=flush_septic, maternal.height_cm=150 or child[CHILD-ID].birth_order=2"
_CHANGE: Final = re.compile(
    r"\s*(?P<register>[a-z_]+)(?:\[(?P<person>[^\]]+)\])?\.(?P<column>[a-z0-9_]+)\s*=(?P<value>.*)"
)
_AS_JSON: Final = {Kind.WHOLE: int, Kind.NUMBER: float, Kind.YES_NO: bool}


@dataclass(frozen=True)
class Change:
    """A fact, and what it is to be.

    Parameters
    ----------
    person
        Whose row; None for every row of the register that counts.
    value
        As the request has it: text, number, true or false, a day as YYYY-MM-DD; None: not known.
    """

    register: str
    person: str | None
    column: str
    value: Any


def changed(facts: Facts, changes: Sequence[str]) -> Facts:
    """The same request with the changes made; `facts` stays as it is.

    A fact is changed in the rows that count: the newest of each person, and the newest that was known on the day as of
    which a child or a pregnancy of the household is judged. Changes are made in their order.

    Parameters
    ----------
    facts
        A request for one household, as `POST /v1/score` takes it.
    changes
        One or more `register.column=value`, or `register[PERSON].column=value` with the identifier of a child (`child`,
        `pregnancy`) or of a woman (`maternal`). Nothing or `null` after `=`: not known.

    Raises
    ------
    InputRefused
        A change is of no register, column, person or value that there is, or tells who or when in place of a fact.
    """
    if not changes:
        raise InputRefused("no change", f"one or more, as {EXAMPLE}", "Say what is to be changed.")
    made = deepcopy(facts)
    registers = made["households"][0]["registers"]
    days = _days(registers, made["households"][0].get("as_of"))
    for change in [change_of(said) for said in changes]:
        for row in _counting(registers, change, days):
            row[change.column] = change.value
    return made


def change_of(said: str) -> Change:
    """One change as it was written.

    Raises
    ------
    InputRefused
        As for `changed`; no value is repeated, for it may be a number of a person.
    """
    found = _CHANGE.fullmatch(said)
    if found is None:
        raise InputRefused("a change that cannot be read", f"register.column=value: {EXAMPLE}", "Write it so.")
    name = found["register"]
    if name not in PERSON_OF:
        raise InputRefused(
            f"a change of a register that the risk is not made from{_if_known(name, REGISTERS)}",
            ", ".join(HANDED_OVER),
            "Change a fact of one of these.",
        )
    if found["person"] is not None and PERSON_OF[name] == "household_id":
        persons = ", ".join(register for register, key in PERSON_OF.items() if key != "household_id")
        raise InputRefused(
            f"square brackets after {name}, which tells of no single person",
            f"brackets after {persons}",
            "Take them out.",
        )
    facts = {column.name: column for column in REGISTERS[name].columns if _is_fact(column)}
    if found["column"] not in facts:
        raise InputRefused(
            f"a change of a column that is no fact of {name}{_if_known(found['column'], REGISTERS[name].names)}",
            ", ".join(facts),
            "Change one of these; who is meant and when it was recorded stay as they are.",
        )
    column = facts[found["column"]]
    return Change(name, found["person"], column.name, _value(found["value"], column, register=name))


def _is_fact(column: Column) -> bool:
    """Not who, and not when it became known."""
    return not column.name.endswith("_id") and column.name not in ("recorded_on", "sample_weight")


def _if_known(name: str, names: Iterable[str]) -> str:
    # What is no name of ours is not repeated: it may be anything.
    return f": {name}" if name in names else ""


def _value(said: str, column: Column, *, register: str) -> Any:
    said = said.strip()
    if said.lower() in UNKNOWN:
        if column.required:
            raise InputRefused(
                f"{register}.{column.name} made unknown, and it is required", column.allowed(), "Give a value."
            )
        return None
    typed, why = parse(pd.Series([said], dtype="string"), column)
    if pd.notna(why.iloc[0]):
        raise InputRefused(
            f"a value for {register}.{column.name} that cannot stand: {why.iloc[0]}",
            column.allowed() + ("" if column.required else ", or nothing for not known"),
            "Correct the value after `=`.",
        )
    if column.kind is Kind.DATE:
        return f"{typed.iloc[0]:%Y-%m-%d}"
    return _AS_JSON.get(column.kind, str)(typed.iloc[0])


def _days(registers: dict[str, list[Row]], as_of: str | None) -> list[str]:
    """Days as of which someone of the household is judged, by the newest record of each child and woman."""
    if as_of is not None:
        return [as_of]
    newest: dict[tuple[str, str], str] = {}
    for name in ("child", "maternal"):
        for row in registers.get(name, ()):
            person = (name, row[PERSON_OF[name]])
            newest[person] = max(row["recorded_on"], newest.get(person, ""))
    return sorted({*newest.values()})


def _counting(registers: dict[str, list[Row]], change: Change, days: list[str]) -> list[Row]:
    """The rows that the change is made in."""
    key = PERSON_OF[change.register]
    rows = registers.get(change.register) or []
    if not rows:
        there = ", ".join(name for name in HANDED_OVER if registers.get(name)) or "none"
        raise InputRefused(
            f"a change in {change.register}, where nothing is known of the household",
            f"a register with a row of it: {there}",
            "Change a fact of one of these.",
        )
    if change.person is not None:
        rows = [row for row in rows if row.get(key) == change.person]
        if not rows:
            raise InputRefused(
                f"a {key} in square brackets that no row of {change.register} has",
                f"a {key} of the household, as `tepat facts` shows them",
                "Correct it, or leave it out to change the fact for all.",
            )
    return [row for whose in _whose(rows, key) for row in _newest(whose, days)]


def _whose(rows: list[Row], key: str) -> list[list[Row]]:
    """Rows by person; those of the household itself carry no identifier, or its own."""
    found: dict[str | None, list[Row]] = {}
    for row in rows:
        found.setdefault(None if key == "household_id" else row.get(key), []).append(row)
    return list(found.values())


def _newest(rows: list[Row], days: list[str]) -> list[Row]:
    """The newest row as known on each of the days, and the newest of all; a day that several share is changed whole."""
    known = [max((row["recorded_on"] for row in rows if row["recorded_on"] <= day), default=None) for day in days]
    newest = {*known, max(row["recorded_on"] for row in rows)}
    return [row for row in rows if row["recorded_on"] in newest]
