"""A policy -> a published plan."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from features.catalog import fingerprint
from features.errors import InputRefused
from serving.decisions import Decisions
from serving.errors import RequestRefused
from serving.plan_store import PlanStore
from serving.store import Heading

if TYPE_CHECKING:
    from serving.parts import Parts
    from serving.plan_store import StoredPlan
    from targeting.plan_run import Planned
    from targeting.policy import Policy

CATALOGUE = fingerprint()


def publish_plan(parts: Parts, policy: Policy, *, name: str) -> StoredPlan:
    """The plan of the newest scores, kept; households that officers hold back today are not on it.

    Raises
    ------
    RequestRefused
        The policy cannot be kept on these scores.
    Problem
        Nothing was scored yet, other plans take too long, or the store cannot be used.
    """
    now = dt.datetime.now(tz=dt.UTC)
    made = _planned(parts, policy, on=now.date())
    heading = Heading(
        name=name, objective=policy.objective, model_stamp=made.of.model_stamp, catalogue=CATALOGUE,
        simulated=made.of.simulated, created_at=now,
    )  # fmt: skip
    with parts.shelf.store() as store:
        return PlanStore(store.database).publish_plan(made, heading)


def _planned(parts: Parts, policy: Policy, *, on: dt.date) -> Planned:
    with parts.shelf.store() as store:
        held = Decisions(store.database).held(on)
    with parts.published.planning() as scores:
        try:
            return scores.planned(policy, held=held)
        except InputRefused as refusal:
            raise RequestRefused(str(refusal)) from refusal
