"""Sign in, out, another password, and the language: `/sign-in`, `/sign-out`, `/password`, `/language/{code}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.access.gate import allowed
from serving.access.oidc_sign_in import is_here
from serving.access.roles import Act
from serving.access.sessions import end_session
from serving.access.shown import check_origin, drop_cookie, is_secure, set_cookie, shown_by
from serving.access.signing import change_password, sign_in
from serving.access.who import Who
from serving.errors import Busy, NotFound, Problem, RequestRefused, TooMany, Unauthorized
from serving.pages.entering import FORM, form_of
from serving.pages.frame import language, password_first, show
from serving.pages.language import COOKIE, LANGUAGES
from serving.parts import parts_of
from serving.routes.session import attempt_of, in_store
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    from serving.access.signing import Opened
    from serving.pages.language import Language
    from serving.parts import Parts

router = APIRouter(include_in_schema=False)
Next = Annotated[str, Query(alias="next", max_length=500)]
Signed = Annotated[Who, allowed(Act.SIGN_OUT)]
A_YEAR_S = 365 * 24 * 3600


@router.get("/sign-in")
def ask(request: Request, next_path: Next = "/") -> HTMLResponse:
    """The form, and the way over the identity provider where there is one."""
    return _form(request, next_path=next_path)


@router.post("/sign-in", dependencies=[FORM])
async def enter(request: Request) -> Response:
    """To where somebody wanted to go; or the form again, with why not."""
    parts, form = parts_of(request), form_of(request)
    next_path = form.get("next", "/")
    check_origin(request, parts.service)
    try:
        parts.gate.count_sign_in(request, way="password")
        tried = attempt_of(request, name=form.get("name", ""), password=form.get("password", ""))
        opened = await parts.gate.slowly(
            lambda: in_store(parts, lambda database: sign_in(database, tried, parts.service))
        )
    except (Unauthorized, TooMany, Busy) as refusal:
        return _form(request, next_path=next_path, refusal=refusal)
    return _with_session(parts, opened, password_first(next_path) if opened.account.must_change else next_path)


@router.post("/sign-out", dependencies=[FORM])
def leave(request: Request, who: Signed) -> RedirectResponse:
    """Ends the session, and has the browser forget what it keeps of the district."""
    parts = parts_of(request)
    shown = shown_by(request, parts.service)
    if shown is None or who.via != "session":
        raise RequestRefused("There is no session to end.")
    with parts.shelf.store() as store, store.database.writing() as connection:
        end_session(connection, shown.digest)
        append(connection, [entry_of(request, who, Act.SIGN_OUT)])
    parts.gate.forget()
    response = RedirectResponse("/sign-in", 303)
    drop_cookie(response, parts.service)
    # The storage holds visits that wait, of others too; the page's script removes what is the leaver's own.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.get("/password")
def ask_another(request: Request, who: Signed, next_path: Next = "/") -> HTMLResponse:
    """The form for another password; after it, the way goes on to `next`."""
    return _another(request, who, next_path=next_path)


@router.post("/password", dependencies=[FORM])
async def choose(request: Request, who: Signed) -> Response:
    """A session with the new password, and on to where somebody wanted to go; or the form again, with why not."""
    parts, form = parts_of(request), form_of(request)
    next_path = form.get("next", "/")
    if who.via != "session":
        raise RequestRefused("Only somebody who is signed in has a password to change.")
    said = language(request)
    if form.get("new") != form.get("again"):
        why = said("Kedua kata sandi baru tidak sama. Ketik lagi keduanya.")
        return _another(request, who, next_path=next_path, status=RequestRefused.status, why=why)
    try:
        parts.gate.count_sign_in(request, way="password")
        tried = attempt_of(request, name=who.name, password=form.get("old", ""))
        opened = await parts.gate.slowly(
            lambda: in_store(
                parts, lambda database: change_password(database, tried, form.get("new", ""), service=parts.service)
            )
        )
    except (Unauthorized, RequestRefused, TooMany, Busy) as refusal:
        why = _why_kept(said, refusal)
        return _another(request, who, next_path=next_path, status=refusal.status, why=why)
    parts.gate.forget()
    return _with_session(parts, opened, next_path)


@router.get("/language/{code}")
def speak(request: Request, code: Annotated[str, Path(max_length=5)], next_path: Next = "/") -> RedirectResponse:
    """The same page in another language, and every page from then on."""
    if code not in LANGUAGES:
        raise NotFound("The page does not speak this language.")
    response = RedirectResponse(_here(next_path), 303)
    response.set_cookie(
        COOKIE, code, max_age=A_YEAR_S, path="/", secure=is_secure(parts_of(request).service), httponly=True,
        samesite="lax",
    )  # fmt: skip
    return response


def _why_kept(said: Language, refusal: Problem) -> str:
    if isinstance(refusal, Unauthorized):
        return said("Kata sandi yang sekarang tidak cocok, atau akun sedang terkunci. Ketik lagi beberapa menit lagi.")
    if isinstance(refusal, RequestRefused):
        return said(
            "Kata sandi baru belum dapat dipakai. Pakailah 12 sampai 1.000 huruf, dengan 5 huruf yang berlainan; bukan "
            "nama akun, bukan ulangan, dan bukan kata sandi yang sekarang."
        )
    return said("Sedang banyak yang masuk. Tunggu satu menit, lalu ulangi.")


def _another(request: Request, who: Who, *, next_path: str, status: int = 200, why: str | None = None) -> HTMLResponse:
    return show(request, "password.html", who, status=status, why=why, next_path=_here(next_path))


def _form(request: Request, *, next_path: str, refusal: Problem | None = None) -> HTMLResponse:
    said = language(request)
    why = None
    if isinstance(refusal, Unauthorized):
        why = said("Nama dan kata sandi tidak cocok, atau akun sedang terkunci. Coba lagi beberapa menit lagi.")
    elif refusal is not None:
        why = said("Terlalu banyak percobaan masuk. Tunggu satu menit, lalu ulangi.")
    return show(
        request, "sign_in.html", None, status=200 if refusal is None else refusal.status, next_path=_here(next_path),
        why=why, by_provider=parts_of(request).gate.provider is not None,
    )  # fmt: skip


def _with_session(parts: Parts, opened: Opened, next_path: str) -> RedirectResponse:
    response = RedirectResponse(_here(next_path), 303)
    set_cookie(response, parts.service, opened.secret)
    return response


def _here(path: str) -> str:
    """A path of this service; anything else would lead to another place."""
    return path if is_here(path) else "/"
