"""Signing in by the identity provider: what is kept while somebody is there, and what comes of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from serving.access.accounts import account_of
from serving.access.keys import digest, new_secret
from serving.access.oidc import Way
from serving.access.roles import Act
from serving.access.sessions import open_session
from serving.access.signing import Opened
from serving.access.who import UNKNOWN
from serving.errors import RequestRefused, Unauthorized
from serving.numbers import NIK
from serving.tables_access import account, sign_in
from serving.trail.entry import Entry
from serving.trail.writer import append

if TYPE_CHECKING:
    from serving.database import Database

WAY_MINUTES = 10
HERE = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}", re.ASCII)


def is_here(path: str) -> bool:
    """Whether it is a path of this service, and leads nowhere else."""
    return bool(HERE.fullmatch(path))


def begin(database: Database, *, next_path: str, back: str, at: dt.datetime) -> Way:
    """A way to the provider; of its state only a digest is kept, for `WAY_MINUTES`.

    Raises
    ------
    RequestRefused
        `next_path` leads away from here.
    """
    if not is_here(next_path):
        raise RequestRefused("next: a path of this service, such as /, and no other address.")
    way = Way(state=new_secret(), nonce=new_secret(), verifier=new_secret(), back=back)
    with database.writing() as connection:
        connection.execute(sa.delete(sign_in).where(sign_in.c.expires_at < at))
        row = {"digest": digest(way.state), "nonce": way.nonce, "verifier": way.verifier, "next_path": next_path}
        until = at + dt.timedelta(minutes=WAY_MINUTES)
        connection.execute(sa.insert(sign_in), row | {"expires_at": until})
    return way


def come_back(database: Database, state: str, *, back: str, at: dt.datetime) -> tuple[Way, str]:
    """The way of a state, which cannot be gone twice, and the path that was asked for.

    Raises
    ------
    Unauthorized
        There is none, or it took too long.
    """
    this = sign_in.c.digest == digest(state)
    with database.writing() as connection:
        row = connection.execute(sa.select(sign_in).where(this)).one_or_none()
        # Of two who bring the same state at once, one finds it deleted.
        found = row is not None and bool(connection.execute(sa.delete(sign_in).where(this)).rowcount)
    if row is None or not found or row.expires_at <= at:
        raise Unauthorized(f"This sign-in was used already, or began more than {WAY_MINUTES} minutes ago; begin again.")
    return Way(state=state, nonce=row.nonce, verifier=row.verifier, back=back), row.next_path


def open_linked(database: Database, subject: str, *, at: dt.datetime, request_id: str, hours: float) -> Opened:
    """A session of the account that is linked to a subject of the provider.

    Raises
    ------
    Unauthorized
        None is linked, or it is disabled; the words let an admin link it.
    """
    entry = Entry(at=at, who=UNKNOWN, via="oidc", act=Act.SIGN_IN.value, outcome="done", request_id=request_id)
    with database.writing() as connection:
        row = connection.execute(sa.select(account).where(account.c.subject == subject)).mappings().one_or_none()
        if row is not None and not row["disabled"]:
            secret = open_session(connection, row["id"], via="oidc", at=at, hours=hours)
            append(connection, [_of(entry, row["name"], "done")])
            return Opened(secret=secret, account=account_of(row))
        append(connection, [_of(entry, UNKNOWN if row is None else row["name"], Unauthorized.type)])
    raise Unauthorized(_unlinked(subject) if row is None else "The account is disabled.")


def _of(entry: Entry, who: str, outcome: str) -> Entry:
    return Entry(**{**entry.__dict__, "who": who, "outcome": outcome})


def _unlinked(subject: str) -> str:
    named = f" --subject '{subject}'"
    if NIK.search(subject):  # a provider may name people by their NIK
        named = " --subject, with the address of the identity provider, `|` and your identifier there"
    told = "The identity provider knows you, and Tepat does not yet: an admin can link you by"
    return f"{told} `tepat account change NAME{named}`."
