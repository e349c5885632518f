"""How tall each child truly is on any day, and how likely a child of such a home is stunted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from features.growth_tables import PER_CM, by_age, by_size
from features.simulation.calendar import DAYS_PER_MONTH
from features.simulation.chance import Random
from features.simulation.families import (
    BIRTH_WEIGHT_G,
    BIRTH_WEIGHT_SPREAD_G,
    HEIGHT_CM,
    HEIGHT_SPREAD_CM,
    SHORT_INTERVAL_MONTHS,
    Births,
    Mothers,
)
from features.simulation.homes import Homes

STUNTED_BELOW = -2.0
STANDING_FROM_DAY = 731

AGE_MONTHS = (0, 6, 12, 24, 36, 60)
AGE_HAZ = (-0.55, -0.75, -1.15, -1.58, -1.43, -1.25)
"""Mean height for age by age: it falls until 24 months and hardly recovers. [SD]"""
EXPOSED = (0.55, 0.7, 0.85, 1.0, 1.0, 1.0)
"""Share of a home's burden that shows at these ages."""
CENTRE = -0.05
"""What the causes below add up to over the kabupaten, taken off so that `AGE_HAZ` is the mean. [SD]"""
CAUSES = {
    # what one unit of each adds to height for age at 24 months [SD]; in the order of size that Indonesian
    # studies report, set so that the recorded causes tell apart stunted and other children with an AUC near 0.7
    "wealth": 0.18,
    "mother_height": 0.17,
    "schooling": 0.05,
    "birth_weight": 0.18,
    "poor_toilet": -0.14,
    "poor_water": -0.12,
    "short_interval": -0.20,
    "later_birth": -0.07,
    "young_mother": -0.14,
    "smoking": -0.20,
    "altitude": -0.08,
    "anaemia": -0.05,
}
LUCK_SPREAD = 0.30
"""Of what the children of a household share beyond the recorded causes. [SD of HAZ]"""
OWN_SPREAD = 0.915
"""Of what is each child's own. [SD of HAZ]"""
OWN_MONTHS = (0, 24, 60)
OWN_KEPT = 0.75
"""Correlation of a child's own part between these ages."""
THIN_MEAN, THIN_SPREAD, THIN_VISIT = -0.4, 0.9, 0.35
"""Weight for height: over children, and from visit to visit. [SD]"""


@dataclass(frozen=True)
class Growing:
    """What decides each child's growth, one entry per birth.

    Parameters
    ----------
    shared
        Recorded causes, place and household: what two children of the same circumstances have in common. [SD]
    own
        The child's own deviation at `OWN_MONTHS`, three columns. [standard normal]
    thin
        Weight for height but for the visit. [SD]
    """

    sex: np.ndarray
    born: np.ndarray
    shared: np.ndarray
    own: np.ndarray
    thin: np.ndarray


def own_paths(random: Random, children: int) -> np.ndarray:
    """Each child's own deviation at `OWN_MONTHS`, near what it was before: nobody shrinks. [standard normal]"""
    own = random.normal(size=(children, len(OWN_MONTHS)))
    for node in range(1, len(OWN_MONTHS)):
        own[:, node] = OWN_KEPT * own[:, node - 1] + np.sqrt(1 - OWN_KEPT**2) * own[:, node]
    return own


def growing(random: Random, homes: Homes, mothers: Mothers, births: Births) -> Growing:
    """Draw what decides each child's growth."""
    luck = LUCK_SPREAD * homes.luck[births.home]
    return Growing(
        sex=births.girl.astype(int),
        born=births.born,
        shared=causes(homes, mothers, births) - homes.desa.burden + luck,
        own=own_paths(random, len(births)),
        thin=random.normal(THIN_MEAN + 0.08 * homes.wealth[births.home], THIN_SPREAD),
    )


