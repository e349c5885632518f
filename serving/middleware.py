"""Around every request: its id, its limits, its time, one log line, and an answer even to a fault of ours."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import JSONResponse

from serving.errors import MEDIA_TYPE, Problem, RequestRefused, TooSlow, Unauthorized, Unexpected
from serving.http.arriving import Arriving, Limits
from serving.http.conditional import Conditional
from serving.http.deprecation import headers_of
from serving.http.headers import around

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from serving.settings import Service
    from serving.watch import Watch

log = logging.getLogger("tepat")
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
REFUSED = "refused"
"""In the state of a request: the `Problem` for which the line refuses it, before any route."""
NO_GZIP = re.compile(rb"gzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
SMALL = 1000
"""Answers below this are not compressed. [bytes]"""
PACKED = (
    "application/pdf",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    # A page holds what was asked beside a secret: its compressed length would tell of it (BREACH).
    "text/html",
)


def problem_response(problem: Problem, request_id: str) -> JSONResponse:
    """The refusal as a response."""
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    if problem.status == Unauthorized.status:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == TooSlow.status:
        headers["Connection"] = "close"
    return JSONResponse(problem.body(request_id=request_id), problem.status, headers, MEDIA_TYPE)


def surround(app: FastAPI, service: Service, watch: Watch) -> None:
    """Put every layer around the application; call it last, so that whom another layer sends away is noted, too."""
    limits = Limits(
        body=int(service.max_body_mib * 2**20),
        upload=int(service.max_upload_mib * 2**20),
        read_seconds=service.read_seconds,
    )
    https = (service.public_url or "").startswith("https://")
    app.add_middleware(Conditional)
    app.add_middleware(Gzip)
    app.add_middleware(Around, watch=watch, limits=limits, https=https)


class Gzip(GZipMiddleware):
    """Starlette's, for whom does not say that gzip is not wanted."""

    def __init__(self, app: ASGIApp) -> None:
        # A level more saves little of JSON and costs time of every answer.
        super().__init__(app, SMALL, 1, exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PACKED))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        said = dict(scope["headers"]).get(b"accept-encoding", b"") if scope["type"] == "http" else b""
        wanted = b"gzip" in said and not NO_GZIP.search(said)
        await (super().__call__ if wanted else self.app)(scope, receive, send)


class Around:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, watch: Watch, limits: Limits, https: bool = False) -> None:
        self._app, self._watch, self._limits, self._https = app, watch, limits, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = _request_id(scope)
        answer = _Answer(scope, send, https=self._https)
        started = time.perf_counter()
        try:
            if refused := scope["state"].get(REFUSED) or _nul_in(scope):
                raise refused  # noqa: TRY301 (answered as any other refusal, below)
            await self._app(answer.inner, Arriving(scope, receive, self._limits), answer.send)
        except Exception as fault:  # noqa: BLE001 (whatever it is, the asker gets an answer and the log its place)
            await self._tell(fault, answer, receive)
        self._note(answer, time.perf_counter() - started)

    async def _tell(self, fault: Exception, answer: _Answer, receive: Receive) -> None:
        if not isinstance(fault, Problem):
            log.error("fault", exc_info=_traceback_only(fault), extra={"request_id": answer.request_id})
        if not answer.status:
            problem = fault if isinstance(fault, Problem) else Unexpected("See the service's log.")
            await problem_response(problem, answer.request_id)(answer.inner, receive, answer.send)

    def _note(self, answer: _Answer, seconds: float) -> None:
        route = getattr(answer.inner.get("route"), "path", "other")  # the template: an address may hold an identifier
        method, status = answer.method, answer.status
        self._watch.requests.labels(route, method, status).observe(seconds)
        said = {"request_id": answer.request_id, "route": route, "method": method, "status": status}
        log.info("request", extra=said | {"ms": round(seconds * 1000, 1)} | answer.inner["state"].get("said", {}))


class _Answer:
    """One answer on its way out; HEAD is asked of the routes as GET, and its body left out."""

    def __init__(self, scope: Scope, send: Send, *, https: bool) -> None:
        self.method: str = scope["method"]
        self.inner: Scope = {**scope, "method": "GET"} if self.method == "HEAD" else scope
        self.request_id: str = scope["state"]["request_id"]
        self.status = 0
        self._send, self._https = send, https

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *around(message["headers"], self.status, https=self._https),
                *headers_of(self.inner.get("route")),
                (b"x-request-id", self.request_id.encode()),
            ]
        elif self.method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)


def _nul_in(scope: Scope) -> RequestRefused | None:
    """The refusal of an address that holds NUL: no name of ours does, and only one of our databases takes it."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        return RequestRefused("The address holds the character NUL (%00). Leave it out.")
    return None


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def _traceback_only(fault: Exception) -> Any:
    """Where it happened, without the message, which may repeat what was asked."""
    name = type(fault).__name__
    return RuntimeError, RuntimeError(name), fault.__traceback__
