"""A simulated kabupaten taken through the pipeline, and the real service on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.project import QUIET, Project, copy_of, kabupaten_in, made_once
from tests.serving.postgres import MISSING, Postgres, binaries
from tests.serving.watching import CHROMIUM, NO_CHROMIUM


class Server:
    """`tepat serve`, as a user starts it, in a project's folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.said_to = folder / f"serve-{self.port}.log"
        fast = {"TEPAT_RELOAD_SECONDS": "1"}
        with self.said_to.open("w") as out:
            self.process = subprocess.Popen(  # noqa: S603 (our own command)
                [sys.executable, "-m", "serving.cli", "serve", "--port", str(self.port)],
                cwd=folder, env=os.environ | QUIET | fast | environment, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        try:
            self.wait_for(lambda: self.client.get("/healthz").status_code == 200)
        except BaseException:
            self.process.kill()
            self.stop()
            raise

    def wait_for(self, come: Any) -> None:
        """Ask until it has come; three minutes without it are a fault, however slow the machine."""
        until = time.monotonic() + 180
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said()
            try:
                if come():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        pytest.fail(f"it never came: {self.said()[-3000:]}")

    def said(self) -> str:
        return self.said_to.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """The log, line by line."""
        return [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]

    def reasons(self) -> str:
        """Why it is not, or not quite, ready."""
        return " ".join(self.client.get("/readyz").json()["reasons"])

    def stop(self) -> int:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="session")
def kabupaten(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A simulated kabupaten, from its registers to scored households; made once for all workers, a copy for each."""
    made = Project.__new__(Project)
    made.folder = made_once(tmp_path_factory, "kabupaten", kabupaten_in)
    return copy_of(made, tmp_path_factory.mktemp("kabupaten-of-its-own"))


@pytest.fixture(scope="session")
def server(kabupaten: Project) -> Any:
    """The service on it; tests that hurt it start their own."""
    running = Server(kabupaten.folder)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def scores(kabupaten: Project) -> pd.DataFrame:
    """What the batch made of every unit."""
    return pd.read_parquet(kabupaten.folder / "data/scores/units.parquet")


@pytest.fixture(scope="session")
def facts(kabupaten: Project, scores: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What the registers know of fifty scored households, as a request says it; by household."""
    asked = scores.household_id.drop_duplicates().sort_values().iloc[::7].head(50)
    script = (
        "import sys, json; from serving.once import facts_of; print(json.dumps([facts_of(h) for h in sys.argv[1:]]))"
    )
    said = json.loads(kabupaten.run(sys.executable, "-c", script, *asked))
    homes = [json.loads(one)["households"][0] for one in said]
    return {home["household_id"]: home for home in homes}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server; where none is installed, its tests are skipped."""
    if binaries() is None:
        pytest.skip(MISSING)
    server = Postgres()
    yield server
    server.end()


# One worker has them all, so that one server is started.
@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Gives the address of a new store, or of an empty one, in a database of a kind."""

    def new(dialect: str, *, empty: bool = False) -> str:
        if dialect == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store')}/store.db"
        server: Postgres = request.getfixturevalue("postgres")
        return server.new("template1") if empty else server.new()

    return new


@pytest.fixture
def url(dialect: str, address: Callable[..., str]) -> str:
    """The address of a new store; the test runs in both kinds of database."""
    return address(dialect)


# Not of the session: while it is there, no test of its process can run a loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; where there is none, its tests are skipped."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 8 MiB, outside the folders that pytest clears: a run that is killed may leave it mounted."""
    if os.geteuid() or not (shutil.which("mount") and shutil.which("umount")):
        pytest.skip("only root can mount a small disk")
    where = Path(tempfile.mkdtemp())
    if mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", where).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)  # noqa: S603, S607 (found above)
    where.rmdir()


def mount(*words: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["mount", *map(str, words)], check=False)  # noqa: S603, S607 (found above)
