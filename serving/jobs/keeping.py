"""Retention of jobs: what is old goes, files and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from serving.jobs.claims import older
from serving.jobs.folder import JobFolder
from serving.tables_access import job

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from serving.database import Database

FOLDER = "jobs"
"""Of the jobs, in the service's folder."""


def drop_old(database: Database, folder: Path, *, before: dt.datetime) -> int:
    """How many jobs were dropped: those that ended, or were left open since they were made, before a moment.

    Parameters
    ----------
    folder
        The service's; its jobs lie in `jobs`. Files of no job, left by a deletion that was cut short, go too.

    Raises
    ------
    StoreRefused
    """
    with database.reading() as connection:
        old = [one.id for one in older(connection, before)]
    for job_id in old:
        JobFolder(folder / FOLDER / job_id).drop()
    with database.writing() as connection:
        for job_id in old:
            connection.execute(sa.delete(job).where(job.c.id == job_id))
        known = set(connection.execute(sa.select(job.c.id)).scalars())
    for path in (folder / FOLDER).glob("*"):
        if path.is_dir() and path.name not in known and path.stat().st_mtime < before.timestamp():
            JobFolder(path).drop()
    return len(old)
