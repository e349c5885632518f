"""Shapes of the trail."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from serving.access.roles import Act
from serving.trail.reading import LAST_NUMBER

DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", re.ASCII)


def _moment(value: Any) -> Any:
    """Else seconds since 1970 would be taken, too."""
    if isinstance(value, str) and not DATED.match(value):
        raise PydanticCustomError("moment", "not a moment, YYYY-MM-DDThh:mm:ssZ")
    return value


class TrailQuery(BaseModel):
    """Which lines of the trail."""

    who: str | None = Field(None, max_length=100, description="Only of this account.")
    act: Act | None = Field(None, description="Only this act.")
    list_id: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="Only about this list.")
    since: Annotated[AwareDatetime, BeforeValidator(_moment)] | None = Field(
        None, description="Only from this moment on; with its time zone."
    )
    before: int | None = Field(None, ge=1, le=LAST_NUMBER, description="Lines before this number.")
    limit: int = Field(50, ge=1, le=100, description="Most lines on a page.")


class TrailOfHouseholdLine(BaseModel):
    """Somebody saw or changed the household, or tried to."""

    number: int | None = Field(
        ge=1,
        description="Place in the whole trail; null unless you may look everywhere: it would tell how much others do.",
        examples=[4711],
    )
    at: dt.datetime = Field(description="When, with its time zone.", examples=["2026-03-02T02:15:04.120000Z"])
    who: str = Field(description="Name of the account; `command:` and a user's name at the machine itself.")
    via: str = Field(description="By what they showed who they are: `session`, or `key:` or `token:` and its name.")
    act: str = Field(description="What was done, such as `household.see`.", examples=["household.see"])
    outcome: str = Field(description="`done`, or the type of the refusal.", examples=["done"])
    why: str | None = Field(description="The purpose that was given; null when none was.")
    request_id: str = Field(description="The request's, by which the service's log names it, too.")
    list_id: str | None = Field(description="The list that it was about; null when about none.")


class TrailLine(TrailOfHouseholdLine):
    """Somebody saw or changed something, or tried to."""

    number: int = Field(ge=1, description="Place in the trail.", examples=[4711])
    about: dict[str, Any] = Field(description="More about it. `spooled`: it waited beside the store until then.")
    households: list[str] = Field(max_length=1000, description="Those that were seen or changed.")
    hash: str = Field(pattern="^[0-9a-f]{64}$", description="Of this line and all before it; SHA-256, in hexadecimal.")


class TrailOfHousehold(BaseModel):
    """Who saw or changed a household, newest first."""

    lines: list[TrailOfHouseholdLine]
    next_before: int | None = Field(
        description="`before` of the next page, and of no other use; null at the end.", examples=[4711]
    )


class TrailPage(BaseModel):
    """Lines of the trail, newest first."""

    lines: list[TrailLine]
    next_before: int | None = Field(description="`before` of the next page; null at the end.", examples=[4711])
