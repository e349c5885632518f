"""The candidates: a booster under monotone constraints, and a logistic reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xgboost as xgb
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from features.catalog import CATALOG

if TYPE_CHECKING:
    import pandas as pd

    from features.settings import Booster

INPUTS = tuple(f.name for f in CATALOG if not f.protected)
DIRECTIONS = tuple(f.direction for f in CATALOG if not f.protected)


def inputs_of(rows: pd.DataFrame) -> np.ndarray:
    """The model's inputs as float64, in the catalogue's order; null as NaN."""
    # To look the columns up takes longer than to predict one row.
    rows = rows if tuple(rows.columns) == INPUTS else rows[list(INPUTS)]
    return rows.to_numpy(float, na_value=np.nan)


def matrix(rows: pd.DataFrame) -> xgb.DMatrix:
    """The model's inputs, in the catalogue's order."""
    return xgb.DMatrix(inputs_of(rows).astype(np.float32), feature_names=list(INPUTS))


def fit_booster(rows: pd.DataFrame, label: pd.Series, *, how: Booster, seed: int) -> xgb.Booster:
    """A booster whose risk can only move as the catalogue's directions say.

    `subsample < 1` draws by position, so the rows must come in their key's order.
    """
    asked = how.model_dump()
    rounds = asked.pop("rounds")
    inputs = matrix(rows)
    inputs.set_label(label.to_numpy())
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 2, "seed": seed}
    return xgb.train(asked | fixed | {"monotone_constraints": DIRECTIONS}, inputs, rounds)


def margin(booster: xgb.Booster, rows: pd.DataFrame) -> np.ndarray:
    """Uncalibrated log-odds, one per row."""
    made: np.ndarray = booster.predict(matrix(rows), output_margin=True)
    return made.astype(float)


def bias(booster: xgb.Booster) -> float:
    """The log-odds from which the booster's contributions start; exactly what it adds to them."""
    empty = xgb.DMatrix(np.full((1, len(INPUTS)), np.nan, np.float32), feature_names=list(INPUTS))
    return float(booster.predict(empty, pred_contribs=True)[0, -1])


def fit_logistic(rows: pd.DataFrame, label: pd.Series) -> Pipeline:
    """The reference: standardised inputs, medians for nulls, each null also an input."""
    model = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=2000),
    )
    return model.fit(rows[list(INPUTS)], label)
