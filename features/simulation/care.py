"""Registers of mothers and of pregnancies, as mother-and-child health keeps them."""

from __future__ import annotations

import numpy as np

from features.simulation.calendar import DAYS_PER_MONTH, DAYS_PER_YEAR, FIRST, LAST, PREGNANCY_DAYS
from features.simulation.chance import Random, happens, logistic, picked, step, unknown
from features.simulation.families import SCHOOL_YEARS, SCHOOLING, Births, Mothers
from features.simulation.homes import Dated, Homes
from features.simulation.sheets import Columns

SEEN_FROM_DAYS = 35
"""A pregnancy is known from this day after conception."""
LANGUAGES = {"Sunda": 0.84, "Jawa": 0.1, "Indonesia": 0.06}
SIZES = {"very_small": 2000.0, "small": 2550.0, "average": 3500.0, "large": 4000.0}
CARE_PLACES = {"public_clinic": 0.55, "public_hospital": 0.25, "private": 0.2}
HEAP_G, ROUND_G = 100, 500
HEAPED, ROUND = 0.55, 0.15
"""Shares of birth weights written in whole hundreds, and in whole five hundreds such as 2500 or 3000. [M]"""


def first_visit(random: Random, homes: Homes, births: Births) -> np.ndarray:
    """Month of the first antenatal visit of each pregnancy; 0 where there was none."""
    wealth = homes.wealth[births.home]
    month = 1 + random.poisson(np.exp(0.75 - 0.2 * wealth)).clip(0, 7)
    none = happens(random, logistic(-3.6 - 0.6 * wealth + 0.5 * homes.desa.remoteness))
    return np.where(none, 0, month)


def mothers_recorded(random: Random, mothers: Mothers, births: Births, *, visit: np.ndarray) -> Dated:
    """When each listed mother was written down: in early 2022, in pregnancy, after birth, and again."""
    begun = births.born - PREGNANCY_DAYS
    antenatal = begun + np.maximum(np.round(visit * DAYS_PER_MONTH), SEEN_FROM_DAYS).astype(int)
    after = births.born + random.integers(30, 75, size=len(births))
    later = after + random.integers(330, 800, size=len(births))
    opened = FIRST + random.integers(12, 80, size=len(births))
    days = np.stack([np.where(begun < opened, opened, 0), np.where(visit > 0, antenatal, 0), after, later], axis=1)
    keep = (days >= FIRST) & (days <= LAST) & mothers.listed[births.mother][:, None]
    birth, which = np.nonzero(keep)
    pairs = np.unique(np.stack([births.mother[birth], days[birth, which]], axis=1), axis=0)
    return Dated(pairs[:, 0], pairs[:, 1])


def _births_by_mother(mothers: Mothers, births: Births) -> np.ndarray:
    days = np.full((len(mothers), 3), np.iinfo(np.int32).max, dtype=np.int64)
    place = np.arange(len(births)) - np.searchsorted(births.mother, births.mother, side="left")
    days[births.mother, place] = births.born
    return days


def maternal(random: Random, homes: Homes, mothers: Mothers, births: Births, records: Dated) -> Columns:
    """The register of mothers. Arm and blood are mostly measured in pregnancy."""
    who, count = records.who, len(records)
    home = mothers.home[who]
    since = records.on[:, None] - (_births_by_mother(mothers, births)[who] - PREGNANCY_DAYS)
    pregnant = ((since >= SEEN_FROM_DAYS) & (since < PREGNANCY_DAYS)).any(axis=1)
    months = np.where((since >= 0) & (since < PREGNANCY_DAYS), since / DAYS_PER_MONTH, 0).max(axis=1)
    bmi = mothers.bmi[who] + random.normal(scale=0.5, size=count)
    height = mothers.height_cm[who]
    living = mothers.older[who] + (since >= PREGNANCY_DAYS).sum(axis=1)
    seen = happens(random, np.where(pregnant, 0.85, 0.25))
    return {
        "mother_id": mothers.identifier[who],
        "household_id": homes.identifier[home],
        "recorded_on": records.on,
        "age_years": np.round((records.on - mothers.born[who]) / DAYS_PER_YEAR, 1),
        "height_cm": unknown(height, happens(random, 0.06, size=count)),
        "weight_kg": np.round(bmi * (height / 100) ** 2 + 1.3 * months, 1),
        "muac_cm": unknown(np.round(14.5 + 0.48 * bmi + random.normal(scale=1.0, size=count), 1), ~seen),
        "haemoglobin_g_dl": unknown(_haemoglobin(random, mothers, who, pregnant=pregnant), ~seen),
        "pregnant": pregnant,
        "smokes": unknown(mothers.smokes[who], happens(random, 0.1, size=count)),
        "education": np.array(SCHOOLING)[mothers.schooling[who]],
        "education_years": SCHOOL_YEARS[mothers.schooling[who]],
        "relation_to_head": _relations(random, who, len(mothers)),
        "living_children": living,
        "contraception": unknown(_methods(random, homes.wealth[home]), pregnant),
        "language": picked(random, LANGUAGES, size=len(mothers))[who],
    }


def _haemoglobin(random: Random, mothers: Mothers, who: np.ndarray, *, pregnant: np.ndarray) -> np.ndarray:
    level = mothers.haemoglobin[who] - 0.6 * pregnant + random.normal(scale=0.4, size=len(who))
    return np.round(level.clip(5, 17), 1)


