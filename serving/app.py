"""Assembles the service; the only file with a lifespan."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from serving.batching import Batcher
from serving.champion import Champion
from serving.errors import FactsRefused, MethodNotAllowed, NotFound, NotJson, Problem, RequestRefused, TooLarge
from serving.facts import MOST_SHOWN, contract_errors, counted
from serving.middleware import Around, problem_response
from serving.parts import Parts
from serving.published import Published
from serving.routes import decisions, health, households, plans, score, worklists
from serving.schemas import ProblemOut
from serving.shelf import Shelf
from serving.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response

    from serving.settings import Service

VERSION = "1"
LOCAL = ("127.0.0.1", "localhost")
ROUTERS = (
    score.router, households.router, worklists.router, plans.router, decisions.router, health.router,
)  # fmt: skip
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
ABOUT = """Which households to visit first so that fewer children grow up stunted, and why.

A score is advice, never a decision. It is on the level of the registers it was learned from, which is not a survey's.
Children in danger (severe wasting, oedema, arm circumference) are named apart and wait behind no rank."""


def create_app(service: Service) -> FastAPI:
    """The application, with parts that start with it."""
    watch = Watch()
    app = FastAPIOffline(
        title="Tepat", version=VERSION, description=ABOUT, lifespan=partial(_living, service=service, watch=watch),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    for router in ROUTERS:
        app.include_router(router)
    if service.host in LOCAL:
        # Else a page in the office's browser could name itself 127.0.0.1 and read everything.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL])
    # Last, and so around all: whom the layer before sends away is noted, too.
    app.add_middleware(Around, watch=watch, max_body=int(service.max_body_mib * 2**20))
    app.add_exception_handler(Problem, _problem)  # type: ignore[arg-type]  # each handler gets its own kind
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # as above
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]  # as above
    app.openapi = partial(_openapi, app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


@asynccontextmanager
async def _living(app: FastAPI, *, service: Service, watch: Watch) -> AsyncIterator[None]:
    champion = Champion(service.model_name, every_seconds=service.reload_seconds)
    batcher = Batcher(champion, watch, most=service.batch_households, line=service.queue_households)
    shelf = Shelf(service.database)
    champion.start()
    batcher.start()
    app.state.parts = Parts(champion, batcher, Published(), shelf, watch)
    yield
    batcher.stop()
    champion.stop()
    shelf.close()


def _answered(request: Request, problem: Problem) -> Response:
    return problem_response(problem, request.state.request_id)


async def _problem(request: Request, problem: Problem) -> Response:
    return _answered(request, problem)


async def _invalid(request: Request, fault: RequestValidationError) -> Response:
    faults = fault.errors()
    if any(one["type"] == "json_invalid" for one in faults):
        return _answered(request, NotJson("It cannot be parsed."))
    if errors := contract_errors(faults):
        return _answered(request, FactsRefused(counted(errors), errors=errors[:MOST_SHOWN]))
    if faults[0]["loc"] == ("body",):
        return _answered(request, NotJson("The body is no JSON object; was it sent as content-type: application/json?"))
    # Where and why, never what: it may be a name, or a date of birth. An unknown field may be one, too.
    said = [{"where": _where(one), "reason": one["msg"]} for one in faults[:MOST_SHOWN]]
    return _answered(request, RequestRefused(f"{said[0]['where']}: {said[0]['reason']}.", errors=said))


def _where(fault: dict[str, Any]) -> str:
    known = fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]
    return ".".join(map(str, known)) + ("" if known == fault["loc"] else ".(an unknown field)")


async def _http(request: Request, fault: HTTPException) -> Response:
    if isinstance(fault.__cause__, Problem):
        return _answered(request, fault.__cause__)
    known: dict[int, Problem] = {
        404: NotFound("No route has this address."),
        405: MethodNotAllowed(f"It does not answer to {request.method[:20]}."),
        413: TooLarge("The body is too large."),
    }
    response = _answered(request, known.get(fault.status_code, NotJson("The body cannot be read.")))
    response.headers.update(fault.headers or {})
    if fault.status_code == MethodNotAllowed.status:
        response.headers["Allow"] = ", ".join(_methods(request))
    return response


def _methods(request: Request) -> list[str]:
    """The methods of every route of this address; the framework names those of the first only."""
    routes = [route for route in ROUTES if route.path_regex.match(request.url.path)]
    return sorted({method for route in routes for method in route.methods or ()})


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the shape of a refusal, which no route returns by type."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
            license_info=app.license_info,
        )  # fmt: skip
        made["components"]["schemas"]["ProblemOut"] = ProblemOut.model_json_schema()
        for route in ROUTES:
            _with_examples(route, made["paths"].get(route.path_format, {}))
        app.openapi_schema = made
    return app.openapi_schema


def _with_examples(route: APIRoute, path: dict[str, Any]) -> None:
    """The examples as we gave them: the framework leaves the nulls out."""
    for method in (route.methods or set()) & {name.upper() for name in path}:
        for status, entry in route.responses.items():
            for kind, content in entry.get("content", {}).items():
                shown = {name: content[name] for name in ("example", "examples") if name in content}
                path[method.lower()]["responses"][str(status)]["content"][kind] |= shown
