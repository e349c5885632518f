"""`make audit` says what it found, and never that all is well where nothing was looked up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PART = {"name": "jinja2", "version": "3.0.0"}
FAULT = {"id": "PYSEC-1", "fix_versions": ["3.1.6"], "description": "", "aliases": []}
AUDIT = """#!{python}
import pathlib, sys
pathlib.Path(r"{asked}").write_text(" ".join(sys.argv[1:]))
sys.stdout.write(pathlib.Path(r"{folder}/stdout").read_text())
sys.stderr.write(pathlib.Path(r"{folder}/stderr").read_text())
"""


@pytest.fixture
def audit(tmp_path: Path):
    """Runs the script with a pip-audit that says what it is told to."""
    tool = tmp_path / "pip-audit"
    tool.write_text(AUDIT.format(python=sys.executable, asked=tmp_path / "asked", folder=tmp_path))
    tool.chmod(0o755)

    def run(stdout: str, stderr: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "stdout").write_text(stdout)
        (tmp_path / "stderr").write_text(stderr)
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603 (our own script)
            [sys.executable, ROOT / "deploy/audit.py"],
            cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def parts(*found: dict) -> str:
    return json.dumps({"dependencies": list(found), "fixes": []})


def test_a_known_fault_is_named_and_fails(audit):
    done = audit(parts(PART | {"vulns": [FAULT]}, {"name": "numpy", "version": "2.0", "vulns": []}))
    assert 1 == done.returncode
    assert "2 parts: 2 looked up, 1 with known faults, 0 not looked up." in done.stdout
    assert "- jinja2 3.0.0: PYSEC-1, mended in 3.1.6" in done.stdout
    assert "Nothing was checked" not in done.stdout


def test_parts_that_were_skipped_are_named(audit):
    skipped = {"name": "tepat-odd", "skip_reason": "not found"}
    done = audit(parts({"name": "numpy", "version": "2.0", "vulns": []}, skipped))
    assert 0 == done.returncode
    assert "2 parts: 1 looked up, 0 with known faults, 1 not looked up." in done.stdout
    assert "nobody here could tell anything: tepat-odd." in done.stdout


def test_where_nothing_was_looked_up_it_says_so(audit):
    done = audit(parts(*({"name": f"part-{n}", "skip_reason": "away"} for n in range(7))))
    assert 0 == done.returncode
    assert "part-4 and 2 more" in done.stdout
    assert "Nothing was checked" in done.stdout


@pytest.mark.parametrize(("stderr", "status"), [("Failed to connect to the registry", 0), ("Traceback: odd", 2)])
def test_without_an_answer_it_says_that_nothing_was_checked(audit, stderr, status):
    done = audit("", stderr)
    assert status == done.returncode
    assert stderr in done.stdout
    assert "Nothing was checked" in done.stdout


def test_every_lock_is_asked_about(audit, tmp_path):
    audit(parts())
    asked = (tmp_path / "asked").read_text()
    locks = [path.name for path in ROOT.glob("requirements*") if path.suffix in (".lock", ".txt")]
    assert len(locks) > 1
    assert [] == [name for name in locks if f"--requirement {name}" not in asked]
