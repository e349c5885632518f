"""Accepted registers -> the rows of each household, by household; on the disk, since they may be many millions.

A child, or a woman, belongs to the household of its newest row. A household has its own rows, those of its children and
women, and those of its children's mothers, as a request would hand them over.
"""

# ruff: noqa: S608 (names of registers and columns are ours; what was handed over stays in the tables)
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.contracts import REGISTERS
from features.engines import duckdb
from serving.jobs.checking import REFUSED, ROW
from serving.rows import SCORED_FROM

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from serving.access.scope import Scope

MOST_ROWS = 200
"""Of one register for one household, as in a request."""
OUTSIDE, CROWDED = "outside your regions", "more than 200 rows of this register are of one household"
STRANGER = "names nobody in `child` or `maternal`: of which household it is, cannot be told"
ALLOWED = {
    OUTSIDE: ("household_id", "a household whose newest row names an area in your regions"),
    CROWDED: ("household_id", f"at most {MOST_ROWS} rows of a register for each household"),
    STRANGER: ("child_id", "somebody who has an accepted row in `child` or `maternal`"),
}
WITH_HOME = ("household", "sanitation", "child", "maternal")
NUMBER, AT_HOME = "n", "_at_home"
MEMORY = "1GB"


@dataclass(frozen=True, eq=False)
class Grouped:
    """How many households there are to score, and the rows that are refused for what others say: `REFUSED`."""

    households: int
    refused: pd.DataFrame


def group(folder: Path, *, areas: Path, scope: Scope, as_of: dt.datetime | None) -> Grouped:
    """Write the facts of every household, sorted by household, and say what could not be placed.

    Parameters
    ----------
    folder
        Has `accepted/<register>.parquet`; `facts/<register>.parquet` and `facts/homes.parquet` are made: their column
        `n` counts the households from 0, in the order of their identifiers.
    areas
        The register `area` as the pipeline accepted it.
    """
    with duckdb() as engine:
        run = engine.con.execute
        for setting in (f"memory_limit = '{MEMORY}'", f"temp_directory = '{folder / 'spill'}'", "threads = 1"):
            run(f"SET {setting}")
        for register in SCORED_FROM:
            run(f"CREATE VIEW {register} AS SELECT * FROM read_parquet('{folder / 'accepted' / register}.parquet')")
        run(f"CREATE VIEW area AS SELECT * FROM read_parquet('{areas}')")
        known = "recorded_on IS NOT NULL" if as_of is None else f"recorded_on <= TIMESTAMP '{as_of:%Y-%m-%d}'"
        for statement in (*_homes(known), *_placed(), *_refusals(known, scope), _numbered()):
            run(statement)
        (folder / "facts").mkdir()
        refused = [_delivered(run, folder / "facts", register) for register in SCORED_FROM]
        run(f"COPY (SELECT {NUMBER}, home FROM numbered ORDER BY {NUMBER}) TO '{folder}/facts/homes.parquet'")
        (households,) = run("SELECT count(*) FROM numbered").fetchone()
    return Grouped(int(households), pd.concat(refused, ignore_index=True))


def _homes(known: str) -> list[str]:
    named = " UNION ALL ".join(f"SELECT household_id FROM {name}" for name in WITH_HOME)
    return [
        _newest_home("child", "child_id", known),
        _newest_home("woman", "mother_id", known),
        """CREATE TABLE mother_home AS
           SELECT mother_id, home FROM woman_home UNION
           SELECT mother_id, home FROM child JOIN child_home USING (child_id) WHERE mother_id IS NOT NULL""",
        f"CREATE TABLE home AS SELECT DISTINCT household_id AS home FROM ({named})",
    ]


def _newest_home(whose: str, key: str, known: str) -> str:
    register = {"child": "child", "woman": "maternal"}[whose]
    return f"""CREATE TABLE {whose}_home AS
        SELECT DISTINCT ON ({key}) {key}, household_id AS home FROM {register}
        ORDER BY {key}, ({known}) DESC, recorded_on DESC"""


