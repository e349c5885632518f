"""What the scores and the registers come to by place, for whoever may look there; made once for each publishing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pandas as pd
import sqlalchemy as sa

from features.build import read_registers
from serving.district import YEAR_DAYS, District, district
from serving.later import Later
from serving.listing import StoredList
from serving.regions import PLACE
from serving.sight import lines_of
from targeting.level import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from features.settings import Settings
    from serving.access.scope import Scope
    from serving.access.who import Who
    from serving.store import Store

SUMS: Final = ["households", "children", "pregnancies", "urgent", "expected_stunted_now", "expected_stunted_24m"]
REACHED: Final = ["visits", "reached_now", "reached_24m"]
MOST_KEPT: Final = 256
"""Answers that are remembered: neither a publishing nor a list changes."""
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A kecamatan, a desa, or all that somebody sees.

    Parameters
    ----------
    id, name
        None where not known.
    expected_now, expected_24m
        Stunted children to expect, as `serving.regions.Totals` has them. [children]
    share
        `expected_now` over `children`; None without children. [0-1]
    visits
        Households of the list; None without a list.
    reached_now, reached_24m
        Stunted children to expect in these households; None without a list. [children]
    reached_share
        `reached_now` over `expected_now`; None without a list, or where nobody is expected. [0-1]
    """

    id: str | None
    name: str | None
    households: int
    children: int
    pregnancies: int
    urgent: int
    expected_now: float
    expected_24m: float
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    visits: int | None
    reached_now: float | None
    reached_24m: float | None

    @property
    def share(self) -> float | None:
        """See above."""
        return self.expected_now / self.children if self.children else None

    @property
    def reached_share(self) -> float | None:
        """See above."""
        return self.reached_now / self.expected_now if self.reached_now is not None and self.expected_now else None

    @property
    def missed_now(self) -> float | None:
        """Stunted children to expect in households that the list does not visit; None without a list. [children]"""
        return None if self.reached_now is None else self.expected_now - self.reached_now

    @property
    def missed_24m(self) -> float | None:
        """The same at 24 months. [children]"""
        return None if self.reached_24m is None else self.expected_24m - self.reached_24m


@dataclass(frozen=True, eq=False)
class Reached:
    """Whom a list reaches, by area: `region_id`, `area_id`, `REACHED` and `gone`.

    Those that are `gone` are households of the list that are not scored any more, or live elsewhere by now; they count
    where they lay when it was made, and in nothing else.
    """

    by_area: pd.DataFrame

    def gone(self, region: str | None) -> int:
        """How many are gone of a region, or of all that somebody sees."""
        theirs = self.by_area if region is None else self.by_area[self.by_area.region_id == region]
        return int(theirs.gone.sum())


@dataclass(frozen=True, kw_only=True)
class Level:
    """Stunted children to expect, by the register and by the survey; those of the survey None where none was set."""

    children: int
    share_register: float
    expected_register: float
    share_survey: float | None
    share_survey_low: float | None
    share_survey_high: float | None
    expected_survey: float | None
    expected_survey_low: float | None
    expected_survey_high: float | None


