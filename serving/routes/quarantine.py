"""`GET /v1/quarantine`, `GET /v1/quarantine/{register}`."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO, Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse

from features.settings import load
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Forbidden, NotFound, NothingScored, RequestRefused, StoreUnavailable, Unexpected
from serving.examples_places import QUARANTINED, QUARANTINES
from serving.parts import parts_of, refusals
from serving.quarantined import quarantines, shielded, to_mend
from serving.schemas_places import QuarantineOut, QuarantinesOut
from serving.trail.noting import entry_of

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
Sees = Annotated[Who, allowed(Act.SEE_QUARANTINE)]


@router.get(
    "",
    summary="How many rows of each register were kept out, and why",
    responses={
        200: {
            "description": "The registers as they were taken in last.",
            "content": {"application/json": {"example": QUARANTINES}},
        },
        **refusals(Forbidden, NothingScored, StoreUnavailable, Unexpected),
    },
)
def counts(request: Request, who: Sees) -> QuarantinesOut:
    """No value of a row is shown; for those who may look everywhere."""
    check_everywhere(request, who)
    found, notes = quarantines(load().paths.interim)
    told = [QuarantineOut.model_validate(_named(asdict(one))) for one in found]
    return QuarantinesOut(registers=told, notes=list(notes))


@router.get(
    "/{register}",
    summary="The rows of a register to mend, as CSV",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A line a fault: the row's number, the column, what was seen, what is allowed, why, and the "
            "row as it was handed over. It is personal data.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": QUARANTINED}},
        },
        **refusals(Forbidden, NotFound, RequestRefused, StoreUnavailable, Unexpected),
    },
)
def rows(
    request: Request, register: Annotated[str, Path(max_length=40, examples=["measurement"])], who: Sees
) -> StreamingResponse:
    """For those who may look everywhere: a row with a fault cannot be placed with certainty.

    What a spreadsheet would run as a formula carries a leading apostrophe, which taking it in again takes off. Each
    download leaves a line in the trail.
    """
    check_everywhere(request, who)
    file = to_mend(load().paths.interim, register)
    if file is None:
        raise NotFound("No register of this name has a file of faults.")
    return sent(request, who, file, about={"register": register})


def sent(request: Request, who: Who, file: IO[bytes], *, about: dict[str, str]) -> StreamingResponse:
    """The file of a register's faults, once the trail tells of it; `about` names the register.

    Raises
    ------
    StoreUnavailable
        The trail cannot be written.
    """
    try:
        parts_of(request).trail.note(entry_of(request, who, Act.SEE_QUARANTINE, about=about))
    except BaseException:
        file.close()
        raise
    headers = {"Content-Disposition": f'attachment; filename="quarantine-{about["register"]}.csv"'}
    return StreamingResponse(shielded(file), media_type="text/csv; charset=utf-8", headers=headers)


def check_everywhere(request: Request, who: Who) -> None:
    """Nothing, when they may look everywhere; else `Forbidden`, and the trail tells of it."""
    if who.scope.everywhere:
        return
    entry = entry_of(request, who, Act.SEE_QUARANTINE, outcome=Forbidden.type)
    parts_of(request).trail.note(entry)
    raise Forbidden(
        "Your regions are some of the district's; a row in quarantine may lack its place, so only who may look "
        "everywhere sees them."
    )


def _named(one: dict[str, object]) -> dict[str, object]:
    return {"register": one.pop("name"), **one}
