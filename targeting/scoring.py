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


def part_urgent(scores: pd.DataFrame, urgent_ids: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The units to rank, and those of children on the urgent list, who are referred and not ranked."""
    referred = scores.child_id.isin(urgent_ids.dropna())
    return scores[~referred], scores[referred]


def score_households(scores: pd.DataFrame, *, objective: str) -> pd.DataFrame:
    """One row a household: the risk that at least one of its units is, or will be, stunted.

    `1 - prod(1 - risk)` takes the units as independent, which siblings are not: an assumption.
    `find` goes by `risk_now`, `prevent` by `risk_at_24m`; a household without such a unit has null.
    `reasons_unit_id` is the unit of highest risk, which the reasons are about.
    """
    rows = scores.assign(now=scores.risk_now, then=scores.risk_at_24m)
    grouped = rows.groupby("household_id", sort=True)
    homes = pd.DataFrame(
        {
            "region_id": grouped.region_id.first(),
            "area_id": grouped.area_id.first(),
            "unit_count": grouped.size(),
            "risk_find": grouped.now.agg(_any_of),
            "risk_prevent": grouped.then.agg(_any_of),
        }
    )
    ranked, why = ("now", "reasons") if objective == "find" else ("then", "reasons_24m")
    homes["risk"] = homes.risk_find if objective == "find" else homes.risk_prevent
    homes["expected_stunted"] = grouped[ranked].sum()
    homes["objective"] = objective
    worst = rows.sort_values([ranked, "unit_id"], ascending=[False, True], na_position="last").drop_duplicates(
        "household_id"
    )
    worst = worst.set_index("household_id")
    said = {"reasons_id": worst[f"{why}_id"], "reasons_en": worst[f"{why}_en"], "reasons_unit_id": worst.unit_id}
    return homes.assign(**said).reset_index()


def _any_of(risks: pd.Series) -> float:
    known = risks.dropna().to_numpy(float)
    return 1.0 - float(np.prod(1.0 - known)) if len(known) else np.nan
