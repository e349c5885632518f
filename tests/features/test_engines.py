"""Rows go into each engine and come out the same; what cannot run says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest
from ibis import _

from features.engines import Engine
from features.errors import InputRefused
from features.machine import Machine, machine
from tests.conftest import ON_SPARK

OPEN = """
from features.engines import opened
from features.errors import run_stage
run_stage(lambda: opened().__enter__())
"""
WITHOUT_PYSPARK = "import sys; sys.modules['pyspark'] = None" + OPEN


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Machine("duckdb", "local[*]")),
        ({"TEPAT_ENGINE": ""}, Machine("duckdb", "local[*]")),
        ({"TEPAT_ENGINE": "spark"}, Machine("spark", "local[*]")),
        ({"TEPAT_ENGINE": "spark", "TEPAT_SPARK_MASTER": "local[2]"}, Machine("spark", "local[2]")),
        ({"TEPAT_ENGINE": "spark", "TEPAT_SPARK_MASTER": "spark://a:7077"}, Machine("spark", "spark://a:7077")),
        ({"TEPAT_ENGINE": "spark", "TEPAT_SPARK_MASTER": "spark://a:1,b:2"}, Machine("spark", "spark://a:1,b:2")),
    ],
)
def test_the_environment_says_which_engine_and_where(environment, expected):
    assert expected == machine(environment)


@pytest.mark.parametrize("engine", ["Spark", "polars", " "])
def test_an_engine_that_is_none_is_refused(engine):
    with pytest.raises(InputRefused, match=r"TEPAT_ENGINE=.*Allowed: duckdb or spark"):
        machine({"TEPAT_ENGINE": engine})


@pytest.mark.parametrize(
    "master", ["yarn", "local[0]", "local[]", "spark://a", "spark://a:x", "http://a:7077", "a:7077"]
)
def test_a_master_that_is_none_is_refused(master):
    with pytest.raises(InputRefused, match=r"TEPAT_SPARK_MASTER=.*Allowed: local"):
        machine({"TEPAT_ENGINE": "spark", "TEPAT_SPARK_MASTER": master})


def said_without(code: str, **environment: str) -> str:
    """What a process says that asks for Spark and cannot have it; it has no traceback."""
    asked = os.environ | {"TEPAT_ENGINE": "spark"} | environment
    done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=False)  # noqa: S603 (our own code)
    assert (1, "") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_without_java_spark_is_refused_in_words(tmp_path):
    said = said_without(OPEN, PATH=str(tmp_path), JAVA_HOME="")

    assert "no Java" in said
    assert "Allowed: Java 17 or newer" in said
    assert "apt-get install default-jre-headless" in said


def test_java_home_without_a_java_is_refused_in_words(tmp_path):
    assert "no Java" in said_without(OPEN, JAVA_HOME=str(tmp_path))


def test_an_old_java_is_refused_with_its_version(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)

    assert "Java 11" in said_without(OPEN, JAVA_HOME=str(tmp_path))


@pytest.mark.skipif(ON_SPARK[1].args[0], reason="no Java")
def test_without_pyspark_spark_is_refused_in_words():
    said = said_without(WITHOUT_PYSPARK)

    assert "without the package pyspark" in said
    assert "requirements-spark.lock" in said


@pytest.mark.skipif(ON_SPARK[1].args[0], reason="no Java")
def test_a_cluster_that_does_not_answer_is_refused_in_words():
    assert "nobody answers" in said_without(OPEN, TEPAT_SPARK_MASTER="spark://127.0.0.1:1")


EVERY_KIND = pd.DataFrame(
    {
        "text": pd.Series(["ana", None, ""], dtype="string"),
        "whole": pd.Series([1, None, -3], dtype="Int64"),
        "number": pd.Series([0.1, float("nan"), -2.5]),
        "yes": pd.Series([True, None, False], dtype="boolean"),
        "day": pd.Series(pd.to_datetime(["2024-06-01", None, "1969-12-31"])).astype("datetime64[us]"),
        "no_text": pd.Series([None, None, None], dtype="string"),
        "no_whole": pd.Series([None, None, None], dtype="Int64"),
        "no_number": pd.Series([float("nan")] * 3),
        "no_yes": pd.Series([None, None, None], dtype="boolean"),
        "no_day": pd.Series([pd.NaT] * 3).astype("datetime64[us]"),
    }
)


def test_every_kind_of_column_comes_back_as_it_went_in(engine: Engine):
    found = engine.fetch(engine.hold("kinds", EVERY_KIND)).astype(EVERY_KIND.dtypes.to_dict())

    by_text = {"by": "text", "ignore_index": True}
    pd.testing.assert_frame_equal(EVERY_KIND.sort_values(**by_text), found.sort_values(**by_text))


@pytest.mark.parametrize("column", list(EVERY_KIND))
def test_an_empty_cell_is_null_and_never_nan(engine: Engine, column: str):
    # SQL counts a NaN, and no null
    known = engine.hold("kinds", EVERY_KIND)[column].count().as_table()

    assert EVERY_KIND[column].notna().sum() == engine.fetch(known).iloc[0, 0]


def test_what_is_held_is_computed_once_and_has_no_lineage(engine: Engine):
    kinds = engine.hold("kinds", EVERY_KIND)
    held = engine.hold("doubled", kinds.select(twice=_.whole * 2))

    assert [-6, 2] == sorted(engine.fetch(held).twice.dropna())
    assert "doubled" == held.op().name
