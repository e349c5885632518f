"""Lines that wait on the disk beside the store until it can be written again."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.trail.chain import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

log = logging.getLogger("tepat")
MOST_SERVERS = 64
"""That share a folder; each has a file of its own."""
BLOCK = 2**18


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A line that waits.

    Parameters
    ----------
    id
        By which it is known when it is in the chain already.
    after
        It cannot be in the chain at this number or before.
    tried
        It was sent to the store, which broke off: it may be there without its id.
    """

    words: Words
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    after: int = 0
    tried: bool = False


class Spool:
    """A file of lines, one JSON object each; it belongs to one process as long as that runs.

    What is not whole was never confirmed: a process that was killed while it wrote told nobody.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size, self.count = _whole(path, descriptor)
        self._read = 0  # up to here the lines are in the chain
        self._shown: list[bytes] = []
        self._one = threading.Lock()
        self.sure = not self.count
        """None of its lines can be in the chain."""

    def add(self, lines: Sequence[Waiting]) -> None:
        """Return once the lines are on the disk.

        Raises
        ------
        OSError
            They are not, and nothing of them is.
        """
        if not os.fstat(self._descriptor).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the spool was deleted while in use", str(self.path))
        with self._one:
            self._add(lines)

    def _add(self, lines: Sequence[Waiting]) -> None:
        written = b"".join(json.dumps(line.__dict__).encode("ascii") + b"\n" for line in lines)
        # What a write left that broke off is no part of it.
        os.ftruncate(self._descriptor, self._size)
        _write(self._descriptor, written, at=self._size)
        os.fsync(self._descriptor)
        self._size += len(written)
        self.count += len(lines)

    def first(self, most: int) -> list[Waiting]:
        """The lines that wait longest."""
        with self._one:
            self._shown = self._lines(most)
        return list(_read(self.path, self._shown))

    def drop(self) -> None:
        """Forget those that `first` gave last, as they are in the chain; the file is emptied with the last line."""
        with self._one:
            read = self._read + sum(map(len, self._shown))
            if read == self._size:
                os.ftruncate(self._descriptor, 0)
                os.fsync(self._descriptor)
                read = self._size = 0
                self.sure = True
            self._read = read
            self.count -= len(self._shown)
            self._shown = []

    def close(self) -> None:
        """Let go of the file; another process may take it, and what waits in it."""
        os.close(self._descriptor)

    def _lines(self, most: int) -> list[bytes]:
        found = b""
        for at in range(self._read, self._size, BLOCK):
            found += os.pread(self._descriptor, min(BLOCK, self._size - at), at)
            if found.count(b"\n") >= most:
                break
        return found.splitlines(keepends=True)[:most]


def taken(path: Path) -> Spool | None:
    """The file as ours, made if missing and readable by us alone; None when another process has it.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sync_folder(path)
        return Spool(path, descriptor)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise


def own(folder: Path) -> Spool:
    """The first file of the folder that no other process has.

    Raises
    ------
    OSError
        The folder cannot be written, or too many servers share it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in _names(folder):
        if found := taken(path):
            return found
    raise OSError(f"{MOST_SERVERS} processes have a spool in {folder} already")


def left_behind(folder: Path) -> Iterator[Spool]:
    """Files with lines of processes that are no more; they are ours now."""
    for path in _names(folder):
        if path.exists() and path.stat().st_size and (found := taken(path)):
            yield found


def _names(folder: Path) -> list[Path]:
    return [folder / f"trail{'' if place == 0 else f'.{place}'}.spool" for place in range(MOST_SERVERS)]


def _whole(path: Path, descriptor: int) -> tuple[int, int]:
    """The size without a last line that is not whole, which is cut off; how many lines are left."""
    found = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    size = found.rfind(b"\n") + 1
    if size < len(found):
        log.warning("the spool of the trail ended in a line that was not whole; it was dropped", extra=_where(path))
        os.ftruncate(descriptor, size)
    return size, found.count(b"\n")


def _read(path: Path, lines: Sequence[bytes]) -> Iterator[Waiting]:
    for line in lines:
        try:
            said = json.loads(line)
            yield Waiting(**said | {"words": Words(*said["words"])})
        except (ValueError, TypeError, KeyError):
            # No process of ours writes such a line; it must not keep the others from the chain, nor be lost.
            log.error("a line of the trail's spool cannot be read; see the file beside it", extra=_where(path))  # noqa: TRY400 (its words may be a person's)
            _put_aside(path, line)


def _put_aside(path: Path, line: bytes) -> None:
    descriptor = os.open(path.with_suffix(".damaged"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, written: bytes, *, at: int) -> None:
    done = 0
    while done < len(written):  # a full disk takes a part
        done += os.pwrite(descriptor, written[done:], at + done)


def _sync_folder(path: Path) -> None:
    """The name of a new file is on the disk, too."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _where(path: Path) -> dict[str, str]:
    return {"file": str(path)}