@dataclass(frozen=True, eq=False)
class Landscape:
    """The places of one publishing.

    Parameters
    ----------
    areas
        Of `serving.regions.by_area`.
    units, facts
        Of the scores, by household_id.
    level
        Of `targeting.level.Levels.regions`, by region_id.
    check
        Raises when the pipeline has replaced the scores.
    """

    settings: Settings
    areas: pd.DataFrame
    units: pd.DataFrame
    facts: pd.DataFrame
    level: pd.DataFrame
    check: Callable[[], None]
    known: dict[tuple[Hashable, ...], tuple[Any]] = field(default_factory=dict)

    @cached_property
    def district(self) -> Later[District]:
        """What the registers tell of each area; some seconds where there are 300,000 households."""
        return Later(self._district, name="district")

    @cached_property
    def homes(self) -> pd.DataFrame:
        """By household: `now` and `then`, the sums of its units' risks, and where it lies."""
        risks = self.units[["risk_now", "risk_at_24m"]].groupby(level=0, sort=False).sum()
        return risks.set_axis(["now", "then"], axis=1).join(self._places_of_homes)

    @property
    def _places_of_homes(self) -> pd.DataFrame:
        return self.units.loc[~self.units.index.duplicated(), PLACE]

    @cached_property
    def facts_by_area(self) -> pd.DataFrame:
        """One row an area: `region_id`, `area_id`, `households`, `stale`, and how many lack each register."""
        since = self.facts.freshest_on.max() - pd.Timedelta(days=YEAR_DAYS)
        # Few households lack others than many do, so the words are read once for all who share them.
        kinds, words = pd.factorize(self.facts.missing_registers)
        lacking = pd.Series(words).str.get_dummies(", ").add_prefix("without_").iloc[kinds].set_index(self.facts.index)
        stale = ~(self.facts.freshest_on > since)
        rows = self._places_of_homes.join(lacking.assign(households=1, stale=stale.astype(int)))
        return rows.groupby(PLACE, dropna=False).sum().reset_index()

    def _district(self) -> District:
        self.check()
        getattr(self, "facts_by_area")  # noqa: B009 (it is made now, and kept)
        registers = read_registers(self.settings.paths.interim)
        self.check()
        low_below = self.settings.plan.coverage_low_below
        return district(registers, freshest_on=self.facts.freshest_on.max(), low_below=low_below)

    def once(self, make: Callable[[], Found], *key: Hashable) -> Found:
        """What was made for this key before, else now."""
        kept = self.known.get(key)
        if kept is None:
            if len(self.known) >= MOST_KEPT:
                self.known.clear()  # it fills again in less time than it takes to tell who asked last
            kept = self.known[key] = (make(),)
        found: Found = kept[0]
        return found

    def reached(self, store: Store, found: StoredList, who: Who) -> Reached:
        """Whom a list reaches where somebody may look."""
        seen_as = None if found.whole else who.scope
        return self.once(lambda: self._reached(store, found, who), "reached", found.id, seen_as)

    def _reached(self, store: Store, found: StoredList, who: Who) -> Reached:
        seen = lines_of(found, who)
        with store.database.reading() as connection:
            rows = connection.execute(sa.select(seen.c.household_id, seen.c.region_id, seen.c.area_id)).all()
        return self._told(pd.DataFrame(rows, columns=["household_id", *PLACE]))

    def _told(self, lines: pd.DataFrame) -> Reached:
        """Of lines of a list: `household_id` and `PLACE`, where they lay when it was made."""
        today = self.homes.rename(columns={name: f"{name}_today" for name in PLACE})
        lines = lines.join(today, on="household_id")
        stays = lines.household_id.isin(self.homes.index)
        for name in PLACE:  # a risk of today is told to those alone who may look where it is
            stays &= lines[name].fillna("") == lines[f"{name}_today"].fillna("")
        counted = lines.assign(visits=stays, now=lines.now.where(stays), then=lines.then.where(stays), gone=~stays)
        told = counted.groupby(PLACE, dropna=False)[["visits", "now", "then", "gone"]].sum().reset_index()
        return Reached(told.set_axis([*PLACE, *REACHED, "gone"], axis=1))

    def places(self, scope: Scope, *, region: str | None, reached: Reached | None) -> tuple[Place, tuple[Place, ...]]:
        """All that somebody sees, of a region or at all, and its parts: the areas of a region, or the regions."""
        return self.once(lambda: self._places(scope, region, reached), "places", scope, region, reached)

    def _places(self, scope: Scope, region: str | None, reached: Reached | None) -> tuple[Place, tuple[Place, ...]]:
        seen = self.areas[scope.mask(self.areas)]
        if reached is not None:
            seen = seen.merge(reached.by_area, on=PLACE, how="left")
        if region is not None:
            seen = seen[seen.region_id == region]
        by = "region" if region is None else "area"
        parts = tuple(_place(rows, of, by=by) for of, rows in _grouped(seen, f"{by}_id"))
        return _place(_summed(seen), None, by=None), parts

    def level_of(self, scope: Scope, *, region: str | None) -> Level | None:
        """On both levels, of one region or all; None where somebody may not look at the whole of it."""
        if region is not None:
            asked = [region] if scope.everywhere or region in scope.regions else []
        elif scope.everywhere:
            asked = [WHOLE]
        else:
            asked = [] if scope.areas else sorted(scope.regions)
        rows = self.level[self.level.index.isin(asked)]
        return None if rows.empty else _level(rows)


def _grouped(seen: pd.DataFrame, by: str) -> list[tuple[str | None, pd.Series]]:
    rows = seen.groupby(by, dropna=False, sort=True)
    sums = rows[[*SUMS, *(name for name in REACHED if name in seen)]].sum()
    days = rows.agg(freshest_on=("freshest_on", "max"), stalest_on=("stalest_on", "min"))
    names = rows[["region_name", "area_name"]].first()
    told = sums.join(days).join(names)
    return [(_text(of), row) for of, row in told.iterrows()]


def _summed(seen: pd.DataFrame) -> pd.Series:
    sums = seen[[*SUMS, *(name for name in REACHED if name in seen)]].sum()
    days = {"freshest_on": seen.freshest_on.max(), "stalest_on": seen.stalest_on.min()}
    return pd.concat([sums.astype(object), pd.Series(days, dtype=object)])


def _place(row: pd.Series, of: str | None, *, by: str | None) -> Place:
    name = None if by is None else row[f"{by}_name"]
    reached = [float(row[one]) for one in REACHED] if REACHED[0] in row else [None] * len(REACHED)
    return Place(
        id=of, name=_text(name), households=int(row.households), children=int(row.children),
        pregnancies=int(row.pregnancies), urgent=int(row.urgent), expected_now=float(row.expected_stunted_now),
        expected_24m=float(row.expected_stunted_24m), freshest_on=_day(row.freshest_on),
        stalest_on=_day(row.stalest_on), visits=None if reached[0] is None else int(reached[0]),
        reached_now=reached[1], reached_24m=reached[2],
    )  # fmt: skip


def _level(rows: pd.DataFrame) -> Level:
    children = int(rows.children.sum())
    told: dict[str, float | None] = {}
    for name in ("register", "survey", "survey_low", "survey_high"):
        expected = rows[f"expected_{name}"].sum(skipna=False)
        told[f"expected_{name}"] = None if pd.isna(expected) else float(expected)
        told[f"share_{name}"] = None if pd.isna(expected) else float(expected) / children
    return Level(children=children, **told)  # type: ignore[arg-type]  # those of the register are never null


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _day(value: Any) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()
