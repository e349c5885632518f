"""Puts a backup into an empty database: checked before, whole or not at all."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from features.errors import InputRefused
from serving.access.roles import Act
from serving.archive import CHUNK, MANIFEST, damaged, kept_tables, read_manifest, row_of, unzipped
from serving.faults import StoreRefused
from serving.migrations import known_revisions, upgrade
from serving.trail.chain import Head
from serving.trail.entry import Entry
from serving.trail.verify import verify
from serving.trail.writer import append

if TYPE_CHECKING:
    import datetime as dt
    import zipfile
    from collections.abc import Iterator
    from pathlib import Path

    from serving.access.who import Who
    from serving.archive import Manifest, Member, Told
    from serving.trail.verify import Fault
    from serving.transactions import Database

BEGUN = "trail_head"  # the one table in which a migration leaves a row


@dataclass(frozen=True)
class Restored:
    """What was in a backup, and the first fault of its trail; None where that is whole."""

    manifest: Manifest
    fault: Fault | None


@dataclass(frozen=True)
class _Backup:
    """An opened backup, and what it says of itself."""

    path: Path
    archive: zipfile.ZipFile
    manifest: Manifest

    def lines(self, table: str) -> Iterator[list[bytes]]:
        """The lines of a table, some at a time.

        Raises
        ------
        InputRefused
            They are not those that were written.
        """
        member, rows, digest = self.manifest.tables[table], 0, hashlib.sha256()
        with self.archive.open(f"{table}.jsonl") as file:
            while part := list(islice(file, CHUNK)):
                rows += len(part)
                for line in part:
                    digest.update(line)
                yield part
        if (rows, digest.hexdigest()) != (member.rows, member.sha256):
            raise damaged(self.path, f"table {table} has {rows:,} rows of {member.rows:,}, or others than were written")


def restore(path: Path, database: Database, *, at: dt.datetime, who: Who, told: Told) -> Restored:
    """Fill an empty database from a backup, and bring it to the tables of this version.

    A backup is read whole and checked before anything is written; all is written in one transaction, with a line of
    the trail that says so. A trail that was not whole when it was backed up is put back as it was, and its fault told:
    the decisions beside it may be the only ones left.

    Raises
    ------
    InputRefused
        The file is no backup, is damaged, or is of a newer Tepat.
    StoreRefused
        The database is not empty, or cannot be written.
    """
    with unzipped(path) as archive:
        opened = _Backup(path, archive, read_manifest(archive, path))
        _check(opened, told=told)
        with database.writing(unhurried=True) as connection:
            if sa.inspect(connection).get_table_names():
                raise StoreRefused(
                    f"{database.name} holds tables already", "Name an empty database, or a file that is not there"
                )
            upgrade(connection, database.name, to=opened.manifest.revision)
            _fill(connection, opened, told=told)
            upgrade(connection, database.name)
            append(connection, [_entry(opened.manifest, at=at, who=who)])
            verdict = verify(connection, anchors=_anchors(opened.manifest))
    return Restored(opened.manifest, verdict.fault)


def _anchors(manifest: Manifest) -> list[Head]:
    return [] if manifest.trail is None else [Head(manifest.trail.number, manifest.trail.hash)]


def _entry(manifest: Manifest, *, at: dt.datetime, who: Who) -> Entry:
    about = {"made_at": manifest.made_at.isoformat(), "revision": manifest.revision, "rows": manifest.rows}
    return Entry(
        at=at, who=who.name, via=who.via, act=Act.RESTORE.value, why="restore", request_id=uuid.uuid4().hex, about=about
    )


def _check(opened: _Backup, *, told: Told) -> None:
    manifest = opened.manifest
    if manifest.revision not in (known := known_revisions()):
        raise InputRefused(
            f"{opened.path} is of revision {manifest.revision}, of a newer Tepat", f"revisions up to {known[0]}",
            "Restore it with the Tepat that made it.",
        )  # fmt: skip
    found, said = set(opened.archive.namelist()), {MANIFEST, *(f"{name}.jsonl" for name in manifest.tables)}
    if found != said:
        raise damaged(opened.path, f"{len(said - found)} tables are missing, {len(found - said)} unknown")
    done = 0
    for table in manifest.tables:
        for part in opened.lines(table):
            done += len(part)
            told(done, 2 * manifest.rows)  # once to check, once to write


def _fill(connection: sa.Connection, opened: _Backup, *, told: Told) -> None:
    tables = {table.name: table for table in kept_tables(connection)}
    if tables.keys() != opened.manifest.tables.keys():
        raise damaged(opened.path, f"it has not the tables of revision {opened.manifest.revision}")
    done = opened.manifest.rows
    for name, table in tables.items():
        columns = _columns(table, opened.manifest.tables[name], opened.path)
        if name == BEGUN:
            connection.execute(sa.delete(table))
        for part in opened.lines(name):
            _insert(connection, table, _rows(part, columns, opened.path), path=opened.path)
            done += len(part)
            told(done, 2 * opened.manifest.rows)
        _number_on(connection, table)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]], *, path: Path) -> None:
    try:
        connection.execute(sa.insert(table), rows)
    except (IntegrityError, DataError):  # which may say a row, so it is not chained
        raise damaged(path, f"table {table.name} has rows that contradict others, or that do not fit it") from None


def _columns(table: sa.Table, member: Member, path: Path) -> list[sa.Column[object]]:
    if set(member.columns) != set(table.columns.keys()):
        raise damaged(path, f"table {table.name} has not its columns")
    return [table.c[name] for name in member.columns]


def _rows(part: list[bytes], columns: list[sa.Column[object]], path: Path) -> list[dict[str, object]]:
    try:
        return [row_of(line, columns) for line in part]
    except (ValueError, TypeError):  # which may say the line, so it is not chained
        raise damaged(path, "a line is no row of its table") from None


def _number_on(connection: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL numbers by a counter that a row with its own number does not move."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if counter := connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))):
            last = sa.select(sa.func.max(column)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(counter, last)).where(last.is_not(None)))
