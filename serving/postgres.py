"""The store on PostgreSQL: one writer at a time, as in a file; its faults said as refusals."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg import IsolationLevel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from serving.faults import StoreRefused
from serving.faults_postgres import refusal_of, tells_a_row
from serving.transactions import READY_WAIT_MS, Database

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_OPEN, MOST_OPEN = 10, 40  # connections of a process; 40 threads answer, and a server takes 100 by default
STATEMENT_MS = 30_000
STANDSTILL_MS = 60_000  # a writer that hangs lets the others go on
NETWORK_MS = 15_000  # without a word from a server that fell off the network
OLDEST = 15
OPTIONS = {
    "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "target_session_attrs",
    "channel_binding", "gssencmode",
}  # fmt: skip
ONE_WRITER = 0x7465706174  # the key of the lock: "tepat"


@dataclass(frozen=True, kw_only=True)
class Server(Database):
    """A database of a PostgreSQL server; one that was started again is used again.

    Writers wait for one lock of the database, whichever process they are in: the numbers of decisions follow the order
    of their commits only so, and what is tried on a file holds here, too. Readers wait for nobody.
    """

    def check_writable(self, touch: sa.Delete) -> None:
        """As declared; a writer elsewhere is not waited for."""
        with self._transaction(writes=True, wait_ms=READY_WAIT_MS, alone=False) as connection:
            connection.execute(touch)

    @contextmanager
    def _transaction(
        self, *, writes: bool, wait_ms: int | None, unhurried: bool = False, alone: bool = True
    ) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                _open_to(connection, writes=writes)
                with connection.begin():
                    if wait_ms not in (None, self.wait_ms):
                        _limit(connection, "lock_timeout" if writes else "statement_timeout", wait_ms)
                    if writes and alone:
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_WRITER)))
                    if unhurried:
                        _limit(connection, "statement_timeout", 0)
                        _limit(connection, "idle_in_transaction_session_timeout", 0)
                    yield connection
        except NoneFree as fault:
            raise StoreRefused(f"all {MOST_OPEN} connections to {self.name} in use", "Try again in a moment") from fault
        except DBAPIError as fault:
            raise refusal_of(fault, self.name) from (None if tells_a_row(fault) else fault)


def open_server(url: sa.URL, *, wait_ms: int) -> Server:
    """The database of an address, with the tables that it has.

    Raises
    ------
    StoreRefused
        The address, the server or the database cannot be used.
    """
    _check(url)
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=_connecting(wait_ms),
        pool_pre_ping=True,  # a server that was started again is met by nobody's request
        pool_size=KEPT_OPEN,
        max_overflow=MOST_OPEN - KEPT_OPEN,
        pool_timeout=wait_ms / 1000,
        hide_parameters=True,  # they are households
    )
    sa.event.listen(engine, "connect", partial(_settle, wait_ms=wait_ms))
    server = Server(engine=engine, name=_name(url), wait_ms=wait_ms)
    try:
        _check_server(server)
    except StoreRefused:
        server.close()
        raise
    return server


def _check(url: sa.URL) -> None:
    if not url.database:
        raise StoreRefused("an address without a database", "Give postgresql://user:password@host/database")
    if unknown := sorted(set(url.query) - OPTIONS):
        raise StoreRefused(
            f"options of the store's address that are not known: {', '.join(unknown)}",
            f"Leave them out; {', '.join(sorted(OPTIONS))} are",
        )


def _name(url: sa.URL) -> str:
    host = url.host or url.query.get("host") or "this machine"
    return f"the database {url.database} at {host}" + (f":{url.port}" if url.port else "")


def _connecting(wait_ms: int) -> dict[str, Any]:
    return {
        "connect_timeout": max(2, math.ceil(wait_ms / 1000)),  # less is not taken [s]
        "application_name": "tepat",
        "client_encoding": "utf8",
        "keepalives_idle": 10,  # [s]
        "keepalives_interval": 5,  # [s]
        "keepalives_count": 3,
        "tcp_user_timeout": NETWORK_MS,
    }


def _settle(connection: Any, record: object, *, wait_ms: int) -> None:
    """What holds for a connection as long as it lives; a commit is on the disk, whatever the server's default."""
    del record
    settings = {
        "statement_timeout": max(STATEMENT_MS, 2 * wait_ms),
        "lock_timeout": wait_ms,
        "idle_in_transaction_session_timeout": STANDSTILL_MS,
        "TimeZone": "UTC",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _open_to(connection: sa.Connection, *, writes: bool) -> None:
    """How the next transaction begins.

    A writer's statements each see what was committed before them: a view taken at the wait for the lock would be too
    old. That it may write is not asked for, since a database may have been made read-only by its settings.
    """
    psycopg: Any = connection.connection.driver_connection
    psycopg.isolation_level = IsolationLevel.READ_COMMITTED if writes else IsolationLevel.REPEATABLE_READ
    psycopg.read_only = None if writes else True


def _limit(connection: sa.Connection, name: str, wait_ms: int | None) -> None:
    """For this transaction alone; 0 is no limit."""
    connection.execute(sa.select(sa.func.set_config(name, str(wait_ms), sa.true())))


def _check_server(server: Server) -> None:
    with server.reading() as connection:
        version = int(connection.scalar(sa.text("SHOW server_version_num"))) // 10_000
        encoding = connection.scalar(sa.text("SHOW server_encoding"))
    if version < OLDEST:
        raise StoreRefused(f"PostgreSQL {version} behind {server.name}", f"Use PostgreSQL {OLDEST} or newer")
    if encoding != "UTF8":
        raise StoreRefused(
            f"{server.name} keeps texts as {encoding}", "Make it anew: CREATE DATABASE ... ENCODING 'UTF8'"
        )
