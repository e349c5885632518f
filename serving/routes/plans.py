"""`GET /v1/worklists/{id}/plan`, `/left-out`, `/urgent`, `/households/{household_id}`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request

from serving.errors import NotFound, RequestRefused, StoreUnavailable, Unexpected
from serving.examples_plan import LEFT_OUT, ON_THE_LIST, PLAN, URGENT
from serving.parts import parts_of, refusals
from serving.plan_store import PlanStore, Urgent
from serving.routes.worklists import ID, Limit
from serving.schemas import LineOut
from serving.schemas_plan import LeftOutOut, LeftOutPage, OnTheList, PlanOut, ToRefer, ToReferOut
from serving.store import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

router = APIRouter(prefix="/v1/worklists", tags=["lists"])
UNKNOWN = "No list has this identifier."
REFUSALS = refusals(NotFound, RequestRefused, StoreUnavailable, Unexpected)


@router.get(
    "/{worklist_id}/plan",
    summary="The policy of a plan, what it comes to, and what its limits cost",
    responses={
        200: {"description": "The plan, without its lines.", "content": {"application/json": {"example": PLAN}}},
        **REFUSALS,
    },
)
def plan(request: Request, worklist_id: ID) -> PlanOut:
    """As it was made."""
    with _a_plan(request, worklist_id) as store:
        found = store.plan(worklist_id)
    if found is None:
        raise NotFound(UNKNOWN)
    return PlanOut(**asdict(found))


@router.get(
    "/{worklist_id}/left-out",
    summary="Whom a plan leaves out, and why, page by page",
    responses={
        200: {
            "description": "Some of the households with a score that it does not visit.",
            "content": {"application/json": {"example": LEFT_OUT}},
        },
        **REFUSALS,
    },
)
def left_out(
    request: Request,
    worklist_id: ID,
    after: Annotated[str | None, Query(max_length=100, description="Households after this identifier.")] = None,
    limit: Limit = 100,
    region: Annotated[str | None, Query(max_length=100, description="Only this region's households.")] = None,
) -> LeftOutPage:
    """By identifier, as it stood when the plan was made."""
    with _a_plan(request, worklist_id) as store:
        found = store.left_out(worklist_id, limit=limit + 1, after_household=after, region=region)
    shown = [LeftOutOut(**asdict(one)) for one in found[:limit]]
    return LeftOutPage(households=shown, next_after=shown[-1].household_id if len(found) > limit else None)


@router.get(
    "/{worklist_id}/urgent",
    summary="Who is to be referred at once, whatever a plan says",
    responses={
        200: {
            "description": "The urgent list as it stood when the plan was made, whole.",
            "content": {"application/json": {"example": URGENT}},
        },
        **REFUSALS,
    },
)
def urgent(request: Request, worklist_id: ID) -> ToRefer:
    """Of every region, those too that the plan is not about: nobody in danger waits behind a rank."""
    with _a_plan(request, worklist_id) as store:
        found = store.urgent(worklist_id)
    return ToRefer(urgent=[_to_refer(one) for one in found])


@router.get(
    "/{worklist_id}/households/{household_id:path}",
    summary="Whether a household is on a list, and why",
    responses={
        200: {
            "description": "Its line, or what kept it out.",
            "content": {"application/json": {"example": ON_THE_LIST}},
        },
        **REFUSALS,
    },
)
def household(
    request: Request,
    worklist_id: ID,
    household_id: Annotated[str, Path(max_length=100, examples=["home-17"])],
) -> OnTheList:
    """A list by risk alone knows only the households on it."""
    with parts_of(request).shelf.store() as opened:
        store = PlanStore(opened.database)
        found = store.line_of(worklist_id, household_id)
        in_danger = store.urgent(worklist_id, household_id=household_id)
    if found is None:
        raise NotFound("No list of this identifier knows a household of this identifier.")
    on_list = isinstance(found, Line)
    return OnTheList(
        household_id=household_id,
        on_list=on_list,
        line=LineOut(**asdict(found)) if on_list else None,
        left_out=None if on_list else LeftOutOut(**asdict(found)),
        urgent=[_to_refer(one) for one in in_danger],
    )


@contextmanager
def _a_plan(request: Request, worklist_id: str) -> Iterator[PlanStore]:
    """Plans, when the list is one: an empty answer of a list by risk alone would say that nobody is in danger."""
    with parts_of(request).shelf.store() as store:
        found = store.worklist(worklist_id)
        if found is None:
            raise NotFound(UNKNOWN)
        if found.policy_stamp is None:
            raise RequestRefused("This list goes by risk alone: it has no policy, and keeps nobody who is not on it.")
        yield PlanStore(store.database)


def _to_refer(one: Urgent) -> ToReferOut:
    return ToReferOut(**{name: cell for name, cell in asdict(one).items() if name != "place"})
