"""What the service says and keeps when a part around it fails."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from serving.examples import HOUSEHOLD
from tests.conftest import ROOT
from tests.project import Project, copy_of
from tests.serving.conftest import Server, mount

pytestmark = pytest.mark.xdist_group("serving")
ASK = {"households": [HOUSEHOLD]}
LIST = {"name": "Uji", "capacity": 3}
# What a data team would do at the registry; each is run in a process of its own, beside the service.
OTHER_MODEL = """
import pathlib, shutil, mlflow, sys
from training import model as models, registry
where = registry.champion("determinants"); client = mlflow.MlflowClient()
source = pathlib.Path(mlflow.artifacts.download_artifacts(client.get_model_version("determinants", where).source))
made = pathlib.Path("other"); shutil.rmtree(made, ignore_errors=True); shutil.copytree(source, made)
text = (made / "model.json").read_text().replace('"seed": ', '"seed": ' + sys.argv[1])
(made / "model.json").write_text(text)
new = registry.register(made, name="determinants", params={}, metrics={})
client.set_registered_model_alias("determinants", "champion", new.version)
if "truncated" in sys.argv:
    version = client.get_model_version("determinants", new.version)
    file = pathlib.Path(mlflow.artifacts.download_artifacts(version.source)) / "booster.ubj"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
if "gone" in sys.argv:
    source = client.get_model_version("determinants", new.version).source
    shutil.rmtree(mlflow.artifacts.download_artifacts(source))
"""
POINT = """
import mlflow, sys
from training import registry
mlflow.MlflowClient().set_registered_model_alias("determinants", "champion", sys.argv[1])
"""
LOSE = """
import mlflow
from training import registry
mlflow.MlflowClient().delete_registered_model_alias("determinants", "champion")
"""


def at_registry(project: Project, script: str, *said: str) -> None:
    project.run(sys.executable, "-c", script, *said)


@pytest.fixture(scope="module")
def fragile(kabupaten: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the kabupaten with a registry of its own."""
    return copy_of(kabupaten, tmp_path_factory.mktemp("fragile"))


@pytest.fixture(scope="module")
def service(fragile: Project) -> Any:
    running = Server(fragile.folder)
    running.wait_for(lambda: running.client.get("/readyz").status_code == 200)
    yield running
    running.stop()


def stamp(server: Server) -> str:
    answer = server.client.post("/v1/score", json=ASK)
    assert 200 == answer.status_code, answer.text
    return answer.json()["model"]["stamp"]


def test_without_a_model_and_scores_it_runs_and_says_what_to_do(tmp_path):
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    empty = Server(tmp_path, PYTHONPATH=str(ROOT))
    try:
        assert 200 == empty.client.get("/healthz").status_code
        assert (503, "not ready") == ((ready := empty.client.get("/readyz")).status_code, ready.json()["status"])
        for answer, kind in (
            (empty.client.post("/v1/score", json=ASK), "tepat:no-model"),
            (empty.client.get("/v1/model"), "tepat:no-model"),
            (empty.client.get("/v1/households/h"), "tepat:nothing-scored"),
            (empty.client.post("/v1/worklists", json=LIST), "tepat:nothing-scored"),
        ):
            assert (503, kind) == (answer.status_code, answer.json()["type"])
            assert "make run" in answer.json()["remedy"]
    finally:
        empty.stop()
    assert "Finished server process" in empty.said()


def test_the_last_good_model_stays_when_the_alias_points_nowhere(fragile: Project, service: Server):
    before, version = stamp(service), service.client.get("/v1/model").json()["version"]
    at_registry(fragile, LOSE)
    try:
        service.wait_for(lambda: "champion" in service.reasons())
        assert before == stamp(service)
        assert "tepat_model_stale 1.0" in service.client.get("/metrics").text
    finally:
        at_registry(fragile, POINT, version)
    service.wait_for(lambda: service.reasons() == "")


