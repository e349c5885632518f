"""A refusal as a page: what happened and what to do, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi.responses import RedirectResponse

from serving.errors import Forbidden, Unauthorized
from serving.pages.frame import address_of, language, show

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

    from serving.errors import Problem

OF_PROGRAMS = ("/v1/", "/static/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics")
MUST_CHANGE = "/v1/session/password"
"""In a refusal to whoever still has a one-time password."""
KEPT: Final = frozenset({"region", "shade", "sort", "area", "band", "service"})
"""What the way back keeps of an address; whatever else stands in it may have been typed, and be anybody's name."""


def is_for_a_reader(request: Request) -> bool:
    """Whether a person's browser asked for a page."""
    return not f"{request.url.path}/".startswith(OF_PROGRAMS) and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, problem: Problem) -> Response:
    """The way to sign in, or to choose a password; else a page that says what was wrong."""
    if problem.status == Unauthorized.status and request.method in ("GET", "HEAD"):
        return RedirectResponse(f"/sign-in?next={quote(_way_back(address_of(request)), safe='')}", 303)
    if problem.status == Forbidden.status and MUST_CHANGE in problem.detail:
        return RedirectResponse("/password", 303)
    said = language(request)
    told = {
        400: said("Permintaan tidak terbaca."),
        401: said("Anda belum masuk, atau waktu masuk Anda sudah habis. Masuklah lagi; isian Anda belum disimpan."),
        403: said("Peran Anda tidak mengizinkan ini. Mintalah kepada admin bila tugas Anda memerlukannya."),
        404: said("Tidak ada apa-apa di alamat ini, atau letaknya di luar wilayah Anda."),
        409: said("Ini sudah dikirim sebelumnya dengan isi yang lain. Muat ulang halaman, lalu ulangi."),
        413: said("Isiannya terlalu besar."),
        422: said("Isiannya belum dapat dipakai. Keterangan di bawah menyebut apa yang perlu diperbaiki."),
        429: said("Terlalu banyak permintaan dalam satu menit. Tunggu sebentar, lalu ulangi."),
        503: said("Sedang tidak dapat dijawab. Tunggu sebentar, lalu ulangi; tidak ada yang hilang."),
    }.get(problem.status, said("Ada kesalahan di pihak kami. Sebutkan nomor di bawah kepada admin."))
    response = show(request, "refused.html", None, status=problem.status, told=told, problem=problem,
                    request_id=request.state.request_id)  # fmt: skip
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def _way_back(address: str) -> str:
    """The address without what somebody may have typed into it."""
    said = urlsplit(address)
    kept = urlencode([(name, value) for name, value in parse_qsl(said.query) if name in KEPT])
    return said.path + (f"?{kept}" if kept else "")
