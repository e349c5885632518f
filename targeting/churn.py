"""Who changes places when another model makes the list, and why; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.households import combined
from targeting.worklist import RISK_DECIMALS
from training.model import AGE_AT_24_MONTHS, under_24_months

if TYPE_CHECKING:
    from training.model import RiskModel

ENTERS, LEAVES = "enters", "leaves"
NOT_REASONS: Final = ("base",)


@dataclass(frozen=True, eq=False)
class Churn:
    """Two lists of the same households, of the same length.

    Parameters
    ----------
    jaccard
        Households on both lists, as a share of those on either; 1 when both are empty.
    ranks
        One row a household: `before`, `after` (1 is first), `risk_before`, `risk_after`; index `household_id`.
    movers
        Those on one list only: `ranks` and `move`, `enters` or `leaves`.
    places
        Length of either list.
    """

    jaccard: float
    ranks: pd.DataFrame
    movers: pd.DataFrame
    places: int


def asked(model: RiskModel, units: pd.DataFrame, *, objective: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The units that an objective ranks, and their facts as the model is asked: at 24 months for `prevent`.

    Parameters
    ----------
    units
        Each unit as last known, see `scoring.newest`.
    """
    if objective == "find":
        kept = units[units.unit_kind == "child"]
        return kept, model.prepared(kept)
    kept = units[under_24_months(units.age_months.to_numpy(float, na_value=np.nan))]
    prepared = model.prepared(kept).assign(age_months=AGE_AT_24_MONTHS)
    return kept, prepared


def household_risks(model: RiskModel, units: pd.DataFrame, *, objective: str) -> pd.Series:
    """The risk of each household that the objective ranks; index `household_id`."""
    kept, prepared = asked(model, units, objective=objective)
    risk = pd.Series(model.risk(prepared), index=kept.household_id.to_numpy())
    return risk.groupby(level=0).agg(combined).rename_axis("household_id").astype(float)


def churn(before: pd.Series, after: pd.Series, *, share: float) -> Churn:
    """The lists of the riskiest `share` of the households under two models; equal risks fall by their id.

    Parameters
    ----------
    before, after
        Risk by household: the same households.

    Raises
    ------
    ValueError
        The households are not the same.
    """
    if set(before.index) != set(after.index):
        odd = sorted(set(before.index) ^ set(after.index))
        raise ValueError(
            f"{len(odd):,} households are on one side only, first {odd[0]}; score the same units by both models."
        )
    ranks = pd.DataFrame({"before": _ranks(before), "after": _ranks(after)}).sort_index()
    ranks["risk_before"], ranks["risk_after"] = before, after
    places = round(share * len(ranks))
    was, is_now = ranks.before <= places, ranks.after <= places
    either = int((was | is_now).sum())
    movers = ranks[was ^ is_now].assign(move=np.where(is_now[was ^ is_now], ENTERS, LEAVES))
    return Churn(int((was & is_now).sum()) / either if either else 1.0, ranks, movers.sort_values("after"), places)


def _ranks(risk: pd.Series) -> pd.Series:
    keys = pd.DataFrame({"risk": risk.round(RISK_DECIMALS), "name": risk.index.astype(str)}, index=risk.index)
    order = keys.sort_values(["risk", "name"], ascending=[False, True]).index
    return pd.Series(range(1, len(order) + 1), index=order)


def why(
    moved: Churn, champion: RiskModel, challenger: RiskModel, units: pd.DataFrame, *, objective: str
) -> pd.DataFrame:
    """The movers, each with the feature whose weight changed most, of the child that moved most.

    Columns: those of `Churn.movers`, `feature`, `change` [log-odds, challenger minus champion]. What all households
    share, the base, is no reason.
    """
    if moved.movers.empty:
        return moved.movers.assign(feature=pd.Series(dtype="str"), change=pd.Series(dtype="float64"))
    units = units[units.household_id.isin(moved.movers.index)]
    kept, prepared = asked(champion, units, objective=objective)
    first = champion.explained(prepared)
    second = challenger.explained(asked(challenger, units, objective=objective)[1])
    change = (second - first).drop(columns=list(NOT_REASONS))
    change = change.set_axis(pd.MultiIndex.from_arrays([kept.household_id, kept.unit_id]))
    total = change.sum(axis=1).abs().groupby(level=0).idxmax()
    of_child = change.loc[total.to_list()].droplevel(1)
    values = of_child.to_numpy()
    most = np.abs(values).argmax(axis=1)
    moved_by = of_child.assign(feature=of_child.columns[most], change=values[np.arange(len(values)), most])
    return moved.movers.join(moved_by[["feature", "change"]])
