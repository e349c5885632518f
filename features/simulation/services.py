"""Who was given which service in the last eighteen months. All shares: [M]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.simulation.calendar import DAYS_PER_MONTH, LAST, PREGNANCY_DAYS
from features.simulation.chance import Random, happens, logistic
from features.simulation.contacts import NOBODY, SINCE, Gone
from features.simulation.families import Births
from features.simulation.homes import Dated, Homes
from features.simulation.known import Known, numbered
from features.simulation.sheets import Columns
from features.simulation.weighing import Visits

BIRTH, HALF_YEAR, ONE, TWO, THREE, FIVE = 0, 183, 366, 731, 1096, 1825
"""Ages. [days]"""
THIN_MOTHER_BMI = 18.75
"""About a LiLA of 23.5 cm, by the arm that `care` draws. [kg/m2]"""
THIN_CHILD = -1.5
POOR_WEALTH = -0.6
REACH_SPREAD = 0.5
"""Some homes are reached more often than others, whatever the service. [log-odds]"""


@dataclass(frozen=True)
class Offer:
    """One service that the district gives.

    Parameters
    ----------
    share
        Of those in need, who are given it on one occasion.
    need
        Who is in need, by the names of `_needs`.
    ages
        First and last day of the occasions, from birth; below 0 in pregnancy.
    every
        Days from one occasion to the next; None: once.
    """

    service: str
    share: float
    need: str = "anyone"
    ages: tuple[int, int] = (BIRTH, FIVE)
    every: int | None = None


OF_MOTHERS = (
    Offer("anc", 0.75, ages=(-245, -5), every=35),
    Offer("ttd_bumil", 0.7, ages=(-185, -5), every=30),
    Offer("pmt_bumil_kek", 0.45, need="thin_mother", ages=(-200, -60)),
    Offer("kelas_bumil", 0.25, ages=(-200, -20), every=60),
    Offer("kb_pascasalin", 0.4, ages=(1, 42)),
)
OF_CHILDREN = (
    Offer("asi_konseling", 0.45, ages=(3, 180)),
    # written when the last dose is given
    Offer("imunisasi_dasar", 0.75, ages=(275, 360)),
    Offer("paud", 0.3, ages=(THREE, FIVE), every=365),
)
AT_MASS_WEIGHINGS = (
    Offer("vitamin_a", 0.87, ages=(HALF_YEAR, FIVE)),
    Offer("obat_cacing", 0.75, ages=(ONE, FIVE)),
)
AT_WEIGHINGS = (
    Offer("pemantauan_tumbuh", 0.95),
    Offer("pmba_konseling", 0.15, ages=(HALF_YEAR, TWO)),
    Offer("mpasi_hewani", 0.05, ages=(HALF_YEAR, TWO)),
    Offer("pmt_balita", 0.2, need="thin_child", ages=(HALF_YEAR, FIVE)),
)
OF_HOMES = (
    Offer("jamban", 0.12, need="poor_toilet"),
    Offer("air_minum", 0.1, need="poor_water"),
    Offer("baas", 0.04, need="poor"),
    Offer("bpjs_pbi", 0.35, need="poor"),
    Offer("kie_rokok", 0.06),
)


@dataclass(frozen=True)
class _Given:
    """Receipts of one service, by the household and the person; `NOBODY` for the household as a whole."""

    service: str
    home: np.ndarray
    person: np.ndarray
    on: np.ndarray


def service(random: Random, known: Known, away: Gone, *, part: int) -> Columns:
    """The register of services received, in the order in which they were written down."""
    reach = _reach(random, known.homes)
    births, mothers = known.births, known.mothers
    young = np.flatnonzero(known.first > 0)
    carried = np.flatnonzero(mothers.listed[births.mother])
    occasions = [
        *((offer, mothers.identifier[births.mother], _by_age(random, births, carried, offer)) for offer in OF_MOTHERS),
        *((offer, births.identifier, _by_age(random, births, young, offer)) for offer in OF_CHILDREN),
        *((offer, births.identifier, _weighed(known.seen, mass=True)) for offer in AT_MASS_WEIGHINGS),
        *((offer, births.identifier, _weighed(known.seen, mass=False)) for offer in AT_WEIGHINGS),
    ]
    given = [
        _to_person(random, known, away, offer, occasion=at, person=person, reach=reach)
        for offer, person, at in occasions
    ]
    given += [_to_home(random, known, away, offer, reach=reach) for offer in OF_HOMES]
    return _sheet(random, known, given, part=part)


def _reach(random: Random, homes: Homes) -> np.ndarray:
    """How much more often than others each household is given something. [log-odds]"""
    habit = random.normal(scale=REACH_SPREAD, size=len(homes))
    return habit + 0.15 * homes.wealth - 0.25 * homes.desa.remoteness


def _needs(known: Known) -> dict[str, np.ndarray]:
    """Who is in need, among the births."""
    births = known.births
    return {
        "anyone": np.ones(len(births), dtype=bool),
        "thin_mother": known.mothers.bmi[births.mother] < THIN_MOTHER_BMI,
        "thin_child": known.children.thin < THIN_CHILD,
    }


def _needs_of_homes(homes: Homes) -> dict[str, np.ndarray]:
    return {
        "anyone": np.ones(len(homes), dtype=bool),
        "poor_toilet": homes.poor_toilet,
        "poor_water": homes.poor_water,
        "poor": homes.wealth < POOR_WEALTH,
    }


def _by_age(random: Random, births: Births, who: np.ndarray, offer: Offer) -> Dated:
    """Occasions of the births `who`: one a period, on any day of it."""
    first, last = offer.ages
    period = offer.every or last - first + 1
    starts = np.arange(first, last - period + 2, period)
    each = np.repeat(who, len(starts))
    on = births.born[each] + np.tile(starts, len(who)) + random.integers(0, period, size=len(each))
    return Dated(each, on)


def _weighed(seen: Visits, *, mass: bool) -> Dated:
    kept = seen.mass if mass else np.ones(len(seen), dtype=bool)
    return Dated(seen.who[kept], seen.on[kept])


def _to_person(
    random: Random, known: Known, away: Gone, offer: Offer, *, occasion: Dated, person: np.ndarray, reach: np.ndarray
) -> _Given:
    who, on, births = occasion.who, occasion.on, known.births
    home, age = births.home[who], on - births.born[who]
    begun = births.born - PREGNANCY_DAYS + np.round(known.antenatal * DAYS_PER_MONTH).astype(int)
    cared_for = (known.antenatal[who] > 0) & (on >= begun[who])
    able = (age >= offer.ages[0]) & (age <= offer.ages[1]) & ((age >= 0) | cared_for)
    able &= _needs(known)[offer.need][who] & (on < away.died[who])
    came = able & _reached(random, offer, reach[home]) & _in_time(on, away.moved[home])
    return _Given(offer.service, home[came], person[who[came]], on[came])


def _to_home(random: Random, known: Known, away: Gone, offer: Offer, *, reach: np.ndarray) -> _Given:
    on = random.integers(SINCE, LAST + 1, size=len(known.homes))
    needs = _needs_of_homes(known.homes)[offer.need]
    home = np.flatnonzero(needs & _reached(random, offer, reach) & _in_time(on, away.moved))
    return _Given(offer.service, home, np.full(len(home), NOBODY), on[home])


def _reached(random: Random, offer: Offer, reach: np.ndarray) -> np.ndarray:
    return happens(random, logistic(np.log(offer.share / (1 - offer.share)) + reach))


def _in_time(on: np.ndarray, moved: np.ndarray) -> np.ndarray:
    return (on >= SINCE) & (on <= LAST) & (on < moved)


def _sheet(random: Random, known: Known, given: list[_Given], *, part: int) -> Columns:
    home, person, on = (np.concatenate([getattr(one, name) for one in given]) for name in ("home", "person", "on"))
    recorded = np.minimum(on + random.integers(0, 21, size=len(on)), LAST)
    order = np.argsort(recorded, kind="stable")
    return {
        "receipt_id": numbered("receipt", known, part=part, count=len(on)),
        "household_id": known.homes.identifier[home[order]],
        "person_id": person[order],
        "service": np.repeat([one.service for one in given], [len(one.on) for one in given])[order],
        "received_on": on[order],
        "recorded_on": recorded[order],
    }
