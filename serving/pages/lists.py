"""`/lists`, `/lists/{id}`, and of a list its urgent referrals, whom it leaves out, and a form for paper."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act, may
from serving.access.who import Who
from serving.assignments import MOST_CHARACTERS, NOBODY, Assignments, mark_of
from serving.bands import BANDS
from serving.browsing import Browsing
from serving.errors import NotFound, NothingScored
from serving.field_export import VISITED
from serving.field_store import FieldStore
from serving.household_page import place_of
from serving.last_visits import last_visits, newest
from serving.list_page import in_danger, rows, sheets
from serving.list_totals import Place, Totals, services, totals
from serving.looks import masked_for, note_shown, refusals_noted
from serving.pages.frame import show
from serving.pages.list_view import COLUMNS, LINES, columns_for, everything, view_of
from serving.pages.naming import REGISTER
from serving.parts import parts_of
from serving.plan_store import PlanStore
from serving.previewing import choices
from serving.routes.exports import letterhead

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence

    from starlette.datastructures import QueryParams

    from serving.list_page import InDanger
    from serving.listing import StoredList
    from serving.masked_names import Masks
    from serving.pages.list_view import View
    from serving.published import Scores
    from serving.store import Store

router = APIRouter(include_in_schema=False)
ID = Annotated[str, Path(max_length=64)]
Sees = Annotated[Who, allowed(Act.SEE_LIST)]
LISTS, FIRST, ON_PAPER, BESIDE = 20, 3, 40, 50
"""Lists on a page; of the urgent above a list; lines of a paper; lines of the pages beside a list."""
REFERRED_ON_PAPER = 200
"""Paper leads to no other page; of more in the place that it is of, it says where all are."""
SCREEN, PAPER = ("list.html", LINES, FIRST), ("list_print.html", ON_PAPER, REFERRED_ON_PAPER)
"""Template of a page of lines, how many it has, and how many of those to be referred at once."""
MOST_AREAS = 60
"""Of which somebody chooses one at once; of more, they choose the kecamatan first."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a page of a list tells of it, whatever page it is."""

    found: StoredList
    view: View
    totals: Totals
    urgent: InDanger | None
    scores: Scores | None
    names: Masks
    teams: dict[str, int] | None
    """None where somebody may not see who visits, nor what was decided."""


@router.get("/lists")
def index(request: Request, who: Sees, before: Annotated[str | None, Query(max_length=64)] = None) -> HTMLResponse:
    """The lists, newest first."""
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=before):
        try:
            found = store.worklists(limit=LISTS + 1, who=who, before=before)
        except InputRefused as refusal:
            raise NotFound("No list has the identifier in `before`.") from refusal
        note_shown(request, who, Act.SEE_LIST)
    more = found[LISTS - 1].id if len(found) > LISTS else None
    return show(request, "lists.html", who, lists=found[:LISTS], more=more, later=before is not None)


@router.get("/lists/{list_id}")
def see(request: Request, list_id: ID, who: Sees, given: Annotated[int | None, Query(ge=0)] = None) -> HTMLResponse:
    """A list, page by page; `given` says how many households were just given to somebody."""
    return page(request, list_id, who=who, given=given)


@router.get("/lists/{list_id}/print")
def on_paper(request: Request, list_id: ID, who: Sees) -> HTMLResponse:
    """The same lines for paper; sorted by desa, each desa on its own page."""
    return page(request, list_id, who=who, paper=True)


def page(
    request: Request,
    list_id: str,
    *,
    who: Who,
    paper: bool = False,
    status: int = 200,
    asked: QueryParams | None = None,
    **told: Any,
) -> HTMLResponse:
    """A page of lines; whose they are stands in the trail before it is sent.

    Parameters
    ----------
    paper
        Whether it is printed: then it says of those to be referred who lies where the list is narrowed to.
    asked
        What the address asks for; None: as the request's own.
    """
    template, limit, referred = PAPER if paper else SCREEN
    with _looked(request, list_id, who=who, asked=asked, limit=referred, narrowed=paper) as (store, at):
        # Read before the lines: what comes between is refused once, rather than overruled unread.
        told["seen"] = Assignments(store.database).made(at.found, who=who)
        try:
            shown = Browsing(store.database).page(
                at.found, at.view.wanted, limit=limit, who=who, after=at.view.after, before=at.view.before
            )
        except InputRefused as refusal:
            raise NotFound("The list knows no household at which the page could begin.") from refusal
        homes = [line.household_id for line in shown.lines]
        made = rows(
            store.database, at.found, shown.lines, visits=_visits(store, at, homes, who=who), cuts=at.totals.cuts,
            names=at.names, zone=ZoneInfo(parts_of(request).service.time_zone), decisions=at.teams is not None,
        )  # fmt: skip
        told |= {
            "rows": made,
            "sheets": sheets(made, by_area=at.view.wanted.order.endswith("area")),
        }
        note_shown(request, who, Act.SEE_LIST, list_id=at.found.id, households=[*homes, *_homes(at.urgent)])
    return show(
        request, template, who, status=status, shown=shown, letterhead=letterhead(parts_of(request).service.letterhead),
        **_told(at), **told,
    )  # fmt: skip


@router.get("/lists/{list_id}/urgent")
def urgent(request: Request, list_id: ID, who: Sees, skip: Annotated[int, Query(ge=0, le=10**6)] = 0) -> HTMLResponse:
    """Who is to be referred at once, whatever the list says."""
    with _looked(request, list_id, who=who, limit=BESIDE, skip=skip) as (_, at):
        note_shown(request, who, Act.SEE_LIST, list_id=at.found.id, households=_homes(at.urgent))
    return show(request, "list_urgent.html", who, skip=skip, step=BESIDE, **_told(at))


