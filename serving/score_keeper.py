"""Keeps every household's scores, run by run, beside the requests: what the pipeline publishes next is seen here."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from features.settings import load
from serving.errors import StoreUnavailable
from serving.jobs.folder import FLOOR
from serving.score_store import ScoreStore
from serving.scored_run import read_run
from targeting.manifest import whole

if TYPE_CHECKING:
    from features.settings import Settings
    from serving.score_store import ScoredRun
    from serving.shelf import Shelf

log = logging.getLogger("tepat")
PAUSE_S: Final = 0.05
"""Between two slices, and at least as long as the last took: who writes on an SQLite file asks for it now and then."""
LATEST_S: Final = 60.0
"""Until what could not be kept is tried again, at most. [s]"""


class ScoreKeeper:
    """Watches the published scores, and keeps each run in the store; whatever hinders it, it tries again later.

    Parameters
    ----------
    every_seconds
        How often the scores are looked at; after a failure later, up to `LATEST_S`.
    """

    def __init__(self, shelf: Shelf, *, every_seconds: float) -> None:
        self._shelf, self._every = shelf, every_seconds
        self._kept = ""
        self._said: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scores", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the slice that is being written; the next service goes on from there."""
        self._stopping.set()
        if self._thread.ident:
            self._thread.join(timeout=30)

    def look(self) -> None:
        """Keep what is published now, unless it is kept already.

        Raises
        ------
        StoreUnavailable
            The store cannot be read or written, or its disk has no room to spare.
        Refused, OSError, ValueError
            The scores cannot be read.
        """
        settings = load()
        stamp = whole(settings.paths.scores)
        if stamp in (None, self._kept):  # half there: the pipeline is writing
            return
        with self._shelf.store() as store:
            scores = ScoreStore(store.database)
            if not scores.has(stamp):
                store.ready()  # else it would all be read for nothing
                _check_room(scores)
                self._keep(scores, settings, stamp)
                return
        self._kept = stamp

    def _keep(self, scores: ScoreStore, settings: Settings, stamp: str) -> None:
        scored = read_run(settings, stamp, seen_at=dt.datetime.now(tz=dt.UTC))
        if whole(settings.paths.scores) != stamp:  # they were replaced while they were read
            return
        if scored is not None and not self._all_kept(scores, scored):
            return
        self._kept = stamp
        if scored is not None:
            log.info("scores kept", extra={"model": scored.run.model_stamp, "count": scored.run.households})

    def _all_kept(self, scores: ScoreStore, scored: ScoredRun) -> bool:
        """True when the run is whole; False when the service ends before."""
        while not self._stopping.is_set():
            _check_room(scores)
            begun = time.monotonic()
            if scores.keep_next(scored):
                return True
            self._stopping.wait(max(PAUSE_S, time.monotonic() - begun))
        return False

    def _watch(self) -> None:
        pause = self._every
        while not self._stopping.wait(pause):
            pause = self._every if self._looked() else min(2 * pause, max(LATEST_S, self._every))

    def _looked(self) -> bool:
        try:
            self.look()
        except FileNotFoundError:  # nothing was published yet
            return True
        # No message: it may quote a register.
        except Exception as fault:  # noqa: BLE001 (whatever it meets, the service goes on, and so does the watch)
            why = fault.detail if isinstance(fault, StoreUnavailable) else type(fault).__name__
            if why != self._said:
                log.warning("scores not kept", extra={"reason": why})
            self._said = why
            return False
        self._said = None
        return True


def _check_room(scores: ScoreStore) -> None:
    free = scores.database.free_bytes()
    if free is not None and free < FLOOR:
        raise StoreUnavailable(
            f"The disk has less than {FLOOR // 2**20} MiB free, which decisions and the trail need. Free space."
        )
