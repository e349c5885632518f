"""`POST /v1/worklists`, `GET /v1/worklists`, `GET /v1/worklists/{id}`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from features.errors import InputRefused, Refused
from serving.errors import (
    Busy,
    NotFound,
    NothingScored,
    NotJson,
    RequestRefused,
    StoreUnavailable,
    TooLarge,
    Unexpected,
)  # fmt: skip
from serving.examples import LIST_MADE, LIST_PAGE, LISTS, TO_LIST
from serving.examples_plan import PLAN, TO_PLAN
from serving.parts import Parts, parts_of, refusals
from serving.planning import CATALOGUE, publish_plan
from serving.schemas import LineOut, WorklistOut, WorklistPage, WorklistRequest, WorklistsPage
from serving.schemas_plan import PlanOut
from serving.store import Heading, StoredList
from targeting.lists import chosen

router = APIRouter(prefix="/v1/worklists", tags=["lists"])
ID = Annotated[str, Path(max_length=64, examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most entries on a page.")]


@router.post(
    "",
    status_code=201,
    summary="Make a list and keep it",
    responses={
        201: {
            "description": "The list, whole; Location is its address.",
            "content": {
                "application/json": {"examples": {"by risk": {"value": LIST_MADE}, "by a policy": {"value": PLAN}}}
            },
        },
        **refusals(NotJson, TooLarge, RequestRefused, NothingScored, Busy, StoreUnavailable, Unexpected),
    },
)
def make(
    request: Request, response: Response, asked: Annotated[WorklistRequest, Body(openapi_examples=TO_LIST | TO_PLAN)]
) -> PlanOut | WorklistOut:
    """The households to visit first, of those that the pipeline scored last; children in danger are not on it.

    By risk alone, or as a plan by `policy`: then households that object or are deferred stay out.
    """
    parts = parts_of(request)
    if asked.policy is None:
        stored = _by_risk(parts, asked)
        told = WorklistOut(**asdict(stored))
    else:
        _check_alone(asked)
        stored = publish_plan(parts, asked.policy, name=asked.name)
        told = PlanOut(**asdict(stored))
    response.headers["Location"] = f"/v1/worklists/{stored.id}"
    request.state.said = {"lines": stored.row_count, "model": stored.model_stamp}
    return told


def _check_alone(asked: WorklistRequest) -> None:
    beside = [name for name in ("capacity", "regions", "objective") if getattr(asked, name) is not None]
    if beside:
        named = ", ".join(beside)
        raise RequestRefused(f"policy and {named}: a policy says these itself; leave out {named}, or the policy.")


def _by_risk(parts: Parts, asked: WorklistRequest) -> StoredList:
    scores = parts.published.scores()
    objective = asked.objective or scores.settings.target.objective
    homes = scores.competing(objective)
    try:
        made = chosen(homes, scores.settings, capacity=asked.capacity, regions=asked.regions)
    except Refused as refusal:
        raise RequestRefused(str(refusal)) from refusal
    heading = Heading(
        name=asked.name, objective=objective, model_stamp=scores.units.model_version.iloc[0], catalogue=CATALOGUE,
        simulated=bool(scores.units.simulated.iloc[0]), created_at=dt.datetime.now(tz=dt.UTC),
    )  # fmt: skip
    with parts.shelf.store() as store:
        return store.publish(made, heading)


@router.get(
    "",
    summary="The lists, newest first",
    responses={
        200: {"description": "Some of the lists.", "content": {"application/json": {"example": LISTS}}},
        **refusals(NotFound, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def lists(
    request: Request,
    limit: Limit = 50,
    before: Annotated[str | None, Query(max_length=64, description="Lists older than this one.")] = None,
) -> WorklistsPage:
    """Without their lines."""
    with parts_of(request).shelf.store() as store:
        try:
            found = store.worklists(limit=limit + 1, before=before)
        except InputRefused as refusal:
            raise NotFound("No list has the identifier in `before`.") from refusal
    more = len(found) > limit
    shown = [WorklistOut(**asdict(one)) for one in found[:limit]]
    return WorklistsPage(worklists=shown, next_before=shown[-1].id if more else None)


@router.get(
    "/{worklist_id}",
    summary="A list, page by page",
    responses={
        200: {
            "description": "The list and some of its lines.",
            "content": {"application/json": {"example": LIST_PAGE}},
        },
        **refusals(NotFound, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def page(
    request: Request,
    worklist_id: ID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Lines after this rank.")] = 0,
    limit: Limit = 100,
    region: Annotated[str | None, Query(max_length=100, description="Only this region's lines.")] = None,
) -> WorklistPage:
    """Lines by rank, as they were when the list was made."""
    with parts_of(request).shelf.store() as store:
        found = store.worklist(worklist_id)
        if found is None:
            raise NotFound("No list has this identifier.")
        lines = store.page(worklist_id, after_rank=after, limit=limit + 1, region=region)
    more = len(lines) > limit
    shown = [LineOut(**asdict(line)) for line in lines[:limit]]
    return WorklistPage(worklist=WorklistOut(**asdict(found)), lines=shown, next_after=shown[-1].rank if more else None)
