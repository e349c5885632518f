"""Looks up in the store who somebody is by what they show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from serving.access.accounts import account_of
from serving.access.credentials import bearer_row
from serving.access.sessions import session_row

if TYPE_CHECKING:
    import sqlalchemy as sa

    from serving.access.shown import Shown
    from serving.access.who import Who
    from serving.settings import Service


@dataclass(frozen=True, kw_only=True)
class Known:
    """Somebody, as the store knew them.

    Parameters
    ----------
    until
        The moment from which it does not hold any more by itself; None where there is none.
    seen_at
        When a session was noted as used last; None for a key.
    """

    who: Who
    until: dt.datetime | None
    seen_at: dt.datetime | None = None

    def is_over(self, at: dt.datetime, service: Service) -> bool:
        """Whether it has ended by itself, by its time or for want of use."""
        if self.until is not None and self.until <= at:
            return True
        # Used at a moment far ahead, it is of a clock that was set back since, and its end is as far ahead.
        return self.seen_at is not None and abs(at - self.seen_at) >= dt.timedelta(minutes=service.idle_minutes)


def known(connection: sa.Connection, shown: Shown, *, at: dt.datetime) -> Known | None:
    """Who it is; None when there is nothing of it, or the key was ended, or the account is disabled."""
    if shown.key is not None:
        row = bearer_row(connection, shown.key, at=at)
        if row is None:
            return None
        return Known(who=account_of(row).who(f"{row['key_kind']}:{shown.key.id}"), until=row["expires_at"])
    row = session_row(connection, shown.digest)
    if row is None or row["disabled"]:
        return None
    who = account_of(row).who("session")
    if row["via"] != "password":  # whom the identity provider knows need not choose a password here
        who = replace(who, must_change=False)
    return Known(who=who, until=row["expires_at"], seen_at=row["seen_at"])
