"""Training rows -> a calibrated model; pure, so that it can be refitted with any seed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.build import add_history
from features.fitted import area_history
from features.progress import unseen
from training.calibration import fit_calibration
from training.masking import mask
from training.model import RiskModel
from training.models import fit_booster, margin
from training.splits import folds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from features.settings import Settings

    Fold = tuple[np.ndarray, np.ndarray]
    Steps = Callable[[Sequence[Fold]], Iterable[Fold]]

NAME = "determinants"


def learn(
    train: pd.DataFrame, *, settings: Settings, seed: int, masked: bool = True, steps: Steps = unseen
) -> RiskModel:
    """A booster on all training rows, calibrated on margins of folds that it did not see.

    Parameters
    ----------
    train
        One row per unit with an outcome: keys, features, `outcome_known_on`, `stunted`.
    masked
        Hide registers in a share of the rows, as `params.yaml` says.
    steps
        How the loop over folds is shown.
    """
    train = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    history = area_history(train, prior_children=settings.history.prior_children)
    rows = add_history(train, history)
    how = settings.train
    seen = mask(rows, registers=how.register_dropout, pregnancies=how.pregnancy_dropout, seed=seed) if masked else rows
    unseen = np.zeros(len(rows))
    for fold, held_out in steps(list(folds(rows, count=how.folds))):
        part = fit_booster(seen.iloc[fold], rows.stunted.iloc[fold], how=how.booster, seed=seed)
        unseen[held_out] = margin(part, rows.iloc[held_out])
    booster = fit_booster(seen, rows.stunted, how=how.booster, seed=seed)
    calibration = fit_calibration(unseen, rows.stunted)
    return RiskModel(NAME, booster, calibration, history, fingerprint(rows), float(rows.stunted.mean()), seed)


def fingerprint(rows: pd.DataFrame) -> str:
    """SHA-256 of the rows, in their order."""
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()
