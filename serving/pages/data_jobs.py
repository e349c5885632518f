"""`/data/jobs`: files of households scored in bulk; made, followed and taken away, over the routes of `/v1/jobs`."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Conflict, JobState, RequestRefused
from serving.jobs.formats import MEDIA_TYPES
from serving.pages.entering import FORM, form_of
from serving.pages.frame import language, show
from serving.pages.map import words
from serving.pages.naming import REGISTER
from serving.parts import parts_of
from serving.routes import jobs
from serving.routes.jobs import ID, jobs_of, told
from serving.schemas_jobs import JobOut, JobRequest

router = APIRouter(include_in_schema=False, prefix="/data/jobs")
Runs = Annotated[Who, allowed(Act.RUN_JOB)]
TAKEN = ("household", "sanitation", "maternal", "pregnancy", "child", "measurement")
STATES = {
    "open": words("menunggu berkas"),
    "waiting": words("antre"),
    "running": words("sedang dinilai"),
    "done": words("selesai"),
    "failed": words("gagal"),
    "cancelled": words("dibatalkan"),
}
TYPED = ("name", "as_of", "contributions", "key")
SHOWN = 30


@router.get("")
def page(request: Request, who: Runs) -> HTMLResponse:
    """One's own jobs, newest first, and a form for another."""
    return _page(request, who, typed=dict.fromkeys(TYPED, "") | {"key": secrets.token_hex(16)})


@router.post("", dependencies=[FORM])
def make(request: Request, who: Runs) -> Response:
    """Made once, however often the button is pressed; then its page."""
    form, said = form_of(request), language(request)
    typed = {name: form.get(name, "") for name in TYPED}
    try:
        asked = JobRequest.model_validate(
            {
                "name": form.text("name") or "",
                "as_of": form.text("as_of"),
                "contributions": form.get("contributions") == "1",
            }
        )
        made = jobs.make(request, Response(), who, asked, form.text("key"))
    except ValidationError:
        wrong, why = said("Isi nama, paling banyak 100 huruf, dan tanggal seperti 2025-03-31 bila perlu."), None
    except (Conflict, JobState, RequestRefused) as refusal:
        wrong, why = said("Pekerjaan belum dibuat:"), refusal.detail
    else:
        return RedirectResponse(f"/data/jobs/{made.id}", 303)
    return _page(request, who, typed=typed, wrong=wrong, why=why, status=422)


@router.get("/{job_id}")
def see(request: Request, job_id: ID, who: Runs) -> HTMLResponse:
    """A job: its files, how far it is, and what it made."""
    return _job(request, who, jobs.see(request, job_id, who))


@router.post("/{job_id}/start", dependencies=[FORM])
def start(request: Request, job_id: ID, who: Runs) -> Response:
    """Its files are final then."""
    try:
        jobs.start(request, job_id, who)
    except (JobState, RequestRefused) as refusal:
        said = language(request)
        wrong = said("Belum dapat dimulai:")
        return _job(request, who, jobs.see(request, job_id, who), wrong=wrong, why=refusal.detail)
    return RedirectResponse(f"/data/jobs/{job_id}", 303)


@router.post("/{job_id}/cancel", dependencies=[FORM])
def cancel(request: Request, job_id: ID, who: Runs) -> Response:
    """It ends without a result."""
    jobs.cancel(request, job_id, who)
    return RedirectResponse(f"/data/jobs/{job_id}", 303)


@router.post("/{job_id}/delete", dependencies=[FORM])
def delete(request: Request, job_id: ID, who: Runs) -> Response:
    """It is gone, with all its files."""
    jobs.delete(request, job_id, who)
    return RedirectResponse("/data/jobs", 303)


def _page(
    request: Request,
    who: Who,
    *,
    typed: dict[str, str],
    wrong: str | None = None,
    why: str | None = None,
    status: int = 200,
) -> Any:
    parts = parts_of(request)
    with jobs_of(parts) as kept:
        found = [told(one, parts) for one in kept.page(who, limit=SHOWN, before=None)]
    return show(
        request, "data_jobs.html", who, status=status, jobs=found, states=STATES, typed=typed, wrong=wrong,
        why=why, most=SHOWN,
    )  # fmt: skip


def _job(request: Request, who: Who, job: JobOut, *, wrong: str | None = None, why: str | None = None) -> HTMLResponse:
    return show(
        request, "data_job.html", who, status=200 if wrong is None else 422, job=job, states=STATES, taken=TAKEN,
        register_names=REGISTER, wrong=wrong, why=why, most_mib=parts_of(request).service.max_upload_mib,
        formats=MEDIA_TYPES,
    )  # fmt: skip
