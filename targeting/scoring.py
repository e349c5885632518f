"""Registered model + features -> risk per child, pregnancy and household."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.build import KEYS
from targeting.reasons import Reason, explain
from training.contributions import PARTS
from training.masking import CHILD_FACTS, columns_of
from training.model import AGE_AT_24_MONTHS, under_24_months
from training.models import INPUTS, inputs_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from training.model import RiskModel

AGE = INPUTS.index("age_months")
OF_CHILD = np.array([INPUTS.index(name) for name in columns_of(*CHILD_FACTS)])


@dataclass(frozen=True, eq=False)
class Scored:
    """What the model says of some units, in their order; at 24 months, of those only who are asked.

    Parameters
    ----------
    risk_now
        Null for a pregnancy.
    risk_at_24m
        Null from 24 months on.
    contributions, contributions_24m
        One column of each of `PARTS`; they add up to the log-odds of `risk_now` (for a pregnancy, of the child as if
        unknown) and of `risk_at_24m`.
    why, why_24m
        See `reasons.explain`; at 24 months age is no reason.
    """

    risk_now: np.ndarray
    risk_at_24m: np.ndarray
    contributions: np.ndarray
    contributions_24m: np.ndarray
    why: list[tuple[Reason, ...]]
    why_24m: list[tuple[Reason, ...]]


def newest(units: pd.DataFrame, maternal: pd.DataFrame, child: pd.DataFrame, *, since: dt.date) -> pd.DataFrame:
    """Each unit as last known, of those known on `since` or later; a pregnancy that has ended is none.

    Parameters
    ----------
    maternal, child
        The registers: a woman's newer record, or a child born to her since, ends a pregnancy.
    """
    recent = units[units.as_of >= pd.Timestamp(since)]
    last = recent.sort_values(["unit_id", "as_of"]).drop_duplicates("unit_id", keep="last")
    said_last = last.mother_id.map(maternal.groupby("mother_id").recorded_on.max())
    born_last = last.mother_id.map(child.groupby("mother_id").birth_date.max())
    ended = (last.unit_kind == "pregnancy") & ((said_last > last.as_of) | (born_last > last.as_of))
    return last[~ended].reset_index(drop=True)


def score_inputs(model: RiskModel, now: np.ndarray, *, unborn: np.ndarray) -> Scored:
    """Risks and reasons of units whose features are all there, area history included.

    Parameters
    ----------
    now
        The model's inputs, see `models.inputs_of`.
    unborn
        Whether a row is a pregnancy.
    """
    asked_later = under_24_months(now[:, AGE])
    then = now[asked_later]
    then[:, AGE] = AGE_AT_24_MONTHS
    # Both questions at once: asking costs more than answering.
    both = np.vstack([now, then])
    risk, made = model.assessed(both)
    weights = made[:, : len(INPUTS)].copy()
    not_born = np.flatnonzero(np.r_[unborn, unborn[asked_later]])
    weights[np.ix_(not_born, OF_CHILD)] = 0.0  # nothing unknown of a child not born yet is a reason
    weights[len(now) :, AGE] = 0.0
    said = explain(INPUTS, both, weights)
    risk_at_24m = np.full(len(now), np.nan)
    risk_at_24m[asked_later] = risk[len(now) :]
    first, second = slice(None, len(now)), slice(len(now), None)
    risk_now = np.where(unborn, np.nan, risk[first])
    return Scored(risk_now, risk_at_24m, made[first], made[second], said[first], said[second])


def score_units(model: RiskModel, units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Risks with reasons in words, and the contributions to `log_odds`, that of `risk_now`; one row a unit each."""
    unborn = (units.unit_kind == "pregnancy").to_numpy()
    made = score_inputs(model, inputs_of(model.prepared(units)), unborn=unborn)
    later = iter(made.why_24m)
    why_24m = [() if np.isnan(risk) else next(later) for risk in made.risk_at_24m]
    keys = units[[*KEYS, "age_months"]]
    scores = keys.assign(
        risk_now=made.risk_now,
        risk_at_24m=made.risk_at_24m,
        log_odds=made.contributions.sum(axis=1),
        reasons_id=_joined([reason.text_id for reason in one] for one in made.why),
        reasons_en=_joined([reason.text_en for reason in one] for one in made.why),
        reasons_24m_id=_joined([reason.text_id for reason in one] for one in why_24m),
        reasons_24m_en=_joined([reason.text_en for reason in one] for one in why_24m),
    )
    parts = pd.DataFrame(made.contributions, index=units.index, columns=list(PARTS))
    return scores, pd.concat([keys[["unit_id", "as_of"]], parts], axis=1)


def _joined(said: Iterable[list[str]]) -> pd.api.extensions.ExtensionArray:
    return pd.array(["; ".join(one) for one in said], dtype="str")
