"""Plans in the store: whole or not there, with whom they leave out and the urgent list as it stood."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from serving.keeping import date_of, keep_list, row_of, write_rows
from serving.listing import AT_THIS_MACHINE, Asking, Heading, Line, StoredList
from serving.sight import beside_the_list, lines_of, list_of
from serving.store import checked
from serving.tables import worklist, worklist_left_out, worklist_line, worklist_urgent
from targeting.plan_words import RULES, STEP, STEP_IDR, rule_said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.access.who import Who
    from serving.database import Database
    from targeting.plan import Plan
    from targeting.plan_run import Planned

MOST_LIMITS = 200
"""A district has some thousands of limits, most of which change nothing."""
SPARE = 1e-9


@dataclass(frozen=True, kw_only=True)
class StoredPlan(StoredList):
    """A published plan without its households.

    Parameters
    ----------
    policy
        The whole policy, as JSON.
    figures
        The fields of `targeting.plan.Figures`.
    notes
        What a planner should know of it.
    limits
        Rows of `targeting.plan_tables.limit_lines` that have a price or bind, the dearest first, at most `MOST_LIMITS`.
    fingerprints
        SHA-256 of every file that it was made of, by name.
    """

    policy: dict[str, Any]
    figures: dict[str, Any]
    notes: list[str]
    limits: list[dict[str, Any]]
    fingerprints: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A household with a score that a plan does not visit, and why; see `targeting.plan_tables.left_out`.

    `short_by`, which tells what the last one visited is worth, is None where only a part of the plan is told.
    """

    household_id: str
    region_id: str | None
    area_id: str | None
    track: str | None
    risk: float | None
    value: float | None
    kept_out_by: str
    place: str
    short_by: float | None
    why_id: str
    why_en: str


@dataclass(frozen=True, kw_only=True)
class Urgent:
    """A child or a woman to refer at once, as the urgent list stood; `place` on it says nothing of who comes first."""

    place: int
    household_id: str | None
    region_id: str | None
    area_id: str | None
    child_id: str | None
    mother_id: str | None
    measured_on: dt.date | None
    recorded_on: dt.date
    why_id: str
    why_en: str


_LEFT_OUT = tuple(field.name for field in fields(LeftOut))
_URGENT = tuple(field.name for field in fields(Urgent))


@dataclass(frozen=True)
class PlanStore:
    """Published plans; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def publish_plan(self, planned: Planned, heading: Heading, *, asking: Asking = AT_THIS_MACHINE) -> StoredPlan:
        """The plan as stored, once it is whole on the disk; after a refusal nothing of it is there.

        Raises
        ------
        KeyUsed
            Another request with this key was faster.
        """
        stored = _stored(planned, heading, asking=asking)
        urgent = planned.of.in_danger
        with self.database.writing() as connection:
            keep_list(connection, _row(stored), asking)
            write_rows(connection, worklist_line, planned.plan.lines, list_id=stored.id)
            write_rows(connection, worklist_left_out, planned.plan.left_out, list_id=stored.id)
            numbered = urgent.assign(place=range(1, len(urgent) + 1))
            write_rows(connection, worklist_urgent, numbered, list_id=stored.id)
            if asking.note is not None:
                asking.note(connection, stored.id)
        return stored

    def plan(self, list_id: str, *, who: Who) -> StoredPlan | None:
        """The plan of this id, without its households; None unless it is a plan of which somebody sees all."""
        with self.database.reading() as connection:
            found = list_of(connection, list_id, who=who)
            if found is None or found.policy_stamp is None or not found.whole:
                return None
            more = sa.select(worklist.c.policy, worklist.c.figures, worklist.c.fingerprints)
            row = connection.execute(more.where(worklist.c.id == list_id)).mappings().one()
        return StoredPlan(**asdict(found), policy=row["policy"], fingerprints=row["fingerprints"], **row["figures"])

    def left_out(
        self, list_id: str, *, limit: int, who: Who, after_household: str | None = None, region: str | None = None
    ) -> list[LeftOut]:
        """At most `limit` households that a plan leaves out, by identifier, after that of `after_household`."""
        most = checked(limit)
        with self.database.reading() as connection:
            found = list_of(connection, list_id, who=who)
            if found is None:
                return []
            rows = beside_the_list(worklist_left_out, _LEFT_OUT, found=found, who=who)
            if after_household is not None:
                rows = rows.where(worklist_left_out.c.household_id > after_household)
            if region is not None:
                rows = rows.where(worklist_left_out.c.region_id == region)
            rows = rows.order_by(worklist_left_out.c.household_id).limit(most)
            return [_left_out(row, found) for row in connection.execute(rows).mappings()]

    def urgent(self, list_id: str, *, who: Who, household_id: str | None = None) -> list[Urgent]:
        """The urgent list as it stood when the plan was made, all that somebody sees, or of one household."""
        with self.database.reading() as connection:
            found = list_of(connection, list_id, who=who)
            if found is None:
                return []
            rows = beside_the_list(worklist_urgent, _URGENT, found=found, who=who)
            if household_id is not None:
                rows = rows.where(worklist_urgent.c.household_id == household_id)
            told = [Urgent(**row) for row in connection.execute(rows.order_by(worklist_urgent.c.place)).mappings()]
        # Gaps would tell how many of other regions stand between them.
        return told if found.whole else [replace(one, place=place) for place, one in enumerate(told, start=1)]

    def line_of(self, list_id: str, household_id: str, *, who: Who) -> Line | LeftOut | None:
        """A household's line on a list, or why the list leaves it out; None when somebody sees no such household."""
        with self.database.reading() as connection:
            found = list_of(connection, list_id, who=who)
            return None if found is None else line_in(connection, found, household_id, who=who)

    def knows(self, list_id: str, household_id: str) -> bool:
        """Whether a list says anything of a household, whoever may see it: for the trail, never for an answer."""
        told = [
            sa.exists().where(table.c.worklist_id == list_id, table.c.household_id == household_id)
            for table in (worklist_line, worklist_left_out, worklist_urgent)
        ]
        with self.database.reading() as connection:
            return bool(connection.execute(sa.select(sa.or_(*told))).scalar())


