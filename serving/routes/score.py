"""`POST /v1/score`, `GET /v1/model`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from serving.errors import Busy, FactsRefused, NoModel, NotJson, RequestRefused, TooLarge, Unexpected
from serving.examples import MODEL, SCORED, TO_SCORE
from serving.facts import households
from serving.parts import parts_of, refusals
from serving.schemas import ModelOut, ScoreRequest, ScoreResponse
from serving.told import json_of, scored, told_model

router = APIRouter(prefix="/v1", tags=["risk"])


@router.post(
    "/score",
    summary="Risk and reasons of households, from their register facts",
    responses={
        200: {
            "model": ScoreResponse,
            "description": "One answer a household.",
            "content": {"application/json": {"example": SCORED}},
        },
        **refusals(NotJson, TooLarge, FactsRefused, RequestRefused, NoModel, Busy, Unexpected),
    },
)
async def score(request: Request, asked: Annotated[ScoreRequest, Body(openapi_examples=TO_SCORE)]) -> Response:
    """Score 1 to 1,000 households; nothing of them is kept. A score is advice: `urgent` comes before any rank."""
    in_use, answers = await parts_of(request).batcher.score(households(asked.households))
    request.state.said = {"households": len(answers), "model": in_use.where.stamp}
    made = scored(in_use, answers, parts_of(request).champion.stale_because, contributions=asked.contributions)
    return Response(json_of(made), media_type="application/json")


@router.get(
    "/model",
    summary="The model in use",
    responses={
        200: {"description": "The model.", "content": {"application/json": {"example": MODEL}}},
        **refusals(NoModel, Unexpected),
    },
)
def model(request: Request) -> ModelOut:
    """Which model answers, and why it is not the registry's champion, where it is not."""
    champion = parts_of(request).champion
    if champion.current is None:
        raise NoModel(champion.stale_because or "None was loaded yet.")
    return told_model(champion.current, champion.stale_because)
