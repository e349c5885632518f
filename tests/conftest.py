"""What several rooms' tests need: both engines, and the real survey, run once through the pipeline."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# Before anything loads the library that reads it: threads that wait for work would else take it from other workers.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nobody is told that tests are run.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")

import pandas as pd
import pytest
from hypothesis import settings

from features.build import build, read_registers
from features.contracts import REGISTERS
from features.engines import Engine, opened
from features.errors import InputRefused
from features.ingest import ingest
from features.machine import Machine, need_java
from tests.project import ROOT, Project, made_once

# No test depends on wall-clock speed. TEPAT_EXAMPLES=1000 tries the laws harder than a push has time for.
settings.register_profile("tepat", deadline=None, max_examples=int(os.environ.get("TEPAT_EXAMPLES", "25")))
settings.load_profile("tepat")

# What is asserted for several tests says as much as in a test.
pytest.register_assert_rewrite("tests.serving.path")

SHARED = Path(os.environ.get("TEPAT_SHARED_DATA", ROOT.parent / "shared" / "data"))


def without_spark() -> str:
    """Why Spark cannot run here; empty where it can."""
    try:
        need_java()
    except InputRefused as refusal:
        return str(refusal)
    return "" if find_spec("pyspark") else "no pyspark; `make test` installs it"


# One process runs all of Spark's tests, and so one Spark.
ON_SPARK = [pytest.mark.xdist_group("spark"), pytest.mark.skipif(bool(without_spark()), reason=without_spark())]
SOME_REGIONS, SOME_AREAS = ("PE-02", "PE-06", "PE-09", "PE-13", "PE-15"), 0.45
"""Regions, and the share of their areas, in tests of the whole path."""
DUCKDB, SPARK = Machine("duckdb"), Machine("spark", "local[2]")


@pytest.fixture(scope="session")
def spark_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings of Spark's own for short queries, of which most time goes into Java's making itself faster."""
    folder = tmp_path_factory.mktemp("spark")
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    lines = (f"spark.{process}.defaultJavaOptions {quick}\n" for process in ("driver", "executor"))
    (folder / "spark-defaults.conf").write_text("".join(lines))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_CONF_DIR", str(folder))
        yield folder


@pytest.fixture(
    scope="session", params=[pytest.param(DUCKDB, id="duckdb"), pytest.param(SPARK, id="spark", marks=ON_SPARK)]
)
def machine(request: pytest.FixtureRequest, spark_settings: Path) -> Machine:
    """A machine with each engine."""
    del spark_settings  # they stand in the environment
    found: Machine = request.param
    return found


@pytest.fixture
def engine(machine: Machine) -> Iterator[Engine]:
    """Each engine, open."""
    with opened(machine) as found:
        yield found


@pytest.fixture
def embedded() -> Iterator[Engine]:
    """DuckDB, open: for what a feature reaches, which lies in its declaration and is the same on every engine."""
    with opened(DUCKDB) as found:
        yield found


@pytest.fixture(scope="session")
def endes() -> Path:
    """Folder of the ENDES 2012-2014 recode files."""
    folder = SHARED / "endes" / "raw"
    if not folder.is_dir():
        pytest.skip(f"no survey at {folder}; set TEPAT_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def interim(endes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The survey's accepted registers."""

    def take_in(folder: Path) -> None:
        ingest(endes, "dhs", folder / "interim", max_quarantine_share=0.05)

    return made_once(tmp_path_factory, "endes", take_in) / "interim"


@pytest.fixture(scope="session")
def units(interim: Path) -> pd.DataFrame:
    """The survey's units with their features."""
    return build(read_registers(interim)).units


@pytest.fixture(scope="session")
def registers(interim: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registers of a part of a few regions, as the CSV files that a district would hand over."""
    folder = tmp_path_factory.mktemp("registers")
    whole = {name: pd.read_parquet(interim / f"{name}.parquet") for name in REGISTERS}
    lots = whole["area"].area_id.map(lambda a: int(hashlib.sha256(a.encode()).hexdigest()[:8], 16) / 16**8)
    areas = whole["area"][(lots < SOME_AREAS) & whole["area"].region_id.isin(SOME_REGIONS)]
    homes = whole["household"][whole["household"].area_id.isin(areas.area_id)]
    children = whole["child"][whole["child"].household_id.isin(homes.household_id)]
    mothers = whole["maternal"][whole["maternal"].household_id.isin(homes.household_id)]
    within = {"household_id": homes, "area_id": areas, "child_id": children, "mother_id": mothers}
    for name, rows in whole.items():
        if rows.empty:  # the survey has none
            continue
        key = "mother_id" if name == "pregnancy" else next(k for k in within if k in rows)
        rows[rows[key].isin(within[key][key])].to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def first_run(registers: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The whole path once, from these registers to a list and a plan."""
    made = Project(tmp_path_factory.mktemp("first"), with_plans=True)
    made.source(registers)
    made.repro()
    return made


DEAREST = ("survey run", "serving-2", "serving", "pages", "postgres", "spark", "history", "survey model")
"""Groups of one worker each, the longest first: one that began last would go on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the dear groups at the beginning, in which order they are handed out."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    group = (mark.args or tuple(mark.kwargs.values()))[0] if mark else None
    return DEAREST.index(group) if group in DEAREST else len(DEAREST)


def pytest_collection_finish() -> None:
    """Keep what was collected out of what the collector of garbage looks through, again and again."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often the service was attacked, and in how many of those tests something came through."""
    reports = [one for of in terminalreporter.stats.values() for one in of if getattr(one, "when", "") == "teardown"]
    counted = [(one, value) for one in reports for name, value in one.user_properties if name == "hostile attempts"]
    if counted:
        broken = sum(one.failed for one, _ in counted)
        made = sum(value for _, value in counted)
        terminalreporter.write_line(f"hostile attempts: {made:,}; tests in which one was let through: {broken}")
