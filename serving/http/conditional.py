"""Answer only what is news, and change only what the asker has seen: ETag, If-None-Match, If-Match (RFC 9110)."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from serving.errors import PreconditionFailed

if TYPE_CHECKING:
    from fastapi import Request, Response
    from pydantic import BaseModel
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TAG = re.compile(r'(W/)?"([^"]*)"')
NEWS = (b"cache-control", b"private, no-cache")
OF_BODY = (b"content-length", b"content-type", b"content-encoding")


def etag_of(body: bytes) -> str:
    """The strong ETag of a body: its digest, in quotes."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def tag(response: Response, shown: BaseModel) -> str:
    """Set and give the ETag of what a route answers; the same that `check_match` is asked about later."""
    made = etag_of(shown.model_dump_json().encode())
    response.headers["ETag"] = made
    return made


def check_match(request: Request, etag: str) -> None:
    """Go on when the request was made of what still is.

    Without `If-Match` every request goes on; `*` names whatever there is.

    Parameters
    ----------
    etag
        Of the thing as it is now, read in the transaction that changes it.

    Raises
    ------
    PreconditionFailed
        `If-Match` names another state.
    """
    asked = request.headers.get("if-match")
    if asked is None or asked.strip() == "*":
        return
    # A tag that a proxy made weak is not the same to the byte.
    if _plain(etag) not in {_plain(f'"{name}"') for weak, name in TAG.findall(asked) if not weak}:
        raise PreconditionFailed("If-Match names a state that is no longer the present one.")


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether the asker has this state already; weak tags count, as RFC 9110 has it for reading."""
    if if_none_match.strip() == "*":
        return True
    return _plain(etag) in {_plain(f'"{name}"') for _, name in TAG.findall(if_none_match)}


def _plain(etag: str) -> str:
    """The state that a tag names, whether the body was compressed or not."""
    return etag.removeprefix("W/").strip('"').removesuffix("-gzip")


class Conditional:
    """Gives what is read under /v1 its ETag, and answers 304 to who has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith("/v1/"):
            await self._app(scope, receive, _Tagged(scope, send).send)
        else:
            await self._app(scope, receive, send)


class _Tagged:
    """Holds the head of an answer back until its body is there."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._asked = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        self._send = send
        self._head: Message | None = None
        self._over = False

    async def send(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004 (OK)
            self._head = message
        elif self._head is not None:
            head, self._head = self._head, None
            await self._begin(head, message)
        else:
            await self._send(message)

    async def _begin(self, head: Message, body: Message) -> None:
        found = dict(head["headers"])
        etag = found.get(b"etag", b"").decode("latin-1")
        if not etag and _is_tagged(found) and not body.get("more_body"):
            etag = etag_of(body.get("body", b""))
            head["headers"] = [*head["headers"], (b"etag", etag.encode())]
        if etag and b"cache-control" not in found:
            head["headers"] = [*head["headers"], NEWS]
        if etag and self._asked and is_known(self._asked, etag):
            self._over = True
            kept = [(name, value) for name, value in head["headers"] if name not in OF_BODY]
            await self._send({"type": "http.response.start", "status": 304, "headers": kept})
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(head)
            await self._send(body)


def _is_tagged(found: dict[bytes, bytes]) -> bool:
    """What a route forbids to keep has no tag: nobody may have it already."""
    return found.get(b"content-type", b"").startswith(b"application/json") and b"cache-control" not in found
