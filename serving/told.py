"""An answer as every door tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from features.catalog import fingerprint
from serving.schemas import ModelOut, ScoreResponse
from serving.scorers.spoken import household

if TYPE_CHECKING:
    from collections.abc import Sequence

    from targeting.answer import Answer
    from training.registry import Registered

CATALOGUE = fingerprint()


class Model(Protocol):
    """A model in use, whoever uses it; see `training.model.RiskModel`."""

    @property
    def where(self) -> Registered:
        """In the registry."""

    @property
    def base_rate(self) -> float:
        """[share]"""

    @property
    def simulated(self) -> bool:
        """Whether nobody of its training rows exists."""


def told_model(in_use: Model, stale_because: str | None) -> ModelOut:
    """The model in use."""
    where = in_use.where
    return ModelOut.model_construct(
        name=where.name, version=where.version, stamp=where.stamp, catalogue=CATALOGUE, simulated=in_use.simulated,
        base_rate=in_use.base_rate, stale_because=stale_because,
    )  # fmt: skip


def scored(
    in_use: Model, answers: Sequence[Answer], stale_because: str | None, *, contributions: bool
) -> ScoreResponse:
    """One answer a household; built from our own values, so it is not checked again."""
    homes: Any = [household(one, contributions=contributions) for one in answers]
    return ScoreResponse.model_construct(model=told_model(in_use, stale_because), households=homes)


def json_of(made: ScoreResponse) -> bytes:
    """The answer as JSON."""
    found: bytes = made.__pydantic_serializer__.to_json(made, warnings=False)
    return found


def joined(in_use: Model, homes: Sequence[bytes], stale_because: str | None) -> bytes:
    """The same of answers that are JSON already."""
    model = told_model(in_use, stale_because).model_dump_json().encode()
    return b'{"model":' + model + b',"households":[' + b",".join(homes) + b"]}"
