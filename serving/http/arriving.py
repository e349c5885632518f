"""How a request may come: how large, how fast, in which coding, and as which JSON."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jiter
from anyio import CapacityLimiter, to_thread

from serving.errors import NotJson, RequestRefused, TooLarge, TooSlow, UnsupportedType

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

UPLOAD = re.compile(r"/v1/jobs/[^/]+/files/")
TOKEN, LISTS, SCORE, REGISTERS = "/v1/token", "/v1/worklists", "/v1/score", "/data/registers"
FORM, SMALL, POLICY = 16 * 1024, 64 * 1024, 2**20
"""Largest body of a form for a token, of most requests, and of one that holds a policy. [bytes]"""
LEAST_RATE = 32 * 1024
"""A body may take a second more for each of these many bytes: a large file over a slow line is no attack. [bytes/s]"""
JSON = re.compile(rb"application/([a-z0-9.+-]+\+)?json *(;|$)", re.IGNORECASE)
DEEPEST = 200
"""Of nested JSON: what the parser reads."""
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""In the text of JSON; an even number of strokes before it are strokes themselves."""
WHERE = re.compile(r" at line \d+ column \d+$")
FAULTS = {
    "Detected duplicate key": "An object has the same name twice",
    "recursion limit exceeded": f"It is nested deeper than {DEEPEST}",
    "number out of range": "A number is out of range",
    "invalid unicode code point": "It is not UTF-8",
    "lone leading surrogate": "A text has half a character",
    "unexpected end of hex escape": "A text has half a character",
}


@dataclass(frozen=True)
class Limits:
    """What a request may be.

    Parameters
    ----------
    body, upload
        Largest request to score, beyond which no other is either, and largest file of a job, or hand-over of
        registers: of both no more than the beginning is read before somebody is asked who they are. [bytes]
    read_seconds
        Longest that a request may take to arrive, beside a second for each `LEAST_RATE` bytes of it. [s]
    """

    body: int
    upload: int
    read_seconds: float

    def most(self, path: str) -> int:
        """The largest body that is read at this address. [bytes]

        Most bodies are read before anybody is asked who sends them, so that a stranger's are small.
        """
        if UPLOAD.match(path) or path == REGISTERS:
            return self.upload
        if path == SCORE:
            return self.body
        return min(self.body, {TOKEN: FORM, LISTS: POLICY}.get(path, SMALL))


ASIDE = CapacityLimiter(1)


class Arriving:
    """What a route receives: a body within the limits; JSON whole, and only when it is read the same by everybody."""

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        said = dict(scope["headers"])
        self._receive, self._most, self._left = receive, limits.most(scope["path"]), limits.read_seconds
        self._longest = limits.read_seconds
        self._coding = said.get(b"content-encoding", b"identity").strip().lower()
        announced = said.get(b"content-length", b"0")
        self._announced = int(announced[:20]) if announced.isdigit() else 0
        self._is_json = bool(JSON.match(said.get(b"content-type", b"")))
        self._read = 0
        self._whole = False

    async def __call__(self) -> Message:
        """The next part of the request.

        Raises
        ------
        TooLarge, TooSlow, UnsupportedType, NotJson, RequestRefused
        """
        if self._whole:
            return await self._receive()  # only that the asker went away
        if self._coding not in (b"", b"identity"):
            raise UnsupportedType("A body with a Content-Encoding is not read; send it uncompressed.")
        return await self._json() if self._is_json else await self._part()

    async def _part(self) -> Message:
        if self._announced > self._most:
            raise self._too_large()
        began = time.monotonic()
        try:
            # What came fast is no credit for one long silence.
            async with asyncio.timeout(min(self._left, self._longest)):
                message = await self._receive()
        except TimeoutError as fault:
            raise TooSlow("It did not arrive in time.") from fault
        size = len(message.get("body", b""))
        # What the service takes between two parts is not the asker's.
        self._left += size / LEAST_RATE - (time.monotonic() - began)
        self._read += size
        self._whole = not message.get("more_body")
        if self._read > self._most:
            raise self._too_large()
        return message

    def _too_large(self) -> TooLarge:
        most = self._most
        return TooLarge(f"More than {most / 2**20:g} MiB." if most >= 2**20 else f"More than {most / 2**10:g} KiB.")

    async def _json(self) -> Message:
        parts = bytearray()
        while not self._whole:
            message = await self._part()
            if message["type"] != "http.request":
                return message
            parts += message.get("body", b"")
        body = bytes(parts)
        if len(body) > SMALL:  # one at a time; the parser lets go of no thread while it reads one
            await to_thread.run_sync(check_json, body, limiter=ASIDE)
        elif body:
            check_json(body)
        return {"type": "http.request", "body": body, "more_body": False}


def check_json(body: bytes) -> None:
    """Refuse what parsers read differently, or not at all: a name twice, NaN, half a character, endless nesting.

    Raises
    ------
    NotJson
        Says why and where; repeats nothing of it.
    RequestRefused
        A text holds the character NUL, which one of our databases keeps and the other does not.
    """
    if NUL.search(body):
        raise RequestRefused("A text of the body holds the character NUL (\\u0000). Leave it out.")
    try:
        jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none")
    except ValueError as fault:
        said = str(fault)
        where = WHERE.search(said)
        why = next((words for found, words in FAULTS.items() if said.startswith(found)), "It cannot be parsed")
        raise NotJson(f"{why}{where.group() if where else ''}.") from None
