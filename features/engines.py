"""Opens the engine that Ibis expressions run on; no other file names one.

Which one is a setting of the machine: after its declared rounding every feature is the same on each.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import ibis
import ibis.expr.operations as ops
import pandas as pd
import pyarrow as pa

from features.errors import InputRefused
from features.machine import Machine, bound, machine, need_answer, need_java

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis.expr.types as ir

SPARK = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    # The dates of a register have no time zone, and get none.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
    # A frame joins many views at once. A join that sorts keeps memory from the others, so small sides are sent whole.
    "spark.sql.autoBroadcastJoinThreshold": "32m",
    "spark.buffer.pageSize": "1m",
}
QUIET = """
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n%ex{short}
logger.python.name = org.apache.spark.api.python.PythonGatewayServer
logger.python.level = error
"""


class Engine(Protocol):
    """An open engine: rows go in under a name, and expressions over them come out as rows."""

    def hold(self, name: str, rows: pd.DataFrame | ir.Table) -> ir.Table:
        """The rows as a table of the engine, in memory; of an expression the values, computed now and once."""

    def fetch(self, table: ir.Table) -> pd.DataFrame:
        """The rows of an expression, in any order."""


@contextmanager
def opened(on: Machine | None = None) -> Iterator[Engine]:
    """The engine of this machine, by its environment unless `on` is given; what it held is let go at the end.

    Raises
    ------
    InputRefused
        The environment asks for what is no engine, or for Spark where it cannot run.
    """
    chosen = on or machine(os.environ)
    if chosen.engine == "spark":
        spark = _Spark(_session(chosen.spark_master).newSession())
        try:
            yield spark
        finally:
            spark.let_go()
    else:
        with duckdb() as backend:
            yield _DuckDB(backend)


@contextmanager
def duckdb() -> Iterator[ibis.BaseBackend]:
    """An embedded DuckDB in memory, closed at the end."""
    engine = ibis.duckdb.connect()
    try:
        yield engine
    finally:
        engine.disconnect()


@dataclass(frozen=True)
class _DuckDB:
    backend: Any

    def hold(self, name: str, rows: pd.DataFrame | ir.Table) -> ir.Table:
        return self.backend.create_table(name, rows if isinstance(rows, pd.DataFrame) else rows.to_pyarrow())

    def fetch(self, table: ir.Table) -> pd.DataFrame:
        return table.to_pandas()


class _Spark:
    """A session of its own within the process's one Spark: its tables are seen by nobody else."""

    def __init__(self, session: Any) -> None:
        self._session, self._backend = session, ibis.pyspark.connect(session)
        self._held: list[Any] = []
        # As many parts as there are threads, twice; the 200 that Spark would make are for larger tables.
        session.conf.set("spark.sql.shuffle.partitions", max(4, 2 * session.sparkContext.defaultParallelism))

    def hold(self, name: str, rows: pd.DataFrame | ir.Table) -> ir.Table:
        # By way of Arrow, which knows null from NaN in every kind of column. An expression goes the same way: kept as
        # it is, Spark would unfold and compare it again in every query that reads it, which takes a minute.
        given = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else self._run(rows)
        kept = self._session.createDataFrame(given).cache()
        self._held.append(kept)
        # Counted, so that it is in memory and Spark knows its size when it plans a join.
        kept.count()
        kept.createTempView(name)
        return self._backend.table(name)

    def fetch(self, table: ir.Table) -> pd.DataFrame:
        return self._run(table).to_pandas()

    def let_go(self) -> None:
        for kept in self._held:
            kept.unpersist()

    def _run(self, table: ir.Table) -> pa.Table:
        return self._session.sql(self._backend.compile(table)).toArrow()


@cache
def _session(master: str) -> Any:
    """Spark, started once in a process and stopped at its end."""
    need_java()
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError as fault:
        raise InputRefused(
            "TEPAT_ENGINE=spark without the package pyspark",
            "pyspark 4.0",
            "Install it with `.venv/bin/uv pip install --require-hashes -r requirements-spark.lock`.",
        ) from fault
    need_answer(master)
    folder = Path(tempfile.mkdtemp(prefix="tepat-spark-"))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_DRIVER_MEMORY", "2g")
    builder = SparkSession.builder.appName("tepat").master(master)
    for key, value in (SPARK | _in(folder) | bound(master)).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    atexit.register(_stop, session, folder)
    if session.sparkContext.master != master:
        raise InputRefused(
            f"Spark on {master}, in a process whose Spark runs on {session.sparkContext.master}",
            "one Spark in a process",
            "Use another process.",
        )
    return session


def _stop(session: Any, folder: Path) -> None:
    session.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _in(folder: Path) -> dict[str, str]:
    """Settings that keep everything Spark writes, and what it says short of an error, out of the way."""
    quiet = folder / "log4j2.properties"
    quiet.write_text(QUIET, encoding="utf-8")
    return {
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} -Dlog4j2.configurationFile={quiet.as_uri()}",
    }


class _Inbox:
    """A table whose rows change between runs; whoever reads it gets those of the moment."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema, self._kind = schema, pa.struct(list(schema))
        self.rows = pa.RecordBatch.from_pylist([], schema=schema)

    def take(self, rows: list[dict[str, Any]]) -> None:
        self.rows = pa.RecordBatch.from_struct_array(pa.array(rows, self._kind))

    def __arrow_c_schema__(self) -> Any:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.rows.__arrow_c_stream__(requested_schema)


class Prepared:
    """An expression over one table, planned once and run on the few rows handed over each time.

    Planning the whole catalogue takes a second, a run a few milliseconds. One caller at a time. The engine is opened by
    the first run, not before: a process that forks must not have opened it, since its threads would not come along.
    """

    def __init__(self, table: ir.Table, expression: ir.Table) -> None:
        read = {field.name for field in expression.op().find(ops.Field) if field.rel == table.op()}
        self._inbox = _Inbox(pa.schema([column for column in table.schema().to_pyarrow() if column.name in read]))
        self._name, self._planned = table.get_name(), str(ibis.to_sql(expression, dialect="duckdb"))

    @cached_property
    def _engine(self) -> Any:
        opened = ibis.duckdb.connect(threads=1)
        # A short list would become a join, which costs more than all the rest of a run.
        opened.con.execute("SET disabled_optimizers = 'in_clause'")
        opened.con.register(self._name, self._inbox)
        opened.con.execute(f"PREPARE run AS {self._planned}")
        return opened

    def run(self, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        """The expression's rows, in the order of those given; a column that a row lacks is null."""
        self._inbox.take(rows)
        found: list[tuple[Any, ...]] = self._engine.con.execute("EXECUTE run").fetchall()
        return found

    def close(self) -> None:
        """Give the memory back."""
        if "_engine" in self.__dict__:
            self._engine.disconnect()
