"""Stage `train`: features and measurements -> a model in the registry."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict

import pandas as pd

from features.build import read_units
from features.catalog import View
from features.errors import InputRefused, run_stage
from features.folders import write_text
from features.progress import shown
from features.settings import Settings, load
from training import labels, registry
from training import model as models
from training.learn import learn
from training.masking import columns_of
from training.models import DETERMINANTS, INPUTS, Knowledge
from training.splits import temporal
from training.tripwire import tripwire

# Past prevalence comes with the model, and is cut by round where it is made.
KNOWN = tuple(name for name in INPUTS if name not in columns_of(View.HISTORY))


def labelled(settings: Settings) -> pd.DataFrame:
    """Every unit that has an outcome, with features and `stunted`.

    Raises
    ------
    InputRefused
        There is no outcome at all.
    """
    units = read_units(settings.paths.features)
    measured = pd.read_parquet(settings.paths.interim / "measurement.parquet")
    rows = labels.labelled(units, measured, window=settings.outcome)
    if rows.empty:
        raise InputRefused(
            f"{len(units):,} units, none with a valid height-for-age {settings.outcome.from_days} to "
            f"{settings.outcome.to_days} days after it was recorded",
            "`measurement.haz` between -6 and 6 for children of the register `child`",
            "Hand over measurements, or widen `outcome` in params.yaml.",
        )
    return rows


def recipe(settings: Settings, *, knows: Knowledge = DETERMINANTS) -> str:
    """SHA-256 of what a model is learned by, its rows and seed aside: equal for a routine retraining."""
    how = settings.train.model_dump(exclude={"seed"}) | {"outcome": settings.outcome.model_dump()}
    said = json.dumps([knows.fingerprint, how, settings.history.model_dump()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def main() -> None:
    """Stage `train`."""
    settings = load()
    train, _ = temporal(labelled(settings), test_from=settings.test_from)
    print(f"training on {len(train):,} children, {train.stunted.mean():.1%} stunted")
    tripwire(train, train.stunted, KNOWN, limit=settings.train.tripwire_auc)
    model = learn(train, settings=settings, seed=settings.train.seed, steps=shown("learning, by folds"))
    folder = settings.paths.models / model.name
    half = folder.with_suffix(".part")
    shutil.rmtree(half, ignore_errors=True)
    models.write(model, half)
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
    registered = registry.register(
        folder,
        name=model.name,
        params={
            **settings.train.booster.model_dump(),
            "seed": settings.train.seed,
            "test_from": str(settings.test_from),
            "simulated": settings.source.simulated,
            "leak_guard": "passed",
            "recipe": recipe(settings),
            "data_fingerprint": model.data,
            "source_fingerprint": settings.source.fingerprint,
        },
        metrics={"train_base_rate": model.base_rate},
    )
    write_text(settings.paths.models / "registered.json", json.dumps(asdict(registered), indent=2) + "\n")
    print(f"registered {registered.name} version {registered.version}, alias challenger")


if __name__ == "__main__":
    run_stage(main)