def causes(homes: Homes, mothers: Mothers, births: Births) -> np.ndarray:
    """What the recorded causes add to height for age at 24 months, centred. [SD]"""
    mother, home = births.mother, births.home
    age_years = (births.born - mothers.born[mother]) / 365.25
    present = {
        "wealth": homes.wealth[home],
        "mother_height": (mothers.height_cm[mother] - HEIGHT_CM) / HEIGHT_SPREAD_CM,
        "schooling": mothers.schooling[mother] - 3,
        "birth_weight": (births.weight_g - BIRTH_WEIGHT_G) / BIRTH_WEIGHT_SPREAD_G,
        "poor_toilet": homes.poor_toilet[home],
        "poor_water": homes.poor_water[home],
        "short_interval": births.interval_months < SHORT_INTERVAL_MONTHS,
        "later_birth": births.order >= 4,  # noqa: PLR2004 (the fourth child)
        "young_mother": age_years < 20,  # noqa: PLR2004 (KRS)
        "smoking": mothers.smokes[mother],
        "altitude": np.full(len(births), (homes.desa.altitude_m - 400) / 300),
        "anaemia": mothers.haemoglobin[mother] < 11,  # noqa: PLR2004 (WHO)
    }
    return np.sum([CAUSES[name] * value for name, value in present.items()], axis=0) - CENTRE


def haz(children: Growing, who: np.ndarray, on: np.ndarray) -> np.ndarray:
    """True height for age of children `who` on the days `on`. [SD]"""
    months = (on - children.born[who]) / DAYS_PER_MONTH
    return _expected(children, who, months) + OWN_SPREAD * _own(children, who, months)


def risk(children: Growing, who: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Probability that a child of these circumstances and age is stunted, whatever is the child's own. [0-1]"""
    months = (on - children.born[who]) / DAYS_PER_MONTH
    return ndtr((STUNTED_BELOW - _expected(children, who, months)) / OWN_SPREAD)


def _expected(children: Growing, who: np.ndarray, months: np.ndarray) -> np.ndarray:
    exposed = np.interp(months, AGE_MONTHS, EXPOSED)
    return np.interp(months, AGE_MONTHS, AGE_HAZ) + exposed * children.shared[who]


def _own(children: Growing, who: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The child's own part between the ages at which it was drawn, with the same spread everywhere."""
    later = np.searchsorted(OWN_MONTHS[1:-1], months, side="right") + 1
    nodes = np.array(OWN_MONTHS)
    share = ((months - nodes[later - 1]) / (nodes[later] - nodes[later - 1])).clip(0, 1)
    between = (1 - share) * children.own[who, later - 1] + share * children.own[who, later]
    return between / np.sqrt((1 - share) ** 2 + share**2 + 2 * OWN_KEPT * share * (1 - share))


def size_cm(children: Growing, who: np.ndarray, on: np.ndarray) -> np.ndarray:
    """True length below 731 days, height from then on. [cm]"""
    return size_at(haz(children, who, on), days=on - children.born[who], sex=children.sex[who])


def size_at(z: np.ndarray, *, days: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """The size for age that has this z-score: length below 731 days, else height. [cm]"""
    _, median, spread = by_age("lfa").at(days, sex)
    return median * (1 + spread * z)  # its power is 1


def weight_kg(random: Random, children: Growing, who: np.ndarray, *, on: np.ndarray, size: np.ndarray) -> np.ndarray:
    """True weight on a visit, by length or height. [kg]"""
    z = children.thin[who] + random.normal(scale=THIN_VISIT, size=len(who))
    lying = on - children.born[who] < STANDING_FROM_DAY
    tenths = [np.clip(size, *limits) * PER_CM for limits in ((45.0, 110.0), (65.0, 120.0))]
    found = [by_size(name).at(t, children.sex[who]) for name, t in zip(("wfl", "wfh"), tenths, strict=True)]
    power, median, spread = (np.where(lying, low, high) for low, high in zip(*found, strict=True))
    return median * (1 + power * spread * z.clip(-4.5, 4.5)) ** (1 / power)


def arm_cm(random: Random, children: Growing, who: np.ndarray, *, on: np.ndarray) -> np.ndarray:
    """True mid-upper arm circumference; NaN below 3 months, where WHO has none. [cm]"""
    z = 0.75 * children.thin[who] + random.normal(scale=0.5, size=len(who))
    power, median, spread = by_age("acfa").at(on - children.born[who], children.sex[who])
    return median * (1 + power * spread * z) ** (1 / power)
