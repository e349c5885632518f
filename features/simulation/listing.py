"""The register of children: when each was written down, and with what."""

from __future__ import annotations

import numpy as np

from features.simulation.calendar import FIRST, LAST, UNDER_FIVE_DAYS
from features.simulation.chance import Random, happens, unknown
from features.simulation.families import Births, Mothers
from features.simulation.homes import Dated, Homes
from features.simulation.sheets import Columns

AGAIN = 0.65
"""Share of households whose children are written down again in a year."""
OPENED = FIRST + 31
"""The register of children opens when households are in theirs."""
SCHOOL_GROUPS = np.array(["none", "primary", "primary", "secondary", "secondary", "higher"])
YEARS = 4


def registered(random: Random, births: Births) -> np.ndarray:
    """The day on which each child is first written down; 0 for one who never is: too old, or not born by then."""
    opened = OPENED + random.integers(0, 60, size=len(births))
    soon = np.minimum(births.born + random.integers(3, 60, size=len(births)), LAST)
    on = np.maximum(np.maximum(soon, births.born), opened)
    return np.where((births.born <= LAST) & (on - births.written <= UNDER_FIVE_DAYS), on, 0)


def children_recorded(random: Random, homes: Homes, births: Births, *, first: np.ndarray) -> Dated:
    """A record at registration, and a new one about a year after another if the household is visited that year."""
    visited = happens(random, np.full((len(homes), YEARS), AGAIN))
    shift = random.integers(-30, 31, size=(len(births), YEARS))
    years = 365 * np.arange(1, YEARS + 1)
    days = np.concatenate([first[:, None], first[:, None] + years + shift], axis=1)
    calendar_year = ((days[:, 1:] - FIRST) // 366).clip(0, YEARS - 1)
    again = visited[births.home[:, None], calendar_year]
    keep = np.concatenate([np.ones((len(births), 1), dtype=bool), again], axis=1) & (first > 0)[:, None]
    keep &= (days <= LAST) & (days - births.written[:, None] <= UNDER_FIVE_DAYS)
    who, which = np.nonzero(keep)
    return Dated(who, days[who, which])


def child(random: Random, homes: Homes, mothers: Mothers, births: Births, records: Dated) -> Columns:
    """The register of children; the mother is linked where mother-and-child health knows her."""
    who = records.who
    mother = births.mother[who]
    told = unknown(SCHOOL_GROUPS[mothers.schooling[births.mother]], happens(random, 0.15, size=len(births)))
    return {
        "child_id": births.identifier[who],
        "household_id": homes.identifier[births.home[who]],
        "recorded_on": records.on,
        "mother_id": np.where(mothers.listed[mother], mothers.identifier[mother], -1),
        "birth_date": births.written[who],
        "birth_date_precision": np.where(births.written == births.born, "day", "month")[who],
        "sex": np.where(births.girl, "f", "m")[who],
        "birth_order": births.order[who],
        "preceding_interval_months": births.interval_months[who],
        "mother_education": told[who],
    }
