"""`/v1/jobs/{id}/files/{register}`: the files of a job, whole or in parts."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, Response
from starlette.requests import ClientDisconnect

from serving.errors import (
    JobState,
    NotFound,
    PreconditionFailed,
    StoreUnavailable,
    TooLarge,
    UnsupportedType,
    UploadOutOfPlace,
)  # fmt: skip
from serving.examples_jobs import FILE
from serving.jobs.formats import KINDS
from serving.jobs.kept import Job, check_tag, need
from serving.jobs.uploads import Arrived, drop_others, kept_of, kind_of, part_of
from serving.parts import Parts, parts_of, refusals
from serving.routes.jobs import ID, USUAL, Runs, jobs_of
from serving.schemas_jobs import JobFileOut, RegisterName

router = APIRouter(prefix="/v1/jobs/{job_id}/files", tags=["jobs"])
Register = Annotated[RegisterName, Path(description="The register that the file holds.", examples=["household"])]
HEADERS: dict[str, Any] = {
    "ETag": {"description": "SHA-256 of the whole file; none until it is whole.", "schema": {"type": "string"}},
    "Upload-Offset": {"description": "Bytes that are kept.", "schema": {"type": "string"}},
    "Upload-Complete": {"description": "`?1` when it is whole, else `?0`.", "schema": {"type": "string"}},
}
TOLD = {
    "description": "What is there of the file.",
    "headers": HEADERS,
    "content": {"application/json": {"example": FILE}},
}
BODY = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS}


@router.put(
    "/{register}",
    summary="Upload a register",
    openapi_extra={"requestBody": {"required": True, "description": "The file.", "content": BODY}},
    responses={
        200: TOLD,
        **refusals(*USUAL, TooLarge, UnsupportedType, JobState, UploadOutOfPlace, PreconditionFailed),
    },
)
async def put(
    request: Request,
    response: Response,
    job_id: ID,
    register: Register,
    who: Runs,
    content_range: Annotated[
        str | None, Header(max_length=100, description="`bytes 0-1048575/5242880`: the body is this part of the file.")
    ] = None,
    if_match: Annotated[
        str | None, Header(max_length=100, description="ETag of the file that this one replaces.")
    ] = None,
) -> JobFileOut:
    """The file replaces the one before; the same file again changes nothing. Parts come one after another.

    A column that the contract does not know is not read. It is read when the job is started, not before.
    """
    parts = parts_of(request)
    kind = kind_of(request.headers.get("content-type"))
    part = part_of(content_range, most=parts.jobs.most_upload)
    tag = None if if_match is None else if_match.strip().removeprefix("W/").strip('"')
    await to_thread.run_sync(partial(_check, parts, job_id, register, who=who, tag=tag))
    folder = parts.jobs.folder(job_id)
    try:
        arrived = await parts.jobs.uploads.receive(folder, register, request.stream(), kind=kind, part=part)
    except ClientDisconnect as gone:
        raise StoreUnavailable("The upload broke off; HEAD tells how much of it is kept.") from gone
    except OSError as fault:
        raise StoreUnavailable(f"The file cannot be kept: {fault.strerror}.") from fault
    if arrived.sha256 is not None:
        said = {"bytes": arrived.kept, "sha256": arrived.sha256, "format": kind}
        await to_thread.run_sync(partial(_keep, parts, job_id, register, who=who, said=said, tag=tag))
    return _told(response, register, arrived, kind if arrived.sha256 else None)


@router.get(
    "/{register}",
    summary="What is there of a register's file",
    responses={200: TOLD, **refusals(*USUAL)},
)
def get(request: Request, response: Response, job_id: ID, register: Register, who: Runs) -> JobFileOut:
    """An upload in parts that is not whole yet comes before the file that it would replace. HEAD gives the headers."""
    parts = parts_of(request)
    found = _seen(parts, job_id, who=who)
    arrived = kept_of(parts.jobs.folder(job_id), register)
    kept = found.files.get(register)
    if arrived is None and kept is None:
        raise NotFound("No file of this register was uploaded.")
    if arrived is None and kept is not None:
        return _told(response, register, Arrived(kept["bytes"], kept["bytes"], kept["sha256"]), kept["format"])
    return _told(response, register, arrived or Arrived(0, 0, None), None)


def _seen(parts: Parts, job_id: str, *, who: Any) -> Job:
    with jobs_of(parts) as jobs:
        return jobs.seen(job_id, who)


def _check(parts: Parts, job_id: str, register: str, *, who: Any, tag: str | None) -> None:
    """Refuse an upload before it is read, when it would be refused after."""
    with jobs_of(parts) as jobs:
        found = jobs.seen(job_id, who)
        need(found, "open", for_what="takes files until it is started")
        check_tag(found, register, tag)
    if not parts.jobs.folder(job_id).path.is_dir():
        raise JobState("The files of this job are on another server, or were taken away.")


def _keep(parts: Parts, job_id: str, register: str, *, who: Any, said: dict[str, Any], tag: str | None) -> None:
    with jobs_of(parts) as jobs:
        found = jobs.keep_file(job_id, register, who=who, said=said, tag=tag)
    drop_others(parts.jobs.folder(job_id), register, found.files[register])


def _told(response: Response, register: RegisterName, arrived: Arrived, kind: Any) -> JobFileOut:
    whole = arrived.sha256 is not None
    response.headers["Upload-Offset"] = str(arrived.kept)
    response.headers["Upload-Complete"] = "?1" if whole else "?0"
    if whole:
        response.headers["ETag"] = f'"{arrived.sha256}"'
    return JobFileOut(
        register_name=register, format=kind, bytes_kept=arrived.kept, bytes_total=arrived.total or arrived.kept,
        complete=whole, sha256=arrived.sha256,
    )  # fmt: skip
