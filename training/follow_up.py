"""Infants asked at 24 months, and the same children when they are two: where registers measure a child again.

What a pseudo-cohort cannot show (`training.age`), whether the right infants are told apart, this can. The model is of
its day: it learned from nobody's outcome of later, and from nobody of the infants' households.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from features.catalog.child import DAYS_PER_MONTH
from features.errors import InputRefused
from features.fitted import PLAUSIBLE, STUNTED_BELOW
from training.age import INFANT, TWO, asked_at
from training.learn import learn
from training.metrics import with_intervals
from training.resampling import interval, resamples
from training.splits import clusters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.settings import Settings

LEAST: Final = 50
"""Infants with an outcome of each kind from which something is said."""


def followed(rows: pd.DataFrame, measured: pd.DataFrame, *, cut: pd.Timestamp) -> pd.DataFrame:
    """Infants as last known before `cut`, with `stunted` at their first height of 22 to 30 months from then on.

    Parameters
    ----------
    rows
        Units with `age_months` on `as_of`.
    measured
        The register: `child_id, measured_on, haz`. A null or implausible height is passed over.
    """
    infants = rows[(rows.as_of < cut) & rows.age_months.between(*INFANT, inclusive="left")]
    infants = infants.sort_values(["unit_id", "as_of"]).drop_duplicates("unit_id", keep="last")
    later = measured.loc[(measured.measured_on >= cut) & (measured.haz.abs() <= PLAUSIBLE)]
    pairs = infants[["unit_id", "child_id", "as_of", "age_months"]].merge(
        later[["child_id", "measured_on", "haz"]], on="child_id"
    )
    age = pairs.age_months + (pairs.measured_on - pairs.as_of).dt.days / DAYS_PER_MONTH
    first = pairs[age.between(*TWO, inclusive="left")].sort_values("measured_on").drop_duplicates("unit_id")
    outcome = first.set_index("unit_id").haz.round(2) < STUNTED_BELOW
    found = infants[infants.unit_id.isin(outcome.index)]
    return found.assign(stunted=found.unit_id.map(outcome).astype(int)).reset_index(drop=True)


def follow_up(
    rows: pd.DataFrame, measured: pd.DataFrame, *, settings: Settings, how: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What was foretold at 24 months, and what came; None where too few are measured again.

    Parameters
    ----------
    rows
        Every unit with an outcome, of training and test.
    how
        `draws` and `seed` of the bootstrap.
    """
    cut = pd.Timestamp(settings.test_from) - pd.DateOffset(years=1)
    infants = followed(rows, measured, cut=cut)
    if min((infants.stunted == kind).sum() for kind in (0, 1)) < LEAST:
        return None
    known = rows[(rows.outcome_known_on < cut) & ~rows.household_id.isin(infants.household_id)]
    try:
        risk = asked_at(learn(known, settings=settings, seed=settings.train.seed), infants)
    except InputRefused:  # too little was known by then
        return None
    made = with_intervals(infants.stunted, risk, cluster=clusters(infants), **how)
    gap = risk - infants.stunted.to_numpy(float)
    drawn = [float(np.average(gap, weights=w)) for w in resamples(clusters(infants), **how) if w.any()]
    low, high = interval(drawn)
    return {
        "before": f"{cut:%Y-%m-%d}", "n": len(infants), "forecast": float(risk.mean()),
        "observed": float(infants.stunted.mean()), "difference": float(gap.mean()), "low": low, "high": high,
        **{f"{name}{end}": made[f"{name}{end}"] for name in ("auc", "recall_at_10") for end in ("", "_low", "_high")},
    }  # fmt: skip
