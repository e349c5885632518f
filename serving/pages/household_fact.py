"""`/households/{id}/fact`: one fact of a register, to ask the model about, or its keepers to correct."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.changed_facts import answers, both, known_facts, moved
from serving.errors import Conflict, RequestRefused
from serving.fact_asked import fact_of
from serving.field_store import MOST_TEXT, FieldStore, KeyTaken, Wrong
from serving.household_page import facts, place_of, with_rows
from serving.numbers import holds_number
from serving.pages.entering import FORM, form_of
from serving.pages.fact_typed import range_of, typed_value
from serving.pages.frame import language, show
from serving.pages.sentences import told
from serving.parts import parts_of
from serving.routes.households import HouseholdId, Sees, enter
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    import sqlalchemy as sa

    from features.request import Household
    from serving.fact_asked import Fact
    from serving.pages.entering import Form
    from serving.pages.language import Language
    from serving.published import Scores

router = APIRouter(include_in_schema=False)
Of = Annotated[str, Query(max_length=60)]
Person = Annotated[str | None, Query(max_length=100)]
On = Annotated[dt.date | None, Query()]
ListId = Annotated[str | None, Query(alias="list", max_length=64)]
Corrects = Annotated[Who, allowed(Act.CORRECT)]


@router.get("/households/{household_id:path}/fact")
def see(
    request: Request,
    household_id: HouseholdId,
    who: Sees,
    *,
    of: Of,
    person: Person = None,
    on: On = None,
    list_id: ListId = None,
) -> HTMLResponse:
    """The fact as the register has it, with the ways on; `list` is where the reader came from, and goes back to."""
    scores = with_rows(parts_of(request).published)
    enter(request, scores, household_id, who=who, what="fact")
    fact = fact_of(facts(scores, household_id), of, person=person, on=on)
    return _page(request, scores, household_id, who=who, fact=fact, list_id=list_id)


@router.post("/households/{household_id:path}/what-if", dependencies=[FORM])
async def ask(request: Request, household_id: HouseholdId, who: Sees) -> HTMLResponse:
    """What the model says with the fact as known, and as typed; nothing of it is kept."""
    scores, fact, homes, wrong = await asyncio.to_thread(_asked, request, household_id, who)
    said: dict[str, Any] = {"typed": form_of(request).text("value"), "wrong_value": wrong}
    if homes is not None:
        made = await parts_of(request).pool.score(homes)
        said |= {
            "moved": moved(*answers(made.households, set(scores.units.loc[[household_id]].unit_id))),
            "stamp": made.in_use.where.stamp,
        }
    return await asyncio.to_thread(
        lambda: _page(request, scores, household_id, who=who, fact=fact, status=422 if wrong else 200, **said)
    )


@router.post("/households/{household_id:path}/correct", dependencies=[FORM])
def correct(request: Request, household_id: HouseholdId, who: Corrects) -> Response:
    """Kept for the register's keepers; the register itself stays as it is until they change it."""
    form = form_of(request)
    scores, fact = _fact(request, household_id, who, what="correct")
    value, wrong = _right(request, fact)
    wrong = wrong or _lacking(form, language(request), fact=fact, value=value)
    if wrong is None:
        try:
            _keep(request, household_id, who, scores=scores, fact=fact, value=value)
            listed = form.text("list")
            there = "" if listed is None else f"?list={quote(listed, safe='')}"
            return RedirectResponse(f"/households/{quote(household_id, safe='')}{there}#corrections", 303)
        except RequestRefused as refusal:
            wrong = told(refusal.detail, language(request))
    typed = {"correct": form.text("value"), "why": form.text("why"), "unknown": form.get("unknown")}
    return _page(request, scores, household_id, who=who, fact=fact, status=422, wrong_correction=wrong, **typed)


def _right(request: Request, fact: Fact) -> tuple[str | None, str | None]:
    """The value as it should be, None when it was ticked that nobody knows it; and what is wrong with what was said."""
    form, said = form_of(request), language(request)
    typed = form.text("value")
    if form.get("unknown"):
        both = said("Isi nilai yang benar, atau tandai bahwa nilainya tidak diketahui; jangan keduanya.")
        return None, both if typed else None
    if typed is None:
        return None, said("Isi nilai yang benar, atau tandai bahwa nilainya tidak diketahui.")
    return typed_value(fact, typed, said)


