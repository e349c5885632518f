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
import pandas as pd
import sqlalchemy as sa
from scipy.special import expit, logit

from serving.store import open_store
from serving.tables import decision
from serving.tables_access import trail
from serving.trail.verify import verify
from targeting.households import combined
from tests.project import Project, kabupaten_in
from tests.serving.conftest import Server
from tests.serving.known import facts_in, system
from tests.serving.postgres import Postgres
from tests.trials.load import MORE, Crowd, Told, percentile

CLIENTS = 8
HOMES = 40
EXACT = 1e-12
MOVED = 0.25
"""How much the log-odds of the other model are above those of the first."""
PEAK_S = 8.0
# Another model, whose risks differ: an answer that mixes two is told from one that does not.
SWAP = f"""
import dataclasses, pathlib, shutil, mlflow
from training import model as models, registry
client = mlflow.MlflowClient()
model, _ = registry.fetch("determinants")
moved = dataclasses.replace(model.calibration, intercept=model.calibration.intercept + {MOVED})
made = pathlib.Path("swapped"); shutil.rmtree(made, ignore_errors=True)
models.write(dataclasses.replace(model, calibration=moved), made)
new = registry.register(made, name="determinants", params={{}}, metrics={{}})
client.set_registered_model_alias("determinants", "champion", new.version)
"""
BACK = """
import mlflow, sys
from training import registry
mlflow.MlflowClient().set_registered_model_alias("determinants", "champion", sys.argv[1])
"""
Risks = dict[str, float | None]
"""By household."""


@dataclass
class Outcome:
    """What the soak found.

    Parameters
    ----------
    told
        What came of each request at half of the peak; those of the peak were judged, and are not among them.
    peak_rate
        Answered requests a second of clients that ask again at once. [1/s]
    """

    seconds: float
    peak_rate: float
    told: list[Told]
    stamps: set[str]
    decided: int
    lost: int
    trail_lines: int
    faults: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """As they are kept; times in milliseconds."""
        by_status = Counter(one.status for one in self.told)
        return {
            "seconds": round(self.seconds, 1),
            "peak_rate": round(self.peak_rate, 1),
            "rate": round(sum(one.status < MORE and one.status > 0 for one in self.told) / self.seconds, 1),
            "p50_ms": round(percentile(self.told, 0.5), 1),
            "p99_ms": round(percentile(self.told, 0.99), 1),
            "requests": len(self.told),
            "by_status": {str(status): count for status, count in sorted(by_status.items())},
            "models": len(self.stamps),
            "decided": self.decided,
            "lost": self.lost,
            "trail_lines": self.trail_lines,
            "faults": self.faults,
        }

    def say(self) -> None:
        """As lines."""
        said = self.figures()
        print(f"{self.seconds:.0f} s at half of {self.peak_rate:.0f} requests/s: {len(self.told):,} requests, "
              f"{said['rate']:.0f} answered a second")  # fmt: skip
        print(f"by status (0: no answer at all): {said['by_status']}")
        print(f"p50 {said['p50_ms']:.0f} ms, p99 {said['p99_ms']:.0f} ms")
        print(f"models that answered: {len(self.stamps)}; decisions confirmed {self.decided}, lost {self.lost}")
        print(f"trail: {self.trail_lines:,} lines; faults: {len(self.faults)}")
        print("\n".join(self.faults[:20]))


@dataclass
class Asking:
    """Asks for scores of known households, and now and then keeps a decision; judges every answer.

    Parameters
    ----------
    first
        The stamp of the model that is in use at the beginning.
    by_first, by_second
        What either model makes of the households.
    answered
        Of each request that was answered, its identifier.
    """

    homes: list[dict[str, Any]]
    first: str
    by_first: Risks
    by_second: Risks
    list_id: str
    listed: list[str]
    stamps: set[str] = field(default_factory=set)
    decided: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    every: int = 10

    def __call__(self, client: httpx.Client, turn: int) -> Told:
        """One request."""
        start = time.monotonic()
        answer = self._decide(client, turn) if turn % self.every == 0 else self._score(client, turn)
        seconds, wrong = time.monotonic() - start, ""
        if answer.is_success:
            self.answered.append(answer.headers["x-request-id"])
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
        due = (self.by_first if stamp == self.first else self.by_second)[household]
        same = due is risk is None or (due is not None and risk is not None and math.isclose(due, risk, abs_tol=EXACT))
        return "" if same else f"{household}: {risk} by {stamp}, not {due}"


