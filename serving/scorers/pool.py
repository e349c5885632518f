"""Households of concurrent requests, scored together by processes: many cost little more than one."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from serving.errors import Busy, NoModel, NotScored, Unexpected
from serving.scorers.crew import Gone, ScorersRefused
from serving.scorers.line import DEATHS, MOST_IN_BACKGROUND, Batch, Line, Made
from serving.scorers.wire import READY, Fault, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from typing import Any

    from features.request import Household
    from serving.scorers.copies import InUse
    from serving.scorers.crew import Crew, Scorer
    from serving.scorers.wire import Answers
    from serving.watch import Watch

log = logging.getLogger("tepat")
WAIT_S: Final = 60.0
"""Longest that a part of a request waits for its answer; who asked has mostly gone by then. [s]"""


class Pool:
    """The scorers at work and the line before them; lives in one event loop.

    Parameters
    ----------
    most
        Households scored at once. [households]
    line
        Households of requests that may wait. [households]
    """

    def __init__(self, watch: Watch, *, most: int, line: int) -> None:
        self._watch, self._most, self._longest = watch, most, line
        self._line, self._waiting = Line(most), 0
        self._crew: Crew | None = None
        self._in_use: InUse | None = None
        self._alive: set[Scorer] = set()
        self._free: list[Scorer] = []
        self._in_background = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_lost: Callable[[], None] = lambda: None
        self.why_none = "None was loaded yet."
        """Said while there is no model."""

    def start(self, on_lost: Callable[[], None]) -> None:
        """Take the running loop for its own; `on_lost` is called when a keeper ended that was not let go."""
        self._loop, self._on_lost = asyncio.get_running_loop(), on_lost

    async def stop(self) -> None:
        """Answer what was begun, and let the scorers go."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for scorer in self._alive:
            scorer.close()
        if self._crew:
            await self._let_go(self._crew)

    @property
    def kept(self) -> bool:
        """Whether a keeper looks after the scorers."""
        return self._crew is not None

    async def score(
        self, households: Sequence[Household], *, contributions: bool = False, background: bool = False
    ) -> Made:
        """An answer a household, all by one model.

        Parameters
        ----------
        contributions
            Whether to give the contribution of every feature, too.
        background
            Nobody waits for it: it is scored when no request waits, and is never sent away.

        Raises
        ------
        Busy, NoModel, NotScored, Unexpected
        """
        most = min(self._most, MOST_IN_BACKGROUND) if background else self._most
        # In parts, so that a large request lets small ones in between.
        parts = [Part(households[n : n + most], contributions) for n in range(0, len(households), most)]
        with self._entered(0 if background else len(households)):
            while True:
                made = [await self._scored(part, background=background) for part in parts]
                if len({id(one.in_use) for one in made}) == 1:
                    return Made(made[0].in_use, [home for one in made for home in one.households])

    @contextmanager
    def _entered(self, households: int) -> Iterator[None]:
        if households and self._waiting + households > self._longest:
            raise Busy(f"{self._waiting:,} households wait; at most {self._longest:,} may.")
        self._wait(households)
        try:
            yield
        finally:
            self._wait(-households)

    def _wait(self, households: int) -> None:
        self._waiting += households
        self._watch.waiting.set(self._waiting)

    async def _scored(self, part: Part, *, background: bool) -> Made:
        if self._in_use is None:
            raise NoModel(self.why_none)
        answer = self._line.enter(part, background=background)
        self._deal()
        try:
            async with asyncio.timeout(None if background else WAIT_S):
                return await answer
        except TimeoutError as fault:
            raise Busy(f"No scorer was free for {WAIT_S:g} s.") from fault

    def _deal(self) -> None:
        """Give the free scorers what waits; of several, one at least stays for requests."""
        while self._free:
            some_left = self._in_background < max(1, len(self._alive) - 1)
            batch = self._line.next(background=some_left)
            if batch is None:
                return
            self._in_background += batch.in_background
            # By now: another model may be taken up before the task begins, and this scorer is not of that one.
            self._spawn(self._ask(self._free.pop(), batch, in_use=self._in_use))

    def _spawn(self, what: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, scorer: Scorer, batch: Batch, *, in_use: InUse | None) -> None:
        try:
            found = await scorer.ask([job.part for job in batch.jobs])
        except Gone:
            self._lost(batch)
        else:
            self._tell(batch, found, in_use)
            if scorer in self._alive:
                self._free.append(scorer)
            else:
                scorer.close()  # another model is in use by now
        finally:
            self._in_background -= batch.in_background
            self._deal()

    def _tell(self, batch: Batch, found: Answers | Fault, in_use: InUse | None) -> None:
        if isinstance(found, Fault):
            self._apart(batch, found)
            return
        self._watch.scored.inc(batch.size)
        self._watch.batch.observe(batch.size)
        for job, households in zip(batch.jobs, found, strict=True):
            if not job.done.done() and in_use is not None:
                job.done.set_result(Made(in_use, households))

    def _apart(self, batch: Batch, fault: Fault) -> None:
        """Whatever one request brings, the others are answered."""
        if len(batch.jobs) > 1:
            self._line.again(batch.alone(deaths=0))
            return
        log.error("fault in scoring", extra={"kind": fault.kind, "place": fault.place})
        self._refuse(batch, Unexpected("See the service's log."))

    def _lost(self, batch: Batch) -> None:
        """What a dead scorer had in hand is asked of another one, unless it seems to be what they die of."""
        deaths = batch.deaths + 1
        log.warning("scorer lost", extra={"households": batch.size, "deaths": deaths})
        if deaths < DEATHS:
            self._line.again([Batch(batch.jobs, batch.in_background, deaths)])
        elif len(batch.jobs) > 1:
            self._line.again(batch.alone(deaths=deaths - 1))
        else:
            self._refuse(batch, NotScored(f"{deaths} processes ended while they scored it."))

    def _refuse(self, batch: Batch, why: Exception) -> None:
        for job in batch.jobs:
            if not job.done.done():
                job.done.set_exception(why)

    def _ended(self, scorer: Scorer) -> None:
        self._alive.discard(scorer)
        if scorer in self._free:
            self._free.remove(scorer)
        self._watch.scorers.set(len(self._alive))

    def take_up(self, in_use: InUse, crew: Crew) -> None:
        """From any thread: new batches go to these scorers; the former ones finish what they have, and end."""
        asyncio.run_coroutine_threadsafe(self._take_up(in_use, crew), self._loop).result()

    async def _take_up(self, in_use: InUse, crew: Crew) -> None:
        for scorer in crew.first:
            await scorer.open(self._ended)
        before, idle = self._crew, self._free
        # Those at work are closed by `_ask`, when they are done.
        self._crew, self._in_use, self._alive, self._free = crew, in_use, set(crew.first), list(crew.first)
        for scorer in idle:
            scorer.close()
        self._watch.scorers.set(len(self._alive))
        self._loop.add_reader(crew.line, self._heard, crew)
        if before:
            self._spawn(self._let_go(before))
        self._deal()

    async def _let_go(self, crew: Crew) -> None:
        self._loop.remove_reader(crew.line)
        await asyncio.to_thread(crew.end)

    def _heard(self, crew: Crew) -> None:
        """The keeper tells of a new scorer, or is gone; its scorers then go on until others are there."""
        try:
            scorer = crew.joined()
        except BlockingIOError:
            return
        except (Gone, ScorersRefused):
            log.warning("keeper lost")
            if crew is self._crew:
                self._crew = None
                self._on_lost()
            self._loop.remove_reader(crew.line)
            self._spawn(self._let_go(crew))
        else:
            self._spawn(self._join(scorer, crew))

    async def _join(self, scorer: Scorer, crew: Crew) -> None:
        await scorer.open(self._ended)
        try:
            ready = await scorer.hear() == READY
        except Gone:
            ready = False
        if not ready or crew is not self._crew:
            scorer.close()
            return
        self._alive.add(scorer)
        self._free.append(scorer)
        self._watch.scorer_restarts.inc()
        self._watch.scorers.set(len(self._alive))
        self._deal()
