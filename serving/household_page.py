"""What stands on a household's page: the facts of the registers, what it lacks, and its way through the lists."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from features.contracts import TOGETHER
from features.errors import InputRefused
from serving.decisions import Decisions
from serving.plan_store import line_in
from serving.sight import LIST_COLUMNS, in_sight, read_lists
from serving.tables import worklist, worklist_left_out, worklist_line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from serving.access.who import Who
    from serving.database import Database
    from serving.decisions import Decision
    from serving.field_store import Visit
    from serving.listing import Line, StoredList
    from serving.plan_store import LeftOut
    from serving.published import Published, Scores
    from serving.register_rows import Row


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service of the menu that a household may have; see `targeting.needs.needs`."""

    service: str
    name_id: str
    name_en: str
    owner: str
    eligible: str
    status: str
    persons: int
    cost_idr: int
    why_id: str | None
    why_en: str | None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the registers know of a household; `on` is the day after which nothing is seen of its services."""

    on: dt.date
    registers: Mapping[str, list[Row]]
    missing_registers: tuple[str, ...]
    services: tuple[Service, ...]


@dataclass(frozen=True, kw_only=True)
class Stood:
    """A list that a household stood on, or that left it out."""

    listed: StoredList
    found: Line | LeftOut


def place_of(scores: Scores, household_id: str) -> tuple[str | None, str | None] | None:
    """The region and the area of a scored household; None when it was not scored."""
    units, at = scores.units, scores.first_unit(household_id)
    return None if at is None else (_text(units.region_id.iloc[at]), _text(units.area_id.iloc[at]))


def _text(place: Any) -> str | None:
    return None if pd.isna(place) else str(place)


def in_scope(scores: Scores, household_id: str, *, who: Who) -> bool:
    """Whether it was scored, and where somebody may look."""
    place = place_of(scores, household_id)
    return place is not None and who.scope.holds(region_id=place[0], area_id=place[1])


def with_rows(published: Published) -> Scores:
    """The scores with the registers beside them, which are read once, as for a plan; raises as `Published.planning`."""
    scores = published.scores()
    if "rows" not in vars(scores):
        with published.planning() as scores:
            getattr(scores, "rows")  # noqa: B009 (it is made now, and kept)
    return scores


def facts(scores: Scores, household_id: str) -> Facts:
    """All that the registers know of a scored household.

    Raises
    ------
    NothingScored
        The pipeline has just replaced the scores.
    """
    rows = scores.rows.rows(household_id)
    place = place_of(scores, household_id)
    area = scores.rows.area(place[1] if place else None)
    missing = tuple(name for name in TOGETHER if name not in rows and name != "area")
    found = rows | ({"area": area} if area else {})
    return Facts(
        on=scores.plan_inputs.on, registers=found, missing_registers=missing, services=_services(scores, household_id)
    )


def service_names(scores: Scores) -> dict[str, tuple[str, str]]:
    """By code of a service of the menu: its name in Indonesian and in English."""
    return {one.code: (one.name_id, one.name_en) for one in scores.plan_inputs.menu}


def not_registered(known: Facts, visits: Iterable[Visit]) -> dict[str, dt.date]:
    """By code: the last day on which a visit handed a service over of which the register has no receipt since."""
    given: dict[str, dt.date] = {}
    for visit in visits:
        for one in visit.given:
            given[one["service"]] = max(visit.visited_on, given.get(one["service"], visit.visited_on))
    receipts = [row.facts for row in known.registers.get("service", ())]
    told = {(one.get("service"), one["received_on"]) for one in receipts if "received_on" in one}
    return {
        code: day
        for code, day in given.items()
        if not any(service == code and received >= day.isoformat() for service, received in told)
    }


def _services(scores: Scores, household_id: str) -> tuple[Service, ...]:
    needs, services = scores.plan_inputs.needs, scores.plan_inputs.services
    homes = needs.household_id.array
    first = bisect_left(range(len(homes)), household_id, key=homes.__getitem__)
    last = first
    while last < len(homes) and homes[last] == household_id:
        last += 1
    eligible = {one.code: one.eligible for one in scores.plan_inputs.menu}
    return tuple(
        Service(
            **{name: services[name][row["service"]] for name in ("owner", "name_id", "name_en")},
            **{name: _told(row[name]) for name in ("service", "status", "persons", "cost_idr", "why_id", "why_en")},
            eligible=eligible[row["service"]],
        )
        for row in needs.iloc[first:last].to_dict("records")
    )


def _told(cell: Any) -> Any:
    return None if pd.isna(cell) else cell


@dataclass(frozen=True)
class History:
    """The lists and decisions of one household; every method may raise `StoreRefused`."""

    database: Database
    household_id: str
    who: Who

    def lists(self, *, limit: int, before: str | None = None) -> list[Stood]:
        """At most `limit` lists, newest first, that say something of it where somebody may look.

        Raises
        ------
        InputRefused
            No such list has the id `before`.
        """
        theirs = sa.select(*LIST_COLUMNS).where(self._told())
        newest = theirs.order_by(worklist.c.created_at.desc(), worklist.c.id.desc()).limit(limit)
        with self.database.reading() as connection:
            if before is not None:
                last = connection.execute(theirs.where(worklist.c.id == before)).mappings().first()
                if last is None:
                    raise InputRefused("`before` is no list of it", "the id of a list of its history", "Begin again.")
                newest = newest.where(_earlier(last))
            listed = read_lists(connection, newest, who=self.who)
            lines = [line_in(connection, one, self.household_id, who=self.who) for one in listed]
        return [Stood(listed=one, found=line) for one, line in zip(listed, lines, strict=True) if line is not None]

    def decisions(self, *, limit: int) -> list[Decision]:
        """At most `limit` decisions about it, newest first."""
        return Decisions(self.database).decisions(limit=limit, who=self.who, household_id=self.household_id)

    def names_of(self, decided: Iterable[Decision]) -> dict[str, str]:
        """By id, the names of the lists that decisions are about; of lists that they see."""
        ids = {one.worklist_id for one in decided}
        asked = sa.select(worklist.c.id, worklist.c.name).where(worklist.c.id.in_(ids), in_sight(self.who))
        with self.database.reading() as connection:
            return {row.id: row.name for row in connection.execute(asked)}

    def _told(self) -> sa.ColumnElement[bool]:
        """Of a row of `worklist`: whether it says something of the household as it lay in their regions."""
        return sa.or_(
            *(
                sa.exists().where(
                    table.c.worklist_id == worklist.c.id,
                    table.c.household_id == self.household_id,
                    self.who.scope.within(table),
                )
                for table in (worklist_line, worklist_left_out)
            )
        )


def _earlier(last: sa.RowMapping) -> sa.ColumnElement[bool]:
    at, made = worklist.c.created_at, last["created_at"]
    return sa.or_(at < made, sa.and_(at == made, worklist.c.id < last["id"]))
