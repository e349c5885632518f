"""`/data/promote`: which model is champion, asked of the gate about another version, or given back."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from features.settings import load
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Forbidden, StoreUnavailable
from serving.model_history import SHOWN, gate, history
from serving.pages.data_words import FIGURES
from serving.pages.entering import FORM, form_of, reason_of
from serving.pages.frame import language, show
from serving.pages.map import words
from serving.parts import parts_of
from serving.promoting import Already, Asked, Kind, State
from serving.trail.noting import MOST_PURPOSE, entry_of
from targeting.gate_folders import ASKED, PROMOTION

if TYPE_CHECKING:
    from serving.cards import Version
    from serving.model_history import History
    from serving.pages.entering import Form

router = APIRouter(include_in_schema=False, prefix="/data/promote")
Promotes = Annotated[Who, allowed(Act.PROMOTE)]
ASKED_FOR = {
    Kind.ASK: words("Gerbang ditanya tentang versi %(version)s"),
    Kind.PROMOTE: words("Versi %(version)s diminta menjadi juara"),
    Kind.ROLL_BACK: words("Juara sebelumnya diminta kembali"),
}
MOST_VERSIONS = 12


@router.get("")
def page(request: Request, who: Promotes, busy: Annotated[Literal["1"] | None, Query()] = None) -> HTMLResponse:
    """Who is champion, what the gate said last, and what can be asked of it; `busy`: another question came first."""
    _check_everywhere(request, who)
    said = language(request)
    wrong = said("Gerbang sedang ditanya. Tunggu jawabannya, lalu ulangi bila masih perlu.") if busy else None
    return _page(request, who, typed={}, wrong=wrong)


@router.post("", dependencies=[FORM])
def ask(request: Request, who: Promotes) -> Response:
    """Asked once of the champion that stood on the page, however often the button is pressed."""
    _check_everywhere(request, who)
    form, parts = form_of(request), parts_of(request)
    asked, wrong = _asked(request, form, by=who.name)
    if asked is not None:
        about = {"asked": asked.kind, "version": asked.version}
        try:
            parts.promoting.begin(asked, entry_of(request, who, Act.PROMOTE, why=asked.because, about=about))
        except Already:
            return RedirectResponse("/data/promote?busy=1", 303)
        except OSError as fault:
            raise StoreUnavailable(f"The service's folder cannot be written ({type(fault).__name__}).") from fault
        else:
            return RedirectResponse("/data/promote", 303)
    return _page(request, who, typed=form, wrong=wrong, status=422)


def _asked(request: Request, form: Form, *, by: str) -> tuple[Asked | None, str | None]:
    """What the form asks for; or None, and what to mend."""
    said, name = language(request), parts_of(request).service.model_name
    because, version = reason_of(form), form.text("version")
    told = history(name)
    known = {one.where.version for one in told.versions}
    if told.away:
        return None, said("Daftar versi belum dapat dibaca. Coba lagi sebentar lagi.")
    if form.get("do") not in set(Kind):
        return None, said("Pilih salah satu tombol.")
    kind = Kind(form["do"])
    if because is None:
        return None, said("Tulis alasannya, paling banyak 200 huruf pada satu baris, tanpa NIK atau nomor KK.")
    if kind is Kind.ROLL_BACK:
        version = None
    elif version not in known:
        return None, said("Pilih salah satu versi di daftar.")
    return Asked(kind=kind, model=name, version=version, seen=form.text("seen"), because=because, by=by), None


def _page(
    request: Request, who: Who, *, typed: dict[str, str], wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    parts = parts_of(request)
    reports, told = load().paths.reports, history(parts.service.model_name)
    turn = parts.promoting.last()
    folders = sorted((reports / name for name in (PROMOTION, ASKED)), key=_answered)
    return show(
        request, "data_promote.html", who, status=status, history=told, shown=SHOWN, figures=FIGURES, turn=turn,
        gate=gate(folders[-1]), only_asked=folders[-1].name == ASKED, asked_for=ASKED_FOR, typed=typed, wrong=wrong,
        choices=_choices(told), champion=_champion(told),
        most_letters=MOST_PURPOSE, running=turn is not None and turn.state is State.RUNNING,
    )  # fmt: skip


def _choices(told: History) -> list[Version]:
    return [one for one in told.versions if "champion" not in one.aliases][:MOST_VERSIONS]


def _champion(told: History) -> Version | None:
    return next((one for one in told.versions if "champion" in one.aliases), None)


def _answered(folder: FilePath) -> float:
    """When the gate left its answer there; 0 where it never did."""
    try:
        return (folder / "gate.json").stat().st_mtime
    except OSError:
        return 0.0


def _check_everywhere(request: Request, who: Who) -> None:
    if who.scope.everywhere:
        return
    parts_of(request).trail.note(entry_of(request, who, Act.PROMOTE, outcome=Forbidden.type))
    raise Forbidden("One model serves the whole kabupaten, so its champion is chosen by who may look everywhere.")
