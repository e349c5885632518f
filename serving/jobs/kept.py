"""Jobs as their makers see them: made once, filled with files, started, read, cancelled and deleted."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from features.errors import Refused
from serving.access.scope import scope_of
from serving.tables_access import job
from serving.trail.writer import append

if TYPE_CHECKING:
    from serving.access.who import Who
    from serving.database import Database
    from serving.trail.entry import Entry

STATES = ("open", "waiting", "running", "done", "failed", "cancelled")
OVER = ("done", "failed", "cancelled")
MOST_UNFINISHED = 20
"""Jobs of one account that are not over; each may lay files of some hundred MiB down."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as kept.

    Parameters
    ----------
    scope
        As `Scope.as_json` tells it; None is everywhere.
    files
        By register: `bytes`, `sha256` and `format`; once they were read, `read`, `refused` and `notes`, too.
    households, rows_read, rows_refused
        None until the files were read.
    fault
        A problem document; None unless it failed.
    result
        `rows`, and by file `bytes` and `sha256`; None unless there is one.
    """

    id: str
    name: str
    made_by: str
    scope: dict[str, Any] | None
    state: str
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    files: dict[str, dict[str, Any]]
    options: dict[str, Any]
    households: int | None
    households_done: int
    rows_read: int | None
    rows_refused: int | None
    model_stamp: str | None
    fault: dict[str, Any] | None
    result: dict[str, Any] | None
    claimed_by: str | None
    beat_at: dt.datetime | None


COLUMNS = [job.c[field.name] for field in fields(Job)]


class NoJob(Refused):
    """Whoever asks has no such job."""


class JobKeyTaken(Refused):
    """The key of a request was used for another one."""


class WrongState(Refused):
    """The job is past, or not yet, where this can be done."""


@dataclass(frozen=True)
class Jobs:
    """Jobs of everybody, each seen by its maker alone; every method may raise `StoreRefused`."""

    database: Database

    def make(self, made: Job, *, key: str | None, digest: str, note: Entry) -> tuple[Job, bool]:
        """The job as kept, and whether it was made now; asked again with the same key, the one that was made first.

        Raises
        ------
        JobKeyTaken
            The key stands for another job, or for one of regions that are not theirs any more.
        WrongState
            They have as many that are not over as an account may have.
        """
        with self.database.writing() as connection:
            if key is not None and (kept := _of_key(connection, key, digest, made=made)):
                return kept, False
            _check_room(connection, made.made_by)
            row = {column.name: getattr(made, column.name) for column in COLUMNS}
            try:
                connection.execute(sa.insert(job), row | {"request_key": key, "request_digest": digest})
            except IntegrityError as fault:
                raise JobKeyTaken("A request with this key is being answered; ask again.") from fault
            append(connection, [note])
        return made, True

    def seen(self, job_id: str, who: Who) -> Job:
        """The job, when they made it and may still look where it looked.

        Raises
        ------
        NoJob
        """
        with self.database.reading() as connection:
            return _seen(connection, job_id, who)

    def page(self, who: Who, *, limit: int, before: str | None = None) -> list[Job]:
        """At most `limit` jobs of theirs, newest first, made before the one whose id is `before`.

        Raises
        ------
        NoJob
            They have none of the id `before`.
        """
        newest = sa.select(*COLUMNS).where(job.c.made_by == who.name)
        newest = newest.order_by(job.c.created_at.desc(), job.c.id.desc())
        with self.database.reading() as connection:
            if before is not None:
                last = _seen(connection, before, who)
                same = sa.and_(job.c.created_at == last.created_at, job.c.id < last.id)
                newest = newest.where(sa.or_(job.c.created_at < last.created_at, same))
            rows = connection.execute(newest).mappings()
            found = (Job(**row) for row in rows)
            return [one for one, _ in zip((one for one in found if _in_sight(one, who)), range(limit), strict=False)]

    def keep_file(self, job_id: str, register: str, *, who: Who, said: dict[str, Any], tag: str | None) -> Job:
        """The job with this file for a register.

        Parameters
        ----------
        tag
            SHA-256 of the file that it replaces, where the asker names one; `*` is any.

        Raises
        ------
        NoJob, WrongState, FileChanged
        """
        with self.database.writing() as connection:
            found = _seen(connection, job_id, who, lock=True)
            need(found, "open", for_what="takes files until it is started")
            check_tag(found, register, tag)
            changed = found.files | {register: said}
            _update(connection, job_id, files=changed)
        return Job(**found.__dict__ | {"files": changed})

    def start(self, job_id: str, *, who: Who, at: dt.datetime, note: Entry) -> Job:
        """The job, waiting for its turn; one that was started before, as it is.

        Raises
        ------
        NoJob, WrongState
        """
        with self.database.writing() as connection:
            found = _seen(connection, job_id, who, lock=True)
            if found.state in {"waiting", "running", "done", "failed"}:
                return found
            need(found, "open", for_what="can be started")
            _update(connection, job_id, state="waiting", started_at=at)
            append(connection, [note])
        return Job(**found.__dict__ | {"state": "waiting", "started_at": at})

    def cancel(self, job_id: str, *, who: Who, at: dt.datetime, note: Entry) -> Job:
        """The job, cancelled.

        Raises
        ------
        NoJob, WrongState
        """
        with self.database.writing() as connection:
            found = _seen(connection, job_id, who, lock=True)
            if found.state == "cancelled":
                return found
            need(found, "open", "waiting", "running", for_what="can be cancelled")
            _update(connection, job_id, state="cancelled", finished_at=at, claimed_by=None)
            append(connection, [note])
        return Job(**found.__dict__ | {"state": "cancelled", "finished_at": at, "claimed_by": None})

    def delete(self, job_id: str, *, who: Who, note: Entry) -> None:
        """Take the job away.

        Raises
        ------
        NoJob, WrongState
        """
        with self.database.writing() as connection:
            found = _seen(connection, job_id, who, lock=True)
            need(found, "open", *OVER, for_what="can be deleted; cancel it first")
            connection.execute(sa.delete(job).where(job.c.id == job_id))
            append(connection, [note])


class FileChanged(Refused):
    """The file that is to be replaced is another one by now."""


def made_now(name: str, *, who: Who, at: dt.datetime, options: dict[str, Any]) -> Job:
    """A new job of theirs, open."""
    return Job(
        id=uuid.uuid4().hex, name=name, made_by=who.name, scope=who.scope.as_json(), state="open", created_at=at,
        started_at=None, finished_at=None, files={}, options=options, households=None, households_done=0,
        rows_read=None, rows_refused=None, model_stamp=None, fault=None, result=None, claimed_by=None, beat_at=None,
    )  # fmt: skip


def need(found: Job, *states: str, for_what: str) -> None:
    """Nothing, when the job is in one of the states; else `WrongState`."""
    if found.state not in states:
        raise WrongState(f"The job is {found.state}; one that is {' or '.join(states)} {for_what}.")


def check_tag(found: Job, register: str, tag: str | None) -> None:
    """Nothing, when no tag is given or it is that of the file; else `FileChanged`."""
    kept = found.files.get(register, {}).get("sha256")
    if tag is not None and kept != tag and not (tag == "*" and kept):
        raise FileChanged("The file is another one than the ETag in If-Match says, or there is none.")


def _seen(connection: sa.Connection, job_id: str, who: Who, *, lock: bool = False) -> Job:
    asked = sa.select(*COLUMNS).where(job.c.id == job_id, job.c.made_by == who.name)
    row = connection.execute(asked.with_for_update() if lock else asked).mappings().one_or_none()
    found = None if row is None else Job(**row)
    if found is None or not _in_sight(found, who):
        raise NoJob("You have no job of this identifier.")
    return found


def _in_sight(found: Job, who: Who) -> bool:
    """A maker whose regions were narrowed since sees no household of the wider ones."""
    return scope_of(found.scope).narrower_than(who.scope)


def _check_room(connection: sa.Connection, maker: str) -> None:
    asked = sa.select(sa.func.count()).where(job.c.made_by == maker, job.c.state.not_in(OVER))
    if connection.execute(asked).scalar_one() >= MOST_UNFINISHED:
        raise WrongState(
            f"You have {MOST_UNFINISHED} jobs that are not over, as many as an account may have. Start and await "
            "one, or cancel it."
        )


def _of_key(connection: sa.Connection, key: str, digest: str, *, made: Job) -> Job | None:
    row = connection.execute(sa.select(*COLUMNS, job.c.request_digest).where(job.c.request_key == key)).mappings()
    kept = row.one_or_none()
    if kept is None:
        return None
    if kept["request_digest"] != digest:
        raise JobKeyTaken("Another job was made under this key.")
    found = Job(**{field.name: kept[field.name] for field in fields(Job)})
    if not scope_of(found.scope).narrower_than(scope_of(made.scope)):  # their regions were narrowed since
        raise JobKeyTaken("Another job was made under this key.")
    return found


def _update(connection: sa.Connection, job_id: str, **values: Any) -> None:
    connection.execute(sa.update(job).where(job.c.id == job_id).values(**values))
