"""The contracts as JSON: one Pydantic model a register, with the same columns, codes, ranges and words."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from features.cells import EARLIEST, IDENTIFIER_PATTERN, identifier_fault
from features.contracts import APART, REGISTERS
from features.ingest import EASTERNMOST
from features.request import HANDED_OVER
from features.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

SCORED_FROM = (*HANDED_OVER, "measurement")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _fault(why: str) -> PydanticCustomError:
    return PydanticCustomError("contract", why)  # type: ignore[arg-type]  # the reason is not known as a literal


def day(value: Any) -> dt.datetime:
    """A day as its midnight; a fault when it is no date, before 1900 or still to come."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise _fault("not a date")
    try:
        found = dt.datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007 (a day has no time zone)
    except ValueError as fault:
        raise _fault("not a date") from fault
    if found < EARLIEST.to_pydatetime():
        raise _fault("before 1900")
    if found.date() > dt.datetime.now(tz=EASTERNMOST).date():
        raise _fault("in the future")
    return found


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fault("not a number")
    return value


def _whole(value: Any) -> Any:
    if isinstance(_number(value), float) and not value.is_integer():
        raise _fault("has a fraction, but counts whole things")
    return value


def _yes_no(value: Any) -> bool:
    if value not in (0, 1):
        raise _fault("neither yes nor no")
    return bool(value)


def _code(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _identifier(value: Any) -> Any:
    if not isinstance(value, str):
        raise _fault("not text")
    if why := identifier_fault(value):
        raise _fault(why)
    return value


DATE = Annotated[
    dt.datetime,
    BeforeValidator(day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"}),
]
WHOLE = Annotated[int, BeforeValidator(_whole)]
IDENTIFIER = Annotated[
    str,
    BeforeValidator(_identifier),
    Field(max_length=100),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100, "pattern": IDENTIFIER_PATTERN}),
]
YES_OR_NO: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": 1}]}
KINDS: dict[Kind, Callable[[Column], Any]] = {
    Kind.TEXT: lambda c: IDENTIFIER if c.required or c.name.endswith("_id") else Annotated[str, Field(max_length=200)],
    Kind.WHOLE: lambda _: WHOLE,
    Kind.NUMBER: lambda _: Annotated[float, BeforeValidator(_number)],
    Kind.YES_NO: lambda _: Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema(YES_OR_NO)],
    Kind.DATE: lambda _: DATE,
    Kind.CODE: lambda c: Annotated[Literal[tuple(c.codes)], BeforeValidator(_code)],
}


def _example(column: Column) -> Any:
    """A value that the column takes."""
    match column.kind:
        case Kind.CODE:
            return next(iter(column.codes))
        case Kind.YES_NO:
            return True
        case Kind.DATE:
            return "2025-03-01"
        case Kind.WHOLE | Kind.NUMBER:
            low, high = column.valid or (0, 1)
            return int((low + high) / 2) if column.kind is Kind.WHOLE else round((low + high) / 2, 1)
    return f"{column.name.removesuffix('_id')}-1"


def _field(column: Column, *, optional: bool) -> tuple[Any, Any]:
    unit = "" if column.unit == "-" else f" [{column.unit}]"
    said = f"{column.meaning} Allowed: {column.allowed()}. Null: {column.null_means}.{unit}"
    kind: Any = KINDS[column.kind](column)
    if column.valid:
        low, high = column.valid
        kind = Annotated[
            kind, Field(ge=low, le=high, allow_inf_nan=False) if column.kind is Kind.NUMBER else Field(ge=low, le=high)
        ]
    shown = [_example(column)]
    if optional:
        return kind | None, Field(None, description=said, examples=shown)
    return kind, Field(description=said, examples=shown)


def _model(register: str) -> type[BaseModel]:
    contract = REGISTERS[register]
    fields = {c.name: _field(c, optional=not c.required or c.name == "household_id") for c in contract.columns}
    made: Any = create_model(
        f"{register.capitalize()}Row",
        __config__=ConfigDict(extra="forbid"),
        __doc__=contract.meaning,
        **fields,  # type: ignore[call-overload]
    )
    return made  # type: ignore[no-any-return]


ROWS: dict[str, type[BaseModel]] = {name: _model(name) for name in SCORED_FROM}
_FIELDS: Any = {
    name: (list[ROWS[name]], Field(default=[], max_length=200, description=REGISTERS[name].title))  # type: ignore[valid-type]  # made above
    for name in SCORED_FROM
}
Registers = create_model(
    "Registers",
    __config__=ConfigDict(extra="forbid"),
    __doc__="Rows of each register, as docs/registers.md describes them; a register may be left out.",
    **_FIELDS,
)


def _without_names(asked: Any) -> Any:
    """Say more than of any other unknown register, whose name is not repeated: it may be a person's."""
    if isinstance(asked, dict) and APART & asked.keys():
        raise _fault(f"{', '.join(APART)}: a score needs no name; leave this register out, and send no names")
    return asked


WITHOUT_NAMES = Annotated[Registers, BeforeValidator(_without_names)]  # type: ignore[valid-type]  # made above
