"""A refusal as a page: what happened and what to do, in the reader's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi.responses import RedirectResponse

from serving.errors import Forbidden, NotFound, Unauthorized
from serving.pages.frame import READING, address_of, language, password_first, show

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

    from serving.errors import Problem
    from serving.pages.language import Language

OF_PROGRAMS = ("/v1/", "/static/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics")
MUST_CHANGE = "/v1/session/password"
"""In a refusal to whoever still has a one-time password."""
OF_ANOTHER_SESSION: Final = "X-CSRF-Token"
"""In a refusal of a form that was opened before its reader signed in again."""
SAID_ABOVE: Final = ("It needs one of the roles", "No role may", OF_ANOTHER_SESSION)
"""In a refusal of what somebody may not do, of which the heading says as much in plain words."""
OF_A_FACT: Final = re.compile(r"(/households/.+)/fact")
LIST: Final = re.compile(r"[0-9a-f]{32}")
KEPT: Final = frozenset({"region", "shade", "sort", "area", "band", "service"})
"""What the way back keeps of an address; whatever else stands in it may have been typed, and be anybody's name."""


def is_for_a_reader(request: Request) -> bool:
    """Whether a person's browser asked for a page."""
    return not f"{request.url.path}/".startswith(OF_PROGRAMS) and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, problem: Problem) -> Response:
    """The way to sign in, or to choose a password; else a page that says what was wrong."""
    back = _way_back(request)
    to_sign_in = f"/sign-in?next={quote(back, safe='')}" if problem.status == Unauthorized.status else None
    if to_sign_in and request.method in READING:
        return RedirectResponse(to_sign_in, 303)
    if problem.status == Forbidden.status and MUST_CHANGE in problem.detail:
        return RedirectResponse(password_first(back), 303)
    stale = OF_ANOTHER_SESSION in problem.detail
    told = _heading(problem.status, language(request), stale=stale)
    response = show(
        request, "refused.html", None, status=problem.status, told=told, more=_in_words(problem), to_sign_in=to_sign_in,
        back=back if stale else None, request_id=request.state.request_id,
    )  # fmt: skip
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def _heading(status: int, said: Language, *, stale: bool) -> str:
    if stale:
        return said("Halaman ini dibuka sebelum Anda masuk lagi. Buka lagi halamannya; isian Anda belum disimpan.")
    return {
        400: said("Permintaan tidak terbaca."),
        401: said("Anda belum masuk, atau waktu masuk Anda sudah habis. Masuklah lagi; isian Anda belum disimpan."),
        403: said("Peran Anda tidak mengizinkan ini. Mintalah kepada admin bila tugas Anda memerlukannya."),
        404: said("Tidak ada apa-apa di alamat ini, atau letaknya di luar wilayah Anda."),
        409: said("Ini sudah dikirim sebelumnya dengan isi yang lain. Muat ulang halaman, lalu ulangi."),
        413: said("Isiannya terlalu besar."),
        422: said("Isiannya belum dapat dipakai. Keterangan di bawah menyebut apa yang perlu diperbaiki."),
        429: said("Terlalu banyak permintaan dalam satu menit. Tunggu sebentar, lalu ulangi."),
        503: said("Sedang tidak dapat dijawab. Tunggu sebentar, lalu ulangi; tidak ada yang hilang."),
    }.get(status, said("Ada kesalahan di pihak kami. Sebutkan nomor di bawah kepada admin."))


def _in_words(problem: Problem) -> tuple[str, ...]:
    """What is told beside the heading: of what nobody may do, or nobody finds, only what is said for people."""
    if problem.status == Forbidden.status:
        return () if any(words in problem.detail for words in SAID_ABOVE) else (problem.detail,)
    return () if problem.status in (Unauthorized.status, NotFound.status) else (problem.detail, problem.remedy)


def _way_back(request: Request) -> str:
    """Where to go on: the address without what somebody may have typed into it; of a fact, its household."""
    said = urlsplit(address_of(request))
    fact = OF_A_FACT.fullmatch(said.path)
    asked = [*parse_qsl(said.query), ("list", getattr(request.state, "form", {}).get("list", ""))]
    kept = dict.fromkeys(one for one in asked if one[0] in KEPT or (one[0] == "list" and LIST.fullmatch(one[1])))
    return (fact[1] if fact else said.path) + (f"?{urlencode(list(kept))}" if kept else "")
