"""What the field brought back and nobody has taken to the registers' side yet."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from serving.access.roles import Act
from serving.field_export import CORRECTIONS
from serving.field_store import FieldStore
from serving.tables_access import trail

if TYPE_CHECKING:
    from serving.access.who import Who
    from serving.database import Database

DONE: Final = "done"
"""The outcome of an act that was not refused."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many there are, and how many of them came after the last export.

    Parameters
    ----------
    exported_at
        When all were exported last, on the page or by the command; None: never.
    """

    visits: int
    corrections: int
    new_visits: int
    new_corrections: int
    exported_at: dt.datetime | None


def waiting(database: Database, *, who: Who) -> Waiting:
    """For who may look everywhere, as every export is of all; may raise `StoreRefused`."""
    visits, corrections = FieldStore(database).counts(who=who)
    at, taken = _last(database) if visits or corrections else (None, {})
    # Nothing of them is changed or deleted, so that whatever is more than was exported then is new.
    return Waiting(
        visits=visits, corrections=corrections, exported_at=at,
        new_visits=max(visits - taken.get("contact", 0), 0),
        new_corrections=max(corrections - taken.get(CORRECTIONS, 0), 0),
    )  # fmt: skip


def _last(database: Database) -> tuple[dt.datetime | None, dict[str, int]]:
    """When the last export was made, and of how many rows of each file."""
    newest = sa.select(trail.c.at, trail.c.about).where(trail.c.act == Act.EXPORT_FIELD.value, trail.c.outcome == DONE)
    with database.reading() as connection:
        found = connection.execute(newest.order_by(trail.c.number.desc()).limit(1)).first()
    return (None, {}) if found is None else (dt.datetime.fromisoformat(found.at), json.loads(found.about))
