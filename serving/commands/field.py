"""`tepat field export`: what visits brought back, for the registers' side."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(help="What the field brought back.", no_args_is_help=True)
console = Console()
WAIT_MS = 30_000  # a command has time, where a request has not


@app.callback()
def group() -> None:
    """Keep `export` a command of its own, though it is the only one."""


@app.command(epilog="Example: tepat field export --out field-2026-11-28")
def export(out: Annotated[Path, typer.Option(help="Folder that is not there yet.")]) -> None:
    """Write measurements, services and contacts of all visits as register files, and the corrections beside them."""
    from serving.access.roles import Act  # noqa: PLC0415 (a fast --help)
    from serving.access.who import at_command  # noqa: PLC0415 (as above)
    from serving.database import open_database  # noqa: PLC0415 (as above)
    from serving.field_export import exported, write_folder  # noqa: PLC0415 (as above)
    from serving.field_store import FieldStore  # noqa: PLC0415 (as above)
    from serving.settings import load  # noqa: PLC0415 (as above)
    from serving.trail.entry import MOST_HOUSEHOLDS, Entry  # noqa: PLC0415 (as above)
    from serving.trail.writer import append  # noqa: PLC0415 (as above)

    service, who = load(os.environ), at_command(getpass.getuser())
    database = open_database(service.database.get_secret_value(), wait_ms=WAIT_MS)
    try:
        kept = FieldStore(database)
        visits, corrections = kept.all_visits(who=who), kept.all_corrections(who=who)
        made = exported(visits, corrections, zone=service.time_zone)
        counts = {name: len(table) for name, table in made.items()}
        homes = sorted({one.household_id for one in (*visits, *corrections)})
        line = Entry(
            at=dt.datetime.now(tz=dt.UTC), who=who.name, via=who.via, act=Act.EXPORT_FIELD.value,
            request_id=uuid.uuid4().hex, about=counts,
        )  # fmt: skip
        starts = range(0, len(homes) or 1, MOST_HOUSEHOLDS)
        lines = [replace(line, households=tuple(homes[start : start + MOST_HOUSEHOLDS])) for start in starts]
        # Noted before anything leaves.
        with database.writing() as connection:
            append(connection, lines)
        write_folder(made, out)
    finally:
        database.close()
    said = ", ".join(f"{name}.csv {count:,}" for name, count in counts.items())
    console.print(f"{out}: {said} rows.", markup=False, highlight=False, soft_wrap=True)
