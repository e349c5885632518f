"""`tepat backup`, `tepat restore`, `tepat retain`: what is kept, and for how long."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.access.who import Who
    from serving.archive import Manifest, Told
    from serving.retention import Due
    from serving.settings import Service
    from serving.transactions import Database

app = typer.Typer()
console = Console()
WAIT_MS = 30_000  # a command has time, where a request has not


@app.command(epilog="Example: tepat backup /mnt/usb/tepat-2026-11-28.zip")
def backup(
    file: Annotated[Path, typer.Argument(help="File that is not there yet; only you will be able to read it.")],
) -> None:
    """Write all that the service keeps into one file, as it is at this moment; the service may run meanwhile."""
    from serving import backup as work  # noqa: PLC0415 (a fast --help)

    with _database(make=False) as database, _bar("backing up, in rows") as told:
        made = work.backup(database, file, at=_now(), told=told)
    _say(f"{file}: {_told(made)}, SHA-256 {work.checksum(file)}.")


@app.command(epilog="Example: tepat restore /mnt/usb/tepat-2026-11-28.zip")
def restore(file: Annotated[Path, typer.Argument(help="File that `tepat backup` made.")]) -> None:
    """Fill the empty database of TEPAT_DATABASE from a backup of either kind of database; whole, or not at all."""
    from serving import restoring as work  # noqa: PLC0415 (a fast --help)

    with _database(make=True) as database, _bar("restoring, in rows") as told:
        made = work.restore(file, database, at=_now(), who=_me(), told=told)
    _say(f"{database.name}: {_told(made.manifest)}.")
    if made.fault is not None:
        _say(f"The trail was not whole when it was backed up, at line {made.fault.number:,}: {made.fault.found}")
        raise typer.Exit(1)


@app.command(epilog="Example: tepat retain, and when that is right: tepat retain --apply")
def retain(
    apply: Annotated[bool, typer.Option("--apply", help="Let it go; only shown without this.")] = False,  # noqa: FBT002 (a switch of the command line)
) -> None:
    """Show, or let go of, what is kept no longer: old lists nobody decided on, scores, sessions, jobs and uploads."""
    from serving import retention as work  # noqa: PLC0415 (a fast --help)

    of = _service()
    kept = {"lists_days": of.keep_lists_days, "scores_days": of.keep_scores_days, "jobs_days": of.keep_jobs_days}
    limits = work.Limits.of(_now(), **kept)
    with _database(make=False) as database:
        if apply:
            found = work.retain(database, limits, who=_me(), folder=of.folder)
        else:
            found = work.due(database, limits, folder=of.folder)
    console.print(_drawn(found, "Gone" if apply else "Would go with --apply"))


def _service() -> Service:
    from serving.settings import load  # noqa: PLC0415 (a fast --help)

    return load(os.environ)


@contextmanager
def _database(*, make: bool) -> Iterator[Database]:
    """The database with the tables that it has: a backup is taken before an upgrade, too."""
    from serving.database import connect  # noqa: PLC0415 (a fast --help)

    database = connect(_service().database.get_secret_value(), wait_ms=WAIT_MS, make=make)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _bar(description: str) -> Iterator[Told]:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _told(made: Manifest) -> str:
    trail = "" if made.trail is None else f", the trail up to line {made.trail.number:,} ({made.trail.hash})"
    return f"{made.rows:,} rows of {len(made.tables)} tables at revision {made.revision}{trail}"


def _drawn(found: Due, title: str) -> Table:
    drawn = Table("what", "how many", "households", title=title)
    for one in found.lists:
        drawn.add_row(f"list {one.id} of {one.created_at:%Y-%m-%d}", "1", f"{one.row_count:,}")
    for run in found.runs:
        drawn.add_row(f"scores of {run.seen_at:%Y-%m-%d} by {run.model_stamp}", "1", f"{run.kept:,}")
    for name, count in (
        ("sessions", found.sessions), ("sign-ins half done", found.sign_ins), ("tokens", found.tokens),
        ("jobs", found.jobs), ("registers handed over, not used", found.hand_overs),
    ):  # fmt: skip
        drawn.add_row(name, f"{count:,}", "")
    return drawn


def _me() -> Who:
    from serving.access.who import at_command  # noqa: PLC0415 (a fast --help)

    return at_command(getpass.getuser())


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
