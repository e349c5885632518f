"""Accounts made, changed and disabled, and their keys: each change with its line of the trail, or neither."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from serving.access import credentials, passwords
from serving.access.accounts import NAME, Account, every, is_any, named, row_of
from serving.access.grants import check_account, check_admin_left, check_hand, may_see
from serving.access.roles import Act, Role
from serving.access.scope import EVERYWHERE, Scope
from serving.access.sessions import end_sessions
from serving.access.signing import keep_password
from serving.access.who import RESERVED, at_command
from serving.errors import NotFound, RequestRefused, Taken
from serving.numbers import NIK
from serving.tables_access import account
from serving.trail.entry import Entry
from serving.trail.writer import append

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.access.keys import Key
    from serving.access.who import Who
    from serving.database import Database
    from serving.store import Store

FIRST = "admin"
NONE = "No account has this name."


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to become of an account; None leaves it as it is."""

    roles: frozenset[Role] | None = None
    scope: Scope | None = None
    disabled: bool | None = None
    subject: str | None = None  # an empty one unlinks it
    new_password: bool = False


@dataclass(frozen=True)
class Made:
    """An account as it is now, and its one-time password, where it was given one."""

    account: Account
    one_time: str | None


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Accounts in somebody's hands.

    Every method may raise `StoreRefused`; `NotFound` where there is none of a name that they may see; `Forbidden`
    where they would give more than they have, or change their own.
    """

    database: Database
    who: Who
    request_id: str
    at: dt.datetime

    def add(
        self, name: str, *, kind: Literal["person", "system"], roles: frozenset[Role], scope: Scope,
        subject: str | None = None,
    ) -> Made:  # fmt: skip
        """A new account; a person who signs in here gets a one-time password.

        Raises
        ------
        RequestRefused
            Name, roles and places do not fit together.
        Taken
            There is one of this name, or of this subject.
        """
        made = Account(
            id=uuid.uuid4().hex, name=_checked_name(name), kind=kind, roles=roles, scope=scope, subject=subject or None,
            has_password=False, must_change=False, disabled=False, locked_until=None, created_at=self.at,
            changed_at=self.at,
        )  # fmt: skip
        check_account(made)
        check_hand(self.who, None, made)
        password = passwords.one_time() if kind == "person" and made.subject is None else None
        hash_of_it = None if password is None else passwords.hashed(password)
        with self.database.writing() as connection:
            row = row_of(made) | {"password": hash_of_it, "must_change": password is not None, "failed": 0}
            _kept(connection, sa.insert(account).values(row))
            self._note(connection, made, {"change": "added", "now": _told(made)})
            return Made(_named(connection, made.name), password)

    def change(self, name: str, change: Change, *, check: Callable[[str], None] = lambda _: None) -> Made:
        """An account as it was changed; one that is disabled, linked anew or gets a new password is signed out.

        Raises
        ------
        RequestRefused
            It would not fit together, or nobody would be left to administer.
        PreconditionFailed
            By `check`, which is given the account's ETag of now.
        """
        password = passwords.one_time() if change.new_password else None
        hash_of_it = None if password is None else passwords.hashed(password)
        with self.database.writing() as connection:
            everybody = every(connection, to_change=True)
            before = self._seen(next((one for one in everybody if one.name == name.lower()), None))
            check(before.etag)
            after = _changed(before, change, at=self.at)
            check_account(after)
            check_hand(self.who, before, after)
            check_admin_left(everybody, after)
            _kept(connection, sa.update(account).where(account.c.id == after.id).values(row_of(after)))
            if hash_of_it is not None:
                keep_password(connection, after.id, hash_of_it, at=self.at, must_change=True)
            if after.disabled or after.subject != before.subject:
                end_sessions(connection, after.id)
            said = {"change": "changed", "before": _told(before), "now": _told(after)}
            self._note(connection, after, said | ({"password": "one-time"} if password else {}))
            return Made(_named(connection, after.name), password)

    def account(self, name: str) -> Account:
        """The account of a name."""
        with self.database.reading() as connection:
            return self._seen(named(connection, name))

    def accounts(self) -> list[Account]:
        """Those that they may see, by name."""
        with self.database.reading() as connection:
            return [one for one in every(connection) if may_see(self.who, one)]

    def keys(self, name: str) -> list[credentials.Credential]:
        """What may be shown of the keys of an account, newest first."""
        with self.database.reading() as connection:
            return credentials.shown(connection, self._seen(named(connection, name)).id)

    def new_key(self, name: str, *, kind: Literal["key", "client"], label: str, until: dt.datetime | None) -> Key:
        """A key of a system, to be shown once.

        Raises
        ------
        RequestRefused
            The account is a person's, or disabled; or the key would be over already.
        """
        with self.database.writing() as connection:
            of = self._seen(named(connection, name))
            check_hand(self.who, of, of)
            if of.kind != "system" or of.disabled:
                raise RequestRefused("A key is given to the account of a system that is not disabled; people sign in.")
            if until is not None and until <= self.at:
                raise RequestRefused("The key would be over before it is used.")
            key = credentials.issue(connection, of.id, kind=kind, label=label, at=self.at, until=until)
            self._note(connection, of, {"change": "key given", "key": key.id, "kind": kind})
            return key

    def revoke(self, name: str, key_id: str) -> None:
        """End a key, and the tokens given for it; `NotFound` where the account has none of this identifier."""
        with self.database.writing() as connection:
            of = self._seen(named(connection, name))
            check_hand(self.who, of, of)
            if not credentials.revoke(connection, of.id, key_id, at=self.at):
                raise NotFound("This account has no key of this identifier that holds.")
            self._note(connection, of, {"change": "key revoked", "key": key_id})

    def _seen(self, found: Account | None) -> Account:
        if found is None or not may_see(self.who, found):
            raise NotFound(NONE)
        return found

    def _note(self, connection: sa.Connection, of: Account, about: dict[str, Any]) -> None:
        entry = Entry(
            at=self.at, who=self.who.name, via=self.who.via, act=Act.CHANGE_ACCOUNT.value, request_id=self.request_id,
            about={"account": of.name} | about,
        )  # fmt: skip
        append(connection, [entry])


def first_admin(store: Store) -> str | None:
    """The one-time password of a new account `admin`, to be shown once; None when there is an account already.

    Raises
    ------
    StoreRefused
        The store cannot be read or written.
    """
    with store.database.reading() as connection:
        if is_any(connection):
            return None
    at = dt.datetime.now(tz=dt.UTC)
    first = Accounts(database=store.database, who=at_command("start"), request_id="start", at=at)
    try:
        return first.add(FIRST, kind="person", roles=frozenset({Role.ADMIN}), scope=EVERYWHERE).one_time
    except Taken:  # another server that starts was faster
        return None


def _checked_name(name: str) -> str:
    lowered = name.lower()
    if not NAME.fullmatch(lowered) or NIK.search(lowered):
        raise RequestRefused("name: 2 to 64 of a-z, 0-9, dot, hyphen, underline and @; no NIK.")
    if lowered in RESERVED:
        raise RequestRefused("name: the trail means others by it; take another one.")
    return lowered


def _kept(connection: sa.Connection, statement: sa.Insert | sa.Update) -> None:
    try:
        connection.execute(statement)
    except IntegrityError as fault:
        raise Taken("Another account has this name, or this subject at the identity provider.") from fault


def _named(connection: sa.Connection, name: str) -> Account:
    found = named(connection, name)
    if found is None:
        raise NotFound(NONE)
    return found


def _changed(before: Account, change: Change, *, at: dt.datetime) -> Account:
    if change.new_password and before.kind != "person":
        raise RequestRefused("A system has keys, not a password.")
    given = {"roles": change.roles, "scope": change.scope, "disabled": change.disabled}
    more: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if change.subject is not None:
        more["subject"] = change.subject or None
    return replace(before, **more, changed_at=at)


def _told(of: Account) -> dict[str, Any]:
    """What the trail says of an account; an identity provider's subject may be a NIK, so only whether there is one."""
    return {
        "kind": of.kind, "roles": sorted(of.roles), "scope": of.scope.as_json() or "everywhere",
        "disabled": of.disabled, "linked": of.subject is not None,
    }  # fmt: skip
