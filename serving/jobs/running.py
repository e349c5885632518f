"""One job, from where it stands to its result; stopped at any moment, it goes on from the last whole part."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from features.folders import write_text
from features.ingest import EASTERNMOST
from serving.access.roles import Act
from serving.errors import Busy, NoModel, NotScored, Unexpected
from serving.jobs import assemble, child, prepare
from serving.jobs.asking import Told
from serving.jobs.child import ChildRefused
from serving.jobs.folder import is_full, put
from serving.jobs.rows import Batch, not_scored, read_batch, table_of
from serving.jobs.told import FULL, NOBODY, told
from serving.trail.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.request import Household
    from serving.jobs.asking import Asks
    from serving.jobs.claims import Claims
    from serving.jobs.folder import JobFolder
    from serving.jobs.kept import Job
    from serving.jobs.prepare import Account

PART = 500
"""Households whose result counts as done at once; of at most 1,000 a line of the trail tells."""
AT_ONCE = 100
"""Households asked about at once: a request waits for no more."""
WAIT_S = 1.0
LONGEST_WAIT_S = 30.0


class Stopped(Exception):
    """The service ends; the job goes on when it starts again."""


class OtherModel(Exception):
    """The model was changed in the midst: a result is by one model."""

    def __init__(self, stamp: str) -> None:
        super().__init__(stamp)
        self.stamp = stamp


@dataclass(frozen=True, kw_only=True)
class Run:
    """A job in work.

    Parameters
    ----------
    ending
        Set when the service ends.
    pace
        Households a second of this run, by job; for those who ask how long it will take.
    """

    job: Job
    folder: JobFolder
    claims: Claims
    asks: Asks
    ending: threading.Event
    pace: dict[str, float]

    def finish(self) -> None:
        """Bring the job to its end.

        Raises
        ------
        Stopped, Lost, ChildRefused, StoreRefused, OSError
        """
        account = self._prepared()
        if account.households == 0:
            raise ChildRefused(told(NOBODY))
        done, stamp = self.job.households_done, self.job.model_stamp
        while True:
            try:
                stamp = self._score(account, done=done, stamp=stamp)
                break
            except OtherModel as other:
                done, stamp = 0, other.stamp
                self._tell(households_done=0, model_stamp=stamp)
        result = self._assembled(account, stamp)
        self._tell(state="done", finished_at=dt.datetime.now(tz=dt.UTC), result=result, claimed_by=None)

    def _prepared(self) -> Account:
        account = prepare.account_of(self.folder)
        if account is None:
            today = dt.datetime.now(tz=EASTERNMOST).date().isoformat()
            asked = prepare.Order(
                files=self.job.files, as_of=self.job.options["as_of"], scope=self.job.scope, today=today
            )
            write_text(self.folder.path / prepare.ORDER, json.dumps(asdict(asked)))
            child.run(prepare.__name__, self.folder.path, look=self._look)
            account = prepare.account_of(self.folder)
            if account is None:
                raise ChildRefused(told(None))
        files = {name: said | account.registers.get(name, {}) for name, said in self.job.files.items()}
        self._tell(
            files=files, households=account.households, rows_read=account.rows_read, rows_refused=account.rows_refused
        )
        return account

    def _score(self, account: Account, *, done: int, stamp: str | None) -> str:
        """Score what is not done; the stamp of the model that made all of it comes back."""
        began, first = time.monotonic(), done
        for start in range(done, account.households, PART):
            batch = read_batch(
                self.folder.prepared / "facts",
                first=start,
                last=min(start + PART, account.households),
                as_of=self._as_of,
            )
            stamp, answers = self._answers(batch, stamp)
            self._keep(start // PART, batch, answers, stamp=stamp)
            done = start + len(batch.households)
            about = {"job": self.job.id, "model": stamp, "from": start, "to": done}
            self._tell(entries=[self._line(batch, about)], households_done=done, model_stamp=stamp)
            self.pace[self.job.id] = (done - first) / max(time.monotonic() - began, 1e-3)
        return stamp or ""

    def _answers(self, batch: Batch, stamp: str | None) -> tuple[str, list[dict[str, Any]]]:
        answers: list[dict[str, Any]] = []
        for at in range(0, len(batch.households), AT_ONCE):
            found = self._asked(batch.households[at : at + AT_ONCE])
            if stamp and found.stamp and found.stamp != stamp:
                raise OtherModel(found.stamp)
            stamp = found.stamp or stamp
            answers += found.households
        return stamp or "", answers

    def _asked(self, households: Sequence[Household]) -> Told:
        """The answers, however long there is no room or no model."""
        for wait in _waits():
            self._stop_if_ending()
            try:
                return self.asks(households, contributions=self.job.options["contributions"])
            except (Busy, NoModel):
                self._tell()
                self.ending.wait(wait)
            except (NotScored, Unexpected):
                return self._apart(households)
        raise Stopped

    def _apart(self, households: Sequence[Household]) -> Told:
        """One household on which the scorers fail does not take the others with it."""
        if len(households) == 1:
            return Told("", [not_scored(households[0])])
        half = len(households) // 2
        first, second = self._asked(households[:half]), self._asked(households[half:])
        if first.stamp and second.stamp and first.stamp != second.stamp:
            raise OtherModel(second.stamp)
        return Told(first.stamp or second.stamp, first.households + second.households)

    def _keep(self, number: int, batch: Batch, answers: list[dict[str, Any]], *, stamp: str) -> None:
        made = table_of(batch, answers, stamp=stamp, contributions=self.job.options["contributions"])
        whole = self.folder.part(number, stamp)
        half = whole.with_suffix(".half")
        pq.write_table(made, half, compression="zstd")
        put(half, whole)

    def _assembled(self, account: Account, stamp: str) -> dict[str, Any]:
        found = assemble.result_of(self.folder)
        if found is None or found["stamp"] != stamp:
            parts = -(-account.households // PART)
            contributions = self.job.options["contributions"]
            asked = assemble.Assembly(
                parts=parts, households=account.households, stamp=stamp, contributions=contributions
            )
            assemble.order(self.folder, asked)
            child.run(assemble.__name__, self.folder.path, look=self._look)
            found = assemble.result_of(self.folder)
        if found is None:
            raise ChildRefused(told(None))
        return found

    def _line(self, batch: Batch, about: dict[str, Any]) -> Entry:
        homes = tuple(home.household_id for home in batch.households)
        return Entry(
            at=dt.datetime.now(tz=dt.UTC), who=self.job.made_by, via="job", act=Act.RUN_JOB.value,
            request_id=self.job.id, about=about, households=homes,
        )  # fmt: skip

    def _tell(self, **values: Any) -> None:
        self.claims.tell(self.job.id, now=dt.datetime.now(tz=dt.UTC), **values)

    def _look(self) -> None:
        """That the job is still ours, the service goes on, and the disk has room for the store and the trail."""
        self._stop_if_ending()
        if is_full(self.folder.path):
            raise ChildRefused(told(FULL))
        self._tell()

    def _stop_if_ending(self) -> None:
        if self.ending.is_set():
            raise Stopped

    @property
    def _as_of(self) -> dt.datetime | None:
        said = self.job.options["as_of"]
        return None if said is None else dt.datetime.fromisoformat(said)


def _waits() -> Iterator[float]:
    wait = WAIT_S
    while True:
        yield wait
        wait = min(wait * 2, LONGEST_WAIT_S)
