"""What officers decided of households on a list: added to, never changed, with the line as it stood."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import sqlalchemy as sa

from features.errors import InputRefused, Refused
from serving.keeping import insert_once
from serving.listing import KeyUsed, Line, key_of
from serving.numbers import holds_number
from serving.plan_store import LeftOut, line_in, why_of_a_part
from serving.sight import decided_in_sight, lines_of, list_of
from serving.store import checked
from serving.tables import decision

if TYPE_CHECKING:
    from serving.access.who import Who
    from serving.database import Database

Kind = Literal["accept", "override", "defer", "object", "withdraw"]
WITH_REASON = ("override", "defer", "object")
OF_AN_OBJECTION = ("object", "withdraw")
OF_A_DEFERRAL = ("defer", "withdraw", "accept")


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
        The line, or the left-out household, as it stood, as JSON; of a list of which the reader sees a part, as that
        part has it.
    account
        Who was let in; None on decisions of before there were accounts.
    """

    id: str
    account: str | None
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


Note = Callable[[sa.Connection, Decision], None]
UNSEEN = "The list does not know a household of this identifier."


@dataclass(frozen=True)
class Decisions:
    """Decisions; one object serves all threads. Every method may raise `StoreRefused`."""

    database: Database

    def decide(
        self, asked: Asked, *, at: dt.datetime, who: Who, key: str | None = None, note: Note | None = None
    ) -> Decision:
        """The decision as it was kept; asked again by the same account with the same key, the one kept first.

        Parameters
        ----------
        at
            The moment, on the district's clock: a deferral ends on that day or later.
        key
            The asker's name of this request.
        note
            Run in the transaction that keeps the decision, or finds it kept: the line of the trail.

        Raises
        ------
        InputRefused
            It lacks its reason or its day, or holds somebody's number.
        NotOnTheList
            They see no such list, or no such household on it.
        KeyTaken
            The key stands for another decision.
        """
        asked = _trimmed(asked)
        named = None if key is None else key_of(who.name, key)
        for _ in range(2):  # refused in the moment between, it finds what the other request kept
            with suppress(KeyUsed):
                return self._decided(asked, at=at, who=who, key=named, note=note)
        raise KeyTaken("Another decision was kept under this key.")

    def decisions(
        self,
        *,
        limit: int,
        who: Who,
        worklist_id: str | None = None,
        household_id: str | None = None,
        before: str | None = None,
    ) -> list[Decision]:
        """At most `limit` decisions of households that somebody sees, newest first, made before that of id `before`.

        Raises
        ------
        InputRefused
            They see no decision of the id `before`.
        """
        newest = sa.select(*_COLUMNS).where(decided_in_sight(decision, who))
        newest = newest.order_by(decision.c.number.desc()).limit(checked(limit))
        if worklist_id is not None:
            newest = newest.where(decision.c.worklist_id == worklist_id)
        if household_id is not None:
            newest = newest.where(decision.c.household_id == household_id)
        with self.database.reading() as connection:
            if before is not None:
                newest = newest.where(decision.c.number < _number(connection, before, who=who))
            found = [Decision(**row) for row in connection.execute(newest).mappings()]
            return _as_seen(connection, found, who=who)

    def _decided(self, asked: Asked, *, at: dt.datetime, who: Who, key: str | None, note: Note | None) -> Decision:
        with self.database.writing() as connection:
            kept = None if key is None else _of_key(connection, key, who=who)
            if kept is None:
                _check(asked, on=at.date())
                told = _made(connection, asked, at=at, who=who)
                insert = sa.insert(decision).values(asdict(told) | {"request_key": key})
                insert_once(connection, insert, decision.c.request_key, key)
            else:
                told = _same(asked, kept)
            [seen] = _as_seen(connection, [told], who=who)
            if note is not None:
                note(connection, told)
            return seen

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
        if holds_number(getattr(asked, name) or ""):
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


def _made(connection: sa.Connection, asked: Asked, *, at: dt.datetime, who: Who) -> Decision:
    listed = list_of(connection, asked.worklist_id, who=who)
    if listed is None:
        raise NotOnTheList("No list has this identifier.")
    seen = line_in(connection, listed, asked.household_id, who=who)
    if seen is None:
        raise NotOnTheList(UNSEEN)
    # As it stood on the whole list, whoever decides.
    line = line_in(connection, replace(listed, whole=True), asked.household_id, who=who) or seen
    return Decision(
        **asdict(asked),
        id=uuid.uuid4().hex,
        account=who.name,
        decided_at=at.astimezone(dt.UTC),
        model_stamp=listed.model_stamp,
        policy_stamp=listed.policy_stamp,
        on_list=isinstance(line, Line),
        line=_frozen(line),
    )


def _as_seen(connection: sa.Connection, kept: list[Decision], *, who: Who) -> list[Decision]:
    """Decisions with their lines as somebody sees them: that of a list of which they see a part, as the part has it."""
    if who.scope.everywhere:
        return kept
    told: dict[str, Decision] = {}
    for list_id in {one.worklist_id for one in kept}:
        found = list_of(connection, list_id, who=who)
        if found is not None and not found.whole:
            of_it = [one for one in kept if one.worklist_id == list_id]
            lines = lines_of(found, who)
            asked = sa.select(lines.c.household_id, lines.c.rank)
            asked = asked.where(lines.c.household_id.in_({one.household_id for one in of_it}))
            ranks = {row.household_id: row.rank for row in connection.execute(asked)}
            told |= {one.id: replace(one, line=_of_a_part(one, ranks)) for one in of_it}
    return [told.get(one.id, one) for one in kept]


def _of_a_part(kept: Decision, ranks: dict[str, int]) -> dict[str, Any]:
    if kept.on_list:
        return kept.line | {"rank": ranks[kept.household_id], "chance": None, "weight": None}
    return kept.line | why_of_a_part(kept.line)


def _frozen(line: Line | LeftOut) -> dict[str, Any]:
    return {name: cell.isoformat() if isinstance(cell, dt.date) else cell for name, cell in asdict(line).items()}


def _of_key(connection: sa.Connection, key: str, *, who: Who) -> Decision | None:
    asked = sa.select(*_COLUMNS).where(decision.c.request_key == key, decided_in_sight(decision, who))
    row = connection.execute(asked).mappings().first()
    return None if row is None else Decision(**row)


def _same(asked: Asked, kept: Decision) -> Decision:
    differs = [field.name for field in fields(Asked) if getattr(asked, field.name) != getattr(kept, field.name)]
    if differs:
        raise KeyTaken(f"Another decision was kept under this key; it differs in {', '.join(differs)}.")
    return kept


def _number(connection: sa.Connection, decision_id: str, *, who: Who) -> int:
    asked = sa.select(decision.c.number).where(decision.c.id == decision_id, decided_in_sight(decision, who))
    found = connection.execute(asked).scalar()
    if found is None:
        raise InputRefused("`before` is the id of no decision", "the id of a decision", "Begin again without it.")
    return int(found)


def _last(connection: sa.Connection, kinds: tuple[str, ...]) -> list[Any]:
    """The newest decision of these kinds of each household."""
    newest = sa.select(sa.func.max(decision.c.number)).where(decision.c.kind.in_(kinds))
    newest = newest.group_by(decision.c.household_id)
    rows = sa.select(decision.c.household_id, decision.c.kind, decision.c.until).where(decision.c.number.in_(newest))
    return list(connection.execute(rows))
