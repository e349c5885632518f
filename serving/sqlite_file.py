"""The store in an SQLite file: opened, one transaction at a time; its faults said as refusals."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from serving.faults import LOCKED, StoreRefused, code_of, refusal
from serving.transactions import READY_WAIT_MS, Database

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_S = 0.02
FREE_MIB = 1  # less, and a write of any use will fail
SPARE_LOG_BYTES = 64 * 2**20  # the write-ahead log of a big list is cut back to this


@dataclass(frozen=True, kw_only=True)
class SqliteFile(Database):
    """An open SQLite file, and which file it is: one put in its place is not taken for it."""

    path: Path
    file: tuple[int, int]

    def check_writable(self, touch: sa.Delete) -> None:
        """As declared; a disk that is all but full is refused, too."""
        free = self.free_bytes() / 2**20
        if free < FREE_MIB:
            raise StoreRefused(
                f"{free:.1f} MiB free on the disk of {self.path}; {FREE_MIB} are needed", "Free space on that disk"
            )
        if self.turn.acquire(blocking=False):  # not free: a thread of ours is writing, so it can be written
            try:
                with self._transaction(writes=True, wait_ms=READY_WAIT_MS) as connection:
                    connection.execute(touch)
            finally:
                self.turn.release()

    def free_bytes(self) -> int:
        """As declared."""
        return shutil.disk_usage(self.path.parent).free

    @contextmanager
    def _transaction(
        self,
        *,
        writes: bool,
        wait_ms: int | None,
        unhurried: bool = False,  # noqa: ARG002 (nothing cuts a statement off)
    ) -> Iterator[sa.Connection]:
        self._check_in_place()
        try:
            with self.engine.connect() as connection:
                connection.execution_options(writes=writes, wait_ms=self.wait_ms if wait_ms is None else wait_ms)
                with _discarded_on_fault(connection), connection.begin():
                    yield connection
        except DBAPIError as fault:
            raise refusal(code_of(fault.orig), self.path) from fault

    def _check_in_place(self) -> None:
        """A connection outlives its file's name, so a list could be confirmed into a file that was deleted."""
        if _file(self.path) != self.file:
            raise StoreRefused(
                f"{self.path} was replaced by another file while in use",
                "Put the first file back, or start Tepat again to use the new one",
            )


def open_file(url: sa.URL, *, wait_ms: int, make: bool) -> SqliteFile:
    """The file of an address, with the tables that it has; a missing one is made or refused.

    Raises
    ------
    StoreRefused
        The address or its file cannot be used.
    """
    path = _path(url)
    if make:
        _make(path)
    engine = sa.create_engine(
        "sqlite+pysqlite://",
        creator=partial(_connect, path, wait_ms),
        poolclass=sa.QueuePool,
        max_overflow=-1,  # each thread of the server gets a connection; none waits for another
        hide_parameters=True,  # they are households
    )
    sa.event.listen(engine, "begin", _begin)
    return SqliteFile(engine=engine, name=str(path), path=path, file=_file(path), wait_ms=wait_ms)


def _path(url: sa.URL) -> Path:
    if url.query:
        raise StoreRefused("an SQLite file with options after `?`", "Give sqlite:///path/to/file.db")
    if url.database in (None, "", ":memory:"):
        raise StoreRefused("a store in memory, which keeps nothing", "Give sqlite:///path/to/file.db")
    return Path(str(url.database)).absolute()


def _make(path: Path) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)  # risks of households: for the user that runs Tepat
    except FileExistsError:
        pass
    except FileNotFoundError as fault:
        raise StoreRefused(f"no folder {path.parent}", "Make the folder, or name another") from fault
    except PermissionError as fault:
        raise refusal(sqlite3.SQLITE_CANTOPEN, path) from fault
    except OSError as fault:
        raise StoreRefused(f"{path} cannot be made: {fault.strerror}", "Mend that, or name another folder") from fault


def _file(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except PermissionError as fault:
        raise refusal(sqlite3.SQLITE_CANTOPEN, path) from fault
    except OSError as fault:
        raise StoreRefused(
            f"no file {path}", "Put it back; from a backup, with Tepat stopped, and start it again"
        ) from fault
    return found.st_dev, found.st_ino


def _connect(path: Path, wait_ms: int) -> sqlite3.Connection:
    """A connection to a file that is there and may be written.

    SQLite would make a missing one, empty. One that may not be written it would open to read only, and leave logs
    beside it that stay read-only when the file no longer is.
    """
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise refusal(sqlite3.SQLITE_READONLY, path)
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=wait_ms / 1000
    )
    try:
        _use_wal(connection, path, until=time.monotonic() + wait_ms / 1000)
        for setting in ("synchronous = FULL", "foreign_keys = ON", f"journal_size_limit = {SPARE_LOG_BYTES}"):
            connection.execute(f"PRAGMA {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path, *, until: float) -> None:
    """Readers and a writer beside each other; two who ask for it at once may both be told to try again."""
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as fault:
            if code_of(fault) not in LOCKED or time.monotonic() > until:
                raise
            time.sleep(RETRY_S)
        else:
            break
    if mode != "wal":
        raise StoreRefused(f"{path} is on a disk that allows no write-ahead log", "Use a disk of this machine")


def _begin(connection: sa.Connection) -> None:
    """Writers take the lock first, so that none finds after its work that another was faster."""
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(options['wait_ms'])}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options["writes"] else "BEGIN")


@contextmanager
def _discarded_on_fault(connection: sa.Connection) -> Iterator[None]:
    """A connection that met a fault is not used again: it may remember pages of a file that was mended since."""
    try:
        yield
    except DBAPIError as fault:
        if code_of(fault.orig) not in LOCKED:
            connection.invalidate()
        raise
