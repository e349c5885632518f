"""Whose turn it is: which server works on which job, and how far it is; every step is one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from features.errors import Refused
from serving.jobs.kept import COLUMNS, OVER, Job
from serving.tables_access import job
from serving.trail.writer import append

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.database import Database
    from serving.trail.entry import Entry

STALE = dt.timedelta(minutes=3)
"""A server that said nothing for so long works no more."""


class Lost(Refused):
    """The job was cancelled, deleted or taken over."""


@dataclass(frozen=True)
class Claims:
    """Jobs as one server works on them; every method may raise `StoreRefused`.

    Parameters
    ----------
    place
        The host and the folder of the jobs, of which one server at a time is in charge.
    me
        `place` and this run of the server.
    """

    database: Database
    place: str
    me: str

    def take(self, *, here: Callable[[str], bool], now: dt.datetime) -> Job | None:
        """The next job, claimed: one that this place left half done, one that another did, or the longest waiting.

        Parameters
        ----------
        here
            Whether the files of a job are in this folder.
        """
        with self.database.writing() as connection:
            for row in connection.execute(self._takeable(now)).mappings().all():
                found = Job(**row)
                if here(found.id) and self._claim(connection, found, now):
                    return Job(**found.__dict__ | {"state": "running", "claimed_by": self.me, "beat_at": now})
        return None

    def _takeable(self, now: dt.datetime) -> sa.Select:
        ours = job.c.claimed_by.startswith(f"{self.place}#", autoescape=True)
        # One that is still to come is of a clock that was set back since.
        silent = sa.or_(job.c.beat_at < now - STALE, job.c.beat_at > now + STALE, job.c.beat_at.is_(None))
        left = sa.and_(job.c.state == "running", sa.or_(ours, silent))
        asked = sa.select(*COLUMNS).where(sa.or_(job.c.state == "waiting", left))
        return asked.order_by(job.c.state, job.c.started_at, job.c.id)  # `running` before `waiting`

    def _claim(self, connection: sa.Connection, found: Job, now: dt.datetime) -> bool:
        before = job.c.claimed_by.is_(None) if found.claimed_by is None else job.c.claimed_by == found.claimed_by
        still = sa.and_(job.c.id == found.id, job.c.state == found.state, before)
        values = {"state": "running", "claimed_by": self.me, "beat_at": now}
        return connection.execute(sa.update(job).where(still).values(**values)).rowcount == 1

    def tell(self, job_id: str, *, now: dt.datetime, entries: Sequence[Entry] = (), **values: Any) -> None:
        """Keep how far the job is, and the lines of the trail that belong to it; both or neither.

        Raises
        ------
        Lost
        """
        mine = sa.and_(job.c.id == job_id, job.c.state == "running", job.c.claimed_by == self.me)
        with self.database.writing() as connection:
            done = connection.execute(sa.update(job).where(mine).values(beat_at=now, **values))
            if done.rowcount != 1:
                raise Lost("The job was cancelled, deleted or taken over.")
            if entries:
                append(connection, entries)

    def by_state(self) -> dict[str, int]:
        """How many jobs there are of each state that there is one of."""
        counted = sa.select(job.c.state, sa.func.count().label("jobs")).group_by(job.c.state)
        with self.database.reading() as connection:
            return {row.state: row.jobs for row in connection.execute(counted)}


def older(connection: sa.Connection, before: dt.datetime) -> list[Job]:
    """Jobs that ended before a moment, and open ones that were made before it."""
    old = sa.or_(
        sa.and_(job.c.state.in_(OVER), job.c.finished_at < before),
        sa.and_(job.c.state == "open", job.c.created_at < before),
    )
    rows = connection.execute(sa.select(*COLUMNS).where(old)).mappings()
    return [Job(**{field.name: row[field.name] for field in fields(Job)}) for row in rows]
