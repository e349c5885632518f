"""What a published list says: its heading, its lines, and for whom it was made."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.errors import Refused
from serving.access.scope import EVERYWHERE, Scope


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What is said of a list beside its lines.

    `objective` is `find`, `prevent` or, of a plan, `by_age`; `model_stamp` and `catalogue` name the model and the
    features behind the risks; `simulated` is true when the households are made up. `created_at` carries its time zone.
    `made_by` is None on lists of before there were accounts.
    """

    name: str
    objective: str
    model_stamp: str
    catalogue: str
    simulated: bool
    created_at: dt.datetime
    made_by: str | None = None

    def __post_init__(self) -> None:
        if self.created_at.utcoffset() is None:
            raise ValueError(f"created_at is {self.created_at}, without a time zone; give it one, such as UTC.")


@dataclass(frozen=True, kw_only=True)
class StoredList(Heading):
    """A published list without its lines; `created_at` is in UTC.

    `regions` is None when every region competed. `freshest_on` and `stalest_on` date the newest and the oldest fact
    behind its lines; None when there is no line or no date. `policy_stamp` and `plan_on`, the day that it is made for,
    are those of a plan; None for a list by risk alone.

    `scope` is where its households may lie, as `Scope.as_json` says it; None is everywhere.

    `whole` is false when only the part in the asker's regions is told: then `row_count` and the dates are that part's,
    `regions` those of them that are theirs, and `capacity`, `eligible` and `scope` None.
    """

    id: str
    capacity: int | None
    regions: tuple[str, ...] | None
    eligible: int | None
    row_count: int
    round_name: str
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    policy_stamp: str | None = None
    plan_on: dt.date | None = None
    scope: dict[str, Any] | None = None
    whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Asking:
    """For whom a list is made, and by which request.

    Parameters
    ----------
    scope
        Where its households may lie.
    key, digest
        Of `key_of` and `digest_of`; None where the request has no name.
    note
        Run in the transaction that keeps the list, with its id: the line of the trail.
    """

    scope: Scope = EVERYWHERE
    key: str | None = None
    digest: str | None = None
    note: Callable[[sa.Connection, str], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A household on a list; the fields are the columns of `targeting.worklist`. Risks are 0-1.

    Those from `track` on are of a plan, as `targeting.plan_tables.lines` has them; None on a list by risk alone.
    `chance` and `weight`, which count the whole list, are None where only a part is told, and `rank` is that part's.
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


AT_THIS_MACHINE = Asking()


def key_of(account: str, key: str) -> str:
    """What the key of a request is kept as: with the account in it, nobody meets or blocks the keys of another."""
    return hashlib.sha256(json.dumps([account, key]).encode()).hexdigest()


def digest_of(asked: dict[str, Any]) -> str:
    """By which a request is known again: equal for equal bodies, in whatever order their fields stand."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class KeyUsed(Refused):
    """The key of a request was used before; what was made then is there."""

    def __init__(self) -> None:
        super().__init__("A request with this key was answered before.")
