"""An answer as every door tells it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from features.catalog import fingerprint
from serving.schemas import ModelOut, ScoreResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.champion import InUse
    from targeting.answer import Answer, Explained

CATALOGUE = fingerprint()


def told_model(in_use: InUse, stale_because: str | None) -> ModelOut:
    """The model in use."""
    where, made = in_use.where, in_use.model
    return ModelOut.model_construct(
        name=where.name, version=where.version, stamp=where.stamp, catalogue=CATALOGUE, simulated=made.simulated,
        base_rate=made.base_rate, stale_because=stale_because,
    )  # fmt: skip


def scored(
    in_use: InUse, answers: Sequence[Answer], stale_because: str | None, *, contributions: bool
) -> ScoreResponse:
    """One answer a household; built from our own values, so it is not checked again."""
    homes: Any = [_household(one, contributions=contributions) for one in answers]
    return ScoreResponse.model_construct(model=told_model(in_use, stale_because), households=homes)


def json_of(made: ScoreResponse) -> bytes:
    """The answer as JSON."""
    found: bytes = made.__pydantic_serializer__.to_json(made, warnings=False)
    return found


def _household(one: Answer, *, contributions: bool) -> dict[str, Any]:
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
