"""What is left without age, the strongest fact of a cross-section.

A list by risk can look good because it lists two- and three-year-olds. Two answers: figures within age bands beside
those of a model that knows age and sex only, and pseudo-cohorts.

A pseudo-cohort puts the infants of one survey, asked at 24 months, beside the two-year-olds of a survey two years
later. It can show whether `risk_at_24m` is on the level of children who were born when the infants were, overall and by
group. It cannot show that the right infants are told apart, because nobody is followed: the two surveys measured
different children. A difference mixes the model's error with what changed meanwhile (the period), with who left, moved
or died (selection), with facts that changed before 24 months, with the months between 24 and the later children's age,
and with a sample drawn otherwise where survey weights are not used. With later children of the infants' own year, the
period is left out and the rest stays.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer

from training.metrics import measure, paired_difference
from training.model import AGE_AT_24_MONTHS
from training.resampling import interval, resamples
from training.splits import clusters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from training.model import RiskModel

BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"0-5": (0, 6), "6-11": (6, 12), "12-23": (12, 24), "24-35": (24, 36), "36-59": (36, 60)}
)
"""Months of age: from the first, to below the second."""
AGE, SEX = "age_months", "male"
KNOTS: Final = 7
INFANT: Final = (0.0, 12.0)
COLUMNS: Final = ("by", "group", "infants", "later", "forecast", "observed", "difference", "low", "high")
TWO: Final = (22.0, 31.0)
"""Children of 22 to 30 completed months. [months]"""


def fit_age_and_sex(rows: pd.DataFrame) -> Pipeline:
    """A logistic model of `stunted` that knows `age_months` and `male` only, with a curve over age for either sex.

    Parameters
    ----------
    rows
        Training rows: `age_months` (known), `male` (0, 1 or null: taken for the mean), `stunted` (0 and 1).
    """
    curve = SplineTransformer(n_knots=KNOTS, knots="quantile", extrapolation="linear", include_bias=False)
    facts = make_column_transformer((curve, [AGE]), (SimpleImputer(), [SEX]))
    # Products with sex give each sex its own curve; products within the curve hardly matter and are shrunk.
    by_sex = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    return make_pipeline(facts, by_sex, LogisticRegression(C=10.0, max_iter=2000)).fit(rows[[AGE, SEX]], rows.stunted)


def age_and_sex_risk(model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    """Risk of each row by what `fit_age_and_sex` gave. [probability]"""
    made: np.ndarray = model.predict_proba(rows[[AGE, SEX]])[:, 1]
    return made


def beside_age(
    rows: pd.DataFrame, risk: np.ndarray, by_age: np.ndarray, *, draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """Figures of a model and of age and sex alone, over all ages (`all`) and by age band.

    Parameters
    ----------
    rows
        Test rows: `age_months`, `stunted`, `area_id`, `household_id`.
    risk, by_age
        The model's risk, and that of age and sex alone. Shape (rows,). [probability]
    draws, seed
        Of the cluster bootstrap.

    Returns
    -------
    By band (left out when empty): `n`; `base_rate`; `auc`, `precision_at_10`, `recall_at_10` of the model, and the same
    as `age_and_sex_...`; `auc_lead` of the model over age and sex with `_low` and `_high`, the 95% paired interval.
    NaN where only one outcome is there.
    """
    bands = {"all": np.ones(len(rows), dtype=bool)} | {
        name: rows[AGE].between(low, high, inclusive="left").to_numpy() for name, (low, high) in BANDS.items()
    }
    return {
        name: _beside(rows[inside], risk[inside], by_age[inside], draws=draws, seed=seed)
        for name, inside in bands.items()
        if inside.any()
    }


def _beside(rows: pd.DataFrame, risk: np.ndarray, by_age: np.ndarray, *, draws: int, seed: int) -> dict[str, float]:
    told = ("auc", "precision_at_10", "recall_at_10")
    own, plain = measure(rows.stunted, risk), measure(rows.stunted, by_age)
    lead = paired_difference(
        rows.stunted, risk, by_age, metric="auc", cluster=clusters(rows), draws=draws, seed=seed
    )  # fmt: skip
    return {
        "n": len(rows),
        "base_rate": float(rows.stunted.mean()),
        **{name: own[name] for name in told},
        **{f"age_and_sex_{name}": plain[name] for name in told},
        "auc_lead": lead["difference"],
        "auc_lead_low": lead["low"],
        "auc_lead_high": lead["high"],
    }


def infants_in(rows: pd.DataFrame, *, year: int) -> pd.DataFrame:
    """The rows known in a year of children of 0-11 months."""
    return rows[(rows.as_of.dt.year == year) & rows[AGE].between(*INFANT, inclusive="left")]


def two_year_olds_in(rows: pd.DataFrame, *, year: int) -> pd.DataFrame:
    """The rows known in a year of children of 22-30 months."""
    return rows[(rows.as_of.dt.year == year) & rows[AGE].between(*TWO, inclusive="left")]


def asked_at(model: RiskModel, rows: pd.DataFrame, *, age_months: float = AGE_AT_24_MONTHS) -> np.ndarray:
    """Risk of each row at another age, all else as known; at 24 months it is `risk_at_24m`. [probability]

    For `pseudo_cohort`, give a model trained on rows known before the later survey. At 24 months children stand up to
    be measured, and in some surveys prevalence falls there from one month to the next: risks asked at 24 may then lie
    on either side of the step, while the later children lie on both. Ask at other ages, too.
    """
    return model.risk(model.prepared(rows).assign(**{AGE: age_months}))


def pseudo_cohort(
    infants: pd.DataFrame,
    risk_at_24m: np.ndarray,
    later: pd.DataFrame,
    *,
    draws: int,
    seed: int,
    by: Iterable[str] = ("wealth_quintile", "region_id"),
    weight: str | None = None,
) -> pd.DataFrame:
    """Infants of one survey asked at 24 months, beside the two-year-olds of a later one; see above what it can show.

    The model must not have seen the later survey. See `infants_in`, `two_year_olds_in` and `asked_at`.

    Parameters
    ----------
    infants, later
        Rows with `area_id`, `household_id` and the columns of `by`; `later` also with `stunted`.
    risk_at_24m
        One per row of `infants`. [probability]
    by
        Columns to group by. A null, and a group that one side lacks, are left out.
    weight
        Column of survey weights on both sides; all count 1 if None.

    Returns
    -------
    `by` ('all', or a column), `group`, `infants` and `later` [rows], `forecast`, `observed` [share], and `difference`
    forecast minus observed, with `low` and `high` of its 95% interval: both sides' clusters drawn again, one that is on
    both sides drawn for both. The interval leaves out the noise of the model's training.
    """
    _check(infants, risk_at_24m, later)
    first = _side(infants, np.asarray(risk_at_24m, dtype=float), weight)
    second = _side(later, later.stunted.to_numpy(dtype=float), weight)
    counts = list(resamples(pd.concat([first.cluster, second.cluster]), draws, seed=seed))
    tables = [_compared(first.assign(group="all"), second.assign(group="all"), counts).assign(by="all")]
    for name in by:
        one, two = first.assign(group=infants[name].to_numpy()), second.assign(group=later[name].to_numpy())
        tables.append(_compared(one, two, counts).assign(by=name))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _check(infants: pd.DataFrame, risk: np.ndarray, later: pd.DataFrame) -> None:
    if infants.empty or later.empty or len(risk) != len(infants):
        raise ValueError(
            f"{len(infants)} infants, {len(risk)} risks and {len(later)} later children; each infant needs one risk "
            "and each side a row. Check the years: `infants_in(year)`, `two_year_olds_in(year + 2)`."
        )


def _side(rows: pd.DataFrame, value: np.ndarray, weight: str | None) -> pd.DataFrame:
    counted = np.ones(len(rows)) if weight is None else rows[weight].to_numpy(dtype=float)
    return pd.DataFrame({"cluster": clusters(rows).to_numpy(), "value": value, "weight": counted})


def _compared(first: pd.DataFrame, second: pd.DataFrame, counts: list[np.ndarray]) -> pd.DataFrame:
    """One row for each group that both sides have."""
    groups = sorted(set(first.group.dropna()) & set(second.group.dropna()))
    forecast, observed = (_means(side, groups, np.ones(len(side))) for side in (first, second))
    drawn = [
        _means(first, groups, count[: len(first)]) - _means(second, groups, count[len(first) :]) for count in counts
    ]
    ends = [interval([float(one[n]) for one in drawn]) for n in range(len(groups))]
    return pd.DataFrame(
        {
            "group": pd.Series(groups, dtype=object),
            "infants": [int((first.group == group).sum()) for group in groups],
            "later": [int((second.group == group).sum()) for group in groups],
            "forecast": forecast,
            "observed": observed,
            "difference": forecast - observed,
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def _means(side: pd.DataFrame, groups: list[object], count: np.ndarray) -> np.ndarray:
    """Weighted mean by group; NaN where a draw has none of it."""
    code = pd.Index(groups).get_indexer(pd.Index(side.group))
    inside, weight = code >= 0, side.weight.to_numpy() * count
    total, mass = (
        np.bincount(code[inside], weights=amount[inside], minlength=len(groups))
        for amount in (weight * side.value.to_numpy(), weight)
    )
    with np.errstate(invalid="ignore"):
        made: np.ndarray = total / mass
    return made
