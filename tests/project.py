"""A project of its own in which a test runs the commands of a user."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_WAIT_POLICY": "PASSIVE",
    "COLUMNS": "200",
    "PYTHONUNBUFFERED": "1",
    # Where nothing may be kept, each process would compile our code anew: a second of work.
    "PYTHONDONTWRITEBYTECODE": "",
}
# The gate takes minutes, and may refuse what few rows made; a service under test asks only that there is a champion.
CROWN = """
from datetime import UTC, datetime
from features.settings import load
from targeting.promote import tell
from training import registry, succession
paths = load().paths
_, where = registry.last_trained(paths.models)
seen = registry.standing(where.name)
succession.crown(where, instead_of=None, seen=seen, because="a test", on=datetime.now(UTC))
tell(where, paths.champion)
"""
FILES = ("worklist.csv", "urgent.csv", "worklist.xlsx", "by_region.png")


class Project:
    """A project of its own, with small settings; the stages of plans, which nothing waits for, only `with_plans`."""

    def __init__(self, folder: Path, *, in_git: bool = False, with_plans: bool = False) -> None:
        self.folder = folder
        for name in ("features", "training", "targeting", "serving"):
            # With what Python compiled, so that no process does it again; not what it is just writing.
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        shutil.copyfile(ROOT / ".dvcignore", folder / ".dvcignore")
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())
        if not with_plans:
            del stages["stages"]["plan"], stages["stages"]["plans"]
        (folder / "dvc.yaml").write_text(yaml.safe_dump(stages, width=1_000, sort_keys=False))
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "reports").mkdir()
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params["train"]["booster"] |= {"rounds": 40, "eta": 0.1}
        params["evaluate"] |= {"bootstrap_draws": 20, "seeds": 1}
        params["intervals"] = {"refits": 2, "level": 0.9}
        (folder / "params.yaml").write_text(yaml.safe_dump(params))
        if in_git:
            self.run("git", "init", "--quiet", ".")
        self.run(sys.executable, "-m", "dvc", "init", "--quiet", *([] if in_git else ["--no-scm"]))
        shutil.copytree(ROOT / ".dvc" / "plots", folder / ".dvc" / "plots")
        self.run(sys.executable, "-m", "dvc", "config", "plots.html_template", "plots/page.html")

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 (our own command)
            command, cwd=self.folder, env=os.environ | QUIET, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *command: str) -> str:
        process = self.start(*command)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def source(self, data: Path, *more: str, layout: str = "canonical") -> None:
        self.run(sys.executable, "-m", "features.source", "--format", layout, "--data", str(data), *more)

    def repro(self) -> str:
        return self.run(sys.executable, "-m", "dvc", "repro")

    def crown(self) -> None:
        """Make the model trained last the champion, whatever the gate would say."""
        self.run(sys.executable, "-c", CROWN)

    def changed(self) -> set[str]:
        return set(json.loads(self.run(sys.executable, "-m", "dvc", "status", "--json")))

    def lists(self) -> dict[str, str]:
        folder = self.folder / "reports" / "worklist"
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def shuffled(registers: Path, into: Path) -> Path:
    """The same registers, the rows of each in another order."""
    into.mkdir()
    for path in registers.iterdir():
        rows = pd.read_csv(path, dtype="string").sample(frac=1, random_state=7)
        rows.to_csv(into / path.name, index=False)
    return into


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that whoever of the workers comes first makes, for all of them; nobody changes it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own := factory.mktemp(name))
        return own
    shared = factory.getbasetemp().parent / name
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.with_suffix(".ready").exists():  # whoever comes after one that failed fails for the same reason
            shared.mkdir()
            make(shared)
            shared.with_suffix(".ready").touch()
    return shared


def kabupaten_in(folder: Path) -> Project:
    """A simulated kabupaten, from its registers to scored households."""
    made = Project(folder)
    made.run(sys.executable, "-m", "serving.cli", "simulate", "--households", "1200", "--out", "simulated")
    made.source(made.folder / "simulated" / "registers")
    for stage in ("features.ingest", "features.build", "training.fit"):
        made.run(sys.executable, "-m", stage)
    made.crown()
    made.run(sys.executable, "-m", "serving.cli", "score")
    return made


def copy_of(of: Project, folder: Path) -> Project:
    """The same, to be hurt or served apart; its registry still finds the models in the first one's folder."""
    made = Project.__new__(Project)
    made.folder = folder
    leave = shutil.ignore_patterns("serving.log", "serve-*.log")
    shutil.copytree(of.folder, folder, symlinks=True, dirs_exist_ok=True, ignore=leave)
    shutil.rmtree(folder / "data" / "serving", ignore_errors=True)
    return made
