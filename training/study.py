"""Beyond the headline: harder protocols, groups, what a visit finds, age, and what old facts cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.build import add_history
from features.errors import InputRefused
from features.progress import shown
from training.age import (
    BANDS,
    age_and_sex_risk,
    asked_at,
    beside_age,
    fit_age_and_sex,
    infants_in,
    pseudo_cohort,
    two_year_olds_in,
)
from training.decision import LEADING, capacity_curve, freshness, quota_gain, recall_ratio
from training.fairness import Audit, Bounds, audit, refusals
from training.fit import labelled
from training.follow_up import follow_up
from training.groups import groups
from training.heaping import label_noise, quality
from training.learn import learn, uncalibrated
from training.levels import levels
from training.models import margin
from training.net_benefit import decision_curve
from training.protocols import figures, new_places, new_regions, within_regions
from training.splits import clusters, with_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from features.settings import Settings
    from training.model import RiskModel

APART = 2
"""Years between infants and the children of two years that they are compared with."""
NOISE_SD = (0.3, 0.5, 1.0)
"""Errors of a measured height-for-age that are tried on the training rows. [SD]"""
NEAR, LIFT = 1.0, 0.5
"""And the error of a register that lifts children this near the line by this much, on the average. [SD]"""
LEAST = 50
"""Infants, and children of two, that a comparison of both takes."""


@dataclass(frozen=True, eq=False)
class Study:
    """What was found, as JSON would hold it, and the tables that pictures are drawn from."""

    details: dict[str, Any]
    audit: Audit
    curves: dict[str, pd.DataFrame]
    benefit: pd.DataFrame
    allowed: float


def study(
    model: RiskModel,
    train: pd.DataFrame,
    test: pd.DataFrame,
    rules: Mapping[str, pd.Series],
    *,
    rule: str,
    flag: str,
    registers: Mapping[str, pd.DataFrame],
    settings: Settings,
) -> Study:
    """Everything that is told of a model but its headline.

    Parameters
    ----------
    rules
        Scores of the test rows by baseline.
    rule, flag
        The baseline that it is set against, and the one that only says yes or no.
    registers
        `household`, `maternal` and `measurement`: survey weights, the language that is audited, and how well
        children were measured.
    """
    risk = model.risk(model.prepared(test))
    how: dict[str, Any] = {"draws": settings.evaluate.bootstrap_draws, "seed": settings.train.seed}
    by_cluster = how | {"cluster": clusters(test)}
    found = audited(test, risk, registers["maternal"], settings=settings)
    against: dict[str, Any] = {"model": risk, rule: rules[rule], "poverty_only": rules["poverty_only"]}
    details = {
        "protocols": _protocols(model, train, test, risk, registers["household"], settings=settings, how=how),
        "groups": told(found, settings),
        "levels": levels(risk, train, test, settings=settings, how=by_cluster),
        "reached": _reached(test, risk, rules[rule], how=by_cluster),
        "old_facts": _old_facts(model, train, test, risk, settings=settings, how=by_cluster),
        "age": beside_age(test, risk, age_and_sex_risk(fit_age_and_sex(train), test), **how),
        "infants_at_24_months": _infants(train, test, settings=settings, how=how),
        "infants_followed": follow_up(labelled(settings), registers["measurement"], settings=settings, how=how),
        "measurements": quality(registers["measurement"]).to_dict("records"),
        "label_noise": _label_noise(train, test, settings=settings),
    }
    return Study(
        details,
        found,
        {name: capacity_curve(test.stunted, score, **by_cluster) for name, score in against.items()},
        decision_curve(test.stunted, risk, rules={flag: rules[flag]}, **by_cluster),
        settings.gate.calibration_gap,
    )


def audited(test: pd.DataFrame, risk: np.ndarray, maternal: pd.DataFrame, *, settings: Settings) -> Audit:
    """The audit by groups of a model's risks; `maternal` is the register."""
    members, limits = groups(test, maternal, bands=BANDS), bounds_of(settings)
    how: dict[str, Any] = {"draws": settings.evaluate.bootstrap_draws, "seed": settings.train.seed}
    return audit(members, label=test.stunted, risk=risk, bounds=limits, cluster=clusters(test), **how)


