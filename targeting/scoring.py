"""Registered model + features -> risk per child, pregnancy and household, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from features.build import KEYS
from targeting.births import last_births
from targeting.reasons import Reason, explain
from training.contributions import PARTS
from training.masking import CHILD_FACTS, columns_of
from training.model import AGE_AT_24_MONTHS, under_24_months
from training.models import INPUTS, inputs_of
from training.refits import normal_intervals, of_households

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from training.model import RiskModel
    from training.spread import Spread

ASKED = {"find": "risk_now", "prevent": "risk_at_24m"}
"""The risk of a unit that each objective goes by."""
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


def newest(units: pd.DataFrame, registers: Mapping[str, pd.DataFrame], *, since: dt.date) -> pd.DataFrame:
    """Each unit as last known, of those known on `since` or later; a pregnancy that has ended is none.

    Parameters
    ----------
    registers
        `maternal`, `child` and `pregnancy`: a woman's newer record, or a child born to her since, ends a pregnancy.
    """
    recent = units[units.as_of >= pd.Timestamp(since)]
    last = recent.sort_values(["unit_id", "as_of"]).drop_duplicates("unit_id", keep="last")
    said_last = last.mother_id.map(registers["maternal"].groupby("mother_id").recorded_on.max())
    born_last = last.mother_id.map(last_births(registers["child"], registers["pregnancy"]))
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


def with_intervals(scores: pd.DataFrame, spread: Spread | None, *, level: float) -> pd.DataFrame:
    """The scores with `risk_now_low` and `_high`, and those of `risk_at_24m`; null where no refits are known.

    Parameters
    ----------
    spread
        Of the same units in the same order.
    """
    ends: dict[str, np.ndarray] = {}
    for objective, risk in ASKED.items():
        low, high = np.full((2, len(scores)), np.nan)
        asked = scores[risk].notna().to_numpy()
        if spread is not None:
            log_odds = logit(scores[risk].to_numpy(float)[asked])
            low[asked], high[asked] = _ends(log_odds, _by_refit(spread, objective)[:, asked], level)
        ends |= {f"{risk}_low": low, f"{risk}_high": high}
    return scores.assign(**ends)


def households_of(scores: pd.DataFrame, spread: Spread | None, *, level: float) -> pd.DataFrame:
    """One row a household and objective that asks of one of its units, with the interval of the household's own risk.

    A household's interval is made of its own log-odds by each refit, over the same units as its risk.

    Parameters
    ----------
    scores
        Units to rank, with `risk_now_survey` and `risk_at_24m_survey`; see `level.on_survey_level`. Their index is
        their place in `spread`.

    Returns
    -------
    household_id, objective, risk_low, risk_high, interval_level [null without refits], risk_survey [null without a
    survey]. No order of units changes on the survey's level; of two households with another number of children, the
    one with more may come to be the riskier there. The list keeps the order of `risk`.
    """
    return pd.concat([_of_objective(scores, spread, objective=name, level=level) for name in ASKED], ignore_index=True)


def _of_objective(scores: pd.DataFrame, spread: Spread | None, *, objective: str, level: float) -> pd.DataFrame:
    risk = ASKED[objective]
    asked = scores[scores[risk].notna()]
    names, log_odds = of_households(logit(asked[risk].to_numpy(float)), asked.household_id)
    low, high, on_survey = np.full((3, len(names)), np.nan)
    if spread is not None:
        refits = _by_refit(spread, objective)[:, asked.index.to_numpy()]
        low, high = _ends(log_odds, of_households(refits, asked.household_id)[1], level)
    if asked[f"{risk}_survey"].notna().any():
        moved = logit(asked[f"{risk}_survey"].to_numpy(float))
        on_survey = expit(of_households(moved, asked.household_id)[1])
    return pd.DataFrame(
        {
            "household_id": names.astype("str"),
            "objective": objective,
            "risk_low": low,
            "risk_high": high,
            "interval_level": np.nan if spread is None else level,
            "risk_survey": on_survey,
        }
    )


def _by_refit(spread: Spread, objective: str) -> np.ndarray:
    return spread.now if objective == "find" else spread.at_24m


def _ends(log_odds: np.ndarray, refits: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    found = normal_intervals(log_odds, refits, level=level)
    return expit(found.low), expit(found.high)


def _joined(said: Iterable[list[str]]) -> pd.api.extensions.ExtensionArray:
    return pd.array(["; ".join(one) for one in said], dtype="str")
