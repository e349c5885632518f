"""`GET /v1/households/{id}`, `/facts`, `/history`, `/scores`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from features.contracts import REGISTERS
from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Busy, NotFound, NothingScored, RequestRefused, StoreUnavailable, Unexpected
from serving.examples import PUBLISHED
from serving.examples_places import FACTS, HISTORY, SCORES
from serving.household_page import History, Stood, facts, in_scope, place_of, with_rows
from serving.listing import Line
from serving.looks import masked_for
from serving.paging import LINKED, link_next
from serving.parts import parts_of, refusals
from serving.schemas import LineOut, PublishedHousehold, WorklistOut
from serving.schemas_places import (
    HouseholdFacts,
    HouseholdHistory,
    HouseholdScores,
    RegisterOut,
    RowOut,
    ScoreOut,
    ServiceOut,
    StoodOut,
)
from serving.schemas_plan import DecisionOut, LeftOutOut
from serving.score_store import ScoreStore
from serving.trail.noting import entry_of

if TYPE_CHECKING:
    from serving.published import Scores
    from serving.score_store import Score

router = APIRouter(prefix="/v1", tags=["risk"])
HouseholdId = Annotated[str, Path(max_length=100, examples=["home-17"])]
Sees = Annotated[Who, allowed(Act.SEE_HOUSEHOLD)]
UNKNOWN = "No scored household has this identifier."
MOST_DECISIONS = 1_000


# Before the household itself, whose identifier may hold any character.
@router.get(
    "/households/{household_id:path}/facts",
    summary="What the registers know of a household, and what it lacks",
    responses={
        200: {
            "description": "Its accepted rows, register by register, and its services.",
            "content": {"application/json": {"example": FACTS}},
        },
        **refusals(NotFound, RequestRefused, NothingScored, Busy, StoreUnavailable, Unexpected),
    },
)
def household_facts(request: Request, household_id: HouseholdId, who: Sees) -> HouseholdFacts:
    """As accepted when the pipeline published last; a person's rows are of the home that it was recorded in last."""
    scores = with_rows(parts_of(request).published)
    enter(request, scores, household_id, who=who, what="facts")
    known = facts(scores, household_id)
    return HouseholdFacts(
        household_id=household_id,
        on=known.on,
        registers=[
            RegisterOut(
                register=name, title=REGISTERS[name].title, rows=[RowOut.model_validate(asdict(r)) for r in rows]
            )
            for name, rows in known.registers.items()
        ],
        missing_registers=list(known.missing_registers),
        services=[ServiceOut.model_validate(asdict(one)) for one in known.services],
    )


@router.get(
    "/households/{household_id:path}/history",
    summary="The lists that a household stood on or that left it out, and what was decided of it",
    responses={
        200: {
            "description": "Its lists, page by page, and its decisions.",
            "content": {"application/json": {"example": HISTORY}},
        },
        **refusals(NotFound, RequestRefused, NothingScored, StoreUnavailable, Unexpected),
    },
)
def household_history(
    request: Request,
    household_id: HouseholdId,
    who: Sees,
    *,
    limit: Annotated[int, Query(ge=1, le=100, description="Most lists on a page.")] = 20,
    before: Annotated[str | None, Query(max_length=64, description="Lists older than this one.")] = None,
) -> HouseholdHistory:
    """Where it lay in your regions when the list was made; a list by risk alone knows only the households on it."""
    parts = parts_of(request)
    with parts.shelf.store() as store:
        history = History(store.database, household_id, who)
        try:
            lists = history.lists(limit=limit + 1, before=before)
        except InputRefused as refusal:
            raise NotFound("No list of its history has the identifier in `before`.") from refusal
        decisions = history.decisions(limit=MOST_DECISIONS)
    scores = parts.published.scores()
    if not (lists or decisions):  # it may have moved away, and yet have a past here
        enter(request, scores, household_id, who=who, what="history")
    else:
        _note(request, who, household_id, what="history")
    name = masked_for(request, who).one(household_id)
    return HouseholdHistory(
        household_id=household_id,
        lists=[_stood(one, name) for one in lists[:limit]],
        next_before=lists[limit - 1].listed.id if len(lists) > limit else None,
        decisions=[DecisionOut(**asdict(one)) for one in decisions],
    )


