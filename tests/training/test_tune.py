"""Tuning looks at training rows only, goes on where it stopped, and prefers the simple."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import yaml

from features.settings import Booster
from tests.conftest import ROOT
from tests.project import QUIET
from tests.training.rows import settings
from training.tune import Tried, simplest, to_write

BOOSTER = settings().train.booster


def tried(*by_fold: float, rounds: int = 100, depth: int = 3) -> Tried:
    return Tried(BOOSTER.model_copy(update={"rounds": rounds, "max_depth": depth}), 0.7, by_fold)


SCRIPT = """
import json, sys
from pathlib import Path
from tests.training.rows import rows, settings
from training import registry
from training.tune import opened, tuned

few = settings()
for trials in (1, 2, 2):
    asked = few.model_copy(update={"tune": few.tune.model_copy(update={"trials": trials})})
    with registry.tuning("s"):
        found = tuned(rows(500, seed=1), settings=asked, study=opened("s", Path("mlruns/tuning.log"), seed=1))
    print(json.dumps([[one.booster.model_dump(), one.by_fold] for one in found]))
client = registry.mlflow.MlflowClient()
runs = client.search_runs([client.get_experiment_by_name("tepat").experiment_id])
print(json.dumps(sorted(run.info.run_name for run in runs)))
"""
"""In a process of its own, as MLflow keeps the registry that it met first."""


def test_the_simplest_is_the_smallest_that_the_best_does_not_surely_beat():
    best = tried(0.84, 0.82, 0.83, rounds=900)
    as_good = tried(0.835, 0.823, 0.83, rounds=200)
    surely_worse = tried(0.83, 0.81, 0.82, rounds=50)

    assert as_good == simplest([best, as_good, surely_worse])
    assert best == simplest([best, surely_worse])


def test_what_it_says_can_be_written_into_the_settings():
    said = to_write(tried(0.8, 0.8))

    assert Booster(**yaml.safe_load(said)["train"]["booster"]) == tried(0.8, 0.8).booster


def test_it_begins_with_the_settings_in_use_and_goes_on_where_it_stopped(tmp_path):
    (tmp_path / "mlruns").mkdir()
    done = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    first, both, again, runs = map(json.loads, done.stdout.splitlines())

    assert BOOSTER.model_dump() == first[0][0]
    assert 3 == len(first[0][1])
    assert first[0] == both[0]
    assert 2 == len(both)
    assert both == again
    assert ["trial 0", "trial 1", "tuning s"] == runs
