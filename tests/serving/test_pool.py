"""Whom the pool asks, in which order, and what it does about scorers that die; their end of the line is drawn here."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

import pandas as pd
import pytest

from features.request import Household
from serving.errors import Busy, NoModel, NotScored, Unexpected
from serving.scorers.copies import InUse
from serving.scorers.crew import Crew, Scorer
from serving.scorers.pool import Pool
from serving.scorers.wire import Fault, Part, receive, send
from serving.watch import Watch
from training.registry import Registered

POISON = "poison"
Answer = Callable[[Sequence[Part]], Any]


def homes(*ids: str) -> list[Household]:
    return [Household(one, {"child": [{"recorded_on": pd.Timestamp(2025, 1, 1)}]}) for one in ids]


def names(parts: Sequence[Part]) -> list[list[bytes]]:
    """An answer that says who was asked about."""
    return [[home.household_id.encode() for home in part.households] for part in parts]


def dies_of_poison(parts: Sequence[Part]) -> Any:
    return None if [POISON.encode()] in names(parts) else names(parts)


def faults_at_poison(parts: Sequence[Part]) -> Any:
    return Fault("ValueError", "here") if [POISON.encode()] in names(parts) else names(parts)


def scorer(answer: Answer, seen: list[list[list[bytes]]]) -> Scorer:
    """The service's end of a line whose other end answers, and hangs up for good when the answer is None."""
    ours, theirs = socket.socketpair()

    def work() -> None:
        with theirs:
            try:
                while (told := answer(parts := receive(theirs))) is not None:
                    seen.append(names(parts))
                    send(theirs, told)
            except (EOFError, OSError):
                return

    threading.Thread(target=work, daemon=True).start()
    return Scorer(0, ours)


class Drawn:
    """A pool with scorers that are drawn; `crew` takes up another model."""

    def __init__(self, *answers: Answer, most: int = 4, line: int = 100) -> None:
        self.watch, self.seen, self.answers = Watch(), [], answers
        self.pool = Pool(self.watch, most=most, line=line)
        self._others: list[socket.socket] = []

    async def __aenter__(self) -> Self:
        self.pool.start(lambda: None)
        if self.answers:
            await self.crew("1", *self.answers)
        return self

    async def __aexit__(self, *_: object) -> None:
        for other in self._others:
            other.close()
        await self.pool.stop()

    async def crew(self, version: str, *answers: Answer) -> None:
        await asyncio.to_thread(self.pool.take_up, *self.made(version, *answers))

    def made(self, version: str, *answers: Answer) -> tuple[InUse, Crew]:
        ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._others.append(other)
        ours.setblocking(False)
        keeper = subprocess.Popen([sys.executable, "-c", ""])
        in_use = InUse(Registered("determinants", version, "run", "0" * 64), 0.2, simulated=True, places={})
        return in_use, Crew(keeper, ours, tuple(scorer(one, self.seen) for one in answers))


def by(version: str) -> Answer:
    """An answer that says which model made it."""
    return lambda parts: [[version.encode() for _ in part.households] for part in parts]


def test_an_answer_has_the_name_of_its_model_though_another_is_taken_up_before_its_scorer_is_asked(monkeypatch):
    async def at_once(*_: Any) -> None:
        return

    async def told() -> Any:
        async with Drawn(by("1")) as drawn:
            second, crew = drawn.made("2", by("2"))
            for one in crew.first:
                await one.open(drawn.pool._ended)
            monkeypatch.setattr(Scorer, "open", at_once)
            asked = asyncio.create_task(drawn.pool.score(homes("a")))
            await asyncio.sleep(0)  # a scorer is chosen, and not asked yet
            await drawn.pool._take_up(second, crew)
            made = [await asked, await drawn.pool.score(homes("b"))]
            return [(one.in_use.where.version, one.households) for one in made]

    assert [("1", [b"1"]), ("2", [b"2"])] == asyncio.run(told())


