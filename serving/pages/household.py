"""`GET /households/{id}`: a household, why its risk is what it is, what can be done, and what was done."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from features.errors import InputRefused
from features.request import HANDED_OVER
from serving.access.roles import Act, may
from serving.access.who import Who
from serving.errors import NotFound
from serving.fact_asked import asked_for
from serving.field_store import FieldStore
from serving.household_page import History, facts, not_registered, service_names, with_rows
from serving.household_view import members, plain_risk, records
from serving.listing import Line
from serving.looks import masked_for
from serving.pages.frame import show
from serving.parts import parts_of
from serving.plan_store import PlanStore
from serving.register_words import register_name
from serving.routes.households import HouseholdId, Sees, enter
from serving.score_store import ScoreStore
from serving.score_view import pictures, rows_of
from serving.trail.noting import entry_of
from serving.trail.reading import Filter, lines

if TYPE_CHECKING:
    from serving.fact_asked import AskedFor
    from serving.published import Scores
    from serving.store import Store

router = APIRouter(include_in_schema=False)
ListId = Annotated[str | None, Query(alias="list", max_length=64)]
RunStamp = Annotated[str | None, Query(alias="scores", max_length=64)]
TYPED = ("kind", "reason", "until", "decided_by", "key")
"""Fields of a decision."""
LISTS, DECISIONS, LOOKS, SCORES = 8, 20, 20, 24
"""How many of each are shown, the newest first."""


@router.get("/households/{household_id:path}")
def see(
    request: Request, household_id: HouseholdId, who: Sees, *, list_id: ListId = None, before: RunStamp = None
) -> HTMLResponse:
    """Its page; on it, how it stands on a list that led here, and its scores, of runs before one if that is asked."""
    scores = with_rows(parts_of(request).published)
    enter(request, scores, household_id, who=who, what="page")
    return page(request, scores, household_id, who=who, list_id=list_id, before=before)


def page(
    request: Request,
    scores: Scores,
    household_id: str,
    *,
    who: Who,
    list_id: str | None,
    before: str | None = None,
    status: int = 200,
    **form: Any,
) -> HTMLResponse:
    """The page, after a look that was noted; `form` is what was typed into the decision, and why it was refused."""
    published = scores.household(household_id) or {}
    known = facts(scores, household_id)
    shown = records(known)
    with parts_of(request).shelf.store() as store:
        told = _kept(request, store, household_id, who=who, list_id=list_id)
        told["scores"] = _scores(store, household_id, who=who, stamp=scores.stamp, before=before)
    return show(
        request, "household.html", who, status=status, home=published, members=members(scores, household_id, published),
        find=plain_risk(published["risk_find"]), prevent=plain_risk(published["risk_prevent"]), known=known,
        place=_place(scores, published), records=shown.items(),
        newest=[one for name, rows in shown.items() if name in HANDED_OVER for one in rows],
        service_names=service_names(scores), handed=not_registered(known, told["visits"]),
        form={"typed": dict.fromkeys(TYPED, ""), "wrong": None} | form,
        missing=[register_name(name) for name in known.missing_registers], key=secrets.token_urlsafe(16),
        masked_name=masked_for(request, who).one(household_id), simulated=published["simulated"], list_id=list_id,
        **told,
    )  # fmt: skip


def _kept(request: Request, store: Store, household_id: str, *, who: Who, list_id: str | None) -> dict[str, Any]:
    """What the store knows of it, as somebody may see it."""
    history = History(store.database, household_id, who)
    lists = history.lists(limit=LISTS)
    line, listed = None, None
    if list_id is not None:
        plans = PlanStore(store.database)
        listed, line = store.worklist(list_id, who=who), plans.line_of(list_id, household_id, who=who)
    field, newest, done = FieldStore(store.database), next(iter(lists), None), may(who.roles, Act.SEE_DECISION)
    decided = history.decisions(limit=DECISIONS) if done else []
    return {
        "corrections": _corrections(field, household_id, who=who) if done else [],
        "visits": field.visits(household_id, who=who, limit=DECISIONS) if done else [], "lists": lists,
        "decisions": decided, "names": history.names_of(decided),
        "listed": listed if line is not None else newest and newest.listed,
        "line": line if line is not None else newest and newest.found,
        "is_line": isinstance, "Line": Line, "looks": _looks(request, store, household_id, who=who),
    }  # fmt: skip


def _corrections(field: FieldStore, household_id: str, *, who: Who) -> list[AskedFor]:
    return [asked_for(one) for one in field.corrections(household_id, who=who, limit=DECISIONS)]


def _scores(store: Store, household_id: str, *, who: Who, stamp: str, before: str | None) -> dict[str, Any]:
    """What every run said of it, a page of them; `stamp` is of the scores that are in use."""
    kept = ScoreStore(store.database)
    try:
        found = kept.of_household(household_id, who=who, limit=SCORES + 1, before=before)
    except InputRefused as refusal:
        raise NotFound("No score of it is of the run that is named.") from refusal
    rows = rows_of(found[:SCORES], stamp=stamp)
    older = rows[-1].run.stamp if len(found) > SCORES else None
    return {
        "rows": rows, "pictures": pictures(rows), "older": older, "begun": before is not None,
        "intervals": any(one.find and one.find.low is not None for one in rows),
        "waiting": before is None and not kept.has(stamp),
    }  # fmt: skip


def _looks(request: Request, store: Store, household_id: str, *, who: Who) -> list[Any] | None:
    """Who looked, for whom may read the trail; that it was read is noted, too."""
    if not may(who.roles, Act.SEE_TRAIL):
        return None
    with store.database.reading() as connection:
        found = lines(connection, Filter(household_id=household_id), limit=LOOKS)
    parts_of(request).trail.note(entry_of(request, who, Act.SEE_TRAIL, households=(household_id,)))
    return found


def _place(scores: Scores, published: dict[str, Any]) -> dict[str, Any]:
    """The names of its desa and kecamatan; None where they are not known."""
    areas = scores.areas
    found = areas[areas.area_id == published["area_id"]]
    names = found[["area_name", "region_name"]].astype(object).where(found[["area_name", "region_name"]].notna(), None)
    return names.iloc[0].to_dict() if len(names) else {"area_name": None, "region_name": None}
