"""An answer about one household as it is told, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from targeting.answer import Answer, Explained


def json_of(one: Answer, *, contributions: bool) -> bytes:
    """`schemas.HouseholdOut` as JSON; built from our own values, so it is not checked again."""
    return to_json(household(one, contributions=contributions))


def household(one: Answer, *, contributions: bool) -> dict[str, Any]:
    """`schemas.HouseholdOut`, as plain values."""
    units = [
        unit.__dict__
        | {"now": _explained(unit.now, every=contributions), "at_24m": _explained(unit.at_24m, every=contributions)}
        for unit in one.units
    ]
    return one.__dict__ | {"units": units, "urgent": [asdict(u) for u in one.urgent]}


def _explained(one: Explained | None, *, every: bool) -> dict[str, Any] | None:
    if one is None:
        return None
    reasons = [reason.__dict__ for reason in one.reasons]
    return one.__dict__ | {"reasons": reasons, "contributions": one.contributions if every else None}
