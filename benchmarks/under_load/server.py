"""A server in a process of its own: started, paused while it is not asked, its memory read. Linux only."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from under_load.clients import HOST

PATIENCE_S: Final = 120.0
KEEPER: Final = b"serving.scorers.keeper"


@dataclass(frozen=True)
class Of:
    """Memory of one process, in MiB.

    `peak`: its most ever, with what it shares. `private`: what nobody shares with it now. `share`: that, and its part
    of what several share (PSS).
    """

    what: str
    peak_mib: float
    private_mib: float
    share_mib: float


@dataclass(frozen=True)
class Memory:
    """Memory of a server: of each process, and of all together without counting twice what they share."""

    of: tuple[Of, ...]
    all_mib: float


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


@contextmanager
def paused(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], port: int, alive: str
) -> Iterator[int]:
    """Start the server in `folder`, and pause it once `GET alive` is answered; the number of its process and group."""
    log = folder / f"{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(process, port=port, alive=alive, log=log)
        os.killpg(process.pid, signal.SIGSTOP)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            os.killpg(process.pid, signal.SIGCONT)
        process.wait(PATIENCE_S)


@contextmanager
def awake(process: int) -> Iterator[None]:
    """The paused server at work."""
    os.killpg(process, signal.SIGCONT)
    try:
        yield
    finally:
        os.killpg(process, signal.SIGSTOP)


def memory(process: int) -> Memory:
    """Of every process, the first started first."""
    made = tuple(_of(one) for one in _family(process))
    return Memory(made, sum(one.share_mib for one in made))


def _of(process: int) -> Of:
    folder = Path(f"/proc/{process}")
    rollup = (folder / "smaps_rollup").read_text(encoding="utf-8")
    now = {name: int(kib) / 1024 for name, kib in re.findall(r"^(\w+): +(\d+) kB", rollup, re.MULTILINE)}
    peak = re.findall(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text(encoding="utf-8"))
    return Of(_what(folder), int(peak[0]) / 1024, now["Private_Clean"] + now["Private_Dirty"], now["Pss"])


def _what(folder: Path) -> str:
    """What a process does: it scores, it keeps those that do, or it is the server itself."""
    if KEEPER not in (folder / "cmdline").read_bytes():
        return "server"
    parent = re.findall(r"PPid:\s+(\d+)", (folder / "status").read_text(encoding="utf-8"))[0]
    return "scorer" if KEEPER in Path(f"/proc/{parent}/cmdline").read_bytes() else "keeper"


def worked_ms(process: int) -> float:
    """Processor time since the start, of all its processes: what a busy machine does not change."""
    # After the name, which may hold blanks, the 12th and 13th field are ticks in the program and in the kernel.
    told = [Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2] for one in _family(process)]
    ticks = sum(int(n) for one in told for n in one.split()[11:13])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def _family(process: int) -> list[int]:
    started = [int(n) for one in Path(f"/proc/{process}/task").glob("*/children") for n in one.read_text().split()]
    return [process, *(one for child in started for one in _family(child))]


def _wait_for(process: subprocess.Popen[bytes], *, port: int, alive: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError, HTTPException):
            line = HTTPConnection(HOST, port, timeout=5)
            line.request("GET", alive)
            if line.getresponse().status == 200:  # noqa: PLR2004 (OK)
                return
        time.sleep(0.2)
    sys.exit(f"The server on port {port} never answered. It said: {log.read_text(encoding='utf-8')[-2000:]}")
