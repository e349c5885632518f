"""Promises about the whole house."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from features.catalog import CATALOG, Subject
from serving.access.roles import Role
from serving.settings import PREFIX, Service
from tests.conftest import ROOT

ROOMS = ("features", "training", "targeting", "serving")
CODE = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 (git is on the path wherever the project is)
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", CODE, ids=named)
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert [] == [f.name for f in functions if lines_but_docstring(f) > LONGEST_FUNCTION]


def test_every_setting_of_the_service_stands_in_its_page_with_what_it_is():
    page = (ROOT / "docs/service.md").read_text()
    for name, setting in Service.model_fields.items():
        assert f"| `{PREFIX}{name.upper()}` |" in page
        assert str(setting.description) in page


def test_every_role_stands_in_the_page_about_access():
    page = (ROOT / "docs/access.md").read_text()
    assert [] == [role for role in Role if f"| {role} |" not in page]


def lines_but_docstring(function):
    said = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (said.count("\n") + 1 if said else 0)


def test_registers_models_and_reports_are_never_in_git():
    kept = {named(path) for path in tracked()}
    assert set() == {name for name in kept if name.startswith(("data/", "reports/"))}
    assert {"mlruns/README.md"} >= {name for name in kept if name.startswith("mlruns/")}


def test_no_tracked_file_holds_the_address_of_a_package_index():
    address = re.compile(rb"(index-url|extra-index|registry)[ =:]+\S*https?://|https?://[^\s]*/simple(/|\b)")
    assert [] == [named(path) for path in tracked() if address.search(path.read_bytes())]


def test_every_locked_package_has_its_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    packages = re.findall(r"^[a-z0-9][^\n]*?==(?:[^\n]*\\\n(?:[^\n]*\\\n)*[^\n]*)", lock, flags=re.MULTILINE)
    assert packages
    assert all("--hash=sha256:" in package for package in packages)


def test_nothing_that_was_kept_or_sent_by_others_is_read_as_a_pickle():
    between_our_own_processes = "serving/scorers/wire.py"  # over a socket that has no name
    unsafe = re.compile(r"^\s*(import|from) (pickle|joblib|cloudpickle|dill)\b|allow_pickle=True", re.MULTILINE)
    assert [between_our_own_processes] == [named(path) for path in CODE if unsafe.search(path.read_text())]


def test_nothing_is_sent_anywhere():
    makefile = (ROOT / "Makefile").read_text()
    for switch in ("DVC_NO_ANALYTICS := 1", "MLFLOW_DISABLE_TELEMETRY := true", "DO_NOT_TRACK := true"):
        assert f"export {switch}" in makefile
    assert "analytics = false" in (ROOT / ".dvc/config").read_text()


def test_the_catalogue_knows_every_subject_and_at_least_sixty_features():
    assert set(Subject) == {f.subject for f in CATALOG}
    assert len(CATALOG) >= 60
    assert all(f.meaning_id and f.meaning_en and f.null_means and f.source for f in CATALOG)


def test_every_figure_of_the_readme_stands_on_the_page_that_the_reports_wrote():
    figures = re.compile(r"[+-]?0\.\d{3} \([^)]*\)|0\.\d{4} ?\(sd 0\.\d{4}\)")
    page = (ROOT / "docs/evaluation.md").read_text()
    said = [f for f in figures.findall((ROOT / "README.md").read_text()) if "sd" not in f]
    assert len(said) > 20
    assert [] == [figure for figure in said if figure not in page]


def test_the_map_in_the_readme_is_the_house():
    drawn = re.search(r"## The map.*?```\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert drawn
    rooms = re.findall(r"^([a-z]+)/", drawn[1], flags=re.MULTILINE)
    assert rooms
    assert [] == [room for room in rooms if not (ROOT / room).is_dir()]
