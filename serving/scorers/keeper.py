"""Loads a model once and keeps scorers: processes that share its memory. `python -m serving.scorers.keeper`.

It has one thread, so that what it forks is whole, and asks nothing of the registry. It ends when the service does.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from features.errors import Refused
from serving.scorers.loaded import read
from serving.scorers.scorer import work

if TYPE_CHECKING:
    from serving.scorers.loaded import Loaded

STEADY_S: Final = 5.0
PAUSE_S: Final = 0.5
"""Before a scorer that lived less than `STEADY_S` gets a successor, which may well die of the same."""


class Keeper:
    """Starts scorers, and another for each that dies; the other end of its line is the service.

    Parameters
    ----------
    line
        Over it goes, for every scorer, its process number with a socket that leads to it.
    """

    def __init__(self, line: socket.socket, loaded: Loaded) -> None:
        self._line, self._loaded = line, loaded
        self._born: dict[int, float] = {}

    def keep(self, scorers: int) -> None:
        """Return once the service is gone, and the scorers with it."""
        ends = select.poll()
        ends.register(self._line, select.POLLIN)
        for _ in range(scorers):
            ends.register(self._start(), select.POLLIN)
        while self._line.fileno() not in (ended := {fd for fd, _ in ends.poll()}):
            for scorer in ended:
                ends.unregister(scorer)
                self._bury(scorer)
                ends.register(self._start(), select.POLLIN)
        for scorer in self._born:
            os.waitid(os.P_PIDFD, scorer, os.WEXITED)

    def _start(self) -> int:
        """A file that can be read when the new scorer has ended."""
        ours, theirs = socket.socketpair()
        scorer = os.fork()
        if not scorer:
            ours.close()
            self._line.close()
            _alone(theirs, self._loaded)
        theirs.close()
        with ours:
            socket.send_fds(self._line, [json.dumps({"scorer": scorer}).encode()], [ours.fileno()])
        ended = os.pidfd_open(scorer)
        self._born[ended] = time.monotonic()
        return ended

    def _bury(self, scorer: int) -> None:
        os.waitid(os.P_PIDFD, scorer, os.WEXITED)
        os.close(scorer)
        if time.monotonic() - self._born.pop(scorer) < STEADY_S:
            time.sleep(PAUSE_S)


def _alone(line: socket.socket, loaded: Loaded) -> None:
    """Be a scorer, and nothing after it: what the keeper would do at its end is not ours to do."""
    try:
        work(line, loaded)
    finally:
        os._exit(0)


def main() -> None:
    """Load the copy and keep scorers of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--line", type=int, required=True, help="Number of the open socket to the service.")
    asked.add_argument("--folder", type=Path, required=True, help="Copy of the model and the district's tables.")
    asked.add_argument("--scorers", type=int, required=True, help="Processes that score.")
    given = asked.parse_args()
    # Whoever stops the service's whole group means the service, which still answers what was begun.
    for word in (signal.SIGINT, signal.SIGTERM):
        signal.signal(word, signal.SIG_IGN)
    line = socket.socket(fileno=given.line)
    try:
        loaded = read(given.folder)
    except (OSError, ValueError, KeyError, TypeError, Refused) as fault:
        said = str(fault) if isinstance(fault, Refused) else type(fault).__name__
        line.send(json.dumps({"refused": said}).encode())
        sys.exit(1)
    # What is there now is never looked at again by the collector, and so stays shared.
    gc.collect()
    gc.freeze()
    try:
        Keeper(line, loaded).keep(given.scorers)
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