def _placed() -> list[str]:
    """For each register, its rows beside the households that they are of: one, several or none."""
    by_child, by_mother = "JOIN child_home USING (child_id)", "JOIN mother_home USING (mother_id)"
    of = {
        "household": [f"SELECT household_id AS home, {ROW} FROM household"],
        "sanitation": [f"SELECT household_id AS home, {ROW} FROM sanitation"],
        "child": [f"SELECT home, {ROW} FROM child {by_child}"],
        "maternal": [f"SELECT home, {ROW} FROM maternal {by_mother}"],
        "pregnancy": [f"SELECT home, {ROW} FROM pregnancy {by}" for by in (by_child, by_mother)],
        "measurement": [f"SELECT home, {ROW} FROM measurement {by_child}"],
    }
    return [f"CREATE TABLE {name}_placed AS {' UNION '.join(parts)}" for name, parts in of.items()]


def _refusals(known: str, scope: Scope) -> list[str]:
    """Households of which nothing is scored, and why."""
    crowded = " UNION ".join(
        f"SELECT home FROM {name}_placed GROUP BY home HAVING count(*) > {MOST_ROWS}" for name in SCORED_FROM
    )
    made = [f"CREATE TABLE refused AS SELECT home, '{CROWDED}' AS reason FROM ({crowded})"]
    if not scope.everywhere:
        inside = f"coalesce(region_id IN ({_list(scope.regions)}) OR newest.area_id IN ({_list(scope.areas)}), FALSE)"
        made.append(
            "INSERT INTO refused "
            f"SELECT home.home, '{OUTSIDE}' FROM home LEFT JOIN (SELECT DISTINCT ON (household_id) household_id, "
            f"area_id FROM household WHERE {known} ORDER BY household_id, recorded_on DESC) newest "
            "ON newest.household_id = home.home "
            f"LEFT JOIN area ON area.area_id = newest.area_id WHERE NOT {inside}"
        )
    return made


def _list(names: frozenset[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(names)) or "NULL"


def _numbered() -> str:
    return (
        f"CREATE TABLE numbered AS SELECT home, row_number() OVER (ORDER BY home) - 1 AS {NUMBER} FROM home "
        "WHERE home NOT IN (SELECT home FROM refused)"
    )


def _delivered(run: Any, folder: Path, register: str) -> pd.DataFrame:
    """Write the facts of one register; the rows that are in no household's come back."""
    contract = REGISTERS[register]
    names = [("numbered.home AS household_id" if n == "household_id" else f"r.{n}") for n in contract.names]
    at_home = (
        f"(numbered.home = (SELECT home FROM woman_home w WHERE w.mother_id = r.mother_id)) AS {AT_HOME}"
        if register == "maternal"
        else f"TRUE AS {AT_HOME}"
    )
    order = ", ".join(f"r.{name}" for name in dict.fromkeys(["recorded_on", *contract.key]))
    run(
        f"COPY (SELECT {NUMBER}, {at_home}, {', '.join(names)} FROM {register} r "
        f"JOIN {register}_placed USING ({ROW}) JOIN numbered USING (home) ORDER BY {NUMBER}, {order}) "
        f"TO '{folder / register}.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10240)"
    )
    lost = run(
        f"SELECT r.{ROW} AS row, coalesce(min(refused.reason), '{STRANGER}') AS reason FROM {register} r "
        f"LEFT JOIN {register}_placed USING ({ROW}) LEFT JOIN refused USING (home) LEFT JOIN numbered USING (home) "
        f"GROUP BY r.{ROW} HAVING count(numbered.home) = 0 ORDER BY 1"
    ).fetchall()
    said = [(register, row, *ALLOWED[reason], reason) for row, reason in lost]
    return pd.DataFrame(said, columns=REFUSED)
