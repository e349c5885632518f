"""How fast a plan is made of a policy's limits, with its proof: beside HiGHS alone, and beside going down a list.

The households are made up, so this shows the machine, and nothing about children. Run from the project's root.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import sparse
from scipy.optimize import linprog
from under_limits.made_up import DESA, KECAMATAN, OBJECTIVES, OWNERS, POSYANDU_OF_A_DESA, PRICES, SEED, prepared

from targeting.allocation import allocate, by_order
from targeting.problem import Problem, bound
from targeting.relaxation import relaxed, within
from training.plots import add_line, new_axes, write_png

SIZES: Final = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
QUICK: Final = SIZES[:3]
PROMISED_GAP: Final = 0.005
CLOSE: Final = 1e-6
"""HiGHS's optimum and our bound are two proofs of one number. [share of it]"""
OURS, RELAXED, GREEDY, WHOLE = "tepat", "tepat, in parts", "greedy", "HiGHS, in parts"
PLANS: Final = (OURS, GREEDY)
WHOLE_UP_TO: Final = 100_000
"""Households; HiGHS alone needs minutes for so many, and its time grows almost with the square of them."""
PATIENCE_S: Final = 400.0
FORMATS: Final = (",.2f", ",.2f", ".4%", ",", ",.0f", ",.1f")
WIDTH: Final = 110  # characters of the table
PRELOADED: Final = ["rich.progress", "rich.table", "targeting.allocation", "targeting.formulation", "training.plots"]
REPORTS: Final = Path("reports/bench")
REPEAT_S, REPEATS = 0.5, 5  # A way is repeated until either is reached.
SAID: Final = (
    f"Made-up households (seed {SEED}): this proves the machine only. {DESA} desa in {KECAMATAN} kecamatan, "
    f"{POSYANDU_OF_A_DESA} posyandu a desa, {len(PRICES)} services of {len(OWNERS)} owners with budgets; floors by "
    "kecamatan and desa, quotas by desa, reserves, workload by posyandu. tepat: a plan in whole visits that keeps them "
    "all, and its gap: how far it may be below the best one, proven by weak duality. greedy: down the list of what a "
    "visit with its services is worth, within the same budgets and most visits; its gap is to the same bound, and "
    "short counts the least amounts that it does not reach. In parts: the relaxation alone, which gives the bound; "
    f"HiGHS is handed all of it at once, and ended after {PATIENCE_S:.0f} s; above {WHOLE_UP_TO:,} households it sits "
    "out. Seconds are the processor's, of one thread, which other work on the machine does not lengthen: medians of "
    "the solving; prepared: limits, their check and the formulation, once before it. Peak memory is of a process of "
    "its own, libraries and tables included."
)


@dataclass(frozen=True)
class Reached:
    """What a way makes of a problem.

    Parameters
    ----------
    value
        By the plan; of HiGHS, by parts of visits. [children]
    bound
        Proven on all plans; null from a way that proves none. [children]
    short
        Limits whose least amount the plan does not reach.
    """

    value: float
    bound: float | None = None
    short: int = 0


@dataclass(frozen=True)
class Measured:
    """What one process saw of one way; `prepared_s` is from tables and policy to the problem."""

    seconds: float
    prepared_s: float
    reached: Reached
    peak_mib: float


@dataclass(frozen=True)
class Line:
    """What the table says of one way at one size; null where it sat out or there is none."""

    households: int
    objective: str
    way: str
    seconds: float | None = None
    prepared_s: float | None = None
    times_as_fast_as: dict[str, float] = field(default_factory=dict)
    reached: float | None = None
    gap: float | None = None
    short: int | None = None
    peak_mib: float | None = None


def ours(problem: Problem) -> Reached:
    """The plan, which must keep every limit and the promised gap."""
    plan = allocate(problem)
    assert problem.keeps(plan.visited, plan.given), "A limit is broken."
    assert plan.gap <= PROMISED_GAP, f"The gap is {plan.gap:.2%}; promised is {PROMISED_GAP:.1%}."
    return Reached(plan.reached, plan.bound)


def in_parts(problem: Problem) -> Reached:
    """The relaxation alone, as HiGHS makes it."""
    parts = relaxed(problem)
    assert parts, "There is no plan in parts."
    return Reached(problem.worth(parts.visited, parts.given), bound(problem, parts.price))


def down_a_list(problem: Problem) -> Reached:
    """The order of what a visit with all its services is worth."""
    worth = problem.gain + np.bincount(problem.home, problem.offer_gain, minlength=problem.households)
    plan = by_order(problem, worth)
    short = problem.least - problem.used(plan.visited, plan.given) > CLOSE * problem.scale
    return Reached(plan.reached, short=int(short.sum()))


def at_once(problem: Problem) -> Reached | None:
    """The relaxation by HiGHS alone; null if it is ended."""
    rows = within(problem, np.arange(problem.households), np.arange(problem.offers))
    limits = sparse.csr_array(problem.use.tocsr() / problem.scale[:, None])
    above, below = np.isfinite(problem.most), problem.least > 0
    made = linprog(
        -np.concatenate([problem.gain, problem.offer_gain]),
        A_ub=sparse.vstack([rows, limits[above], -limits[below]]).tocsr(),
        b_ub=np.concatenate(
            [np.zeros(rows.shape[0]), (problem.most / problem.scale)[above], -(problem.least / problem.scale)[below]]
        ),
        bounds=(0, 1),
        method="highs-ds",
        options={"time_limit": PATIENCE_S},
    )
    return Reached(-made.fun, -made.fun) if made.status == 0 else None


