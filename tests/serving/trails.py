"""Lines for the trail, and processes that write it beside the tests."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.shelf import Shelf
from serving.store import open_store
from serving.trail.entry import Entry
from serving.trail.keeper import Trail
from serving.trail.opening import read_only
from serving.trail.verify import Verdict, verify
from serving.trail.writer import append
from serving.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serving.trail.chain import Head

NOON = dt.datetime(2026, 5, 6, 12, tzinfo=dt.UTC)


def look(request_id: str, *households: str, **more: Any) -> Entry:
    """Siti looks at households."""
    said = {"at": NOON, "who": "siti", "via": "session", "act": "household.see", **more}
    return Entry(request_id=request_id, households=households, **said)


def judged(url: str, *anchors: Head) -> Verdict:
    """What an auditor is told who can only read."""
    with read_only(url, wait_ms=5_000) as connection:
        return verify(connection, anchors=anchors)


@contextmanager
def keeping(url: str, folder: Path) -> Iterator[Trail]:
    """The trail of a service."""
    shelf = Shelf(url)
    trail = Trail(shelf, folder, Watch())
    trail.start()
    try:
        yield trail
    finally:
        trail.stop()
        shelf.close()


def append_each(url: str, names: Sequence[str]) -> None:
    """Append a line for every name, each in a transaction of its own."""
    with closing(open_store(url)) as store:
        for name in names:
            with store.database.writing() as connection:
                append(connection, [look(name, "house-1")])


def note_forever(url: str, folder: str) -> None:
    """Note lines of eight requests at a time, and print each once it is confirmed."""

    async def client(trail: Trail, name: str) -> None:
        number = 0
        while True:
            await trail.noted(look(f"{name}-{number}", f"house-{number}"))
            print(f"{name}-{number}", flush=True)
            number += 1

    async def clients() -> None:
        with keeping(url, Path(folder)) as trail:
            await asyncio.gather(*(client(trail, f"client-{place}") for place in range(8)))

    asyncio.run(clients())
