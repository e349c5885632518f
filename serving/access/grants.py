"""Who may give what to whom: no more than they have, not to themselves, and never so that nobody is left to give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.access.roles import MAY, Act, Role
from serving.errors import Forbidden, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.access.accounts import Account
    from serving.access.who import Who


def may_see(who: Who, of: Account) -> bool:
    """Whether an account lies within somebody's own places; their own always does."""
    return of.name == who.name or of.scope.within_grant(who.scope)


def check_account(made: Account) -> None:
    """Nothing, when kind, roles, places and subject fit together.

    Raises
    ------
    RequestRefused
        They do not; it says what to change.
    """
    if not made.roles:
        raise RequestRefused(f"roles: at least one of {', '.join(Role)}.")
    if Role.ADMIN in made.roles and made.kind != "person":
        raise RequestRefused("roles: an admin is a person; a system cannot hand out keys.")
    seeing = sorted(role for role in made.roles if Act.SEE_HOUSEHOLD in MAY[role])
    if Role.ADMIN in made.roles and seeing:
        raise RequestRefused(
            f"roles: admin and {', '.join(seeing)} on one account; who hands out grants sees no household. "
            "Make two accounts."
        )
    if made.subject is not None and (made.kind != "person" or "|" not in made.subject):
        raise RequestRefused("subject: of a person, as `issuer|subject`.")


def check_hand(who: Who, before: Account | None, after: Account) -> None:
    """Nothing, when it is somebody's to make this of an account.

    Raises
    ------
    Forbidden
        They would give places that they do not have, or change their own account.
    """
    if after.name == who.name:
        raise Forbidden("Nobody changes their own account; another admin can.")
    for one in (before, after):
        if one is not None and not one.scope.within_grant(who.scope):
            raise Forbidden("The account would reach beyond your own regions and areas; give it no more than these.")


def check_admin_left(everybody: Sequence[Account], after: Account) -> None:
    """Nothing, when somebody can still administer.

    Raises
    ------
    RequestRefused
        The change would take the last one away.
    """
    then = [after if one.id == after.id else one for one in everybody]
    if _admins(everybody) and not _admins(then):
        raise RequestRefused(f"{after.name} is the last admin who may look after everywhere; make another one first.")


def _admins(accounts: Sequence[Account]) -> list[Account]:
    return [one for one in accounts if Role.ADMIN in one.roles and one.scope.everywhere and not one.disabled]
