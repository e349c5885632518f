"""Signing in by name and password, and choosing another one.

An unknown name, a wrong password and a locked account are answered alike, and after about the same time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from features.errors import InputRefused
from serving.access import passwords
from serving.access.accounts import Account, account_of, row_named
from serving.access.roles import Act
from serving.access.sessions import end_sessions, open_session
from serving.access.who import UNKNOWN
from serving.errors import RequestRefused, Unauthorized
from serving.tables_access import account
from serving.trail.entry import Entry
from serving.trail.writer import append

if TYPE_CHECKING:
    from serving.database import Database
    from serving.settings import Service


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Somebody tries to sign in."""

    name: str
    password: str = field(repr=False)
    at: dt.datetime
    request_id: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A session that was begun."""

    secret: str = field(repr=False)
    account: Account


@dataclass(frozen=True)
class _Claim:
    """The account of a name, as it was when a password was counted against it."""

    row: sa.RowMapping | None
    locked: bool

    @property
    def kept(self) -> str | None:
        return None if self.row is None or self.locked or self.row["disabled"] else self.row["password"]


def sign_in(database: Database, tried: Attempt, service: Service) -> Opened:
    """A new session for the right password.

    A wrong one is counted in the database, before it is looked at, so that all servers together allow no more than
    `lock_after`, however many try at once.

    Raises
    ------
    Unauthorized
        Name and password are not those of an account that may sign in now.
    """
    with database.writing() as connection:
        claim = _claimed(connection, tried, service)
    right = passwords.holds(claim.kept, tried.password)
    with database.writing() as connection:
        found = _confirmed(connection, claim, tried) if right else None
        append(connection, [_entry(claim, tried, found)])
        if found is not None:
            secret = open_session(connection, found.id, via="password", at=tried.at, hours=service.session_hours)
    if found is None:
        raise Unauthorized(
            f"No account has this name and password; or it is disabled, or {service.lock_after} wrong passwords "
            f"have locked it for {service.lock_minutes:g} minutes."
        )
    return Opened(secret=secret, account=found)


def change_password(database: Database, tried: Attempt, new: str, *, service: Service) -> Opened:
    """A new session after the old password was given rightly and another one chosen; all other sessions end.

    Raises
    ------
    Unauthorized
        The old password is wrong.
    RequestRefused
        The new one may not be chosen.
    """
    _check_new(new, tried)
    with database.writing() as connection:
        claim = _claimed(connection, tried, service)
    if not passwords.holds(claim.kept, tried.password):
        with database.writing() as connection:
            append(connection, [_entry(claim, tried, None, act=Act.SIGN_IN)])
        raise Unauthorized("The password that you have now is another one.")
    hash_of_new = passwords.hashed(new)
    with database.writing() as connection:
        found = _confirmed(connection, claim, tried)
        if found is None:
            raise Unauthorized("The password was changed meanwhile.")
        keep_password(connection, found.id, hash_of_new, at=tried.at, must_change=False)
        append(connection, [_entry(claim, tried, found, act=Act.CHANGE_ACCOUNT, about={"change": "password"})])
        secret = open_session(connection, found.id, via="password", at=tried.at, hours=service.session_hours)
        found = account_of(row_named(connection, tried.name, to_change=True))  # type: ignore[arg-type]  # it was there a line before
    return Opened(secret=secret, account=found)


def keep_password(
    connection: sa.Connection, account_id: str, hash_of_it: str, *, at: dt.datetime, must_change: bool
) -> None:
    """Give an account a password: nothing is locked any more, and nobody signed in."""
    given = {"password": hash_of_it, "must_change": must_change, "failed": 0, "locked_until": None, "changed_at": at}
    connection.execute(sa.update(account).where(account.c.id == account_id).values(given))
    end_sessions(connection, account_id)


def _check_new(new: str, tried: Attempt) -> None:
    if new == tried.password:
        raise RequestRefused("new: it is the password that you have now; choose another one.")
    try:
        passwords.check_password(new, tried.name)
    except InputRefused as refusal:
        raise RequestRefused(f"new: {refusal}") from refusal


def _claimed(connection: sa.Connection, tried: Attempt, service: Service) -> _Claim:
    """Count a password as wrong until it is found right; the one that reaches `lock_after` is looked at still."""
    row = row_named(connection, tried.name, to_change=True)
    if row is None or row["disabled"] or row["password"] is None:
        return _Claim(row, locked=False)
    if _is_locked(row["locked_until"], tried.at, service):
        return _Claim(row, locked=True)
    failed = row["failed"] + 1
    counted: dict[str, Any] = {"failed": failed, "locked_until": None}
    if failed >= service.lock_after:
        counted = {"failed": 0, "locked_until": tried.at + dt.timedelta(minutes=service.lock_minutes)}
    connection.execute(sa.update(account).where(account.c.id == row["id"]).values(counted))
    return _Claim(row, locked=False)


def _is_locked(until: dt.datetime | None, at: dt.datetime, service: Service) -> bool:
    # An end further ahead than any lock is of a clock that was set back since; servers' clocks differ by less than one.
    return until is not None and at < until <= at + 2 * dt.timedelta(minutes=service.lock_minutes)


def _confirmed(connection: sa.Connection, claim: _Claim, tried: Attempt) -> Account | None:
    """The account, its count taken back; None when its password was changed while this one was looked at."""
    row = row_named(connection, tried.name, to_change=True)
    if row is None or claim.row is None or row["disabled"] or row["password"] != claim.row["password"]:
        return None
    given: dict[str, Any] = {"failed": 0, "locked_until": None}
    if passwords.is_outdated(row["password"]):
        given["password"] = passwords.hashed(tried.password)
    connection.execute(sa.update(account).where(account.c.id == row["id"]).values(given))
    return account_of(row)


def _entry(
    claim: _Claim, tried: Attempt, found: Account | None, *, act: Act = Act.SIGN_IN, about: dict[str, Any] | None = None
) -> Entry:
    told = "locked" if claim.locked else "wrong"
    return Entry(
        at=tried.at, who=UNKNOWN if claim.row is None else claim.row["name"], via="password", act=act.value,
        outcome="done" if found else Unauthorized.type, request_id=tried.request_id,
        about={"from": tried.address} | (about or {}) | ({} if found else {"password": told}),
    )  # fmt: skip
