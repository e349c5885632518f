"""`/field`: a list on a phone, household by household, and what each visit brings back."""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse

from features.errors import InputRefused
from features.growth import AGE_LIMIT_MONTHS
from serving.access.gate import allowed
from serving.access.roles import Act, may
from serving.access.who import Who
from serving.assignments import NOBODY, Assignments
from serving.browsing import Browsing
from serving.errors import Conflict, NotFound, NothingScored, RequestRefused
from serving.field_store import FieldStore, KeyTaken, Seen
from serving.household_page import facts, in_scope, not_registered, place_of, service_names, with_rows
from serving.household_view import plain_risk
from serving.list_page import in_danger
from serving.list_totals import totals
from serving.looks import masked_for, note_shown, refusals_noted
from serving.measuring import children_of
from serving.pages.entering import FORM, Form, form_of
from serving.pages.field_form import Typed, today_of, typed_visit
from serving.pages.field_view import narrowed, way_back
from serving.pages.frame import language, show
from serving.pages.lists import areas_of, regions_of
from serving.parts import parts_of
from serving.plan_store import PlanStore
from serving.trail.noting import entry_of
from serving.trail.writer import append
from targeting.urgent import limits_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from serving.household_page import Service
    from serving.listing import StoredList
    from serving.measuring import Child
    from serving.published import Scores
    from serving.store import Store

router = APIRouter(include_in_schema=False)
Visits = Annotated[Who, allowed(Act.VISIT)]
ListId = Annotated[str, Path(max_length=64)]
HouseholdId = Annotated[str, Path(max_length=100)]
WORKER = File(__file__).parent / "static" / "field-worker.js"
# A worker is bound by the policy of its own file: it may ask this service, and nobody else.
OF_WORKER = {
    "Cache-Control": "no-cache", "Service-Worker-Allowed": "/field",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
}  # fmt: skip
LISTS, HOUSEHOLDS = 15, 30
"""On a page that must be small."""
AS_JSON = "application/json"


@router.get("/field/worker.js")
def worker(_: Visits) -> FileResponse:
    """What answers from the copy on the phone while there is no line."""
    return FileResponse(WORKER, media_type="text/javascript", headers=OF_WORKER)


@router.get("/field")
def lists(request: Request, who: Visits) -> HTMLResponse:
    """The newest lists, to choose one."""
    with parts_of(request).shelf.store() as store:
        found = store.worklists(limit=LISTS, who=who)
    note_shown(request, who, Act.SEE_LIST)
    return show(request, "field.html", who, lists=found, simulated=any(one.simulated for one in found))


