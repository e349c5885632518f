"""Published worklists: written whole or not at all, read page by page."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from features.errors import InputRefused
from serving.database import READY_WAIT_MS, Database, open_database
from serving.faults import StoreRefused
from serving.tables import worklist, worklist_line

if TYPE_CHECKING:
    from targeting.worklist import Worklist

__all__ = ["Heading", "Line", "Store", "StoreRefused", "StoredList", "open_store"]

CHUNK = 5_000  # lines held at once as Python values, about 10 MB
LAST_RANK = 2**31 - 1  # the greatest integer of the rank's column on PostgreSQL
LINE_COLUMNS = tuple(column.name for column in worklist_line.columns if column.name != "worklist_id")


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What is said of a list beside its lines.

    `objective` is `find`, `prevent` or, of a plan, `by_age`; `model_stamp` and `catalogue` name the model and the
    features behind the risks; `simulated` is true when the households are made up. `created_at` carries its time zone.
    """

    name: str
    objective: str
    model_stamp: str
    catalogue: str
    simulated: bool
    created_at: dt.datetime

    def __post_init__(self) -> None:
        if self.created_at.utcoffset() is None:
            raise ValueError(f"created_at is {self.created_at}, without a time zone; give it one, such as UTC.")


@dataclass(frozen=True, kw_only=True)
class StoredList(Heading):
    """A published list without its lines; `created_at` is in UTC.

    `regions` is None when every region competed. `freshest_on` and `stalest_on` date the newest and the oldest fact
    behind its lines; None when there is no line or no date. `policy_stamp` and `plan_on`, the day that it is made for,
    are those of a plan; None for a list by risk alone.
    """

    id: str
    capacity: int
    regions: tuple[str, ...] | None
    eligible: int
    row_count: int
    round_name: str
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    policy_stamp: str | None = None
    plan_on: dt.date | None = None


# Without the policy, figures and fingerprints of a plan, which are long.
LIST_COLUMNS = tuple(worklist.c[field.name] for field in fields(StoredList))


@dataclass(frozen=True, kw_only=True)
class Line:
    """A household on a list; the fields are the columns of `targeting.worklist`. Risks are 0-1.

    Those from `track` on are of a plan, as `targeting.plan_tables.lines` has them; None on a list by risk alone.
    """

    rank: int
    household_id: str
    region_id: str | None
    area_id: str | None
    area_name: str | None
    unit_count: int
    risk: float
    expected_stunted: float | None
    risk_find: float | None
    risk_prevent: float | None
    reasons_id: str | None
    reasons_en: str | None
    reasons_unit_id: str | None
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    missing_registers: str | None
    risk_low: float | None = None
    risk_high: float | None = None
    risk_survey: float | None = None
    track: str | None = None
    value: float | None = None
    chosen_for: str | None = None
    chosen_for_id: str | None = None
    chosen_for_en: str | None = None
    chance: float | None = None
    weight: float | None = None
    services: str | None = None
    services_id: str | None = None
    services_idr: int | None = None
    unmet: str | None = None
    unmet_id: str | None = None
    posyandu_id: str | None = None