def test_a_household_over_which_two_scorers_die_is_refused_and_the_others_of_its_batch_are_answered():
    async def told() -> list[Any]:
        async with Drawn(*[dies_of_poison] * 4) as drawn:
            asked = [drawn.pool.score(homes(one)) for one in ("a", POISON, "b")]
            return await asyncio.gather(*asked, return_exceptions=True)

    first, refused, last = asyncio.run(told())

    assert ([b"a"], [b"b"]) == (first.households, last.households)
    assert isinstance(refused, NotScored)
    assert refused.retry_after_s


def test_a_fault_of_one_request_is_its_own():
    async def told() -> list[Any]:
        async with Drawn(faults_at_poison) as drawn:
            asked = [drawn.pool.score(homes(one)) for one in ("a", "b", POISON, "c")]
            return await asyncio.gather(*asked, return_exceptions=True)

    *_, refused, last = asyncio.run(told())

    assert isinstance(refused, Unexpected)
    assert [b"c"] == last.households


def test_requests_that_wait_are_scored_together_up_to_the_most():
    async def seen() -> list[int]:
        async with Drawn(names, most=4) as drawn:
            await asyncio.gather(*[drawn.pool.score(homes(f"{n}")) for n in range(9)])
            return [len(parts) for parts in drawn.seen]

    # The first finds a free scorer; the others wait for it.
    assert [1, 4, 4] == asyncio.run(seen())


def test_a_job_in_the_background_waits_for_every_request():
    async def seen() -> list[bytes]:
        async with Drawn(names, most=1) as drawn:
            jobs = [drawn.pool.score(homes(f"job {n}"), background=True) for n in range(2)]
            asked = [drawn.pool.score(homes(f"{n}")) for n in range(3)]
            await asyncio.gather(*jobs, *asked)
            return [parts[0][0] for parts in drawn.seen]

    assert [b"job 0", b"0", b"1", b"2", b"job 1"] == asyncio.run(seen())


def test_jobs_in_the_background_leave_a_scorer_to_requests():
    held = threading.Event()

    def slow(parts: Sequence[Part]) -> Any:
        if parts[0].households[0].household_id.startswith("job"):
            held.wait(60)
        return names(parts)

    async def told() -> Sequence[bytes]:
        async with Drawn(slow, slow) as drawn:
            jobs = [asyncio.create_task(drawn.pool.score(homes(f"job {n}"), background=True)) for n in range(3)]
            await asyncio.sleep(0)
            found = await drawn.pool.score(homes("a"))
            held.set()
            await asyncio.gather(*jobs)
            return found.households

    assert [b"a"] == asyncio.run(told())


def test_an_answer_in_parts_is_made_by_one_model():
    first, exchanged = threading.Event(), threading.Event()

    def tells(parts: Sequence[Part]) -> Any:
        if first.is_set():
            exchanged.wait(60)  # its second part is never done before the other model is there
        first.set()
        return names(parts)

    async def told() -> tuple[str, Sequence[bytes]]:
        async with Drawn(tells, most=1) as drawn:
            asked = asyncio.create_task(drawn.pool.score(homes("a", "b", "c")))
            await asyncio.to_thread(first.wait)
            await drawn.crew("2", lambda parts: [[b"2 " + one for one in part] for part in names(parts)])
            exchanged.set()
            found = await asked
            return found.in_use.where.version, found.households

    assert ("2", [b"2 a", b"2 b", b"2 c"]) == asyncio.run(told())


def test_more_than_may_wait_are_sent_away_and_without_a_model_all_are():
    async def told() -> None:
        async with Drawn(line=3) as drawn:
            with pytest.raises(Busy, match="at most 3 may"):
                await drawn.pool.score(homes("a", "b", "c", "d"))
            with pytest.raises(NoModel):
                await drawn.pool.score(homes("a"))

    asyncio.run(told())
