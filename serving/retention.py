"""What is kept no longer: old lists on which nobody decided, scores of old runs, who was signed in, jobs, uploads.

Decisions, visits, corrections, the trail, the newest scores, and every list that a decision or a visit stands on are
kept for good.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import sqlalchemy as sa

from serving.access.roles import Act
from serving.handing_told import forget, is_forgotten
from serving.jobs.claims import older
from serving.jobs.keeping import drop_old
from serving.score_store import PARTS as OF_RUN
from serving.score_store import is_whole
from serving.tables import assignment, decision, visit, worklist, worklist_left_out, worklist_line, worklist_urgent
from serving.tables_access import credential, session, sign_in
from serving.tables_scores import score_run
from serving.trail.entry import Entry
from serving.trail.writer import append

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from serving.access.who import Who
    from serving.transactions import Database

PARTS = (worklist_line, worklist_left_out, worklist_urgent, assignment)
HALF_DAYS = 1
"""Age at which a run that is not whole goes: a service that is at it takes minutes, or begins it anew."""


@dataclass(frozen=True, kw_only=True)
class Old:
    """A list that goes: its identifier, name and moment, and how many households stand on it."""

    id: str
    name: str
    created_at: dt.datetime
    row_count: int


@dataclass(frozen=True, kw_only=True)
class OldRun:
    """A run whose scores go, and of how many households they are."""

    number: int
    stamp: str
    model_stamp: str
    seen_at: dt.datetime
    kept: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is kept no longer.

    Parameters
    ----------
    lists
        Older than they are kept, with no decision or visit on them.
    runs
        Seen longer ago than scores are kept, but for the newest; and those that never became whole.
    sessions, sign_ins, tokens
        How many are over.
    jobs
        How many ended, or were left open, longer ago than they are kept.
    hand_overs
        Registers that were checked as long ago, and neither used nor thrown away: one, or none.
    """

    lists: tuple[Old, ...]
    runs: tuple[OldRun, ...]
    sessions: int
    sign_ins: int
    tokens: int
    jobs: int
    hand_overs: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From when on things are kept: lists, scores and jobs that are older, and what was over by `now`, go."""

    lists_from: dt.datetime
    scores_from: dt.datetime
    jobs_from: dt.datetime
    now: dt.datetime

    @classmethod
    def of(cls, now: dt.datetime, *, lists_days: int, scores_days: int, jobs_days: int) -> Limits:
        """So many days before a moment. [days]"""
        lists, scores, jobs = (now - dt.timedelta(days=days) for days in (lists_days, scores_days, jobs_days))
        return cls(lists_from=lists, scores_from=scores, jobs_from=jobs, now=now)


def due(database: Database, limits: Limits, *, folder: Path) -> Due:
    """What would go; `folder` is the service's.

    Raises
    ------
    StoreRefused
        The database cannot be read.
    """
    columns = [worklist.c[name] for name in ("id", "name", "created_at", "row_count")]
    asked = sa.select(*columns).where(_is_old(limits)).order_by(worklist.c.created_at, worklist.c.id)
    with database.reading() as connection:
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table).where(over)) or 0
            for name, (table, over) in _over(limits).items()
        }
        lists = tuple(Old(**row) for row in connection.execute(asked).mappings())
        runs, jobs = _old_runs(connection, limits), len(older(connection, limits.jobs_from))
    hand_overs = int(is_forgotten(folder, before=limits.jobs_from))
    return Due(lists=lists, runs=runs, jobs=jobs, hand_overs=hand_overs, **counts)


def retain(database: Database, limits: Limits, *, who: Who, folder: Path) -> Due:
    """Let go of what is due, and say what that was: each list and run in a transaction with its line of the trail.

    Parameters
    ----------
    folder
        The service's, in which the files of jobs and hand-overs lie.

    Raises
    ------
    StoreRefused
        The database cannot be written; what went before is gone, and the rest goes the next time.
    """
    found = due(database, limits, folder=folder)
    lists = tuple(one for one in found.lists if _dropped(database, one, limits, who=who))
    runs = tuple(one for one in found.runs if _dropped_run(database, one, limits, who=who))
    counts = _drop_over(database, limits, who=who)
    jobs = drop_old(database, folder, before=limits.jobs_from)
    if jobs:
        with database.writing() as connection:
            append(connection, [_entry(who, limits, about={"jobs": jobs})])
    hand_overs = _forgotten(database, folder, limits, who=who)
    return Due(lists=lists, runs=runs, jobs=jobs, hand_overs=hand_overs, **counts)


def _is_old(limits: Limits) -> sa.ColumnElement[bool]:
    decided, visited = (sa.exists().where(table.c.worklist_id == worklist.c.id) for table in (decision, visit))
    return sa.and_(worklist.c.created_at < limits.lists_from, ~decided, ~visited)


def _old_runs(connection: sa.Connection, limits: Limits) -> tuple[OldRun, ...]:
    asked = sa.select(*(score_run.c[field.name] for field in fields(OldRun))).where(_is_old_run(limits))
    return tuple(OldRun(**row) for row in connection.execute(asked.order_by(score_run.c.number)).mappings())


def _is_old_run(limits: Limits) -> sa.ColumnElement[bool]:
    newest = sa.select(sa.func.max(score_run.c.number)).where(is_whole()).scalar_subquery()
    old = sa.and_(is_whole(), score_run.c.seen_at < limits.scores_from, score_run.c.number < newest)
    half = sa.and_(~is_whole(), score_run.c.seen_at < limits.now - dt.timedelta(days=HALF_DAYS))
    return sa.or_(old, half)


def _over(limits: Limits) -> dict[str, tuple[sa.Table, sa.ColumnElement[bool]]]:
    """What has an end, by its name in `Due`; a key that is over stays, since its owner sees it on the list of keys."""
    return {
        "sessions": (session, session.c.expires_at < limits.now),
        "sign_ins": (sign_in, sign_in.c.expires_at < limits.now),
        "tokens": (credential, sa.and_(credential.c.kind == "token", credential.c.expires_at < limits.now)),
    }


def _dropped(database: Database, old: Old, limits: Limits, *, who: Who) -> bool:
    """Whether the list went; not, when somebody decided on it meanwhile."""
    with database.writing(unhurried=True) as connection:
        still = sa.select(worklist.c.id).where(worklist.c.id == old.id, _is_old(limits))
        if connection.execute(still).one_or_none() is None:
            return False
        for table in PARTS:
            connection.execute(sa.delete(table).where(table.c.worklist_id == old.id))
        connection.execute(sa.delete(worklist).where(worklist.c.id == old.id))
        about = {"rows": old.row_count, "created_at": old.created_at.isoformat()}
        append(connection, [_entry(who, limits, list_id=old.id, about=about)])
    return True


def _dropped_run(database: Database, old: OldRun, limits: Limits, *, who: Who) -> bool:
    """Whether the run went; not, when another did it, or it became whole meanwhile."""
    with database.writing(unhurried=True) as connection:
        still = sa.select(score_run.c.number).where(score_run.c.stamp == old.stamp, _is_old_run(limits))
        number = connection.scalar(still)
        if number is None:
            return False
        for table in OF_RUN:
            connection.execute(sa.delete(table).where(table.c.run == number))
        connection.execute(sa.delete(score_run).where(score_run.c.number == number))
        about = {"scores": old.stamp, "households": old.kept, "seen_at": old.seen_at.isoformat()}
        append(connection, [_entry(who, limits, about=about)])
    return True


def _drop_over(database: Database, limits: Limits, *, who: Who) -> dict[str, int]:
    with database.writing() as connection:
        went = {
            name: connection.execute(sa.delete(table).where(over)).rowcount
            for name, (table, over) in _over(limits).items()
        }
        if any(went.values()):
            append(connection, [_entry(who, limits, about=went)])
    return went


def _forgotten(database: Database, folder: Path, limits: Limits, *, who: Who) -> int:
    if not forget(folder, before=limits.jobs_from, by=who.name, at=limits.now):
        return 0
    with database.writing() as connection:
        append(connection, [_entry(who, limits, about={"hand_overs": 1})])
    return 1


def _entry(who: Who, limits: Limits, *, about: Mapping[str, object], list_id: str | None = None) -> Entry:
    return Entry(
        at=limits.now, who=who.name, via=who.via, act=Act.RETAIN.value, why="retention", request_id=uuid.uuid4().hex,
        list_id=list_id, about=dict(about),
    )  # fmt: skip
