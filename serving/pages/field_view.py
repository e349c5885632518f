"""How a list on a phone is narrowed: to whom its households are given, and to where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from serving.assignments import NOBODY, mark_of
from serving.pages.list_view import View, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.access.who import Who
    from serving.listing import StoredList
    from serving.pages.language import Language

NARROWED_BY: Final = ("region", "area", "assigned")


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """A look at a list on a phone.

    Parameters
    ----------
    teams
        As `Assignments.teams`; None where the reader may not see who visits.
    reader
        Name of their account.
    """

    view: View
    teams: Mapping[str, int] | None
    reader: str

    @property
    def own(self) -> int:
        """How many of the households are given to the reader; where there are any, an address is of these."""
        return (self.teams or {}).get(self.reader, 0)

    @property
    def theirs(self) -> bool:
        """Whether it shows those that are given to the reader."""
        return self.view.wanted.assigned_to == self.reader

    @property
    def choices(self) -> list[tuple[str, str, int]]:
        """Whom a list may be narrowed to: what stands in the address, the name, and how many are theirs."""
        return [(mark_of(self.view.list_id, name), name, count) for name, count in (self.teams or {}).items()]

    def query(self, *, after: str | None = None) -> str:
        """The same narrowing as the end of an address, with the mark before it; empty where that says nothing."""
        asked = {name: value for name, value in self.view.sought if name in NARROWED_BY}
        if self.own and self.theirs:
            del asked["assigned"]
        elif self.own:
            asked.setdefault("assigned", "")
        return _end(asked if after is None else asked | {"after": after})

    @property
    def everything(self) -> str:
        """The end of the address of the whole list."""
        return _end({"assigned": ""} if self.own else {})

    @property
    def here(self) -> str:
        """The end of the address of this very page."""
        return self.query(after=self.view.after)

    def told(self, said: Language, *, places: Mapping[str, str]) -> list[str]:
        """What the list is narrowed to, in words; empty where it is whole.

        Parameters
        ----------
        places
            Names of regions and areas, by identifier.
        """
        wanted = self.view.wanted
        at = [places.get(one, one) for one in (wanted.region, wanted.area) if one is not None]
        if wanted.assigned_to is None:
            return at
        if wanted.assigned_to == NOBODY:
            return [said("belum ada petugas"), *at]
        known = wanted.assigned_to in (self.teams or ())  # else it is a mark of whom nothing is given to any more
        return [said("petugas: %(name)s", name=wanted.assigned_to if known else said("tidak ada lagi")), *at]


def narrowed(params: QueryParams, found: StoredList, *, who: Who, teams: Mapping[str, int] | None) -> Narrowed:
    """The narrowing of an address; one that names nobody is of the reader's own households, where there are any.

    Parameters
    ----------
    teams
        As `Assignments.teams`; None where the reader may not see who visits.

    Raises
    ------
    RequestRefused
        A part of it is too long.
    """
    asked = _of(params)
    if who.name in (teams or ()):
        asked.setdefault("assigned", mark_of(found.id, who.name))
    return Narrowed(view=view_of(QueryParams(asked), found, teams=teams), teams=teams, reader=who.name)


def way_back(asked: str) -> str:
    """The end of the list's address from that of one of its households, or from what a form carried along."""
    return _end(_of(QueryParams(asked)))


def _of(params: QueryParams) -> dict[str, str]:
    return {name: value for name, value in params.items() if name in (*NARROWED_BY, "after")}


def _end(asked: Mapping[str, str]) -> str:
    return f"?{urlencode(asked)}" if asked else ""
