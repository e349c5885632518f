"""Clients that keep a pace, and what each request came to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

import httpx

MORE = 300
"""Statuses below it are answers as asked."""
CLEAN = 503
"""The one status that a request may fail with, when it says when to ask again."""


@dataclass(frozen=True)
class Told:
    """What one request came to.

    Parameters
    ----------
    wrong
        What was wrong with an answer of 200; empty when nothing was.
    """

    at: float
    seconds: float
    status: int
    retry_after: str | None = None
    wrong: str = ""

    @property
    def clean(self) -> bool:
        """Whether it was answered, or refused in a way that a client can act on."""
        return 0 < self.status < MORE or (self.status == CLEAN and self.retry_after is not None)


Ask = Callable[[httpx.Client, int], Told]


@dataclass
class Crowd:
    """Clients in threads.

    Parameters
    ----------
    rate
        Requests a second of all together; None: each again as soon as it is answered.
    """

    address: str
    ask: Ask
    clients: int
    rate: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def go(self, seconds: float, *, meanwhile: Callable[[], None] = lambda: None) -> list[Told]:
        """What was told within so many seconds, while something else happens to the service."""
        with ThreadPoolExecutor(self.clients) as pool:
            self._stop.clear()
            turns, begun = count(), time.monotonic()
            work = [pool.submit(self._one, turns, begun) for _ in range(self.clients)]
            try:
                meanwhile()
                self._stop.wait(max(0.0, begun + seconds - time.monotonic()))
            finally:
                self._stop.set()
            for one in work:
                one.result()
        return self.told

    def _one(self, turns: Iterator[int], begun: float) -> None:
        with httpx.Client(base_url=self.address, headers=self.headers, timeout=60) as client:
            while not self._stop.is_set():
                turn = next(turns)
                if self.rate is not None and self._stop.wait(max(0.0, begun + turn / self.rate - time.monotonic())):
                    return
                self.told.append(self._asked(client, turn))

    def _asked(self, client: httpx.Client, turn: int) -> Told:
        start = time.monotonic()
        try:
            return self.ask(client, turn)
        except httpx.TransportError as fault:
            return Told(start, time.monotonic() - start, 0, wrong=type(fault).__name__)


def percentile(told: list[Told], share: float) -> float:
    """Of the seconds that answered requests took, in milliseconds."""
    took = sorted(one.seconds for one in told if 0 < one.status < MORE)
    return 1000 * took[min(len(took) - 1, int(share * len(took)))] if took else float("nan")