@router.get("/field/{worklist_id}")
def of_list(request: Request, worklist_id: ListId, who: Visits) -> HTMLResponse:
    """The households of a list in somebody's regions, by rank: those given to them, or as they narrow it."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=worklist_id):
        listed = _list(store, worklist_id, who=who)
        teams = Assignments(store.database).teams(listed, who=who) if may(who.roles, Act.SEE_DECISION) else None
        look = narrowed(request.query_params, listed, who=who, teams=teams)
        try:
            shown = Browsing(store.database).page(
                listed, look.view.wanted, limit=HOUSEHOLDS, who=who, after=look.view.after
            )
        except InputRefused as refusal:
            raise NotFound("The list knows no household at which the page could begin.") from refusal
        made, scores = totals(store.database, listed, who=who), _scores(request)
        urgent = in_danger(store.database, listed, who=who, scores=scores, limit=HOUSEHOLDS, only=look.view.place)
        visited = FieldStore(store.database).visited_of(worklist_id, who=who)
    homes = [one.household_id for one in shown.lines]
    told = [one.household_id for one in urgent.some if one.household_id is not None] if urgent else []
    note_shown(request, who, Act.SEE_LIST, list_id=worklist_id, households=[*told, *homes])
    regions = regions_of(made, scores=scores)
    places = regions | {one.area_id: one.area_name or one.area_id for one in made.places if one.area_id is not None}
    return show(
        request, "field_list.html", who, listed=listed, look=look, shown=shown, visited=visited, nobody=NOBODY,
        lines=[(line, plain_risk(line.risk)) for line in shown.lines], told=look.told(language(request), places=places),
        regions=regions, areas=areas_of(made, region=look.view.wanted.region), simulated=listed.simulated,
        urgent=urgent, area_names=places, opens={one for one in told if scores and in_scope(scores, one, who=who)},
        masks=dict(zip([*told, *homes], masked_for(request, who).of([*told, *homes]), strict=True)),
    )  # fmt: skip


@router.get("/field/{worklist_id}/{household_id:path}")
def see(
    request: Request, worklist_id: ListId, household_id: HouseholdId, who: Visits,
    kept: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
) -> HTMLResponse:  # fmt: skip
    """What to bring and what to measure there, and the form of the visit."""
    scores, listed = _entered(request, worklist_id, household_id, who=who)
    return _page(request, scores, household_id, who=who, listed=listed, kept=kept)


@router.post("/field/{worklist_id}/{household_id:path}", dependencies=[FORM])
def visited(request: Request, worklist_id: ListId, household_id: HouseholdId, who: Visits) -> Response:
    """The visit, kept once for its key; or the form again with the z-scores, and with what to measure again.

    One that was filled in without a line is kept whatever should be measured again, as nobody could be told then.
    """
    scores, listed = _entered(request, worklist_id, household_id, who=who)
    form, known = form_of(request), facts(scores, household_id)
    typed = typed_visit(
        form, children_of(scores, household_id), services=[one.service for one in known.services],
        limits=limits_of(scores.settings), said=language(request),
    )  # fmt: skip
    as_json = AS_JSON in request.headers.get("accept", "")
    unsure = typed.again and not (form.get("sure") or as_json)
    if not typed.wrong and not unsure and form.get("do") != "check":
        found = _keep(request, who, Of(scores, listed.id, household_id), typed=typed, key=form.get("key"))
        if as_json:
            return JSONResponse({"kept": found, "urgent": typed.urgent, "again": typed.again}, 201)
        back = way_back(form.get("view", "")).replace("?", "&", 1)
        return RedirectResponse(f"/field/{listed.id}/{quote(household_id, safe='')}?kept={found}{back}", 303)
    if as_json:
        raise RequestRefused(" ".join(typed.wrong))
    status = 200 if form.get("do") == "check" and not typed.wrong else 422
    return _page(request, scores, household_id, who=who, listed=listed, typed=typed, form=form, status=status)


class Of:
    """Which household of which list a visit was to."""

    def __init__(self, scores: Scores, list_id: str, household_id: str) -> None:
        self.list_id, self.household_id = list_id, household_id
        self.region_id, self.area_id = place_of(scores, household_id) or (None, None)


def _list(store: Store, worklist_id: str, *, who: Who) -> StoredList:
    listed = store.worklist(worklist_id, who=who)
    if listed is None:
        raise NotFound("No list has this identifier.")
    return listed


def _urgent(store: Store, listed: StoredList, *, who: Who, scores: Scores, only: dict[str, str]) -> bool:
    found = in_danger(store.database, listed, who=who, scores=scores, limit=1, only=only)
    return found is not None and found.count > 0


def _scores(request: Request) -> Scores | None:
    """Those of now, which have the names of regions; a list is shown whether or not there are any."""
    try:
        return parts_of(request).published.scores()
    except NothingScored:
        return None


def _entered(request: Request, worklist_id: str, household_id: str, *, who: Who) -> tuple[Scores, StoredList]:
    """The scores and the list that tells of the household, be it as one to refer, after a look that was noted."""
    parts = parts_of(request)
    scores = with_rows(parts.published)
    with parts.shelf.store() as store:
        plans = PlanStore(store.database)
        with refusals_noted(
            request, who, Act.SEE_HOUSEHOLD, list_id=worklist_id, household_id=household_id,
            known=lambda: plans.knows(worklist_id, household_id),
        ):  # fmt: skip
            listed = _list(store, worklist_id, who=who)
            told = plans.line_of(worklist_id, household_id, who=who) or _urgent(
                store, listed, who=who, scores=scores, only={"household_id": household_id}
            )
            if not told or not in_scope(scores, household_id, who=who):
                raise NotFound("The list does not know a household of this identifier.")
    note_shown(request, who, Act.SEE_HOUSEHOLD, list_id=worklist_id, households=[household_id], what="field")
    return scores, listed


def _keep(request: Request, who: Who, of: Of, *, typed: Typed, key: str | None) -> str:
    if typed.visited_on is None or typed.outcome is None:
        raise RequestRefused("A visit has a day and an outcome.")
    seen = Seen(
        household_id=of.household_id, region_id=of.region_id, area_id=of.area_id, worklist_id=of.list_id,
        visited_on=typed.visited_on, outcome=typed.outcome, note=typed.note,
        given=[{"service": code, "person_id": None} for code in typed.services],
        measured=[one.as_json() for one in typed.measured],
    )  # fmt: skip

    def note(connection: sa.Connection, kept: str) -> None:
        about = {"visit": kept, "outcome": seen.outcome, "measured": len(seen.measured), "given": len(seen.given)}
        line = entry_of(request, who, Act.VISIT, list_id=of.list_id, households=(of.household_id,), about=about)
        append(connection, [line])

    with parts_of(request).shelf.store() as store:
        try:
            return FieldStore(store.database).visited(
                seen, at=dt.datetime.now(tz=dt.UTC), who=who, key=key or secrets.token_urlsafe(16), note=note
            )
        except InputRefused as refusal:
            raise RequestRefused(str(refusal)) from refusal
        except KeyTaken as refusal:
            raise Conflict(str(refusal)) from refusal


def _page(
    request: Request,
    scores: Scores,
    household_id: str,
    *,
    who: Who,
    listed: StoredList,
    status: int = 200,
    **told: Any,
) -> HTMLResponse:
    known, today = facts(scores, household_id), today_of(language(request).zone)
    with parts_of(request).shelf.store() as store:
        visits = FieldStore(store.database).visits(household_id, who=who, limit=5)
    published = scores.household(household_id) or {}
    blank = {"typed": None, "kept": None}
    typed: Typed | None = told.get("typed")
    day = (typed and typed.visited_on) or today
    form = told.setdefault("form", Form([]))
    back = way_back(form.get("view") or request.url.query)
    return show(
        request, "field_household.html", who, status=status, listed=listed, home=published, today=today,
        children=_children(scores, household_id, on=day), offered=_offered(known.services), visits=visits,
        service_names=service_names(scores), handed=not_registered(known, visits),
        key=form.get("key") or secrets.token_urlsafe(16), simulated=published["simulated"],
        muac_cm=limits_of(scores.settings).muac_cm, back=back,
        masked_name=masked_for(request, who).one(household_id), **blank | told,
    )  # fmt: skip


def _children(scores: Scores, household_id: str, *, on: dt.date) -> tuple[Child, ...]:
    """Those under five on a day: nobody else is measured."""
    return tuple(one for one in children_of(scores, household_id) if one.age_months(on) < AGE_LIMIT_MONTHS)


def _offered(services: tuple[Service, ...]) -> list[Service]:
    """What may be handed over: what is lacking, and what nobody knows of."""
    return [one for one in services if one.status != "received"]
