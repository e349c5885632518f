"""Where registers fall short, for whoever may look there: whom they miss, how old they are, how well was measured."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.contracts import TOGETHER
from serving.district import POOR, VERDICTS, WORDS
from targeting.facts import KEY_OF

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from serving.access.scope import Scope
    from serving.district import District
    from serving.landscape import Landscape

MOST_TEAMS: Final = 12
MOST_PLACES: Final = 12


@dataclass(frozen=True, kw_only=True)
class Covered:
    """How far the registers reach in a place; see `targeting.coverage_gap.by_area`.

    Parameters
    ----------
    name
        None where the place is not known, or it is all of them.
    share
        `listed` over `implied`; None where nothing is implied, or there is no register of children. [0-1]
    low
        Of an area: its share is below the limit of params.yaml. Of several: some area's is.
    """

    name: str | None
    households: int
    implied: int
    listed: int | None
    share: float | None
    unregistered: int
    low: bool


@dataclass(frozen=True, kw_only=True)
class Team:
    """How a posyandu measured, over the last year; a word is one of `VERDICTS`.

    Parameters
    ----------
    name, place
        None where not known.
    heights
        Measured. [heights]
    digit_score
        0 where all last digits are as frequent, 100 where there is one only.
    spread_sd
        Of height-for-age, without what is implausible; None of fewer than two. [SD]
    flagged
        Share beyond 6 SD. [0-1]
    """

    name: str | None
    place: str | None
    heights: int
    digit_score: float | None
    spread_sd: float | None
    flagged: float | None
    digits: str
    spread: str
    implausible: str


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A register: `rows`, when the newest was recorded, and how many scored households lack it; None: not asked."""

    name: str
    title: str
    rows: int
    newest_on: dt.date | None
    without: int | None


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Of what somebody sees.

    Parameters
    ----------
    on
        The day of the newest fact.
    measured, stunted
        Children under five with a height-for-age of the last year, and those of them below -2 SD by the newest one.
    teams
        Those to look at first, at most `MOST_TEAMS`.
    verdicts
        How many posyandu have each.
    households, stale
        That were scored, and those of them without a fact of the last year.
    places
        Of `covered`, the lowest share first, at most `MOST_PLACES`.
    """

    on: dt.date
    measured: int
    stunted: int
    covered: Covered
    places: tuple[Covered, ...]
    low_areas: int
    notes: tuple[tuple[str, str], ...]
    teams: tuple[Team, ...]
    verdicts: dict[str, int]
    registers: tuple[Fresh, ...]
    households: int
    stale: int

    @property
    def prevalence(self) -> float | None:
        """Share of the measured who are stunted; None where nobody was measured. [0-1]"""
        return self.stunted / self.measured if self.measured else None

    @property
    def stale_share(self) -> float | None:
        """`stale` over `households`. [0-1]"""
        return self.stale / self.households if self.households else None


def gaps(found: District, landscape: Landscape, *, scope: Scope, region: str | None) -> Gaps:
    """What the registers lack where somebody may look, or in one region of it."""

    def within(rows: pd.DataFrame) -> pd.DataFrame:
        seen = rows[scope.mask(rows)]
        return seen if region is None else seen[seen.region_id == region]

    coverage, measured, teams = within(found.coverage), within(found.measured), within(found.teams)
    facts, named = within(landscape.facts_by_area), landscape.areas.set_index("area_id").area_name
    poor = teams[teams.verdict == POOR].assign(times=lambda rows: (rows[list(WORDS)] == POOR).sum(axis=1))
    poor = poor.sort_values(["times", "height_score", "posyandu_id"], ascending=[False, False, True])
    counts = teams.verdict.value_counts()
    places = _places(coverage, by="region_name" if region is None else "area_name")
    return Gaps(
        on=found.on,
        measured=int(measured.children.sum()),
        stunted=int(measured.stunted.sum()),
        covered=_covered(coverage, None),
        places=tuple(places[:MOST_PLACES]),
        low_areas=int(coverage.low.sum()),
        notes=found.notes,
        teams=tuple(_team(row, named) for row in poor.head(MOST_TEAMS).to_dict("records")),
        verdicts={word: int(counts.get(word, 0)) for word in VERDICTS},
        registers=_registers(within(found.registers), facts),
        households=int(facts.households.sum()),
        stale=int(facts.stale.sum()),
    )


def _places(coverage: pd.DataFrame, *, by: str) -> list[Covered]:
    key = by.replace("name", "id")
    # A register of areas may give codes alone.
    named = coverage.assign(called=coverage[by].fillna(coverage[key]))
    made = [_covered(rows, rows.called.iloc[0]) for _, rows in named.groupby(key, dropna=False)]
    return sorted(made, key=lambda one: (one.share is None, one.share or 0.0, -one.unregistered, one.name or ""))


def _covered(rows: pd.DataFrame, name: Any) -> Covered:
    implied, listed = int(rows.children_implied.sum()), rows.children_listed.sum(min_count=1)
    told = None if pd.isna(listed) else int(listed)
    return Covered(
        name=None if pd.isna(name) else str(name), households=int(rows.households.sum()), implied=implied, listed=told,
        share=told / implied if told is not None and implied else None,
        unregistered=int(rows.households_unregistered.sum()), low=bool(rows.low.any()),
    )  # fmt: skip


def _team(row: Mapping[Hashable, Any], named: pd.Series) -> Team:
    said = {word: str(row[word]) for word in WORDS}
    return Team(
        name=_text(row["posyandu_id"]), place=_text(named.get(row["area_id"])), heights=int(row["height_n"]),
        digit_score=_number(row["height_score"]), spread_sd=_number(row["haz_sd"]), flagged=_number(row["flagged"]),
        **said,
    )  # fmt: skip


def _registers(rows: pd.DataFrame, facts: pd.DataFrame) -> tuple[Fresh, ...]:
    told = rows.groupby("register").agg(rows=("rows", "sum"), newest_on=("newest_on", "max"))
    return tuple(
        Fresh(
            name=name,
            title=register.title,
            rows=int(told.rows.get(name, 0)),
            newest_on=_day(told.newest_on.get(name)),
            without=_without(facts, name),
        )
        for name, register in TOGETHER.items()
        if name != "area"
    )


def _without(facts: pd.DataFrame, register: str) -> int | None:
    if register not in KEY_OF:
        return None
    return int(facts[f"without_{register}"].sum()) if f"without_{register}" in facts else 0


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _day(value: Any) -> dt.date | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date()
