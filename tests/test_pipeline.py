"""The whole path, as DVC runs it, on a part of the real survey."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest

from features.fitted import PLAUSIBLE
from tests.project import Project
from training.baselines import MEANINGS

pytestmark = pytest.mark.xdist_group("pipeline")


def shuffled(registers: Path, into: Path) -> Path:
    into.mkdir()
    for path in registers.iterdir():
        rows = pd.read_csv(path, dtype="string").sample(frac=1, random_state=7)
        rows.to_csv(into / path.name, index=False)
    return into


@pytest.fixture(scope="module")
def project(registers: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run once, from registers to list."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.source(registers)
    made.repro()
    return made


def test_a_run_ends_with_an_explained_list_and_its_figures(project: Project) -> None:
    rows = pd.read_csv(project.folder / "reports/worklist/worklist.csv")
    figures = json.loads((project.folder / "reports/metrics.json").read_text())

    assert list(range(1, len(rows) + 1)) == list(rows["rank"])
    assert rows.risk.is_monotonic_decreasing
    assert rows.reasons_id.str.len().gt(0).all()
    assert {"protocol", "n", "base_rate", "models", "baselines", "champion"} == set(figures)
    assert set(MEANINGS) - {"last_haz"} == set(figures["baselines"])
    assert figures["models"]["determinants"]["auc"] > figures["baselines"]["krs_rank_count"]["auc"]


def test_the_test_side_is_every_child_with_a_valid_height_from_the_test_date_on(project: Project) -> None:
    measured = pd.read_parquet(project.folder / "data/interim/measurement.parquet")
    valid = measured[(measured.haz.abs() <= PLAUSIBLE) & (measured.measured_on >= "2014-01-01")]
    figures = json.loads((project.folder / "reports/metrics.json").read_text())

    assert valid.child_id.nunique() == figures["n"]


def test_contributions_and_base_add_up_to_the_printed_log_odds(project: Project) -> None:
    scores = pd.read_parquet(project.folder / "data/scores/units.parquet")
    made = pd.read_parquet(project.folder / "data/scores/contributions.parquet")

    assert (made.drop(columns=["unit_id", "as_of"]).sum(axis=1) - scores.log_odds).abs().max() < 1e-9


def test_a_second_repro_does_nothing(project: Project) -> None:
    assert "Running stage" not in project.repro()
    assert set() == project.changed()


def test_a_new_test_date_a_new_layout_and_new_data_run_again(project: Project, registers: Path, tmp_path: Path) -> None:
    project.source(registers, "--test-from", "2013-07-01")
    assert {"train", "evaluate", "score"} <= project.changed()
    assert "ingest" not in project.changed()
    project.source(registers, layout="dhs")
    assert "ingest" in project.changed()
    project.source(shuffled(registers, tmp_path / "other"))
    assert "ingest" in project.changed()
    project.source(registers)
    assert set() == project.changed()


def test_the_same_model_learned_again_keeps_its_version(project: Project) -> None:
    told = project.folder / "data/models/registered.json"
    before = told.read_text()
    project.run(sys.executable, "-m", "training.fit")
    assert before == told.read_text()
    assert set() == project.changed()


def test_a_refused_run_says_why_and_leaves_the_last_results(project: Project, registers: Path, tmp_path: Path) -> None:
    before = project.lists()
    bad = shutil.copytree(registers, tmp_path / "bad")
    homes = pd.read_csv(bad / "household.csv", dtype="string")
    homes.drop(columns="area_id").to_csv(bad / "household.csv", index=False)

    project.source(bad)
    refused = project.start(sys.executable, "-m", "dvc", "repro")
    said, _ = refused.communicate()

    assert refused.returncode != 0
    assert "Refused. Found: `household` has no column area_id" in said
    assert "Traceback" not in said
    assert (project.folder / "data/interim/quarantine").is_dir()
    assert before == project.lists()
    project.source(registers)
    assert set() == project.changed()


def test_shuffled_rows_and_a_killed_stage_give_the_same_list_byte_for_byte(
    project: Project, registers: Path, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    second = Project(tmp_path / "second")
    second.source(shuffled(registers, tmp_path / "shuffled"))
    killed = second.start(sys.executable, "-m", "dvc", "repro")
    assert killed.stdout
    for line in killed.stdout:
        if line.startswith("training on"):  # the stage is in the midst of its work
            os.killpg(killed.pid, signal.SIGKILL)
            break
    assert killed.wait() == -signal.SIGKILL
    killed.stdout.close()

    second.repro()

    assert project.lists() == second.lists()
