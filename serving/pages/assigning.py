"""`POST /lists/{id}/assign`: households of a list given to whoever visits them, several at once."""

from __future__ import annotations

import datetime as dt
import re
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from features.errors import InputRefused
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.assignments import Assignments, GivenMeanwhile
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
    from collections.abc import Mapping

    import sqlalchemy as sa

    from serving.pages.entering import Form
    from serving.pages.language import Language

router = APIRouter(include_in_schema=False)
GIVE, GIVE_BACK = "give", "back"
SEEN = re.compile(r"[0-9]{1,18}", re.ASCII)


@router.post("/lists/{list_id}/assign", dependencies=[FORM])
def assign(request: Request, list_id: ID, who: Annotated[Who, allowed(Act.ASSIGN)]) -> Response:
    """Back to the page of the list that it was sent from; or that page again, with what to mend.

    Sent twice it gives them once: who visits a household already is not given it anew. Sent from a page on which a
    newer assignment did not stand yet, it gives none: the page comes back with who has them now.
    """
    form = form_of(request)
    homes = list(dict.fromkeys(form.all_of("household")))
    to = None if form.get("do") == GIVE_BACK else form.get("to", "")
    with parts_of(request).shelf.store() as store, refusals_noted(request, who, Act.ASSIGN, list_id=list_id):

        def note(connection: sa.Connection, changed: tuple[str, ...]) -> None:
            append(connection, [entry_of(request, who, Act.ASSIGN, list_id=list_id, households=changed)])

        try:
            count = Assignments(store.database).assign(
                list_id, homes, to=to, seen=_seen(form), at=dt.datetime.now(tz=dt.UTC), who=who, note=note
            )
        except InputRefused:
            wrong = _wrong(form, language(request))
            return _again(request, list_id, who=who, form=form, wrong=wrong, status=422)
        except GivenMeanwhile as refusal:
            wrong = _meanwhile(refusal.now, language(request))
            # Those marked may be on no page of the look any more, so the form itself has them.
            return _again(request, list_id, who=who, form=form, wrong=wrong, status=409, beside=homes)
        except NotOnTheList as refusal:
            raise NotFound(str(refusal)) from refusal
    asked = [(name, value) for name, value in parse_qsl(form.get("view", "")) if name != "given"]
    return RedirectResponse(f"/lists/{quote(list_id)}?{urlencode([*asked, ('given', count)])}#lines", 303)


def _seen(form: Form) -> int:
    """How many assignments the page knew of; a form that does not say so has seen none."""
    return int(form["seen"]) if SEEN.fullmatch(form.get("seen", "")) else 0


def _wrong(form: Form, said: Language) -> str:
    if not form.all_of("household"):
        return said("Belum ada keluarga yang ditandai. Tandai sedikitnya satu keluarga di daftar, lalu ulangi.")
    return said(
        "Nama petugas belum dapat dipakai. Tulis nama akun atau sebutan kader, paling banyak 100 huruf, "
        "tanpa NIK atau nomor KK."
    )


def _meanwhile(now: Mapping[str, str | None], said: Language) -> str:
    whose = sorted(now.items(), key=lambda one: (one[1] or "", one[0]))
    told = [
        f"{name or said('belum ada petugas')} ({', '.join(home for home, _ in theirs)})"
        for name, theirs in groupby(whose, key=lambda one: one[1])
    ]
    return said(
        "Sesudah halaman ini dibuka, petugas mereka sudah diganti. Sekarang: %(now)s. Belum ada yang diubah. "
        "Bila masih dimaksud, tekan lagi tombolnya di bawah daftar.",
        now="; ".join(told),
    )


def _again(request: Request, list_id: str, *, who: Who, form: Form, **told: Any) -> Response:
    """The list with the form as it was sent."""
    asked = [one for one in parse_qsl(form.get("view", "")) if one[0] != "assigned" or "beside" not in told]
    return page(
        request, list_id, who=who, asked=QueryParams(asked), typed=form.get("to", ""),
        marked=form.all_of("household"), **told,
    )  # fmt: skip