def _relations(random: Random, who: np.ndarray, count: int) -> np.ndarray:
    shares = {"spouse": 0.78, "child": 0.13, "other_kin": 0.04, "head": 0.04, "not_kin": 0.01}
    return picked(random, shares, size=count)[who]


def _methods(random: Random, wealth: np.ndarray) -> np.ndarray:
    drawn = random.random(len(wealth)) + 0.03 * wealth
    return step(drawn, {"none": 0.32, "traditional": 0.37}, above="modern")


def pregnancy(
    random: Random, homes: Homes, mothers: Mothers, births: Births, *, visit: np.ndarray, written: np.ndarray
) -> Columns:
    """The register of pregnancies: a row at the first visit, and a row with the birth once it is known.

    Parameters
    ----------
    visit
        Month of the first antenatal visit; 0 where there was none.
    written
        Which of the births are of a child that the register of children has.
    """
    listed = mothers.listed[births.mother]
    known = np.where(visit > 0, np.round(visit * DAYS_PER_MONTH), 3 * SEEN_FROM_DAYS).astype(int)
    begun = births.born - PREGNANCY_DAYS + np.maximum(known, SEEN_FROM_DAYS) + 1
    told = np.maximum(births.born + random.integers(1, 30, size=len(births)), FIRST + 25)
    told = told + random.integers(0, 30, size=len(births)) * (told == FIRST + 25)
    early = listed & (begun >= FIRST) & (begun <= LAST) & (visit > 0)
    late = listed & written & (told <= LAST)
    rows = np.concatenate([np.flatnonzero(early), np.flatnonzero(late)])
    born = np.arange(len(rows)) >= early.sum()
    facts = _care(random, homes, births, visit)
    facts |= _delivery(random, homes, births)
    columns = {name: unknown(values[rows], ~born) for name, values in facts.items() if name not in BEFORE_BIRTH}
    columns |= {name: facts[name][rows] for name in BEFORE_BIRTH}
    mother = mothers.identifier[births.mother]
    identifier = np.char.add(np.char.add(mother.astype("U16"), "-"), births.order.astype("U2"))
    return {
        **columns,
        "pregnancy_id": identifier[rows],
        "mother_id": mother[rows],
        "recorded_on": np.where(born, told[rows], begun[rows]),
        "child_id": np.where(born, births.identifier[rows], -1),
        "birth_rank_recent": unknown(_ranks(births, told)[rows], ~born),
        "anc_visits": np.where(born, facts["anc_visits"][rows], np.minimum(facts["anc_visits"][rows], 1)),
        "iron_days": unknown(facts["iron_days"][rows], ~born),
    }


BEFORE_BIRTH = ("anc_visits", "anc_first_month", "iron_given", "iron_days", "tetanus_doses", "wanted")


def _ranks(births: Births, told: np.ndarray) -> np.ndarray:
    """1 for the mother's last birth by the day this one was told, 2 for the one before."""
    rank = np.ones(len(births), dtype=int)
    for later in (1, 2):
        same = births.mother[later:] == births.mother[:-later]
        rank[:-later] += same & (births.born[later:] <= told[:-later])
    return rank


def _care(random: Random, homes: Homes, births: Births, visit: np.ndarray) -> dict[str, np.ndarray]:
    wealth, count = homes.wealth[births.home], len(births)
    visits = np.where(visit == 0, 0, 1 + random.binomial(10, logistic(0.3 + 0.35 * wealth - 0.15 * visit)))
    iron = happens(random, np.where(visit == 0, 0.1, 0.92))
    return {
        "anc_visits": visits,
        "anc_first_month": unknown(visit, visit == 0),
        "iron_given": iron,
        "iron_days": np.where(iron, random.binomial(180, logistic(-0.3 + 0.4 * wealth)), 0),
        "tetanus_doses": np.where(visits == 0, 0, random.integers(0, 4, size=count)),
        "wanted": picked(random, {"then": 0.83, "later": 0.11, "no": 0.06}, size=count),
    }


def _delivery(random: Random, homes: Homes, births: Births) -> dict[str, np.ndarray]:
    """What is known of a birth: one at home is seldom weighed."""
    count = len(births)
    place = np.where(births.at_home, "home", picked(random, CARE_PLACES, size=count))
    hospital = np.isin(place, ["public_hospital", "private"])
    weighed = happens(random, np.where(births.at_home, 0.35, 0.97))
    by_card = happens(random, logistic(1.6 + 0.4 * homes.wealth[births.home]))
    judged = births.weight_g + random.normal(scale=250, size=count)
    return {
        "delivery_place": place,
        "skilled_attendant": happens(random, np.where(births.at_home, 0.25, 0.99)),
        "caesarean": hospital & happens(random, 0.32, size=count),
        "birth_weight_g": unknown(_heaped(random, births.weight_g), ~weighed),
        "birth_weight_source": np.where(~weighed, "not_weighed", np.where(by_card, "card", "recall")),
        "birth_size": unknown(step(judged, SIZES, above="very_large"), happens(random, 0.25, size=count)),
    }


def _heaped(random: Random, grams: np.ndarray) -> np.ndarray:
    drawn = random.random(len(grams))
    exact = np.round(grams / 10) * 10
    heaped = np.where(drawn < HEAPED + ROUND, np.round(grams / HEAP_G) * HEAP_G, exact)
    return np.where(drawn < ROUND, np.round(grams / ROUND_G) * ROUND_G, heaped)
