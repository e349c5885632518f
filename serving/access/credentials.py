"""Keys of systems: API keys, OAuth2 clients, and the access tokens that these are given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from serving.access.keys import ID, Key, digest, is_secret, new_key
from serving.tables_access import account, credential

if TYPE_CHECKING:
    Kind = Literal["key", "client", "token"]
TOKEN_S = 3600
KEPT_FOR = dt.timedelta(days=1)
"""A token that is over is cleared away after this long."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What may be shown of a key."""

    id: str
    kind: Kind
    label: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None


SHOWN = tuple(credential.c[name] for name in Credential.__dataclass_fields__)


def issue(
    connection: sa.Connection, account_id: str, *, kind: Kind, label: str, at: dt.datetime, until: dt.datetime | None
) -> Key:
    """A new key of an account; it can be read only now."""
    key = new_key()
    row = {"id": key.id, "account_id": account_id, "kind": kind, "digest": digest(key.secret), "label": label}
    connection.execute(sa.insert(credential), row | {"created_at": at, "expires_at": until, "revoked_at": None})
    return key


def issue_token(connection: sa.Connection, client: Key, *, at: dt.datetime) -> tuple[Key, str] | None:
    """An access token of `TOKEN_S` seconds for an OAuth2 client, and its account's name; None for what is no client.

    The client's row is held until the end of the transaction: one that is revoked meanwhile gets no token.
    """
    row = _row(connection, client, hold=True)
    if row is None or row["key_kind"] != "client" or not _is_good(row, at):
        return None
    # The tokens of a client bear its identifier, by which they end with it.
    token = issue(connection, row["id"], kind="token", label=client.id, at=at, until=at + dt.timedelta(seconds=TOKEN_S))
    over = sa.and_(credential.c.kind == "token", credential.c.expires_at < at - KEPT_FOR)
    connection.execute(sa.delete(credential).where(over))
    return token, row["name"]


def bearer_row(connection: sa.Connection, key: Key, *, at: dt.datetime) -> sa.RowMapping | None:
    """The account of an API key or a token, with `key_kind` and `expires_at`; None when it does not hold."""
    row = _row(connection, key)
    return row if row is not None and row["key_kind"] in ("key", "token") and _is_good(row, at) else None


def revoke(connection: sa.Connection, account_id: str, key_id: str, *, at: dt.datetime) -> bool:
    """End a key of an account, and the tokens that were given for it; False when it has none of this identifier."""
    if not ID.fullmatch(key_id):  # PostgreSQL takes no NUL in a text
        return False
    theirs = sa.and_(credential.c.account_id == account_id, credential.c.revoked_at.is_(None))
    ended = sa.update(credential).values(revoked_at=at)
    found = connection.execute(ended.where(theirs, credential.c.id == key_id)).rowcount
    connection.execute(ended.where(theirs, credential.c.kind == "token", credential.c.label == key_id))
    return bool(found)


def shown(connection: sa.Connection, account_id: str) -> list[Credential]:
    """The keys of an account, newest first, without tokens and without any secret."""
    asked = sa.select(*SHOWN).where(credential.c.account_id == account_id, credential.c.kind != "token")
    rows = connection.execute(asked.order_by(credential.c.created_at.desc(), credential.c.id)).mappings()
    return [Credential(**row) for row in rows]


def _row(connection: sa.Connection, key: Key, *, hold: bool = False) -> sa.RowMapping | None:
    if not ID.fullmatch(key.id):
        return None
    more = (credential.c.digest, credential.c.kind.label("key_kind"), credential.c.expires_at, credential.c.revoked_at)
    asked = sa.select(account, *more).join_from(credential, account).where(credential.c.id == key.id)
    row = connection.execute(asked.with_for_update() if hold else asked).mappings().one_or_none()
    return row if row is not None and is_secret(key.secret, row["digest"]) else None


def _is_good(row: sa.RowMapping, at: dt.datetime) -> bool:
    until = row["expires_at"]
    if row["key_kind"] == "token" and until > at + 2 * dt.timedelta(seconds=TOKEN_S):
        return False  # of a clock that was set back since
    return row["revoked_at"] is None and not row["disabled"] and (until is None or at < until)
