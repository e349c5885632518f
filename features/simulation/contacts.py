"""What happens between the programme and a household, and to it: visits, moves, deaths, objections. All shares: [M]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.simulation.calendar import LAST, UNDER_FIVE_DAYS, day
from features.simulation.chance import Random, happens
from features.simulation.homes import Homes
from features.simulation.known import Known, numbered
from features.simulation.sheets import Columns

SINCE = LAST - 547
"""Services and events are written down from this day on: the last eighteen months."""
VISITED_FROM = day("2025-01-01")
VISITED = {True: 0.2235, False: 0.05}
"""Share of households visited in the last year, of target families and of others: together 15%."""
AGAIN = 0.3
NOT_FOUND, MOVED, DIED, OBJECTED = 0.015, 0.01, 0.002, 0.003
SETTLED = 0.5
NEVER = np.iinfo(np.int32).max
NOBODY = -1
"""In place of a person: the household as a whole."""


@dataclass(frozen=True)
class Gone:
    """The day on which each household left the area, and each child died; `NEVER` for who is there."""

    moved: np.ndarray
    died: np.ndarray


@dataclass(frozen=True)
class _Events:
    kind: str
    home: np.ndarray
    person: np.ndarray
    on: np.ndarray


def gone(random: Random, known: Known) -> Gone:
    """Draw who moves and who dies: nobody before the last that was heard of them."""
    births, heard = known.births, known.child_heard()
    homes_heard = known.home_heard()
    moved = _leaving(random, homes_heard, until=np.full(len(homes_heard), LAST), share=MOVED)
    five = np.minimum(births.born + UNDER_FIVE_DAYS, LAST)
    died = _leaving(random, heard, until=five, share=DIED)
    stayed = (heard > 0) & (moved[births.home] == NEVER)
    return Gone(moved, np.where(stayed, died, NEVER))


def _leaving(random: Random, heard: np.ndarray, *, until: np.ndarray, share: float) -> np.ndarray:
    start = np.maximum(heard, SINCE - 1)
    drawn = start + 1 + np.floor(random.random(len(heard)) * (until - start)).astype(np.int64)
    leaves = happens(random, share, size=len(heard)) & (start < until)
    return np.where(leaves, drawn, NEVER)


def contact(random: Random, known: Known, away: Gone, *, part: int) -> Columns:
    """The register of contacts, in the order in which they were written down."""
    homes, births = known.homes, known.births
    drawn = (
        *_visits(random, homes),
        _of_homes("not_found", *_some(random, len(homes), share=NOT_FOUND, since=VISITED_FROM)),
        *_objections(random, len(homes)),
    )
    # nobody is met, and nobody objects, who has left
    events = [_only(one, one.on < away.moved[one.home]) for one in drawn]
    left, lost = np.flatnonzero(away.moved != NEVER), np.flatnonzero(away.died != NEVER)
    events.append(_of_homes("moved", left, away.moved[left]))
    events.append(_Events("deceased", births.home[lost], births.identifier[lost], away.died[lost]))
    on = np.concatenate([one.on for one in events])
    recorded = np.minimum(on + random.integers(0, 15, size=len(on)), LAST)
    order = np.argsort(recorded, kind="stable")
    home, person = (np.concatenate([getattr(one, name) for one in events])[order] for name in ("home", "person"))
    return {
        "contact_id": numbered("contact", known, part=part, count=len(on)),
        "household_id": homes.identifier[home],
        "person_id": person,
        "happened_on": on[order],
        "recorded_on": recorded[order],
        "kind": np.repeat([one.kind for one in events], [len(one.on) for one in events])[order],
    }


def _of_homes(kind: str, home: np.ndarray, on: np.ndarray) -> _Events:
    return _Events(kind, home, np.full(len(home), NOBODY), on)


def _only(events: _Events, kept: np.ndarray) -> _Events:
    return _Events(events.kind, events.home[kept], events.person[kept], events.on[kept])


def _some(random: Random, count: int, *, share: np.ndarray | float, since: int) -> tuple[np.ndarray, np.ndarray]:
    """Households drawn, and a day for each."""
    home = np.flatnonzero(happens(random, np.broadcast_to(share, count)))
    return home, random.integers(since, LAST + 1, size=len(home))


def _visits(random: Random, homes: Homes) -> tuple[_Events, _Events]:
    share = np.where(homes.target, VISITED[True], VISITED[False])
    home, on = _some(random, len(homes), share=share, since=VISITED_FROM)
    again = on + random.integers(60, 181, size=len(home))
    kept = happens(random, AGAIN, size=len(home)) & (again <= LAST)
    return _of_homes("visited", home, on), _of_homes("visited", home[kept], again[kept])


def _objections(random: Random, count: int) -> tuple[_Events, _Events]:
    home, on = _some(random, count, share=OBJECTED, since=SINCE)
    closed = on + random.integers(10, 61, size=len(home))
    settled = happens(random, SETTLED, size=len(home)) & (closed <= LAST)
    return _of_homes("objection_opened", home, on), _of_homes("objection_closed", home[settled], closed[settled])
