"""The header of a table as handed over: what is wrong with it, and what of it may be repeated in a message.

In a file without its header line somebody's record stands there, so a cell of the header is quoted
only when it looks like a column name; otherwise its position is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from features.errors import InputRefused

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
HEADERLESS = "Is the header line missing? Make the first line the column names, as docs/registers.md lists them."


def spoken(header: Sequence[str], which: Iterable[int], *, mark: str = "") -> str:
    """The columns at these positions (from 0), as a message may name them.

    >>> spoken(["child_id", "3211012345678901", "desil"], [0, 1, 2])
    'child_id, desil, position 2 (its header is not a column name)'
    """
    places = sorted(which)
    names = dict.fromkeys(f"{mark}{header[p]}{mark}" for p in places if NAME.fullmatch(header[p]))
    rest = [str(p + 1) for p in places if not NAME.fullmatch(header[p])]
    several = len(rest) > 1
    words = (
        "positions {} (their headers are not column names)"
        if several
        else "position {} (its header is not a column name)"
    )
    return ", ".join([*names, *([words.format(", ".join(rest))] if rest else [])])


def doubled(header: Sequence[str]) -> list[int]:
    """Positions of the columns that share their name with another; columns without a name share none."""
    counts: dict[str, int] = {}
    for name in header:
        counts[name] = counts.get(name, 0) + 1
    return [p for p, name in enumerate(header) if name and counts[name] > 1]


def refuse_doubled(header: Sequence[str], file: str) -> None:
    """Refuse a file in which a column name stands twice: nobody can say which column is right."""
    places = doubled(header)
    if not places:
        return
    raise InputRefused(
        f"{file} has {repeated(header, places)}", "each column name once", doubled_remedy(header, places)
    )


def repeated(header: Sequence[str], places: Sequence[int]) -> str:
    """Which columns stand twice or more, for a message.

    >>> repeated(["id", "name", "id"], [0, 2])
    "the column 'id' more than once"
    >>> repeated(["c-1", "2024-03-10", "2024-03-10"], [1, 2])
    'the same header more than once: positions 2, 3 (their headers are not column names)'
    """
    listed = spoken(header, places, mark="'")
    named = all(NAME.fullmatch(header[p]) for p in places)
    return f"the column {listed} more than once" if named else f"the same header more than once: {listed}"


def doubled_remedy(header: Sequence[str], places: Sequence[int]) -> str:
    """What to do about columns that stand twice."""
    named = all(NAME.fullmatch(header[p]) for p in places)
    return "Keep the right column and export again." if named else HEADERLESS


def refuse_nameless(places: Sequence[int], file: str) -> None:
    """Refuse columns that hold something but have no name."""
    listed = ", ".join(str(p + 1) for p in places)
    raise InputRefused(
        f"{file} has no column name in position {listed}, but cells with content below it",
        "a name above every column that holds something",
        "Write the column's name in the first line, or empty the column; then export again.",
    )
