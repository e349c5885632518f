"""Clients that ask a server over HTTP, each again as soon as it is answered; what they saw."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

HOST = "127.0.0.1"
LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
WARM_UP = 100
"""Requests that are not timed, beside one a client."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """What came back on the request of this number."""

    request: int
    milliseconds: float
    status: int
    body: bytes


@dataclass(frozen=True)
class Seen:
    """What the clients saw.

    Parameters
    ----------
    answers
        Without those of the warm-up.
    asked
        Requests, with those of the warm-up.
    busy
        Share of the seconds in which the clients' own process worked.
    """

    asked: int
    answers: list[Answer]
    seconds: float
    busy: float


def post(path: str, body: bytes, *, key: str | None = None) -> bytes:
    """The request as it goes over the line, with who asks where there is a key."""
    shown = f"Authorization: Bearer {key}\r\n" if key else ""
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{shown}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ask(port: int, requests: list[bytes], *, clients: int, count: int) -> Seen:
    """Ask `count` times, after the warm-up; the clients take the requests in turn, from the first again at the end."""
    return asyncio.run(_ask(port, requests, clients, count))


async def _ask(port: int, requests: list[bytes], clients: int, count: int) -> Seen:
    lines = [await asyncio.open_connection(HOST, port) for _ in range(clients)]
    await _volley(lines, requests, WARM_UP + clients)
    start, worked = time.perf_counter(), time.process_time()
    answers = await _volley(lines, requests, count)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    for _, writer in lines:
        writer.close()
    return Seen(WARM_UP + clients + count, answers, seconds, worked / seconds)


async def _volley(lines: list[Connection], requests: list[bytes], count: int) -> list[Answer]:
    turns = iter(range(count))
    of_clients = await asyncio.gather(*(_client(line, requests, turns) for line in lines))
    return [answer for answers in of_clients for answer in answers]


async def _client(line: Connection, requests: list[bytes], turns: Iterator[int]) -> list[Answer]:
    (reader, writer), seen = line, []
    for turn in turns:
        request = turn % len(requests)
        start = time.perf_counter()
        writer.write(requests[request])
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(LENGTH.findall(head)[0]))
        seen.append(Answer(request, (time.perf_counter() - start) * 1000, int(head[9:12]), body))
    return seen
