"""What the page of a household shows, laid out: its members with their risks, its facts, and what no register tells."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.contracts import REGISTERS
from serving.bands import Band, as_shown, band_of
from serving.register_rows import WITHHELD
from serving.register_words import Pair, column_name, is_named, register_name, unit_name, value_of
from targeting.waterfall import Reasons, Step, Waterfall, waterfall
from targeting.what_if import PERSON_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from features.schema import Column
    from serving.household_page import Facts
    from serving.published import Scores
    from serving.register_rows import Row

NEWEST: Final = 6
"""Rows of a kind that are shown, where a register holds many."""
OF_EVENTS: Final = ("measurement", "service", "contact")
"""Registers of which every row is an event of its own; of the others the newest row of each person counts."""
PERSON: Final = dict(PERSON_OF) | {"measurement": "child_id", "service": "person_id", "contact": "person_id"}
WIDTH: Final = 100
"""Of the picture of a step, from the least to the greatest sum."""


@dataclass(frozen=True, kw_only=True)
class Risk:
    """A risk with its band and interval. [probability]

    Parameters
    ----------
    low, high
        Ends of its interval; null without refits.
    survey
        On a survey's level; null without a survey.
    """

    value: float
    band: Band
    low: float | None = None
    high: float | None = None
    survey: float | None = None

    @property
    def shown(self) -> tuple[float, int]:
        """See `bands.as_shown`."""
        return as_shown(self.value, 1)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A step, and where its bar and the base stand between 0 and `WIDTH`; the base itself has no width."""

    step: Step
    left: float
    width: float
    base: float


@dataclass(frozen=True, kw_only=True)
class Member:
    """A child or a pregnancy; `age_months` is None for a pregnancy. [months]"""

    unit_id: str
    kind: str
    age_months: float | None
    as_of: dt.date
    now: Risk | None
    at_24m: Risk | None
    why: Waterfall
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A fact of a register: what it is called, and what it says; `value` is None where it is not told."""

    column: str
    name: Pair
    unit: Pair
    value: Pair | float | str | dt.date | None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of a register; `person` is whose, None where it is of the household, and `day` tells it from others."""

    register: str
    name: Pair
    person: str | None
    recorded_on: dt.date | None
    day: dt.date | None
    told: tuple[Cell, ...]
    untold: tuple[Cell, ...]


def risk_of(value: float | None, row: Mapping[Hashable, Any], name: str) -> Risk | None:
    """A risk of a row of the scores, by the name of its column."""
    if value is None:
        return None
    more = {end: _number(row.get(f"{name}_{end}")) for end in ("low", "high", "survey")}
    return Risk(value=value, band=band_of(value), **more)


def plain_risk(value: float | None) -> Risk | None:
    """A risk of which nothing more is known."""
    return None if value is None else Risk(value=value, band=band_of(value))


def members(scores: Scores, household_id: str, published: Mapping[str, Any]) -> tuple[Member, ...]:
    """The children and pregnancies of a household, the riskiest first.

    Parameters
    ----------
    published
        `Scores.household` of it.
    """
    rows = {row["unit_id"]: row for row in scores.units.loc[[household_id]].to_dict("records")}
    found = [_member(unit, rows[unit["unit_id"]]) for unit in published["units"]]
    return tuple(sorted(found, key=lambda one: (-_highest(one), one.unit_id)))


def _member(unit: Mapping[str, Any], row: Mapping[Hashable, Any]) -> Member:
    said = Reasons(said_id=_split(unit["reasons_id"]), said_en=_split(unit["reasons_en"]))
    why = waterfall(
        unit["contributions"], said, risk=unit["risk_now"], risk_24m=unit["risk_at_24m"],
        unborn=unit["kind"] == "pregnancy",
    )  # fmt: skip
    return Member(
        unit_id=unit["unit_id"], kind=unit["kind"], age_months=unit["age_months"], as_of=unit["as_of"],
        now=risk_of(unit["risk_now"], row, "risk_now"), at_24m=risk_of(unit["risk_at_24m"], row, "risk_at_24m"),
        why=why, bars=_bars(why),
    )  # fmt: skip


def _highest(one: Member) -> float:
    return max((risk.value for risk in (one.now, one.at_24m) if risk), default=0.0)


def _split(reasons: str | None) -> tuple[str, ...]:
    return tuple(reasons.split("; ")) if reasons else ()


def _bars(why: Waterfall) -> tuple[Bar, ...]:
    ends = [float(end) for step in why.all_steps[1:] for end in (step.start, step.end)]
    least, greatest = min(ends), max(ends)
    scale = WIDTH / ((greatest - least) or 1)

    def at(value: Decimal) -> float:
        return round((float(value) - least) * scale, 2)

    base = why.steps[0].end
    return tuple(_bar(step, (base if step.kind == "base" else step.start, step.end), at=at, base=base)
                 for step in why.all_steps)  # fmt: skip


def _bar(step: Step, ends: tuple[Decimal, Decimal], *, at: Callable[[Decimal], float], base: Decimal) -> Bar:
    left, right = sorted(map(at, ends))
    return Bar(step=step, left=left, width=round(right - left, 2), base=at(base))


def records(facts: Facts) -> dict[str, tuple[Record, ...]]:
    """By register the rows to show: the newest of each person, and of events the newest few."""
    return {
        register: tuple(_record(register, row) for row in _shown(register, rows))
        for register, rows in facts.registers.items()
    }


def _shown(register: str, rows: Sequence[Row]) -> list[Row]:
    if register in OF_EVENTS:
        return list(rows[:NEWEST])
    newest: dict[Any, Row] = {}
    for row in rows:  # the newest first
        newest.setdefault(row.facts.get(PERSON.get(register, "")), row)
    return list(newest.values())


def day_of(register: str, row: Row) -> dt.date | None:
    """By which a row is told from others of the same person: when it was measured, else when it was recorded."""
    measured_on = row.facts.get("measured_on")
    return dt.date.fromisoformat(measured_on) if register == "measurement" and measured_on else row.recorded_on


def _record(register: str, row: Row) -> Record:
    cells = [told_cell(register, column, row.facts.get(column.name)) for column in shown_columns(register)]
    person = row.facts.get(PERSON.get(register, ""))
    return Record(
        register=register, name=register_name(register), recorded_on=row.recorded_on, day=day_of(register, row),
        person=person if PERSON.get(register) not in (None, "household_id") else None,
        told=tuple(cell for cell in cells if cell.value is not None),
        untold=tuple(cell for cell in cells if cell.value is None),
    )  # fmt: skip


def shown_columns(register: str) -> Iterator[Column]:
    """The columns of a register that a page shows."""
    withheld = WITHHELD.get(register, ())
    for column in REGISTERS[register].columns:
        if column.name not in withheld and column.name != "sample_weight" and _is_shown(column):
            yield column


def _is_shown(column: Column) -> bool:
    return is_named(column) or column.name == "posyandu_id"


def told_cell(register: str, column: Column, found: Any) -> Cell:
    """A cell of a row, as it is told; `found` is None where the row does not tell."""
    value = None if found is None else value_of(column, found)
    return Cell(column=column.name, name=column_name(register, column.name), unit=unit_name(column), value=value)


def _number(found: Any) -> float | None:
    return None if found is None or pd.isna(found) else float(found)
