"""How the lines of the trail are bound to each other.

A line's hash is the SHA-256 of a JSON array: its number, the texts of `Words` in their order, and the hash of the line
before; written in ASCII, without blanks, null for what is missing. Anybody can make it again with any program.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from serving.trail.entry import MOST_HOUSEHOLDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serving.trail.entry import Entry

FIRST_PREVIOUS = "0" * 64
"""What stands in the place of a hash before the first line."""


class Words(NamedTuple):
    """What a line says, each in the very text in which it is kept and hashed; the names are the table's columns."""

    at: str
    who: str
    via: str
    act: str
    outcome: str
    why: str | None
    request_id: str
    list_id: str | None
    about: str
    households: str


@dataclass(frozen=True)
class Head:
    """The last line: its number, 0 where there is none, and its hash."""

    number: int
    hash: str


def words_of(entries: Sequence[Entry]) -> list[Words]:
    """The lines that entries become: one each, several for more households than a line may name.

    Raises
    ------
    TypeError, ValueError
        `about` holds what JSON cannot say, or `at` has no time zone.
    """
    return [line for entry in entries for line in _lines(entry)]


def digest(number: int, words: Sequence[str | None], previous: str) -> str:
    """The hash of a line.

    Examples
    --------
    >>> digest(1, ("2026-01-01T00:00:00.000000+00:00", "dewi"), FIRST_PREVIOUS)[:8]
    '6276a704'
    """
    return hashlib.sha256(_json([number, *words, previous]).encode("ascii")).hexdigest()


def moment(at: dt.datetime) -> str:
    """A moment in UTC, in a text of one length, so that the order of texts is that of time.

    Raises
    ------
    ValueError
        It has no time zone.
    """
    if at.utcoffset() is None:
        raise ValueError(f"at is {at}, without a time zone; give it one, such as UTC.")
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def marked(words: Words, **more: Any) -> Words:
    """The same line with more in `about`."""
    return words._replace(about=_json(json.loads(words.about) | more))


def _lines(entry: Entry) -> Iterator[Words]:
    households = list(dict.fromkeys(map(storable, entry.households)))
    for start in range(0, len(households) or 1, MOST_HOUSEHOLDS):
        yield Words(
            at=moment(entry.at),
            who=storable(entry.who),
            via=storable(entry.via),
            act=storable(entry.act),
            outcome=storable(entry.outcome),
            why=None if entry.why is None else storable(entry.why),
            request_id=storable(entry.request_id),
            list_id=None if entry.list_id is None else storable(entry.list_id),
            about=_json(entry.about),
            households=_json(households[start : start + MOST_HOUSEHOLDS]),
        )


def storable(text: str) -> str:
    """A text that every store keeps as it is: PostgreSQL takes no NUL, and none takes half a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _json(said: Any) -> str:
    return json.dumps(said, separators=(",", ":"), allow_nan=False)
