"""Who is signed in: a random secret in a cookie, of which the table has the digest."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from serving.access.keys import digest, new_secret
from serving.tables_access import account, session


def open_session(connection: sa.Connection, account_id: str, *, via: str, at: dt.datetime, hours: float) -> str:
    """The secret of a new session; sessions that are over are cleared away with it."""
    secret = new_secret()
    connection.execute(sa.delete(session).where(session.c.expires_at < at))
    row = {"digest": digest(secret), "account_id": account_id, "via": via, "created_at": at, "seen_at": at}
    connection.execute(sa.insert(session), row | {"expires_at": at + dt.timedelta(hours=hours)})
    return secret


def session_row(connection: sa.Connection, session_digest: str) -> sa.RowMapping | None:
    """A session with its account; None when there is none of this digest."""
    more = (session.c.seen_at, session.c.expires_at, session.c.via)
    asked = sa.select(account, *more).join_from(session, account).where(session.c.digest == session_digest)
    return connection.execute(asked).mappings().one_or_none()


def touch(connection: sa.Connection, session_digest: str, *, at: dt.datetime) -> None:
    """Note that somebody is still there."""
    connection.execute(sa.update(session).where(session.c.digest == session_digest).values(seen_at=at))


def end_session(connection: sa.Connection, session_digest: str) -> None:
    """Sign out."""
    connection.execute(sa.delete(session).where(session.c.digest == session_digest))


def end_sessions(connection: sa.Connection, account_id: str) -> None:
    """Sign out everywhere."""
    connection.execute(sa.delete(session).where(session.c.account_id == account_id))
