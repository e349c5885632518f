"""Around every request: its id, its size, its time, one log line, and an answer even to a fault of ours."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from serving.errors import MEDIA_TYPE, Problem, TooLarge, Unexpected

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from serving.watch import Watch

log = logging.getLogger("tepat")
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
]


def problem_response(problem: Problem, request_id: str) -> JSONResponse:
    """The refusal as a response."""
    return JSONResponse(problem.body(request_id=request_id), status_code=problem.status, media_type=MEDIA_TYPE)


class Around:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, watch: Watch, max_body: int) -> None:
        self._app, self._watch, self._max_body = app, watch, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = _request_id(scope)
        told = {"status": 0}
        started = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *HEADERS]
            await send(message)

        try:
            await self._app(scope, _limited(scope, receive, self._max_body), sending)
        except Exception as fault:  # whatever it is, the asker gets an answer and the log its place
            log.error(  # noqa: TRY400 (not the message, which may repeat what was asked)
                "fault", exc_info=_traceback_only(fault), extra={"request_id": request_id}
            )
            if not told["status"]:
                problem = fault if isinstance(fault, Problem) else Unexpected("See the service's log.")
                await problem_response(problem, request_id)(scope, receive, sending)
        self._note(scope, request_id, told["status"], time.perf_counter() - started)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")  # the template: an address may hold an identifier
        self._watch.requests.labels(route, scope["method"], status).observe(seconds)
        said = {"request_id": request_id, "route": route, "method": scope["method"], "status": status}
        log.info("request", extra=said | {"ms": round(seconds * 1000, 1)} | scope["state"].get("said", {}))


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def _limited(scope: Scope, receive: Receive, most: int) -> Receive:
    """Refuse more bytes than allowed, as announced or as they come."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    read = 0

    async def receiving() -> Message:
        nonlocal read
        message: Message = await receive()
        read += len(message.get("body", b""))
        if read > most or (announced.isdigit() and int(announced) > most):
            raise TooLarge(f"More than {most / 2**20:g} MiB.")
        return message

    return receiving


def _traceback_only(fault: Exception) -> Any:
    """Where it happened, without the message, which may repeat what was asked."""
    name = type(fault).__name__
    return RuntimeError, RuntimeError(name), fault.__traceback__
