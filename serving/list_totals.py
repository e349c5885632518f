"""What the lines of a list come to, as somebody sees them: by place, band and service; counted once for each scope."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from serving.bands import BANDS
from serving.browsing import BETWEEN
from serving.sight import on_the_list
from serving.tables import worklist_line
from serving.unchanging import Kept
from targeting.services import menu

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving.access.who import Who
    from serving.database import Database
    from serving.listing import Line, StoredList

LINES = worklist_line.c
BANDED: Final = tuple(
    sa.func.sum(sa.case((sa.and_(LINES.risk >= band.low, LINES.risk < band.high), 1), else_=0)) for band in BANDS
)
SPARE: Final = 1e-9
"""Below this a difference of risks is floating-point noise; see `targeting.worklist.RISK_DECIMALS`."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An area with lines on the list; `area_id` is None of households whose area is not known."""

    region_id: str | None
    area_id: str | None
    area_name: str | None
    lines: int


@dataclass(frozen=True, kw_only=True)
class Named:
    """A service of the menu in both languages; one that the menu no longer has is called by its code."""

    code: str
    name_id: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What somebody's lines come to.

    Parameters
    ----------
    lines
        [households]
    expected
        Sum of `expected_stunted`, on a plan of `value`. [children]
    places
        By region and area.
    bands
        Lines by the name of the band.
    unmet
        Households that lack a service, by its code, the most frequent first; empty on a list by risk alone.
    cuts
        Risk of the last one chosen, by track; those of a plan chosen for their value. None where it is not told, as it
        may be another region's; empty where everybody is on the list, and nobody is at its end.
    """

    lines: int
    expected: float
    places: tuple[Place, ...]
    bands: Mapping[str, int]
    unmet: Mapping[str, int]
    cuts: Mapping[str | None, float] | None


_TOTALS: Kept[Totals] = Kept(most=200)


def totals(database: Database, found: StoredList, *, who: Who) -> Totals:
    """The totals of a list as somebody sees it; may raise `StoreRefused`."""

    def make() -> Totals:
        with database.reading() as connection:
            return _counted(connection, found, who=who)

    return _TOTALS.get((found.id, who.scope), make)


def at_the_boundary(line: Line, cuts: Mapping[str | None, float] | None) -> bool | None:
    """Whether the interval of a line holds the risk of the last one chosen; None where that cannot be said."""
    if cuts is None or line.risk_low is None or line.risk_high is None:
        return None
    cut = cuts.get(line.track)
    return cut is not None and line.risk_low <= cut + SPARE and cut <= line.risk_high + SPARE


@cache
def services() -> dict[str, Named]:
    """The menu by code."""
    return {one.code: Named(code=one.code, name_id=one.name_id, name_en=one.name_en) for one in menu()}


def named(codes: str | None) -> tuple[Named, ...]:
    """The services of a line's cell, in its order."""
    known = services()
    return tuple(
        known.get(code, Named(code=code, name_id=code, name_en=code)) for code in (codes or "").split(BETWEEN) if code
    )


def _counted(connection: sa.Connection, found: StoredList, *, who: Who) -> Totals:
    seen = on_the_list(found, who)
    children = sa.func.coalesce(LINES.value, LINES.expected_stunted)
    lines, expected, *bands = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(children), *BANDED).where(seen)
    ).one()
    return Totals(
        lines=lines,
        expected=float(expected or 0.0),
        places=tuple(_places(connection, seen)),
        bands={band.name: int(count or 0) for band, count in zip(BANDS, bands, strict=True)},
        unmet=_unmet(connection, seen),
        cuts=_cuts(connection, found),
    )


def _places(connection: sa.Connection, seen: sa.ColumnElement[bool]) -> Iterable[Place]:
    # As expressions: SQLite would group columns by an index in their order, and read all lines for the rest.
    region, area = (sa.func.coalesce(column, "") for column in (LINES.region_id, LINES.area_id))
    grouped = sa.select(region, area, sa.func.count(), sa.func.min(LINES.rank)).where(seen).group_by(region, area)
    rows = sorted(tuple(row) for row in connection.execute(grouped))
    first = [rank for *_, rank in rows]
    of_it = sa.select(LINES.rank, LINES.area_name).where(seen, LINES.rank.in_(first))
    names: dict[int, str | None] = {row.rank: row.area_name for row in connection.execute(of_it)}
    for region_id, area_id, lines, rank in rows:
        yield Place(region_id=region_id or None, area_id=area_id or None, area_name=names[rank], lines=lines)


def _unmet(connection: sa.Connection, seen: sa.ColumnElement[bool]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for codes, count in connection.execute(sa.select(LINES.unmet, sa.func.count()).where(seen).group_by(LINES.unmet)):
        for code in (codes or "").split(BETWEEN):
            counts[code] += count
    del counts[""]
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _cuts(connection: sa.Connection, found: StoredList) -> dict[str | None, float] | None:
    if not found.whole or found.eligible is None:
        return None
    if not 0 < found.row_count < found.eligible:
        return {}
    if found.policy_stamp is None:
        return _last(connection, found, track=None)
    tracks = ("prevent", "find") if found.objective == "by_age" else (found.objective,)
    return {name: risk for track in tracks for name, risk in _last(connection, found, track=track).items()}


def _last(connection: sa.Connection, found: StoredList, *, track: str | None) -> dict[str | None, float]:
    """The risk of the last line, of a plan that of the last one of a track that is there for its own value."""
    asked: sa.Select[Any] = sa.select(LINES.risk).where(LINES.worklist_id == found.id)
    if track is not None:
        asked = asked.where(LINES.track == track, LINES.chosen_for == "value")
    risk = connection.scalar(asked.order_by(LINES.rank.desc()).limit(1))
    return {} if risk is None else {track: float(risk)}
