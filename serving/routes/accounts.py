"""`/v1/accounts`: who may come in, and the keys of systems."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from serving.access.accounts import Account
from serving.access.changes import Accounts, Change, Made
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.scope import Scope
from serving.access.who import Who
from serving.errors import (
    NotFound,
    NotJson,
    PreconditionFailed,
    PreconditionMissing,
    RequestRefused,
    Taken,
    TooLarge,
    Unexpected,
)  # fmt: skip
from serving.examples_access import ACCOUNT, ACCOUNT_MADE, ACCOUNTS, KEY_MADE, KEYS
from serving.http.conditional import check_match
from serving.parts import parts_of, refusals
from serving.schemas_access import (
    AccountChange,
    AccountOut,
    AccountRequest,
    AccountsPage,
    KeyMade,
    KeyOut,
    KeyRequest,
    KeysOut,
    ScopeIn,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

router = APIRouter(prefix="/v1/accounts", tags=["access"])
NameInPath = Annotated[str, Path(max_length=64, examples=["siti.planner"])]
Sees = Annotated[Who, allowed(Act.SEE_ACCOUNT)]
Changes = Annotated[Who, allowed(Act.CHANGE_ACCOUNT)]


@router.get(
    "",
    summary="The accounts, by name",
    responses={
        200: {"description": "Some of the accounts.", "content": {"application/json": {"example": ACCOUNTS}}},
        **refusals(RequestRefused, Unexpected),
    },
)
def accounts(
    request: Request,
    who: Sees,
    after: Annotated[str, Query(max_length=64, description="Accounts whose name comes after this one.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="Most entries on a page.")] = 100,
) -> AccountsPage:
    """Those whose regions and areas are within your own."""
    with _hand(request, who) as hand:
        found = [one for one in hand.accounts() if one.name > after]
    shown = [_told(one) for one in found[:limit]]
    return AccountsPage(accounts=shown, next_after=shown[-1].name if len(found) > limit else None)


@router.post(
    "",
    status_code=201,
    summary="Make an account",
    responses={
        201: {
            "description": "The account; Location is its address.",
            "content": {"application/json": {"example": ACCOUNT_MADE}},
        },
        **refusals(NotJson, TooLarge, RequestRefused, Taken, Unexpected),
    },
)
def add(request: Request, response: Response, asked: AccountRequest, who: Changes) -> AccountOut:
    """Sent again, it is refused, as the name is taken: no Idempotency-Key is needed.

    A person who signs in here gets a one-time password, which this answer alone shows.
    """
    with _hand(request, who) as hand:
        made = hand.add(
            asked.name, kind=asked.kind, roles=frozenset(asked.roles), scope=_scope(asked.scope), subject=asked.subject
        )
    response.headers["Location"] = f"/v1/accounts/{made.account.name}"
    return _answered(request, response, made)


@router.get(
    "/{name}",
    summary="An account",
    responses={
        200: {"description": "The account.", "content": {"application/json": {"example": ACCOUNT}}},
        **refusals(NotFound, RequestRefused, Unexpected),
    },
)
def see(request: Request, response: Response, name: NameInPath, who: Sees) -> AccountOut:
    """With the ETag that a change of it needs."""
    with _hand(request, who) as hand:
        found = hand.account(name)
    response.headers["ETag"] = found.etag
    return _told(found)


@router.patch(
    "/{name}",
    summary="Change an account",
    responses={
        200: {"description": "The account as it is now.", "content": {"application/json": {"example": ACCOUNT}}},
        **refusals(
            NotJson, TooLarge, NotFound, RequestRefused, Taken, PreconditionFailed, PreconditionMissing, Unexpected
        ),
    },
)
def change(
    request: Request, response: Response, name: NameInPath, asked: AccountChange, who: Changes,
    if_match: Annotated[str | None, Header(max_length=200, description="The account's `etag` as you read it.")] = None,
) -> AccountOut:  # fmt: skip
    """Roles, places, whether it is disabled, its link to the identity provider, or a new one-time password.

    It holds at once here, and within two seconds at other servers on the same store.
    """
    if if_match is None:
        raise PreconditionMissing("If-Match is missing, by which two admins do not overwrite each other.")
    wanted = Change(
        roles=None if asked.roles is None else frozenset(asked.roles),
        scope=None if asked.scope is None else _scope(asked.scope),
        disabled=asked.disabled, subject=asked.subject, new_password=asked.new_password,
    )  # fmt: skip
    with _hand(request, who) as hand:
        made = hand.change(name, wanted, check=lambda etag: check_match(request, etag))
    return _answered(request, response, made)


@router.get(
    "/{name}/keys",
    summary="The keys of an account",
    responses={
        200: {"description": "Its keys.", "content": {"application/json": {"example": KEYS}}},
        **refusals(NotFound, RequestRefused, Unexpected),
    },
)
def keys(request: Request, name: NameInPath, who: Sees) -> KeysOut:
    """Without their secrets, which nobody has but their owner; without access tokens, which end in an hour."""
    with _hand(request, who) as hand:
        found = hand.keys(name)
    return KeysOut(keys=[KeyOut(**one.__dict__) for one in found])


@router.post(
    "/{name}/keys",
    status_code=201,
    summary="Give a system a key",
    responses={
        201: {
            "description": "The key, shown this once; Location is its address.",
            "content": {"application/json": {"example": KEY_MADE}},
        },
        **refusals(NotJson, TooLarge, NotFound, RequestRefused, Unexpected),
    },
)
def give(request: Request, response: Response, name: NameInPath, asked: KeyRequest, who: Changes) -> KeyMade:
    """A system may have several, so that one can be exchanged while the other still holds.

    A secret is not shown twice, so no Idempotency-Key is taken: if an answer was lost, end that key and take another.
    """
    with _hand(request, who) as hand:
        key = hand.new_key(name, kind=asked.kind, label=asked.label, until=asked.expires_at)
    response.headers["Location"] = f"/v1/accounts/{name.lower()}/keys/{key.id}"
    return KeyMade(id=key.id, kind=asked.kind, secret=key.secret if asked.kind == "client" else key.text)


@router.delete(
    "/{name}/keys/{key_id}",
    status_code=204,
    summary="End a key",
    responses={204: {"description": "It holds no more."}, **refusals(NotFound, RequestRefused, Unexpected)},
)
def end(
    request: Request, name: NameInPath, key_id: Annotated[str, Path(max_length=64, examples=["0f9c1b2a3d4e5f60"])],
    who: Changes,
) -> None:  # fmt: skip
    """And with an OAuth2 client the tokens that it fetched: here at once, elsewhere within two seconds."""
    with _hand(request, who) as hand:
        hand.revoke(name, key_id)
    parts_of(request).gate.forget()


@contextmanager
def _hand(request: Request, who: Who) -> Iterator[Accounts]:
    with parts_of(request).shelf.store() as store:
        now = dt.datetime.now(tz=dt.UTC)
        yield Accounts(database=store.database, who=who, request_id=request.state.request_id, at=now)


def _answered(request: Request, response: Response, made: Made) -> AccountOut:
    parts_of(request).gate.forget()
    response.headers["ETag"] = made.account.etag
    return _told(made.account, made.one_time)


def _scope(asked: ScopeIn) -> Scope:
    if asked.everywhere and (asked.regions or asked.areas):
        raise RequestRefused("scope: everywhere, and regions or areas beside it; leave out one of them.")
    return Scope(asked.everywhere, frozenset(asked.regions), frozenset(asked.areas))


def _told(of: Account, one_time: str | None = None) -> AccountOut:
    return AccountOut(
        name=of.name, kind=of.kind, roles=sorted(of.roles), everywhere=of.scope.everywhere,
        regions=sorted(of.scope.regions), areas=sorted(of.scope.areas), linked=of.subject is not None,
        has_password=of.has_password, must_change=of.must_change, disabled=of.disabled, locked_until=of.locked_until,
        created_at=of.created_at, changed_at=of.changed_at, etag=of.etag, one_time_password=one_time,
    )  # fmt: skip
