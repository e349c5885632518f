"""What pages of households and of lists are read from, made while a reader still looks at another page."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from serving.errors import Busy, NothingScored
from serving.later import Later
from serving.previewing import homes_for

if TYPE_CHECKING:
    from serving.masked_names import MaskedNames
    from serving.published import Published, Scores

OBJECTIVE = "find"
"""That a new list is made for unless somebody chooses another."""
_BEGUN: WeakKeyDictionary[Scores, Later[None]] = WeakKeyDictionary()


def warm(published: Published, names: MaskedNames) -> None:
    """Begin with it, once for the same scores, and return at once; whoever needs it waits for what is left.

    It takes some seconds and some memory where there are 300,000 households, so a service that only other systems ask
    makes none of it.

    Raises
    ------
    NothingScored
        The pipeline has made none.
    """
    scores = published.scores()
    begun = _BEGUN.get(scores)
    if begun is None:
        begun = _BEGUN.setdefault(scores, Later(lambda: _made(published, names), name="warming"))
    with suppress(Busy, NothingScored):  # of the thread; the next reader begins it again
        begun.within(0.0)


def _made(published: Published, names: MaskedNames) -> None:
    with published.planning() as scores:
        getattr(scores, "rows")  # noqa: B009 (it is made now, and kept)
    homes_for(scores, OBJECTIVE)
    names.now()