WAYS: Final[dict[str, Callable[[Problem], Reached | None]]] = {
    OURS: ours,
    RELAXED: in_parts,
    WHOLE: at_once,
    GREEDY: down_a_list,
}


def measured(way: str, households: int, objective: str) -> Measured | None:
    """Time and peak memory of this process, which does nothing else; null if the way was ended."""
    problem, before = prepared(households, objective)
    taken: list[float] = []
    made: Reached | None = Reached(0.0)
    while made and sum(taken) < REPEAT_S and len(taken) < REPEATS:
        start = time.process_time()
        made = WAYS[way](problem)
        taken.append(time.process_time() - start)
    if made is None:
        return None
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB.
    return Measured(float(np.median(taken)), before, made, peak_mib)


def alone(work: Callable, *given: object) -> Any:
    """What a process makes of it that has none of this one's memory."""
    with get_context("forkserver").Pool(1) as pool:
        made = pool.apply(work, given)
        pool.close()
        pool.join()
    return made


def lines(sizes: tuple[int, ...]) -> list[Line]:
    """Every way at every size, for each objective."""
    made = []
    for households in sizes:
        for objective in track(OBJECTIVES, f"{households:>7,} households"):
            ways = [way for way in WAYS if way != WHOLE or households <= WHOLE_UP_TO]
            seen = {way: alone(measured, way, households, objective) for way in ways}
            found = {way: one for way, one in seen.items() if one}
            made += [compared(way, households, objective, found) for way in WAYS]
    return made


def compared(way: str, households: int, objective: str, found: dict[str, Measured]) -> Line:
    """One way beside the others, and beside the bound."""
    if way not in found:
        return Line(households, objective, way)
    one, best = found[way], found[OURS].reached.bound or 0.0
    off = one.reached.value / best - 1
    is_plan = way in PLANS
    assert is_plan or abs(off) <= CLOSE, f"{way} is {off:.1e} off the bound; allowed is {CLOSE:.0e}."
    return Line(
        *(households, objective, way, one.seconds, one.prepared_s),
        times_as_fast_as={other: found[other].seconds / one.seconds for other in found if other != way},
        reached=one.reached.value,
        gap=-off if is_plan else None,
        short=one.reached.short if is_plan else None,
        peak_mib=one.peak_mib,
    )


def growth(made: list[Line], way: str) -> dict[str, float]:
    """By objective, the power of the households with which the seconds of a way grow, from the third size on."""
    powers = {}
    for objective in OBJECTIVES:
        own = [one for one in made if (one.way, one.objective) == (way, objective) and one.seconds][2:]
        if len(own) > 1:
            across, up = np.log([[one.households, one.seconds or 0.0] for one in own]).T
            powers[objective] = float(np.polyfit(across, up, 1)[0])
    return powers


def table(made: list[Line]) -> Table:
    """The same to read; a ratio above 1 is faster than the one it names."""
    drawn = Table("households", "objective", "way", title="Plans under a policy", caption=SAID, caption_justify="left")
    for heading in ("seconds", "x HiGHS", "gap", "short", "peak MiB", "prepared s"):
        drawn.add_column(heading, justify="right")
    for one in made:
        numbers = (one.seconds, one.times_as_fast_as.get(WHOLE), one.gap, one.short, one.peak_mib, one.prepared_s)
        cells = ["-" if n is None else format(n, how) for n, how in zip(numbers, FORMATS, strict=True)]
        drawn.add_row(f"{one.households:,}", one.objective, one.way, *cells)
    return drawn


def picture(made: list[Line], path: Path) -> None:
    """Write seconds against households, both on scales of powers; every way, for each objective."""
    axes = new_axes("Households", "Processor seconds")
    axes.set(xscale="log", yscale="log")
    for place, way in enumerate(WAYS):
        for objective, marker in zip(OBJECTIVES, "os", strict=True):
            own = [one for one in made if (one.way, one.objective) == (way, objective) and one.seconds]
            across, up = [one.households for one in own], [one.seconds or 0.0 for one in own]
            add_line(axes, across, up, name=f"{way}, {objective}", place=place, marker=marker)
    write_png(axes, path)


def asked() -> tuple[int, ...]:
    """Sizes of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of households")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(map(str, QUICK))}")
    given = parser.parse_args()
    return QUICK if given.quick else tuple(sorted(given.sizes))


def main() -> None:
    """Print the table; write `reports/bench/allocation.json` and its picture."""
    sizes = asked()
    get_context("forkserver").set_forkserver_preload(PRELOADED)
    made = lines(sizes)
    versions = {package: version(package) for package in ("tepat", "scipy", "numpy", "pandas")}
    powers = {way: growth(made, way) for way in WAYS}
    Console(width=WIDTH).print(table(made), ", ".join(f"{package} {number}" for package, number in versions.items()))
    for way, power in powers.items():
        said = ", ".join(f"{number:.2f} ({objective})" for objective, number in power.items())
        if said:
            Console(width=WIDTH).print(f"Seconds of {way} grow with households to the power {said}.")
    report = {"said": SAID, "versions": versions, "growth": powers, "lines": [asdict(one) for one in made]}
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / "allocation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    picture(made, REPORTS / "allocation.png")


if __name__ == "__main__":
    main()
