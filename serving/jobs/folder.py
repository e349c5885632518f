"""Where the files of a job lie, and how one is put there: whole or not at all, and on the disk before it counts."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o700
ACCOUNT, REFUSED_FILE = "account.json", "refused.csv"
FLOOR = 256 * 2**20
"""What uploads and jobs leave free of a disk: decisions and the trail are written there, too. [bytes]"""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class JobFolder:
    """The files of one job; for the user that runs Tepat, and nobody else."""

    path: Path

    @property
    def files(self) -> Path:
        """Uploads."""
        return self.path / "files"

    @property
    def prepared(self) -> Path:
        """Accepted facts by household; there whole or not at all."""
        return self.path / "prepared"

    @property
    def parts(self) -> Path:
        """What was scored so far."""
        return self.path / "parts"

    @property
    def result(self) -> Path:
        """The finished files; there whole or not at all."""
        return self.path / "result"

    def upload(self, register: str, *, sha256: str, kind: str) -> Path:
        """An uploaded file; its own name is the register's, since a refusal repeats it."""
        return self.files / register / sha256[:32] / f"{register}.{kind}"

    def partial(self, register: str) -> Path:
        """An upload in parts that is not whole yet."""
        return self.files / f"{register}.partial"

    def part(self, number: int, stamp: str) -> Path:
        """The result of one batch by one model."""
        return self.parts / f"{number:06d}-{UNSAFE.sub('_', stamp)}.parquet"

    def make(self) -> None:
        """Make it, with what is above it."""
        self.path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        for folder in (self.path, self.files, self.parts):
            folder.mkdir(mode=PRIVATE, exist_ok=True)

    def drop_work(self) -> None:
        """Take away all but the result: a job that is over needs no facts of anybody."""
        for folder in (self.files, self.prepared, self.parts):
            shutil.rmtree(folder, ignore_errors=True)
        for half in self.path.glob("*.part"):
            shutil.rmtree(half, ignore_errors=True)
        (self.path / "begun.json").unlink(missing_ok=True)

    def drop(self) -> None:
        """Take everything away."""
        shutil.rmtree(self.path, ignore_errors=True)


def put(half: Path, whole: Path) -> None:
    """Give a written file or folder its name, once it is on the disk.

    Raises
    ------
    OSError
        The disk is full, or was taken away.
    """
    for path in sorted(half.rglob("*")) if half.is_dir() else []:
        sync(path)
    sync(half)
    half.replace(whole)
    sync(whole.parent)


def sync(path: Path) -> None:
    """Return once what was written is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(folder: Path) -> bool:
    """Whether the disk has no more than what is kept for the store and the trail."""
    return shutil.disk_usage(folder).free < FLOOR


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
