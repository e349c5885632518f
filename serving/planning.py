"""What is asked for -> a published list, by risk alone or by a policy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.catalog import fingerprint
from features.errors import InputRefused, Refused
from serving.decisions import Decisions
from serving.errors import RequestRefused
from serving.listing import Heading
from serving.plan_store import PlanStore
from targeting.lists import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from serving.access.scope import Scope
    from serving.access.who import Who
    from serving.listing import Asking, StoredList
    from serving.parts import Parts
    from serving.plan_store import StoredPlan
    from targeting.plan_run import Planned
    from targeting.policy import Policy

CATALOGUE = fingerprint()


@dataclass(frozen=True, kw_only=True)
class ByRisk:
    """A list by risk alone, as `targeting.lists.chosen` has it; None: as `params.yaml` says, or every region."""

    capacity: int | None
    regions: list[str] | None
    objective: str | None


def publish_plan(parts: Parts, policy: Policy, *, name: str, who: Who, asking: Asking) -> StoredPlan:
    """The plan of the newest scores in somebody's regions, kept; households that officers hold back are not on it.

    Raises
    ------
    RequestRefused
        The policy cannot be kept on these scores.
    KeyUsed
        Another request with this key was faster.
    Problem
        Nothing was scored yet, other plans take too long, or the store cannot be used.
    """
    now = parts.service.now()
    made = _planned(parts, policy, on=now.date(), scope=asking.scope)
    heading = Heading(
        name=name, objective=policy.objective, model_stamp=made.of.model_stamp, catalogue=CATALOGUE,
        simulated=made.of.simulated, created_at=now, made_by=who.name,
    )  # fmt: skip
    with parts.shelf.store() as store:
        return PlanStore(store.database).publish_plan(made, heading, asking=asking)


def publish_by_risk(parts: Parts, asked: ByRisk, *, name: str, who: Who, asking: Asking) -> StoredList:
    """The list of the riskiest in somebody's regions by the newest scores, kept; raises as `publish_plan`."""
    scores = parts.published.scores()
    objective = asked.objective or scores.settings.target.objective
    homes = scores.competing(objective)
    homes = homes[asking.scope.mask(homes)]
    if homes.empty:
        raise RequestRefused("no scored household in your regions competes; ask for another objective or grant.")
    _check_regions(asked.regions, homes, scope=asking.scope)
    try:
        made = chosen(homes, scores.settings, capacity=asked.capacity, regions=asked.regions)
    except Refused as refusal:
        raise RequestRefused(str(refusal)) from refusal
    heading = Heading(
        name=name, objective=objective, model_stamp=scores.units.model_version.iloc[0], catalogue=CATALOGUE,
        simulated=bool(scores.units.simulated.iloc[0]), created_at=dt.datetime.now(tz=dt.UTC), made_by=who.name,
    )  # fmt: skip
    with parts.shelf.store() as store:
        return store.publish(made, heading, asking=asking)


def _planned(parts: Parts, policy: Policy, *, on: dt.date, scope: Scope) -> Planned:
    with parts.shelf.store() as store:
        held = Decisions(store.database).held(on)
    with parts.published.planning() as scores:
        _check_regions(policy.regions, scores.units[scope.mask(scores.units)], scope=scope)
        try:
            return scores.planned(policy, held=held, scope=scope)
        except InputRefused as refusal:
            raise RequestRefused(str(refusal)) from refusal


def _check_regions(asked: Sequence[str] | None, homes: pd.DataFrame, *, scope: Scope) -> None:
    """Refuse regions that somebody may not look at in the same words as those that are not."""
    if asked is None or scope.everywhere:
        return
    unknown = set(asked) - set(homes.region_id.dropna())
    if unknown:
        raise RequestRefused(
            f"{len(unknown)} of the {len(asked)} regions asked for have no scored household of yours; leave them out."
        )