@router.get("/lists/{list_id}/left-out")
def left_out(
    request: Request, list_id: ID, who: Sees, after: Annotated[str | None, Query(max_length=100)] = None
) -> HTMLResponse:
    """Whom a plan does not visit, and why."""
    with _looked(request, list_id, who=who) as (store, at):
        if at.found.policy_stamp is None:
            raise NotFound("This list goes by risk alone, and keeps nobody who is not on it.")
        region = at.view.wanted.region
        found = PlanStore(store.database).left_out(
            at.found.id, limit=BESIDE + 1, who=who, after_household=after, region=region
        )
        homes = [one.household_id for one in found[:BESIDE]]
        note_shown(request, who, Act.SEE_LIST, list_id=at.found.id, households=[*homes, *_homes(at.urgent)])
    more = homes[-1] if len(found) > BESIDE else None
    told = _told(at) | {"regions": _scored_regions(at, who)}
    areas = _area_names(at.scores, {one.area_id for one in found})
    return show(
        request, "list_left_out.html", who, out=found[:BESIDE], more=more, after=after, area_names=areas, **told
    )


def _visits(store: Store, at: Looked, homes: Sequence[str], *, who: Who) -> dict[str, dt.date]:
    """When each was visited last: by the register, and by what was noted here for who may see it."""
    registered = {} if at.scores is None else last_visits(at.scores, homes, scope=who.scope)
    if at.teams is None:
        return registered
    return newest(registered, FieldStore(store.database).last_visits(homes, outcomes=VISITED, who=who))


@contextmanager
def _looked(
    request: Request,
    list_id: str,
    *,
    who: Who,
    asked: QueryParams | None = None,
    limit: int = FIRST,
    skip: int = 0,
    narrowed: bool = False,
) -> Iterator[tuple[Store, Looked]]:
    """The list as somebody sees it, with those of its urgent who are shown."""
    scores, names = _scores(request), masked_for(request, who)
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.SEE_LIST, list_id=list_id):
        found = store.worklist(list_id, who=who)
        if found is None:
            raise NotFound("No list has this identifier.")
        teams = Assignments(store.database).teams(found, who=who) if may(who.roles, Act.SEE_DECISION) else None
        view = view_of(request.query_params if asked is None else asked, found, teams=teams, named=bool(names))
        yield store, Looked(
            found=found, view=view, scores=scores, names=names, teams=teams,
            totals=totals(store.database, found, who=who),
            urgent=in_danger(
                store.database, found, who=who, scores=scores, limit=limit, skip=skip,
                only=view.place if narrowed else {},
            ),
        )  # fmt: skip


def _told(at: Looked) -> dict[str, Any]:
    areas = areas_of(at.totals, region=at.view.wanted.region)
    return {
        "list": at.found, "view": at.view, "all": everything(at.view), "totals": at.totals, "urgent": at.urgent,
        "simulated": at.found.simulated, "bands": BANDS, "services": services(), "nobody": NOBODY,
        "areas": areas, "regions": regions_of(at.totals, scores=at.scores), "registers": REGISTER,
        "columns": [
            (name, COLUMNS[name])
            for name in columns_for(at.found, decisions=at.teams is not None, named=bool(at.names))
        ],
        "names": at.names,
        "teams": [(mark_of(at.found.id, name), name, count) for name, count in (at.teams or {}).items()],
        "most_characters": MOST_CHARACTERS, "known": partial(_has_page, at.scores),
    }  # fmt: skip


def _scored_regions(at: Looked, who: Who) -> dict[str, str]:
    """Those of the scores where somebody may look: whoever was left out lies in regions without a line, too."""
    with suppress(NothingScored):  # while they are replaced
        if at.scores is not None:
            return {one.region_id: one.name for one in choices(at.scores, who.scope)}
    return regions_of(at.totals, scores=at.scores)


def _area_names(scores: Scores | None, ids: Collection[str | None]) -> dict[str, str]:
    """Names of areas that the register knows, by identifier."""
    with suppress(NothingScored):  # while they are replaced
        if scores is not None:
            known = scores.areas[scores.areas.area_id.isin(ids)].dropna(subset="area_name")
            return dict(zip(known.area_id, known.area_name, strict=True))
    return {}


def _has_page(scores: Scores | None, household_id: str) -> bool:
    """Whether a household was scored: one with nobody but a woman in danger, or that moved away, was not."""
    return scores is None or place_of(scores, household_id) is not None


def areas_of(made: Totals, *, region: str | None) -> list[Place] | None:
    """Those to choose from; None when a region is to be chosen first."""
    found = [one for one in made.places if one.area_id is not None and region in (None, one.region_id)]
    return found if region is not None or len(found) <= MOST_AREAS else None


def regions_of(made: Totals, *, scores: Scores | None) -> dict[str, str]:
    """Names of the regions with lines, by identifier; one that the register does not know goes by that."""
    ids = dict.fromkeys(one.region_id for one in made.places if one.region_id is not None)
    names: dict[str, str] = {}
    with suppress(NothingScored):  # while they are replaced
        if scores is not None:
            known = scores.areas.dropna(subset=["region_id", "region_name"])
            names = dict(zip(known.region_id, known.region_name, strict=True))
    return {one: str(names.get(one, one)) for one in ids}


def _homes(found: InDanger | None) -> list[str | None]:
    return [] if found is None else [one.household_id for one in found.some]


def _scores(request: Request) -> Scores | None:
    """Those of now; a list is shown as it was made, whether or not there are any."""
    try:
        return parts_of(request).published.scores()
    except NothingScored:
        return None
