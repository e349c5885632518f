"""A process beside the service, for heavy work: it gives way to requests, and ends when the service does."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

NICE = 5
FIRST_TO_GO = "1000"
"""When memory runs out the system ends this process, and none that answers requests."""


def environment() -> dict[str, str]:
    """The service's without its settings, among which are secrets that no such process needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEPAT_")}


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
