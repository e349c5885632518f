"""The gate in the pipeline: who becomes champion, who is refused and with which words, and the way back.

All this in a second run of the registers, in another order and killed midway, which makes the list of the first.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.project import Project, shuffled
from tests.serving.conftest import Server

pytestmark = pytest.mark.xdist_group("survey run")  # one worker runs it, for the pipeline's tests too
DVC = (sys.executable, "-m", "dvc")
TEPAT = (sys.executable, "-m", "serving.cli")


class Gated(Project):
    """A project whose settings and registers a test changes."""

    def __init__(self, folder: Path, registers: Path) -> None:
        super().__init__(folder, in_git=True)
        self.params = (folder / "params.yaml").read_text()
        self.set()
        self.source(registers)

    def set(self, **train: Any) -> None:
        """Use these settings of `train`, and else those of the beginning."""
        params = yaml.safe_load(self.params)
        params["train"]["booster"] |= train.pop("booster", {})
        params["train"] |= train
        # Seeds lie further apart on few children, and chance plays more.
        params["gate"] |= {"routine_loss": 0.05, "ece": 0.05}
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params))

    def kill_midway(self) -> int:
        """Run the pipeline and kill it while it trains: exit code."""
        killed = self.start(*DVC, "repro")
        assert killed.stdout
        for line in killed.stdout:
            if line.startswith("training on"):  # the stage is in the midst of its work
                os.killpg(killed.pid, signal.SIGKILL)
                break
        killed.stdout.close()
        return killed.wait()

    def train_and_promote(self, **train: Any) -> tuple[int, str]:
        """Run the pipeline to the gate with these settings of `train`: exit code, and what was printed."""
        self.set(**train)
        return self.said(*DVC, "repro", "promote")

    def said(self, *command: str) -> tuple[int, str]:
        process = self.start(*command)
        told, _ = process.communicate()
        assert "Traceback" not in told, told
        return process.returncode, " ".join(told.replace("│", " ").split())

    def champion(self) -> str:
        """Which model makes the list."""
        return (self.folder / "data/champion/champion.json").read_text()

    @property
    def gate(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "reports/promotion/gate.json").read_text())
        return found

    def failed(self) -> set[str]:
        return {check["name"] for check in self.gate["checks"] if not check["passed"]}


@pytest.fixture(scope="module")
def project(registers: Path, tmp_path_factory: pytest.TempPathFactory) -> Gated:
    folder = tmp_path_factory.mktemp("second")
    made = Gated(folder, shuffled(registers, folder.with_name(f"{folder.name}-registers")))
    assert made.kill_midway() == -signal.SIGKILL
    code, told = made.said(*DVC, "repro")
    assert 0 == code, told
    made.run("git", "add", "dvc.yaml", "dvc.lock", "params.yaml", "run.yaml")
    made.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "first run")
    return made


def test_shuffled_rows_and_a_killed_stage_give_the_same_list_byte_for_byte(first_run: Project, project: Gated) -> None:
    assert first_run.lists() == project.lists()


def test_another_seed_takes_its_place_and_a_roll_back_gives_it_back(project: Gated) -> None:
    champion = project.champion()
    first = project.gate["champion"]

    code, told = project.train_and_promote(seed=7)

    assert 0 == code, told
    assert set() == project.failed()
    assert first != project.gate["champion"] == project.gate["challenger"]
    assert 0.3 < project.gate["jaccard"] < 1
    moved = pd.read_csv(project.folder / "reports/promotion/churn.csv")
    assert {"enters", "leaves"} == set(moved.move)
    assert moved.feature.notna().all()
    assert "score" in project.changed()
    changes = json.loads(project.run(*DVC, "metrics", "diff", "--json"))
    assert changes["reports/metrics.json"]["models.determinants.auc"]["diff"] != 0
    assert "train.seed" in project.run(*DVC, "params", "diff")
    project.run(*DVC, "plots", "diff")
    shown = (project.folder / "dvc_plots/index.html").read_text()
    assert {"HEAD_reports_plots_roc.png", "workspace_reports_plots_roc.png"} <= set(
        re.findall(r"static/(\w+\.png)", shown)
    )
    assert "http" not in shown

    code, told = project.said(*TEPAT, "promote", "--roll-back", "--because", "the sanitarians found nobody at home")
    assert (0, True) == (code, f"champion again: {first}" in told)
    assert 0 == project.said(*DVC, "repro", "promote")[0]

    assert {"not set aside by a person"} == project.failed()
    assert champion == project.champion()
    assert "score" not in project.changed()
    code, told = project.said(*TEPAT, "promote", "--roll-back")
    assert 1 == code
    assert "had no champion before it" in told
    code, told = project.said(*TEPAT, "promote", "--version", "2", "--because", "they were on holiday")
    assert 0 == code, told
    assert "passes the gate" in told


def test_the_page_asks_the_gate_and_makes_another_version_champion_at_once(project: Gated, tmp_path: Path) -> None:
    server = Server(project.folder, TEPAT_DATABASE=f"sqlite:///{tmp_path}/store.db", TEPAT_FOLDER=str(tmp_path))
    try:
        before = server.client.get("/v1/model").json()
        other = "1" if before["version"] == "2" else "2"
        page = asked_on_the_page(server, do="ask", version=other, seen=before["version"])
        assert "Lolos gerbang. Tidak ada yang dipindahkan" in page
        asked = json.loads((project.folder / "reports/asked-gate/gate.json").read_text())
        assert f"Syarat gerbang untuk {asked['challenger']}" in page
        assert before["stamp"] == server.client.get("/v1/model").json()["stamp"] != asked["challenger"]

        page = asked_on_the_page(server, do="promote", version=other, seen=before["version"])
        assert f"Sesudah itu juara adalah {asked['challenger']}." in page
        server.wait_for(lambda: server.client.get("/v1/model").json()["version"] == other)
        assert other == json.loads(project.champion())["version"]
        page = asked_on_the_page(server, do="promote", version=before["version"], seen=before["version"])
        assert "Belum dapat dilakukan:" in page
        assert "dikesampingkan: this-machine: diminta lewat halaman" in page
        assert other == json.loads(project.champion())["version"]
    finally:
        server.stop()


def asked_on_the_page(server: Server, **fields: str) -> str:
    """The page of promotion once the gate has answered."""
    asked = {"because": "diminta lewat halaman"} | fields
    page, html = "/data/promote", {"Accept": "text/html"}
    assert 303 == server.client.post(page, data=asked, headers=html).status_code
    server.wait_for(lambda: "data-running" not in server.client.get(page, headers=html).text)
    return str(server.client.get(page, headers=html).text)


def test_a_worse_model_is_refused_and_the_champion_stays(project: Gated) -> None:
    champion = project.champion()

    code, told = project.train_and_promote(booster={"rounds": 1})

    assert 0 == code, told
    assert "REFUSED" in told
    assert "The champion stays. Train again when newer outcomes are there" in told
    assert any(name.startswith("against the champion") for name in project.failed())
    assert champion == project.champion()
    assert project.gate["challenger"] != project.gate["champion"]
    code, told = project.said(*TEPAT, "promote")
    assert 1 == code
    assert "NOT MET" in told


def test_a_damaged_model_is_refused(project: Gated) -> None:
    run = json.loads((project.folder / "data/models/registered.json").read_text())["run_id"]
    booster = next((project.folder / "mlruns").rglob(f"{run}/artifacts/model/booster.ubj"))
    whole = booster.read_bytes()
    booster.write_bytes(whole[: len(whole) // 2])
    try:
        code, told = project.said(*TEPAT, "promote")
    finally:
        booster.write_bytes(whole)

    assert 1 == code
    assert "are not those that were registered: one is damaged" in told
    assert "is damaged" not in project.said(*TEPAT, "promote")[1]
