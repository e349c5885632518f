"""What each model may know, and how it is fitted: a booster under monotone constraints, and a logistic reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xgboost as xgb
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from features.catalog import CATALOG, EARLIER, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from features.catalog import Feature
    from features.settings import Booster


@dataclass(frozen=True)
class Knowledge:
    """What a model of this name may know of a row.

    Parameters
    ----------
    catalog
        Its features in their order, the protected ones among them, which are no inputs.
    of_unborn
        It also answers for pregnancies, of which no child fact is known.
    """

    model: str
    catalog: tuple[Feature, ...]
    of_unborn: bool

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the booster's order."""
        return tuple(f.name for f in self.catalog if not f.protected)

    @property
    def directions(self) -> dict[str, int]:
        """The way in which each input may move the risk; see `Feature`."""
        return {f.name: f.direction for f in self.catalog if not f.protected}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the features, as `catalog.fingerprint` makes it."""
        return fingerprint(self.catalog)


DETERMINANTS = Knowledge("determinants", CATALOG, of_unborn=True)
HISTORY = Knowledge("history", (*CATALOG, *EARLIER), of_unborn=False)
"""Only for children who were measured before; its risks are never mixed with those of `DETERMINANTS`."""
KNOWLEDGE = {each.model: each for each in (DETERMINANTS, HISTORY)}
INPUTS, DIRECTIONS = DETERMINANTS.inputs, DETERMINANTS.directions
SHARED_FROM = 1_000
"""Below it, sharing the rows out over threads takes longer than taking them in."""


def inputs_of(rows: pd.DataFrame, names: Sequence[str] = INPUTS) -> np.ndarray:
    """The model's inputs as float64, in the catalogue's order; null as NaN."""
    return rows[list(names)].to_numpy(float, na_value=np.nan)


def matrix(inputs: np.ndarray) -> xgb.DMatrix:
    """Inputs as `inputs_of` gives them, for the booster; `model.read` has compared its names with ours."""
    threads = 1 if len(inputs) < SHARED_FROM else None
    return xgb.DMatrix(inputs.astype(np.float32), nthread=threads)


def fit_booster(
    rows: pd.DataFrame,
    label: np.ndarray,
    *,
    how: Booster,
    seed: int,
    names: Sequence[str] = INPUTS,
    directions: Mapping[str, int] = DIRECTIONS,
) -> xgb.Booster:
    """A booster whose risk can only move as the catalogue's directions say; a label may lie between 0 and 1.

    `subsample < 1` draws by position, so the rows must come in their key's order.
    """
    asked = how.model_dump()
    rounds = asked.pop("rounds")
    inputs = xgb.DMatrix(inputs_of(rows, names).astype(np.float32), label=label, feature_names=list(names))
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 2, "seed": seed}
    bound = tuple(directions.get(name, 0) for name in names)
    return xgb.train(asked | fixed | {"monotone_constraints": bound}, inputs, rounds)


def margin(booster: xgb.Booster, rows: pd.DataFrame) -> np.ndarray:
    """Uncalibrated log-odds, one per row."""
    return margins(booster, matrix(inputs_of(rows, booster.feature_names or INPUTS)))


def margins(booster: xgb.Booster, inputs: xgb.DMatrix) -> np.ndarray:
    """Uncalibrated log-odds of what `matrix` made."""
    made: np.ndarray = booster.predict(inputs, output_margin=True, validate_features=False)
    return made.astype(float)


def shares(booster: xgb.Booster, inputs: xgb.DMatrix) -> np.ndarray:
    """TreeSHAP by XGBoost itself: a column an input, and the bias last. [uncalibrated log-odds]"""
    made: np.ndarray = booster.predict(inputs, pred_contribs=True, validate_features=False)
    return made.astype(float)


def bias(booster: xgb.Booster) -> float:
    """The log-odds from which the booster's contributions start; exactly what it adds to them."""
    return float(shares(booster, matrix(np.full((1, booster.num_features()), np.nan)))[0, -1])


def fit_logistic(rows: pd.DataFrame, label: pd.Series) -> Pipeline:
    """The reference: standardised inputs, medians for nulls, each null also an input."""
    model = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=2000),
    )
    return model.fit(rows[list(INPUTS)], label)