def soak(place: Project, postgres: Postgres, *, minutes: float) -> Outcome:
    """Run it, and look afterwards."""
    url = postgres.new()
    said = system(url, "soak", roles=["planner", "integrator"])
    own = str(place.folder / "data" / "soak")
    server, before = Server(place.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=own), ""
    try:
        server.client.headers.update(said)
        server.wait_for(lambda: server.client.get("/readyz").status_code == httpx.codes.OK)
        model = server.client.get("/v1/model").json()
        before = model["version"]
        made = server.client.post("/v1/worklists", json={"name": "Uji", "capacity": 100}).json()
        listed = [line["household_id"] for line in server.client.get(f"/v1/worklists/{made['id']}").json()["lines"]]
        homes = facts_in(place, HOMES)
        ask = Asking(homes, model["stamp"], *_of_the_batch(place, homes), made["id"], listed)
        address = str(server.client.base_url)
        peak = Crowd(address, ask, CLIENTS, headers=said).go(PEAK_S)
        crowd = Crowd(address, ask, CLIENTS, rate=_rate(peak) / 2, headers=said)
        seconds = minutes * 60
        begun = time.monotonic()
        crowd.go(seconds, meanwhile=lambda: _hurt(place, server, postgres, seconds=seconds))
        took = time.monotonic() - begun  # a slow machine swaps and restarts for longer
    finally:
        server.stop()
        if before:
            place.run(sys.executable, "-c", BACK, before)
    return _found(url, ask, crowd.told, peak=peak, seconds=took)


def _rate(peak: list[Told]) -> float:
    return sum(0 < one.status < MORE for one in peak) / PEAK_S


def _of_the_batch(place: Project, homes: list[dict[str, Any]]) -> tuple[Risks, Risks]:
    """What the pipeline made of the same households by the same model, and what it is by the other."""
    units = pd.read_parquet(place.folder / "data/scores/units.parquet").dropna(subset="risk_now")
    of = units.groupby("household_id").risk_now
    known = {home["household_id"]: of.get_group(home["household_id"]) for home in homes
             if home["household_id"] in of.groups}  # fmt: skip
    first, second = ({name: combined(move(risks)) for name, risks in known.items()} for move in (list, _moved))
    none = {home["household_id"]: None for home in homes}
    return none | first, none | second


def _moved(risks: pd.Series) -> list[float]:
    return [float(risk) for risk in expit(logit(risks.astype(float)) + MOVED)]


def _hurt(place: Project, server: Server, postgres: Postgres, *, seconds: float) -> None:
    """A quarter of the time apart, so that each is over before the next."""
    for what in (
        lambda: _swap(place, server),
        lambda: (postgres.stop(), postgres.start()),
        lambda: kill_a_scorer(server),
    ):
        threading.Event().wait(seconds / 4)
        what()


def _swap(place: Project, server: Server) -> None:
    """Give the registry another champion; once this returns, answers are by it."""
    before = server.client.get("/v1/model").json()["stamp"]
    place.run(sys.executable, "-c", SWAP)
    server.wait_for(lambda: server.client.get("/v1/model").json()["stamp"] != before)


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


def _found(url: str, ask: Asking, told: list[Told], *, peak: list[Told], seconds: float) -> Outcome:
    store = open_store(url)
    try:
        with store.database.reading() as connection:
            checked = verify(connection)
            kept = set(connection.execute(sa.select(decision.c.id)).scalars())
            noted = set(connection.execute(sa.select(trail.c.request_id).where(trail.c.outcome == "done")).scalars())
    finally:
        store.close()
    everything = peak + told
    faults = [f"wrong: {one.wrong}" for one in everything if one.status and one.wrong]
    faults += [f"not clean: {one.status} {one.wrong} {one.retry_after}" for one in everything if not one.clean]
    lost = [one for one in ask.decided if one not in kept]
    faults += [f"decision {one} was confirmed and is gone" for one in lost]
    faults += [
        f"request {one} was answered, and no line of the trail says so" for one in ask.answered if one not in noted
    ]
    faults += [] if checked.fault is None else [f"the trail: {checked.fault}"]
    faults += [] if len(ask.stamps) == 2 else [f"answers by {len(ask.stamps)} models; 2 were to be seen"]
    return Outcome(seconds, _rate(peak), told, ask.stamps, len(ask.decided), len(lost), checked.last.number, faults)


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
    said.out.write_text(json.dumps(found.figures(), indent=2) + "\n")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
