"""A standalone Spark cluster of one master and two workers makes the features that DuckDB makes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest

from tests.conftest import ON_SPARK, ROOT

pytestmark = ON_SPARK
HOST = "127.0.0.1"
MOST_WAITED = 120
"""Seconds until a process that does not answer is taken for dead; no result depends on it."""


@dataclass(frozen=True)
class Cluster:
    """Where the master and the web pages of the master and of each worker are."""

    master: str
    pages: tuple[str, ...]
    work: Path

    def said(self, page: int) -> dict[str, Any]:
        with urlopen(f"{self.pages[page]}/json/") as answer:  # noqa: S310 (our own process on the loopback)
            found: dict[str, Any] = json.load(answer)
            return found

    def alive(self) -> int:
        return sum(worker["state"] == "ALIVE" for worker in self.said(0)["workers"])


def free_ports(n: int) -> list[int]:
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def started(name: str, *arguments: str, folder: Path) -> Iterator[None]:
    """One of Spark's processes, ended with the test; what it says stands in its folder."""
    found = find_spec("pyspark")
    assert found
    assert found.submodule_search_locations
    script = Path(found.submodule_search_locations[0]) / "bin" / "spark-class"
    folder.mkdir()
    environment = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": HOST, "SPARK_LOCAL_DIRS": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 (Spark's own script)
            ["/bin/bash", script, name, "--host", HOST, *arguments], cwd=folder, env=os.environ | environment,
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(MOST_WAITED)


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + MOST_WAITED
    while time.monotonic() < ends:
        try:
            if holds():
                return
        except URLError:
            pass
        time.sleep(0.2)
    pytest.fail(f"The cluster was not there after {MOST_WAITED} seconds.")


@pytest.fixture(scope="module")
def cluster(spark_settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    del spark_settings  # they stand in the environment
    folder = tmp_path_factory.mktemp("cluster")
    port, *pages = free_ports(4)
    made = Cluster(f"spark://{HOST}:{port}", tuple(f"http://{HOST}:{page}" for page in pages), folder)
    with ExitStack() as stack:
        master = started(
            "org.apache.spark.deploy.master.Master", "--port", str(port), "--webui-port", str(pages[0]),
            folder=folder / "master",
        )  # fmt: skip
        stack.enter_context(master)
        for n, page in enumerate(pages[1:]):
            worker = started(
                "org.apache.spark.deploy.worker.Worker", "--webui-port", str(page), "--cores", "1", "--memory", "1g",
                "--work-dir", str(folder / f"work{n}"), made.master, folder=folder / f"worker{n}",
            )  # fmt: skip
            stack.enter_context(worker)
        until(lambda: made.alive() == 2)
        yield made


@pytest.fixture(scope="module")
def stage(cluster: Cluster, interim: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage `features` of the real survey, run on the cluster in a folder of its own."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    (folder / "data" / "interim").symlink_to(interim)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    environment = {"TEPAT_ENGINE": "spark", "TEPAT_SPARK_MASTER": cluster.master}
    subprocess.run(
        [sys.executable, "-m", "features.build"], cwd=folder, env=os.environ | environment, check=True
    )  # fmt: skip
    return folder


def test_the_survey_has_the_same_features_on_a_cluster_as_on_duckdb(stage: Path, units: pd.DataFrame) -> None:
    found = pd.read_parquet(stage / "data" / "features" / "units.parquet")

    pd.testing.assert_frame_equal(units, found, check_exact=True)


def test_both_workers_took_part(stage: Path, cluster: Cluster) -> None:
    assert (stage / "data" / "features" / "units.parquet").exists()
    app = cluster.said(0)["completedapps"][0]
    workers = [cluster.said(page) for page in (1, 2)]
    logs = [log.read_text() for log in sorted(cluster.work.glob("work*/app-*/*/stderr"))]

    assert 2 == cluster.alive()
    assert ("tepat", "FINISHED") == (app["name"], app["state"])
    assert [{app["id"]}, {app["id"]}] == [
        {done["appid"] for done in worker["executors"] + worker["finishedexecutors"]} for worker in workers
    ]
    assert [True, True] == ["Finished task" in log for log in logs]


def test_spark_leaves_nothing_in_the_working_folder(stage: Path) -> None:
    assert {"data", "params.yaml"} == {path.name for path in stage.iterdir()}
