"""The one place where every route asks who is there, whether they may do this, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from serving.access.roles import Act
from serving.access.shown import COOKIE
from serving.access.who import Who
from serving.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi.routing import APIRoute

UNASKED = frozenset({
    ("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/v1/session"), ("GET", "/v1/session/oidc"),
    ("GET", "/v1/session/oidc/back"), ("POST", "/v1/token"), ("GET", "/sign-in"), ("POST", "/sign-in"),
    ("GET", "/language/{code}"),
})  # fmt: skip
"""What nobody could pass if it asked who is there."""
# They stand for the OpenAPI document alone: the gatekeeper reads what a request shows.
BEARER = HTTPBearer(
    scheme_name="bearer", auto_error=False,
    description="An API key, or the access token that `POST /v1/token` gives for OAuth2 client credentials.",
)  # fmt: skip
SESSION = APIKeyCookie(
    name=COOKIE, scheme_name="session", auto_error=False,
    description=f"The cookie that `POST /v1/session` sets; its name is `__Host-{COOKIE}` where the service is reached "
    "by https. What changes something needs the header `X-CSRF-Token` beside it.",
)  # fmt: skip


def allowed(act: Act) -> Any:
    """A dependency of a route: who asks, when they may do `act`; else `Unauthorized`, `Forbidden` or `TooMany`."""

    async def enter(
        request: Request, _bearer: Annotated[Any, Depends(BEARER)], _session: Annotated[Any, Depends(SESSION)]
    ) -> Who:
        return await parts_of(request).gate.enter(request, act)

    return Depends(enter)


def check_gates(routes: Iterable[APIRoute]) -> None:
    """Nothing, when every route asks who is there but those of `UNASKED`.

    Raises
    ------
    RuntimeError
        Names those that ask nobody: a service with such a door does not start.
    """
    open_doors = {(method, route.path) for route in routes if not _asks(route) for method in route.methods or ()}
    if open_doors - UNASKED:
        raise RuntimeError(f"Routes without a gate: {sorted(open_doors - UNASKED)}; each needs `allowed(Act...)`.")


def _asks(route: APIRoute) -> bool:
    inner = [one for dependency in route.dependant.dependencies for one in (dependency, *dependency.dependencies)]
    return {BEARER, SESSION} <= {one.call for one in inner}
