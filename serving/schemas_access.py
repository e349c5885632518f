"""Shapes of requests and responses about accounts, sessions and keys."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StrictBool

from serving.access.roles import Act, Role
from serving.rows import IDENTIFIER
from serving.schemas import Strict

Name = Annotated[str, Field(min_length=1, max_length=64, examples=["siti.planner"])]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1000, examples=["kuda-hijau-naik-perahu"])]
Places = Annotated[list[IDENTIFIER], Field(max_length=10_000)]


def _zoned(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("it needs a time zone, such as 2027-01-31T00:00:00+07:00")
    return moment


Words = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Moment = Annotated[dt.datetime, AfterValidator(_zoned)]


class SignInRequest(Strict):
    """Name and password of a local account."""

    name: Name = Field(description="Of the account; capital letters count as small ones.")
    password: Password


class PasswordRequest(Strict):
    """Another password."""

    old: Password = Field(description="The one that holds now.")
    new: Password = Field(description="12 to 1,000 characters, neither the account's name nor a repetition.")


class SessionOut(BaseModel):
    """Who asks, as the service knows them."""

    name: str = Field(description="Of the account; `this-machine` where nobody is asked.", examples=["siti.planner"])
    kind: Literal["person", "system", "open", "command"] = Field(description="`open`: nobody was asked who they are.")
    roles: list[Role]
    may: list[Act] = Field(description="What the roles allow.")
    everywhere: bool = Field(description="Whether every region may be seen.")
    regions: list[str] = Field(description="Regions (kecamatan) that may be seen, with all their areas.")
    areas: list[str] = Field(description="Areas (desa) of other regions that may be seen.")
    must_change: bool = Field(description="The password is a one-time one: only the session routes answer until then.")
    csrf_token: str | None = Field(
        description="What `X-CSRF-Token` must hold beside the cookie; null where there is no session."
    )


class TokenOut(BaseModel):
    """An access token, as OAuth2 clients expect it."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="For how long it holds. [s]", examples=[3600])


class TokenRefused(BaseModel):
    """A refusal as RFC 6749, section 5.2, has it, and so not as the other routes refuse."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type"]
    error_description: str


class ScopeIn(Strict):
    """Where an account may look: everywhere, or in some regions and areas."""

    everywhere: StrictBool = False
    regions: Places = Field(
        default=[], description="Regions (kecamatan), with all their areas.", examples=[["99.01.01"]]
    )
    areas: Places = Field(default=[], description="Areas (desa) of other regions.", examples=[["99.01.02.1001"]])


class AccountRequest(Strict):
    """An account to make."""

    name: Name = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$",
        description="2 to 64 of a-z, 0-9, dot, hyphen, underline and @; capital letters become small ones; no NIK.",
    )
    kind: Literal["person", "system"] = "person"
    roles: list[Role] = Field(min_length=1, max_length=len(Role))
    scope: ScopeIn
    subject: Words | None = Field(
        None,
        max_length=500,
        description="Issuer and subject of the identity provider, parted by `|`: instead of a password. Null: none.",
    )


class AccountChange(Strict):
    """What is to become of an account; what is left out, or null, stays."""

    roles: list[Role] | None = Field(None, min_length=1, max_length=len(Role))
    scope: ScopeIn | None = None
    disabled: StrictBool | None = None
    subject: Words | None = Field(
        None, max_length=500, description="As `issuer|subject`; an empty one unlinks it, null leaves it."
    )
    new_password: StrictBool = Field(default=False, description="Give it a one-time password, which unlocks it, too.")


class AccountOut(BaseModel):
    """An account; nothing secret is in it but a one-time password, once."""

    name: str
    kind: Literal["person", "system"]
    roles: list[Role]
    everywhere: bool
    regions: list[str]
    areas: list[str]
    linked: bool = Field(description="Whether it signs in by the identity provider.")
    has_password: bool
    must_change: bool = Field(description="The password is a one-time one.")
    disabled: bool
    locked_until: dt.datetime | None = Field(description="Null when no password was wrong too often.")
    created_at: dt.datetime
    changed_at: dt.datetime
    etag: str = Field(description="What If-Match must hold to change it.")
    one_time_password: str | None = Field(None, description="Shown this once, else null; it must be changed at first.")


class AccountsPage(BaseModel):
    """Some accounts."""

    accounts: list[AccountOut]
    next_after: str | None = Field(description="What to put in `after` for the next page; null on the last.")


class KeyRequest(Strict):
    """A key to make."""

    kind: Literal["key", "client"] = Field(
        default="key", description="An API key, or an OAuth2 client that fetches tokens with it."
    )
    label: Words = Field(
        min_length=1, max_length=100, description="What it is for; no person's name.", examples=["SIMPATI"]
    )
    expires_at: Moment | None = Field(None, description="When it ends by itself; null: not before it is revoked.")


class KeyOut(BaseModel):
    """What may be shown of a key."""

    id: str
    kind: Literal["key", "client"]
    label: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None


class KeysOut(BaseModel):
    """The keys of an account, newest first."""

    keys: list[KeyOut]


class KeyMade(BaseModel):
    """A new key, shown this once."""

    id: str = Field(description="As an OAuth2 client: `client_id`.")
    kind: Literal["key", "client"]
    secret: str = Field(
        description="For `Authorization: Bearer`, or as an OAuth2 client: `client_secret`. Only its digest is kept."
    )
