"""`POST /lists/{id}/assign`: households of a list given to whoever visits them, several at once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.assignments import Assignments
from serving.decisions import NotOnTheList
from serving.errors import NotFound
from serving.looks import refusals_noted
from serving.pages.entering import FORM, form_of
from serving.pages.frame import language
from serving.pages.lists import ID, page
from serving.parts import parts_of
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    import sqlalchemy as sa

    from serving.pages.entering import Form

router = APIRouter(include_in_schema=False)
GIVE, GIVE_BACK = "give", "back"


@router.post("/lists/{list_id}/assign", dependencies=[FORM])
def assign(request: Request, list_id: ID, who: Annotated[Who, allowed(Act.ASSIGN)]) -> Response:
    """Back to the page of the list that it was sent from; or that page again, with what to mend.

    Sent twice it gives them once: who visits a household already is not given it anew.
    """
    form = form_of(request)
    homes = list(dict.fromkeys(form.all_of("household")))
    to = None if form.get("do") == GIVE_BACK else form.get("to", "")
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.ASSIGN, list_id=list_id):

        def note(connection: sa.Connection, changed: tuple[str, ...]) -> None:
            append(connection, [entry_of(request, who, Act.ASSIGN, list_id=list_id, households=changed)])

        try:
            count = Assignments(store.database).assign(
                list_id, homes, to=to, at=dt.datetime.now(tz=dt.UTC), who=who, note=note
            )
        except InputRefused:
            return _again(request, list_id, who=who, form=form)
        except NotOnTheList as refusal:
            raise NotFound(str(refusal)) from refusal
    asked = [(name, value) for name, value in parse_qsl(form.get("view", "")) if name != "given"]
    return RedirectResponse(f"/lists/{quote(list_id)}?{urlencode([*asked, ('given', count)])}#lines", 303)


def _again(request: Request, list_id: str, *, who: Who, form: Form) -> Response:
    said = language(request)
    wrong = said("Belum ada keluarga yang ditandai. Tandai sedikitnya satu keluarga di daftar, lalu ulangi.")
    if form.all_of("household"):
        wrong = said(
            "Nama petugas belum dapat dipakai. Tulis nama akun atau sebutan kader, paling banyak 100 huruf, "
            "tanpa NIK atau nomor KK."
        )
    return page(
        request, list_id, who=who, status=422, asked=QueryParams(form.get("view", "")), wrong=wrong,
        typed=form.get("to", ""), marked=form.all_of("household"),
    )  # fmt: skip
