"""What a trained model is, and how it lies on disk: no pickle anywhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xgboost as xgb

from features.build import add_history
from features.errors import Refused
from training.calibration import Calibration
from training.contributions import assessed, contributions
from training.models import KNOWLEDGE, margin

if TYPE_CHECKING:
    from pathlib import Path

AGE_AT_24_MONTHS = 24.0


class ModelRefused(Refused):
    """The model on disk does not fit this code, or is damaged."""


@dataclass(frozen=True)
class RiskModel:
    """One booster, its calibration, and the area history it was trained with.

    Parameters
    ----------
    data
        SHA-256 of the training rows.
    base_rate
        Share stunted among the training rows. Their risk is on this level, not a survey's.
    simulated
        Nobody of its training rows exists.
    """

    name: str
    booster: xgb.Booster
    calibration: Calibration
    history: pd.DataFrame
    data: str
    base_rate: float
    seed: int
    simulated: bool = False

    def prepared(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with what this model knew of their area."""
        return add_history(rows, self.history)

    def risk(self, prepared: pd.DataFrame) -> np.ndarray:
        """Calibrated risk of being stunted now. [probability]"""
        return self.calibration.risk(margin(self.booster, prepared))

    def assessed(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Risk and its contributions, as `risk` and `explained` give them, of bare inputs and at the price of one."""
        margins, made = assessed(self.booster, inputs, calibration=self.calibration)
        return self.calibration.risk(margins), made

    def explained(self, prepared: pd.DataFrame) -> pd.DataFrame:
        """Contributions by feature and `base`, adding up to the calibrated log-odds."""
        return contributions(self.booster, prepared, calibration=self.calibration)


def under_24_months(age_months: np.ndarray) -> np.ndarray:
    """Who is asked at 24 months: the younger ones, and the unborn, whose age is null."""
    return np.isnan(age_months) | (age_months < AGE_AT_24_MONTHS)


def write(model: RiskModel, folder: Path) -> None:
    """Booster as UBJ, area history as CSV, the rest as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    knows = KNOWLEDGE[model.name]
    model.booster.save_model(folder / "booster.ubj")
    model.history.to_csv(folder / "area_history.csv", index=False)
    said = {
        "name": model.name,
        "catalogue": knows.fingerprint,
        "inputs": list(knows.inputs),
        "calibration": {"intercept": model.calibration.intercept, "slope": model.calibration.slope},
        "data": model.data,
        "base_rate": model.base_rate,
        "seed": model.seed,
        "simulated": model.simulated,
    }
    (folder / "model.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def digest(folder: Path) -> str:
    """SHA-256 of a model's files: equal for equal models, on any machine and in any registry."""
    made = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        made.update(path.name.encode() + path.read_bytes())
    return made.hexdigest()


def read(folder: Path) -> RiskModel:
    """The model of a folder.

    Raises
    ------
    ModelRefused
        A file is missing or damaged, or it was trained with another catalogue.
    """
    try:
        said = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        booster = xgb.Booster(model_file=folder / "booster.ubj")
        history = _history(folder / "area_history.csv")
        knows, calibration = KNOWLEDGE[said["name"]], Calibration(**said["calibration"])
        made = RiskModel(knows.model, booster, calibration, history, said["data"], said["base_rate"], said["seed"],
                         simulated=said["simulated"])  # fmt: skip
        fits = said["catalogue"] == knows.fingerprint and tuple(booster.feature_names or ()) == knows.inputs
    except (OSError, ValueError, KeyError, TypeError, xgb.core.XGBoostError) as fault:
        msg = f"The model in {folder} cannot be read ({type(fault).__name__}). Train again with `dvc repro`."
        raise ModelRefused(msg) from fault
    if not fits:
        msg = f"The model in {folder} was trained with another feature catalogue. Train again with `dvc repro`."
        raise ModelRefused(msg)
    return made


def _history(path: Path) -> pd.DataFrame:
    # Codes of digits only are codes all the same.
    kinds = {"level": "string", "place_id": "string"}
    return pd.read_csv(path, dtype=kinds, parse_dates=["known_from"], keep_default_na=False)
