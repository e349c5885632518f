"""Assembles the service; the only file with a lifespan."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from serving.access.gate import check_gates
from serving.access.gatekeeper import Gatekeeper
from serving.boundaries import read_boundaries
from serving.champion import Champion
from serving.documentation import document
from serving.errors import FactsRefused, MethodNotAllowed, NotFound, NotJson, Problem, RequestRefused, TooLarge
from serving.facts import MOST_SHOWN, contract_errors, counted
from serving.handing import Handing
from serving.http.files import Files
from serving.jobs.asking import Asking
from serving.jobs.worker import JobWorker
from serving.masked_names import MaskedNames
from serving.middleware import problem_response, surround
from serving.model_history import forget
from serving.openapi.operations import operation_id
from serving.pages import (
    assigning,
    data_field,
    data_jobs,
    data_promote,
    data_registers,
    data_room,
    field,
    household,
    household_decide,
    household_fact,
    lists,
    making,
    overview,
    signing,
)
from serving.pages.language import LANGUAGES, spoken
from serving.pages.refused import is_for_a_reader, refusal_page
from serving.parts import Parts
from serving.promoting import Promoting
from serving.published import Published
from serving.routes import (
    accounts,
    decisions,
    exports,
    health,
    households,
    job_files,
    job_results,
    jobs,
    models,
    plans,
    quarantine,
    regions,
    score,
    session,
    token,
    trail,
    worklists,
)  # fmt: skip
from serving.score_keeper import ScoreKeeper
from serving.scorers.pool import Pool
from serving.shelf import Shelf
from serving.trail.keeper import Trail
from serving.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response

    from serving.boundaries import Boundaries
    from serving.settings import Service

VERSION = "1"
PAGE_FILES = Path(__file__).parent / "pages" / "static"
LOCAL = ("127.0.0.1", "localhost")
ROUTERS = (
    score.router, households.router, worklists.router, plans.router, decisions.router, health.router,
    jobs.router, job_files.router, job_results.router, regions.router, models.router, quarantine.router, exports.router,
    session.router, token.router, accounts.router, trail.router,
    overview.router, data_room.router, data_field.router, data_jobs.router, data_promote.router, data_registers.router,
    signing.router, field.router, household_fact.router, household_decide.router, household.router,
    making.router, lists.router, assigning.router,
)  # fmt: skip
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def create_app(service: Service) -> FastAPI:
    """The application, with parts that start with it; none with a route that asks nobody who is there."""
    watch = Watch()
    app = FastAPI(
        title="Tepat", version=VERSION, docs_url=None, redoc_url=None,
        lifespan=partial(_living, service=service, watch=watch, boundaries=read_boundaries(service.boundaries)),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=operation_id,
    )  # fmt: skip
    check_gates(ROUTES)
    for code in LANGUAGES:
        spoken(code, zone=service.time_zone)  # its words are read now: later, everybody would wait for it
    for router in ROUTERS:
        app.include_router(router)
    if service.host in LOCAL:
        # Else a page in the office's browser could name itself 127.0.0.1 and read everything.
        known = [urlsplit(service.public_url).hostname or ""] if service.public_url else []
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *known])
    surround(app, service, watch)
    app.add_exception_handler(Problem, _problem)  # type: ignore[arg-type]  # each handler gets its own kind
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # as above
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]  # as above
    document(app, ROUTES)
    app.mount("/static/page", Files(directory=PAGE_FILES))
    return app


@asynccontextmanager
async def _living(
    app: FastAPI, *, service: Service, watch: Watch, boundaries: Boundaries | None
) -> AsyncIterator[None]:
    pool = Pool(watch, most=service.batch_households, line=service.queue_households)
    champion = Champion(
        service.model_name, pool, folder=service.folder, scorers=service.scorers, every_seconds=service.reload_seconds
    )
    shelf = Shelf(service.database.get_secret_value())
    pool.start(champion.look)
    await asyncio.to_thread(champion.start)  # it hands its scorers over through this loop
    asks = Asking(pool, asyncio.get_running_loop())
    bulk = JobWorker(service.folder, shelf, asks, watch, most_upload=int(service.max_upload_mib * 2**20))
    trail = Trail(shelf, service.folder, watch)
    trail.start()
    gate = Gatekeeper(service, shelf=shelf, trail=trail)
    promoting = Promoting(service.folder, trail=trail, moved=lambda: _moved(champion, service))
    handing = Handing(service.folder, trail=trail)
    await asyncio.to_thread(handing.start)
    app.state.parts = Parts(
        champion, pool, Published(), shelf, watch, gate, trail, bulk, service, boundaries, promoting, handing,
        MaskedNames(),
    )  # fmt: skip
    bulk.start()
    scores = ScoreKeeper(shelf, every_seconds=service.reload_seconds)
    scores.start()
    # What is there for good is not looked through again each time that memory is tidied, while requests wait.
    gc.freeze()
    yield
    await asyncio.to_thread(scores.stop)  # it may wait for the store
    # Not here: what it waits for comes through this loop.
    await asyncio.to_thread(bulk.stop)
    await asyncio.to_thread(promoting.stop)  # as above
    await asyncio.to_thread(handing.stop)  # as above
    await asyncio.to_thread(champion.stop)  # as above
    await pool.stop()
    await asyncio.to_thread(trail.stop)  # as above
    shelf.close()


def _moved(champion: Champion, service: Service) -> None:
    forget(service.model_name)
    champion.look()


def _answered(request: Request, problem: Problem) -> Response:
    if is_for_a_reader(request):
        return refusal_page(request, problem)
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
    found = {method for route in routes for method in route.methods or ()}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))
