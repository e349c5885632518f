"""Scored units and registers -> the households that compete for a round, and those that do not, with why; pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting.households import part_urgent, score_households
from training.model import under_24_months

if TYPE_CHECKING:
    from collections.abc import Mapping

    from targeting.policy import Exclusions, Policy

NO_CONTACT: Final = pd.DataFrame(
    {"household_id": pd.Series(dtype="str"), "person_id": pd.Series(dtype="str"), "kind": pd.Series(dtype="str"),
     "happened_on": pd.Series(dtype="datetime64[ns]"), "recorded_on": pd.Series(dtype="datetime64[ns]")}
)  # fmt: skip
LATER: Final = ("visited", "objection", "moved", "deceased", "deferred", "accepted")
"""Reasons of `apart` that may end; the others are of the household and the objective."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Households of a round.

    Parameters
    ----------
    homes
        That compete, by household_id: the columns of `score_households`, and `value` [expected stunted children of the
        track], `track` (`find` or `prevent`), `pregnant`, `under_24_months`, `never_measured` (some child of it was
        never measured; null: nobody's measurements are known), `posyandu_id` (null: not known).
    apart
        household_id, region_id, area_id, why: that do not compete.
    units
        unit_id, household_id: whose risks the values are made of.
    """

    homes: pd.DataFrame
    apart: pd.DataFrame
    units: pd.DataFrame


def candidates(
    units: pd.DataFrame,
    registers: Mapping[str, pd.DataFrame],
    *,
    in_danger: pd.DataFrame,
    policy: Policy,
    on: dt.date,
    held: pd.DataFrame | None = None,
) -> Candidates:
    """Who competes under a policy, as known on a day.

    Parameters
    ----------
    units
        Scored units, as the stage `score` writes them.
    in_danger
        The urgent list: its children and pregnancies are referred, and not ranked.
    held
        household_id, why: households that an officer set aside, beside those of the register `contact`.
    """
    contact = registers.get("contact", NO_CONTACT)
    contact = contact[(contact.recorded_on <= pd.Timestamp(on)) & (contact.happened_on <= pd.Timestamp(on))]
    measured = registers["measurement"]
    measured = measured[measured.recorded_on <= pd.Timestamp(on)]
    units = units.reset_index(drop=True)
    living = _without_deceased(units, contact) if policy.exclusions.deceased else units
    ranked, _ = part_urgent(living, in_danger)
    scored = _by_track(ranked, policy)
    homes = scored[scored.risk.notna()].sort_values("household_id", ignore_index=True)
    homes = homes.assign(value=homes.expected_stunted, track=homes.objective)
    homes = homes.merge(_kinds_of(living, measured), on="household_id", how="left", validate="1:1")
    away = pd.concat([_away(contact, policy.exclusions, on=on), *([] if held is None else [held])], ignore_index=True)
    away = away[away.household_id.isin(units.household_id)].drop_duplicates("household_id")
    left = _nothing_to_rank(units, living, ranked, scored)
    left = left[~left.household_id.isin(away.household_id)]
    place = units.drop_duplicates("household_id")[["household_id", "region_id", "area_id"]]
    apart = pd.concat([away, left], ignore_index=True).merge(place, on="household_id", how="left")
    competing = homes[~homes.household_id.isin(away.household_id)].reset_index(drop=True)
    apart = apart[["household_id", "region_id", "area_id", "why"]].sort_values("household_id", ignore_index=True)
    return Candidates(competing, apart, ranked[["unit_id", "household_id"]])


def _without_deceased(units: pd.DataFrame, contact: pd.DataFrame) -> pd.DataFrame:
    dead = set(contact[contact.kind == "deceased"].person_id.dropna())
    return units[~(units.child_id.isin(dead) | ((units.unit_kind == "pregnancy") & units.mother_id.isin(dead)))]


def _by_track(ranked: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Each household once, on one track: risks now and at 24 months share no order."""
    if policy.objective != "by_age":
        return score_households(ranked, objective=policy.objective)
    prevent, find = (score_households(ranked, objective=name) for name in ("prevent", "find"))
    first_days = prevent.risk.notna()
    return pd.concat([prevent[first_days], find[~first_days.to_numpy()]], ignore_index=True)


def _kinds_of(living: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Whom the policy keeps visits for, and which posyandu knows the household."""
    child = living.unit_kind == "child"
    rows = pd.DataFrame(
        {
            "household_id": living.household_id,
            "pregnant": ~child,
            "under_24_months": child & under_24_months(living.age_months.to_numpy(float)),
            "never_measured": child & ~living.child_id.isin(measured.child_id),
        }
    )
    found = rows.groupby("household_id").any().reset_index()
    known = pd.Series(data=not measured.empty, index=found.index)
    never = found.never_measured.astype("boolean").where(known)
    return found.assign(never_measured=never, posyandu_id=found.household_id.map(_posyandu(living, measured)))


def _posyandu(living: pd.DataFrame, measured: pd.DataFrame) -> pd.Series:
    """The posyandu of each household's newest measurement; of two on one day, the first by name."""
    known = measured.dropna(subset="posyandu_id")[["child_id", "posyandu_id", "measured_on"]]
    home = living[["child_id", "household_id"]].dropna()
    newest = known.merge(home, on="child_id").sort_values(["measured_on", "posyandu_id"], ascending=[False, True])
    return newest.drop_duplicates("household_id").set_index("household_id").posyandu_id


def _away(contact: pd.DataFrame, rules: Exclusions, *, on: dt.date) -> pd.DataFrame:
    """Households that are not visited again yet, object, or are gone; one reason each, the weightiest first."""
    last = contact.pivot_table(index="household_id", columns="kind", values="happened_on", aggfunc="max")
    kinds = ["visited", "moved", "objection_opened", "objection_closed"]
    last = last.reindex(columns=kinds)
    days = {name: pd.to_datetime(last[name]) for name in kinds}
    found: dict[str, pd.Series] = {}
    if rules.objection_open:
        found["objection"] = _stands(days["objection_opened"], until=days["objection_closed"])
    if rules.moved:
        found["moved"] = _stands(days["moved"], until=days["visited"])
    if rules.visited_within_weeks:
        since = pd.Timestamp(on - dt.timedelta(weeks=rules.visited_within_weeks))
        found["visited"] = days["visited"] > since
    rows = [pd.DataFrame({"household_id": last.index[is_so], "why": why}) for why, is_so in found.items()]
    return pd.concat([pd.DataFrame({"household_id": [], "why": []}, dtype="str"), *rows]).drop_duplicates(
        "household_id"
    )


def _stands(since: pd.Series, *, until: pd.Series) -> pd.Series:
    """Whether something began and has not ended since; on one day, it has."""
    return since.notna() & (until.isna() | (since > until))


def _nothing_to_rank(
    units: pd.DataFrame, living: pd.DataFrame, ranked: pd.DataFrame, scored: pd.DataFrame
) -> pd.DataFrame:
    """Households without a unit that competes: all died, all are referred, or none is of the objective's age."""
    homes = pd.Series(units.household_id.unique())
    none_ranked = scored[scored.risk.isna()].household_id
    why = np.select(
        [~homes.isin(living.household_id), ~homes.isin(ranked.household_id), homes.isin(none_ranked)],
        ["deceased", "referred", "not of the objective"],
        default="",
    )
    return pd.DataFrame({"household_id": homes[why != ""], "why": why[why != ""]})
