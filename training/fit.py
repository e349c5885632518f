"""Stage `train`: features and measurements -> a model in the registry."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from features.catalog import View
from features.settings import Settings, load
from training import model as models
from training import registry
from training.labels import outcomes
from training.learn import learn
from training.masking import columns_of
from training.models import INPUTS
from training.splits import temporal
from training.tripwire import tripwire

if TYPE_CHECKING:
    from pathlib import Path

# Past prevalence comes with the model, and is cut by round where it is made.
KNOWN = tuple(name for name in INPUTS if name not in columns_of(View.HISTORY))


def labelled(settings: Settings) -> pd.DataFrame:
    """Every unit that has an outcome, with features and `stunted`.

    Raises
    ------
    ValueError
        There is no outcome at all.
    """
    units = pd.read_parquet(settings.paths.features / "units.parquet")
    measured = pd.read_parquet(settings.paths.interim / "measurement.parquet")
    rows = units.merge(outcomes(units, measured, window=settings.outcome), on=["unit_id", "as_of"], validate="1:1")
    if rows.empty:
        msg = (
            f"None of {len(units):,} units has a valid height-for-age within "
            f"{settings.outcome.to_days} days of `as_of`. "
            "Give `measurement.haz`, or widen `outcome` in params.yaml."
        )
        raise ValueError(msg)
    return rows


def main() -> None:
    """Stage `train`."""
    settings = load()
    train, _ = temporal(labelled(settings), test_from=settings.test_from)
    print(f"training on {len(train):,} children, {train.stunted.mean():.1%} stunted")
    tripwire(train, train.stunted, KNOWN, limit=settings.train.tripwire_auc)
    model = learn(train, settings=settings, seed=settings.train.seed)
    folder = settings.paths.models / model.name
    shutil.rmtree(settings.paths.models, ignore_errors=True)
    models.write(model, folder)
    registered = _register(model, folder, settings)
    (settings.paths.models / "registered.json").write_text(json.dumps(asdict(registered), indent=2) + "\n")
    print(f"registered {registered.name} version {registered.version}, alias champion")


def _register(model: models.RiskModel, folder: Path, settings: Settings) -> registry.Registered:
    with registry.run() as run_id:
        registry.log(
            params={
                **settings.train.booster.model_dump(),
                "seed": settings.train.seed,
                "test_from": str(settings.test_from),
                "data_fingerprint": model.data,
                "source_fingerprint": settings.source.fingerprint,
            },
            metrics={"train_base_rate": model.base_rate},
        )
        return registry.register(folder, name=model.name, run_id=run_id)


if __name__ == "__main__":
    main()
