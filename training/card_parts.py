"""What a model card is made of, before it is Markdown or HTML, and how its figures are written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from training.tables import difference, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from training.model import RiskModel
    from training.registry import Registered

NONE = "-"
"""Stands where a figure is not known."""


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    lines: tuple[str, ...]
    kind = "points"


@dataclass(frozen=True)
class Alert:
    """What a reader must not miss."""

    title: str
    lines: tuple[str, ...]
    kind = "alert"


@dataclass(frozen=True)
class Table:
    """Cells as they are printed; each row has as many as `head`, the first names the row, `words` of them are text."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    kind = "table"


@dataclass(frozen=True)
class Picture:
    """A PNG of the evaluation's folder; only the page shows it, so `alt` says what it shows."""

    file: str
    alt: str
    wide: bool = False
    kind = "picture"


Block = str | Points | Alert | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Name of the section in an address."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Card:
    """The whole card: what stands under its title, and its sections."""

    title: str
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything a card is made from.

    Attributes
    ----------
    reads
        Each reading of the test period: `when` (ISO time), `stamp`, `why`.
    about
        Where the registers come from, in the words of who brought them.
    """

    model: RiskModel
    where: Registered
    metrics: dict[str, Any]
    details: dict[str, Any]
    reads: Sequence[Mapping[str, str]] = ()
    about: str = ""

    def cleaned(self) -> Facts:
        """The same, of which only what is `known` is left."""
        reads: list[dict[str, str]] = known([dict(read) for read in self.reads])
        return replace(
            self, metrics=known(self.metrics), details=known(self.details), reads=reads, about=known(self.about)
        )

    @property
    def simulated(self) -> bool:
        """Nobody of the registers exists, by the model or by what it was judged on."""
        return bool(self.details.get("simulated") or getattr(self.model, "simulated", False))

    @property
    def name(self) -> str:
        """The model's; not always the champion of the metrics."""
        return str(getattr(self.model, "name", "") or self.metrics.get("champion") or self.where.stamp)

    @property
    def own(self) -> dict[str, Any]:
        """The model's figures; empty where it was not measured."""
        return self.found("models", self.name) or {}

    def found(self, *path: str) -> Any:
        """What stands under the names in the metrics, else in the details; None if nothing does."""
        for place in (self.metrics, self.details):
            here: Any = place
            for name in path:
                here = here.get(name) if isinstance(here, dict) else None
            if here is not None and here not in ({}, [], ""):
                return here
        return None


def known(value: Any) -> Any:
    """The same without what is None or not a number, at any depth, and with plain numbers for numpy's.

    A backtick becomes a quote: what is code on a card is for its own text to say, not for a name in a register.
    """
    if isinstance(value, str):
        return value.replace("`", "'")
    if isinstance(value, dict):
        made = {known(str(name)): known(each) for name, each in value.items()}
        return {name: each for name, each in made.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [each for each in map(known, value) if each is not None]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def number(value: float | None, form: str = ".3f") -> str:
    """A figure in a format, or a dash."""
    return NONE if value is None else format(value, form)


def share(value: float | None, decimals: int = 1) -> str:
    """A share as a percentage, or a dash."""
    return number(value, f".{decimals}%")


def measured(figures: Mapping[str, Any], name: str, form: str = ".3f") -> str:
    """A figure with its 95% interval where it has one; `form` is for figures that are never below 0."""
    ends = {end: figures.get(f"{name}{end}") for end in ("", "_low", "_high")}
    if None in ends.values():
        return number(ends[""], form)
    if form == ".3f":
        return interval({f"{name}{end}": value for end, value in ends.items()}, name)
    at, low, high = (number(value, form) for value in ends.values())
    return f"{at} ({low}-{high})"


def changed(figures: Mapping[str, Any], name: str = "", *, decimals: int = 3) -> str:
    """A difference with its 95% interval, signed: of `name`, or as a paired difference gives it."""
    names = (name, f"{name}_low", f"{name}_high") if name else ("difference", "low", "high")
    values = [figures.get(each) for each in names]
    known_ones = [value for value in values if value is not None]
    if len(known_ones) < len(values):
        return number(values[0], f"+.{decimals}f")
    return difference(dict(zip(("difference", "low", "high"), known_ones, strict=True)), decimals)


def rows(found: Iterable[Any], cells: Callable[[Any], Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """The rows of a table, one for each thing found."""
    return tuple(tuple(cells(each)) for each in found)


def runs(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it stood between backticks; a backtick without its pair is a letter."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["`".join(pieces[-2:])]
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces)]