def _lacking(form: Form, said: Language, *, fact: Fact, value: str | None) -> str | None:
    """Why a correction cannot be kept, in the reader's words; None when it can."""
    why = _why(form)
    if not why:
        return said("Isi dari mana Anda tahu.")
    if holds_number(why) or holds_number(value or ""):
        return said("Hapus deretan 16 angka: NIK dan nomor KK tidak disimpan di sini.")
    if len(why) > MOST_TEXT:
        return said("Penjelasannya terlalu panjang: paling banyak %(most)s huruf.", most=said.whole(MOST_TEXT))
    return said("Nilai ini sama dengan yang tercatat; isi nilai yang lain.") if value == fact.old else None


def _why(form: Form) -> str:
    return (form.text("why") or "").replace("\r\n", "\n")  # a browser counts the end of a line as one


def _fact(request: Request, household_id: str, who: Who, *, what: str) -> tuple[Scores, Fact]:
    """The fact that a form is about, after a look that was noted."""
    form = form_of(request)
    scores = with_rows(parts_of(request).published)
    enter(request, scores, household_id, who=who, what=what)
    on = form.text("on")
    try:
        day = None if on is None else dt.date.fromisoformat(on)
    except ValueError as fault:
        raise RequestRefused("on: not a day, YYYY-MM-DD.") from fault
    return scores, fact_of(facts(scores, household_id), form.get("of", ""), person=form.text("person"), on=day)


def _asked(
    request: Request, household_id: str, who: Who
) -> tuple[Scores, Fact, tuple[Household, Household] | None, str | None]:
    scores, fact = _fact(request, household_id, who, what="what-if")
    said = language(request)
    value, wrong = typed_value(fact, form_of(request).text("value"), said)
    if wrong is not None:
        return scores, fact, None, wrong
    try:
        return scores, fact, both(known_facts(scores, household_id), fact.change(value)), None
    except RequestRefused as refusal:
        return scores, fact, None, told(refusal.detail, said)


def _keep(request: Request, household_id: str, who: Who, *, scores: Scores, fact: Fact, value: str | None) -> None:
    form = form_of(request)
    region_id, area_id = place_of(scores, household_id) or (None, None)
    wrong = Wrong(
        household_id=household_id, region_id=region_id, area_id=area_id, register=fact.register, person_id=fact.person,
        fact=fact.column.name, recorded_on=fact.recorded_on, old=fact.old, new=value,
        why=_why(form),
    )  # fmt: skip

    def note(connection: sa.Connection, kept: str) -> None:
        about = {"correction": kept, "register": fact.register, "fact": fact.column.name}
        append(connection, [entry_of(request, who, Act.CORRECT, households=(household_id,), about=about)])

    with parts_of(request).shelf.store() as store:
        try:
            FieldStore(store.database).correct(
                wrong, at=dt.datetime.now(tz=dt.UTC), who=who, key=form.get("key") or secrets.token_urlsafe(16),
                note=note,
            )  # fmt: skip
        except InputRefused as refusal:
            raise RequestRefused(str(refusal)) from refusal
        except KeyTaken as refusal:
            raise Conflict(str(refusal)) from refusal


def _page(
    request: Request, scores: Scores, household_id: str, *, who: Who, fact: Fact, status: int = 200, **said: Any
) -> HTMLResponse:
    blank: dict[str, Any] = dict.fromkeys(
        ("typed", "wrong_value", "moved", "stamp", "correct", "why", "unknown", "wrong_correction")
    )
    if request.method != "GET":
        blank["list_id"] = form_of(request).text("list")
    return show(
        request, "household_fact.html", who, status=status, id=household_id, fact=fact, key=secrets.token_urlsafe(16),
        simulated=bool(scores.units.simulated.iloc[0]), limits=range_of(fact, language(request)), **blank | said,
    )  # fmt: skip
