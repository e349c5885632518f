"""Who asks, as every door knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from serving.access.roles import Role
from serving.access.scope import EVERYWHERE, Scope

Kind = Literal["person", "system", "open", "command"]


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody who was let in.

    Parameters
    ----------
    name
        Of the account; `this-machine` where nobody is asked, `command:` and the user's name on the command line.
    kind
        `open`: nobody was asked who they are.
    via
        By what they showed who they are: `session`, `key:` or `token:` and its identifier, `open` or `command`.
    account_id
        None where there is no account.
    """

    name: str
    kind: Kind
    roles: frozenset[Role]
    scope: Scope
    via: str
    account_id: str | None = None
    must_change: bool = field(default=False, kw_only=True)


THIS_MACHINE, UNKNOWN, COMMAND = "this-machine", "unknown", "command:"
RESERVED = frozenset({THIS_MACHINE, UNKNOWN})
"""Names in the trail that are of no account; what was typed by whoever is unknown may be a password."""
ANYBODY = Who(name=THIS_MACHINE, kind="open", roles=frozenset(Role), scope=EVERYWHERE, via="open")


def at_command(user: str) -> Who:
    """Who types commands at this machine; whoever can do so can read the store's file, too."""
    return Who(name=f"{COMMAND}{user}", kind="command", roles=frozenset(Role), scope=EVERYWHERE, via="command")
