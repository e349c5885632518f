"""Training rows -> a calibrated model; pure, so that it can be refitted with any seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.build import add_history
from features.fitted import area_history
from features.progress import unseen
from training.calibration import fit_calibration
from training.labels import sloped
from training.masking import mask
from training.model import RiskModel
from training.models import DETERMINANTS, fit_booster, margin
from training.splits import folds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import xgboost as xgb

    from features.settings import Settings, Train
    from training.models import Knowledge

    Fold = tuple[np.ndarray, np.ndarray]
    Steps = Callable[[Sequence[Fold]], Iterable[Fold]]

NAME = DETERMINANTS.model


def learn(
    train: pd.DataFrame,
    *,
    settings: Settings,
    seed: int,
    masked: bool = True,
    knows: Knowledge = DETERMINANTS,
    steps: Steps = unseen,
) -> RiskModel:
    """A booster on all training rows, calibrated on margins of folds that it did not see.

    Parameters
    ----------
    train
        One row per unit with an outcome: keys, features, `outcome_known_on`, `haz`, `stunted`.
    masked
        Hide registers in a share of the rows, as `params.yaml` says.
    knows
        Which model it is to be, and so which features it sees.
    steps
        How the loop over folds is shown.
    """
    ready, how = _ready(train, settings, seed=seed, masked=masked, knows=knows), settings.train
    rows, margins = ready.rows, np.zeros(len(ready.rows))
    for part, held_out in boosters_by_fold(ready.seen, how=how, seed=seed, knows=knows, steps=steps):
        margins[held_out] = margin(part, rows.iloc[held_out])
    booster = _booster(ready.seen, ready.label, how=how, seed=seed, knows=knows)
    calibration = fit_calibration(margins, rows.stunted)
    base_rate = float(rows.stunted.mean())
    return RiskModel(knows.model, booster, calibration, ready.history, fingerprint(rows), base_rate, seed,
                     simulated=settings.source.simulated)  # fmt: skip


def uncalibrated(train: pd.DataFrame, *, settings: Settings, seed: int) -> tuple[xgb.Booster, pd.DataFrame]:
    """The booster of `learn` and its area history, in a sixth of the time."""
    ready = _ready(train, settings, seed=seed, masked=True)
    return fit_booster(ready.seen, ready.label, how=settings.train.booster, seed=seed), ready.history


@dataclass(frozen=True, eq=False)
class _Ready:
    """Training rows in their key's order, as they are and as the booster sees them."""

    rows: pd.DataFrame
    seen: pd.DataFrame
    label: np.ndarray
    history: pd.DataFrame


def _ready(
    train: pd.DataFrame, settings: Settings, *, seed: int, masked: bool, knows: Knowledge = DETERMINANTS
) -> _Ready:
    train, how = train.sort_values(["unit_id", "as_of"], ignore_index=True), settings.train
    history = area_history(train, prior_children=settings.history.prior_children)
    rows = add_history(train, history)
    unborn = how.pregnancy_dropout if knows.of_unborn else 0.0
    seen = mask(rows, registers=how.register_dropout, pregnancies=unborn, seed=seed) if masked else rows
    return _Ready(rows, seen, sloped(rows.haz, width_sd=how.label_width_sd), history)


def boosters_by_fold(
    rows: pd.DataFrame, *, how: Train, seed: int, knows: Knowledge = DETERMINANTS, steps: Steps = unseen
) -> Iterator[tuple[xgb.Booster, np.ndarray]]:
    """For each fold, a booster and the positions of the rows that it did not see."""
    label = sloped(rows.haz, width_sd=how.label_width_sd)
    for fold, held_out in steps(list(folds(rows, count=how.folds))):
        yield _booster(rows.iloc[fold], label[fold], how=how, seed=seed, knows=knows), held_out


def _booster(rows: pd.DataFrame, label: np.ndarray, *, how: Train, seed: int, knows: Knowledge) -> xgb.Booster:
    return fit_booster(rows, label, how=how.booster, seed=seed, names=knows.inputs, directions=knows.directions)


def fingerprint(rows: pd.DataFrame) -> str:
    """SHA-256 of the rows, in their order."""
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()
