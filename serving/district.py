"""How far the registers reach in each area, how fresh they are, and how well was measured; pure, over their rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from features.contracts import TOGETHER
from features.fitted import PLAUSIBLE, STUNTED_BELOW
from features.views import OLDEST_DAYS
from serving.regions import PLACE
from targeting.coverage_gap import by_area, notes
from training.heaping import TOO_FEW, Limits, quality

if TYPE_CHECKING:
    from collections.abc import Mapping

YEAR_DAYS: Final = 365
"""Back from the newest fact: measurements of that time are judged, and a household without a fact in it is stale."""
WORDS: Final = ("digits", "spread", "implausible")
TEAM: Final = ["posyandu_id", "height_n", "height_score", "haz_sd", "flagged", *WORDS]
POOR: Final = "poor"
VERDICTS: Final = (POOR, "fair", "good", TOO_FEW)
"""What a word may be, the worst first."""
BY_PERSON: Final = {"measurement": ("child", "child_id"), "pregnancy": ("maternal", "mother_id")}
"""Registers that name no household, and which one tells where their persons live."""


@dataclass(frozen=True, eq=False)
class District:
    """What the registers tell of each area; every frame has `region_id` and `area_id`, null where not known.

    Parameters
    ----------
    on
        The day of the newest fact: later there is none.
    coverage
        Of `targeting.coverage_gap.by_area`, with `region_name`.
    notes
        What it could not look at, in Indonesian and in English.
    measured
        `children` of the register who are under five on that day and have a height-for-age of the last `YEAR_DAYS`,
        the newest of each counted once, and of them `stunted`. [children]
    teams
        One row a posyandu and the area of the children whom it measured in the last `YEAR_DAYS`: `posyandu_id`, null
        where it is not told, `height_n`, and figures and words of `training.heaping.quality`; of too few, the words
        alone. `verdict` is the worst of them.
    registers
        One row an area and `register`: `rows`, and `newest_on`, when the newest was recorded.
    absent
        Registers without any row.
    """

    on: dt.date
    coverage: pd.DataFrame
    notes: tuple[tuple[str, str], ...]
    measured: pd.DataFrame
    teams: pd.DataFrame
    registers: pd.DataFrame
    absent: tuple[str, ...]


def district(registers: Mapping[str, pd.DataFrame], *, freshest_on: pd.Timestamp, low_below: float) -> District:
    """What accepted registers tell of each area.

    Parameters
    ----------
    freshest_on
        The newest fact behind the scores; a plan is made for that day, or for a newer one of visits and receipts.
    low_below
        A share listed strictly below it is low. [0-1]
    """
    told = [freshest_on, *(registers[name].recorded_on.max() for name in ("contact", "service"))]
    on = max(day for day in told if not pd.isna(day))
    homes = _homes(registers)
    names = registers["area"][["area_id", "region_name"]]
    lately = _lately(_placed("measurement", registers, homes=homes), on)
    return District(
        on=on.date(),
        coverage=by_area(registers, on=on.date(), low_below=low_below).merge(names, on="area_id", how="left"),
        notes=notes(registers, on=on.date()),
        measured=_measured(lately, registers["child"], on),
        teams=_teams(lately),
        registers=_newest(registers, homes=homes),
        absent=tuple(name for name in TOGETHER if registers[name].empty),
    )


def _homes(registers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Where each household lives, as its newest row has it: `region_id` and `area_id` by household_id."""
    rows = registers["household"].sort_values("recorded_on").drop_duplicates("household_id", keep="last")
    regions = registers["area"].set_index("area_id").region_id
    return rows.assign(region_id=rows.area_id.map(regions)).set_index("household_id")[PLACE]


def _placed(name: str, registers: Mapping[str, pd.DataFrame], *, homes: pd.DataFrame) -> pd.DataFrame:
    """The rows of a register, with where their household or person lives."""
    rows = registers[name]
    if name not in BY_PERSON:
        return rows.drop(columns=PLACE, errors="ignore").join(homes, on="household_id")
    told_by, key = BY_PERSON[name]
    persons = registers[told_by].sort_values("recorded_on").drop_duplicates(key, keep="last")
    return rows.join(persons.set_index(key).household_id, on=key).join(homes, on="household_id")


def _lately(measured: pd.DataFrame, on: pd.Timestamp) -> pd.DataFrame:
    return measured[(measured.measured_on <= on) & (measured.measured_on > on - pd.Timedelta(days=YEAR_DAYS))]


def _measured(lately: pd.DataFrame, child: pd.DataFrame, on: pd.Timestamp) -> pd.DataFrame:
    born = child.sort_values("recorded_on").drop_duplicates("child_id", keep="last").set_index("child_id").birth_date
    young = lately.child_id.map(born) >= on - pd.Timedelta(days=OLDEST_DAYS)
    known = lately[young & (lately.haz.abs() <= PLAUSIBLE)]
    last = known.sort_values("measured_on").drop_duplicates("child_id", keep="last")
    rows = last.assign(children=1, stunted=(last.haz.round(2) < STUNTED_BELOW).astype(int))
    return rows.groupby(PLACE, dropna=False)[["children", "stunted"]].sum().reset_index()


def _teams(lately: pd.DataFrame) -> pd.DataFrame:
    """A posyandu by area of the children: who may look at one area learns nothing of another's through it."""
    keys = [*PLACE, "posyandu_id"]
    if lately.empty:
        return pd.DataFrame(columns=[*PLACE, *TEAM, "verdict"])
    grouped = lately.groupby(keys, dropna=False, sort=False)
    counted = grouped[["height_cm", "haz"]].count().reset_index()
    # Of few measurements nothing is said, and in a district most posyandu have few: those are not looked at one by one.
    enough = (counted[["height_cm", "haz"]] >= Limits().few).any(axis=1)
    few = counted[~enough].rename(columns={"height_cm": "height_n"}).assign(**dict.fromkeys(WORDS, TOO_FEW))
    team = grouped.ngroup()
    found = quality(lately.assign(team=team)[team.isin(counted.index[enough])], by="team") if enough.any() else None
    judged = [] if found is None else [counted.loc[enough, keys].join(found.set_index("group"))]
    made = pd.concat([few, *judged]).reindex(columns=[*PLACE, *TEAM])
    worst = made[list(WORDS)].replace({word: place for place, word in enumerate(VERDICTS)}).min(axis=1)
    return made.assign(verdict=[VERDICTS[place] for place in worst])


def _newest(registers: Mapping[str, pd.DataFrame], *, homes: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name in [one for one, rows in registers.items() if "recorded_on" in rows and not rows.empty]:
        placed = _placed(name, registers, homes=homes)
        told = placed.groupby(PLACE, dropna=False).recorded_on.agg(rows="size", newest_on="max")
        parts.append(told.reset_index().assign(register=name))
    columns = [*PLACE, "register", "rows", "newest_on"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
