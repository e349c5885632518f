"""Mothers, and the births that make a household a target family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.simulation.calendar import DAYS_PER_MONTH, DAYS_PER_YEAR, LAST, UNDER_FIVE_DAYS, day, month_start, parts
from features.simulation.chance import Random, happens, logistic
from features.simulation.homes import Homes
from features.simulation.identifiers import numbers

BIRTHS_FROM = day("2022-02-01") - UNDER_FIVE_DAYS
"""Who was born before was five when the registers began."""
BIRTHS_TO = LAST + 230
"""Pregnancies of the last months of 2025 are born by then."""
MORE_BIRTHS = (0.42, 0.12)
"""Share of mothers with a second, and of those with a third birth, if time is left for it."""
SCHOOLING = ("none", "primary_incomplete", "primary", "secondary_incomplete", "secondary", "higher")
SCHOOL_LIMITS = (-2.3, -1.6, -0.5, 0.25, 1.25)
SCHOOL_YEARS = np.array([0, 4, 6, 9, 12, 16])
HEIGHT_CM, HEIGHT_SPREAD_CM = 151.5, 5.3
BIRTH_WEIGHT_G, BIRTH_WEIGHT_SPREAD_G = 3090.0, 410.0
SHORT_INTERVAL_MONTHS = 24


@dataclass(frozen=True)
class Mothers:
    """One entry per target family.

    Parameters
    ----------
    home
        Place of her household among those of the part.
    older
        Children born before those of `Births`, alive.
    listed
        Whether mother-and-child health knows her; poor and remote mothers often are not known.
    """

    home: np.ndarray
    identifier: np.ndarray
    born: np.ndarray
    height_cm: np.ndarray
    bmi: np.ndarray
    haemoglobin: np.ndarray
    schooling: np.ndarray
    smokes: np.ndarray
    older: np.ndarray
    listed: np.ndarray

    def __len__(self) -> int:
        return len(self.home)


@dataclass(frozen=True)
class Births:
    """Births and pregnancies, by mother and then by date.

    Parameters
    ----------
    born
        Day of birth, also of a pregnancy that ends after the registers.
    written
        Day of birth as the registers have it: of some children only the month is known.
    order
        Place among the mother's children, from 1.
    interval_months
        Since her previous birth; NaN for a first.
    weight_g
        True weight at birth.
    """

    mother: np.ndarray
    home: np.ndarray
    identifier: np.ndarray
    born: np.ndarray
    written: np.ndarray
    girl: np.ndarray
    order: np.ndarray
    interval_months: np.ndarray
    weight_g: np.ndarray
    at_home: np.ndarray

    def __len__(self) -> int:
        return len(self.born)


@dataclass(frozen=True)
class _Timeline:
    """Births of each mother: the day and months since the one before (NaN: first of all), by (mother, turn)."""

    mother: np.ndarray
    turn: np.ndarray
    born: np.ndarray
    interval_months: np.ndarray


def families(random: Random, homes: Homes, *, part: int) -> tuple[Mothers, Births]:
    """Draw the mothers of the target families and their births."""
    home = np.flatnonzero(homes.target)
    first = random.integers(BIRTHS_FROM, BIRTHS_TO + 1, size=len(home))
    age = random.normal(26.5 + 0.5 * homes.wealth[home], 5.6).clip(16, 43)
    older = np.floor((age - 17) / 5.5 * random.random(len(home)) * 1.6).astype(int).clip(0, 8)
    born = first - np.round(age * DAYS_PER_YEAR).astype(int)
    mothers = _mothers(random, homes, home, born=born, older=older, part=part)
    return mothers, _births(random, homes, mothers, _timeline(random, first, older), part=part)


def _mothers(
    random: Random, homes: Homes, home: np.ndarray, *, born: np.ndarray, older: np.ndarray, part: int
) -> Mothers:
    wealth, count = homes.wealth[home], len(home)
    school = np.searchsorted(SCHOOL_LIMITS, 0.6 * wealth + random.normal(scale=0.85, size=count))
    return Mothers(
        home=home,
        identifier=numbers(born, woman=np.ones(count, dtype=bool), desa=homes.desa.number, part=part),
        born=born,
        height_cm=np.round(random.normal(HEIGHT_CM + 0.7 * wealth, HEIGHT_SPREAD_CM).clip(133, 178), 1),
        bmi=random.normal(23.4 + 0.4 * wealth, 3.6).clip(15.5, 42),
        haemoglobin=random.normal(12.0 + 0.15 * wealth, 1.2).clip(6.5, 16),
        schooling=school,
        smokes=happens(random, logistic(-3.8 - 0.4 * wealth)),
        older=older,
        listed=happens(random, logistic(2.6 + 0.5 * wealth - 0.5 * homes.desa.remoteness)),
    )


def _timeline(random: Random, first: np.ndarray, older: np.ndarray) -> _Timeline:
    """Two more births after the first of some mothers, each at least 11 months after the one before."""
    gaps = np.exp(random.normal(np.log(38), 0.45, size=(len(first), 3))).clip(11, 150)
    days = first[:, None] + np.cumsum(np.where([[False, True, True]], np.round(gaps * DAYS_PER_MONTH), 0), axis=1)
    second = happens(random, MORE_BIRTHS[0], size=len(first))
    third = second & happens(random, MORE_BIRTHS[1], size=len(first))
    kept = np.stack([np.ones(len(first), dtype=bool), second, third], axis=1) & (days <= BIRTHS_TO)
    mother, turn = np.nonzero(kept)
    interval = np.where((turn == 0) & (older[mother] == 0), np.nan, np.round(gaps[mother, turn]))
    return _Timeline(mother, turn, days[mother, turn].astype(int), interval)


def _births(random: Random, homes: Homes, mothers: Mothers, line: _Timeline, *, part: int) -> Births:
    mother, count = line.mother, len(line.mother)
    home = mothers.home[mother]
    girl = happens(random, 0.488, size=count)
    written = _written(random, line.born)
    order = mothers.older[mother] + line.turn + 1
    return Births(
        mother=mother,
        home=home,
        identifier=numbers(written, woman=girl, desa=homes.desa.number, part=part),
        born=line.born,
        written=written,
        girl=girl,
        order=order,
        interval_months=line.interval_months,
        weight_g=_weight(random, mothers, mother, wealth=homes.wealth[home], first=order == 1),
        at_home=happens(random, logistic(-2.4 - 0.9 * homes.wealth[home] + 0.7 * homes.desa.remoteness)),
    )


def _written(random: Random, born: np.ndarray) -> np.ndarray:
    """The first of the month, or the 15th, where the day is not known; never after the true day."""
    _, _, in_month = parts(born)
    rounded = month_start(born) + np.where(in_month >= 15, 14, 0)  # noqa: PLR2004 (the 15th)
    return np.where(happens(random, 0.06, size=len(born)), rounded, born)


def _weight(
    random: Random, mothers: Mothers, mother: np.ndarray, *, wealth: np.ndarray, first: np.ndarray
) -> np.ndarray:
    tall = (mothers.height_cm[mother] - HEIGHT_CM) / HEIGHT_SPREAD_CM
    mean = BIRTH_WEIGHT_G + 60 * tall + 40 * wealth - 80 * first - 150 * mothers.smokes[mother]
    return random.normal(mean, BIRTH_WEIGHT_SPREAD_G).clip(900, 5200)


def _per_home(births: Births, homes: Homes) -> tuple[np.ndarray, np.ndarray]:
    """Days of birth by household and turn (never: beyond all days), and children older than those by household."""
    days = np.full((len(homes), 3), np.iinfo(np.int32).max, dtype=np.int64)
    place = np.arange(len(births)) - np.searchsorted(births.mother, births.mother, side="left")
    days[births.home, place] = births.born
    older = np.zeros(len(homes), dtype=int)
    older[births.home] = births.order - 1 - place
    return days, older


def at_home_on(births: Births, homes: Homes, *, who: np.ndarray, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Children under five, and all children, of households `who` on the days `on`."""
    days, older = _per_home(births, homes)
    age = on[:, None] - days[who]
    return ((age >= 0) & (age <= UNDER_FIVE_DAYS)).sum(axis=1), older[who] + (age >= 0).sum(axis=1)
