"""Every door asks who is there, but those that nobody could pass otherwise."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from serving import app
from serving.access.gate import BEARER, SESSION
from serving.app import ROUTES, create_app
from serving.settings import Service

UNASKED = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/v1/session"),
    ("GET", "/v1/session/oidc"),
    ("GET", "/v1/session/oidc/back"),
    ("POST", "/v1/token"),
}
ON_THE_PAGE = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/language/{code}")}
REFUSED = {"401", "403", "429", "503"}


@pytest.fixture(scope="module")
def operations():
    paths = create_app(Service()).openapi()["paths"]
    return {(method.upper(), path): said for path, methods in paths.items() for method, said in methods.items()}


def asks(route: APIRoute) -> bool:
    """Whether the gate is among what a route depends on, as the framework will call it."""
    inner = [one for dependency in route.dependant.dependencies for one in (dependency, *dependency.dependencies)]
    return {BEARER, SESSION} <= {one.call for one in inner}


def test_every_route_but_those_before_any_account_asks_who_is_there():
    unasked = {(method, route.path) for route in ROUTES if not asks(route) for method in route.methods}

    assert UNASKED | ON_THE_PAGE == unasked


def test_a_service_with_a_route_that_asks_nobody_does_not_start(monkeypatch):
    router = APIRouter()

    @router.get("/v1/forgotten")
    def forgotten() -> None:
        """A route without a gate."""

    monkeypatch.setattr(app, "ROUTES", [*ROUTES, *router.routes])

    with pytest.raises(RuntimeError, match="/v1/forgotten"):
        create_app(Service())


def test_the_openapi_document_says_which_routes_ask_and_how_they_refuse(operations):
    unasked = {name for name, said in operations.items() if "security" not in said}
    lacking = {name: REFUSED - set(said["responses"]) for name, said in operations.items() if name not in UNASKED}

    assert UNASKED == unasked
    assert not {name: missing for name, missing in lacking.items() if missing}
    assert {frozenset({"bearer"}), frozenset({"session"})} == {
        frozenset(way) for said in operations.values() for way in said.get("security", [])
    }
