"""What officers decided of households on a list: added to, never changed, with the line as it stood."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import sqlalchemy as sa

from features.errors import InputRefused, Refused
from serving.plan_store import LeftOut, line_in
from serving.store import Line, checked, list_of
from serving.tables import decision

if TYPE_CHECKING:
    from serving.database import Database

Kind = Literal["accept", "override", "defer", "object", "withdraw"]
WITH_REASON = ("override", "defer", "object")
OF_AN_OBJECTION = ("object", "withdraw")
OF_A_DEFERRAL = ("defer", "withdraw", "accept")
NIK = re.compile(r"(?<![0-9])(?:[0-9]{4}(?:[ .-]?[0-9]{4}){3}|[0-9]{6}[ .-]?[0-9]{6}[ .-]?[0-9]{4})(?![0-9])")
"""Sixteen digits, as a NIK or a No KK is written."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A decision to be kept.

    Parameters
    ----------
    kind
        `accept` the list's word on a household; `override` it; `defer` the household; `object`, for its family;
        `withdraw` an objection or a deferral.
    reason
        Needed to override, defer and object.
    until
        Last day of a deferral; of nothing else.
    decided_by
        A user name or an office.
    """

    worklist_id: str
    household_id: str
    kind: Kind
    reason: str | None = None
    until: dt.date | None = None
    decided_by: str


@dataclass(frozen=True, kw_only=True)
class Decision(Asked):
    """A decision as it was kept.

    Parameters
    ----------
    on_list
        Whether the household stood on the list; else the plan left it out.
    line
        The line, or the left-out household, as it stood, as JSON.
    """

    id: str
    decided_at: dt.datetime
    model_stamp: str
    policy_stamp: str | None
    on_list: bool
    line: dict[str, Any]


_COLUMNS = [decision.c[field.name] for field in fields(Decision)]


class NotOnTheList(Refused):
    """A decision is about a list, or a household of it, that is not there."""


class KeyTaken(Refused):
    """The key of a request was used for another one."""


@dataclass(frozen=True)
class Decisions:
    """Decisions; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def decide(self, asked: Asked, *, at: dt.datetime, key: str | None = None) -> Decision:
        """The decision as it was kept; asked again with the same key, the one that was kept first.

        Parameters
        ----------
        at
            The moment, with its time zone.
        key
            The asker's name of this request.

        Raises
        ------
        InputRefused
            It lacks its reason or its day, or holds somebody's number.
        NotOnTheList
            The list does not know the household.
        KeyTaken
            The key stands for another decision.
        """
        asked = _trimmed(asked)
        digest = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        with self.database.writing() as connection:
            if digest is not None and (kept := _of_key(connection, digest)):
                return _same(asked, kept)
            _check(asked, on=at.astimezone(dt.UTC).date())
            made = _made(connection, asked, at=at)
            connection.execute(sa.insert(decision), asdict(made) | {"request_key": digest})
        return made

    def decisions(
        self, *, limit: int, worklist_id: str | None = None, household_id: str | None = None, before: str | None = None
    ) -> list[Decision]:
        """At most `limit` decisions, newest first, made before the one whose id is `before`.

        Raises
        ------
        InputRefused
            No decision has the id `before`.
        """
        newest = sa.select(*_COLUMNS).order_by(decision.c.number.desc()).limit(checked(limit))
        if worklist_id is not None:
            newest = newest.where(decision.c.worklist_id == worklist_id)
        if household_id is not None:
            newest = newest.where(decision.c.household_id == household_id)
        with self.database.reading() as connection:
            if before is not None:
                newest = newest.where(decision.c.number < _number(connection, before))
            return [Decision(**row) for row in connection.execute(newest).mappings()]

    def held(self, on: dt.date) -> pd.DataFrame:
        """Households that no new plan visits on a day: household_id, and why, `objection` or `deferred`.

        An objection holds until it is withdrawn, and a deferral until its last day, a withdrawal or an acceptance.
        """
        with self.database.reading() as connection:
            objecting = [row.household_id for row in _last(connection, OF_AN_OBJECTION) if row.kind == "object"]
            later = [
                row.household_id for row in _last(connection, OF_A_DEFERRAL) if row.kind == "defer" and row.until >= on
            ]
        why = dict.fromkeys(later, "deferred") | dict.fromkeys(objecting, "objection")
        rows = pd.DataFrame({"household_id": list(why), "why": list(why.values())}, dtype="str")
        return rows.sort_values("household_id", ignore_index=True)


