"""`POST /v1/decisions`, `GET /v1/decisions`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.decisions import Asked, Decision, Decisions, KeyTaken, NotOnTheList
from serving.errors import Conflict, NotFound, NotJson, RequestRefused, TooLarge, Unexpected
from serving.examples_plan import DECIDED, DECISIONS
from serving.looks import note_shown, refusals_noted
from serving.paging import LINKED, link_next
from serving.parts import parts_of, refusals
from serving.plan_store import PlanStore
from serving.routes.worklists import Key, Limit
from serving.schemas_plan import DecisionOut, DecisionRequest, DecisionsPage
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    import sqlalchemy as sa

    from serving.store import Store

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
        **refusals(NotJson, NotFound, Conflict, TooLarge, RequestRefused, Unexpected),
    },
)
def decide(
    request: Request,
    asked: DecisionRequest,
    who: Annotated[Who, allowed(Act.DECIDE)],
    idempotency_key: Key = None,
) -> DecisionOut:
    """Kept for good: nobody can change it, and a later one is put beside it.

    An objection or a deferral keeps the household off every new plan until it is over.
    """
    with parts_of(request).shelf.store() as store:
        decisions_of = PlanStore(store.database)
        with refusals_noted(
            request, who, Act.DECIDE, list_id=asked.worklist_id, household_id=asked.household_id,
            known=lambda: decisions_of.knows(asked.worklist_id, asked.household_id),
        ):  # fmt: skip
            return DecisionOut(**asdict(keep_decision(request, store, asked, who=who, key=idempotency_key)))


def keep_decision(request: Request, store: Store, asked: DecisionRequest, *, who: Who, key: str | None) -> Decision:
    """The decision as it was kept, with its line of the trail.

    Raises
    ------
    RequestRefused, NotFound, Conflict
    """

    def note(connection: sa.Connection, decision: Decision) -> None:
        about = {"decision": decision.id, "kind": decision.kind}
        home, list_id = (decision.household_id,), decision.worklist_id
        append(connection, [entry_of(request, who, Act.DECIDE, list_id=list_id, households=home, about=about)])

    try:
        return Decisions(store.database).decide(
            Asked(**asked.model_dump()), at=parts_of(request).service.now(), who=who, key=key, note=note
        )
    except InputRefused as refusal:
        raise RequestRefused(str(refusal)) from refusal
    except NotOnTheList as refusal:
        raise NotFound(str(refusal)) from refusal
    except KeyTaken as refusal:
        raise Conflict(str(refusal)) from refusal


@router.get(
    "",
    summary="Decisions, newest first",
    responses={
        200: {
            "description": "Some of the decisions.",
            "content": {"application/json": {"example": DECISIONS}},
            **LINKED,
        },
        **refusals(NotFound, RequestRefused, Unexpected),
    },
)
def decisions(
    request: Request,
    response: Response,
    who: Annotated[Who, allowed(Act.SEE_DECISION)],
    worklist_id: Annotated[str | None, Query(max_length=64, description="Only of this list.")] = None,
    household_id: Annotated[str | None, Query(max_length=100, description="Only of this household.")] = None,
    before: Annotated[str | None, Query(max_length=64, description="Decisions made before this one.")] = None,
    limit: Limit = 100,
) -> DecisionsPage:
    """Of households of your regions, of every list, unless asked otherwise."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_DECISION, list_id=worklist_id):
        try:
            found = Decisions(store.database).decisions(
                limit=limit + 1, who=who, worklist_id=worklist_id, household_id=household_id, before=before
            )
        except InputRefused as refusal:
            raise NotFound("No decision has the identifier in `before`.") from refusal
        shown = [DecisionOut(**asdict(one)) for one in found[:limit]]
        note_shown(request, who, Act.SEE_DECISION, households=[one.household_id for one in shown])
    more = shown[-1].id if len(found) > limit else None
    link_next(request, response, before=more)
    return DecisionsPage(decisions=shown, next_before=more)
