"""`POST /households/{id}/decide`: what an officer decided of a household on a list."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.decisions import Kind
from serving.errors import RequestRefused
from serving.household_page import with_rows
from serving.looks import refusals_noted
from serving.numbers import holds_number
from serving.pages.entering import FORM, form_of
from serving.pages.field_form import today_of
from serving.pages.frame import language
from serving.pages.household import TYPED, page
from serving.pages.sentences import told
from serving.parts import parts_of
from serving.plan_store import PlanStore
from serving.routes.decisions import keep_decision
from serving.routes.households import HouseholdId, enter
from serving.schemas_plan import MOST_DECIDER, MOST_REASON, DecisionRequest

if TYPE_CHECKING:
    from serving.pages.entering import Form
    from serving.pages.language import Language

router = APIRouter(include_in_schema=False)
WITH_REASON = ("override", "defer", "object")


@router.post("/households/{household_id:path}/decide", dependencies=[FORM])
def decide(request: Request, household_id: HouseholdId, who: Annotated[Who, allowed(Act.DECIDE)]) -> Response:
    """Kept for good, and back to the page; or the page again, with what was typed and what is missing."""
    form, said = form_of(request), language(request)
    list_id = form.get("list", "")
    wrong = _lacking(form, said)
    if wrong is None:
        try:
            _keep(request, household_id, who, list_id=list_id)
            return RedirectResponse(f"/households/{quote(household_id, safe='')}?list={quote(list_id)}#decide", 303)
        except RequestRefused as refusal:
            wrong = told(refusal.detail, said)
    scores = with_rows(parts_of(request).published)
    enter(request, scores, household_id, who=who, what="page")
    typed = {name: form.text(name) or "" for name in TYPED}
    return page(request, scores, household_id, who=who, list_id=list_id, status=422, typed=typed, wrong=wrong)


def _lacking(form: Form, said: Language) -> str | None:
    """What must be filled in still, in the reader's words; None when nothing."""
    kind = form.text("kind")
    if kind not in get_args(Kind):
        return said("Pilih salah satu putusan.")
    if kind in WITH_REASON and form.text("reason") is None:
        return said("Isi alasannya: putusan ini memerlukan alasan.")
    if kind == "defer" and form.text("until") is None:
        return said("Isi sampai hari apa keluarga ini ditunda.")
    if kind != "defer" and form.text("until") is not None:
        return said("Kosongkan harinya: hari hanya diisi untuk menunda.")
    return _unfit(form, said) if form.text("decided_by") else said("Isi siapa yang memutuskan.")


def _unfit(form: Form, said: Language) -> str | None:
    """What cannot be kept of what was filled in, in the reader's words; None when everything can."""
    reason, by = _typed(form, "reason") or "", _typed(form, "decided_by") or ""
    if holds_number(reason) or holds_number(by):
        return said("Hapus deretan 16 angka: NIK dan nomor KK tidak disimpan di sini.")
    for text, most in ((reason, MOST_REASON), (by, MOST_DECIDER)):
        if len(text) > most:
            return said("Isian ini terlalu panjang: paling banyak %(most)s huruf.", most=said.whole(most))
    try:
        day = dt.date.fromisoformat(form.text("until") or dt.date.max.isoformat())
    except ValueError:
        return said("Hari penundaan tidak terbaca. Pilih harinya dari kalender.")
    if day < today_of(said.zone):
        return said("Hari penundaan, %(day)s, sudah lewat. Pilih hari ini atau sesudahnya.", day=said.day(day))
    return None


def _typed(form: Form, name: str) -> str | None:
    typed = form.text(name)
    return None if typed is None else typed.replace("\r\n", "\n")  # a browser counts the end of a line as one


def _keep(request: Request, household_id: str, who: Who, *, list_id: str) -> None:
    form = form_of(request)
    try:
        asked = DecisionRequest.model_validate(
            {name: _typed(form, name) for name in ("kind", "reason", "until", "decided_by")}
            | {"worklist_id": list_id, "household_id": household_id}
        )
    except ValidationError as fault:
        first = fault.errors()[0]
        raise RequestRefused(f"{first['loc'][0]}: {first['msg']}.") from fault
    with parts_of(request).shelf.store() as store:
        plans = PlanStore(store.database)
        with refusals_noted(
            request, who, Act.DECIDE, list_id=list_id, household_id=household_id,
            known=lambda: plans.knows(list_id, household_id),
        ):  # fmt: skip
            keep_decision(request, store, asked, who=who, key=form.text("key"))
