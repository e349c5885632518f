"""From a request to a line of the trail."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import TYPE_CHECKING, Any

from serving.errors import RequestRefused
from serving.numbers import holds_number
from serving.trail.entry import Entry

if TYPE_CHECKING:
    from fastapi import Request

    from serving.access.roles import Act
    from serving.access.who import Who

MOST_PURPOSE = 200
"""Characters of the header X-Purpose."""
CONTROL = "Cc"


def entry_of(request: Request, who: Who, act: Act, **more: Any) -> Entry:
    """A line about this request; `more` are further fields of `Entry`, of which `at` and `why` need not be given.

    A `why` that is given stands instead of the header's.

    Raises
    ------
    RequestRefused
        Its X-Purpose does not hold.
    """
    if "why" not in more:
        more["why"] = purpose_of(request)
    said = {"at": dt.datetime.now(tz=dt.UTC), **more}
    return Entry(who=who.name, via=who.via, act=act.value, request_id=request.state.request_id, **said)


def purpose_of(request: Request) -> str | None:
    """What the request is for, as its header X-Purpose says; None where it does not.

    Raises
    ------
    RequestRefused
        It is too long, or holds a number of 16 digits or a control character; it is not repeated.
    """
    given = request.headers.get("x-purpose")
    if given is None:
        return None
    purpose = unicodedata.normalize("NFC", _as_sent(given)).strip()
    if len(purpose) > MOST_PURPOSE:
        raise RequestRefused(f"X-Purpose has {len(purpose):,} characters; at most {MOST_PURPOSE} are kept. Shorten it.")
    if holds_number(purpose):
        raise RequestRefused("X-Purpose holds a number of 16 digits, such as a NIK or a No KK. Leave it out.")
    if any(unicodedata.category(one) == CONTROL for one in purpose):
        raise RequestRefused("X-Purpose holds a control character. Send one line of words.")
    return purpose or None


def _as_sent(header: str) -> str:
    """Headers come as Latin-1; who writes UTF-8 into one means UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
