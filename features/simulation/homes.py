"""Households: what they have, where they fetch water, and how the registers come to know of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from features.simulation.calendar import FIRST, LAST
from features.simulation.chance import Random, happens, logistic, picked, step, unknown
from features.simulation.identifiers import numbers
from features.simulation.places import Desa
from features.simulation.sheets import Columns

TARGET_SHARE = 0.575
"""Families with a child under five or a pregnancy at some time in the four years."""
WEALTH_SPREAD = 1.06
"""Standard deviation of wealth over the kabupaten, desa included."""

POOR_WATER = {"unprotected_well": 0.4, "unprotected_spring": 0.3, "surface": 0.12, "rain": 0.18}
FAIR_WATER = {"protected_well": 0.35, "protected_spring": 0.2, "borehole": 0.35, "public_tap": 0.1}
GOOD_WATER = {"piped": 0.35, "packaged": 0.4, "borehole": 0.25}
POOR_TOILET = {"none": 0.3, "hanging": 0.15, "pit_open": 0.3, "flush_open": 0.25}
FAIR_TOILET = {"flush_pit": 0.45, "pit_slab": 0.35, "pit_ventilated": 0.2}
GOOD_TOILET = {"flush_septic": 0.95, "flush_sewer": 0.05}
WATER_LIMITS = {"poor": -1.45, "fair": 0.2}
TOILET_LIMITS = {"poor": -1.3, "fair": -0.8}

OWNED = {
    # share among households of middle wealth, and log-odds per SD of wealth [M]
    "electricity": (0.99, 0.8),
    "radio": (0.2, 0.1),
    "tv": (0.85, 0.9),
    "fridge": (0.65, 1.4),
    "bicycle": (0.3, 0.1),
    "motorcycle": (0.85, 1.0),
    "car": (0.07, 1.5),
    "phone": (0.02, 0.8),
}
AID = {
    # share of each decile that receives it: some poor are left out, some who are not poor are in [M]
    "pkh": (0.55, 0.42, 0.3, 0.18, 0.09, 0.05, 0.03, 0.02, 0.01, 0.0),
    "bpnt": (0.68, 0.56, 0.42, 0.27, 0.13, 0.07, 0.04, 0.02, 0.01, 0.0),
    "pbi": (0.8, 0.74, 0.66, 0.55, 0.42, 0.3, 0.2, 0.12, 0.07, 0.03),
    "blt_dd": (0.22, 0.15, 0.1, 0.06, 0.03, 0.02, 0.01, 0.01, 0.0, 0.0),
}


@dataclass(frozen=True)
class Homes:
    """The households of one part of a desa, one entry each.

    Parameters
    ----------
    wealth
        Latent; standardised over the kabupaten but for what the desa adds.
    target
        Whether the family has a child under five or a pregnancy in the four years.
    luck
        What its children share beyond all that is recorded. [standard normal]
    """

    desa: Desa
    identifier: np.ndarray
    wealth: np.ndarray
    target: np.ndarray
    luck: np.ndarray
    posyandu: np.ndarray
    adults: np.ndarray
    poor_water: np.ndarray
    poor_toilet: np.ndarray
    water: np.ndarray
    toilet: np.ndarray

    def __len__(self) -> int:
        return len(self.identifier)


@dataclass(frozen=True)
class Dated:
    """Records of households: which household, and on which day it became known."""

    who: np.ndarray
    on: np.ndarray

    def __len__(self) -> int:
        return len(self.who)


def live(random: Random, desa: Desa, *, count: int, part: int) -> Homes:
    """Draw the households of one part."""
    wealth = desa.wealth + random.normal(size=count)
    water = 0.6 * wealth - 0.25 * desa.remoteness + random.normal(scale=0.8, size=count)
    toilet = 0.7 * wealth + 0.2 * desa.urban + random.normal(scale=0.7, size=count)
    target = happens(random, TARGET_SHARE, size=count)
    issued = random.integers(FIRST - 6000, FIRST - 100, size=count)
    return Homes(
        desa=desa,
        identifier=numbers(issued, woman=np.zeros(count, dtype=bool), desa=desa.number, part=part),
        wealth=wealth,
        target=target,
        luck=random.normal(size=count),
        posyandu=random.integers(0, len(desa.posyandu.opens), size=count),
        adults=1 + np.maximum(target, random.poisson(1.4, size=count)).clip(0, 6),
        poor_water=water < WATER_LIMITS["poor"],
        poor_toilet=toilet < TOILET_LIMITS["poor"],
        water=_of_three(random, step(water, WATER_LIMITS, above="good"), (POOR_WATER, FAIR_WATER, GOOD_WATER)),
        toilet=_of_three(random, step(toilet, TOILET_LIMITS, above="good"), (POOR_TOILET, FAIR_TOILET, GOOD_TOILET)),
    )


def _of_three(random: Random, grade: np.ndarray, shares: tuple[dict[str, float], ...]) -> np.ndarray:
    poor, fair, good = (picked(random, words, size=len(grade)) for words in shares)
    return np.select([grade == "poor", grade == "fair"], [poor, fair], good)


def recorded(random: Random, homes: Homes) -> Dated:
    """One to three records of each household: all in early 2022, most again later."""
    count = len(homes)
    first = FIRST + random.integers(2, 45, size=count)
    second = first + random.integers(420, 880, size=count)
    third = second + random.integers(150, 500, size=count)
    again, thrice = happens(random, 0.8, size=count), happens(random, 0.45, size=count)
    keep = np.stack([np.ones(count, dtype=bool), again & (second <= LAST), again & thrice & (third <= LAST)], axis=1)
    who, which = np.nonzero(keep)
    return Dated(who, np.stack([first, second, third], axis=1)[who, which])


def household(random: Random, homes: Homes, records: Dated, *, young: np.ndarray, children: np.ndarray) -> Columns:
    """The register of households and poverty.

    A household above the lower deciles is often left out of the poverty survey: it has no decile, aid or assets then.

    Parameters
    ----------
    young, children
        Children under five, and all children, who live there on the day of each record.
    """
    who, count = records.who, len(records)
    wealth = homes.wealth[who] + random.normal(scale=0.3, size=count)
    decile = _decile(wealth + random.normal(scale=0.45, size=count))
    unseen = happens(random, logistic(-4.2 + 1.3 * homes.wealth))[who]
    women = np.maximum(homes.target[who], random.poisson(0.9, size=count)).clip(0, homes.adults[who] - 1)
    return {
        "household_id": homes.identifier[who],
        "recorded_on": records.on,
        "area_id": np.full(count, homes.desa.area.code),
        "member_count": homes.adults[who] + children,
        "under5_count": young,
        "women_15_49_count": women,
        "head_sex": np.where(happens(random, 0.12, size=count), "f", "m"),
        "head_age_years": np.where(homes.target[who], random.normal(38, 9, count), random.normal(54, 12, count))
        .round()
        .clip(19, 95),
        "desil": unknown(decile, unseen | happens(random, 0.04, size=count)),
        **{name: unknown(words, unseen) for name, words in _dwelling(random, wealth, homes).items()},
        **{f"has_{name}": unknown(has, unseen) for name, has in _owned(random, wealth).items()},
        **{
            f"aid_{name}": unknown(happens(random, np.array(shares)[_decile(wealth) - 1]), unseen)
            for name, shares in AID.items()
        },
    }


def _decile(wealth: np.ndarray) -> np.ndarray:
    return np.floor(10 * ndtr(wealth / WEALTH_SPREAD)).astype(int).clip(0, 9) + 1


def _owned(random: Random, wealth: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: happens(random, logistic(np.log(share / (1 - share)) + slope * wealth))
        for name, (share, slope) in OWNED.items()
    }


def _dwelling(random: Random, wealth: np.ndarray, homes: Homes) -> dict[str, np.ndarray]:
    count = len(wealth)
    seen = [wealth + random.normal(scale=0.6, size=count) for _ in range(4)]
    fuel = step(seen[3] - 0.3 * homes.desa.remoteness, {"wood": -1.1, "gas": 2.3}, above="electricity")
    return {
        "floor": step(seen[0], {"earth": -2.2, "rough": -1.4, "cement": -0.2}, above="finished"),
        "wall": step(seen[1], {"natural": -2.0, "rough": -0.9}, above="finished"),
        "roof": step(seen[2], {"natural": -2.6, "rough": -2.1}, above="finished"),
        "cooking_fuel": fuel,
    }


def inspected(random: Random, homes: Homes) -> Dated:
    """Records of sanitation: of most households in 2022, of half of those again in 2024."""
    count = len(homes)
    known = happens(random, logistic(2.1 - 0.3 * homes.wealth - 0.3 * homes.desa.remoteness))
    first = FIRST + random.integers(9, 75, size=count)
    second = first + random.integers(700, 1000, size=count)
    keep = np.stack([known, known & happens(random, 0.55, size=count)], axis=1)
    who, which = np.nonzero(keep)
    return Dated(who, np.stack([first, second], axis=1)[who, which])


def sanitation(random: Random, homes: Homes, records: Dated) -> Columns:
    """The register of water, toilet and hygiene, as STBM inspects them."""
    who, count = records.who, len(records)
    wealth = homes.wealth[who]
    at_home = np.isin(homes.water[who], ["piped", "packaged", "borehole"]) & happens(random, 0.93, size=count)
    minutes = np.round(random.gamma(2.0, 7.0 + 2.0 * max(homes.desa.remoteness, 0.0), size=count))
    toilet = homes.toilet[who]
    return {
        "household_id": homes.identifier[who],
        "recorded_on": records.on,
        "water_source": homes.water[who],
        "water_minutes": np.where(at_home, 0, minutes.clip(1, 240)),
        "toilet": toilet,
        "toilet_shared": unknown(happens(random, logistic(-2.0 - 0.6 * wealth)), toilet == "none"),
        "handwashing_soap": happens(random, logistic(1.1 + 0.8 * wealth)),
        "water_treated": unknown(happens(random, logistic(1.3 + 0.3 * wealth)), happens(random, 0.05, size=count)),
        "open_defecation_free": np.full(count, homes.desa.open_defecation_free),
    }
