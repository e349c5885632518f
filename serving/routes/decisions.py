"""`POST /v1/decisions`, `GET /v1/decisions`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from features.errors import InputRefused
from serving.decisions import Asked, Decisions, KeyTaken, NotOnTheList
from serving.errors import Conflict, NotFound, NotJson, RequestRefused, StoreUnavailable, TooLarge, Unexpected
from serving.examples_plan import DECIDED, DECISIONS
from serving.parts import parts_of, refusals
from serving.routes.worklists import Limit
from serving.schemas_plan import DecisionOut, DecisionRequest, DecisionsPage

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])


@router.post(
    "",
    status_code=201,
    summary="Keep what was decided of a household",
    responses={
        201: {
            "description": "The decision, with the household's line as it stood.",
            "content": {"application/json": {"example": DECIDED}},
        },
        **refusals(NotJson, NotFound, Conflict, TooLarge, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def decide(
    request: Request,
    asked: DecisionRequest,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="Your name of this request: sent again, it is kept once."),
    ] = None,
) -> DecisionOut:
    """Kept for good: nobody can change it, and a later one is put beside it.

    An objection or a deferral keeps the household off every new plan until it is over.
    """
    with parts_of(request).shelf.store() as store:
        try:
            kept = Decisions(store.database).decide(
                Asked(**asked.model_dump()), at=dt.datetime.now(tz=dt.UTC), key=idempotency_key
            )
        except InputRefused as refusal:
            raise RequestRefused(str(refusal)) from refusal
        except NotOnTheList as refusal:
            raise NotFound(str(refusal)) from refusal
        except KeyTaken as refusal:
            raise Conflict(str(refusal)) from refusal
    return DecisionOut(**asdict(kept))


@router.get(
    "",
    summary="Decisions, newest first",
    responses={
        200: {"description": "Some of the decisions.", "content": {"application/json": {"example": DECISIONS}}},
        **refusals(NotFound, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def decisions(
    request: Request,
    worklist_id: Annotated[str | None, Query(max_length=64, description="Only of this list.")] = None,
    household_id: Annotated[str | None, Query(max_length=100, description="Only of this household.")] = None,
    before: Annotated[str | None, Query(max_length=64, description="Decisions made before this one.")] = None,
    limit: Limit = 100,
) -> DecisionsPage:
    """Of every list and household, unless asked otherwise."""
    with parts_of(request).shelf.store() as store:
        try:
            found = Decisions(store.database).decisions(
                limit=limit + 1, worklist_id=worklist_id, household_id=household_id, before=before
            )
        except InputRefused as refusal:
            raise NotFound("No decision has the identifier in `before`.") from refusal
    shown = [DecisionOut(**asdict(one)) for one in found[:limit]]
    return DecisionsPage(decisions=shown, next_before=shown[-1].id if len(found) > limit else None)
