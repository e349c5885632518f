"""`GET /v1/worklists/{id}/plan`, `/left-out`, `/urgent`, `/households/{household_id}`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import NotFound, RequestRefused, Unexpected
from serving.examples_plan import LEFT_OUT, ON_THE_LIST, PLAN, URGENT
from serving.listing import Line
from serving.looks import masked_for, note_shown, refusals_noted
from serving.paging import LINKED, link_next
from serving.parts import parts_of, refusals
from serving.plan_store import PlanStore, Urgent
from serving.routes.worklists import ID, Limit
from serving.schemas import LineOut
from serving.schemas_plan import LeftOutOut, LeftOutPage, OnTheList, PlanOut, ToRefer, ToReferOut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serving.masked_names import Masks

router = APIRouter(prefix="/v1/worklists", tags=["lists"])
UNKNOWN = "No list has this identifier."
REFUSALS = refusals(NotFound, RequestRefused, Unexpected)


@router.get(
    "/{worklist_id}/plan",
    summary="The policy of a plan, what it comes to, and what its limits cost",
    responses={
        200: {"description": "The plan, without its lines.", "content": {"application/json": {"example": PLAN}}},
        **REFUSALS,
    },
)
def plan(request: Request, worklist_id: ID, who: Annotated[Who, allowed(Act.SEE_LIST)]) -> PlanOut:
    """As it was made; told of a plan that lies wholly in your regions, as its figures count all its households."""
    with _a_plan(request, worklist_id, who=who) as store:
        found = store.plan(worklist_id, who=who)
        if found is None:
            raise NotFound("No plan that lies wholly in your regions has this identifier.")
        note_shown(request, who, Act.SEE_LIST, list_id=worklist_id)
    return PlanOut(**asdict(found))


@router.get(
    "/{worklist_id}/left-out",
    summary="Whom a plan leaves out, and why, page by page",
    responses={
        200: {
            "description": "Some of the households with a score that it does not visit.",
            "content": {"application/json": {"example": LEFT_OUT}},
            **LINKED,
        },
        **REFUSALS,
    },
)
def left_out(
    request: Request,
    response: Response,
    worklist_id: ID,
    who: Annotated[Who, allowed(Act.SEE_LIST)],
    after: Annotated[str | None, Query(max_length=100, description="Households after this identifier.")] = None,
    limit: Limit = 100,
    region: Annotated[str | None, Query(max_length=100, description="Only this region's households.")] = None,
) -> LeftOutPage:
    """Those of your regions, by identifier, as it stood when the plan was made."""
    with _a_plan(request, worklist_id, who=who) as store:
        found = store.left_out(worklist_id, limit=limit + 1, after_household=after, region=region, who=who)
        homes = [one.household_id for one in found[:limit]]
        note_shown(request, who, Act.SEE_LIST, list_id=worklist_id, households=homes)
    names = masked_for(request, who).of(homes)
    shown = [LeftOutOut(**asdict(one), masked_name=name) for one, name in zip(found, names, strict=False)]
    more = homes[-1] if len(found) > limit else None
    link_next(request, response, after=more)
    return LeftOutPage(households=shown, next_after=more)


@router.get(
    "/{worklist_id}/urgent",
    summary="Who is to be referred at once, whatever a plan says",
    responses={
        200: {
            "description": "The urgent list as it stood when the plan was made, whole but for regions not yours.",
            "content": {"application/json": {"example": URGENT}},
        },
        **REFUSALS,
    },
)
def urgent(request: Request, worklist_id: ID, who: Annotated[Who, allowed(Act.SEE_LIST)]) -> ToRefer:
    """Of all your regions, those too that the plan is not about: nobody in danger waits behind a rank."""
    with _a_plan(request, worklist_id, who=who) as store:
        found = store.urgent(worklist_id, who=who)
        note_shown(request, who, Act.SEE_LIST, list_id=worklist_id, households=[one.household_id for one in found])
    return ToRefer(urgent=_to_refer(found, masked_for(request, who)))


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
    who: Annotated[Who, allowed(Act.SEE_HOUSEHOLD)],
) -> OnTheList:
    """A list by risk alone knows only the households on it."""
    with parts_of(request).shelf.store() as opened:
        store = PlanStore(opened.database)
        with refusals_noted(
            request, who, Act.SEE_HOUSEHOLD, list_id=worklist_id, household_id=household_id,
            known=lambda: store.knows(worklist_id, household_id),
        ):  # fmt: skip
            found = store.line_of(worklist_id, household_id, who=who)
            if found is None:
                raise NotFound("No list of this identifier knows a household of this identifier.")
            in_danger = store.urgent(worklist_id, household_id=household_id, who=who)
            note_shown(request, who, Act.SEE_HOUSEHOLD, list_id=worklist_id, households=[household_id])
    on_list, names = isinstance(found, Line), masked_for(request, who)
    name = names.one(household_id)
    return OnTheList(
        household_id=household_id,
        on_list=on_list,
        line=LineOut(**asdict(found), masked_name=name) if on_list else None,
        left_out=None if on_list else LeftOutOut(**asdict(found), masked_name=name),
        urgent=_to_refer(in_danger, names),
    )


@contextmanager
def _a_plan(request: Request, worklist_id: str, *, who: Who) -> Iterator[PlanStore]:
    """Plans, when the list is one: an empty answer of a list by risk alone would say that nobody is in danger."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=worklist_id):
        found = store.worklist(worklist_id, who=who)
        if found is None:
            raise NotFound(UNKNOWN)
        if found.policy_stamp is None:
            raise RequestRefused("This list goes by risk alone: it has no policy, and keeps nobody who is not on it.")
        yield PlanStore(store.database)


def _to_refer(some: Sequence[Urgent], names: Masks) -> list[ToReferOut]:
    told = [{name: cell for name, cell in asdict(one).items() if name != "place"} for one in some]
    masks = names.of([one.household_id or "" for one in some])
    return [ToReferOut(**one, masked_name=mask) for one, mask in zip(told, masks, strict=True)]
