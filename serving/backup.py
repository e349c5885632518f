"""Writes a backup: everything as it was at one moment, while the service goes on."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import sqlalchemy as sa

from features.errors import InputRefused
from serving.archive import CHUNK, MANIFEST, Head, Manifest, Member, kept_tables, line_of
from serving.faults import StoreRefused
from serving.migrations import is_current, revision_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from serving.archive import Told
    from serving.transactions import Database

QUICK = 3  # of 9: half the time of the usual 6, a tenth more bytes


def backup(database: Database, path: Path, *, at: dt.datetime, told: Told) -> Manifest:
    """Write all that the database holds into one file, readable by its owner alone; whole, or not at all.

    Parameters
    ----------
    path
        A file that is not there yet, in a folder that is.
    at
        The moment, with its time zone.

    Raises
    ------
    InputRefused
        The file cannot be written.
    StoreRefused
        The database cannot be read, or holds no tables of Tepat.
    """
    if path.exists():
        raise InputRefused(f"{path} is there already", "a file that is not there yet", "Name another.")
    with _whole(path) as file, database.reading() as connection, zipfile.ZipFile(
        file, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICK
    ) as archive:  # fmt: skip
        manifest = _written(connection, archive, name=database.name, at=at, told=told)
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def checksum(path: Path) -> str:
    """The SHA-256 of a file, to be noted apart from it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name once everything is on the disk."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(file.name).unlink()
                raise
        _sync(path.parent)
    except OSError as fault:
        raise InputRefused(
            f"{path} cannot be written: {fault.strerror}", "a file on a disk with room, in a folder that is there",
            "Mend that, or name another; nothing was left behind.",
        ) from fault  # fmt: skip


def _sync(folder: Path) -> None:
    """The name, too, outlives a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _written(
    connection: sa.Connection, archive: zipfile.ZipFile, *, name: str, at: dt.datetime, told: Told
) -> Manifest:
    is_current(connection, name)  # refuses another program's database, and a newer Tepat's
    revision = revision_of(connection)
    if revision is None:
        raise StoreRefused(f"{name} holds nothing", "Name the database of the service in TEPAT_DATABASE")
    tables = kept_tables(connection)
    tally = _Tally(sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables), told)
    members: dict[str, Member] = {}
    for table in tables:
        with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as file:
            members[table.name] = _lines(connection, table, file, tally)
    return Manifest(revision=revision, made_at=at, trail=_head(connection, tables), tables=members)


@dataclass
class _Tally:
    """How far it is."""

    total: int
    told: Told
    done: int = 0

    def add(self, rows: int) -> None:
        self.done += rows
        self.told(self.done, self.total)


def _lines(connection: sa.Connection, table: sa.Table, file: IO[bytes], tally: _Tally) -> Member:
    rows, digest = 0, hashlib.sha256()
    everything = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=CHUNK)
    for part in connection.execute(everything).partitions():
        lines = "".join(map(line_of, part)).encode()
        file.write(lines)
        digest.update(lines)
        rows += len(part)
        tally.add(len(part))
    return Member(columns=tuple(table.columns.keys()), rows=rows, sha256=digest.hexdigest())


def _head(connection: sa.Connection, tables: list[sa.Table]) -> Head | None:
    kept = next((table for table in tables if table.name == "trail_head"), None)
    if kept is None:
        return None
    found = connection.execute(sa.select(kept.c.number, kept.c.hash)).one_or_none()
    return None if found is None else Head(number=found.number, hash=found.hash)
