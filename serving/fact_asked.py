"""One fact of a household as an address names it, and a value for it as somebody types it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.cells import parse
from features.request import HANDED_OVER
from features.schema import Kind
from serving.errors import NotFound, RequestRefused
from serving.household_view import PERSON, Cell, day_of, shown_columns, told_cell
from serving.register_words import NO, YES, Pair, code_name, column_name, register_name
from targeting.what_if import PERSON_OF

if TYPE_CHECKING:
    from features.schema import Column
    from serving.field_store import Correction
    from serving.household_page import Facts

OF_HOUSEHOLD: Final = "household_id"
CORRECTED: Final = (*HANDED_OVER, "measurement")
"""Registers of which a fact can be corrected here."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A fact of a row of a register; `person` and `day` as `Record` has them."""

    register: str
    column: Column
    person: str | None
    recorded_on: dt.date | None
    day: dt.date | None
    cell: Cell
    found: Any

    @property
    def register_name(self) -> Pair:
        """Of its register."""
        return register_name(self.register)

    @property
    def codes(self) -> tuple[tuple[str, Pair], ...]:
        """What it may be, where that can be listed; else nothing."""
        if self.column.kind is Kind.YES_NO:
            return (("1", YES), ("0", NO))
        return tuple((code, code_name(self.column, code)) for code in self.column.codes)

    @property
    def can_change(self) -> bool:
        """Whether the model could be asked what it would say if it were another."""
        of = PERSON_OF.get(self.register)
        return of == OF_HOUSEHOLD or (of is not None and self.person is not None)

    @property
    def old(self) -> str | None:
        """As the register has it, in the contract's codes; None: not told."""
        if self.found is None or self.column.kind is Kind.DATE:  # days stand as YYYY-MM-DD already
            return self.found
        return _plain(self.found, self.column)

    def change(self, value: str | None) -> str:
        """The change to ask the model about; see `targeting.what_if.changed`."""
        whose = f"[{self.person}]" if self.person and PERSON_OF[self.register] != OF_HOUSEHOLD else ""
        return f"{self.register}{whose}.{self.column.name}={value or ''}"


@dataclass(frozen=True, kw_only=True)
class AskedFor:
    """A correction as it was kept, with the fact as it is told, before and after."""

    kept: Correction
    register_name: Pair
    old: Cell
    new: Cell


def asked_for(kept: Correction) -> AskedFor:
    """A correction with its words; what the contracts no longer know stands as it was written."""
    known = kept.register in CORRECTED
    columns = {column.name: column for column in shown_columns(kept.register)} if known else {}
    old, new = (_told(kept, columns.get(kept.fact), written) for written in (kept.old, kept.new))
    name = register_name(kept.register) if known else (kept.register, kept.register)
    return AskedFor(kept=kept, register_name=name, old=old, new=new)


def _told(kept: Correction, column: Column | None, written: str | None) -> Cell:
    if column is None or (column.codes and written not in (*column.codes, None)):
        name = (kept.fact, kept.fact) if column is None else column_name(kept.register, column.name)
        return Cell(column=kept.fact, name=name, unit=("", ""), value=written)
    return told_cell(kept.register, column, written == "1" if written and column.kind is Kind.YES_NO else written)


def fact_of(known: Facts, of: str, *, person: str | None, on: dt.date | None) -> Fact:
    """The fact that `register.column` names, of the newest row of a person, or of that of a day.

    Raises
    ------
    NotFound
        No register has such a fact of the household.
    """
    register, _, name = of.partition(".")
    columns = {column.name: column for column in shown_columns(register)} if register in CORRECTED else {}
    rows = [row for row in known.registers.get(register, ()) if on is None or day_of(register, row) == on]
    if register in CORRECTED and PERSON[register] != OF_HOUSEHOLD:
        rows = [row for row in rows if row.facts.get(PERSON[register]) == person]
    if name not in columns or not rows:
        raise NotFound("The household has no such fact in a register.")
    found = rows[0].facts.get(name)
    return Fact(
        register=register, column=columns[name], person=person, recorded_on=rows[0].recorded_on,
        day=day_of(register, rows[0]),
        cell=told_cell(register, columns[name], found), found=found,
    )  # fmt: skip


def value_typed(column: Column, typed: str | None) -> str | None:
    """A value in the contract's own form; None: not known.

    Raises
    ------
    RequestRefused
        The register could not hold it.
    """
    if typed is None:
        return None
    value, why = value_or_why(column, typed)
    if why is not None:
        raise RequestRefused(f"{column.name}: {why}; allowed is {column.allowed()}.")
    return value


def value_or_why(column: Column, typed: str) -> tuple[str | None, str | None]:
    """A value in the contract's own form, or, in the contract's words, why the register could not hold it."""
    cells, why = parse(pd.Series([typed], dtype="string"), column)
    if pd.notna(why.iloc[0]):
        return None, str(why.iloc[0])
    return _plain(cells.iloc[0], column), None


def _plain(cell: Any, column: Column) -> str:
    if column.kind is Kind.DATE:
        return f"{cell:%Y-%m-%d}"
    if column.kind is Kind.YES_NO:
        return str(int(cell))
    return f"{float(cell):g}" if column.kind in (Kind.NUMBER, Kind.WHOLE) else str(cell)
