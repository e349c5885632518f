"""`tepat audit`: whether the trail is whole, and who saw or changed what."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from serving.trail.chain import Head
    from serving.trail.reading import Filter, Told
    from serving.trail.verify import Verdict

app = typer.Typer(help="Who saw or changed what, and whether that trail is whole.", no_args_is_help=True)
console = Console()
WAIT_MS = 5_000
Top = Annotated[int, typer.Option(help="Lines to print.", min=1, max=10_000)]


@app.command(epilog="Example: tepat audit verify --anchor 1200:9f86d081884c7d65...")
def verify(
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="NUMBER:HASH of a line as `tepat audit head` or the service's log gave it; again for more."),
    ] = None,
) -> None:
    """Walk the whole trail; exit 1 with the first place at fault. Changes nothing, and needs no right to write."""
    anchors = [_anchor(one) for one in anchor or ()]
    with _read_only() as connection:
        verdict = _walked(connection, anchors)
    if verdict.fault is not None:
        _say(f"Fault at line {verdict.fault.number:,}: {verdict.fault.kind}. {_sentence(verdict.fault.found)}")
        if 0 < verdict.last.number < verdict.fault.number:
            _say(f"Up to line {verdict.last.number:,} it holds, with hash {verdict.last.hash}")
        raise typer.Exit(1)
    _say(f"Whole: {verdict.last.number:,} lines, hash {verdict.last.hash}")
    _say(f"Anchors that hold: {len(anchors)}" if anchors else "Without an anchor a trail made anew looks whole, too.")


@app.command(epilog="Example: tepat audit head >> /media/usb/tepat-anchors.txt")
def head() -> None:
    """Print number and hash of the last line, to be noted elsewhere as an anchor."""
    from serving.trail.writer import head_of  # noqa: PLC0415 (a fast --help)

    with _read_only() as connection:
        found = head_of(connection)
    print(f"{found.number}:{found.hash}")


@app.command(epilog="Example: tepat audit who 2014-1")
def who(household: Annotated[str, typer.Argument(help="Identifier of a household.")], top: Top = 50) -> None:
    """Print who saw or changed a household, newest first; this look is noted, too."""
    from serving.trail.reading import Filter  # noqa: PLC0415 (a fast --help)

    _draw(_looked(Filter(household_id=household), top, households=(household,)), title="Who saw or changed it")


@app.command(epilog="Example: tepat audit show --by siti.planner --act household.see --since 2027-01-01")
def show(
    by: Annotated[str | None, typer.Option(help="Name of an account.")] = None,
    act: Annotated[str | None, typer.Option(help="What was done, such as list.see.")] = None,
    list_id: Annotated[str | None, typer.Option("--list", help="Identifier of a list.")] = None,
    since: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on, in UTC.")] = None,
    top: Top = 20,
) -> None:
    """Print lines of the trail, newest first; this look is noted, too."""
    from serving.trail.reading import Filter  # noqa: PLC0415 (a fast --help)

    day = None if since is None else since.replace(tzinfo=dt.UTC)
    _draw(_looked(Filter(who=by, act=act, list_id=list_id, since=day), top), title="The trail")


def _anchor(given: str) -> Head:
    from serving.trail.chain import Head  # noqa: PLC0415 (a fast --help)

    number, _, its_hash = given.partition(":")
    is_hash = len(its_hash) == len("9f86d081884c7d65") * 4 and set(its_hash) <= set("0123456789abcdef")
    if not (number.isascii() and number.isdigit() and int(number) > 0 and is_hash):
        raise InputRefused(
            f"the anchor {given[:80]}", "NUMBER:HASH, such as 1200: and 64 of 0-9a-f", "Copy it as it was printed."
        )
    return Head(int(number), its_hash)


@contextmanager
def _read_only() -> Iterator[sa.Connection]:
    from serving.settings import load  # noqa: PLC0415 (a fast --help)
    from serving.trail.opening import read_only  # noqa: PLC0415 (a fast --help)

    with read_only(load(os.environ).database.get_secret_value(), wait_ms=WAIT_MS) as connection:
        yield connection


def _walked(connection: sa.Connection, anchors: list[Head]) -> Verdict:
    from serving.trail.verify import verify as walk  # noqa: PLC0415 (a fast --help)

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verifying, by line", total=None)
        return walk(connection, anchors=anchors, seen=lambda done, of: bar.update(task, completed=done, total=of))


def _looked(asked: Filter, top: int, *, households: tuple[str, ...] = ()) -> list[Told]:
    from serving.access.roles import Act  # noqa: PLC0415 (a fast --help)
    from serving.settings import load  # noqa: PLC0415 (a fast --help)
    from serving.store import open_store  # noqa: PLC0415 (a fast --help)
    from serving.trail.entry import Entry  # noqa: PLC0415 (a fast --help)
    from serving.trail.reading import lines  # noqa: PLC0415 (a fast --help)
    from serving.trail.writer import append  # noqa: PLC0415 (a fast --help)

    look = Entry(
        at=dt.datetime.now(tz=dt.UTC), who=f"command:{_user()}", via="command", act=Act.SEE_TRAIL.value,
        request_id="command", list_id=asked.list_id, households=households,
    )  # fmt: skip
    with closing(open_store(load(os.environ).database.get_secret_value())) as store:
        with store.database.writing() as connection:
            found = lines(connection, asked, limit=top)
            append(connection, [look])
        return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user of the machine that has no name
        return str(os.getuid())


def _draw(found: list[Told], *, title: str) -> None:
    drawn = Table("line", "when (UTC)", "who", "act", "outcome", "list", "households", "why", title=title)
    for line in found:
        when = line.at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        said = (when, line.who, line.act, line.outcome, line.list_id or "")
        drawn.add_row(f"{line.number}", *map(_plain, said), f"{len(line.households):,}", _plain(line.why or ""))
    console.print(drawn if found else "No line.")


def _plain(words: str) -> str:
    """Words of others, without what a terminal would take for colours or an order."""
    return "".join(one if one.isprintable() else "?" for one in words).replace("[", r"\[")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
