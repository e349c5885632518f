"""Households of concurrent requests, scored together: many cost little more than one."""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.errors import Busy, NoModel
from targeting.answer import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.request import Household
    from serving.champion import Champion, InUse
    from serving.watch import Watch
    from targeting.answer import Answer

Made = tuple["InUse", list["Answer"]]


@dataclass(frozen=True, eq=False)
class _Job:
    households: Sequence[Household]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Made]

    def finish(self, made: Made | Exception) -> None:
        self.loop.call_soon_threadsafe(self._tell, made)

    def _tell(self, made: Made | Exception) -> None:
        if self.done.cancelled():
            return
        if isinstance(made, Exception):
            self.done.set_exception(made)
        else:
            self.done.set_result(made)


class Batcher:
    """One thread that owns the engine and the booster; requests wait in line for it.

    Parameters
    ----------
    most
        Households scored at once. [households]
    line
        Households that may wait. [households]
    """

    def __init__(self, champion: Champion, watch: Watch, *, most: int, line: int) -> None:
        self._champion, self._watch, self._most, self._line = champion, watch, most, line
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting, self._lock = 0, threading.Lock()
        self._last: InUse | None = None
        self._thread = threading.Thread(target=self._work, name="scoring", daemon=True)

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def stop(self) -> None:
        """Score what waits, and end."""
        self._jobs.put(None)
        self._thread.join(timeout=60)

    async def score(self, households: Sequence[Household]) -> Made:
        """An answer a household, all by one model.

        Raises
        ------
        Busy, NoModel
        """
        self._enter(len(households))
        try:
            while True:
                # In parts, so that a large request lets small ones in between.
                parts = [households[n : n + self._most] for n in range(0, len(households), self._most)]
                made = [await self._part(part) for part in parts]
                if len({id(in_use) for in_use, _ in made}) == 1:
                    return made[0][0], [one for _, answers in made for one in answers]
        finally:
            self._enter(-len(households))

    def _enter(self, households: int) -> None:
        with self._lock:
            if households > 0 and self._waiting + households > self._line:
                raise Busy(f"{self._waiting:,} households wait; at most {self._line:,} may.")
            self._waiting += households
            self._watch.waiting.set(self._waiting)

    async def _part(self, households: Sequence[Household]) -> Made:
        loop = asyncio.get_running_loop()
        job = _Job(households, loop, loop.create_future())
        self._jobs.put(job)
        return await job.done

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs, last = self._together(first)
            self._answer(jobs)
            if last:
                return

    def _together(self, first: _Job) -> tuple[list[_Job], bool]:
        """The jobs that wait, up to `most` households, and whether the end was among them."""
        jobs, count = [first], len(first.households)
        while count < self._most:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
            count += len(job.households)
        return jobs, False

    def _answer(self, jobs: list[_Job]) -> None:
        in_use = self._champion.current
        if self._last is not None and self._last is not in_use:
            self._last.features.close()  # here, since no other thread runs it
        self._last = in_use
        if in_use is None:
            for job in jobs:
                job.finish(NoModel(self._champion.stale_because or "None was loaded yet."))
            return
        try:
            households = [home for job in jobs for home in job.households]
            answers = iter(answer(in_use.model, in_use.features, households, limits=in_use.limits))
        except Exception as fault:  # noqa: BLE001 (whatever one request brings, the others are answered)
            self._apart(jobs, fault)
        else:
            self._watch.scored.inc(len(households))
            self._watch.batch.observe(len(households))
            for job in jobs:
                job.finish((in_use, [next(answers) for _ in job.households]))

    def _apart(self, jobs: list[_Job], fault: Exception) -> None:
        if len(jobs) == 1:
            jobs[0].finish(fault)
            return
        for job in jobs:
            self._answer([job])
