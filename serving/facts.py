"""A scoring request -> the facts of its households; what breaks a contract is said in the contract's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.cells import OUTSIDE, UNKNOWN_CODE
from features.contracts import REGISTERS
from features.request import Household
from features.validation import CONFLICT, COPY, UNBORN
from serving.errors import FactsRefused
from serving.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from serving.schemas import HouseholdIn

MOST_SHOWN = 100
"""Faults that an answer lists; more help nobody."""
LARGEST_SHOWN = 100_000
"""A number beyond it may be an identifier in the wrong column, and is not repeated."""
WORDS = {
    "greater_than_equal": OUTSIDE,
    "less_than_equal": OUTSIDE,
    "finite_number": OUTSIDE,
    "literal_error": UNKNOWN_CODE,
    "missing": "missing, but required",
    "extra_forbidden": "not a column of this register",
    "int_parsing_size": OUTSIDE,
}


def households(asked: Sequence[HouseholdIn]) -> list[Household]:
    """The facts of each household.

    Raises
    ------
    FactsRefused
        Rows contradict each other, or name another household.
    """
    made = [_household(one) for one in asked]
    errors = [fault for n, home in enumerate(made) for fault in _contradictions(n, home)]
    if errors:
        raise FactsRefused(counted(errors), errors=errors[:MOST_SHOWN])
    return made


def counted(errors: Sequence[Mapping[str, Any]]) -> str:
    """How many cells are at fault, and the first of them."""
    first = errors[0]
    where = ", ".join(f"{name} {first[name]}" for name in ("household", "register", "row", "column") if name in first)
    return f"{len(errors):,} {'fault' if len(errors) == 1 else 'faults'}; the first in {where}: {first['reason']}."


def contract_errors(faults: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Pydantic's faults in the contracts' words; None when one of them is not about a register's cell."""
    made = [_in_words(fault) for fault in faults]
    return None if None in made else [error for error in made if error]


def _in_words(fault: Mapping[str, Any]) -> dict[str, Any] | None:
    match fault["loc"]:
        case ("body", "households", int(home), "registers", str(register), int(row), str(name)):
            return _error(home, register, row, name, why=fault, found=fault.get("input"))
    return None


def _error(home: int, register: str, row: int, name: str, *, why: Mapping[str, Any], found: Any) -> dict[str, Any]:
    column = {c.name: c for c in REGISTERS[register].columns}.get(name)
    said = {"household": home, "register": register, "row": row, "column": name}
    if column is None:
        # Its name is not repeated: it may be a value that slipped into the header.
        said, allowed = said | {"column": "an unknown one"}, ", ".join(REGISTERS[register].names)
    else:
        allowed = column.allowed()
        if isinstance(found, int | float) and abs(found) < LARGEST_SHOWN:
            said["found"] = found
    return said | {"allowed": allowed, "reason": WORDS.get(why["type"], why["msg"])}


def _household(one: HouseholdIn) -> Household:
    registers = {name: [_row(row, one.household_id) for row in getattr(one.registers, name)] for name in ROWS}
    return Household(one.household_id, registers, one.as_of)


def _row(row: Any, household_id: str) -> dict[str, Any]:
    cells = dict(row.__dict__)
    if "household_id" in cells and cells["household_id"] is None:
        cells["household_id"] = household_id
    return cells


def _contradictions(n: int, home: Household) -> Iterator[dict[str, Any]]:
    for register, rows in home.registers.items():
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        for at, row in enumerate(rows):
            place = {"household": n, "register": register, "row": at}
            if row.get("household_id", home.household_id) != home.household_id:
                yield place | _why("household_id", "the household's own household_id, or none", "another household")
            if "birth_date" in row and row["birth_date"] > row["recorded_on"]:
                yield place | _why("birth_date", "a date on or before recorded_on", UNBORN)
            key = tuple(row[name] for name in REGISTERS[register].key)
            if key in seen:
                why = COPY if seen[key] == row else CONFLICT
                yield place | _why("+".join(REGISTERS[register].key), "each key once", why)
            seen[key] = row


def _why(column: str, allowed: str, reason: str) -> dict[str, str]:
    return {"column": column, "allowed": allowed, "reason": reason}
