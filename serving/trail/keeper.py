"""The trail of a running service: every line is on the disk before the answer that it is about is given."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.errors import StoreUnavailable
from serving.trail.backlog import Backlog
from serving.trail.chain import words_of
from serving.trail.spool import Waiting
from serving.trail.writer import add

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from serving.shelf import Shelf
    from serving.trail.chain import Words
    from serving.trail.entry import Entry
    from serving.watch import Watch

WAIT_MS = 250
"""How long lines wait for somebody else's write before they are kept beside the store. [ms]"""


@dataclass(frozen=True, eq=False)
class _Put:
    """Lines of one request, and who waits for them: a thread, or a task of an event loop."""

    lines: list[Words]
    done: Future[None] | asyncio.Future[None]


class Trail:
    """Writes lines that are about no change.

    One thread takes all that wait and commits them together, so that many requests wait for the disk once. While the
    store cannot be written the lines are kept in a file beside it, and come into the chain, in their order, before any
    later one.
    """

    def __init__(self, shelf: Shelf, folder: Path, watch: Watch) -> None:
        self._shelf, self._watch = shelf, watch
        self._backlog = Backlog(shelf, folder, watch)
        self._last = 0  # number of a line after which those to come will stand
        self._waiting: list[_Put] = []
        self._come = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="trail", daemon=True)

    def start(self) -> None:
        """Begin to write; first what waits since before."""
        self._backlog.start()
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._come:
            self._stopping = True
            self._come.notify()
        self._thread.join()
        self._backlog.stop()

    async def noted(self, *entries: Entry) -> None:
        """Return once the lines are on the disk.

        Raises
        ------
        StoreUnavailable
            Neither the store nor the disk beside it can be written, or the service is being stopped.
        """
        if entries:
            done = asyncio.get_running_loop().create_future()
            self._put(_Put(words_of(entries), done))
            await done

    def note(self, *entries: Entry) -> None:
        """The same for a thread."""
        if entries:
            done: Future[None] = Future()
            self._put(_Put(words_of(entries), done))
            done.result()

    def _put(self, put: _Put) -> None:
        with self._come:
            if self._stopping:
                raise StoreUnavailable("The service is being stopped.")
            self._waiting.append(put)
            self._come.notify()

    def _run(self) -> None:
        while batch := self._next():
            _tell(batch, self._kept(batch))

    def _next(self) -> list[_Put]:
        """All that wait; nobody, when the service is being stopped."""
        with self._come:
            self._come.wait_for(lambda: self._waiting or self._stopping)
            batch, self._waiting = self._waiting, []
        return batch

    def _kept(self, batch: list[_Put]) -> BaseException | None:
        """None once the lines are on the disk; else why they are not."""
        try:
            self._keep([words for put in batch for words in put.lines])
        except Exception as fault:  # noqa: BLE001 (who waits is told of any; a thread that ends would tell nobody)
            return fault
        return None

    def _keep(self, lines: list[Words]) -> None:
        passes = not self._backlog.any()
        because = "Earlier lines wait."
        if passes:
            try:
                self._write(lines)
            except StoreUnavailable as refusal:
                because = refusal.detail
            else:
                return
        self._backlog.put([Waiting(words=one, after=self._last, tried=passes) for one in lines], because=because)

    def _write(self, lines: list[Words]) -> None:
        with self._shelf.store() as store, store.database.writing(wait_ms=WAIT_MS) as connection:
            head = add(connection, lines)
        self._last = head.number
        self._watch.trail_lines.inc(len(lines))


def _tell(batch: Iterable[_Put], fault: BaseException | None) -> None:
    """Wake who waits; an event loop once for all its tasks."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for put in batch:
        if isinstance(put.done, asyncio.Future):
            by_loop.setdefault(put.done.get_loop(), []).append(put.done)
        else:
            _end(put.done, fault)
    for loop, waiting in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_end_all, waiting, fault)


def _end_all(waiting: Iterable[asyncio.Future[None]], fault: BaseException | None) -> None:
    for one in waiting:
        if not one.done():  # a request that was broken off waits no longer
            _end(one, fault)


def _end(waiting: Future[None] | asyncio.Future[None], fault: BaseException | None) -> None:
    if fault is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(fault)
