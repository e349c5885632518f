"""The whole path, as DVC runs it, on a part of the real survey."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from features.fitted import PLAUSIBLE
from tests.project import Project, shuffled
from training.baselines import MEANINGS

pytestmark = pytest.mark.xdist_group("survey run")  # one worker runs it, for the gate's tests too


@pytest.fixture(scope="module")
def project(first_run: Project) -> Project:
    return first_run


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


def test_the_plan_keeps_its_policy_and_every_scored_household_is_on_it_or_told_why_not(project: Project) -> None:
    folder = project.folder / "reports/plan"
    said = json.loads((folder / "plan.json").read_text())
    lines, out = (pd.read_csv(folder / name, dtype={"household_id": "str"}) for name in ("plan.csv", "left_out.csv"))
    scored = pd.read_parquet(project.folder / "data/scores/units.parquet")
    figures = said["figures"]
    floors = pd.read_csv(folder / "limits.csv").query("rule == 'floors.region'")

    assert set(scored.household_id) == {*lines.household_id, *out.household_id}
    assert not set(lines.household_id) & set(out.household_id)
    assert round(0.10 * figures["competing"]) == figures["visits"] == len(lines)
    assert round(0.05 * figures["visits"]) == figures["by_lot"] == (lines.chosen_for == "exploration").sum()
    assert (floors.used >= floors.least).all()
    assert round(0.04 * figures["competing"]) == floors.least.sum()
    assert figures["gap"] < 0.005
    assert out.why_id.str.len().gt(0).all()
    assert lines.value.sum() == pytest.approx(figures["reached"])
    assert len(pd.read_parquet(project.folder / "data/scores/urgent.parquet")) == len(
        pd.read_csv(folder / "urgent.csv")
    )


def test_what_a_plan_reaches_is_told_of_children_who_were_measured(project: Project) -> None:
    found = json.loads((project.folder / "reports/plans.json").read_text())
    metrics = json.loads((project.folder / "reports/metrics.json").read_text())

    assert metrics["n"] == found["children"]
    assert found["asked"]["plan"]["reached"] > found["asked"]["poverty_only"]["reached"]


def test_a_plan_is_made_again_from_its_own_policy_and_inputs_and_another_input_is_named(project: Project) -> None:
    asked = project.folder / "reports" / "asked-plan"
    project.run(sys.executable, "-m", "serving.cli", "plan", "--top", "3")
    assert "the same inputs make the same plan" in tepat(project, "plan", "--again", str(asked))
    urgent = project.folder / "data/scores/urgent.parquet"
    kept = urgent.read_bytes()
    pd.read_parquet(urgent).head(0).to_parquet(urgent)
    refused = project.start(sys.executable, "-m", "serving.cli", "plan", "--again", str(asked))
    said, _ = refused.communicate()
    urgent.write_bytes(kept)

    assert 0 != refused.returncode
    assert "other inputs than those of" in said
    assert "urgent.parquet" in said


def test_a_policy_that_cannot_be_kept_changes_no_file(project: Project, tmp_path: Path) -> None:
    folder = project.folder / "reports/plan"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    policy = tmp_path / "policy.yaml"
    policy.write_text("{version: '1', name: n, round: r, capacity: {amount: 3}, floors: {region: {visits: 2}}}")
    refused = project.start(
        sys.executable, "-m", "serving.cli", "plan", "--policy", str(policy), "--out", "reports/plan"
    )
    said, _ = refused.communicate()

    assert 0 != refused.returncode
    assert "Traceback" not in said
    assert "rules that cannot all be kept: capacity leaves 3 visits; floors.region of 5 places" in " ".join(
        said.split()
    )
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_rule_in_the_policy_runs_the_plan_again_and_nothing_before_it(project: Project) -> None:
    policy = project.folder / "round.yaml"
    default = project.folder / "targeting/policies/default.yaml"
    policy.write_text(default.read_text().replace("share: 0.04", "share: 0.05"))
    params = project.folder / "params.yaml"
    kept = params.read_text()
    params.write_text(kept.replace("targeting/policies/default.yaml", "round.yaml"))

    assert {"plan"} == project.changed()
    params.write_text(kept)
    assert set() == project.changed()


def tepat(project: Project, *command: str) -> str:
    return " ".join(project.run(sys.executable, "-m", "serving.cli", *command).split())


def test_a_comparison_has_every_order_under_the_same_limits(project: Project) -> None:
    tepat(project, "compare", "--out", "reports/compared")
    folder = project.folder / "reports/compared"
    table = pd.read_csv(folder / "plans.csv").set_index("plan")

    assert 1 == table.visits.nunique()
    assert (table.reached <= table.reached["plan"] + 1e-6).all()
    assert (table.reached_low < table.reached).all()
    assert {"plans.png", "frontier_capacity.png", "coverage.csv", "compare.json"} < {p.name for p in folder.iterdir()}


def test_what_the_visits_of_a_plan_found_comes_back_with_weights(project: Project) -> None:
    said = tepat(project, "outcomes", "reports/plan")
    labels = pd.read_csv(project.folder / "reports/plan-outcomes/outcomes.csv")

    assert "stunted" in said
    assert {"unit_id", "stunted", "chosen_for", "chance", "weight"} <= set(labels)


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
