"""How fast z-scores are made: the arithmetic, and the whole command from CSV to CSV, beside pygrowup2.

The children are random, so this shows speed and agreement, and nothing about children. Run from the project's root.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from pygrowup import Observation
from rich.console import Console
from rich.table import Table

from features.growth import growth

ROWS, SEED = 1_000_000, 1
ALTERNATIVE: Final = "pygrowup2"
ALTERNATIVE_S: Final = 30.0
"""How long the alternative works; it then has made as many rows as it could."""
REPEATS: Final = 3
SEXES: Final = {"m": Observation.MALE, "f": Observation.FEMALE}
CLOSE: Final = 0.0051
"""Ours is rounded to 2 decimals."""
SAID: Final = (
    f"Random children (seed {SEED}): speed and agreement only. Six scores a child. Ours: {ROWS:,} rows, the median of "
    f"{REPEATS} runs; {ALTERNATIVE}'s of the rows it made in {ALTERNATIVE_S:.0f} s, child by child, as it offers no "
    "other way. The command is timed from its start to its end, with Python's own start. Peak memory is of a process "
    "of its own, libraries and rows included. All six scores agree within the rounding, on the rows that both made."
)


@dataclass(frozen=True)
class Line:
    """What the table says of one way to make scores."""

    way: str
    rows: int
    seconds: float
    rows_per_second: float
    times_as_fast: float
    peak_mib: float


def children(count: int) -> pd.DataFrame:
    """Children around the median of their age, within the tables, measured in the position of their age."""
    draw = np.random.default_rng(SEED)
    age = draw.integers(91, 1827, count)
    size = 50 + 59 * (age / 1826) ** 0.55
    lenhei = np.clip(size * draw.normal(1, 0.05, count), 66, 109).round(1)
    return pd.DataFrame(
        {
            "sex": draw.choice(list(SEXES), count),
            "age": age,
            "weight": np.clip(draw.normal(15.8, 1.7, count) * (lenhei / 100) ** 2, 2, 40).round(1),
            "lenhei": lenhei,
            "measure": np.where(age < 731, "l", "h"),  # noqa: PLR2004 (24 months)
            "headc": draw.normal(47, 2, count).round(1),
            "armc": draw.normal(15, 1.3, count).round(1),
        }
    )


def by_alternative(sex: str, age: int, weight: str, lenhei: str, measure: str, headc: str, armc: str) -> list[Any]:
    """The six scores of one child."""
    child = Observation(SEXES[sex], age_in_days=age)
    lying = measure == "l"
    return [
        child.lhfa(lenhei, recumbent=lying, auto_adjust=False),
        child.wfa(weight),
        child.wfl(weight, lenhei) if lying else child.wfh(weight, lenhei),
        child.bmifa(float(weight) / (float(lenhei) / 100) ** 2),
        child.hcfa(headc),
        child.acfa(armc),
    ]


def peak_mib(who: int) -> float:
    """Linux counts in KiB."""
    return resource.getrusage(who).ru_maxrss / 1024


def arithmetic() -> tuple[int, float, float]:
    """Rows, seconds and peak memory of `growth`, on a table in memory."""
    asked, taken = children(ROWS), []
    growth(asked.head(1))  # Not timed: it reads the tables.
    for _ in range(REPEATS):
        start = time.perf_counter()
        growth(asked)
        taken.append(time.perf_counter() - start)
    return ROWS, float(np.median(taken)), peak_mib(resource.RUSAGE_SELF)


def command() -> tuple[int, float, float]:
    """Rows, seconds and peak memory of `tepat growth`, from CSV to CSV."""
    tepat, taken = Path(sys.executable).with_name("tepat"), []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "measured.csv", Path(folder) / "scored.csv"
        children(ROWS).to_csv(source, index=False)
        for _ in range(REPEATS):
            start = time.perf_counter()
            subprocess.run([tepat, "growth", source, target], check=True, capture_output=True)  # noqa: S603 (our own)
            taken.append(time.perf_counter() - start)
    return ROWS, float(np.median(taken)), peak_mib(resource.RUSAGE_CHILDREN)


def alternative() -> tuple[int, float, float]:
    """Rows, seconds and peak memory of the alternative, which must agree."""
    asked = children(ROWS // 10)
    texts = asked.astype(dict.fromkeys(("weight", "lenhei", "headc", "armc"), str))
    rows, made = list(texts.itertuples(index=False, name=None)), []
    by_alternative(*rows[0])  # Not timed: it reads the tables.
    start = time.perf_counter()
    while (taken := time.perf_counter() - start) < ALTERNATIVE_S and len(made) < len(rows):
        made.append(by_alternative(*rows[len(made)]))
    peak = peak_mib(resource.RUSAGE_SELF)
    ours = growth(asked.head(len(made)))[["zlen", "zwei", "zwfl", "zbmi", "zhc", "zac"]].to_numpy()
    gap = np.abs(ours - np.array(made, dtype=float)).max()
    assert gap <= CLOSE, f"{ALTERNATIVE} is {gap:.4f} SD away; allowed is {CLOSE} SD."
    return len(made), taken, peak


def alone(work: Callable) -> tuple[int, float, float]:
    """What a process makes of it that has none of this one's memory."""
    with get_context("forkserver").Pool(1) as pool:
        made = pool.apply(work)
        pool.close()
        pool.join()
    return made


def lines() -> list[Line]:
    """The alternative, then ours."""
    ways = {ALTERNATIVE: alternative, "growth, in memory": arithmetic, "tepat growth, CSV to CSV": command}
    made, base = [], 0.0
    for way, work in ways.items():
        rows, seconds, peak = alone(work)
        pace = rows / seconds
        base = base or pace
        made.append(Line(way, rows, seconds, pace, pace / base, peak))
    return made


def table(made: list[Line]) -> Table:
    """The same to read."""
    drawn = Table("way", title="Scores by the WHO Child Growth Standards", caption=SAID, caption_justify="left")
    for heading in ("rows", "seconds", "rows/s", f"x {ALTERNATIVE}", "peak MiB"):
        drawn.add_column(heading, justify="right")
    for one in made:
        drawn.add_row(
            one.way,
            *(f"{one.rows:,}", f"{one.seconds:.2f}", f"{one.rows_per_second:,.0f}"),
            *(f"{one.times_as_fast:,.0f}", f"{one.peak_mib:,.0f}"),
        )
    return drawn


def main() -> None:
    """Print the table and write `reports/bench/growth.json`."""
    made = lines()
    versions = {package: version(package) for package in ("tepat", ALTERNATIVE, "numpy", "pandas", "pyarrow")}
    Console().print(table(made), ", ".join(f"{package} {number}" for package, number in versions.items()))
    report = {"said": SAID, "versions": versions, "lines": [asdict(one) for one in made]}
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    Path("reports/bench/growth.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