def test_the_last_good_model_stays_when_the_registry_is_away_even_for_a_new_service(fragile: Project, service: Server):
    before, database = stamp(service), fragile.folder / "mlruns/mlflow.db"
    whole = database.read_bytes()
    database.write_bytes(b"this is no database" * 1000)
    try:
        service.wait_for(lambda: service.reasons() != "")
        assert before == stamp(service)
        second = Server(fragile.folder)
        try:
            assert before == stamp(second)
            assert second.reasons()
        finally:
            second.stop()
    finally:
        database.write_bytes(whole)
    service.wait_for(lambda: service.reasons() == "")


def test_a_damaged_model_is_not_taken_up(fragile: Project, service: Server):
    before, version = stamp(service), service.client.get("/v1/model").json()["version"]
    at_registry(fragile, OTHER_MODEL, "1", "truncated")
    try:
        service.wait_for(lambda: "damaged" in service.reasons())
        assert before == stamp(service)
    finally:
        at_registry(fragile, POINT, version)
    service.wait_for(lambda: service.reasons() == "")


def test_a_model_whose_files_are_gone_is_not_taken_up(fragile: Project, service: Server):
    before, version = stamp(service), service.client.get("/v1/model").json()["version"]
    at_registry(fragile, OTHER_MODEL, "3", "gone")
    try:
        service.wait_for(lambda: "determinants" in service.reasons())
        assert before == stamp(service)
        assert "tepat_model_stale 1.0" in service.client.get("/metrics").text
    finally:
        at_registry(fragile, POINT, version)
    service.wait_for(lambda: service.reasons() == "")


