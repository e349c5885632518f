"""The command: an example in every help, and refusals without a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from serving.cli import app, main
from tests.conftest import ROOT


def commands(of: Any, *words: str) -> list[tuple[str, ...]]:
    """Every command below this one, by the words that are typed for it."""
    below: dict[str, Any] | None = getattr(of, "commands", None)
    if below is None:
        return [words]
    return sorted(found for name, one in below.items() for found in commands(one, *words, name))


COMMANDS = commands(get_command(app))


def tepat(*words: str, inside: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-m", "serving.cli", *words], cwd=inside, text=True, capture_output=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "300"},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in which nothing has run."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_shows_an_example(command):
    shown = CliRunner().invoke(app, [*command, "--help"], terminal_width=200)
    assert 0 == shown.exit_code
    assert f"Example: tepat {' '.join(command)}" in shown.output


def test_the_commands_of_every_group_are_among_them():
    assert {("serve",), ("backup",), ("restore",), ("retain",), ("account", "add"), ("audit", "verify")} <= set(
        COMMANDS
    )


def test_a_refusal_says_what_to_do_and_shows_no_traceback(folder):
    done = tepat("ingest", "--data", "nowhere", inside=folder)
    assert 1 == done.returncode
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["train", "evaluate", "score", "worklist", "metrics"])
def test_what_needs_a_run_before_it_says_so(folder, word, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["tepat", word])
    with pytest.raises(SystemExit, match="Run `make run`"):  # a text: Python says it and ends with 1
        main()


def test_an_unknown_layout_names_those_that_are_known(folder):
    done = tepat("ingest", "--data", ".", "--format", "excel", inside=folder)
    assert 2 == done.returncode
    assert "canonical" in done.stderr


def test_growth_appends_scores_and_counts_what_it_could_not_read(folder):
    (folder / "in.csv").write_text(
        'id,sex,age,is_age_in_month,lenhei,measure\na,f,365,false,"73,4",l\nb,m,12,true,tall,l\n'
    )

    done = tepat("growth", "in.csv", "out.csv", inside=folder)

    assert 0 == done.returncode, done.stderr
    scored = pd.read_csv(folder / "out.csv")
    assert ["a", "b"] == list(scored["id"])
    assert pytest.approx(-0.24, abs=0.01) == scored.zlen[0]
    assert pd.isna(scored.zlen[1])
    assert "lenhei: 1 cells hold no number" in done.stdout


def test_ingest_prints_an_account_and_leaves_the_rows_to_fix(folder):
    registers = folder / "registers"
    registers.mkdir()
    homes = ["household_id,recorded_on,area_id,member_count", *(f"h{n},2024-01-0{n % 9 + 1},a,4" for n in range(40))]
    (registers / "household.csv").write_text("\n".join([*homes, "h99,2024-01-01,a,many"]))
    (registers / "child.csv").write_text(
        "child_id,household_id,recorded_on,birth_date,sex\nc1,h1,2024-01-02,2023-01-01,f\n"
    )

    done = tepat("ingest", "--data", "registers", "--out", "accepted", inside=folder)

    assert 0 == done.returncode, done.stderr
    assert ["household", "41", "40", "1"] == next(
        line for line in done.stdout.replace("│", " ").splitlines() if "household " in line
    ).split()
    assert "many" in (folder / "accepted/quarantine/household.csv").read_text()
