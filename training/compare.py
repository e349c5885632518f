"""The candidates and the ladder, on folds of the training years; the test years are not read.

`make compare` prints two tables and writes `reports/compare.json` and a picture.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from features.build import add_history
from features.errors import run_stage
from features.fitted import area_history
from features.folders import write_text
from features.progress import shown
from features.settings import load
from training import plots_compare
from training.candidates import CANDIDATES
from training.fit import labelled
from training.ladder import CHAMPION, Step, fit_step, ladder
from training.learn import fingerprint
from training.masking import mask
from training.metrics import measure, paired_difference
from training.splits import clusters, folds, temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from features.settings import Settings

    Fold = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]

SHOWN = ("auc", "average_precision", "precision_at_10", "recall_at_20")
CLAIMED = ("auc", "precision_at_10")
OWN = "booster"
CLEARLY_BETTER = 0.005
"""AUC by which a rival must lead, its whole interval above zero, before one booster gives way to it."""


def compared(train: pd.DataFrame, *, settings: Settings) -> dict[str, Any]:
    """Out-of-fold figures of every candidate and rung, and paired differences with 95% intervals."""
    rows = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    rows = add_history(rows, area_history(rows, prior_children=settings.history.prior_children))
    names = settings.compare.candidates
    rivals = {n: _out_of_fold(rows, _candidate(n, settings), n, settings=settings) for n in (OWN, *names)}
    steps = ladder()
    climbed = {n: _out_of_fold(rows, _rung(step, settings), n, settings=settings) for n, step in steps.items()}
    how: dict[str, Any] = {
        "cluster": clusters(rows), "draws": settings.evaluate.bootstrap_draws, "seed": settings.train.seed,
    }  # fmt: skip
    return {
        "n": len(rows),
        "folds": settings.train.folds,
        "rows": fingerprint(rows),
        "candidates": {n: _line(rows.stunted, score, rivals[OWN], how) for n, score in rivals.items()},
        "ladder": {
            n: _line(rows.stunted, climbed[n], climbed[step.after] if step.after else None, how) | {"after": step.after}
            for n, step in steps.items()
        },
    }


def _candidate(name: str, settings: Settings) -> Fold:
    how = settings.train

    def of(rows: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
        hidden = {"registers": how.register_dropout, "pregnancies": how.pregnancy_dropout}
        return CANDIDATES[name](mask(rows, **hidden, seed=how.seed), how=how, seed=how.seed)(asked)

    return of


def _rung(step: Step, settings: Settings) -> Fold:
    return lambda rows, asked: fit_step(step, rows, asked, how=settings.train, seed=settings.train.seed)


def _out_of_fold(rows: pd.DataFrame, fold: Fold, name: str, *, settings: Settings) -> np.ndarray:
    """Log-odds of every row, by a fit that did not see its area."""
    made = np.zeros(len(rows))
    for seen, held_out in shown(name)(list(folds(rows, count=settings.train.folds))):
        made[held_out] = fold(rows.iloc[seen].reset_index(drop=True), rows.iloc[held_out])
    return made


def _line(label: pd.Series, score: np.ndarray, against: np.ndarray | None, how: dict[str, Any]) -> dict[str, Any]:
    found = measure(label, score, calibrated=False)
    line: dict[str, Any] = {name: found[name] for name in SHOWN}
    if against is not None and against is not score:
        line["difference"] = {m: paired_difference(label, score, against, metric=m, **how) for m in CLAIMED}
    return line


def proven(difference: dict[str, float]) -> bool:
    """Whether the interval leaves out zero."""
    return not difference["low"] <= 0 <= difference["high"]


def verdict(candidates: dict[str, Any]) -> str:
    """Whether the booster stays, in a sentence."""
    leads = {name: line["difference"]["auc"] for name, line in candidates.items() if name != OWN}
    better = [name for name, lead in leads.items() if lead["difference"] > CLEARLY_BETTER and proven(lead)]
    said = f"by more than {CLEARLY_BETTER} AUC, with its interval above zero"
    if better:
        return f"Better than the booster {said}: {', '.join(better)}. Weigh that against exact reasons."
    return f"No candidate is better than the booster {said}: the booster stays."


def table(title: str, lines: dict[str, Any]) -> Table:
    """Figures, and the step from what each is compared with."""
    drawn = Table("", "AUC", "top tenth", "AUC against", "top tenth against", "", title=title)
    for name, line in lines.items():
        cells = [f"{line['auc']:.4f}", f"{line['precision_at_10']:.4f}"]
        if "difference" in line:
            each = line["difference"]
            cells += [f"{d['difference']:+.4f} ({d['low']:+.4f} to {d['high']:+.4f})" for d in each.values()]
            cells.append("" if proven(each["auc"]) else "unproven")
        drawn.add_row(name, *cells)
    return drawn


def main() -> None:
    """Print the tables; write the report and the picture."""
    settings = load()
    train, _ = temporal(labelled(settings), test_from=settings.test_from)
    found = compared(train, settings=settings)
    reports = settings.paths.reports
    write_text(reports / "compare.json", json.dumps(found, indent=2) + "\n")
    (reports / "plots").mkdir(parents=True, exist_ok=True)
    plots_compare.differences(
        found["candidates"], found["ladder"], reports / "plots" / "compare.png", champion=CHAMPION
    )
    console = Console(width=150)
    console.print(table(f"Candidates beside the booster, {found['n']:,} training children", found["candidates"]))
    console.print(table(f"The ladder; from {CHAMPION!r} on, against it", found["ladder"]))
    print(verdict(found["candidates"]))


if __name__ == "__main__":
    run_stage(main)
