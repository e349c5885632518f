"""What a feature is: one declaration from which column, range check, documentation and reasons come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class View(StrEnum):
    """The rows a feature is computed from; one row per (unit, as_of) each."""

    HOUSEHOLD = "household"
    SANITATION = "sanitation"
    MOTHER = "maternal"
    PREGNANCY = "pregnancy"
    CHILD = "child"
    AREA = "area"
    NEIGHBOURS = "neighbours"
    HISTORY = "area_history"
    EARLIER = "earlier_measurements"


class Subject(StrEnum):
    """The page of the catalogue a feature stands on."""

    POVERTY = "poverty"
    SANITATION = "sanitation"
    MATERNAL = "maternal"
    CHILD = "child"
    AREA = "area"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of the model.

    Parameters
    ----------
    value
        Deferred Ibis expression over the columns of `view`; becomes a float64.
    valid
        Lowest and highest possible value, in `unit`.
    direction
        +1 when a higher value can only mean more risk, -1 less, 0 unknown: the booster's constraint.
    actionable
        A household or its services can change it.
    decimals
        Declared rounding; equal on every engine after it.
    """

    name: str
    subject: Subject
    view: View
    meaning_id: str
    meaning_en: str
    value: Any
    unit: str
    valid: tuple[float, float]
    null_means: str
    source: str
    direction: int
    actionable: bool
    protected: bool = False
    decimals: int = 4

    def __post_init__(self) -> None:
        """Refuse a feature with anything left unsaid."""
        said = (self.name, self.meaning_id, self.meaning_en, self.unit, self.null_means, self.source)
        if not all(said):
            msg = f"Feature {self.name!r} leaves something unsaid: name, meaning, unit, null_means, source."
            raise ValueError(msg)
        if self.direction not in (-1, 0, 1):
            msg = f"Feature {self.name!r}: direction is {self.direction}; allowed are -1, 0 and 1."
            raise ValueError(msg)