def bounds_of(settings: Settings) -> Bounds:
    """How far groups may lie apart, as `params.yaml` says."""
    gate = settings.gate
    return Bounds(gate.calibration_gap, gate.recall_gap, gate.excess_gap, gate.recall_gap_of)


def _protocols(
    model: RiskModel,
    train: pd.DataFrame,
    test: pd.DataFrame,
    risk: np.ndarray,
    household: pd.DataFrame,
    *,
    settings: Settings,
    how: dict[str, Any],
) -> dict[str, Any]:
    asked, seed = with_weights(test, household), settings.train.seed
    places = new_places(train, test, settings=settings, seed=seed)
    regions = new_regions(
        train, test, settings=settings, seed=seed, calibration=model.calibration, steps=shown("each region left out")
    )
    return {
        "temporal": figures(asked, risk, **how),
        "new_places": figures(asked, places, **how),
        "new_regions": figures(asked, regions, **how) | {"within": within_regions(test, regions)},
    }


def told(found: Audit, settings: Settings) -> dict[str, Any]:
    """The audit as JSON holds it, and a sentence for each gap outside its bounds."""
    return {
        "calibration": found.calibration.to_dict("records"),
        "gaps": found.gaps.to_dict("records"),
        "costs": found.costs.to_dict("records"),
        "outside": refusals(found, bounds_of(settings)),
    }


def _reached(test: pd.DataFrame, risk: np.ndarray, rule: pd.Series, *, how: dict[str, Any]) -> dict[str, Any]:
    lead = recall_ratio(test.stunted, risk, rule, **how).loc[list(LEADING)]
    quota = {
        name: quota_gain(test.stunted, risk, area=test[f"{name}_id"].fillna("not known"), **how)
        for name in ("region", "area")
    }
    return {
        "times_the_rule": lead.reset_index().to_dict("records"),
        "by_quota": quota["region"].reset_index().to_dict("records"),
        "by_area_quota": quota["area"].reset_index().to_dict("records"),
    }


def _old_facts(
    model: RiskModel,
    train: pd.DataFrame,
    test: pd.DataFrame,
    risk: np.ndarray,
    *,
    settings: Settings,
    how: dict[str, Any],
) -> dict[str, Any] | None:
    """What a year without training costs; None when nothing older is there."""
    until = pd.Timestamp(settings.test_from) - pd.DateOffset(years=1)
    older = train[train.outcome_known_on < until]
    if older.stunted.nunique() < 2:  # noqa: PLR2004 (stunted and not)
        return None
    booster, history = uncalibrated(older, settings=settings, seed=settings.train.seed)
    stale = model.calibration.risk(margin(booster, add_history(test, history)))
    return {"until": f"{until:%Y-%m-%d}", "n": len(older), "cost": freshness(test.stunted, risk, stale, **how)}


def _infants(
    train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings, how: dict[str, Any]
) -> dict[str, Any] | None:
    """Infants asked at 24 months by a model of their own year, beside the children of two some years later."""
    later_year = int(test.as_of.dt.year.min())
    year = later_year - APART
    known = train[train.as_of.dt.year == year]
    infants, later = infants_in(known, year=year), two_year_olds_in(test, year=later_year)
    if min(len(infants), len(later)) < LEAST or known.stunted.nunique() < 2:  # noqa: PLR2004 (stunted and not)
        return None
    try:
        of_then = learn(known, settings=settings, seed=settings.train.seed)
    except InputRefused:  # its year alone says nothing
        return None
    table = pseudo_cohort(infants, asked_at(of_then, infants), later, **how)
    return {"year": year, "later_year": later_year, "compared": table.to_dict("records")}


def _label_noise(train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings) -> list[dict[str, Any]]:
    """What worse measurements in training would do to the order of the test rows."""

    def learned(rows: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray]:
        booster, history = uncalibrated(rows, settings=settings, seed=settings.train.seed)
        return lambda asked: margin(booster, add_history(asked, history))

    seed = settings.train.seed
    plain = label_noise(train, test, learn=learned, sds=NOISE_SD, seed=seed)
    lifted = label_noise(train, test, learn=learned, sds=NOISE_SD[:1], seed=seed, near=NEAR, lift=LIFT)
    both = pd.concat([plain.assign(lift=0.0), lifted.assign(lift=LIFT)])
    return [{str(name): value for name, value in line.items()} for line in both.to_dict("records")]
