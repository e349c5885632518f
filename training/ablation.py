"""What each record type of a DHS survey is worth: the whole path, run again without it.

`python -m training.ablation <folder of recode files>` prints a table; docs/evaluation.md carries it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from features.build import build, read_registers
from features.errors import run_stage
from features.folders import write_text
from features.ingest import ingest
from features.settings import Settings, load
from training.absence import unknown
from training.labels import labelled
from training.learn import learn
from training.metrics import measure
from training.models import INPUTS
from training.splits import temporal

WITHOUT = {
    "nothing": "",
    "rec41": "rec41_*",
    "rec0111": "rec0111_*",
    "rec0111 of 2014": "rec0111_2014*",
    "rech5": "rech5_*",
}
SHOWN = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")


def without(folder: Path, pattern: str, *, settings: Settings) -> dict[str, float]:
    """Metrics on the test period when the files of `pattern` were never handed over."""
    with tempfile.TemporaryDirectory() as made:
        raw, interim = Path(made) / "raw", Path(made) / "interim"
        raw.mkdir()
        for path in folder.iterdir():
            if not (pattern and path.match(pattern)):
                shutil.copyfile(path, raw / path.name)
        ingest(raw, "dhs", interim, max_quarantine_share=settings.ingest.max_quarantine_share)
        registers = read_registers(interim)
    units = build(registers).units
    rows = labelled(units, registers["measurement"], window=settings.outcome)
    train, test = temporal(rows, test_from=settings.test_from)
    model = learn(train, settings=settings, seed=settings.train.seed)
    found = measure(test.stunted, model.risk(model.prepared(test)))
    known = len(INPUTS) - len(set(unknown(train)) & set(unknown(test)))
    return {"test_children": len(test), "known_features": known, **{name: found[name] for name in SHOWN}}


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder, settings = parser.parse_args().folder, load()
    found = {
        name: without(folder, pattern, settings=settings)
        for name, pattern in track(WITHOUT.items(), description="runs", console=Console(stderr=True))
    }
    write_text(settings.paths.reports / "ablation.json", json.dumps(found, indent=2) + "\n")
    drawn = Table("without", *next(iter(found.values())))
    for name, row in found.items():
        drawn.add_row(name, *(f"{v:.4f}" if isinstance(v, float) else f"{v:,}" for v in row.values()))
    Console(width=120).print(drawn)


if __name__ == "__main__":
    run_stage(main)
