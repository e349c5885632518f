"""Who is champion, since when and in whose place: kept with each version in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from training import registry
from training.registry import RegistryRefused

if TYPE_CHECKING:
    import datetime as dt

    from training.registry import Registered

SET_ASIDE: Final = "set_aside"
BEFORE, SINCE, BECAUSE = "champion_before", "champion_since", "champion_because"


def crown(
    where: Registered, *, instead_of: Registered | None, seen: Registered | None, because: str, on: dt.datetime
) -> None:
    """Point `champion` at the version, and leave on it when, why and in whose place; None leaves the last as it was.

    The alias moves last: a run that is cut before leaves the old champion.

    Raises
    ------
    RegistryRefused
        The champion is no longer the one that was `seen`.
    """
    if registry.standing(where.name) != seen:
        raise RegistryRefused(
            f"The champion of {where.name!r} was changed meanwhile. Ask the gate again: `tepat promote`."
        )
    said: dict[str, str | None] = {SINCE: on.isoformat(timespec="seconds"), BECAUSE: because}
    if instead_of:
        said[BEFORE] = instead_of.version
    registry.mark(where, said)
    registry.point(where)


def set_aside(where: Registered, *, because: str | None) -> None:
    """Leave on a version why the pipeline may not bring it back; None lifts that."""
    registry.mark(where, {SET_ASIDE: because})


def passed_a_gate(where: Registered) -> bool:
    """Whether it became champion by `crown`, and not by an alias that somebody set."""
    return SINCE in registry.marks_of(where)


def why_set_aside(where: Registered) -> str | None:
    """Why the pipeline may not bring it back; None when it may."""
    return registry.marks_of(where).get(SET_ASIDE)


def champion_before(where: Registered) -> Registered | None:
    """The champion before this one that nobody has set aside; None when there is none."""
    seen = {where.version}
    version = registry.marks_of(where).get(BEFORE)
    while version is not None and version not in seen:
        found = registry.at(where.name, version)
        if why_set_aside(found) is None:
            return found
        seen.add(version)
        version = registry.marks_of(found).get(BEFORE)
    return None
