"""Plans in the store: whole or not there, with whom they leave out and the urgent list as it stood."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from serving.store import LINE_COLUMNS, Heading, Line, StoredList, checked, date_of, list_of, write_rows
from serving.tables import worklist, worklist_left_out, worklist_line, worklist_urgent
from targeting.plan_words import STEP, STEP_IDR

if TYPE_CHECKING:
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
    """A household with a score that a plan does not visit, and why; see `targeting.plan_tables.left_out`."""

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


_LEFT_OUT = [worklist_left_out.c[field.name] for field in fields(LeftOut)]
_URGENT = [worklist_urgent.c[field.name] for field in fields(Urgent)]
_LINE = [worklist_line.c[name] for name in LINE_COLUMNS]


@dataclass(frozen=True)
class PlanStore:
    """Published plans; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def publish_plan(self, planned: Planned, heading: Heading) -> StoredPlan:
        """The plan as stored, once it is whole on the disk; after a refusal nothing of it is there."""
        stored = _stored(planned, heading)
        urgent = planned.of.in_danger
        with self.database.writing() as connection:
            connection.execute(sa.insert(worklist), _row(stored))
            write_rows(connection, worklist_line, planned.plan.lines, list_id=stored.id)
            write_rows(connection, worklist_left_out, planned.plan.left_out, list_id=stored.id)
            numbered = urgent.assign(place=range(1, len(urgent) + 1))
            write_rows(connection, worklist_urgent, numbered, list_id=stored.id)
        return stored

    def plan(self, list_id: str) -> StoredPlan | None:
        """The plan of this id, without its households; None when there is no such list, or it is by risk alone."""
        with self.database.reading() as connection:
            found = list_of(connection, list_id)
            if found is None or found.policy_stamp is None:
                return None
            more = sa.select(worklist.c.policy, worklist.c.figures, worklist.c.fingerprints)
            row = connection.execute(more.where(worklist.c.id == list_id)).mappings().one()
        return StoredPlan(**asdict(found), policy=row["policy"], fingerprints=row["fingerprints"], **row["figures"])

    def left_out(
        self, list_id: str, *, limit: int, after_household: str | None = None, region: str | None = None
    ) -> list[LeftOut]:
        """At most `limit` households that a plan leaves out, by identifier, after that of `after_household`."""
        rows = sa.select(*_LEFT_OUT).where(worklist_left_out.c.worklist_id == list_id)
        rows = rows.order_by(worklist_left_out.c.household_id).limit(checked(limit))
        if after_household is not None:
            rows = rows.where(worklist_left_out.c.household_id > after_household)
        if region is not None:
            rows = rows.where(worklist_left_out.c.region_id == region)
        with self.database.reading() as connection:
            return [LeftOut(**row) for row in connection.execute(rows).mappings()]

    def urgent(self, list_id: str, *, household_id: str | None = None) -> list[Urgent]:
        """The urgent list as it stood when the plan was made, whole, or of one household."""
        rows = sa.select(*_URGENT).where(worklist_urgent.c.worklist_id == list_id)
        if household_id is not None:
            rows = rows.where(worklist_urgent.c.household_id == household_id)
        with self.database.reading() as connection:
            found = connection.execute(rows.order_by(worklist_urgent.c.place)).mappings()
            return [Urgent(**row) for row in found]

    def line_of(self, list_id: str, household_id: str) -> Line | LeftOut | None:
        """A household's line on a list, or why the list leaves it out; None when the list does not know it."""
        with self.database.reading() as connection:
            return line_in(connection, list_id, household_id)


def line_in(connection: sa.Connection, list_id: str, household_id: str) -> Line | LeftOut | None:
    """As `PlanStore.line_of`, in a transaction that goes on."""
    for table, columns, kind in ((worklist_line, _LINE, Line), (worklist_left_out, _LEFT_OUT, LeftOut)):
        theirs = sa.select(*columns).where(table.c.worklist_id == list_id, table.c.household_id == household_id)
        row = connection.execute(theirs).mappings().first()
        if row is not None:
            return kind(**row)  # type: ignore[no-any-return]  # the columns are its fields
    return None


def _stored(planned: Planned, heading: Heading) -> StoredPlan:
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
        policy=policy.model_dump(mode="json"),
        figures=asdict(figures),
        notes=[*made.notes, *of.said()],
        limits=_telling(made),
        fingerprints=of.fingerprints,
    )


def _row(stored: StoredPlan) -> dict[str, Any]:
    row = asdict(stored)
    return row | {"figures": {name: row.pop(name) for name in ("figures", "notes", "limits")}}


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
