"""The one place where a job asks for scores: a thread of ours, and scorers that live with the requests."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.request import Household
    from serving.scorers.pool import Pool


@dataclass(frozen=True, eq=False)
class Told:
    """Answers by one model: one a household, in their order, as `serving.schemas.HouseholdOut` tells it."""

    stamp: str
    households: list[dict[str, Any]]


class Asks(Protocol):
    """Whoever can be asked from a thread."""

    def __call__(self, households: Sequence[Household], *, contributions: bool) -> Told:
        """The answers; raises as `Pool.score`."""


@dataclass(frozen=True, eq=False)
class Asking:
    """Asks the scorers of the service, which answer on the service's own loop; requests come first."""

    pool: Pool
    loop: asyncio.AbstractEventLoop

    def __call__(self, households: Sequence[Household], *, contributions: bool) -> Told:
        """The answers; raises as `Pool.score`."""
        asked = self.pool.score(households, contributions=contributions, background=True)
        made = asyncio.run_coroutine_threadsafe(asked, self.loop).result()
        return Told(made.in_use.where.stamp, [json.loads(one) for one in made.households])
