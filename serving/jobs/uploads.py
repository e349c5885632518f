"""A file of a job as it arrives: whole, or part after part; it counts only when it is whole and on the disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from anyio import CancelScope, to_thread

from serving.errors import JobState, RequestRefused, StoreUnavailable, TooLarge, UnsupportedType, UploadOutOfPlace
from serving.jobs.folder import FLOOR, PRIVATE, JobFolder, digest, is_full, put, sync
from serving.jobs.formats import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})", re.ASCII)
BLOCK = 2**20
"""Written at once. [bytes]"""


@dataclass(frozen=True)
class Part:
    """Bytes `first` up to, without, `last` of `total`."""

    first: int
    last: int
    total: int


@dataclass(frozen=True)
class Arrived:
    """What is kept of an upload; `sha256` is None until it is whole."""

    kept: int
    total: int | None
    sha256: str | None


def kind_of(content_type: str | None) -> str:
    """The kind of file that a Content-Type says.

    Raises
    ------
    UnsupportedType
    """
    said = (content_type or "").split(";")[0].strip().lower()
    if said not in KINDS:
        raise UnsupportedType(f"A file of a job has one of these as its Content-Type: {', '.join(KINDS)}.")
    return KINDS[said]


def part_of(content_range: str | None, *, most: int) -> Part | None:
    """Which part it is; None when it is the whole file.

    Raises
    ------
    RequestRefused, TooLarge
    """
    if content_range is None:
        return None
    found = RANGE.fullmatch(content_range.strip())
    if not found:
        raise RequestRefused("Content-Range is not written as `bytes 0-1048575/5242880`: first, last and total.")
    first, last, total = (int(number) for number in found.groups())
    if not first <= last < total:
        raise RequestRefused("Content-Range has its first byte after its last, or its last after the total.")
    if total > most:
        raise TooLarge(f"The file has more than {most / 2**20:g} MiB.")
    return Part(first, last + 1, total)


class Uploads:
    """Uploads under way on this server; a register of a job has one at a time."""

    def __init__(self) -> None:
        self._busy: set[tuple[str, str]] = set()

    async def receive(
        self, folder: JobFolder, register: str, body: AsyncIterator[bytes], *, kind: str, part: Part | None
    ) -> Arrived:
        """Keep what arrives, and say what is there.

        Raises
        ------
        JobState, UploadOutOfPlace, RequestRefused, StoreUnavailable, OSError
        """
        mark = (folder.path.name, register)
        if mark in self._busy:
            raise JobState("Another upload of this register is under way; wait until it has ended.")
        self._busy.add(mark)
        try:
            if part is None:
                return await _whole(folder, register, body, kind=kind)
            return await _appended(folder, register, body, kind=kind, part=part)
        finally:
            self._busy.discard(mark)


def kept_of(folder: JobFolder, register: str) -> Arrived | None:
    """What is kept of an upload in parts; None when there is none."""
    path = folder.partial(register)
    try:
        return Arrived(path.stat().st_size, int(_total(path).read_text(encoding="ascii")), None)
    except (FileNotFoundError, ValueError):
        return None


async def _whole(folder: JobFolder, register: str, body: AsyncIterator[bytes], *, kind: str) -> Arrived:
    half = folder.files / f"{register}.{uuid.uuid4().hex}.tmp"
    try:
        size = await write_down(half, body, mode="xb")
        if size == 0:
            raise RequestRefused("The body is empty; the file has to be in it.")
        return await to_thread.run_sync(partial(_settle, folder, register, half, kind=kind))
    finally:
        half.unlink(missing_ok=True)


async def _appended(folder: JobFolder, register: str, body: AsyncIterator[bytes], *, kind: str, part: Part) -> Arrived:
    path = folder.partial(register)
    kept = kept_of(folder, register)
    if part.first == 0:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        _total(path).write_text(str(part.total), encoding="ascii")
    elif kept is None or kept.kept != part.first or kept.total != part.total:
        raise UploadOutOfPlace(
            f"It begins at byte {part.first:,} of {part.total:,}; {kept.kept if kept else 0:,} bytes are kept"
            + (f" of {kept.total:,}." if kept else "."),
            upload_offset=kept.kept if kept else 0,
        )
    before = path.stat().st_size
    # What came before a line broke is kept: HEAD says how much.
    size = await write_down(path, body, mode="ab", most=part.last - part.first)
    if size != part.last - part.first:
        os.truncate(path, before)
        raise RequestRefused(f"The body has {size:,} bytes, and Content-Range says {part.last - part.first:,}.")
    if before + size < part.total:
        return Arrived(before + size, part.total, None)
    _total(path).unlink(missing_ok=True)
    return await to_thread.run_sync(partial(_settle, folder, register, path, kind=kind))


async def write_down(path: Path, body: AsyncIterator[bytes], *, mode: str, most: int | None = None) -> int:
    """How many bytes came, once they are on the disk; of more than `most`, some are told. [bytes]

    Raises
    ------
    StoreUnavailable
        The disk has no more than what is kept for the store and the trail.
    OSError
    """
    size, held = 0, bytearray()
    with path.open(mode) as stream:
        try:
            async for block in body:
                held += block
                size += len(block)
                if most is not None and size > most:
                    held.clear()
                    break
                if len(held) >= BLOCK:
                    await to_thread.run_sync(_add, stream, bytes(held))
                    held.clear()
        finally:
            # Of a line that broke, too, where another wait would be cut short.
            with CancelScope(shield=True):
                await to_thread.run_sync(_lay_down, stream, bytes(held))
    return size


def _add(stream: IO[bytes], block: bytes) -> None:
    if is_full(Path(stream.name).parent):
        raise StoreUnavailable(
            f"The disk has less than {FLOOR // 2**20} MiB free, which decisions and the trail need. Free space."
        )
    stream.write(block)


def _lay_down(stream: IO[bytes], rest: bytes) -> None:
    if rest:
        _add(stream, rest)
    stream.flush()
    os.fsync(stream.fileno())


def _settle(folder: JobFolder, register: str, half: Path, *, kind: str) -> Arrived:
    """Give a whole file its place, which its content names: the file before it stays until the job says otherwise."""
    sha256, size = digest(half), half.stat().st_size
    place = folder.upload(register, sha256=sha256, kind=kind)
    place.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    put(half, place)
    sync(place.parent.parent)
    return Arrived(size, size, sha256)


def drop_others(folder: JobFolder, register: str, said: dict[str, Any]) -> None:
    """Take away the files that the one which is kept replaced."""
    kept = folder.upload(register, sha256=said["sha256"], kind=said["format"])
    for other in kept.parent.parent.iterdir():
        if other != kept.parent:
            shutil.rmtree(other, ignore_errors=True)
    for other in kept.parent.iterdir():
        if other != kept:
            other.unlink(missing_ok=True)


def _total(path: Path) -> Path:
    return path.with_name(f"{path.name}.total")


def key_digest(*words: str) -> str:
    """SHA-256 of some words, of which none can run into the next."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
