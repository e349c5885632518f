"""`GET /v1/worklists/{id}/export`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.assignments import NOBODY, Assignments, meant_by
from serving.bands import BY_NAME
from serving.browsing import ORDERS, Wanted
from serving.errors import Busy, NotFound, NothingScored, RequestRefused, StoreUnavailable, Unexpected
from serving.examples_places import EXPORTED
from serving.exporting import referred
from serving.exporting.export import Export, Format, chosen_columns, headers_of
from serving.exporting.spool import Spooled, spooled
from serving.list_page import InDanger, in_danger
from serving.listing import StoredList
from serving.looks import masked_for
from serving.parts import parts_of, refusals
from serving.routes.worklists import ID
from serving.store import Store
from serving.trail.entry import MOST_HOUSEHOLDS, Entry
from serving.trail.noting import entry_of

router = APIRouter(prefix="/v1/worklists", tags=["lists"])
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
ENTRIES_AT_ONCE = 10
ALL = 10**6
"""Of those to be referred at once, whom no count of a kabupaten reaches."""
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}
HEADERS: dict[str, Any] = {
    "Content-Disposition": {
        "description": "The name of the file, with `SIMULASI` in it when nobody on the list exists.",
        "schema": {"type": "string"},
    },
    "X-Tepat-List": {"description": "Id of the list.", "schema": {"type": "string"}},
    "X-Tepat-Made-By": {"description": "Whose copy it is; percent-encoded.", "schema": {"type": "string"}},
    "X-Tepat-Made-At": {"description": "When it was made.", "schema": {"type": "string", "format": "date-time"}},
    "X-Tepat-Simulated": {
        "description": "`true`: nobody on the list exists; it is of no use for visits.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
}
Kind = Annotated[
    Format,
    Query(
        alias="format",
        description="csv: of any length. xlsx: at most 100,000 lines. pdf: at most 5,000, a group of pages a desa.",
    ),
]
By = Annotated[
    Literal["area", "rank"],
    Query(
        description="area: in a PDF each area has pages of its own. rank: all stand in one order. Else without effect."
    ),
]
Columns = Annotated[
    str | None,
    Query(
        max_length=1000,
        description="Names of fields of a line, joined by commas, in their order; a PDF holds at most 12. Null: "
        "all of them in CSV and XLSX, those that fit on paper in PDF; `masked_name` where names were handed over. "
        "XLSX has `risk_band`, the class of the risk, and `assigned_to`, who visits, too; others when asked.",
        examples=["rank,household_id,risk,reasons_id"],
    ),
]


@dataclass(frozen=True)
class Sought:
    """Which lines are asked for, and in which order, by the names that pages have in their addresses."""

    region: Annotated[str | None, Query(max_length=100, description="Only this region's lines.")] = None
    area: Annotated[str | None, Query(max_length=100, description="Only this area's lines.")] = None
    band: Annotated[
        str | None, Query(max_length=100, description=f"Only lines of this class of risk: {', '.join(BY_NAME)}.")
    ] = None
    service: Annotated[
        str | None, Query(max_length=100, description="Only lines to which this service is unmet, by its code.")
    ] = None
    assigned: Annotated[
        str | None,
        Query(max_length=100, description=f"Only lines of this visitor; {NOBODY}: only those that nobody visits."),
    ] = None
    q: Annotated[str | None, Query(max_length=100, description="Only households with this in their id.")] = None
    sort: Annotated[
        str,
        Query(max_length=100, description=f"By what they are sorted: {', '.join(ORDERS)}; with a minus, turned round."),
    ] = "rank"


@router.get(
    "/{worklist_id}/export",
    summary="A list as a file: CSV, XLSX or PDF",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file, whole, with the lines that paging shows you; XLSX and PDF with all in your "
            "regions who are to be referred at once.",
            "headers": HEADERS,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": EXPORTED},
                TYPES["xlsx"]: BINARY,
                TYPES["pdf"]: BINARY,
            },
        },
        **refusals(NotFound, RequestRefused, Busy, StoreUnavailable, Unexpected),
    },
)  # fmt: skip
def export(
    request: Request,
    worklist_id: ID,
    who: Annotated[Who, allowed(Act.EXPORT_LIST)],
    *,
    kind: Kind = "csv",
    asked: Annotated[Sought, Depends()],
    columns: Columns = None,
    by: By = "area",
) -> StreamingResponse:
    """Whose copy it is, and of which list, stands in the file's name, and on every page of a PDF.

    What a spreadsheet would run as a formula carries a leading apostrophe. The trail names every household on it before
    the first byte is sent.
    """
    parts = parts_of(request)
    with parts.shelf.store() as store:
        listed = store.worklist(worklist_id, who=who)
        if listed is None:
            parts.trail.note(entry_of(request, who, Act.EXPORT_LIST, outcome=NotFound.type))
            raise NotFound("No list has this identifier.")
        names = masked_for(request, who)
        made = Export(
            listed=listed, columns=chosen_columns(columns, kind=kind, listed=listed, names=names), names=names,
            wanted=_wanted(store, listed, asked, who=who),
            by_area=by == "area", made_by=who.name, made_at=dt.datetime.now(tz=dt.UTC),
            zone=parts.service.time_zone, letterhead=letterhead(parts.service.letterhead),
            urgent=None if kind == "csv" else _urgent(request, store, listed, who=who),
        )  # fmt: skip
        file = _spooled(request, store, made, kind=kind, who=who)
    entries = _entries(request, who, made, file=file, kind=kind)
    try:
        for first in range(0, len(entries), ENTRIES_AT_ONCE):  # others write between
            parts.trail.note(*entries[first : first + ENTRIES_AT_ONCE])
    except BaseException:
        file.file.close()
        raise
    request.state.said = {"lines": len(file.households)}
    headers = headers_of(made, kind) | {"Content-Length": str(file.size)}
    return StreamingResponse(file.pieces(), media_type=TYPES[kind], headers=headers)


def _spooled(request: Request, store: Store, made: Export, *, kind: Format, who: Who) -> Spooled:
    try:
        return spooled(store, made, kind=kind, who=who)
    except RequestRefused as refusal:
        about = {"format": kind}
        line = entry_of(request, who, Act.EXPORT_LIST, outcome=refusal.type, list_id=made.listed.id, about=about)
        parts_of(request).trail.note(line)
        raise


def _wanted(store: Store, listed: StoredList, asked: Sought, *, who: Who) -> Wanted:
    visitor = asked.assigned
    if visitor is not None:
        visitor = meant_by(visitor, listed.id, teams=Assignments(store.database).teams(listed, who=who))
    try:
        return Wanted(
            region=asked.region, area=asked.area, band=asked.band, service=asked.service, assigned_to=visitor,
            search=asked.q, order=asked.sort,
        )  # fmt: skip
    except InputRefused as refusal:
        raise RequestRefused(str(refusal)) from refusal


def _urgent(request: Request, store: Store, listed: StoredList, *, who: Who) -> InDanger | None:
    try:
        scores = parts_of(request).published.scores()
    except NothingScored:
        scores = None
    return in_danger(store.database, listed, who=who, scores=scores, limit=ALL)


def _entries(request: Request, who: Who, made: Export, *, file: Spooled, kind: Format) -> list[Entry]:
    """A line of the trail for each thousand households; one, too, where there is none."""
    about = {"format": kind, "lines": len(file.households), "columns": list(made.columns)}
    shown = list(dict.fromkeys([*file.households, *referred.households(made)]))
    return [
        entry_of(
            request, who, Act.EXPORT_LIST, list_id=made.listed.id, about=about,
            households=tuple(shown[first : first + MOST_HOUSEHOLDS]),
        )
        for first in range(0, max(len(shown), 1), MOST_HOUSEHOLDS)
    ]  # fmt: skip


def letterhead(said: str | None) -> tuple[str, ...]:
    """The lines of the setting `letterhead`."""
    return tuple(line.strip() for line in (said or "").replace("|", "\n").splitlines() if line.strip())