@router.get(
    "/households/{household_id:path}/scores",
    summary="What every run of the pipeline said of a household",
    responses={
        200: {
            "description": "Its scores, page by page.",
            "content": {"application/json": {"example": SCORES}},
            **LINKED,
        },
        **refusals(NotFound, RequestRefused, NothingScored, StoreUnavailable, Unexpected),
    },
)
def household_scores(
    request: Request,
    response: Response,
    household_id: HouseholdId,
    who: Sees,
    *,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most scores on a page.")] = 100,
    before: Annotated[
        str | None, Query(max_length=64, description="Scores of runs seen before the one of this stamp.")
    ] = None,
) -> HouseholdScores:
    """Of runs in which it lay in your regions, as long as it lies there now; kept once a service saw the run whole."""
    parts = parts_of(request)
    now = parts.published.scores()
    enter(request, now, household_id, who=who, what="scores")
    with parts.shelf.store() as store:
        try:
            kept = ScoreStore(store.database)
            found = kept.of_household(household_id, who=who, limit=limit + 1, before=before)
        except InputRefused as refusal:
            raise NotFound("No score of it is of the run in `before`.") from refusal
    last = found[limit - 1].run.stamp if len(found) > limit else None
    link_next(request, response, before=last)
    shown = [_score_out(one, stamp=now.stamp) for one in found[:limit]]
    return HouseholdScores(household_id=household_id, scores=shown, next_before=last)


@router.get(
    "/households/{household_id:path}",
    summary="A household as the pipeline scored it last",
    responses={
        200: {
            "description": "Its risks, reasons and contributions.",
            "content": {"application/json": {"example": PUBLISHED}},
        },
        **refusals(NotFound, RequestRefused, NothingScored, StoreUnavailable, Unexpected),
    },
)
def household(request: Request, household_id: HouseholdId, who: Sees) -> PublishedHousehold:
    """What stands behind its place on a list."""
    parts = parts_of(request)
    scores = parts.published.scores()
    enter(request, scores, household_id, who=who, what="risk")
    named = {"masked_name": masked_for(request, who).one(household_id)}
    return PublishedHousehold.model_validate((scores.household(household_id) or {}) | named)


def enter(request: Request, scores: Scores, household_id: str, *, who: Who, what: str) -> None:
    """Go on when they may look at the household; a look that is refused stands in the trail, too."""
    if in_scope(scores, household_id, who=who):
        _note(request, who, household_id, what=what)
        return
    # What is no household's is not repeated: it may be somebody's number.
    known = (household_id,) if place_of(scores, household_id) else ()
    entry = entry_of(
        request, who, Act.SEE_HOUSEHOLD, outcome=NotFound.type, households=known, about={"what": what}
    )  # fmt: skip
    parts_of(request).trail.note(entry)
    raise NotFound(UNKNOWN)


def _note(request: Request, who: Who, household_id: str, *, what: str) -> None:
    entry = entry_of(request, who, Act.SEE_HOUSEHOLD, households=(household_id,), about={"what": what})
    parts_of(request).trail.note(entry)


def _score_out(one: Score, *, stamp: str) -> ScoreOut:
    return ScoreOut(
        **asdict(one.run),
        **{name: cell for name, cell in vars(one).items() if name != "run"},
        in_use=one.run.stamp == stamp,
    )


def _stood(one: Stood, name: str | None) -> StoodOut:
    on_list = isinstance(one.found, Line)
    return StoodOut(
        worklist=WorklistOut(**asdict(one.listed)),
        on_list=on_list,
        line=LineOut(**asdict(one.found), masked_name=name) if on_list else None,
        left_out=None if on_list else LeftOutOut(**asdict(one.found), masked_name=name),
    )
