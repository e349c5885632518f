"""`/v1/jobs`: bulk scoring; make one, upload its files, start it, follow it, take its result."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import (
    Conflict,
    Forbidden,
    JobState,
    NotFound,
    NotJson,
    PreconditionFailed,
    RequestRefused,
    StoreUnavailable,
    TooLarge,
    TooMany,
    Unauthorized,
    Unexpected,
)  # fmt: skip
from serving.examples_jobs import CANCELLED, DONE, JOBS, OPEN, TO_MAKE, WAITING
from serving.jobs.kept import FileChanged, Job, JobKeyTaken, Jobs, NoJob, WrongState, made_now
from serving.jobs.uploads import key_digest
from serving.parts import Parts, parts_of, refusals
from serving.routes.worklists import Limit
from serving.schemas_jobs import FaultOut, JobOut, JobRegisterOut, JobRequest, JobsPage, ResultOut
from serving.trail.noting import entry_of

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
ID = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"])]
Runs = Annotated[Who, allowed(Act.RUN_JOB)]
USUAL = (Unauthorized, Forbidden, NotFound, RequestRefused, TooMany, StoreUnavailable, Unexpected)
CHANGED = (*USUAL, JobState)


@contextmanager
def jobs_of(parts: Parts) -> Iterator[Jobs]:
    """The jobs; their refusals as problems of the API."""
    with parts.shelf.store() as store:
        try:
            yield Jobs(store.database)
        except NoJob as refusal:
            raise NotFound(str(refusal)) from refusal
        except WrongState as refusal:
            raise JobState(str(refusal)) from refusal
        except JobKeyTaken as refusal:
            raise Conflict(str(refusal)) from refusal
        except FileChanged as refusal:
            raise PreconditionFailed(str(refusal)) from refusal


def _is_json(example: Any) -> dict[str, Any]:
    return {"application/json": {"example": example}}


@router.post(
    "",
    status_code=201,
    summary="Make a job that scores many households",
    responses={
        201: {
            "description": "The job, open for files; Location is its address.",
            "headers": {"Location": {"description": "Of the job.", "schema": {"type": "string"}}},
            "content": _is_json(OPEN),
        },
        **refusals(
            Unauthorized,
            Forbidden,
            NotJson,
            TooLarge,
            Conflict,
            JobState,
            RequestRefused,
            TooMany,
            StoreUnavailable,
            Unexpected,
        ),
    },
)
def make(
    request: Request,
    response: Response,
    who: Runs,
    asked: Annotated[JobRequest, Body(openapi_examples=TO_MAKE)],
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="Your name of this request: sent again, one job is made."),
    ] = None,
) -> JobOut:
    """You alone will see it; you may have 20 that are not over.

    It scores only households in your regions; rows of others are refused.
    """
    as_of = None if asked.as_of is None else asked.as_of.date().isoformat()
    options = {"as_of": as_of, "contributions": asked.contributions}
    made = made_now(asked.name, who=who, at=dt.datetime.now(tz=dt.UTC), options=options)
    key = None if idempotency_key is None else key_digest(who.name, idempotency_key)
    digest = key_digest(json.dumps({"name": asked.name, **options}, sort_keys=True))
    note = entry_of(request, who, Act.RUN_JOB, about={"job": made.id, "did": "made"})
    parts = parts_of(request)
    parts.jobs.folder(made.id).make()
    with jobs_of(parts) as jobs:
        try:
            kept, new = jobs.make(made, key=key, digest=digest, note=note)
        except BaseException:
            parts.jobs.folder(made.id).drop()
            raise
    if not new:
        parts.jobs.folder(made.id).drop()
    response.headers["Location"] = f"/v1/jobs/{kept.id}"
    return told(kept, parts)


@router.get(
    "",
    summary="Your jobs, newest first",
    responses={
        200: {
            "description": "Some of your jobs; Link has the address of the next ones.",
            "headers": {"Link": {"description": "`rel=next`; none at the end.", "schema": {"type": "string"}}},
            "content": _is_json(JOBS),
        },
        **refusals(*USUAL),
    },
)
def page(
    request: Request,
    response: Response,
    who: Runs,
    before: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="Jobs made before this one.")] = None,
    limit: Limit = 100,
) -> JobsPage:
    """Jobs of others are not among them, whoever you are."""
    parts = parts_of(request)
    with jobs_of(parts) as jobs:
        found = jobs.page(who, limit=limit + 1, before=before)
    shown = [told(one, parts) for one in found[:limit]]
    following = shown[-1].id if len(found) > limit else None
    if following:
        response.headers["Link"] = f'</v1/jobs?before={following}&limit={limit}>; rel="next"'
    return JobsPage(jobs=shown, next_before=following)


@router.get(
    "/{job_id}",
    summary="A job: how far it is",
    responses={200: {"description": "The job.", "content": _is_json(DONE)}, **refusals(*USUAL)},
)
def see(request: Request, job_id: ID, who: Runs) -> JobOut:
    """Ask every few seconds while it waits or runs."""
    parts = parts_of(request)
    with jobs_of(parts) as jobs:
        return told(jobs.seen(job_id, who), parts)


@router.post(
    "/{job_id}/start",
    status_code=202,
    summary="Start a job",
    responses={202: {"description": "The job; it waits or runs.", "content": _is_json(WAITING)}, **refusals(*CHANGED)},
)
def start(request: Request, job_id: ID, who: Runs) -> JobOut:
    """Its files are final then. Started again, it is as it is: nothing is done twice."""
    parts = parts_of(request)
    note = entry_of(request, who, Act.RUN_JOB, about={"job": job_id, "did": "started"})
    with jobs_of(parts) as jobs:
        found = jobs.seen(job_id, who)
        if found.state == "open" and not found.files.keys() & {"child", "maternal"}:
            raise RequestRefused("Neither `child` nor `maternal` was uploaded, so there is nobody to score.")
        found = jobs.start(job_id, who=who, at=dt.datetime.now(tz=dt.UTC), note=note)
    parts.jobs.wake()
    return told(found, parts)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    summary="Cancel a job",
    responses={202: {"description": "The job; its files are gone.", "content": _is_json(CANCELLED)},
               **refusals(*CHANGED)},
)  # fmt: skip
def cancel(request: Request, job_id: ID, who: Runs) -> JobOut:
    """It ends within seconds, without a result. Cancelled again, it is as it is."""
    parts = parts_of(request)
    note = entry_of(request, who, Act.RUN_JOB, about={"job": job_id, "did": "cancelled"})
    with jobs_of(parts) as jobs:
        was = jobs.seen(job_id, who)
        found = jobs.cancel(job_id, who=who, at=dt.datetime.now(tz=dt.UTC), note=note)
    if was.state != "running":  # else whoever works on it takes them away
        parts.jobs.folder(job_id).drop_work()
    return told(found, parts)


@router.delete(
    "/{job_id}",
    status_code=204,
    summary="Delete a job and all its files",
    responses={204: {"description": "It is gone."}, **refusals(*CHANGED)},
)
def delete(request: Request, job_id: ID, who: Runs) -> Response:
    """Of the job only the lines of the trail stay. One that waits or runs is to be cancelled first."""
    parts = parts_of(request)
    note = entry_of(request, who, Act.RUN_JOB, about={"job": job_id, "did": "deleted"})
    with jobs_of(parts) as jobs:
        jobs.delete(job_id, who=who, note=note)
    parts.jobs.folder(job_id).drop()
    return Response(status_code=204)


def told(found: Job, parts: Parts) -> JobOut:
    """A job as it is told."""
    pace = parts.jobs.pace.get(found.id) if found.state == "running" else None
    left = None if pace is None or found.households is None else (found.households - found.households_done) / pace
    files: Any = {name: JobRegisterOut(**said) for name, said in found.files.items()}
    return JobOut(
        **{name: getattr(found, name) for name in JobOut.model_fields if name in found.__dict__ and name not in TOLD},
        **found.options,
        files=files,
        fault=None if found.fault is None else FaultOut(**found.fault),
        result=None if found.result is None else ResultOut(**found.result),
        seconds_left=left,
    )


TOLD = ("files", "fault", "result")
