"""What keeping a run of 300,000 households costs whoever writes meanwhile: in slices, and all at once.

On a new SQLite file for each; each in a process of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from serving import score_store
from serving.score_keeper import PAUSE_S
from serving.score_store import RISKS, Run, ScoredRun, ScoreStore
from serving.store import open_store
from serving.trail.entry import Entry
from serving.trail.writer import append

if TYPE_CHECKING:
    from serving.database import Database

HOUSEHOLDS: Final = 300_000
AREAS: Final = 300
LONGEST_MS: Final = 1_000.0
"""That somebody who writes may wait while a run is kept."""
WAY: Final = {"in slices": score_store.SLICE, "all at once": HOUSEHOLDS}
SAID: Final = (
    f"{HOUSEHOLDS:,} households with two risks and their intervals. Meanwhile another thread of the process writes "
    "lines of the trail, a millisecond apart: `waits` is what the transaction of one took."
)


@dataclass(frozen=True)
class Line:
    """A run kept one way. `mib`: of the database; `peak_mib`: of the process until then."""

    way: str
    seconds: float
    wait_p50_ms: float
    wait_p99_ms: float
    wait_longest_ms: float
    mib: float
    peak_mib: float


def made_up(stamp: str) -> ScoredRun:
    """A run of households of nobody, under identifiers of 32 characters."""
    chance = np.random.default_rng(0)
    risk = np.sort(chance.beta(1.2, 4, (HOUSEHOLDS, 3)), axis=1)
    homes = pd.DataFrame({"household_id": [f"{number:032d}" for number in range(HOUSEHOLDS)]})
    homes["place"] = chance.integers(0, AREAS, HOUSEHOLDS)
    for objective in ("find", "prevent"):
        for end, column in (("_low", 0), ("", 1), ("_high", 2)):
            homes[f"risk_{objective}{end}"] = risk[:, column]
    places = pd.DataFrame({"region_id": [f"R{n // 12:02d}" for n in range(AREAS)], "area_id": range(AREAS)})
    run = Run(
        stamp=stamp, seen_at=dt.datetime.now(tz=dt.UTC), model_stamp="nobody", model_version="1", catalogue="none",
        objectives=("find", "prevent"), simulated=True, first_as_of=None, last_as_of=None, interval_level=0.9,
        households=HOUSEHOLDS,
    )  # fmt: skip
    return ScoredRun(run, places.astype("string"), homes[["household_id", "place", *RISKS]])


def written_until(database: Database, over: threading.Event) -> list[float]:
    """How long each of one line's transactions took. [ms]"""
    waits = []
    entry = Entry(at=dt.datetime.now(tz=dt.UTC), who="nobody", via="command", act="household.see", request_id="bench")
    while not over.is_set():
        began = time.perf_counter()
        with database.writing() as connection:
            append(connection, [entry])
        waits.append(1_000 * (time.perf_counter() - began))
        time.sleep(0.001)
    return waits


def kept_in(way: str) -> Line:
    """Keep one run, while somebody else writes."""
    with tempfile.TemporaryDirectory() as folder:
        return _kept_in(way, Path(folder) / "store.db")


def _kept_in(way: str, file: Path) -> Line:
    score_store.SLICE = WAY[way]  # type: ignore[misc]  # the alternative is the same code with one slice
    store = open_store(f"sqlite:///{file}", wait_ms=600_000)
    scores, scored, over, waits = ScoreStore(store.database), made_up(way), threading.Event(), list[float]()
    beside = threading.Thread(target=lambda: waits.extend(written_until(store.database, over)))
    beside.start()
    began = time.perf_counter()
    while True:
        slice_began = time.perf_counter()
        if scores.keep_next(scored):
            break
        time.sleep(max(PAUSE_S, time.perf_counter() - slice_began))
    took = time.perf_counter() - began
    over.set()
    beside.join()
    store.close()
    mib = file.stat().st_size / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    p50, p99, longest = (float(one) for one in np.percentile(waits, [50, 99, 100]))
    return Line(way, took, p50, p99, longest, mib, peak)


def table(made: list[Line]) -> Table:
    """Both ways beside each other."""
    drawn = Table("way", title="A run of scores kept", caption=SAID, caption_justify="left")
    for heading in ("s", "waits: p50 ms", "p99 ms", "longest ms", "MiB kept", "peak MiB"):
        drawn.add_column(heading, justify="right")
    for one in made:
        drawn.add_row(
            one.way, f"{one.seconds:.1f}", f"{one.wait_p50_ms:.1f}", f"{one.wait_p99_ms:.0f}",
            f"{one.wait_longest_ms:.0f}", f"{one.mib:.0f}", f"{one.peak_mib:.0f}",
        )  # fmt: skip
    return drawn


def main() -> int:
    """Print the table and write `reports/bench/scores.json`; 1 when the promise was not kept."""
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        made = [pool.apply(kept_in, (way,)) for way in track(WAY, "keeping a run")]
    slices, at_once = made
    times = at_once.wait_longest_ms / slices.wait_longest_ms
    promise, so = f"in slices nobody waits longer than {LONGEST_MS:g} ms", slices.wait_longest_ms <= LONGEST_MS
    console = Console()
    console.print(table(made), f"tepat {version('tepat')}")
    console.print(f"all at once the longest wait is {times:.0f} times that in slices")
    console.print(f"{'kept' if so else 'NOT KEPT'}: {promise}")
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    report = {"said": SAID, "promises": {promise: so}, "longest_wait_at_once_times_slices": times}
    written = json.dumps(report | {"lines": [asdict(one) for one in made]}, indent=2)
    Path("reports/bench/scores.json").write_text(written + "\n", encoding="utf-8")
    return int(not so)


if __name__ == "__main__":
    sys.exit(main())
