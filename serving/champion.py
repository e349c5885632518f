"""The model in use: taken up when the registry's alias moves, kept when the registry is away."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from features.errors import Refused
from features.settings import load
from serving.scorers import copies
from serving.scorers.copies import InUse
from serving.scorers.crew import hired
from training import registry

if TYPE_CHECKING:
    from features.settings import Settings
    from serving.scorers.pool import Pool

log = logging.getLogger("tepat")
LAST_GOOD = "model"
"""Folder of the copy of the model in use: a service that starts while the registry is away has it."""
AGAIN_S: Final = 60.0
"""Until what was refused is tried again with nothing changed: a try costs a processor some seconds. [s]"""


class Champion:
    """Watches the registry, and gives the pool scorers of the model to use; `refresh` looks whether it is still it.

    Readers take `current` once and work with what they took.

    Parameters
    ----------
    folder
        Where copies lie.
    """

    def __init__(self, name: str, pool: Pool, *, folder: Path, scorers: int, every_seconds: float) -> None:
        self._name, self._pool, self._folder, self._scorers = name, pool, folder, scorers
        self._every = every_seconds
        self._seen: tuple[object, ...] = ()
        self._refused: tuple[tuple[object, ...], float, Refused | None] = ((), 0.0, None)
        self._home = folder / LAST_GOOD
        self._spare: tempfile.TemporaryDirectory[str] | None = None
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)
        self.current: InUse | None = None
        self.stale_because: str | None = None

    def start(self) -> None:
        """Take up the champion, or the last good model, and go on watching."""
        self._clear()
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident:
            self._thread.join(timeout=30)
        if self._spare:
            self._spare.cleanup()

    def look(self) -> None:
        """Look now, and not only when it is time."""
        self._wake.set()

    def refresh(self) -> None:
        """Take up the champion if it is another one than before; keep what is in use when that fails."""
        try:
            if self.current and not self._pool.kept:
                self._pool.take_up(self.current, hired(self._home, scorers=self._scorers))
            settings = load()
            seen = (registry.champion(self._name), *_marks(settings))
            if self.current is None or self._seen != seen:
                self._try(settings, seen)
            self.stale_because = None
        except Refused as refusal:
            self._stay(str(refusal))
        # No message: it may quote a register.
        except Exception as fault:  # noqa: BLE001 (whatever it meets, what is in use stays, and so does the watch)
            log.error("champion not looked at", extra={"reason": type(fault).__name__})  # noqa: TRY400 (as said)
            self._stay(f"Looking for the champion failed ({type(fault).__name__}).")

    def _try(self, settings: Settings, seen: tuple[object, ...]) -> None:
        """Take it up; what was refused is tried again only when something changed, or after a while."""
        before, until, refusal = self._refused
        if before == seen and time.monotonic() < until and refusal:
            raise refusal
        try:
            self._take_up(settings, seen)
        except Refused as refused:
            self._refused = (seen, time.monotonic() + AGAIN_S, refused)
            raise

    def _take_up(self, settings: Settings, seen: tuple[object, ...]) -> None:
        model, where = registry.fetch(self._name)
        # Of this process alone: a second service on the folder, such as one that is still stopping, writes its own.
        copy = self._folder / f"{LAST_GOOD}-next-{os.getpid()}"
        try:
            in_use = copies.write(copy, model, where, settings=settings)
        except OSError as fault:  # that it cannot be kept is no reason not to use it
            log.warning("model not copied", extra={"reason": type(fault).__name__})
            self._spare = self._spare or tempfile.TemporaryDirectory(prefix="tepat-")
            copy = Path(self._spare.name) / LAST_GOOD
            in_use = copies.write(copy, model, where, settings=settings)
        self._use(in_use, copy, seen=seen)
        self._keep(copy)
        log.info("model taken up", extra={"model": where.stamp, "version": where.version})

    def _use(self, in_use: InUse, copy: Path, *, seen: tuple[object, ...]) -> None:
        self._pool.take_up(in_use, hired(copy, scorers=self._scorers))
        self.current, self._seen, self._home = in_use, seen, copy

    def _keep(self, copy: Path) -> None:
        """Let the copy be the last good model, now that it has answered."""
        if copy.parent != self._folder:
            return
        try:
            copies.move(copy, self._folder / LAST_GOOD)
        except OSError as fault:
            log.warning("model not kept", extra={"reason": type(fault).__name__})
        else:
            self._home = self._folder / LAST_GOOD

    def _stay(self, why: str) -> None:
        if why != self.stale_because:
            log.warning("champion not taken up", extra={"reason": why})
        self.stale_because = self._pool.why_none = why
        if self.current is None:
            self._take_last_good()

    def _take_last_good(self) -> None:
        copy = self._folder / LAST_GOOD
        in_use = copies.kept(copy, self._name)
        if in_use is None:
            return
        try:
            self._use(in_use, copy, seen=("copy",))
        except (Refused, OSError):
            return
        log.warning("last good model used", extra={"model": in_use.where.stamp})

    def _clear(self) -> None:
        """Let go of copies that a service left half made when it was killed."""
        for left in self._folder.glob(f"{LAST_GOOD}-next-*"):
            if not Path(f"/proc/{left.name.rpartition('-')[2]}").exists():
                shutil.rmtree(left, ignore_errors=True)

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._every)
            self._wake.clear()
            if not self._stop.is_set():
                self.refresh()


def _marks(settings: Settings) -> tuple[object, ...]:
    """What changes when the pipeline has published anew."""
    files = copies.tables(settings)
    return (settings.test_from, settings.urgent, *(file.stat().st_mtime_ns for file in files))
