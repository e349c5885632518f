"""Which refits a score's intervals are made of."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.project import QUIET

ASK = """
import shutil, tempfile
from pathlib import Path
from features.settings import Paths
from targeting.run import _refits
from tests.training.rows import rows, settings
from training import model as models, registry
from training.learn import learn
from training.spread import write

own = settings()
own = own.model_copy(update={"intervals": own.intervals.model_copy(update={"refits": 2}), "paths": Paths()})

def registered(seed):
    folder = Path(tempfile.mkdtemp())
    models.write(learn(rows(200, seed=seed), settings=own, seed=1), folder)
    return registry.register(folder, name="determinants", params={}, metrics={})

first, second = registered(1), registered(2)
out = own.paths.refits
write(rows(200, seed=1), out, of=first.digest, settings=own)
with registry.run(first.run_id):
    registry.attach(out, under="refits")

def asked(where):
    found = _refits(own, where)
    return None if found is None else (found.of == where.digest, len(found.models))

print("its own folder", asked(first))
print("another model", asked(second))
write(rows(200, seed=2), out, of=second.digest, settings=own)
print("an older model", asked(first))
shutil.rmtree(out)
print("no folder", asked(first))
"""


def test_a_model_is_given_its_own_refits_from_the_pipeline_or_the_registry_and_never_anothers(tmp_path):
    """In a process of its own, as MLflow keeps the registry that it met first."""
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-c", ASK], cwd=tmp_path, env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    own, why, another, older, none = done.stdout.splitlines()
    assert "determinants version 2 has no refits, so its risks have no interval: `dvc repro" in why
    assert "another model None" == another
    assert ["its own folder (True, 2)", "an older model (True, 2)", "no folder (True, 2)"] == [own, older, none]
