"""Lines that the store could not take, and the thread that brings them into the chain when it can."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING

from serving.errors import StoreUnavailable
from serving.trail.chain import marked, moment
from serving.trail.spool import Spool, Waiting, left_behind, own
from serving.trail.writer import add, head_of, not_yet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serving.shelf import Shelf
    from serving.watch import Watch

log = logging.getLogger("tepat")
RETRY_S = 1.0
AT_ONCE = 1_000
"""Lines that are brought into the chain in one transaction, while others of the service wait to write."""
WAIT_MS = 1_000
"""For others who write. [ms]"""
HEAD_S = 3_600.0


class Backlog:
    """What waits beside the store. Its thread may be held up by a store that is away; who notes a line is not."""

    def __init__(self, shelf: Shelf, folder: Path, watch: Watch) -> None:
        self._shelf, self._folder, self._watch = shelf, folder, watch
        self._spools: list[Spool] = []  # our own first, then those that others left behind
        self._come = threading.Condition()
        self._stopping = self._told = False
        self._thread = threading.Thread(target=self._run, name="trail-backlog", daemon=True)

    def start(self) -> None:
        """Take what waits since before, and begin to bring it in."""
        self._take()
        self._thread.start()

    def stop(self) -> None:
        """Try a last time, say the head, and end; what still waits is taken at the next start."""
        with self._come:
            self._stopping = True
            self._come.notify()
        self._thread.join()
        for spool in self._spools:
            spool.close()

    def any(self) -> bool:
        """Whether a line waits: a later one must not pass it."""
        return any(spool.count for spool in self._spools)

    def put(self, lines: Sequence[Waiting], *, because: str) -> None:
        """Return once the lines are on the disk.

        Raises
        ------
        StoreUnavailable
            They cannot be written there either.
        """
        try:
            if not self._spools:
                self._spools = [own(self._folder)]
            self._spools[0].add(lines)
        except OSError as fault:
            raise StoreUnavailable(
                f"{because} Nor can the trail be kept beside it: {fault.strerror or fault}."
            ) from fault
        if not self._told:
            log.warning("lines of the trail wait beside the store", extra={"because": because})
        self._told = True
        self._count()
        with self._come:
            self._come.notify()

    def _run(self) -> None:
        while not self._stopping:
            self._say_head()
            until = time.monotonic() + HEAD_S
            while not self._stopping and time.monotonic() < until:
                with self._come:
                    self._come.wait_for(lambda: self._stopping or self.any(), timeout=until - time.monotonic())
                if self.any() and not self._caught_up():
                    with self._come:
                        self._come.wait_for(lambda: self._stopping, timeout=RETRY_S)
            self._take()
        self._caught_up()
        self._say_head()

    def _caught_up(self) -> bool:
        """Bring all that waits into the chain, as far as the store takes it."""
        for spool in self._spools:
            while spool.count:
                try:
                    self._bring(spool)
                except (StoreUnavailable, OSError):
                    spool.sure = False  # a commit may have come through whose answer did not
                    return False
        if self._told:
            log.info("the lines that waited are in the trail")
        self._told = False
        return True

    def _bring(self, spool: Spool) -> None:
        waiting = spool.first(AT_ONCE)
        now = moment(dt.datetime.now(tz=dt.UTC))
        with self._shelf.store() as store, store.database.writing(unhurried=True, wait_ms=WAIT_MS) as connection:
            unsure = waiting if not spool.sure else [one for one in waiting if one.tried]
            there = set(unsure) - set(not_yet(connection, unsure))
            new = [one for one in waiting if one not in there]
            add(connection, [marked(one.words, spooled={"id": one.id, "chained_at": now}) for one in new])
        spool.drop()
        self._watch.trail_lines.inc(len(new))
        self._count()

    def _take(self) -> None:
        """Our own spool, and those that other processes left behind."""
        try:
            if not self._spools:
                self._spools = [own(self._folder)]
            self._spools += left_behind(self._folder)
        except OSError as fault:
            log.warning("the spool of the trail cannot be opened", extra={"because": fault.strerror})
        self._count()

    def _count(self) -> None:
        self._watch.trail_spooled.set(sum(spool.count for spool in self._spools))

    def _say_head(self) -> None:
        """Into the service's log: whoever keeps that elsewhere can show later that no line before was rewritten."""
        try:
            with self._shelf.store() as store, store.database.reading() as connection:
                head = head_of(connection)
        except StoreUnavailable as refusal:
            log.warning("the head of the trail cannot be read", extra={"because": refusal.detail})
        else:
            log.info("the head of the trail", extra={"number": head.number, "hash": head.hash})
