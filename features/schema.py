"""What a register's column and table are made of; the registers themselves are in `contracts`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """The kinds of value a register may carry."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "yes/no"
    DATE = "date"
    CODE = "code"
    NAME = "name of a person"


@dataclass(frozen=True)
class Column:
    """One column of a register, with everything an outsider needs to fill it.

    Parameters
    ----------
    valid
        Lowest and highest value accepted, in `unit`; both ends included.
    codes
        Accepted code -> its meaning, for `Kind.CODE`.
    required
        The column must be there and no cell may be empty.
    """

    name: str
    kind: Kind
    meaning: str
    null_means: str
    unit: str = "-"
    valid: tuple[float, float] | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    required: bool = False

    def __post_init__(self) -> None:
        """Refuse a declaration that leaves something unsaid."""
        if not (self.name and self.meaning and self.null_means):
            msg = f"Column {self.name!r} leaves its name, meaning or null_means unsaid."
            raise ValueError(msg)
        if (self.kind is Kind.CODE) != bool(self.codes):
            msg = f"Column {self.name!r}: codes go with the kind 'code', and only with it."
            raise ValueError(msg)
        if self.kind in {Kind.WHOLE, Kind.NUMBER} and self.valid is None:
            msg = f"Column {self.name!r} is a number and needs a valid range."
            raise ValueError(msg)

    def allowed(self) -> str:
        """What a clerk may write in this column, in words."""
        if self.kind is Kind.CODE:
            return "one of " + ", ".join(self.codes)
        if self.kind is Kind.YES_NO:
            return "1 (yes) or 0 (no)"
        if self.kind is Kind.DATE:
            return "a date, YYYY-MM-DD"
        if self.kind is Kind.NAME:
            return "a name, in letters"
        if self.valid is not None:
            low, high = self.valid
            what = "a whole number" if self.kind is Kind.WHOLE else "a number"
            return f"{what} from {low:g} to {high:g}" + ("" if self.unit == "-" else f" {self.unit}")
        return "text"


@dataclass(frozen=True)
class Register:
    """One table that a district hands over.

    Parameters
    ----------
    key
        Columns that together are unique; a repeated key is quarantined.
    needed
        Without this register the pipeline cannot say anything and stops.
    """

    name: str
    title: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    needed: bool = False

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` when the register has none."""
        return {c.name: c for c in self.columns}[name]

    @property
    def names(self) -> list[str]:
        """Column names in their declared order."""
        return [c.name for c in self.columns]
