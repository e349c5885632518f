"""Published worklists: written whole or not at all, read page by page."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from features.errors import InputRefused
from serving.database import READY_WAIT_MS, Database, open_database
from serving.faults import StoreRefused
from serving.keeping import date_of, keep_list, row_of, write_rows
from serving.listing import AT_THIS_MACHINE, Asking, Heading, Line, StoredList
from serving.sight import LINE_COLUMNS, LIST_COLUMNS, in_sight, lines_of, list_of, read_lists
from serving.tables import worklist, worklist_line

if TYPE_CHECKING:
    from serving.access.who import Who
    from targeting.worklist import Worklist

__all__ = ["LINE_COLUMNS", "Asking", "Heading", "Line", "Store", "StoreRefused", "StoredList", "open_store"]

LAST_RANK = 2**31 - 1  # the greatest integer of the rank's column on PostgreSQL


@dataclass(frozen=True)
class Store:
    """Published worklists; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def publish(self, made: Worklist, heading: Heading, *, asking: Asking = AT_THIS_MACHINE) -> StoredList:
        """The list as stored, once it is whole on the disk; after a refusal nothing of it is there.

        Raises
        ------
        KeyUsed
            Another request with this key was faster.
        """
        stored = _stored(made, heading, asking=asking)
        with self.database.writing() as connection:
            keep_list(connection, row_of(stored), asking)
            write_rows(connection, worklist_line, made.rows, list_id=stored.id)
            if asking.note is not None:
                asking.note(connection, stored.id)
        return stored

    def worklist(self, list_id: str, *, who: Who) -> StoredList | None:
        """What somebody sees of a list, without its lines; None when there is none of this id for them."""
        with self.database.reading() as connection:
            return list_of(connection, list_id, who=who)

    def of_request(self, key: str) -> tuple[str, str] | None:
        """Id of the list that was made by the request of this key, and the digest of that request; None if none was."""
        kept = sa.select(worklist.c.id, worklist.c.request_digest).where(worklist.c.request_key == key)
        with self.database.reading() as connection:
            row = connection.execute(kept).one_or_none()
        return None if row is None else (row.id, row.request_digest)

    def worklists(self, *, limit: int, who: Who, before: str | None = None) -> list[StoredList]:
        """At most `limit` lists that somebody sees, newest first, published before the list whose id is `before`.

        Raises
        ------
        InputRefused
            They see no list of the id `before`.
        """
        newest = sa.select(*LIST_COLUMNS).where(in_sight(who))
        newest = newest.order_by(worklist.c.created_at.desc(), worklist.c.id.desc()).limit(checked(limit))
        with self.database.reading() as connection:
            if before is not None:
                newest = newest.where(_earlier(_last_seen(connection, before, who=who)))
            return read_lists(connection, newest, who=who)

    def page(
        self,
        list_id: str,
        *,
        after_rank: int,
        limit: int,
        who: Who,
        region: str | None = None,
        area: str | None = None,
    ) -> list[Line]:
        """At most `limit` lines that somebody sees after `after_rank`, by rank; 0 begins. None of an unknown id."""
        with self.database.reading() as connection:
            found = list_of(connection, list_id, who=who)
            if found is None:
                return []
            seen = lines_of(found, who)
            after = seen.c.rank > min(max(after_rank, 0), LAST_RANK)
            lines = sa.select(seen).where(after).order_by(seen.c.rank).limit(checked(limit))
            if region is not None:
                lines = lines.where(seen.c.region_id == region)
            if area is not None:
                lines = lines.where(seen.c.area_id == area)
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


def _stored(made: Worklist, heading: Heading, *, asking: Asking) -> StoredList:
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
        scope=asking.scope.as_json(),
    )


def _last_seen(connection: sa.Connection, list_id: str, *, who: Who) -> StoredList:
    found = list_of(connection, list_id, who=who)
    if found is None:
        raise InputRefused("`before` is the id of no list", "the id of a published list", "Begin again without it.")
    return found


def _earlier(last: StoredList) -> sa.ColumnElement[bool]:
    """Published before `last`; ids part lists of one moment."""
    same_moment = sa.and_(worklist.c.created_at == last.created_at, worklist.c.id < last.id)
    return sa.or_(worklist.c.created_at < last.created_at, same_moment)
