"""The same way of learning, put to harder tests: places, and whole regions, that it has never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.build import add_history
from features.progress import unseen
from training.learn import learn, uncalibrated
from training.metrics import measure, with_intervals
from training.models import margin
from training.splits import clusters, known_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    import pandas as pd

    from features.settings import Settings
    from training.calibration import Calibration

    Steps = Callable[[Sequence[Any]], Iterable[Any]]

SHOWN = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")


def new_places(train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings, seed: int) -> np.ndarray:
    """Risks of the test rows by a model that never saw their areas, nor what was known of stunting there."""
    elsewhere = train[~clusters(train).isin(clusters(test))]
    model = learn(elsewhere, settings=settings, seed=seed)
    return model.risk(model.prepared(test))


def new_regions(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    settings: Settings,
    seed: int,
    calibration: Calibration,
    steps: Steps = unseen,
) -> np.ndarray:
    """Risks of each region's test rows by a booster that learned in all other regions; null where no region is known.

    Parameters
    ----------
    calibration
        Of the model itself: five further fits a region would tell little more.
    """
    risk = np.full(len(test), np.nan)
    for region in steps(sorted(test.region_id.dropna().unique())):
        here = (test.region_id == region).to_numpy()
        booster, history = uncalibrated(train[train.region_id != region], settings=settings, seed=seed)
        risk[here] = calibration.risk(margin(booster, add_history(test[here], history)))
    return risk


def figures(rows: pd.DataFrame, risk: np.ndarray, *, draws: int, seed: int) -> dict[str, object]:
    """Metrics with 95% intervals by cluster bootstrap, of all rows, of those whose mother is known, and weighted.

    Rows without a risk are left out, and counted.
    """
    asked = ~np.isnan(risk)
    rows, risk = rows[asked], risk[asked]
    linked = rows.mother_id.notna().to_numpy()
    how = {"draws": draws, "seed": seed}
    found: dict[str, object] = {
        "n": len(rows),
        "left_out": int((~asked).sum()),
        "all": _measured(rows, risk, **how),
        "mother_known": {"n": int(linked.sum())} | _measured(rows[linked], risk[linked], **how),
    }
    weight = known_weights(rows)
    if weight is not None:
        found["weighted"] = _measured(rows, risk, weight=weight, **how)
    return found


def within_regions(rows: pd.DataFrame, risk: np.ndarray, *, at_least: int = 10) -> dict[str, object]:
    """AUC inside each region that has at least so many stunted children and as many others, and their mean.

    A pooled AUC also rewards knowing which regions are worse off; this one does not.
    """
    found = {}
    for region in sorted(rows.region_id.dropna().unique()):
        here = (rows.region_id == region).to_numpy() & ~np.isnan(risk)
        stunted = int(rows.stunted[here].sum())
        if min(stunted, int(here.sum()) - stunted) >= at_least:
            found[str(region)] = measure(rows.stunted[here], risk[here], calibrated=False)["auc"]
    return {"mean": float(np.mean(list(found.values()))) if found else np.nan, "by_region": found}


def _measured(rows: pd.DataFrame, risk: np.ndarray, **how: Any) -> dict[str, float]:
    found = with_intervals(rows.stunted, risk, cluster=clusters(rows), **how)
    return {f"{name}{end}": found[f"{name}{end}"] for name in SHOWN for end in ("", "_low", "_high")}
