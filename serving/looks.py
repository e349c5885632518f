"""What routes tell the trail: whom they showed and did not find; and the masked names of those that they show."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from serving.errors import NotFound, NothingScored
from serving.household_page import in_scope
from serving.masked_names import NOBODY
from serving.parts import parts_of
from serving.trail.entry import MOST_HOUSEHOLDS
from serving.trail.noting import entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fastapi import Request

    from serving.access.roles import Act
    from serving.access.who import Who
    from serving.masked_names import Masks

OF_A_LIST = re.compile(r"[0-9a-f]{32}")
"""An identifier as the store gives it; other text may be anybody's name, and is not repeated."""


def masked_for(request: Request, who: Who) -> Masks:
    """The masked names of households that lie where somebody may look now; of one that moved away none is told."""
    parts = parts_of(request)
    found = parts.names.now()
    if not found or who.scope.everywhere:
        return found
    try:
        scores = parts.published.scores()
    except NothingScored:
        return NOBODY
    return replace(found, within=lambda household_id: in_scope(scores, household_id, who=who))


def note_shown(
    request: Request,
    who: Who,
    act: Act,
    *,
    list_id: str | None = None,
    households: Iterable[str | None] = (),
    **about: Any,
) -> None:
    """Return once the trail holds whom the answer will show; null stands for a household that is not known."""
    shown = list(dict.fromkeys(one for one in households if one is not None))
    parts = [tuple(shown[start : start + MOST_HOUSEHOLDS]) for start in range(0, len(shown) or 1, MOST_HOUSEHOLDS)]
    lines = [entry_of(request, who, act, list_id=list_id, households=some, about=about) for some in parts]
    parts_of(request).trail.note(*lines)


@contextmanager
def refusals_noted(
    request: Request,
    who: Who,
    act: Act,
    *,
    list_id: str | None = None,
    known: Callable[[], bool] | None = None,
    household_id: str | None = None,
) -> Iterator[None]:
    """Tell the trail, too, what was looked for and not found.

    Parameters
    ----------
    known
        Whether there is such a household for anybody: the trail repeats no other text that was taken for one.
    """
    try:
        yield
    except NotFound as refusal:
        theirs = list_id if list_id is not None and OF_A_LIST.fullmatch(list_id) else None
        homes = (household_id,) if household_id is not None and known is not None and known() else ()
        line = entry_of(request, who, act, outcome=refusal.type, list_id=theirs, households=homes)
        parts_of(request).trail.note(line)
        raise
