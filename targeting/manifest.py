"""Which files belong together: written after the last of them, so that readers see when some are of another run."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from features.folders import write_text

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "manifest.json"
FILES_REMEMBERED: Final = 64
"""Whose digests are kept: some runs' worth of files, each read once."""


def write_manifest(folder: Path) -> None:
    """Say of every Parquet file of a folder, by name, what its SHA-256 is."""
    digests = {path.name: _digest_now(path) for path in sorted(folder.glob("*.parquet"))}
    write_text(folder / NAME, json.dumps({"sha256": digests}, indent=2) + "\n")


def whole(folder: Path) -> str | None:
    """A digest of what lies in a folder; None while its files are not those of one run.

    The days of the files tell nothing: DVC brings back an earlier run in any order.

    Raises
    ------
    FileNotFoundError
        There is no manifest.
    """
    text = (folder / NAME).read_bytes()
    try:
        digests: dict[str, str] = json.loads(text)["sha256"]
        same = all(_digest_now(folder / name) == digest for name, digest in digests.items())
    except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError):
        return None  # half there
    return hashlib.sha256(text).hexdigest() if same else None


def _digest_now(path: Path) -> str:
    found = path.stat()
    return _digest(path, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=FILES_REMEMBERED)
def _digest(path: Path, inode: int, size: int, changed_ns: int) -> str:
    """Of a file as it is; what came in its place has another inode, another size or another time."""
    del inode, size, changed_ns
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
