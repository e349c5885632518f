"""How fast exact contributions (TreeSHAP) are made: Woodelf and XGBoost, against each other and against shap.

The inputs are random, so this shows speed and agreement, and nothing about children. Run from the project's root.
"""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from multiprocessing import TimeoutError as TooLong
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xgboost as xgb
from rich.console import Console
from rich.progress import track
from rich.table import Table

from features.settings import load
from training.contributions import CLOSE, bulk, reference, single
from training.models import INPUTS, fit_booster, inputs_of

SIZES: Final = (1, 1_000, 20_000, 200_000)
SEED, TRAINING_ROWS = 1, 20_000
EXPLAINERS: Final = {"XGBoost": single, "shap": reference, "Woodelf": bulk}
ALTERNATIVES: Final[tuple[str, ...]] = ("XGBoost", "shap")
# An explainer sits out where its pace at the size before foretells more than this, and is ended after it. [seconds]
PATIENCE_S: Final = {"XGBoost": 130.0, "shap": 60.0, "Woodelf": 150.0}
REPEAT_S, REPEATS = 1.0, 15  # A call is repeated until either is reached.
FORMATS: Final = (",.4f", ",.4g", ",.4g", ",.0f", ".0e")
SAID: Final = (
    f"Random inputs (seed {SEED}): speed and agreement only. Seconds are medians; peak memory is of a process of its "
    "own, libraries and rows included; difference is the largest to XGBoost, in log-odds. A dash: it or the other sat "
    f"out, as it would take over {PATIENCE_S['shap']:.0f} s (shap) or {PATIENCE_S['XGBoost']:.0f} s (XGBoost)."
)
Measured = tuple[float, float, np.ndarray]  # seconds, peak memory [MiB], contributions


@dataclass(frozen=True)
class Line:
    """What the table says of one explainer at one size; null where it sat out."""

    rows: int
    explainer: str
    seconds: float | None = None
    times_as_fast_as: dict[str, float] = field(default_factory=dict)
    peak_mib: float | None = None
    difference: float | None = None


def random_rows(count: int) -> pd.DataFrame:
    """Uniform inputs, a tenth of them null."""
    values = np.random.default_rng(SEED).random((count, len(INPUTS)), dtype=np.float32)
    values[values < 0.1] = np.nan  # noqa: PLR2004 (the tenth)
    return pd.DataFrame(values, columns=list(INPUTS))


def trained() -> bytearray:
    """A booster with the project's own settings, in UBJ."""
    how, label = load().train, np.random.default_rng(SEED).integers(0, 2, TRAINING_ROWS)
    booster = fit_booster(random_rows(TRAINING_ROWS), label, how=how.booster, seed=how.seed)
    return booster.save_raw("ubj")


def measured(name: str, booster: bytearray, rows: int) -> Measured:
    """Time and peak memory of this process, which does nothing else."""
    explain, model, asked = EXPLAINERS[name], xgb.Booster(model_file=booster), inputs_of(random_rows(rows))
    explain(model, asked[:1])  # Not timed: it imports what is still missing.
    taken: list[float] = []
    while not taken or (sum(taken) < REPEAT_S and len(taken) < REPEATS):
        start = time.perf_counter()
        made = explain(model, asked)
        taken.append(time.perf_counter() - start)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB.
    return float(np.median(taken)), peak_mib, np.asarray(made, dtype=np.float32)


def compared(name: str, rows: int, found: dict[str, Measured]) -> Line:
    """One explainer beside those it is compared with."""
    if name not in found:
        return Line(rows, name)
    (seconds, peak_mib, made), gap = found[name], None
    if "XGBoost" in found:
        gap = float(np.abs(made - found["XGBoost"][-1]).max())
        assert gap <= CLOSE, f"{name} is {gap:.2e} away from XGBoost; allowed is {CLOSE:.0e}."
    ratios = {other: found[other][0] / seconds for other in ALTERNATIVES if other in found}
    return Line(rows, name, seconds, ratios, peak_mib, gap)


def alone(work: Callable, *given: object, patience_s: float | None = None) -> Any:
    """What a process makes of it that has none of this one's memory; null if it is ended first."""
    with get_context("forkserver").Pool(1) as pool, contextlib.suppress(TooLong):
        made = pool.apply_async(work, given).get(patience_s)
        pool.close()
        pool.join()
        return made
    return None


def lines() -> list[Line]:
    """Every explainer at every size."""
    booster, per_row, made = alone(trained), dict.fromkeys(EXPLAINERS, 0.0), []
    for rows in SIZES:
        found: dict[str, Measured] = {}
        for name in track(EXPLAINERS, f"{rows:>7,} rows"):
            wait = PATIENCE_S[name]
            one = alone(measured, name, booster, rows, patience_s=wait) if per_row[name] * rows <= wait else None
            if one:
                found[name] = one
                per_row[name] = one[0] / rows if rows > 1 else 0.0  # One row is all fixed cost.
        made += [compared(name, rows, found) for name in EXPLAINERS]
    return made


def table(made: list[Line]) -> Table:
    """The same to read; a ratio above 1 is faster than the one it names."""
    drawn = Table("rows", "explainer", title=f"TreeSHAP of {len(INPUTS)} inputs", caption=SAID, caption_justify="left")
    for heading in ("seconds", *(f"x {other}" for other in ALTERNATIVES), "peak MiB", "difference"):
        drawn.add_column(heading, justify="right")
    for one in made:
        numbers = (one.seconds, *map(one.times_as_fast_as.get, ALTERNATIVES), one.peak_mib, one.difference)
        cells = ["-" if n is None else format(n, how) for n, how in zip(numbers, FORMATS, strict=True)]
        drawn.add_row(f"{one.rows:,}", one.explainer, *cells)
    return drawn


def main() -> None:
    """Print the table and write `reports/bench/contributions.json`."""
    get_context("forkserver").set_forkserver_preload(["features.settings", "training.contributions"])
    made = lines()
    versions = {package: version(package) for package in ("xgboost-cpu", "shap", "woodelf-explainer")}
    Console().print(table(made), ", ".join(f"{package} {number}" for package, number in versions.items()))
    report = {"said": SAID, "versions": versions, "lines": [asdict(one) for one in made]}
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    Path("reports/bench/contributions.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
