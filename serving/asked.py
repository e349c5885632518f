"""The body of a scoring request -> its households; a large one is read beside the event loop, which answers others."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from serving.errors import Forbidden, NotJson
from serving.facts import households
from serving.schemas import ScoreRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request

    from features.request import Household
    from serving.access.scope import Scope

LARGE: Final = 65_536
"""From here on a body goes to a thread, which costs more than a small one takes. [bytes]"""
JSON: Final = re.compile(r"application/([a-z0-9.+-]+\+)?json", re.IGNORECASE)
ASIDE: Final = ThreadPoolExecutor(1, thread_name_prefix="reading")
"""One large body at a time: two would only share the processor that the event loop needs, too."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Whom to score, and whether the contribution of every feature is asked for."""

    households: Sequence[Household]
    contributions: bool


async def asked_of(request: Request) -> Asked:
    """What a request asks.

    Raises
    ------
    NotJson, RequestValidationError, FactsRefused
    """
    if not JSON.fullmatch(request.headers.get("content-type", "").partition(";")[0].strip()):
        raise NotJson("The body is no JSON object; was it sent as content-type: application/json?")
    body = await request.body()
    if len(body) < LARGE:
        return _read(body)
    return await asyncio.get_running_loop().run_in_executor(ASIDE, _read, body)


def _read(body: bytes) -> Asked:
    try:
        asked = ScoreRequest.model_validate_json(body)
    except ValidationError as fault:
        faults = fault.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from None
    return Asked(households(asked.households), asked.contributions)


def check_places(asked: Sequence[Household], scope: Scope, places: Mapping[str, str | None]) -> None:
    """Nothing, if every household lies where somebody may look, on each of its dates.

    Parameters
    ----------
    places
        Region of each area.

    Raises
    ------
    Forbidden
        One does not, or names no area. It is said alike of an area that there is and of one that there is not.
    """
    if scope.everywhere:
        return
    outside = [n for n, home in enumerate(asked) if not _within(home, scope, places)]
    if outside:
        raise Forbidden(
            f"{len(outside):,} of {len(asked):,} households are not said to lie in the regions that you were given; "
            f"the first is household {outside[0]}. Each row of `household` needs an area_id of these regions."
        )


def _within(home: Household, scope: Scope, places: Mapping[str, str | None]) -> bool:
    areas = {row["area_id"] for row in home.registers.get("household", ())}
    return bool(areas) and all(scope.holds(region_id=places.get(area), area_id=area) for area in areas)
