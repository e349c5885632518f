"""A process beside the service, for heavy work: it gives way to requests, and ends when the service does."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

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
