"""Unmet services -> those that a plan may hand over; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.errors import InputRefused
from targeting.limits import NAMED

if TYPE_CHECKING:
    from targeting.policy import Policy

OFFER: Final = ["household_id", "service", "owner", "persons", "cost_idr", "reduction"]


def offers_of(
    policy: Policy, homes: pd.DataFrame, needs: pd.DataFrame, menu: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Unmet services that may be handed over, by household and service; and what a planner should know of the rest."""
    unknown = sorted(set(policy.services or ()) - set(menu.index))
    if unknown:
        raise InputRefused(
            f"services that the menu does not have: {', '.join(unknown)}",
            f"codes of docs/services.md, among them {', '.join(sorted(menu.index)[:NAMED])}",
            "Correct the codes under `services`.",
        )
    unmet = needs[(needs.status == "unmet") & needs.household_id.isin(homes.household_id)]
    unmet = unmet.astype({"household_id": "object", "service": "object"})
    if policy.services is not None:
        unmet = unmet[unmet.service.isin(policy.services)]
    unmet = unmet.assign(owner=unmet.service.map(menu.owner), reduction=unmet.service.map(menu.reduction))
    unmet = unmet.assign(persons=_reached(unmet, homes, menu))
    funded = unmet.owner.isin(list(policy.budgets_idr))
    notes = [
        f"{owner} has no line in budgets_idr: {len(rows):,} unmet services of it are named, and not handed over"
        for owner, rows in unmet[~funded].groupby("owner")
    ]
    offers = unmet.loc[funded, OFFER].sort_values(["household_id", "service"], ignore_index=True)
    return _without_excluded(offers, menu), notes


def _reached(unmet: pd.DataFrame, homes: pd.DataFrame, menu: pd.DataFrame) -> pd.Series:
    """Children and pregnancies that a service is of: all of the household's where it is of the household."""
    if "of_all" not in menu:
        return unmet.persons
    all_of_them = unmet.household_id.map(homes.set_index("household_id").unit_count)
    return unmet.persons.where(~unmet.service.map(menu.of_all).astype(bool), all_of_them)


def _without_excluded(offers: pd.DataFrame, menu: pd.DataFrame) -> pd.DataFrame:
    """The offers but for those that a household may not have beside another of its offers."""
    if "excludes" not in menu:
        return offers
    pairs = pd.MultiIndex.from_frame(offers[["household_id", "service"]])
    out = np.zeros(len(offers), dtype=bool)
    for code, codes in menu.excludes[menu.excludes != ""].items():
        for other in codes.split("; "):
            beside = pd.MultiIndex.from_arrays([offers.household_id, [other] * len(offers)])
            out |= (offers.service == code).to_numpy() & beside.isin(pairs)
    return offers[~out].reset_index(drop=True)
