"""Heavy work of a job in a process of its own: its memory is bounded and given back, and requests do not wait for it.

The process ends when the one that began it does, however that ended: it waits at the other end of a pipe.
"""

from __future__ import annotations

import errno
import json
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import InputRefused
from serving.children import environment, give_way
from serving.jobs.folder import PRIVATE
from serving.jobs.told import FULL, MEMORY, REFUSED, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_MEMORY = 3 * 2**29
"""Of the process; well below what deploy/tepat.service allows all of them. [bytes]"""
SPILL = "spill.part"
"""What libraries keep aside, in the job's folder: texts of a sheet outlive no job."""
FREE = 8 * 2**20
"""A disk with less free is full. [bytes]"""
OF_MEMORY = ("MemoryError", "ArrowMemoryError", "OutOfMemoryException")
SAID = "refusal.json"
LOOK_S = 1.0


class ChildRefused(Exception):
    """The process ended without its work, for a reason that the job tells: a problem document."""

    def __init__(self, fault: dict[str, str | int]) -> None:
        super().__init__(str(fault["detail"]))
        self.fault = fault


def run(module: str, folder: Path, *, look: Callable[[], None]) -> None:
    """Run a module's `main` on the folder of a job, and return once it is done.

    Parameters
    ----------
    look
        Called every second or so; what it raises ends the process.

    Raises
    ------
    ChildRefused
    """
    command = [sys.executable, "-m", module, str(folder)]
    (folder / SAID).unlink(missing_ok=True)
    with (
        _spill(folder) as aside,
        subprocess.Popen(  # noqa: S603 (our own)
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            env=environment() | {"TMPDIR": str(aside.resolve())},
        ) as process,
    ):  # fmt: skip
        try:
            while process.poll() is None:
                try:
                    process.wait(LOOK_S)
                except subprocess.TimeoutExpired:
                    look()
        finally:
            process.kill()
    if process.returncode != 0:
        raise ChildRefused(_said(folder, process.returncode))


@contextmanager
def _spill(folder: Path) -> Iterator[Path]:
    aside = folder / SPILL
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=PRIVATE)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _said(folder: Path, status: int) -> dict[str, str | int]:
    try:
        found: dict[str, str | int] = json.loads((folder / SAID).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Ended from outside, by the system that ran out of memory as a rule.
        return told(MEMORY if status < 0 else None)
    return found


def guarded(work: Callable[[Path], None]) -> None:
    """Do the work on the folder that the command line names; a refusal of it is left there in words."""
    folder = Path(sys.argv[1])
    give_way()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    try:
        work(folder)
    except InputRefused as refusal:
        _leave(folder, told(REFUSED, refusal=refusal))
    except Exception as fault:  # noqa: BLE001 (whatever it was, the job says that it failed, and repeats no cell)
        kind = type(fault).__name__
        full = getattr(fault, "errno", None) == errno.ENOSPC or shutil.disk_usage(folder).free < FREE
        print(json.dumps({"level": "ERROR", "message": "job failed", "reason": kind}), file=sys.stderr)
        _leave(folder, told(FULL if full else MEMORY if kind in OF_MEMORY else None))


def _leave(folder: Path, said: dict[str, str | int]) -> None:
    # On a full disk not even this may fit; the exit status is enough then.
    try:
        (folder / SAID).write_text(json.dumps(said), encoding="utf-8")
    except OSError:
        (folder / SAID).unlink(missing_ok=True)
    sys.exit(1)
