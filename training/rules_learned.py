"""Simple rules that are fitted: on training rows only, a score per row of the test, higher is sooner.

A table of training rows and their outcomes goes in apart from the rows to score, of which no outcome is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from features.catalog.poverty import ASSETS
from training.krs import FACTORS, KrsRule, flags, recorded, welfare_decile

UNKNOWN_LAST: Final = -1_000.0
"""Behind every household that a proxy means test can place: its welfare is near 1 to 10."""
DECIMALS: Final = 9
"""Scores are rounded: by their row's place equal facts may differ in the last bits, and must still be a tie."""
SEEN: Final = (
    *(f"owns_{asset}" for asset in ASSETS), "floor_quality", "wall_quality", "roof_quality", "fuel_ladder",
    "water_ladder", "water_piped", "toilet_ladder", "toilet_shared",
)  # fmt: skip
"""What a visitor sees of the house and its goods."""
PEOPLE: Final = ("member_count", "under5_count", "under5_share", "women_count", "head_age")


@dataclass(frozen=True)
class Learned:
    """A fitted rule's score per row of the test, or None where it cannot be had; how it came about, in words."""

    score: pd.Series | None
    said: str


def krs_logistic(train: pd.DataFrame, train_label: pd.Series, test: pd.DataFrame, *, rule: KrsRule) -> Learned:
    """The probability of the outcome by KRS's factors and the welfare decile. [0-1, not calibrated]

    What an office gets that keeps KRS's questions and lets its own past children weigh them. An
    unrecorded fact takes the median and is itself an input.

    Parameters
    ----------
    train, train_label
        Past rows and their outcome (0/1, both present), paired by position.
    test
        The rows to score.

    References
    ----------
    Factors: BKKBN, *Buku Saku Metadata Indikator KRS*, 2022. The weighting is ours.
    """
    past = train.assign(outcome=train_label.to_numpy()).sort_values(["unit_id", "as_of"])
    model = make_pipeline(_filled(), LogisticRegression(max_iter=2000))
    model.fit(_factors(past, rule), past.outcome)
    risk = model.predict_proba(_factors(test, rule))[:, 1]
    return Learned(
        pd.Series(risk, index=test.index).round(DECIMALS),
        f"logistic regression on the seven factors, the flag and the welfare decile of {len(past):,} training rows",
    )


def proxy_means(train: pd.DataFrame, test: pd.DataFrame) -> Learned:
    """Minus the welfare that a household's visible facts foretell, so the poorest first. [deciles]

    Ordinary least squares of the recorded welfare decile, else the middle of the wealth quintile's two,
    on the house, its goods, water, toilet, size and head; one row a household, its newest, and no outcome
    of a child. Households of which nothing of the house is known come last, all alike.

    References
    ----------
    Grosh, M. E. and Baker, J. L., *Proxy Means Tests for Targeting Social Programs: Simulations and
    Speculation*, LSMS Working Paper 118, World Bank, 1995.
    Alatas, V. et al., Targeting the Poor: Evidence from a Field Experiment in Indonesia, *American
    Economic Review* 102(4), 2012, 1206-1240: assets foretell consumption in 640 villages.

    Notes
    -----
    Both foretell consumption, which no register here holds: its decile stands in. That Indonesia's
    PPLS and BDT lists came from such tests, fitted by district, is general knowledge and was not checked.
    """
    homes = train[_visited(train)].assign(welfare=welfare_decile).dropna(subset="welfare")
    homes = homes.sort_values(["household_id", "as_of", "unit_id"]).drop_duplicates("household_id", keep="last")
    if homes.welfare.nunique() < 2:  # noqa: PLR2004 (a line needs two)
        return Learned(None, "not fitted: fewer than two degrees of welfare among the training rows' households")
    model = _means_test().fit(_facts(homes), homes.welfare)
    welfare = pd.Series(model.predict(_facts(test)), index=test.index).round(DECIMALS)
    fit = model.score(_facts(homes), homes.welfare)
    said = f"least squares on {len(homes):,} training households, of whose welfare it explains {fit:.0%}"
    unknown = int((~_visited(test)).sum())
    return Learned((-welfare).where(_visited(test), UNKNOWN_LAST), f"{said}; {unknown:,} rows unknown, and last")


def _factors(rows: pd.DataFrame, rule: KrsRule) -> pd.DataFrame:
    made = flags(rows, rule=rule)
    asked = made[list(FACTORS)].astype("Float64").where(recorded(rows)).astype(float)
    return asked.assign(krs=made.krs.astype(float), welfare=welfare_decile(rows))


def _facts(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[*SEEN, "head_female", *PEOPLE]].astype(float)


def _visited(rows: pd.DataFrame) -> pd.Series:
    return rows[list(SEEN)].notna().any(axis=1)


def _filled() -> Pipeline:
    """Medians for nulls, each null also an input, all on one scale."""
    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )


def _means_test() -> Pipeline:
    """Codes as yes or no each, an unknown code among them: their steps are not of one size."""
    codes = OneHotEncoder(handle_unknown="ignore")
    apart = make_column_transformer((codes, [*SEEN, "head_female"]), (_filled(), list(PEOPLE)), sparse_threshold=0)
    return make_pipeline(apart, LinearRegression())
