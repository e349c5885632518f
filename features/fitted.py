"""Lookup tables: what one household's own facts cannot say.

`area_history` is learned from outcomes, so from training rows only, and is stored with the model.
`area_totals` holds no outcome: it is made from the registers as known on each date, test period included.
"""

from __future__ import annotations

import pandas as pd

STUNTED_BELOW = -2.0  # WHO 2006, on the value rounded to two decimals
PLAUSIBLE = 6.0  # WHO 2006: |HAZ| above 6 is flagged


def area_history(outcomes: pd.DataFrame, *, prior_children: float) -> pd.DataFrame:
    """Past prevalence of stunting by region and area, as known from the first day of each later year.

    A round is a calendar year: only outcomes that were known before `known_from` count. An area's few
    children are drawn towards their region, a region's towards all, by `prior_children`.

    Parameters
    ----------
    outcomes
        One row per labelled training child: `area_id`, `region_id`, `outcome_known_on`, `stunted` (0/1).

    Returns
    -------
    level ('region' or 'area'), place_id, known_from, prevalence [share], children.
    """
    columns = ["level", "place_id", "known_from", "prevalence", "children"]
    years = sorted(outcomes.outcome_known_on.dt.year.unique())
    tables = [_known_from(outcomes, year + 1, prior_children) for year in years]
    if not tables:
        kinds = ("string", "string", "datetime64[us]", "float64", "int64")
        return pd.DataFrame({c: pd.Series(dtype=kind) for c, kind in zip(columns, kinds, strict=True)})
    return pd.concat(tables, ignore_index=True)[columns]


def _known_from(outcomes: pd.DataFrame, year: int, prior: float) -> pd.DataFrame:
    past = outcomes[outcomes.outcome_known_on < pd.Timestamp(year=year, month=1, day=1)]
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


def area_totals(facts: pd.DataFrame, *, at: pd.DataFrame, items: tuple[str, ...]) -> pd.DataFrame:
    """Sum and number of households by area, over each household's newest facts known by a date.

    Parameters
    ----------
    facts
        One row per household and `recorded_on`: `area_id`, `household_id` and the items (null: not known).
    at
        The `area_id` and `as_of` pairs to answer for.

    Returns
    -------
    area_id, as_of, and `<item>_total`, `<item>_households` for each item; 0 households when none is known.
    """
    pairs = at.dropna(subset=["area_id"]).drop_duplicates(["area_id", "as_of"]).sort_values(["as_of", "area_id"])
    running = running_totals(facts, items=items)
    found = pd.merge_asof(pairs, running, left_on="as_of", right_on="recorded_on", by="area_id")
    found = found.drop(columns="recorded_on").sort_values(["area_id", "as_of"], ignore_index=True)
    return found.fillna(dict.fromkeys(found.columns.drop(["area_id", "as_of"]), 0.0))


def running_totals(facts: pd.DataFrame, *, items: tuple[str, ...]) -> pd.DataFrame:
    """Totals by area after each day on which something was recorded, ordered by `recorded_on` and `area_id`."""
    facts = facts.dropna(subset=["area_id"]).sort_values(["household_id", "recorded_on"])
    counted = pd.concat([facts[["area_id", "recorded_on", "household_id"]], _counted(facts, items)], axis=1)
    amounts = [f"{item}_{part}" for part in ("total", "households") for item in items]
    # A newer record takes the place of the household's former one, in whichever area that was.
    former = counted.groupby("household_id")[["area_id", *amounts]].shift()
    left = former.assign(recorded_on=counted.recorded_on).dropna(subset=["area_id"])
    left[amounts] = -left[amounts]
    both = pd.concat([counted.drop(columns="household_id"), left])
    by_day = both.groupby(["area_id", "recorded_on"])[amounts].sum()
    return by_day.groupby(level="area_id").cumsum().reset_index().sort_values(["recorded_on", "area_id"])


def _counted(facts: pd.DataFrame, items: tuple[str, ...]) -> pd.DataFrame:
    values = facts[list(items)].astype("float64")
    return pd.concat(
        [values.fillna(0.0).add_suffix("_total"), values.notna().astype("float64").add_suffix("_households")], axis=1
    )
