"""What a line of the trail says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

MOST_HOUSEHOLDS = 1_000
"""Of one line; what shows more writes several."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who did what, to be written; no NIK, name or birth date of a person who is looked at stands in it.

    Parameters
    ----------
    at
        The moment, with its time zone.
    act
        A name of `serving.access.roles.Act`.
    outcome
        `done`, or the `type` of the refusal.
    why
        The purpose that was given; None when none was.
    list_id
        The worklist that it is about; None when it is about none.
    about
        More about it, as JSON can say it.
    households
        Pseudonyms of the households that were seen or changed, at most `MOST_HOUSEHOLDS`.
    """

    at: dt.datetime
    who: str
    via: str
    act: str
    outcome: str = "done"
    why: str | None = None
    request_id: str
    list_id: str | None = None
    about: dict[str, Any] = field(default_factory=dict)
    households: tuple[str, ...] = ()
