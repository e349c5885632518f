"""`GET /healthz`, `/readyz`, `/metrics`: for whoever watches the machine."""

from __future__ import annotations

import asyncio
import time

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.errors import NothingScored, StoreUnavailable, Unexpected
from serving.parts import Parts, parts_of, refusals
from serving.schemas_service import Health

router = APIRouter(tags=["service"])
OK = {"status": "ok", "reasons": []}
KEPT_S = 1.0
"""How long what is lacking is told to strangers without another look."""
NOT_READY = {"status": "not ready", "reasons": ["The registry gives no alias 'champion' of 'determinants'."]}


@router.get(
    "/healthz",
    summary="Whether the service runs",
    responses={
        200: {"description": "It runs.", "content": {"application/json": {"example": OK}}},
        **refusals(Unexpected, asks=False),
    },
)
async def healthz() -> Health:
    """Says nothing of the model or the store: a service that waits for them need not be started again."""
    return Health(status="ok", reasons=[])


@router.get(
    "/readyz",
    summary="Whether the service can answer",
    responses={
        200: {
            "description": "It can answer; `reasons` tells what is old, to whoever may see the measures.",
            "content": {"application/json": {"example": OK}},
        },
        503: {"model": Health, "description": "It cannot.", "content": {"application/json": {"example": NOT_READY}}},
        **refusals(Unexpected, asks=False),
    },
)
async def readyz(request: Request, response: Response) -> Health:
    """Ready with the last good model, too: then the reason why it is not the champion stands beside.

    `reasons` are for whoever may see the measures; others are told the status, as it was within a second.
    """
    parts = parts_of(request)
    sees = await parts.gate.sees(request, Act.SEE_METRICS)
    lacking = await (_look(request) if sees else _lately(request))
    if lacking:
        response.status_code = 503
    stale = [parts.champion.stale_because] if parts.champion.stale_because else []
    return Health(status="not ready" if lacking else "ok", reasons=(lacking or stale) if sees else [])


async def _lately(request: Request) -> list[str]:
    """What is lacking; strangers who ask at once, or again, cost one look a second."""
    kept: tuple[float, asyncio.Future[list[str]]] | None = getattr(request.app.state, "lacking", None)
    if kept is None or (kept[1].done() and time.monotonic() >= kept[0]):
        kept = time.monotonic() + KEPT_S, asyncio.ensure_future(_look(request))
        request.app.state.lacking = kept
    return await asyncio.shield(kept[1])


async def _look(request: Request) -> list[str]:
    return await to_thread.run_sync(_lacking, parts_of(request))


def _lacking(parts: Parts) -> list[str]:
    reasons = []
    if parts.champion.current is None:
        reasons.append(parts.champion.stale_because or "No model was loaded yet.")
    for ask in (parts.shelf.ready, parts.published.scores):
        try:
            ask()
        except (StoreUnavailable, NothingScored) as problem:
            reasons.append(problem.detail)
    return reasons


@router.get(
    "/metrics",
    dependencies=[allowed(Act.SEE_METRICS)],
    summary="Measures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Latency by route, queue, model, households scored.",
            "content": {"text/plain": {"example": "tepat_households_waiting 0.0\n"}},
        },
        **refusals(Unexpected),
    },
)
def metrics(request: Request) -> Response:
    """No label holds an identifier."""
    parts = parts_of(request)
    parts.watch.tell_model(parts.champion)
    return Response(generate_latest(parts.watch.registry), media_type=CONTENT_TYPE_LATEST)
