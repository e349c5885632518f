"""The service at half of its peak while a model is swapped, the database restarts and a scorer is killed.

`make soak` runs it for ten minutes. No answer may be wrong, no confirmed decision lost; what fails is counted, and each
failure is a 503 that says when to ask again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from serving.store import open_store
from serving.tables import decision
from serving.trail.verify import verify
from tests.project import Project, kabupaten_in
from tests.serving.conftest import Server
from tests.serving.known import facts_in, system
from tests.serving.postgres import Postgres
from tests.trials.load import Crowd, Told, percentile

CLIENTS = 8
HOMES = 40
EXACT = 1e-12
PEAK_S = 8.0
# Another model, whose risks differ: an answer that mixes two is told from one that does not.
SWAP = """
import json, pathlib, shutil, mlflow
from training import registry
client = mlflow.MlflowClient()
where = registry.champion("determinants")
source = pathlib.Path(mlflow.artifacts.download_artifacts(client.get_model_version("determinants", where).source))
made = pathlib.Path("swapped"); shutil.rmtree(made, ignore_errors=True); shutil.copytree(source, made)
said = json.loads((made / "model.json").read_text())
said["calibration"]["intercept"] += 0.25
(made / "model.json").write_text(json.dumps(said, indent=2))
new = registry.register(made, name="determinants", params={}, metrics={})
client.set_registered_model_alias("determinants", "champion", new.version)
"""
Risks = dict[str, dict[str, float | None]]
"""By the model's stamp, and the household."""


@dataclass
class Outcome:
    """What the soak found."""

    seconds: float
    peak_rate: float
    told: list[Told]
    stamps: set[str]
    decided: int
    lost: int
    trail: str
    faults: list[str] = field(default_factory=list)

    def say(self) -> None:
        """As lines."""
        by_status = Counter(one.status for one in self.told)
        answered = sum(n for status, n in by_status.items() if status and status < 300)
        print(f"{self.seconds:.0f} s at half of {self.peak_rate:.0f} requests/s: {len(self.told):,} requests, "
              f"{answered:,} answered, {len(self.told) - answered:,} not")  # fmt: skip
        print(f"by status (0: no answer at all): {dict(sorted(by_status.items()))}")
        print(f"p50 {percentile(self.told, 0.5):.0f} ms, p99 {percentile(self.told, 0.99):.0f} ms")
        print(f"models that answered: {len(self.stamps)}; decisions confirmed {self.decided}, lost {self.lost}")
        print(f"{self.trail}; faults: {len(self.faults)}")
        print("\n".join(self.faults[:20]))


@dataclass
class Asking:
    """Asks for scores of known households, and now and then keeps a decision; judges every answer."""

    homes: list[dict[str, Any]]
    known: Risks
    list_id: str
    listed: list[str]
    stamps: set[str] = field(default_factory=set)
    decided: list[str] = field(default_factory=list)
    every: int = 10

    def __call__(self, client: httpx.Client, turn: int) -> Told:
        """One request."""
        start = time.monotonic()
        answer = self._decide(client, turn) if turn % self.every == 0 else self._score(client, turn)
        seconds, wrong = time.monotonic() - start, ""
        if answer.status_code == httpx.codes.OK:
            wrong = self._judged(answer.json(), self.homes[turn % len(self.homes)]["household_id"])
        elif answer.status_code == httpx.codes.CREATED:
            self.decided.append(answer.json()["id"])
        return Told(start, seconds, answer.status_code, answer.headers.get("retry-after"), wrong)

    def _score(self, client: httpx.Client, turn: int) -> httpx.Response:
        return client.post("/v1/score", json={"households": [self.homes[turn % len(self.homes)]]})

    def _decide(self, client: httpx.Client, turn: int) -> httpx.Response:
        said = {"worklist_id": self.list_id, "household_id": self.listed[turn % len(self.listed)]}
        said |= {"kind": "accept", "decided_by": "Uji"}
        return client.post("/v1/decisions", json=said, headers={"Idempotency-Key": uuid.uuid4().hex})

    def _judged(self, answer: dict[str, Any], household: str) -> str:
        stamp, risk = answer["model"]["stamp"], answer["households"][0]["risk_find"]
        self.stamps.add(stamp)
        was = self.known.setdefault(stamp, {}).setdefault(household, risk)
        same = was is risk is None or (was is not None and risk is not None and math.isclose(was, risk, abs_tol=EXACT))
        return "" if same else f"{household}: {risk} by {stamp}, and {was} before"


