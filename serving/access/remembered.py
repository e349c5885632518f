"""What was looked up of who somebody is, kept in memory for moments, and for minutes while the store is away."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from anyio import CapacityLimiter, to_thread

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
AWAY_S = 60.0
"""How long a store that said that it is away counts as away while it says no more."""
PATIENCE_S = 0.5
"""How long a store that counts as away is waited for, where there is something to believe."""
AT_ONCE = 6
"""Threads that look up; their own, so that whoever waits for plans and files keeps nobody at the door."""
MOST = 10_000


@dataclass(frozen=True)
class _Kept(Generic[T]):
    """An answer: when it was asked for, until when it is taken unasked, and when the store last said it is away."""

    value: T
    at: float
    fresh_until: float
    away_at: float = -math.inf
    quiet_until: float = -math.inf


class Memory(Generic[T]):
    """Answers of the store by key; each is asked for once, however many wait for it.

    Parameters
    ----------
    is_believed
        Whether an answer may stand, for a while, for a store that says that it is away.
    """

    def __init__(
        self, limiter: CapacityLimiter, is_believed: Callable[[T], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limiter, self._is_believed, self._clock = limiter, is_believed, clock
        self._kept: dict[str, _Kept[T]] = {}
        self._asking: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str, ask: Callable[[], T]) -> T:
        """What was answered within `FRESH_S`; else what `ask` says now, in a thread.

        Raises
        ------
        StoreUnavailable
            The store says that it is away, and nothing that is believed was known within `BELIEVED_S`.
        """
        all_kept = self._kept
        kept, now = all_kept.get(key), self._clock()
        if kept is not None and now < kept.fresh_until:
            return kept.value
        believed = kept if kept is not None and self._may_stand(kept, now) else None
        if believed is not None and now < believed.quiet_until:
            return believed.value
        task = self._asking.get(key) or self._begin(key, ask)
        is_away = believed is not None and now - believed.away_at <= AWAY_S
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S if is_away else None)
        if believed is None:
            return task.result()
        if not done:  # nor do those who come next wait for it
            all_kept[key] = replace(believed, quiet_until=self._clock() + FRESH_S)
            return believed.value
        try:
            return task.result()
        except StoreUnavailable:
            return believed.value

    def put(self, key: str, value: T) -> None:
        """Set right what is kept of a key, if anything is."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept[key] = replace(kept, value=value)

    def forget(self) -> None:
        """Believe nothing of before; an answer on its way is kept no more. For any thread."""
        self._kept, self._asking = {}, {}

    def _may_stand(self, kept: _Kept[T], now: float) -> bool:
        return now - kept.at <= BELIEVED_S and self._is_believed(kept.value)

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
        at = self._clock()
        try:
            value = await to_thread.run_sync(ask, limiter=self._limiter)
        except StoreUnavailable:
            if (before := kept.get(key)) is not None:
                now = self._clock()
                kept[key] = replace(before, away_at=now, quiet_until=now + FRESH_S)
            raise
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
        limiter = CapacityLimiter(AT_ONCE)
        self._known: Memory[Known | None] = Memory(limiter, lambda _: True, clock)
        # That there was no account opens the door to anybody: it may be over since.
        self._any: Memory[bool] = Memory(limiter, lambda there_is: there_is, clock)

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
