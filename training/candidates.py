"""Ways of learning that the champion's is compared with: each fits training rows, and gives an order of others.

They are references. The champion is one booster, whose reasons are exact, unless a rival is clearly better.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier
from lightgbm import LGBMRegressor
from scipy.special import logit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from training.labels import sloped
from training.models import DIRECTIONS, INPUTS, fit_booster, fit_logistic, inputs_of, margin

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from features.settings import Train

    Order = Callable[[pd.DataFrame], np.ndarray]
    """Scores of rows: the higher, the riskier; no probability."""

SMOOTH_FROM: Final = 8
"""Distinct values from which a feature gets a curve of its own instead of a line."""
MOST_INTERACTIONS: Final = 10


def booster(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:
    """The champion's own: XGBoost under the catalogue's directions, on the sloped label."""
    made = fit_booster(rows, sloped(rows.haz, width_sd=how.label_width_sd), how=how.booster, seed=seed)
    return lambda asked: margin(made, asked)


def booster_on_the_step(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:
    """XGBoost under the catalogue's directions, told only who is below the line."""
    return booster(rows, how=how.model_copy(update={"label_width_sd": 0.0}), seed=seed)


def booster_unbound(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:
    """XGBoost free to let a risk fall where the catalogue says that it can only rise."""
    label = sloped(rows.haz, width_sd=how.label_width_sd)
    made = fit_booster(rows, label, how=how.booster, seed=seed, directions={})
    return lambda asked: margin(made, asked)


def lightgbm(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:
    """LightGBM with settings as near to the champion's as its own allow, on the sloped label."""
    own = how.booster
    model = LGBMRegressor(
        objective="cross_entropy", n_estimators=own.rounds, learning_rate=own.eta, num_leaves=2**own.max_depth,
        max_depth=own.max_depth, min_sum_hessian_in_leaf=own.min_child_weight, reg_lambda=own.reg_lambda,
        subsample=own.subsample, subsample_freq=1, colsample_bytree=own.colsample_bytree,
        monotone_constraints=list(DIRECTIONS.values()), random_state=seed, n_jobs=2, verbosity=-1, deterministic=True,
        force_col_wise=True,
    )  # fmt: skip
    model.fit(inputs_of(rows), sloped(rows.haz, width_sd=how.label_width_sd))
    return lambda asked: np.asarray(model.predict(inputs_of(asked), raw_score=True), dtype=float)


def ebm(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:  # noqa: ARG001 (one signature for all)
    """Explainable Boosting Machine: a curve a feature, and a few pairs; it can be read whole.

    References
    ----------
    Lou, Caruana, Gehrke, Hooker, *Accurate intelligible models with pairwise interactions*, KDD 2013.
    """
    known = [name for name in INPUTS if rows[name].notna().any()]
    model = ExplainableBoostingClassifier(
        interactions=MOST_INTERACTIONS, outer_bags=4, random_state=seed, n_jobs=2, feature_names=known
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Missing values detected")  # it is about its pictures; null has a score
        model.fit(inputs_of(rows, known), rows.stunted.to_numpy())
    return lambda asked: _log_odds(model.predict_proba(inputs_of(asked, known))[:, 1])


def logistic(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:  # noqa: ARG001 (one signature for all)
    """Logistic regression, a line a feature: the simplest of all."""
    return _by(fit_logistic(rows, rows.stunted))


def logistic_splines(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:  # noqa: ARG001 (one signature for all)
    """Logistic regression with a cubic spline for each feature of many values, and a mark for each null."""
    smooth = [name for name in INPUTS if rows[name].nunique() >= SMOOTH_FROM]
    known = SimpleImputer(strategy="median", keep_empty_features=True)
    shaped = ColumnTransformer(
        [
            ("curve", make_pipeline(known, SplineTransformer(n_knots=5, knots="quantile")), smooth),
            ("line", make_pipeline(known, StandardScaler()), [name for name in INPUTS if name not in smooth]),
            ("null", SimpleImputer(add_indicator=True, keep_empty_features=True), list(INPUTS)),
        ]
    )
    model = make_pipeline(shaped, StandardScaler(), LogisticRegression(C=0.01, max_iter=3000))
    return _by(model.fit(rows[list(INPUTS)], rows.stunted))


def blend(*ways: str) -> Callable[..., Order]:
    """The mean of several ways' log-odds."""

    def fit(rows: pd.DataFrame, *, how: Train, seed: int) -> Order:
        orders = [CANDIDATES[way](rows, how=how, seed=seed) for way in ways]
        return lambda asked: np.mean([order(asked) for order in orders], axis=0)

    return fit


CANDIDATES: Final[dict[str, Callable[..., Order]]] = {
    "booster": booster,
    "booster_on_the_step": booster_on_the_step,
    "booster_unbound": booster_unbound,
    "lightgbm": lightgbm,
    "ebm": ebm,
    "logistic": logistic,
    "logistic_splines": logistic_splines,
    "blend": blend("booster", "lightgbm", "logistic_splines"),
}


def _by(model: Pipeline) -> Order:
    return lambda asked: _log_odds(model.predict_proba(asked[list(INPUTS)])[:, 1])


def _log_odds(risk: np.ndarray) -> np.ndarray:
    found: np.ndarray = logit(np.clip(risk, 1e-9, 1 - 1e-9))
    return found
