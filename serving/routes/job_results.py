"""`GET /v1/jobs/{id}/result`, `GET /v1/jobs/{id}/refused`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from features.adapters.bounds import SHEET_ROWS
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import JobState, RequestRefused
from serving.examples_jobs import REFUSED, RESULT
from serving.jobs.folder import REFUSED_FILE
from serving.jobs.formats import MEDIA_TYPES
from serving.jobs.kept import Job
from serving.parts import parts_of, refusals
from serving.routes.jobs import CHANGED, ID, Runs, jobs_of
from serving.trail.noting import entry_of

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}


@router.get(
    "/{job_id}/result",
    summary="The result of a job",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file, one row a child or pregnancy; a household without one has a row that says why.",
            "headers": {"ETag": {"description": "SHA-256 of the file.", "schema": {"type": "string"}}},
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": RESULT},
                MEDIA_TYPES["parquet"]: BINARY,
                MEDIA_TYPES["xlsx"]: BINARY,
            },
        },
        **refusals(*CHANGED),
    },
)
def result(
    request: Request,
    job_id: ID,
    who: Runs,
    format: Annotated[  # noqa: A002 (the parameter's name in the address)
        Literal["csv", "parquet", "xlsx"], Query(description="Of the file.")
    ] = "csv",
) -> Response:
    """Whole or not there: a job that is not done has none."""
    parts = parts_of(request)
    with jobs_of(parts) as jobs:
        found = jobs.seen(job_id, who)
    if found.state != "done" or found.result is None:
        raise JobState(f"The job is {found.state}; a result is there when it is done.")
    name = f"result.{format}"
    if name not in found.result["files"]:
        raise RequestRefused(
            f"The result has {found.result['rows']:,} rows, and a sheet holds {SHEET_ROWS:,}, with its header. "
            "Ask for csv or parquet."
        )
    return _file(request, found, who, name=name, kind=format)


@router.get(
    "/{job_id}/refused",
    summary="The rows that a job refused",
    response_class=FileResponse,
    responses={
        200: {
            "description": "CSV: register, row (its place below the header, from 1), column, allowed and reason.",
            "headers": {"ETag": {"description": "SHA-256 of the file.", "schema": {"type": "string"}}},
            "content": {"text/csv": {"schema": {"type": "string"}, "example": REFUSED}},
        },
        **refusals(*CHANGED),
    },
)
def refused(request: Request, job_id: ID, who: Runs) -> Response:
    """A row with several faults has several lines. What was found is not repeated: it may be somebody's."""
    parts = parts_of(request)
    with jobs_of(parts) as jobs:
        found = jobs.seen(job_id, who)
    if found.state not in {"done", "failed"} or not (parts.jobs.folder(job_id).result / REFUSED_FILE).exists():
        raise JobState(f"The job is {found.state}; it has no account of its rows, or not yet.")
    return _file(request, found, who, name=REFUSED_FILE, kind="csv")


class _Whole(FileResponse):
    """A file without ranges: they would be answers that no document of ours describes."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _file(request: Request, found: Job, who: Who, *, name: str, kind: str) -> Response:
    """The file, once a line of the trail says who took it; its households were noted as they were scored."""
    parts = parts_of(request)
    about = (found.result or {}).get("files", {}).get(name, {})
    said = {"job": found.id, "did": "result", "file": name, "households": found.households, **about}
    parts.trail.note(entry_of(request, who, Act.RUN_JOB, about=said))
    headers = {"Accept-Ranges": "none"} | ({"ETag": f'"{about["sha256"]}"'} if about else {})
    path = parts.jobs.folder(found.id).result / name
    if not path.exists():
        raise JobState("The files of this job are on another server, or were taken away.")
    return _Whole(path, media_type=MEDIA_TYPES[kind], filename=f"{found.id[:8]}-{name}", headers=headers)
