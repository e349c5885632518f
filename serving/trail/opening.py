"""Opens the database to be read alone, as an auditor may who must not write it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from serving.database import connect
from serving.faults import StoreRefused, code_of, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def read_only(url: str, *, wait_ms: int) -> Iterator[sa.Connection]:
    """A connection that sees one moment and can change nothing, neither rows nor tables nor files.

    Raises
    ------
    StoreRefused
        The address, what it names or its tables cannot be read.
    """
    path = _path(url)
    if path is None:
        with closing(connect(url, wait_ms=wait_ms)) as database, database.reading() as connection:
            yield connection
        return
    engine = sa.create_engine(
        "sqlite+pysqlite://", creator=partial(_open, path, wait_ms), poolclass=sa.NullPool, hide_parameters=True
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
    except DBAPIError as fault:
        raise refusal(code_of(fault.orig), path) from fault


def _path(url: str) -> Path | None:
    """The file of an address; None when another database is behind it."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None  # `connect` says what is wrong with it
    if parsed.drivername != "sqlite" or not parsed.database or parsed.query:
        return None
    return Path(parsed.database).absolute()


def _open(path: Path, wait_ms: int) -> sqlite3.Connection:
    if not path.exists():
        raise StoreRefused(f"no file {path}", "Name the database in TEPAT_DATABASE")
    try:
        return _connected(path, "mode=ro", wait_ms)
    except sqlite3.OperationalError as fault:
        # In a folder that may not be written no log can be made; where there is none, nobody is writing.
        if code_of(fault) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or _log_of(path):
            raise
        return _connected(path, "immutable=1", wait_ms)


def _connected(path: Path, how: str, wait_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None, timeout=wait_ms / 1000)
    try:
        # What is no UTF-8 was not written by us: it shall be found, not stop the walk.
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _log_of(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
