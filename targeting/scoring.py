"""Registered model + features -> risk per child, pregnancy and household."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.build import KEYS
from targeting.reasons import explain
from training.masking import CHILD_FACTS, columns_of
from training.model import at_24_months

if TYPE_CHECKING:
    import datetime as dt

    from training.model import RiskModel


def newest(units: pd.DataFrame, *, since: dt.date) -> pd.DataFrame:
    """Each unit as last known, of those known on `since` or later."""
    recent = units[units.as_of >= pd.Timestamp(since)]
    last = recent.sort_values(["unit_id", "as_of"]).drop_duplicates("unit_id", keep="last")
    return last.reset_index(drop=True)


def score_units(model: RiskModel, units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Risks with reasons, and the contributions that they come from; one row a unit each.

    `risk_now` is null for a pregnancy, `risk_at_24m` from 24 months on. Contributions and `base`
    add up to `log_odds`, that of `risk_now` (for a pregnancy, of the child as if unknown).
    `reasons_*` explain `risk_now`, `reasons_24m_*` explain `risk_at_24m`, where age is no reason.
    """
    prepared = model.prepared(units)
    now = model.risk(prepared)
    made = model.explained(prepared)
    unborn = (units.unit_kind == "pregnancy").to_numpy()
    said = explain(prepared, _sayable(made, unborn=unborn))
    later = at_24_months(prepared)
    said_later = explain(later, _sayable(model.explained(later), unborn=unborn).drop(columns="age_months"))
    keys = units[[*KEYS, "age_months"]]
    scores = keys.assign(
        risk_now=np.where(unborn, np.nan, now),
        risk_at_24m=model.risk_at_24m(prepared),
        log_odds=made.sum(axis=1).to_numpy(),
        reasons_id=said.reasons_id.str.join("; "),
        reasons_en=said.reasons_en.str.join("; "),
        reasons_24m_id=said_later.reasons_id.str.join("; "),
        reasons_24m_en=said_later.reasons_en.str.join("; "),
    )
    return scores, pd.concat([keys[["unit_id", "as_of"]], made], axis=1)


def _sayable(made: pd.DataFrame, *, unborn: np.ndarray) -> pd.DataFrame:
    """Contributions without the base; of a child not born yet, nothing not known of it is a reason."""
    said = made.drop(columns="base")
    said.loc[unborn, list(columns_of(*CHILD_FACTS))] = 0.0
    return said
