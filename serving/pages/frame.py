"""Turns what a page tells into HTML, inside the frame that all pages share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.access.keys import csrf_token
from serving.access.oidc_sign_in import is_here
from serving.access.roles import Act, may
from serving.access.shown import shown_by
from serving.errors import Unauthorized
from serving.pages.language import LANGUAGES, Language, language_of
from serving.pages.sentences import told
from serving.parts import parts_of

if TYPE_CHECKING:
    from fastapi import Request

    from serving.access.who import Who
    from serving.settings import Service

READING = ("GET", "HEAD")
OF_A_FORM: Final = re.compile(r"(/households/.+)/(?:decide|what-if|correct)")
HERE = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
TEMPLATES.filters["told"] = told


@dataclass(frozen=True)
class Place:
    """Where the frame leads to; `words` are Indonesian, and `act` is what one must be able to do there."""

    path: str
    words: str
    act: Act


PLACES = (
    Place("/", "Ringkasan", Act.SEE_REGION),
    Place("/lists", "Daftar", Act.SEE_LIST),
    Place("/field", "Lapangan", Act.VISIT),
    Place("/data", "Ruang data", Act.SEE_MODEL),
)
"""In the order in which the frame shows them; of each, who may not enter it sees nothing."""


def language(request: Request) -> Language:
    """The language of whoever asks."""
    return language_of(request, zone=_service(request).time_zone)


def show(request: Request, template: str, who: Who | None, *, status: int = 200, **told: Any) -> HTMLResponse:
    """A page; of somebody who did not sign in yet, `who` is None and the frame leads nowhere."""
    said = language(request)
    known = {
        "_": said, "who": who, "places": places_of(who), "here": request.url.path, "languages": LANGUAGES,
        "csrf": token_of(request, who), "may": lambda act: who is not None and may(who.roles, Act(act)),
        "address": address_of(request),
    }  # fmt: skip
    return HTMLResponse(TEMPLATES.get_template(template).render(known | told), status)


def address_of(request: Request) -> str:
    """Path and query of the page that is read; of a form that came back, of the page that it stands on."""
    if request.method in READING:
        said = request.url.components
        path = said.path
    else:
        said = urlsplit(request.headers.get("referer", ""))
        path = said.path or request.url.path
        # A form that was refused stands at its own address, where nothing can be read.
        path = form[1] if (form := OF_A_FORM.fullmatch(path)) else said.path
    address = path + (f"?{said.query}" if said.query else "")
    return address if is_here(address) else "/"


def password_first(path: str) -> str:
    """The way to another password, and from there on to a path."""
    return "/password" if path == "/" else f"/password?next={quote(path, safe='')}"


def places_of(who: Who | None) -> list[Place]:
    """Where somebody may go."""
    if who is None or who.must_change:
        return []
    return [place for place in PLACES if may(who.roles, place.act)]


def token_of(request: Request, who: Who | None) -> str:
    """What every form of theirs must bear; empty where nobody is signed in."""
    if who is None or who.via != "session":
        return ""
    try:
        shown = shown_by(request, _service(request))
    except Unauthorized:
        return ""
    return "" if shown is None else csrf_token(shown.secret)


def _service(request: Request) -> Service:
    return parts_of(request).service
