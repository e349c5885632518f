"""How a column of each kind is declared, and the columns that most registers have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "not asked, not answered or not known"


def text(name: str, meaning: str, null_means: str = UNKNOWN, *, required: bool = False) -> Column:
    """Words, or an identifier where the name ends in `_id`."""
    return Column(name, Kind.TEXT, meaning, null_means, required=required)


def key(name: str, meaning: str) -> Column:
    """An identifier that must be there."""
    return text(name, meaning, "not allowed", required=True)


def yes_no(name: str, meaning: str, null_means: str = UNKNOWN) -> Column:
    """Yes, no or not known."""
    return Column(name, Kind.YES_NO, meaning, null_means)


def whole(name: str, meaning: str, low: float, high: float, unit: str = "-") -> Column:
    """A whole number, both ends of its range included."""
    return Column(name, Kind.WHOLE, meaning, UNKNOWN, unit=unit, valid=(low, high))


def number(name: str, meaning: str, low: float, high: float, unit: str, null_means: str = UNKNOWN) -> Column:
    """A number, both ends of its range included."""
    return Column(name, Kind.NUMBER, meaning, null_means, unit=unit, valid=(low, high))


def code(name: str, meaning: str, codes: Mapping[str, str], null_means: str = UNKNOWN) -> Column:
    """One of Tepat's words, by its meaning."""
    return Column(name, Kind.CODE, meaning, null_means, codes=codes)


def date(name: str, meaning: str, null_means: str = UNKNOWN, *, required: bool = False) -> Column:
    """A day."""
    return Column(name, Kind.DATE, meaning, null_means, required=required)


RECORDED_ON = date("recorded_on", "Date on which this row became known.", "not allowed", required=True)
HOUSEHOLD_ID = key("household_id", "Stable identifier of the household; never a NIK or a No KK in clear.")
