"""`POST /v1/worklists`, `GET /v1/worklists`, `GET /v1/worklists/{id}`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import (
    Busy,
    Conflict,
    NotFound,
    NothingScored,
    NotJson,
    RequestRefused,
    TooLarge,
    Unexpected,
)  # fmt: skip
from serving.examples import LIST_MADE, LIST_PAGE, LISTS, TO_LIST
from serving.examples_plan import PLAN, TO_PLAN
from serving.listing import Asking, KeyUsed, digest_of, key_of
from serving.looks import masked_for, note_shown, refusals_noted
from serving.paging import LINKED, link_next
from serving.parts import Parts, parts_of, refusals
from serving.plan_store import PlanStore
from serving.planning import ByRisk, publish_by_risk, publish_plan
from serving.schemas import LineOut, WorklistOut, WorklistPage, WorklistRequest, WorklistsPage
from serving.schemas_plan import PlanOut
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    import sqlalchemy as sa

router = APIRouter(prefix="/v1/worklists", tags=["lists"])
ID = Annotated[str, Path(max_length=64, examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most entries on a page.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200,
        description="Your name of this request: sent again with the same body, it is answered as before.",
    ),
]  # fmt: skip


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
        **refusals(NotJson, TooLarge, RequestRefused, Conflict, NothingScored, Busy, Unexpected),
    },
)
def make(
    request: Request,
    response: Response,
    asked: Annotated[WorklistRequest, Body(openapi_examples=TO_LIST | TO_PLAN)],
    who: Annotated[Who, allowed(Act.MAKE_LIST)],
    idempotency_key: Key = None,
) -> PlanOut | WorklistOut:
    """The households of your regions to visit first, as scored last; children in danger are not on it.

    By risk alone, or as a plan by `policy`: then households that object or are deferred stay out.
    """
    if asked.policy is not None:
        _check_alone(asked)
    told = made_once(request, asked, who=who, key=idempotency_key)
    response.headers["Location"] = f"/v1/worklists/{told.id}"
    request.state.said = {"lines": told.row_count, "model": told.model_stamp}
    return told


def _check_alone(asked: WorklistRequest) -> None:
    beside = [name for name in ("capacity", "regions", "objective") if getattr(asked, name) is not None]
    if beside:
        named = ", ".join(beside)
        raise RequestRefused(f"policy and {named}: a policy says these itself; leave out {named}, or the policy.")


def made_once(request: Request, asked: WorklistRequest, *, who: Who, key: str | None) -> PlanOut | WorklistOut:
    """The list that a request of this key made before, or one made now."""
    asking = Asking(
        scope=who.scope,
        key=None if key is None else key_of(who.name, key),
        digest=None if key is None else digest_of(asked.model_dump(mode="json")),
        note=lambda connection, list_id: _note_made(connection, request, who, list_id),
    )
    for _ in range(2):  # refused in the moment between, it finds what the other request made
        if (told := _made_before(request, asking, who=who)) is not None:
            return told
        with suppress(KeyUsed):
            return _made(parts_of(request), asked, who=who, asking=asking)
    raise Conflict("The list that was made under this key is no longer there.")


def _note_made(connection: sa.Connection, request: Request, who: Who, list_id: str) -> None:
    append(connection, [entry_of(request, who, Act.MAKE_LIST, list_id=list_id)])


def _made_before(request: Request, asking: Asking, *, who: Who) -> PlanOut | WorklistOut | None:
    if asking.key is None:
        return None
    with parts_of(request).shelf.store() as store:
        kept = store.of_request(asking.key)
        if kept is None:
            return None
        list_id, digest = kept
        found = store.worklist(list_id, who=who)
        if digest != asking.digest or found is None:
            raise Conflict("It was sent before with another body.")
        plan = PlanStore(store.database).plan(list_id, who=who)
        note_shown(request, who, Act.MAKE_LIST, list_id=list_id, again=True)
    return WorklistOut(**asdict(found)) if plan is None else PlanOut(**asdict(plan))


def _made(parts: Parts, asked: WorklistRequest, *, who: Who, asking: Asking) -> PlanOut | WorklistOut:
    if asked.policy is not None:
        return PlanOut(**asdict(publish_plan(parts, asked.policy, name=asked.name, who=who, asking=asking)))
    by = ByRisk(capacity=asked.capacity, regions=asked.regions, objective=asked.objective)
    return WorklistOut(**asdict(publish_by_risk(parts, by, name=asked.name, who=who, asking=asking)))


@router.get(
    "",
    summary="The lists, newest first",
    responses={
        200: {"description": "Some of the lists.", "content": {"application/json": {"example": LISTS}}, **LINKED},
        **refusals(NotFound, RequestRefused, Unexpected),
    },
)
def lists(
    request: Request,
    response: Response,
    who: Annotated[Who, allowed(Act.SEE_LIST)],
    limit: Limit = 50,
    before: Annotated[str | None, Query(max_length=64, description="Lists older than this one.")] = None,
) -> WorklistsPage:
    """Those that say anything of your regions, without their lines."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=before):
        try:
            found = store.worklists(limit=limit + 1, before=before, who=who)
        except InputRefused as refusal:
            raise NotFound("No list has the identifier in `before`.") from refusal
        note_shown(request, who, Act.SEE_LIST)
    shown = [WorklistOut(**asdict(one)) for one in found[:limit]]
    more = shown[-1].id if len(found) > limit else None
    link_next(request, response, before=more)
    return WorklistsPage(worklists=shown, next_before=more)


@router.get(
    "/{worklist_id}",
    summary="A list, page by page",
    responses={
        200: {
            "description": "The list and some of its lines.",
            "content": {"application/json": {"example": LIST_PAGE}},
            **LINKED,
        },
        **refusals(NotFound, RequestRefused, Unexpected),
    },
)
def page(
    request: Request,
    response: Response,
    worklist_id: ID,
    who: Annotated[Who, allowed(Act.SEE_LIST)],
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Lines after this rank.")] = 0,
    limit: Limit = 100,
    region: Annotated[str | None, Query(max_length=100, description="Only this region's lines.")] = None,
) -> WorklistPage:
    """Lines by rank, as they were when the list was made; of a list of more than your regions your part alone."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=worklist_id):
        found = store.worklist(worklist_id, who=who)
        if found is None:
            raise NotFound("No list has this identifier.")
        lines = store.page(worklist_id, after_rank=after, limit=limit + 1, region=region, who=who)
        names = masked_for(request, who).of([line.household_id for line in lines[:limit]])
        shown = [LineOut(**asdict(line), masked_name=name) for line, name in zip(lines[:limit], names, strict=True)]
        note_shown(request, who, Act.SEE_LIST, list_id=worklist_id, households=[line.household_id for line in shown])
    more = shown[-1].rank if len(lines) > limit else None
    link_next(request, response, after=more)
    return WorklistPage(worklist=WorklistOut(**asdict(found)), lines=shown, next_after=more)
