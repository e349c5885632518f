"""The processes behind a service under test, and who asks it meanwhile."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.serving.conftest import Server

KEEPER = b"serving.scorers.keeper"


def children(number: int) -> list[int]:
    """Processes that a process has started."""
    try:
        told = [task.read_text() for task in Path(f"/proc/{number}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(one) for line in told for one in line.split()]


def is_there(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def keepers(server: Server) -> list[int]:
    return [one for one in children(server.process.pid) if KEEPER in _command(one)]


def _command(number: int) -> bytes:
    """Of a process; empty where it has ended meanwhile."""
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def scorers(server: Server) -> list[int]:
    return [scorer for keeper in keepers(server) for scorer in children(keeper)]


def mib(number: int, *names: str) -> float:
    """Memory of a process, as the kernel names its kinds. [MiB]"""
    told = Path(f"/proc/{number}/smaps_rollup").read_text()
    return sum(int(re.findall(rf"^{name}:\s+(\d+) kB", told, re.MULTILINE)[0]) / 1024 for name in names)


def measure(server: Server, name: str) -> float:
    """A line of /metrics."""
    told = server.client.get("/metrics").text
    return float(re.findall(rf"^{name} (\S+)$", told, re.MULTILINE)[0])


def kill(*numbers: int) -> None:
    for number in numbers:
        os.kill(number, signal.SIGKILL)


class Asking:
    """Clients that ask again as soon as they are answered; what came of it."""

    def __init__(self, server: Server, bodies: list[dict[str, Any]], clients: int) -> None:
        self.answers: list[tuple[int, httpx.Response]] = []
        self._server, self._bodies, self._stop = server, bodies, threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]

    def wait_for(self, more: int) -> None:
        """Until so many more were answered."""
        wanted, until = len(self.answers) + more, time.monotonic() + 120
        while len(self.answers) < wanted and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.answers) >= wanted, "nobody answers any more"

    def stop(self) -> None:
        self._stop.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, first: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self._server.port}", timeout=90) as client:
            at = first
            while not self._stop.is_set():
                at = (at + 1) % len(self._bodies)
                self.answers.append((at, client.post("/v1/score", json=self._bodies[at])))


@contextmanager
def asking(server: Server, bodies: list[dict[str, Any]], *, clients: int = 4) -> Iterator[Asking]:
    """Clients at work meanwhile."""
    made = Asking(server, bodies, clients)
    for thread in made.threads:
        thread.start()
    try:
        yield made
    finally:
        made.stop()


def failed(made: Asking, right: list[Any]) -> int:
    """How many were sent away, each in order; every other answer is right."""
    away = [answer for _, answer in made.answers if answer.status_code != 200]
    for answer in away:
        assert 503 == answer.status_code, answer.text
        assert int(answer.headers["retry-after"]) > 0
    for at, answer in made.answers:
        assert answer.status_code != 200 or right[at] == answer.json()["households"]
    return len(away)