def soak(place: Project, postgres: Postgres, *, minutes: float) -> Outcome:
    """Run it, and look afterwards."""
    url = postgres.new()
    said = system(url, "soak", roles=["planner", "integrator"])
    server = Server(place.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed")
    try:
        server.client.headers.update(said)
        server.wait_for(lambda: server.client.get("/readyz").status_code == httpx.codes.OK)
        made = server.client.post("/v1/worklists", json={"name": "Uji", "capacity": 100}).json()
        listed = [line["household_id"] for line in server.client.get(f"/v1/worklists/{made['id']}").json()["lines"]]
        ask = Asking(facts_in(place, HOMES), {}, made["id"], listed)
        address = str(server.client.base_url)
        peak = Crowd(address, ask, CLIENTS, headers=said).go(PEAK_S)
        rate = sum(one.status < 300 for one in peak) / PEAK_S
        crowd = Crowd(address, ask, CLIENTS, rate=rate / 2, headers=said)
        seconds = minutes * 60
        crowd.go(seconds, meanwhile=lambda: _hurt(place, server, postgres, seconds=seconds))
    finally:
        server.stop()
    return _found(url, ask, crowd.told, seconds=seconds, rate=rate)


def _hurt(place: Project, server: Server, postgres: Postgres, *, seconds: float) -> None:
    """A quarter of the time apart, so that each is over before the next."""
    for what in (
        lambda: place.run(sys.executable, "-c", SWAP),
        lambda: (postgres.stop(), postgres.start()),
        lambda: kill_a_scorer(server),
    ):
        threading.Event().wait(seconds / 4)
        what()


def kill_a_scorer(server: Server) -> int:
    """Kill one of the processes that score; its number."""
    found = scorers_of(server)[0]
    os.kill(found, signal.SIGKILL)
    return found


def scorers_of(server: Server) -> list[int]:
    """The processes that score: children of the keeper, which is a child of the service."""
    return [scorer for keeper in _children(server.process.pid) for scorer in _children(keeper)]


def _children(process: int) -> list[int]:
    return [int(n) for one in Path(f"/proc/{process}/task").glob("*/children") for n in one.read_text().split()]


def _found(url: str, ask: Asking, told: list[Told], *, seconds: float, rate: float) -> Outcome:
    store = open_store(url)
    try:
        with store.database.reading() as connection:
            checked = verify(connection)
            kept = set(connection.execute(sa.select(decision.c.id)).scalars())
    finally:
        store.close()
    faults = [f"wrong: {one.wrong}" for one in told if one.status and one.wrong]
    faults += [f"not clean: {one.status} {one.wrong} {one.retry_after}" for one in told if not one.clean]
    lost = [one for one in ask.decided if one not in kept]
    faults += [f"decision {one} was confirmed and is gone" for one in lost]
    faults += [] if checked.fault is None else [f"the trail: {checked.fault}"]
    faults += [] if len(ask.stamps) == 2 else [f"answers by {len(ask.stamps)} models; 2 were to be seen"]
    return Outcome(
        seconds, rate, told, ask.stamps, len(ask.decided), len(lost), f"trail: {checked.last.number:,} lines", faults
    )


def main() -> int:
    """1 when there is any fault."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--out", type=Path, default=Path("reports/bench/soak.json"))
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ended:
        postgres = Postgres()
        ended.callback(postgres.end)
        found = soak(kabupaten_in(Path(folder) / "kabupaten"), postgres, minutes=said.minutes)
    found.say()
    said.out.parent.mkdir(parents=True, exist_ok=True)
    told = Counter(one.status for one in found.told)
    said.out.write_text(json.dumps({"minutes": said.minutes, "by_status": told, "faults": found.faults}) + "\n")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