def test_a_half_written_table_of_the_district_is_not_taken_up(fragile: Project, service: Server):
    before, area = stamp(service), fragile.folder / "data/interim/area.parquet"
    whole = area.read_bytes()
    area.write_bytes(whole[: len(whole) // 2])
    try:
        service.wait_for(lambda: "not what was copied" in service.reasons())
        assert before == stamp(service)
    finally:
        area.write_bytes(whole)
    service.wait_for(lambda: service.reasons() == "")


def test_a_new_champion_is_taken_up_and_no_request_is_lost_meanwhile(fragile: Project, service: Server):
    before, version = stamp(service), service.client.get("/v1/model").json()["version"]
    seen: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(service.client.post("/v1/score", json=ASK).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        at_registry(fragile, OTHER_MODEL, "2")
        service.wait_for(lambda: service.client.get("/v1/model").json()["stamp"] != before)
    finally:
        stop.set()
        asking.join()
        at_registry(fragile, POINT, version)

    assert {200} == set(seen)
    service.wait_for(lambda: stamp(service) == before)


def test_scores_that_are_being_written_are_not_mixed_with_the_former(fragile: Project, service: Server):
    units = fragile.folder / "data/scores/units.parquet"
    household = f"/v1/households/{pd.read_parquet(units).household_id.iloc[0]}"
    assert 200 == service.client.get(household).status_code
    was = units.read_bytes()
    pd.read_parquet(units).iloc[::-1].to_parquet(units)
    try:
        answer = service.client.get(household)
        assert (503, "tepat:nothing-scored") == (answer.status_code, answer.json()["type"])
        assert "ask again" in answer.json()["detail"]
    finally:
        units.write_bytes(was)
    assert 200 == service.client.get(household).status_code


def test_scores_that_dvc_brings_back_in_any_order_are_served(fragile: Project, service: Server):
    scores = fragile.folder / "data/scores"
    household = f"/v1/households/{pd.read_parquet(scores / 'units.parquet').household_id.iloc[0]}"
    now = time.time_ns()
    for later, path in enumerate(sorted(scores.iterdir(), reverse=True)):
        os.utime(path, ns=(now, now + later * 10**9))
    assert 200 == service.client.get(household).status_code


def test_a_locked_database_is_said_and_scoring_goes_on(fragile: Project, service: Server):
    assert 201 == service.client.post("/v1/worklists", json=LIST).status_code
    holder = sqlite3.connect(fragile.folder / "data/serving/tepat.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        refused = service.client.post("/v1/worklists", json=LIST)
        assert (503, "tepat:store-unavailable") == (refused.status_code, refused.json()["type"])
        # Whoever of the service comes first waits for the other process, and the next for the first of the service.
        assert re.search("locked by another process|was being written for", refused.json()["detail"])
        assert stamp(service)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert 201 == service.client.post("/v1/worklists", json=LIST).status_code


def test_a_full_or_read_only_disk_is_said_and_earlier_lists_stay(fragile: Project, small_disk: Path):
    service = Server(fragile.folder, TEPAT_DATABASE=f"sqlite:///{small_disk}/tepat.db")
    try:
        kept = service.client.post("/v1/worklists", json=LIST)
        assert 201 == kept.status_code
        filler = small_disk / "filler"
        filler.write_bytes(b"\0" * (shutil.disk_usage(small_disk).free - 4096))
        full = service.client.post("/v1/worklists", json={"name": "Uji"})
        filler.unlink()
        mount("-o", "remount,ro", small_disk)
        fixed = service.client.post("/v1/worklists", json=LIST)
        mount("-o", "remount,rw", small_disk)

        assert ["tepat:store-unavailable"] * 2 == [full.json()["type"], fixed.json()["type"]]
        assert 200 == service.client.get(kept.headers["location"]).status_code
        assert 201 == service.client.post("/v1/worklists", json=LIST).status_code
    finally:
        service.stop()


def test_requests_that_were_begun_are_answered_when_it_is_stopped(fragile: Project):
    service = Server(fragile.folder)
    service.wait_for(lambda: service.client.get("/readyz").status_code == 200)
    seen: list[int] = []
    many = {"households": [HOUSEHOLD] * 600}
    asking = threading.Thread(target=lambda: seen.append(service.client.post("/v1/score", json=many).status_code))
    asking.start()
    service.wait_for(lambda: "tepat_households_waiting 600.0" in service.client.get("/metrics").text)
    service.process.terminate()
    asking.join()

    service.stop()

    assert [200] == seen
    assert "Finished server process" in service.said()


def test_a_crowd_that_was_begun_is_answered_when_it_is_stopped_and_what_was_confirmed_is_there(
    fragile: Project, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/tepat.db"
    service = Server(fragile.folder, TEPAT_DATABASE=url)
    service.wait_for(lambda: service.client.get("/readyz").status_code == 200)
    made = service.client.post("/v1/worklists", json={"name": "Uji", "capacity": 6})
    at = made.headers["location"]
    homes = [line["household_id"] for line in service.client.get(at).json()["lines"]]
    decided = {"worklist_id": made.json()["id"], "kind": "accept", "decided_by": "Uji"}
    crowd = [begun(service, "POST", "/v1/score", {"households": [HOUSEHOLD] * 150}) for _ in range(4)]
    crowd += [begun(service, "POST", "/v1/decisions", decided | {"household_id": home}) for home in homes]
    crowd += [begun(service, "POST", "/v1/worklists", LIST) for _ in range(4)]
    crowd += [begun(service, "GET", f"{at}/export?format=xlsx") for _ in range(4)]
    crowd += [begun(service, "GET", "/v1/worklists") for _ in range(4)]

    # By a connection of its own: whoever came before it was let in and is being read.
    assert 200 == httpx.get(f"http://127.0.0.1:{service.port}/healthz").status_code
    waiting = len(crowd) - len(select.select(crowd, [], [], 0)[0])
    service.process.terminate()
    answers = [b"".join(iter(lambda line=line: line.recv(65536), b"")) for line in crowd]
    service.stop()

    assert waiting > 0
    assert [b"200"] * 4 == [answer[9:12] for answer in answers[:4]]
    assert {answer[9:12] for answer in answers} <= {b"200", b"201", b"503"}
    confirmed = {json.loads(a.partition(b"\r\n\r\n")[2])["id"] for a in answers if a[9:12] == b"201"}
    with closing(sqlite3.connect(tmp_path / "tepat.db")) as store:
        kept = {row[0] for row in store.execute("SELECT id FROM worklist UNION SELECT id FROM decision")}
    assert confirmed <= kept
    with pytest.raises(ConnectionRefusedError):
        begun(service, "GET", "/healthz")


def begun(service: Server, method: str, path: str, body: Any = None) -> socket.socket:
    """A request that was sent whole; its answer is still to be read."""
    said = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nConnection: close\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(said)}\r\n"
    line = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    line.sendall(f"{head}\r\n".encode() + said)
    return line
