"""`GET /`: the district on one screen, and `/?region=...` one kecamatan of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from features.growth import DAYS_PER_MONTH
from serving.access.gate import allowed
from serving.access.roles import Act, may
from serving.access.who import Who
from serving.errors import NotFound, NothingScored
from serving.gaps import Gaps, gaps
from serving.list_page import STALE_DAYS
from serving.looks import note_shown
from serving.pages.frame import language, show
from serving.pages.map import SHADES, mapped
from serving.pages.naming import QUALITY, REGISTER
from serving.parts import parts_of
from serving.warming import warm

if TYPE_CHECKING:
    import datetime as dt

    from serving.landscape import Landscape, Reached
    from serving.listing import StoredList

router = APIRouter(include_in_schema=False)
PATIENCE_S = 0.15
"""A page is not kept waiting for what takes long; it says that it is still being counted."""
Region = Annotated[str | None, Query(max_length=100)]
Shaded = Annotated[Literal["expected", "share", "reached"], Query()]


@router.get("/")
def overview(
    request: Request, who: Annotated[Who, allowed(Act.SEE_REGION)], region: Region = None, shade: Shaded = "expected"
) -> HTMLResponse:
    """What lies in somebody's regions; a region of others is as one that is not."""
    parts = parts_of(request)
    scores = parts.published.scores()
    if may(who.roles, Act.SEE_HOUSEHOLD):
        warm(parts.published, parts.names)
    land = scores.landscape
    newest, reached = _reached(request, land, who) if _sees_lists(who) else (None, None)
    whole, places = land.places(who.scope, region=region, reached=reached)
    if region is not None and not places:
        raise NotFound("No region has this identifier.")
    shades = [one for one in SHADES if one.code != "reached" or reached is not None]
    shaded = next((one for one in shades if one.code == shade), shades[0])
    return show(
        request, "overview.html", who, whole=whole, newest=newest, region=region, shades=shades,
        gone=0 if reached is None else reached.gone(region), shaded=shaded,
        map=mapped(places, shaded, said=language(request), boundaries=parts.boundaries),
        region_name=_name(land, region), level=land.level_of(who.scope, region=region), gaps=_gaps(land, who, region),
        survey=scores.settings.survey, simulated=bool(scores.units.simulated.iloc[0]), see_lists=_sees_lists(who),
        register_names=REGISTER, quality_words=QUALITY, everywhere=who.scope.everywhere,
        since=scores.settings.test_from, old_months=months_old(whole.freshest_on, on=parts.service.now().date()),
    )  # fmt: skip


def months_old(newest: dt.date | None, *, on: dt.date) -> int | None:
    """How old data are whose newest fact is of a day; None where they are new enough, or there are none. [months]"""
    if newest is None or (on - newest).days <= STALE_DAYS:
        return None
    return round((on - newest).days / DAYS_PER_MONTH)


def _reached(request: Request, land: Landscape, who: Who) -> tuple[StoredList | None, Reached | None]:
    """The newest list in sight and whom it reaches, which the trail tells of; None where there is none."""
    with parts_of(request).shelf.store() as store:
        found = store.worklists(limit=1, who=who)
        if not found:
            return None, None
        note_shown(request, who, Act.SEE_LIST, list_id=found[0].id)
        return found[0], land.reached(store, found[0], who)


def _sees_lists(who: Who) -> bool:
    return may(who.roles, Act.SEE_LIST)


def _gaps(land: Landscape, who: Who, region: str | None) -> Gaps | None:
    try:
        found = land.district.within(PATIENCE_S)
    except NothingScored:
        return None
    if found is None:
        return None
    return land.once(lambda: gaps(found, land, scope=who.scope, region=region), "gaps", who.scope, region)


def _name(land: Landscape, region: str | None) -> str | None:
    if region is None:
        return None
    found = land.areas.region_name[land.areas.region_id == region].dropna()
    return str(found.iloc[0]) if len(found) else region