def _trimmed(asked: Asked) -> Asked:
    words = {"reason": (asked.reason or "").strip() or None, "decided_by": asked.decided_by.strip()}
    return Asked(**asdict(asked) | words)


def _check(asked: Asked, *, on: dt.date) -> None:
    for name in ("reason", "decided_by"):
        if NIK.search(getattr(asked, name) or ""):
            raise InputRefused(f"a number of 16 digits in {name}", "words without a NIK or a No KK", "Leave it out.")
    if not asked.decided_by:
        raise InputRefused("a decision of nobody", "a user name or an office", "Fill in `decided_by`.")
    if asked.kind in WITH_REASON and asked.reason is None:
        raise InputRefused(f"{asked.kind} without a reason", "a reason in some words", "Fill in `reason`.")
    if asked.kind != "defer":
        if asked.until is not None:
            raise InputRefused(f"{asked.kind} with a last day", "`until` with defer alone", "Leave `until` out.")
    elif asked.until is None:
        raise InputRefused("defer without a last day", "the day until which it holds", "Fill in `until`.")
    elif asked.until < on:
        raise InputRefused(f"a deferral until {asked.until}", f"{on} or later", "Give a day still to come in `until`.")


def _made(connection: sa.Connection, asked: Asked, *, at: dt.datetime) -> Decision:
    listed = list_of(connection, asked.worklist_id)
    if listed is None:
        raise NotOnTheList("No list has this identifier.")
    line = line_in(connection, listed.id, asked.household_id)
    if line is None:
        raise NotOnTheList("The list does not know a household of this identifier.")
    return Decision(
        **asdict(asked),
        id=uuid.uuid4().hex,
        decided_at=at.astimezone(dt.UTC),
        model_stamp=listed.model_stamp,
        policy_stamp=listed.policy_stamp,
        on_list=isinstance(line, Line),
        line=_frozen(line),
    )


def _frozen(line: Line | LeftOut) -> dict[str, Any]:
    return {name: cell.isoformat() if isinstance(cell, dt.date) else cell for name, cell in asdict(line).items()}


def _of_key(connection: sa.Connection, digest: str) -> Decision | None:
    row = connection.execute(sa.select(*_COLUMNS).where(decision.c.request_key == digest)).mappings().first()
    return None if row is None else Decision(**row)


def _same(asked: Asked, kept: Decision) -> Decision:
    differs = [field.name for field in fields(Asked) if getattr(asked, field.name) != getattr(kept, field.name)]
    if differs:
        raise KeyTaken(f"Another decision was kept under this key; it differs in {', '.join(differs)}.")
    return kept


def _number(connection: sa.Connection, decision_id: str) -> int:
    found = connection.execute(sa.select(decision.c.number).where(decision.c.id == decision_id)).scalar()
    if found is None:
        raise InputRefused("`before` is the id of no decision", "the id of a decision", "Begin again without it.")
    return int(found)


def _last(connection: sa.Connection, kinds: tuple[str, ...]) -> list[Any]:
    """The newest decision of these kinds of each household."""
    newest = sa.select(sa.func.max(decision.c.number)).where(decision.c.kind.in_(kinds))
    newest = newest.group_by(decision.c.household_id)
    rows = sa.select(decision.c.household_id, decision.c.kind, decision.c.until).where(decision.c.number.in_(newest))
    return list(connection.execute(rows))
