"""`GET /v1/trail`, `GET /v1/trail/households/{id}`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Forbidden, NotFound, NothingScored, RequestRefused, StoreUnavailable, Unexpected
from serving.examples_trail import OF_HOUSEHOLD, TRAIL
from serving.household_page import in_scope, place_of
from serving.looks import refusals_noted
from serving.paging import LINKED, link_next
from serving.parts import parts_of, refusals
from serving.schemas_trail import TrailLine, TrailOfHousehold, TrailOfHouseholdLine, TrailPage, TrailQuery
from serving.trail.noting import entry_of
from serving.trail.reading import LAST_NUMBER, Filter, Told, lines, nth_of, number_of

router = APIRouter(prefix="/v1/trail", tags=["trail"])
Reads = Annotated[Who, allowed(Act.SEE_TRAIL)]
Before = Annotated[int | None, Query(ge=1, le=LAST_NUMBER, description="`next_before` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Most lines on a page.")]
SHOWN = tuple(TrailOfHouseholdLine.model_fields)


@router.get(
    "",
    summary="The trail, newest first",
    responses={
        200: {"description": "Some of its lines.", "content": {"application/json": {"example": TRAIL}}, **LINKED},
        **refusals(Forbidden, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def see(request: Request, response: Response, who: Reads, asked: Annotated[TrailQuery, Query()]) -> TrailPage:
    """Of every household, and so for those alone who may look everywhere. That you looked is noted, too."""
    trail = parts_of(request).trail
    if not who.scope.everywhere:
        trail.note(entry_of(request, who, Act.SEE_TRAIL, outcome=Forbidden.type))
        raise Forbidden(
            "The whole trail names households of every region: it needs a grant everywhere. Of one household of yours "
            "ask /v1/trail/households/ and its identifier."
        )
    wanted = Filter(
        who=asked.who, act=asked.act, list_id=asked.list_id, since=_in_utc(asked.since), before=asked.before
    )
    shown, following = _page(request, wanted, limit=asked.limit)
    trail.note(entry_of(request, who, Act.SEE_TRAIL, list_id=asked.list_id, about={"lines": len(shown)}))
    link_next(request, response, before=following)
    return TrailPage(lines=[TrailLine(**asdict(line)) for line in shown], next_before=following)


# Its identifier may hold any character.
@router.get(
    "/households/{household_id:path}",
    summary="Who saw or changed a household, newest first",
    responses={
        200: {
            "description": "Some of the lines.",
            "content": {"application/json": {"example": OF_HOUSEHOLD}},
            **LINKED,
        },
        **refusals(NotFound, RequestRefused, NothingScored, StoreUnavailable, Unexpected),
    },
)
def of_household(
    request: Request,
    response: Response,
    who: Reads,
    household_id: Annotated[str, Path(max_length=100, examples=["home-17"])],
    before: Before = None,
    limit: Limit = 50,
) -> TrailOfHousehold:
    """Of one that was scored last, in your regions; who may look everywhere finds those of earlier scores, too.

    What else a line is about is not told here, as it may be of other regions. That you looked is noted, too.
    """
    parts = parts_of(request)
    is_scored, is_theirs = _known(request, household_id, who=who)
    with refusals_noted(request, who, Act.SEE_TRAIL, household_id=household_id, known=lambda: is_scored):
        # Looked up for who may not see it, too: how long the answer takes tells nothing either.
        shown, following = _page_of(request, household_id, who=who, before=before, limit=limit)
        if not (is_theirs or (who.scope.everywhere and shown)):
            raise NotFound("No household has this identifier.")
    parts.trail.note(entry_of(request, who, Act.SEE_TRAIL, households=(household_id,)))
    link_next(request, response, before=following)
    hidden: dict[str, None] = {} if who.scope.everywhere else {"number": None}
    told = [TrailOfHouseholdLine(**{name: getattr(line, name) for name in SHOWN} | hidden) for line in shown]
    return TrailOfHousehold(lines=told, next_before=following)


def _known(request: Request, household_id: str, *, who: Who) -> tuple[bool, bool]:
    """Whether a household was scored last, and whether where somebody may look."""
    try:
        scores = parts_of(request).published.scores()
    except NothingScored:
        if who.scope.everywhere:
            return False, False
        raise
    return place_of(scores, household_id) is not None, in_scope(scores, household_id, who=who)


def _page(request: Request, asked: Filter, *, limit: int) -> tuple[list[Told], int | None]:
    """Lines, and the number before which the next ones are; None at the end."""
    with parts_of(request).shelf.store() as store, store.database.reading() as connection:
        found = lines(connection, asked, limit=limit + 1)
    return found[:limit], found[limit - 1].number if len(found) > limit else None


def _page_of(
    request: Request, household_id: str, *, who: Who, before: int | None, limit: int
) -> tuple[list[Told], int | None]:
    """As `_page`; for who may not look everywhere lines are counted among those about the household alone."""
    with parts_of(request).shelf.store() as store, store.database.reading() as connection:
        if before is not None and not who.scope.everywhere:
            before = number_of(connection, household_id, nth=before)
        found = lines(connection, Filter(household_id=household_id, before=before), limit=limit + 1)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1].number
        return found[:limit], last if who.scope.everywhere else nth_of(connection, household_id, number=last)


def _in_utc(since: dt.datetime | None) -> dt.datetime | None:
    try:
        return since and since.astimezone(dt.UTC)
    except OverflowError as fault:  # the first hours of the calendar east of Greenwich
        raise RequestRefused("since: a moment that has no date in UTC.") from fault
