"""What the scores come to in each region and area."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from serving.access.scope import Scope

PLACE = ["region_id", "area_id"]
COUNTS = ["households", "children", "pregnancies", "urgent"]


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What some scores come to.

    Parameters
    ----------
    households, children, pregnancies
        That were scored.
    expected_stunted_now
        Sum of `risk_now` of the children. [children]
    expected_stunted_24m
        Sum of `risk_at_24m` of pregnancies and of children under 24 months. [children]
    urgent
        Children and women to refer at once.
    freshest_on, stalest_on
        Of the newest and the oldest fact behind the scores; None where nothing was scored.
    """

    households: int
    children: int
    pregnancies: int
    expected_stunted_now: float
    expected_stunted_24m: float
    urgent: int
    freshest_on: dt.date | None
    stalest_on: dt.date | None


@dataclass(frozen=True, kw_only=True)
class Area:
    """A desa; `area_id` is None of households whose area is not known."""

    area_id: str | None
    area_name: str | None
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Region:
    """A kecamatan, as far as somebody may look; `region_id` is None of households whose region is not known."""

    region_id: str | None
    region_name: str | None
    totals: Totals
    areas: tuple[Area, ...]


@dataclass(frozen=True)
class Seen:
    """What somebody sees of the district."""

    totals: Totals
    regions: tuple[Region, ...]


def by_area(units: pd.DataFrame, facts: pd.DataFrame, *, urgent: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """One row an area that the register or the scores know: `region_id`, `area_id`, names, and the fields of `Totals`.

    Parameters
    ----------
    units, facts, urgent
        Of the scores; `facts` by household.
    known
        The register of areas.
    """
    homes = units.groupby("household_id", sort=False)[PLACE].first().join(facts[["freshest_on", "stalest_on"]])
    totals = pd.concat(
        [
            homes.groupby(PLACE, dropna=False).agg(
                households=("freshest_on", "size"), freshest_on=("freshest_on", "max"), stalest_on=("stalest_on", "min")
            ),
            units.assign(is_child=units.unit_kind == "child", is_pregnancy=units.unit_kind == "pregnancy")
            .groupby(PLACE, dropna=False)
            .agg(
                children=("is_child", "sum"), pregnancies=("is_pregnancy", "sum"),
                expected_stunted_now=("risk_now", "sum"), expected_stunted_24m=("risk_at_24m", "sum"),
            ),
            urgent.groupby(PLACE, dropna=False).size().rename("urgent"),
        ],
        axis=1,
    ).reset_index()  # fmt: skip
    names = known[["area_id", "area_name", "region_id", "region_name"]]
    found = totals.merge(names, on=PLACE, how="outer")
    return found.assign(**{name: found[name].fillna(0).astype("int64") for name in COUNTS}).fillna(
        {"expected_stunted_now": 0.0, "expected_stunted_24m": 0.0}
    )


def seen_by(areas: pd.DataFrame, scope: Scope) -> Seen:
    """The regions in a scope, each with its areas in it, by identifier; nothing else is counted."""
    seen = areas[scope.mask(areas)].sort_values(PLACE, na_position="last")
    return Seen(_totals(seen), tuple(_region(rows) for _, rows in seen.groupby("region_id", dropna=False)))


def _region(rows: pd.DataFrame) -> Region:
    areas = tuple(_area(row) for _, row in rows.iterrows())
    return Region(
        region_id=_text(rows.region_id.iloc[0]), region_name=_text(rows.region_name.iloc[0]), totals=_totals(rows),
        areas=areas,
    )  # fmt: skip


def _area(row: pd.Series) -> Area:
    return Area(area_id=_text(row.area_id), area_name=_text(row.area_name), totals=_totals(row.to_frame().T))


def _totals(rows: pd.DataFrame) -> Totals:
    return Totals(
        households=int(rows.households.sum()),
        children=int(rows.children.sum()),
        pregnancies=int(rows.pregnancies.sum()),
        urgent=int(rows.urgent.sum()),
        expected_stunted_now=round(float(rows.expected_stunted_now.sum()), 6),
        expected_stunted_24m=round(float(rows.expected_stunted_24m.sum()), 6),
        freshest_on=_day(pd.to_datetime(rows.freshest_on).max()),
        stalest_on=_day(pd.to_datetime(rows.stalest_on).min()),
    )


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _day(value: Any) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()