@dataclass(frozen=True)
class Store:
    """Published worklists; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def publish(self, made: Worklist, heading: Heading) -> StoredList:
        """The list as stored, once it is whole on the disk; after a refusal nothing of it is there."""
        stored = _stored(made, heading)
        with self.database.writing() as connection:
            connection.execute(sa.insert(worklist), asdict(stored))
            write_rows(connection, worklist_line, made.rows, list_id=stored.id)
        return stored

    def worklist(self, list_id: str) -> StoredList | None:
        """The list of this id, without its lines; None when there is none."""
        with self.database.reading() as connection:
            return list_of(connection, list_id)

    def worklists(self, *, limit: int, before: str | None = None) -> list[StoredList]:
        """At most `limit` lists, newest first, published before the list whose id is `before`.

        Raises
        ------
        InputRefused
            No list has the id `before`.
        """
        newest = (
            sa.select(*LIST_COLUMNS).order_by(worklist.c.created_at.desc(), worklist.c.id.desc()).limit(checked(limit))
        )
        with self.database.reading() as connection:
            if before is not None:
                newest = newest.where(_earlier(_last_seen(connection, before)))
            return [_read_list(row) for row in connection.execute(newest).mappings()]

    def page(self, list_id: str, *, after_rank: int, limit: int, region: str | None = None) -> list[Line]:
        """At most `limit` lines after `after_rank`, by rank; 0 begins. None of them for an id that is not known."""
        lines = (
            sa.select(*(worklist_line.c[name] for name in LINE_COLUMNS))
            .where(worklist_line.c.worklist_id == list_id)
            .where(worklist_line.c.rank > min(max(after_rank, 0), LAST_RANK))
            .order_by(worklist_line.c.rank)
            .limit(checked(limit))
        )
        if region is not None:
            lines = lines.where(worklist_line.c.region_id == region)
        with self.database.reading() as connection:
            return [Line(**row) for row in connection.execute(lines).mappings()]

    def ready(self) -> None:
        """Nothing, when a list can be read and one could be written; for a readiness probe, so it waits for no one."""
        with self.database.reading(wait_ms=READY_WAIT_MS) as connection:
            connection.execute(sa.select(worklist.c.id).limit(1)).all()
        self.database.check_writable(sa.delete(worklist).where(worklist.c.id == ""))

    def close(self) -> None:
        """Let go of the file."""
        self.database.engine.dispose()


def open_store(url: str, *, wait_ms: int = 5_000) -> Store:
    """The store at `url`, made if missing and brought to the tables of this version.

    Parameters
    ----------
    url
        `sqlite:///` and a path, such as `sqlite:////var/lib/tepat/store.db`. The folder must exist.
    wait_ms
        How long a read or a write waits for another's lock before it is refused. [ms]

    Raises
    ------
    StoreRefused
        The address or its file cannot be used, or a newer version of Tepat wrote it.
    """
    return Store(open_database(url, wait_ms=wait_ms))


def checked(limit: int) -> int:
    """How many rows a page may hold."""
    if limit < 1:  # SQLite takes a negative limit as none
        raise ValueError(f"limit is {limit}; it must be 1 or more.")
    return min(limit, LAST_RANK)


def list_of(connection: sa.Connection, list_id: str) -> StoredList | None:
    """The list of this id; None when there is none."""
    row = connection.execute(sa.select(*LIST_COLUMNS).where(worklist.c.id == list_id)).mappings().one_or_none()
    return None if row is None else _read_list(row)


def write_rows(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, *, list_id: str) -> None:
    """Write what `rows` has of the table's columns, `CHUNK` at a time: a long list never stands twice in memory."""
    names = [column.name for column in table.columns if column.name in rows]
    dates = [name for name in names if isinstance(table.c[name].type, sa.Date)]
    for start in range(0, len(rows), CHUNK):
        chunk = rows.iloc[start : start + CHUNK]
        cells = zip(*(_cells(chunk[name], dated=name in dates) for name in names), strict=True)
        connection.execute(
            sa.insert(table), [{"worklist_id": list_id, **dict(zip(names, row, strict=True))} for row in cells]
        )


def date_of(found: Any) -> dt.date | None:
    """The day of a moment; None for null."""
    return None if pd.isna(found) else found.date()


def _stored(made: Worklist, heading: Heading) -> StoredList:
    return StoredList(
        **asdict(heading) | {"created_at": heading.created_at.astimezone(dt.UTC)},
        id=uuid.uuid4().hex,
        capacity=made.capacity,
        regions=made.regions,
        eligible=made.eligible,
        row_count=len(made.rows),
        round_name=made.salt,
        freshest_on=date_of(pd.to_datetime(made.rows.freshest_on).max()),
        stalest_on=date_of(pd.to_datetime(made.rows.stalest_on).min()),
    )


def _cells(column: pd.Series, *, dated: bool) -> list[Any]:
    if dated:
        column = pd.to_datetime(column).dt.date
    return [None if lacking else cell for cell, lacking in zip(column.tolist(), column.isna(), strict=True)]


def _read_list(row: sa.RowMapping) -> StoredList:
    regions = row["regions"]
    return StoredList(**dict(row) | {"regions": None if regions is None else tuple(regions)})


def _last_seen(connection: sa.Connection, list_id: str) -> StoredList:
    found = list_of(connection, list_id)
    if found is None:
        raise InputRefused("`before` is the id of no list", "the id of a published list", "Begin again without it.")
    return found


def _earlier(last: StoredList) -> sa.ColumnElement[bool]:
    """Published before `last`; ids part lists of one moment."""
    same_moment = sa.and_(worklist.c.created_at == last.created_at, worklist.c.id < last.id)
    return sa.or_(worklist.c.created_at < last.created_at, same_moment)
