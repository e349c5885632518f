"""What a request shows of who sends it: a cookie, a key or token, or nothing; and where it came from."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from serving.access.keys import Key, csrf_token, digest, read_key
from serving.errors import Forbidden, Unauthorized

if TYPE_CHECKING:
    from fastapi import Request, Response

    from serving.settings import Service

COOKIE = "tepat_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BY_A_PROXY = (b"forwarded", b"x-forwarded-", b"x-real-ip", b"via")
LOCAL = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Shown:
    """What was shown, and by what it is remembered: of the secret itself only a digest."""

    how: Literal["session", "bearer"]
    digest: str
    secret: str = field(repr=False)
    key: Key | None = None


def is_secure(service: Service) -> bool:
    """Whether others reach the service by https only."""
    return bool(service.public_url and service.public_url.startswith("https://"))


def cookie_name(service: Service, name: str = COOKIE) -> str:
    """A browser takes a cookie with the prefix by https only, and from nobody but this very host."""
    return f"__Host-{name}" if is_secure(service) else name


def shown_by(request: Request, service: Service) -> Shown | None:
    """What a request shows; a key counts before a cookie, and None is nothing.

    Raises
    ------
    Unauthorized
        The header `Authorization` holds something that no key or token of Tepat is.
    """
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, text = header.partition(" ")
        key = read_key(text.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Unauthorized("The header Authorization holds no `Bearer` and key or token of Tepat.")
        return Shown("bearer", digest(key.text), key.secret, key)
    secret = request.cookies.get(cookie_name(service))
    return Shown("session", digest(secret), secret) if secret else None


def came_by_proxy(request: Request) -> bool:
    """Whether somebody sent it on: then it need not come from this machine."""
    return any(name.startswith(BY_A_PROXY) for name, _ in request.scope["headers"])


def check_origin(request: Request, service: Service) -> None:
    """Nothing, unless a page of another place sent what may change something.

    Raises
    ------
    Forbidden
        `Sec-Fetch-Site` or `Origin` says that another site did.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    here = (service.public_url, f"{request.url.scheme}://{request.headers.get('host')}")
    if site not in (None, "same-origin", "none") or origin not in (None, *here):
        raise Forbidden("A page of another site sent this; it can only be sent from a page of Tepat itself.")


def check_csrf(request: Request, shown: Shown) -> None:
    """Nothing, when what may change something bears the token of its session.

    Raises
    ------
    Forbidden
        It does not.
    """
    # A form, which can set no header, bears it in a field that was read before.
    given = str(request.headers.get("x-csrf-token") or getattr(request.state, "csrf_token", ""))
    if not hmac.compare_digest(given.encode(), csrf_token(shown.secret).encode()):
        raise Forbidden("X-CSRF-Token is not that of this session; GET /v1/session tells it as `csrf_token`.")


def set_cookie(response: Response, service: Service, secret: str, *, strict: bool = True) -> None:
    """Hand over a session. After another site's page led here only a lax cookie is sent on the first step."""
    response.set_cookie(
        cookie_name(service), secret, max_age=int(service.session_hours * 3600), path="/", secure=is_secure(service),
        httponly=True, samesite="strict" if strict else "lax",
    )  # fmt: skip


def drop_cookie(response: Response, service: Service, name: str = COOKIE) -> None:
    """Take a cookie back."""
    response.delete_cookie(cookie_name(service, name), path="/", secure=is_secure(service), httponly=True)
