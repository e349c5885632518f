"""A keeper and its scorers, as the service sees them: started, asked, let go."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from features.errors import Refused
from serving.children import environment
from serving.scorers.wire import LENGTH, READY, Fault, packed, receive, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_S: Final = 180.0
"""Longest that a keeper may take to have its scorers ready. [s]"""
ANSWER_S: Final = 30.0
"""Longest that a scorer may take over a batch, which takes it well below a second; then it is taken for dead. [s]"""
END_S: Final = 10.0
MOST_SAID: Final = 65_536
SINGLE: Final = {
    # Pools of threads would be made before the fork, and be missing after it; there is one scorer a core instead.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class ScorersRefused(Refused):
    """No scorer could be made of a copy."""


class Gone(Exception):
    """A scorer ended, or took too long, with a batch in hand."""


class Scorer(asyncio.Protocol):
    """A process that scores; one batch at a time.

    Parameters
    ----------
    number
        Of its process.
    line
        Leads to it.
    """

    def __init__(self, number: int, line: socket.socket) -> None:
        self.number, self.line = number, line
        self._on_end: Callable[[Scorer], None] = lambda _: None
        self._transport: asyncio.WriteTransport | None = None
        self._heard = bytearray()
        self._next: asyncio.Future[Any] | None = None

    async def open(self, on_end: Callable[[Scorer], None]) -> None:
        """Belong to the running loop; `on_end` is called once its process is gone."""
        self._on_end = on_end
        self.line.setblocking(False)  # noqa: FBT003 (the library's own word)
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=self.line)

    async def ask(self, what: Any) -> Any:
        """Its answer.

        Raises
        ------
        Gone
        """
        if self._transport is None or self._transport.is_closing():
            raise Gone
        self._transport.write(packed(what))
        return await self.hear()

    async def hear(self, seconds: float = ANSWER_S) -> Any:
        """What it says next.

        Raises
        ------
        Gone
        """
        self._next = asyncio.get_running_loop().create_future()
        self._take()
        try:
            async with asyncio.timeout(seconds):
                return await self._next
        except TimeoutError as fault:
            # Its end of the line is open, so the number is still its own.
            with suppress(ProcessLookupError):
                os.kill(self.number, signal.SIGKILL)
            raise Gone from fault

    def close(self) -> None:
        """Ask it no more: it ends."""
        if self._transport is None:
            self.line.close()
        else:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self._heard += data
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        del exc
        if self._next and not self._next.done():
            self._next.set_exception(Gone())
        self._on_end(self)

    def _take(self) -> None:
        """Hand on what was said once it is whole."""
        if self._next is None or self._next.done():
            return
        if self._transport is None or self._transport.is_closing():
            self._next.set_exception(Gone())
        elif len(self._heard) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._heard)
            whole = LENGTH.size + length
            if len(self._heard) >= whole:
                said = unpacked(bytes(self._heard[LENGTH.size : whole]))
                del self._heard[:whole]
                self._next.set_result(said)


@dataclass(frozen=True, eq=False)
class Crew:
    """A keeper's process, the line to it, and the scorers that were ready at first."""

    keeper: subprocess.Popen[bytes]
    line: socket.socket
    first: tuple[Scorer, ...]

    def joined(self) -> Scorer:
        """The scorer that the keeper tells of.

        Raises
        ------
        Gone, ScorersRefused
            The keeper ended; it says why it has none.
        BlockingIOError
            It tells of none now, and the line does not wait.
        """
        try:
            said, files, _, _ = socket.recv_fds(self.line, MOST_SAID, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            raise
        except OSError as fault:
            raise Gone from fault
        if not said:
            raise Gone
        told = json.loads(said)
        if "refused" in told:
            raise ScorersRefused(told["refused"])
        return Scorer(told["scorer"], socket.socket(fileno=files[0]))

    def end(self) -> None:
        """Let go of the keeper, which ends after its scorers; wait for it."""
        self.line.close()
        try:
            self.keeper.wait(END_S)
        except subprocess.TimeoutExpired:
            self.keeper.kill()
            self.keeper.wait()


def hired(folder: Path, *, scorers: int) -> Crew:
    """A keeper of the copy in `folder`, its scorers ready.

    Raises
    ------
    ScorersRefused
        The copy cannot be read, or a scorer cannot answer by it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = (sys.executable, "-m", "serving.scorers.keeper")
    told = ("--line", f"{theirs.fileno()}", "--folder", f"{folder.resolve()}", "--scorers", f"{scorers}")
    with theirs:
        keeper = subprocess.Popen((*command, *told), pass_fds=[theirs.fileno()], env=_environment())  # noqa: S603 (our own command)
    ours.settimeout(START_S)
    made = Crew(keeper, ours, ())
    ready: list[Scorer] = []
    try:
        for _ in range(scorers):
            ready.append(_ready(made.joined()))  # noqa: PERF401 (those who were ready are let go when another is not)
    except (Gone, ScorersRefused) as fault:
        for scorer in ready:
            scorer.close()
        made.end()
        if isinstance(fault, Gone):
            raise ScorersRefused("The scorers ended before they could answer; the service tries again.") from fault
        raise
    ours.setblocking(False)  # noqa: FBT003 (the library's own word)
    return Crew(keeper, ours, tuple(ready))


def _environment() -> dict[str, str]:
    return environment() | SINGLE


def _ready(scorer: Scorer) -> Scorer:
    scorer.line.settimeout(START_S)
    try:
        said = receive(scorer.line)
    except (EOFError, OSError) as fault:
        scorer.line.close()
        raise Gone from fault
    if said != READY:
        scorer.line.close()
        raise ScorersRefused(_why(said))
    return scorer


def _why(fault: Fault) -> str:
    return f"A scorer cannot answer by the model ({fault.kind}). Train again with `dvc repro`."
