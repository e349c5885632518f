"""A route that will go says so long before, to people in the documentation and to programs in its headers."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.http.headers import Header

LEAST = dt.timedelta(days=365)
"""Between the day that says it and the day that a route may go."""
SAID = "x-tepat-deprecated"


def deprecated(since: dt.date, *, gone_on: dt.date, read: str) -> dict[str, Any]:
    """The words of a route that will go: `@router.get("/old", **deprecated(...))`.

    Its answers, refusals too, then carry `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link` to what to use
    instead; its entry in the OpenAPI document is marked.

    Parameters
    ----------
    since
        Day on which it was declared.
    gone_on
        First day on which it may be gone, at least a year later.
    read
        Address that says what to use instead.

    Raises
    ------
    ValueError
        Less than a year is left to move.

    Examples
    --------
    >>> deprecated(dt.date(2026, 1, 1), gone_on=dt.date(2027, 1, 1), read="/docs")["deprecated"]
    True
    """
    if gone_on - since < LEAST:
        raise ValueError(f"{gone_on - since} between {since} and {gone_on}; at least {LEAST.days} days are allowed.")
    said = {"since": since.isoformat(), "gone_on": gone_on.isoformat(), "read": read}
    return {"deprecated": True, "openapi_extra": {SAID: said}}


def headers_of(route: Any) -> list[Header]:
    """What an answer of this route says of its end; nothing for a route that stays."""
    said = (getattr(route, "openapi_extra", None) or {}).get(SAID)
    if not said:
        return []
    since, gone_on = (_midnight(said[name]) for name in ("since", "gone_on"))
    return [
        (b"deprecation", f"@{int(since.timestamp())}".encode()),
        (b"sunset", format_datetime(gone_on, usegmt=True).encode()),
        (b"link", f'<{said["read"]}>; rel="deprecation"'.encode()),
    ]


def _midnight(day: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), tzinfo=dt.UTC)
