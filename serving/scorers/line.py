"""Who waits to be scored, and which of them are scored together."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from serving.scorers.wire import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.scorers.copies import InUse

MOST_IN_BACKGROUND: Final = 64
"""Of a job that nobody waits for, so that a request which comes meanwhile waits little. [households]"""
DEATHS: Final = 2
"""Scorers that may die over a batch; scoring changes nothing, so it can be done again."""


@dataclass(frozen=True, eq=False)
class Made:
    """Answers as JSON (`schemas.HouseholdOut`), one a household in their order, and the model that made them all."""

    in_use: InUse
    households: Sequence[bytes]


@dataclass(frozen=True, eq=False)
class Job:
    """A part of a request, or of a job in the background."""

    part: Part
    done: asyncio.Future[Made]

    @property
    def size(self) -> int:
        """[households]"""
        return len(self.part.households)


@dataclass(frozen=True, eq=False)
class Batch:
    """What a scorer is asked at once, and how many died over it."""

    jobs: Sequence[Job]
    in_background: bool
    deaths: int = 0

    @property
    def size(self) -> int:
        """[households]"""
        return sum(job.size for job in self.jobs)

    def alone(self, *, deaths: int) -> list[Batch]:
        """Each of its jobs as a batch."""
        return [Batch((job,), self.in_background, deaths) for job in self.jobs]


class Line:
    """First come, first served; who was in the hands of a scorer that died comes before all others.

    Parameters
    ----------
    most
        Households scored at once. [households]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._again: deque[Batch] = deque()
        self._waiting: deque[Job] = deque()
        self._in_background: deque[Job] = deque()

    def enter(self, part: Part, *, background: bool) -> asyncio.Future[Made]:
        """Stand in line; the future is the answer."""
        job = Job(part, asyncio.get_running_loop().create_future())
        (self._in_background if background else self._waiting).append(job)
        return job.done

    def again(self, batches: Sequence[Batch]) -> None:
        """Put them before all who wait."""
        self._again.extend(batches)

    def next(self, *, background: bool) -> Batch | None:
        """What to ask next; None when nobody waits who may be served.

        Parameters
        ----------
        background
            Whether a job in the background may be served if nobody else waits.
        """
        while self._again:
            batch = self._again.popleft()
            if not all(job.done.done() for job in batch.jobs):
                return batch
        jobs = self._together()
        if jobs:
            return Batch(jobs, in_background=False)
        while background and self._in_background:
            job = self._in_background.popleft()
            if not job.done.done():
                return Batch((job,), in_background=True)
        return None

    def _together(self) -> list[Job]:
        """Those who wait, up to `most` households; who went away meanwhile is left out."""
        jobs: list[Job] = []
        size = 0
        while self._waiting and (not jobs or size + self._waiting[0].size <= self._most):
            job = self._waiting.popleft()
            if not job.done.done():
                jobs.append(job)
                size += job.size
        return jobs
