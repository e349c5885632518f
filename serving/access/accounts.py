"""Accounts as they are kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from serving.access.roles import Role
from serving.access.scope import Scope
from serving.access.who import Who
from serving.tables_access import account

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody, or a system, who may come in.

    Parameters
    ----------
    subject
        Issuer and subject of the identity provider, parted by `|`; None where it is not linked.
    has_password
        Whether they can sign in by a password; never for a system.
    locked_until
        The moment until which no password is believed; None when none was wrong too often.
    """

    id: str
    name: str
    kind: Literal["person", "system"]
    roles: frozenset[Role]
    scope: Scope
    subject: str | None
    has_password: bool
    must_change: bool
    disabled: bool
    locked_until: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime

    @property
    def etag(self) -> str:
        """Another one after each change."""
        said = f"{self.id} {self.changed_at.isoformat()} {self.disabled} {sorted(self.roles)} {self.scope.as_json()}"
        return f'"{hashlib.sha256(said.encode()).hexdigest()[:20]}"'

    def who(self, via: str) -> Who:
        """As the doors know them."""
        return Who(
            name=self.name, kind=self.kind, roles=self.roles, scope=self.scope, via=via, account_id=self.id,
            must_change=self.must_change,
        )  # fmt: skip


def account_of(row: sa.RowMapping) -> Account:
    """An account from its row."""
    return Account(
        id=row["id"], name=row["name"], kind=row["kind"], roles=frozenset(map(Role, row["roles"])),
        scope=Scope(row["everywhere"], frozenset(row["regions"]), frozenset(row["areas"])), subject=row["subject"],
        has_password=row["password"] is not None, must_change=row["must_change"], disabled=row["disabled"],
        locked_until=row["locked_until"], created_at=row["created_at"], changed_at=row["changed_at"],
    )  # fmt: skip


def row_of(made: Account) -> dict[str, Any]:
    """The columns of an account that are not about its password."""
    return {
        "id": made.id, "name": made.name, "kind": made.kind, "roles": sorted(made.roles),
        "everywhere": made.scope.everywhere, "regions": sorted(made.scope.regions), "areas": sorted(made.scope.areas),
        "subject": made.subject, "must_change": made.must_change, "disabled": made.disabled,
        "created_at": made.created_at, "changed_at": made.changed_at,
    }  # fmt: skip


def named(connection: sa.Connection, name: str) -> Account | None:
    """The account of a name; None when there is none."""
    row = row_named(connection, name)
    return None if row is None else account_of(row)


def row_named(connection: sa.Connection, name: str, *, to_change: bool = False) -> sa.RowMapping | None:
    """Its row; what cannot be a name is not asked for, as PostgreSQL takes no NUL in a text."""
    if not NAME.fullmatch(name.lower()):
        return None
    asked = sa.select(account).where(account.c.name == name.lower())
    return connection.execute(asked.with_for_update() if to_change else asked).mappings().one_or_none()


def every(connection: sa.Connection, *, to_change: bool = False) -> list[Account]:
    """All accounts by name; a district has some hundreds. `to_change` keeps others from changing them meanwhile."""
    asked = sa.select(account).order_by(account.c.name)
    rows = connection.execute(asked.with_for_update() if to_change else asked).mappings()
    return [account_of(row) for row in rows]


def is_any(connection: sa.Connection) -> bool:
    """Whether there is an account at all."""
    return connection.execute(sa.select(account.c.id).limit(1)).first() is not None
