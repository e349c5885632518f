"""The command `tepat`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from features.errors import InputRefused
from features.settings import load

app = typer.Typer(
    help="Which households to visit first, and why.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
console = Console()


def _refuse(refusal: Exception) -> None:
    Console(stderr=True).print(str(refusal), markup=False)
    sys.exit(1)


@app.command(epilog="Example: tepat ingest --format dhs --data survey/ --out accepted/")
def ingest(
    data: Annotated[Path, typer.Option(help="Folder with one file a register.")],
    out: Annotated[Path, typer.Option(help="Where accepted rows and the quarantine go.")] = Path("data/interim"),
    layout: Annotated[str, typer.Option("--format", help="canonical or dhs.")] = "canonical",
) -> None:
    """Check registers: a table of rows read, accepted and quarantined, and the rows to fix."""
    from features import ingest as stage  # noqa: PLC0415 (a fast --help)

    try:
        report = stage.ingest(data, layout, out, max_quarantine_share=load().ingest.max_quarantine_share)
    except InputRefused as refusal:
        _refuse(refusal)
        return
    console.print(stage.table(report))
    for note in report.notes:
        console.print(f"- {note}", markup=False)
    console.print(f"Rows to fix: {out / 'quarantine'}")


@app.command(epilog="Example: tepat train")
def train() -> None:
    """Train on the features in data/features and register the model as champion."""
    from training import fit  # noqa: PLC0415 (a fast --help)

    try:
        fit.main()
    except ValueError as refusal:
        _refuse(refusal)


@app.command(epilog="Example: tepat evaluate")
def evaluate() -> None:
    """Judge the model against today's rules; writes reports/metrics.json."""
    from training import evaluate as stage  # noqa: PLC0415 (a fast --help)

    stage.main()


@app.command(epilog="Example: tepat score")
def score() -> None:
    """Score every unit of the test period, with reasons."""
    from targeting import run  # noqa: PLC0415 (a fast --help)

    run.score(load())


@app.command(epilog="Example: tepat worklist --capacity 400 --region PE-01 --region PE-02")
def worklist(
    capacity: Annotated[int | None, typer.Option(help="Households that can be visited.", min=0)] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region; give it again for more.")] = None,
    objective: Annotated[str | None, typer.Option(help="find (stunted now) or prevent (at 24 months).")] = None,
    top: Annotated[int, typer.Option(help="Lines to print.", min=0)] = 10,
) -> None:
    """Make the priority list, write it as CSV and XLSX, and print its first lines."""
    from targeting import run  # noqa: PLC0415 (a fast --help)

    try:
        made = run.target(load(), capacity=capacity, regions=region or None, objective=objective)
    except (ValueError, FileNotFoundError) as refusal:
        _refuse(refusal)
        return
    drawn = Table("#", "household", "region", "risk", "why (Indonesia)", title="Visit first")
    for row in made.rows.head(top).itertuples():
        drawn.add_row(str(row.rank), str(row.household_id), str(row.region_id), f"{row.risk:.1%}", str(row.reasons_id))
    console.print(drawn)
    console.print("Files: reports/worklist (worklist.csv, worklist.xlsx, urgent.csv, by_region.png)")


@app.command(epilog="Example: tepat metrics")
def metrics() -> None:
    """Print the last evaluation."""
    from training.evaluate import table  # noqa: PLC0415 (a fast --help)

    path = load().paths.reports / "metrics.json"
    console.print(table(json.loads(path.read_text())))


if __name__ == "__main__":
    app()
