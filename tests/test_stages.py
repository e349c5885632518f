"""Every stage declares the code that it runs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ROOMS = ("features", "training", "targeting", "serving")
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# They check, tell or run, and change no result; contracts and codes reach later stages through the data.
WITHOUT_EFFECT = {"errors", "progress", "settings", "ingest", "folders", "reading", "header", "cells", "validation",
                  "schema", "codes", "columns", "contracts", "names", "machine", "strict", "settings_list"}  # fmt: skip


def imported(path: Path) -> set[Path]:
    """The project's own files that a file imports, at any depth in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        for name in names:
            if name.split(".")[0] in ROOMS:
                at = ROOT.joinpath(*name.split("."))
                found |= {p for p in (at.with_suffix(".py"), at / "__init__.py") if p.is_file()}
    return found


def reached(start: Path) -> set[Path]:
    seen, left = set(), {start}
    while left:
        path = left.pop()
        seen.add(path)
        left |= imported(path) - seen
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_file_that_can_change_its_result(stage):
    module = STAGES[stage]["cmd"].split("-m ")[1].split()[0]
    declared = [ROOT / dep for dep in STAGES[stage]["deps"] if not dep.startswith("data/")]
    code = reached(ROOT / (module.replace(".", "/") + ".py"))
    needed = {p for p in code if p.name != "__init__.py" or p.parent.name == "catalog"}
    if stage == "target":  # it shares its module with `score`, and calls nothing above its own room
        needed = {p for p in needed if p.parent.name == "targeting"}
    elif stage != "ingest":
        needed = {p for p in needed if p.stem not in WITHOUT_EFFECT and "adapters" not in p.parts}
    else:
        needed = {p for p in needed if p.stem not in {"errors", "settings", "settings_list", "strict", "progress"}}

    missing = [p for p in needed if not any(p == dep or dep in p.parents for dep in declared)]

    assert [] == sorted(str(p.relative_to(ROOT)) for p in missing)
