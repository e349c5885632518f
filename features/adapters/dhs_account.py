"""What reading a survey cost: values turned null, variables without values, rows left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from features.adapters.dhs_fields import DWELLING, INSTEAD, INSTEAD_OF, ITEMS

if TYPE_CHECKING:
    from features.adapters.dhs_files import Recode


@dataclass(frozen=True)
class Gap:
    """A variable of one file that gives a column nothing.

    Parameters
    ----------
    round, fact
        The column within its round; another record type of the round may fill it.
    lacks
        "no" when the file has no such variable, "no value of" when it has and nothing can be read from it.
    then
        What is done instead; the column is null when this is empty.
    """

    round: str
    fact: tuple[str, str]
    file: str
    lacks: str
    variable: str
    then: str = ""


@dataclass(frozen=True)
class Account:
    """Entries made while the files of a survey are translated."""

    nulled: list[pd.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    filled: set[tuple[str, tuple[str, str]]] = field(default_factory=set)

    def lose(self, kind: str, column: str, *, codes: pd.Series, reason: pd.Series | str) -> None:
        """Enter values that became null, counted by code and reason; a text has no code."""
        lost = pd.DataFrame({"code": codes.astype("float64"), "reason": reason}, index=codes.index)
        if len(lost):
            counts = lost.groupby(["code", "reason"], as_index=False, dropna=False).size()
            self.nulled.append(counts.rename(columns={"size": "rows"}).assign(register=kind, column=column))

    def compare(self, kind: str, file: Recode, *, rows: pd.DataFrame, made: dict[str, pd.Series]) -> None:
        """Enter which columns this file fills, and which variables give nothing."""
        for item in ITEMS[kind]:
            fact = _fact(kind, item.column)
            if made[item.column].notna().any():
                self.filled.add((file.round, fact))
            elif not (fact[0] == "dwelling" and file.kind == "rech0"):  # ENDES asks the woman about the dwelling
                source = next((s for s in item.sources if s in rows), None)
                lacks, variable = ("no value of", source) if source else ("no", _wanted(kind, item.sources))
                self.gaps.append(Gap(file.round, fact, file.name, lacks, variable, INSTEAD_OF.get(item.column, "")))
        for name, then in INSTEAD[kind].items():
            if name not in rows or rows[name].isna().all():
                lacks = "no value of" if name in rows else "no"
                self.gaps.append(Gap(file.round, (kind, name), file.name, lacks, name, then))

    def gap_notes(self) -> list[str]:
        """One note for each file and consequence: which variables are missing, and which columns are null for it."""
        open_ = {(g.round, g.fact): g for g in reversed(self.gaps) if (g.round, g.fact) not in self.filled}
        notes = []
        in_order = sorted(open_.values(), key=_consequence)
        for (file, lacks, then), group in groupby(in_order, key=_consequence):
            gaps = sorted(group, key=self.gaps.index)
            null = ", ".join(g.fact[1] for g in gaps) + (" is" if len(gaps) == 1 else " are") + " null there"
            notes.append(f"{file} has {lacks} {', '.join(g.variable for g in gaps)}: {then or null}")
        return notes


def _consequence(gap: Gap) -> tuple[str, str, str]:
    return gap.file, gap.lacks, gap.then


def _wanted(kind: str, sources: tuple[str, ...]) -> str:
    """The variables of a fact under this record type's names: a household's begin with hv, a woman's with v."""
    own = [s for s in sources if s.startswith({"household": "hv", "woman": "v"}.get(kind, ""))]
    return " or ".join(own)


def _fact(kind: str, column: str) -> tuple[str, str]:
    """The column by the register it fills: two record types give the dwelling, and two the mother's age."""
    if kind in {"household", "woman"} and column in DWELLING:
        return "dwelling", column
    return ("mother" if column == "age_years" else kind), column
