"""Kills the service at random moments while it publishes lists and keeps decisions, and counts what came of it.

`make chaos` runs it 50 times on each engine. What was confirmed must be there, whole, with its line in the trail; what
was not confirmed is whole or absent, and is the same one when it is asked for again by its key.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import uuid
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from rich.progress import track

from serving.store import open_store
from serving.tables import decision, worklist, worklist_line
from serving.tables_access import trail
from serving.trail.verify import verify
from tests.project import Project, kabupaten_in
from tests.serving.conftest import Server
from tests.serving.postgres import Postgres

LISTS, DECISIONS = "/v1/worklists", "/v1/decisions"
LONGEST_S = 2.0
"""A kill comes within so many seconds of the first request: in it dozens of writes begin and end."""


@dataclass
class Asked:
    """A request that makes something, and what was confirmed of it: an identifier, or None."""

    path: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    confirmed: str | None = None

    def send(self, client: httpx.Client) -> None:
        """Ask, and note what is confirmed; a service that dies confirms nothing."""
        answer = client.post(self.path, json=self.body, headers={"Idempotency-Key": self.key})
        if answer.status_code == httpx.codes.CREATED:
            self.confirmed = answer.json()["id"]
        elif answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            raise AssertionError(f"{answer.status_code}: {answer.text[:500]}")


@dataclass
class Outcome:
    """What the trial found.

    Parameters
    ----------
    faults
        One a line; none is what is hoped for.
    """

    kills: int = 0
    lists: int = 0
    decisions: int = 0
    unconfirmed: int = 0
    kept_unconfirmed: int = 0
    trail_lines: int = 0
    faults: list[str] = field(default_factory=list)

    def told(self, engine: str) -> str:
        """In one line."""
        return (
            f"{engine}: {self.kills} kills, {self.lists} lists and {self.decisions} decisions confirmed, "
            f"{self.unconfirmed} requests without an answer, {self.kept_unconfirmed} of them kept whole and "
            f"found again by their key, {self.trail_lines} lines of the trail, {len(self.faults)} faults"
        )


def trial(place: Project, url: str, *, kills: int, seed: int, first: int = 0) -> Outcome:
    """Kill it so often, each time once so many requests were confirmed and a while has gone by; then look after all."""
    chance, found, asked = random.Random(seed), Outcome(), list[Asked]()  # noqa: S311 (moments, no secrets)
    for _ in track(range(kills), description=f"killing on {url.partition(':')[0]}", disable=not sys.stderr.isatty()):
        _until_killed(place, url, asked, first=first, after=chance.uniform(0, LONGEST_S))
        found.kills += 1
    _ask_again(place, url, asked, found)
    _look(url, asked, found)
    return found


def _until_killed(place: Project, url: str, asked: list[Asked], *, first: int, after: float) -> None:
    before = len(asked)
    server = Server(place.folder, TEPAT_DATABASE=url)
    stop = threading.Event()
    try:
        base = Asked(LISTS, {"name": "Uji", "capacity": 200})
        base.send(server.client)
        asked.append(base)
        homes = [line["household_id"] for line in server.client.get(f"{LISTS}/{base.confirmed}").json()["lines"]]
        threads = [
            threading.Thread(target=_write, args=(server, asked, stop, str(base.confirmed), homes[n::3]))
            for n in range(3)
        ]
        for one in threads:
            one.start()
        server.wait_for(lambda: sum(one.confirmed is not None for one in asked[before:]) >= first)
        stop.wait(after)
        server.process.kill()
        server.process.wait()
        stop.set()
        for one in threads:
            one.join()
    finally:
        stop.set()
        if server.process.poll() is None:
            server.stop()


def _write(server: Server, asked: list[Asked], stop: threading.Event, list_id: str, homes: list[str]) -> None:
    """Lists and decisions in turn, until the service is dead."""
    with httpx.Client(base_url=server.client.base_url, timeout=60) as client:
        for turn in range(100_000):
            if stop.is_set():
                return
            said = {"worklist_id": list_id, "household_id": homes[turn % len(homes)], "decided_by": "Uji"}
            one = Asked(DECISIONS, said | {"kind": "accept"}) if turn % 3 else Asked(LISTS, {"name": f"Uji {turn}"})
            asked.append(one)
            try:
                one.send(client)
            except httpx.TransportError:
                return


def _ask_again(place: Project, url: str, asked: list[Asked], found: Outcome) -> None:
    """Whoever got no answer asks again by the same key; whoever got one is answered as before."""
    server = Server(place.folder, TEPAT_DATABASE=url)
    try:
        with _reading(url) as connection:
            kept = {row.request_key for table in (worklist, decision) for row in connection.execute(sa.select(table))}
        for one in asked:
            before = one.confirmed
            one.send(server.client)
            if before is None:
                found.unconfirmed += 1
            elif one.confirmed != before:
                found.faults.append(f"asked again, {one.path} answered with another: {before}, then {one.confirmed}")
        with _reading(url) as connection:
            after = {row.request_key for table in (worklist, decision) for row in connection.execute(sa.select(table))}
        found.kept_unconfirmed = found.unconfirmed - len(after - kept)
    finally:
        server.stop()


def _look(url: str, asked: list[Asked], found: Outcome) -> None:
    with _reading(url) as connection:
        lines = dict(
            connection.execute(
                sa.select(worklist_line.c.worklist_id, sa.func.count()).group_by(worklist_line.c.worklist_id)
            ).all()  # type: ignore[arg-type]  # rows are pairs
        )
        there = {row.id: row.row_count for row in connection.execute(sa.select(worklist))}
        decided = {row.id for row in connection.execute(sa.select(decision.c.id))}
        told = {row.list_id for row in connection.execute(sa.select(trail.c.list_id).where(trail.c.act == "list.make"))}
        found.trail_lines = connection.execute(sa.select(sa.func.count()).select_from(trail)).scalar_one()
        noted = {
            json.loads(about).get("decision")
            for about in connection.execute(sa.select(trail.c.about).where(trail.c.act == "decision.make")).scalars()
        }
    _compare(asked, found, there=there, lines=lines, decided=decided)
    found.faults += [f"no line of the trail on list {one}" for one in there.keys() - told]
    found.faults += [f"no line of the trail on decision {one}" for one in decided - noted]
    found.faults += [f"a line of the trail on decision {one}, which is not there" for one in noted - decided]
    found.faults += _broken(url)


def _compare(
    asked: list[Asked], found: Outcome, *, there: dict[str, int], lines: dict[str, int], decided: set[str]
) -> None:
    wanted = {one.confirmed for one in asked if one.path == LISTS}
    found.lists, found.decisions = len(wanted), len(asked) - sum(one.path == LISTS for one in asked)
    found.faults += [f"list {one} was confirmed and is gone" for one in wanted - there.keys()]
    found.faults += [f"list {one} is there, and nobody asked for it" for one in there.keys() - wanted]
    found.faults += [f"list {one} is half there" for one, rows in there.items() if lines.get(one, 0) != rows]
    found.faults += [f"lines of no list: {one}" for one in lines.keys() - there.keys()]
    agreed = {one.confirmed for one in asked if one.path == DECISIONS}
    found.faults += [f"decision {one} was confirmed and is gone" for one in agreed - decided]
    found.faults += [f"decision {one} is there, and nobody asked for it" for one in decided - agreed]


def _broken(url: str) -> list[str]:
    with _reading(url) as connection:
        found = verify(connection).fault
    return [] if found is None else [f"the trail: {found}"]


class _reading:  # noqa: N801 (reads as a function)
    """A connection to a store, closed with it."""

    def __init__(self, url: str) -> None:
        self._store = open_store(url)
        self._within = self._store.database.reading()

    def __enter__(self) -> sa.Connection:
        return self._within.__enter__()

    def __exit__(self, *fault: object) -> None:
        self._within.__exit__(*fault)
        self._store.close()


def main() -> int:
    """Both engines; 1 when anything was lost or half there."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--out", type=Path, default=Path("reports/bench/chaos.json"))
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ended:
        postgres = Postgres()
        ended.callback(postgres.end)
        place = kabupaten_in(Path(folder) / "kabupaten")
        found = dict[str, Outcome]()
        for engine, url in {"SQLite": f"sqlite:///{folder}/chaos.db", "PostgreSQL": postgres.new()}.items():
            found[engine] = trial(place, url, kills=said.kills, seed=said.seed)
            print(found[engine].told(engine), *found[engine].faults[:20], sep="\n", flush=True)
    said.out.parent.mkdir(parents=True, exist_ok=True)
    kept = {"seed": said.seed} | {engine: asdict(one) for engine, one in found.items()}
    said.out.write_text(json.dumps(kept, indent=2) + "\n")
    return int(any(one.faults for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
