"""The database under the store, by its address: an SQLite file, or PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from serving.faults import StoreRefused
from serving.migrations import is_current, upgrade
from serving.postgres import open_server
from serving.sqlite_file import open_file
from serving.transactions import READY_WAIT_MS, Database

__all__ = ["READY_WAIT_MS", "Database", "connect", "open_database"]

ADDRESSES = "Give sqlite:///path/to/file.db or postgresql://user:password@host/database"


def open_database(url: str, *, wait_ms: int) -> Database:
    """The database at `url` with the tables of this version; a file is made if missing.

    Parameters
    ----------
    url
        `sqlite:///` and a path, whose folder must exist; or `postgresql://user:password@host/database`.
    wait_ms
        How long to wait for another's lock. [ms]

    Raises
    ------
    StoreRefused
        The address, what it names or the revision of its tables cannot be used.
    """
    database = connect(url, wait_ms=wait_ms)
    try:
        _migrate(database)
    except StoreRefused:
        database.close()
        raise
    return database


def connect(url: str, *, wait_ms: int, make: bool = True) -> Database:
    """As `open_database`, with the tables that are there; a missing file is refused unless it is to be made.

    Raises
    ------
    StoreRefused
        The address or what it names cannot be used. The address is not repeated, as it may hold a password.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number; either says the address, so it is not chained
        raise StoreRefused("an address of the store that cannot be read", ADDRESSES) from None
    if parsed.drivername == "sqlite":
        return open_file(parsed, wait_ms=wait_ms, make=make)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return open_server(parsed, wait_ms=wait_ms)
    raise StoreRefused(f"a store on {parsed.drivername}", ADDRESSES)


def _migrate(database: Database) -> None:
    with database.reading() as connection:
        if is_current(connection, database.name):
            return
    # Who writes holds the database's lock, so of two that start at once one migrates and the other finds it done.
    with database.writing(unhurried=True) as connection:
        upgrade(connection, database.name)
