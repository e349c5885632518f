"""Who is champion after whom; and what the registry must not let through."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.project import QUIET

pytestmark = pytest.mark.xdist_group("succession")

ASK = """
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import mlflow, numpy as np
from features.errors import Refused
from targeting.promote import tell
from targeting.ruling import Side, _compared, _counts
from tests.training.rows import rows, settings
from training import model as models, records, registry, succession
from training.learn import learn

own, on = settings(), datetime(2024, 5, 1, tzinfo=UTC)
learned = learn(rows(200, seed=1), settings=own, seed=1)

def registered(seed, simulated=False):
    folder = Path(tempfile.mkdtemp())
    models.write(replace(learned, seed=seed, simulated=simulated), folder)
    where = registry.register(folder, name="determinants", params={"simulated": simulated}, metrics={})
    return Side(replace(learned, seed=seed, simulated=simulated), where)

def refused(ask, *said, **more):
    try:
        ask(*said, **more)
    except Refused as refusal:
        return str(refusal)
    return "nothing"

def crown(side, instead_of, seen=None):
    before, met = (each and each.where for each in (instead_of, seen or instead_of))
    succession.crown(side.where, instead_of=before, seen=met, because="", on=on)

made_up, first, second, third = registered(0, True), registered(1), registered(2), registered(3)
print(_counts(first, registry.standing("determinants"))[1])
crown(made_up, None)
print(_counts(first, registry.standing("determinants")))
print(_counts(made_up, registry.standing("determinants"))[0] == made_up.where)
registry.point(second.where)
print(_counts(first, registry.standing("determinants"))[1])
crown(first, None, seen=second)
crown(second, first)
crown(third, second)
before = [succession.champion_before(each.where) for each in (first, second, third)]
print([each and each.version for each in before])
succession.set_aside(second.where, because="nobody was at home")
print(succession.champion_before(third.where).version)
print(refused(crown, second, first))
tell(second.where, Path("champion"))
print(refused(registry.promoted, Path("champion")))
tell(third.where, Path("champion"))
print(registry.promoted(Path("champion"))[1] == third.where)

booster = next(Path("mlruns").rglob(f"{third.where.run_id}/artifacts/model/booster.ubj"))
booster.write_bytes(b"half")
print(_compared(first, third.where)[1])
registered(3)
print(refused(registry.fetch, "determinants", version=third.where.version))

test = rows(40, seed=9, year=2014)
asked = lambda rows: records.risk_of(first.model, first.where, rows, why="a test", on=on)
once = asked(test)
again, backwards = asked(test), asked(test[::-1])
counted = len(records.reads(rows=records.rows_of(test)))
print(np.array_equal(once, again), np.array_equal(once[::-1], backwards), counted)
next(Path("mlruns").rglob("reads/*.npy")).write_bytes(b"half")
print(np.array_equal(once, asked(test)))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """In a process of its own, as MLflow keeps the registry that it met first."""
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-c", ASK], cwd=tmp_path_factory.mktemp("registry"), text=True, capture_output=True,
        env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


def test_only_a_champion_of_real_children_that_passed_a_gate_has_a_place_to_defend(said: list[str]) -> None:
    assert "There is no champion yet." == said[0]
    assert said[1].startswith("(None, 'The champion determinants-")
    assert said[1].endswith("was learned from a simulation.')")
    assert "True" == said[2]
    assert said[3].endswith("never passed a gate.")


def test_the_way_back_leads_past_those_who_were_set_aside(said: list[str]) -> None:
    assert "[None, '2', '3']" == said[4]
    assert "2" == said[5]


def test_a_champion_that_another_run_crowned_meanwhile_is_not_overthrown_unjudged(said: list[str]) -> None:
    assert said[6].startswith("The champion of 'determinants' was changed meanwhile. Ask the gate again")


def test_a_list_is_made_by_the_registrys_champion_or_not_at_all(said: list[str]) -> None:
    assert "was champion here, and now determinants-" in said[7]
    assert said[7].endswith("Run `dvc repro --force promote`, then `dvc repro`.")
    assert "True" == said[8]


def test_damaged_files_are_said_and_training_again_puts_them_back(said: list[str]) -> None:
    assert "cannot answer: The files of 'determinants' version 4 are not those that were registered" in said[9]
    assert "nothing" == said[10]


def test_a_model_is_asked_the_test_rows_once_in_any_order_and_a_damaged_answer_is_asked_again(said: list[str]) -> None:
    assert "True True 1" == said[11]
    assert "True" == said[12]
