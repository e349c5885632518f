"""`POST`, `GET`, `DELETE /v1/session`, another password, and the way over the identity provider."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.access import oidc_sign_in
from serving.access.gate import allowed
from serving.access.gatekeeper import address_of
from serving.access.keys import csrf_token
from serving.access.roles import MAY, Act
from serving.access.sessions import end_session
from serving.access.shown import (
    LOCAL,
    check_origin,
    cookie_name,
    drop_cookie,
    is_secure,
    set_cookie,
    shown_by,
)  # fmt: skip
from serving.access.signing import Attempt, change_password, sign_in
from serving.access.who import Who
from serving.errors import (
    Busy,
    Forbidden,
    NotFound,
    NotJson,
    ProviderAway,
    RequestRefused,
    StoreUnavailable,
    TooLarge,
    TooMany,
    Unauthorized,
    Unexpected,
)  # fmt: skip
from serving.examples_access import SESSION
from serving.parts import Parts, parts_of, refusals
from serving.schemas_access import PasswordRequest, SessionOut, SignInRequest
from serving.trail.noting import entry_of
from serving.trail.writer import append

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.access.oidc import Provider
    from serving.database import Database

router = APIRouter(prefix="/v1/session", tags=["access"])
T = TypeVar("T")
ON_ITS_WAY = "tepat_sign_in"
BACK = "/v1/session/oidc/back"
SHOWN = {"description": "Who you are.", "content": {"application/json": {"example": SESSION}}}
BEFORE = (Unauthorized, Forbidden, TooMany, StoreUnavailable, Unexpected)  # of a route that comes before any account
Signed = Annotated[Who, allowed(Act.SIGN_OUT)]


@router.post(
    "",
    summary="Sign in",
    responses={200: SHOWN, **refusals(NotJson, TooLarge, RequestRefused, Busy, *BEFORE, asks=False)},
)
async def begin(request: Request, response: Response, asked: SignInRequest) -> SessionOut:
    """By name and password of a local account. The cookie that comes back is the session; it is read by no script."""
    parts = parts_of(request)
    check_origin(request, parts.gate.service)
    parts.gate.count_sign_in(request, way="password")
    tried = attempt_of(request, name=asked.name, password=asked.password.get_secret_value())
    opened = await parts.gate.slowly(
        lambda: in_store(parts, lambda database: sign_in(database, tried, parts.gate.service))
    )
    set_cookie(response, parts.gate.service, opened.secret)
    return _told(opened.account.who("session"), csrf_token(opened.secret))


@router.get("", summary="Who you are", responses={200: SHOWN, **refusals(Unexpected)})
async def see(request: Request, response: Response, who: Signed) -> SessionOut:
    """And what you may do, and where; with the token for `X-CSRF-Token` of a session."""
    response.headers["Cache-Control"] = "no-store"  # the token is for this page alone
    shown = shown_by(request, parts_of(request).gate.service)
    return _told(who, csrf_token(shown.secret) if shown is not None and who.via == "session" else None)


@router.delete(
    "",
    status_code=204,
    summary="Sign out",
    responses={204: {"description": "The session has ended."}, **refusals(RequestRefused, Unexpected)},
)
def end(request: Request, response: Response, who: Signed) -> None:
    """Ends the session at once; a key is ended by an admin."""
    parts = parts_of(request)
    shown = shown_by(request, parts.gate.service)
    if shown is None or who.via != "session":
        raise RequestRefused("There is no session to end: the request shows none.")
    with parts.shelf.store() as store, store.database.writing() as connection:
        end_session(connection, shown.digest)
        append(connection, [entry_of(request, who, Act.SIGN_OUT)])
    parts.gate.forget()
    drop_cookie(response, parts.gate.service)


@router.post(
    "/password",
    summary="Choose another password",
    responses={200: SHOWN, **refusals(NotJson, TooLarge, RequestRefused, Busy, Unexpected)},
)
async def choose(request: Request, response: Response, asked: PasswordRequest, who: Signed) -> SessionOut:
    """All sessions of yours end, and a new one begins with the answer."""
    parts = parts_of(request)
    if who.via != "session":
        raise RequestRefused("Only somebody who is signed in has a password to change.")
    parts.gate.count_sign_in(request, way="password")
    tried = attempt_of(request, name=who.name, password=asked.old.get_secret_value())
    new = asked.new.get_secret_value()
    opened = await parts.gate.slowly(
        lambda: in_store(parts, lambda database: change_password(database, tried, new, service=parts.gate.service))
    )
    parts.gate.forget()
    set_cookie(response, parts.gate.service, opened.secret)
    return _told(opened.account.who("session"), csrf_token(opened.secret))


@router.get(
    "/oidc",
    status_code=302,
    summary="Sign in by the identity provider",
    response_class=RedirectResponse,
    responses={
        302: {"description": "To the identity provider."},
        **refusals(NotFound, RequestRefused, ProviderAway, *BEFORE, asks=False),
    },
)
async def leave(
    request: Request,
    next_path: Annotated[str, Query(alias="next", max_length=500, description="Path of this service to go to.")] = "/",
) -> Response:
    """For a browser: it comes back to `/v1/session/oidc/back`, and from there to `next`."""
    parts = parts_of(request)
    provider, service = _provider(parts), parts.gate.service
    parts.gate.count_sign_in(request, way="oidc")
    back = _back(request, parts)
    way = await to_thread.run_sync(
        lambda: in_store(
            parts, lambda database: oidc_sign_in.begin(database, next_path=next_path, back=back, at=_now())
        )
    )
    response = RedirectResponse(await provider.address(way), 302)
    # The browser that left must be the one that comes back; lax, as the provider's page leads back here.
    response.set_cookie(
        cookie_name(service, ON_ITS_WAY), way.state, max_age=oidc_sign_in.WAY_MINUTES * 60, path="/",
        secure=is_secure(service), httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get(
    "/oidc/back",
    status_code=303,
    summary="Back from the identity provider",
    response_class=RedirectResponse,
    responses={
        303: {"description": "Signed in; to the path that was asked for."},
        **refusals(NotFound, RequestRefused, ProviderAway, *BEFORE, asks=False),
    },
)
async def back(
    request: Request,
    state: Annotated[str, Query(max_length=200, description="As it was given to the provider.")],
    code: Annotated[str | None, Query(max_length=4000, description="What the provider gives for the token.")] = None,
    error: Annotated[str | None, Query(max_length=200, description="Why it gives none.")] = None,
    iss: Annotated[str | None, Query(max_length=500, description="The provider's address.")] = None,
) -> Response:
    """For a browser that the provider sends; what it brings holds once."""
    parts = parts_of(request)
    provider, service = _provider(parts), parts.gate.service
    parts.gate.count_sign_in(request, way="back")
    if request.cookies.get(cookie_name(service, ON_ITS_WAY)) != state:
        raise Unauthorized("Another browser began this sign-in; begin again in this one.")
    where = _back(request, parts)
    way, next_path = await to_thread.run_sync(
        lambda: in_store(parts, lambda database: oidc_sign_in.come_back(database, state, back=where, at=_now()))
    )
    if iss not in (None, provider.issuer):
        raise Unauthorized("It comes from another provider than the one that was asked.")
    if code is None or error is not None:
        raise Unauthorized("The identity provider did not sign you in.")
    subject = await provider.subject(code, way)
    asked = {"at": _now(), "request_id": request.state.request_id, "hours": service.session_hours}
    opened = await to_thread.run_sync(
        lambda: in_store(parts, lambda database: oidc_sign_in.open_linked(database, subject, **asked))
    )
    response = RedirectResponse(next_path, 303)
    drop_cookie(response, service, ON_ITS_WAY)
    set_cookie(response, service, opened.secret, strict=False)
    return response


def in_store(parts: Parts, work: Callable[[Database], T]) -> T:
    """What comes of work on the store's database; `StoreUnavailable` when it cannot be used."""
    with parts.shelf.store() as store:
        return work(store.database)


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


def attempt_of(request: Request, *, name: str, password: str) -> Attempt:
    """A try to sign in, as the request makes it."""
    return Attempt(
        name=name, password=password, at=_now(), request_id=request.state.request_id, address=address_of(request)
    )


def _provider(parts: Parts) -> Provider:
    if parts.gate.provider is None:
        raise NotFound("No identity provider is set up here; sign in with a local account.")
    return parts.gate.provider


def _back(request: Request, parts: Parts) -> str:
    service = parts.gate.service
    if service.public_url is None and service.host not in LOCAL:
        raise ProviderAway("TEPAT_PUBLIC_URL does not say where the provider is to send people back to.")
    return (service.public_url or f"http://{request.url.netloc}") + BACK


def _told(who: Who, csrf: str | None) -> SessionOut:
    return SessionOut(
        name=who.name, kind=who.kind, roles=sorted(who.roles),
        may=sorted({act for role in who.roles for act in MAY[role]}),
        everywhere=who.scope.everywhere, regions=sorted(who.scope.regions), areas=sorted(who.scope.areas),
        must_change=who.must_change, csrf_token=csrf,
    )  # fmt: skip
