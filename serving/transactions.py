"""What every database under the store does: reads of one view, and one write at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.faults import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import sqlalchemy as sa

READY_WAIT_MS = 100  # a probe is answered soon, or it is of no use


@dataclass(frozen=True, kw_only=True)
class Database(ABC):
    """An open database; one object serves all threads.

    Parameters
    ----------
    name
        What messages call it; no password stands in it.
    wait_ms
        How long to wait for another's lock. [ms]
    turn
        Held by the thread that writes.
    """

    engine: sa.Engine
    name: str
    wait_ms: int
    turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reading(self, *, wait_ms: int | None = None) -> Iterator[sa.Connection]:
        """One view of everything, whatever is written meanwhile.

        Raises
        ------
        StoreRefused
            The database cannot be read.
        """
        with self._transaction(writes=False, wait_ms=wait_ms, unhurried=False) as connection:
            yield connection

    @contextmanager
    def writing(self, *, unhurried: bool = False, wait_ms: int | None = None) -> Iterator[sa.Connection]:
        """All that is written in the block, or nothing of it; nobody else writes meanwhile.

        Parameters
        ----------
        unhurried
            Let a statement take as long as it takes, as a migration or a restore may.
        wait_ms
            How long to wait for others who write; that of the database when None. [ms]

        Raises
        ------
        StoreRefused
            The database cannot be written, or others wrote for longer than that.
        """
        wait_ms = self.wait_ms if wait_ms is None else wait_ms
        # The lock of a database is polled, or held with a connection; threads that queue here cost neither.
        longest = self.wait_ms if wait_ms is None else wait_ms
        if not self.turn.acquire(timeout=longest / 1000):
            raise StoreRefused(f"{self.name} was being written for {longest:,} ms", "Try again in a moment")
        try:
            with self._transaction(writes=True, wait_ms=wait_ms, unhurried=unhurried) as connection:
                yield connection
        finally:
            self.turn.release()

    @abstractmethod
    def check_writable(self, touch: sa.Delete) -> None:
        """Nothing, when `touch`, which deletes no row, could be run now: what is read-only refuses only a statement.

        Raises
        ------
        StoreRefused
            It cannot be written.
        """

    def free_bytes(self) -> int | None:
        """Room on the disk under it; None where that is a server's matter."""
        return None

    def close(self) -> None:
        """Let go of every connection; asked again, it opens new ones."""
        self.engine.dispose()

    @abstractmethod
    def _transaction(
        self, *, writes: bool, wait_ms: int | None, unhurried: bool
    ) -> AbstractContextManager[sa.Connection]:
        """A transaction; `wait_ms` is that of the database when None."""
