"""`POST /v1/score`, `GET /v1/model`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.asked import asked_of, check_places
from serving.errors import (
    Busy,
    FactsRefused,
    Forbidden,
    NoModel,
    NotJson,
    NotScored,
    RequestRefused,
    TooLarge,
    Unexpected,
)
from serving.examples import MODEL, SCORED, TO_SCORE
from serving.parts import Parts, parts_of, refusals
from serving.schemas import ModelOut, ScoreResponse
from serving.scorers.copies import InUse
from serving.told import joined, told_model
from serving.trail.noting import entry_of

router = APIRouter(prefix="/v1", tags=["risk"])


# Read by the route itself, a large one beside the event loop; the document is told of it here.
BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ScoreRequest"}, "examples": TO_SCORE}},
}


@router.post(
    "/score",
    openapi_extra={"requestBody": BODY},
    summary="Risk and reasons of households, from their register facts",
    responses={
        200: {
            "model": ScoreResponse,
            "description": "One answer a household.",
            "content": {"application/json": {"example": SCORED}},
        },
        **refusals(NotJson, TooLarge, FactsRefused, RequestRefused, Forbidden, NoModel, Busy, NotScored, Unexpected),
    },
)
async def score(request: Request, who: Annotated[Who, allowed(Act.SCORE)]) -> Response:
    """Score 1 to 1,000 households; nothing of them is kept. A score is advice: `urgent` comes before any rank."""
    parts, asked = parts_of(request), await asked_of(request)
    try:
        check_places(asked.households, who.scope, _in_use(parts).places)
    except Forbidden as refusal:
        about = {"households": len(asked.households)}
        await parts.trail.noted(entry_of(request, who, Act.SCORE, outcome=refusal.type, about=about))
        raise
    made = await parts.pool.score(asked.households, contributions=asked.contributions)
    stamp = made.in_use.where.stamp
    request.state.said = {"households": len(made.households), "model": stamp}
    ids = tuple(home.household_id for home in asked.households)
    await parts.trail.noted(entry_of(request, who, Act.SCORE, households=ids, about={"model": stamp}))
    return Response(joined(made.in_use, made.households, parts.champion.stale_because), media_type="application/json")


@router.get(
    "/model",
    summary="The model in use",
    responses={
        200: {"description": "The model.", "content": {"application/json": {"example": MODEL}}},
        **refusals(NoModel, Unexpected),
    },
)
def model(request: Request, _: Annotated[Who, allowed(Act.SEE_MODEL)]) -> ModelOut:
    """Which model answers, and why it is not the registry's champion, where it is not."""
    parts = parts_of(request)
    return told_model(_in_use(parts), parts.champion.stale_because)


def _in_use(parts: Parts) -> InUse:
    champion = parts.champion
    if champion.current is None:
        raise NoModel(champion.stale_because or "None was loaded yet.")
    return champion.current
