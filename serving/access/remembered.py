"""What was looked up of who somebody is, kept in memory for moments, and for minutes while the store is away."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from anyio import to_thread

from serving.access.accounts import is_any
from serving.access.known import Known, known
from serving.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.access.shown import Shown
    from serving.settings import Service
    from serving.shelf import Shelf

T = TypeVar("T")
FRESH_S = 2.0
"""What another server revokes holds here for this long at most."""
BELIEVED_S = 600.0
"""What was looked up no longer ago is believed while the store is away."""
PATIENCE_S = 0.5
"""A store that does not answer for this long counts as away, where there is something to believe."""
MOST = 10_000


@dataclass(frozen=True)
class _Kept(Generic[T]):
    value: T
    at: float
    fresh_until: float


class Memory(Generic[T]):
    """Answers of the store by key; each is asked for once, however many wait for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept[T]] = {}
        self._asking: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str, ask: Callable[[], T]) -> T:
        """What was answered within `FRESH_S`; else what `ask` says now, in a thread.

        Raises
        ------
        StoreUnavailable
            The store is away, and nothing was known of it within `BELIEVED_S`.
        """
        all_kept = self._kept
        kept = all_kept.get(key)
        if kept is not None and self._clock() < kept.fresh_until:
            return kept.value
        task = self._asking.get(key) or self._begin(key, ask)
        if kept is not None and self._clock() - kept.at <= BELIEVED_S:
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
            if not done:  # nor do those who come next wait for it
                all_kept[key] = replace(kept, fresh_until=self._clock() + FRESH_S)
                return kept.value
        return await asyncio.shield(task)

    def put(self, key: str, value: T) -> None:
        """Set right what is kept of a key, if anything is."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept[key] = replace(kept, value=value)

    def forget(self) -> None:
        """Believe nothing of before; an answer on its way is kept no more. For any thread."""
        self._kept, self._asking = {}, {}

    def _begin(self, key: str, ask: Callable[[], T]) -> asyncio.Task[T]:
        asking, kept = self._asking, self._kept
        task = asking[key] = asyncio.create_task(self._asked(key, ask, kept))

        def end(done: asyncio.Task[T]) -> None:
            asking.pop(key, None)
            if not done.cancelled():
                done.exception()  # whoever asked may be gone; a fault that nobody takes would be logged

        task.add_done_callback(end)
        return task

    async def _asked(self, key: str, ask: Callable[[], T], kept: dict[str, _Kept[T]]) -> T:
        before, at = kept.get(key), self._clock()
        try:
            value = await to_thread.run_sync(ask)
        except StoreUnavailable:
            if before is None or at - before.at > BELIEVED_S:
                raise
            value, at = before.value, before.at
        if value is None:  # else whoever sends rubbish would fill the memory
            kept.pop(key, None)
            return value
        kept[key] = _Kept(value, at, self._clock() + FRESH_S)
        while len(kept) > MOST:
            kept.pop(next(iter(kept)))
        return value


class Remembered:
    """Who was known lately, and whether there is an account at all."""

    def __init__(self, shelf: Shelf, service: Service, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._shelf, self._service = shelf, service
        self._known: Memory[Known | None] = Memory(clock)
        self._any: Memory[bool] = Memory(clock)

    async def known(self, shown: Shown) -> Known | None:
        """Who it is; None when it does not hold. Raises as `Memory.get`."""
        found = await self._known.get(shown.digest, partial(self._look_up, shown))
        return None if found is None or found.is_over(dt.datetime.now(tz=dt.UTC), self._service) else found

    async def is_any_account(self) -> bool:
        """Whether there is an account. Raises as `Memory.get`."""
        return await self._any.get("", self._look_for_any)

    def seen(self, shown: Shown, found: Known, *, at: dt.datetime) -> None:
        """Remember that a session was used."""
        self._known.put(shown.digest, replace(found, seen_at=at))

    def forget(self) -> None:
        """Look up all anew. For any thread."""
        self._known.forget()
        self._any.forget()

    def _look_up(self, shown: Shown) -> Known | None:
        with self._shelf.store() as store, store.database.reading() as connection:
            return known(connection, shown, at=dt.datetime.now(tz=dt.UTC))

    def _look_for_any(self) -> bool:
        with self._shelf.store() as store, store.database.reading() as connection:
            return is_any(connection)