def line_in(connection: sa.Connection, found: StoredList, household_id: str, *, who: Who) -> Line | LeftOut | None:
    """As `PlanStore.line_of`, in a transaction that goes on."""
    lines = lines_of(found, who)
    row = connection.execute(sa.select(lines).where(lines.c.household_id == household_id)).mappings().first()
    if row is not None:
        return Line(**row)
    left = beside_the_list(worklist_left_out, _LEFT_OUT, found=found, who=who)
    row = connection.execute(left.where(worklist_left_out.c.household_id == household_id)).mappings().first()
    return None if row is None else _left_out(row, found)


def _left_out(row: sa.RowMapping, found: StoredList) -> LeftOut:
    told = dict(row)
    return LeftOut(**told if found.whole else told | why_of_a_part(told))


def why_of_a_part(row: Mapping[str, Any]) -> dict[str, Any]:
    """Why a household is left out, without how far from the last one visited it is, who may be of another region."""
    if row["kept_out_by"] not in RULES:
        return {"short_by": None}
    said = rule_said(row["kept_out_by"], row["place"])
    return {"short_by": None, "why_id": said.id, "why_en": said.en}


def _stored(planned: Planned, heading: Heading, *, asking: Asking) -> StoredPlan:
    made, of = planned.plan, planned.of
    policy, figures = made.policy, made.figures
    return StoredPlan(
        **asdict(heading) | {"created_at": heading.created_at.astimezone(dt.UTC)},
        id=uuid.uuid4().hex,
        capacity=int(made.limits[made.limits.rule == "capacity"].most.iloc[0]) + figures.by_lot,
        regions=None if policy.regions is None else tuple(sorted(policy.regions)),
        eligible=figures.competing,
        row_count=len(made.lines),
        round_name=policy.round,
        freshest_on=date_of(pd.to_datetime(made.lines.freshest_on).max()),
        stalest_on=date_of(pd.to_datetime(made.lines.stalest_on).min()),
        policy_stamp=policy.stamp,
        plan_on=of.on,
        scope=asking.scope.as_json(),
        policy=policy.model_dump(mode="json"),
        figures=asdict(figures),
        notes=[*made.notes, *of.said()],
        limits=_telling(made),
        fingerprints=of.fingerprints,
    )


def _row(stored: StoredPlan) -> dict[str, Any]:
    said = asdict(stored)
    return row_of(stored) | {"figures": {name: said[name] for name in ("figures", "notes", "limits")}}


def _telling(made: Plan) -> list[dict[str, Any]]:
    """Limits that have a price or leave no room, by what a usual step of each would change."""
    limits = made.limits
    at_most = limits.used >= limits.most - SPARE
    at_least = (limits.least > 0) & (limits.used <= limits.least + SPARE)
    step = np.where(limits.unit == "rupiah", STEP_IDR, STEP)
    weight = (limits.price.abs() * step).rename("weight")
    rows = limits[(limits.price_en != "") | at_most | at_least].join(weight)
    rows = rows.sort_values("weight", ascending=False, kind="stable").drop(columns="weight").head(MOST_LIMITS)
    return [
        {str(name): None if pd.isna(cell) else cell for name, cell in row.items()} for row in rows.to_dict("records")
    ]
