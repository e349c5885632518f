"""A process beside the service, for heavy work: it gives way to requests, and ends when the service does."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Told = TypeVar("Told")
PRIVATE = 0o700
NICE = 5
FIRST_TO_GO = "1000"
"""When memory runs out the system ends this process, and none that answers requests."""


def environment() -> dict[str, str]:
    """The service's without its settings, among which are secrets that no such process needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEPAT_")}


def begun(module: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process that runs a module of ours on a folder, which it is told in full."""
    command = [sys.executable, "-m", module, str(folder.resolve())]
    return subprocess.Popen(  # noqa: S603 (our own)
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment()
    )


def hold(folder: Path) -> IO[str] | None:
    """The folder's lock, which the system takes back when the process ends in any way; None: another has it."""
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    lock = (folder / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def is_held(folder: Path) -> bool:
    """Whether somebody works there, another service on the folder for one."""
    held = hold(folder)
    if held is not None:
        held.close()
    return held is None


class Beside:
    """Work in such a process, one piece at a time, of all services on a folder; a thread waits for its end.

    Parameters
    ----------
    folder
        Of this kind of work.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: Final = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._ending = False

    def stop(self) -> None:
        """End, and the process with it; what it was at is not done."""
        with self._lock:
            self._ending, process, thread = True, self._process, self._thread
        if process is not None and process.poll() is None:
            process.kill()
        if thread is not None:
            thread.join(timeout=20)

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _told(self, read: Callable[[], Told], *, works: Callable[[Told], bool], left: Callable[[Told], Told]) -> Told:
        """What `read` tells; as `left` has it, where it tells that somebody works and nobody does."""
        found = read()
        if not works(found) or self._runs() or is_held(self.folder):
            return found
        found = read()  # it may have ended between the two looks
        return left(found) if works(found) else found


def give_way() -> None:
    """Called by the process first of all; its standard input is a pipe that the service holds and never writes to."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    with suppress(OSError):  # not every system has it
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
    os.nice(NICE)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not through sys.stdin, whose lock would be held when the work ends
        pass
    os._exit(1)
