"""Lookup tables learned from outcomes: what was known of an area before a round."""

from __future__ import annotations

import pandas as pd

STUNTED_BELOW = -2.0  # WHO 2006, on the value rounded to two decimals
PLAUSIBLE = 6.0  # WHO 2006: |HAZ| above 6 is flagged


def area_history(outcomes: pd.DataFrame, *, prior_children: float) -> pd.DataFrame:
    """Past prevalence of stunting by region and area, as known from the first day of each later year.

    A round is a calendar year: only outcomes of years before `known_from` count. An area's few
    children are drawn towards their region, a region's towards all, by `prior_children`.

    Parameters
    ----------
    outcomes
        One row per labelled training child: `area_id`, `region_id`, `measured_on`, `stunted` (0/1).

    Returns
    -------
    level ('region' or 'area'), place_id, known_from, prevalence [share], children.
    """
    columns = ["level", "place_id", "known_from", "prevalence", "children"]
    years = sorted(outcomes.measured_on.dt.year.unique())
    tables = [_known_from(outcomes, year + 1, prior_children) for year in years]
    if not tables:
        return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})
    return pd.concat(tables, ignore_index=True)[columns]


def _known_from(outcomes: pd.DataFrame, year: int, prior: float) -> pd.DataFrame:
    past = outcomes[outcomes.measured_on.dt.year < year]
    overall = float(past.stunted.mean())
    region = _shrunk(past, "region_id", pd.Series(overall, index=past.index), prior)
    parent = past.region_id.map(region.set_index("place_id").prevalence)
    area = _shrunk(past, "area_id", parent, prior)
    both = pd.concat([region.assign(level="region"), area.assign(level="area")], ignore_index=True)
    return both.assign(known_from=pd.Timestamp(year=year, month=1, day=1))


def _shrunk(past: pd.DataFrame, place: str, parent: pd.Series, prior: float) -> pd.DataFrame:
    grouped = past.assign(parent=parent).groupby(place)
    children = grouped.stunted.size()
    rate = (grouped.stunted.sum() + prior * grouped.parent.first()) / (children + prior)
    return pd.DataFrame(
        {"place_id": rate.index, "prevalence": rate.round(6).to_numpy(), "children": children.to_numpy()}
    )
