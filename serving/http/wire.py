"""The line below the routes: a request that never ends, or heads without end, hold no connection for long.

uvicorn reads HTTP, but waits for a head for ever, and says its own refusals in words that no client of ours knows.
"""

from __future__ import annotations

import fcntl
import json
import logging
import math
import struct
import termios
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.errors import MEDIA_TYPE, Busy, HeadTooLarge, Malformed, Problem, TooSlow
from serving.http.headers import around
from serving.middleware import REFUSED

if TYPE_CHECKING:
    import asyncio

    from serving.settings import Service

log = logging.getLogger("tepat")
LARGEST_HEAD = 64 * 1024
"""Of the address and the headers. [bytes]"""
LINGER_S = 5.0
"""How long the rest of a request may come that was answered: cut off, its sender would not read why. [s]"""


class Wire(HttpToolsProtocol):
    """One connection."""

    read_seconds: ClassVar[float] = 30.0
    most: ClassVar[int] = 500
    https: ClassVar[bool] = False

    def __init__(self, *told: Any, **named: Any) -> None:
        super().__init__(*told, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None
        self._unread: float = math.inf
        self._in_head = True
        self._head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a head; beyond all measure, hang up."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self.most:
            transport.abort()  # not even a refusal: each takes a file handle
        else:
            self._wait(self.read_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._stop_waiting()
        if self._reader is not None:
            self._reader.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, within the limits of a head."""
        self._head_size += len(data) if self._in_head else 0
        super().data_received(data)
        if not (self._in_head and self._head_size) or self.transport.is_closing():
            return
        if self._head_size > LARGEST_HEAD:
            self._refuse(HeadTooLarge("More than 64 KiB."))
        elif self._timer is None:
            self._wait(self.read_seconds)

    def on_headers_complete(self) -> None:
        """Hand the request over; one beyond a limit is marked, and refused where it is noted, too."""
        self._stop_waiting()
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD:
            self.scope["state"][REFUSED] = HeadTooLarge("More than 64 KiB.")
        elif len(self.connections) > self.most:
            self.scope["state"][REFUSED] = Busy(f"More than {self.most} connections are open.")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Look out for the next head."""
        super().on_message_complete()
        self._stop_waiting()
        self._in_head, self._head_size = True, 0

    def on_response_complete(self) -> None:
        """Let the rest of the request come, for a while."""
        super().on_response_complete()
        self._watch_reader()
        if not self._in_head:
            self._wait(LINGER_S)

    def pause_writing(self) -> None:
        """Wait for the answer to be read, but not for ever."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Much was read: measure anew."""
        super().resume_writing()
        self._unread = math.inf

    def send_400_response(self, msg: str) -> None:
        """As uvicorn's, in the words of every other refusal."""
        del msg
        self._refuse(Malformed("It is not HTTP/1.1."))

    def _watch_reader(self) -> None:
        if not self.transport.get_write_buffer_size():
            return
        self._unread = self._on_its_way()
        if self._reader is None:
            self._reader = self.loop.call_later(self.read_seconds, self._is_read)

    def _is_read(self) -> None:
        """Hang up on whom nothing more was read by; closed only, the line would wait for them with all it holds."""
        self._reader = None
        if not self.transport.get_write_buffer_size():
            return
        left = self._on_its_way()
        if left >= self._unread:
            self.transport.abort()
            return
        self._unread = left
        self._reader = self.loop.call_later(self.read_seconds, self._is_read)

    def _on_its_way(self) -> int:
        """What was not received of our answers. [bytes]"""
        # The kernel takes more from us by the megabyte: by ours alone, a slow line would seem not to read.
        line = self.transport.get_extra_info("socket")
        (held,) = struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(self.transport.get_write_buffer_size() + held)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait(self.read_seconds)  # the answer before is still on its way
        elif self._in_head and self._head_size:
            self._refuse(TooSlow("Its head did not arrive in time."))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        request_id = uuid.uuid4().hex
        body = json.dumps(problem.body(request_id=request_id)).encode()
        said = [
            (b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"), (b"x-request-id", request_id.encode()),
        ]  # fmt: skip
        lines = [b"%s: %s\r\n" % header for header in around(said, problem.status, https=self.https)]
        status = HTTPStatus(problem.status)
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, status.phrase.encode(), b"".join(lines), body))
        self.transport.close()
        log.info("request", extra={"request_id": request_id, "route": "none", "status": problem.status})


def wire_of(service: Service) -> type[Wire]:
    """A connection with the limits of these settings, as uvicorn's `http` takes it."""
    https = (service.public_url or "").startswith("https://")
    told = {"read_seconds": service.read_seconds, "most": service.most_connections, "https": https}
    return type("Wire", (Wire,), told)
