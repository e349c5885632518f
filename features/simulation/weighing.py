"""Who comes to the posyandu, and what is written there: the register of measurements.

The register finds a third of the stunting that there is. No label is turned: heights are. Most posyandu hold a height
up, write one just short of -2 SD as just above it, and round to the half centimetre; and stunted children stay away
more often. `haz` is then computed from what was written, as the register does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.growth import growth
from features.simulation.calendar import DAYS_PER_MONTH, LAST, MASS, MONTHS, UNDER_FIVE_DAYS
from features.simulation.chance import Random, happens, logistic, unknown
from features.simulation.families import Births
from features.simulation.growing import (
    STANDING_FROM_DAY,
    STUNTED_BELOW,
    Growing,
    arm_cm,
    haz,
    size_at,
    size_cm,
    weight_kg,
)
from features.simulation.homes import Homes
from features.simulation.sheets import Columns

MASS_LOG_ODDS, ROUTINE_LOG_ODDS = 4.15, -1.35
"""Coming to a mass weighing, and to the posyandu in any other month: 97% and a fifth of children."""
STUNTED_STAY_AWAY = 0.9
"""How much less a stunted child comes. [log-odds]"""
STANDING_LESS_CM = 0.7
POSITION_WRONG = 0.05
"""Share of children measured in the position of the other age group."""
POSITION_SLIP = 0.03
"""Share of positions written as the other one."""
HALF_CM_HEAPED = 0.535
HALF_KG_HEAPED = 0.0525
"""With a fifth of all other endings, .0 and .5 are 62.8% of heights and 24.2% of weights (Magelang, e-PPGBM)."""
GROSS_SHARE, GROSS_CM = 0.003, 9.0
"""Slips of the tape or the pen that nobody notices. [M]"""
JUST_ABOVE_CM = 0.7
MASS_MUAC, ROUTINE_MUAC = 0.85, 0.3
OEDEMA_SHARE, OEDEMA_LOOKED = 0.0004, 0.7
PLAUSIBLE = {"zlen": "flen", "zwfl": "fwfl"}


@dataclass(frozen=True)
class Visits:
    """Which child was measured when, and in which posyandu of the desa."""

    who: np.ndarray
    on: np.ndarray
    mass: np.ndarray
    posyandu: np.ndarray

    def __len__(self) -> int:
        return len(self.who)


@dataclass(frozen=True)
class _Tape:
    """How a child was measured.

    Parameters
    ----------
    gained_cm
        What lying or standing added to the size that belongs to the child's age.
    written_stood
        What the form says; not always so.
    """

    gained_cm: np.ndarray
    written_stood: np.ndarray


def visits(random: Random, homes: Homes, births: Births, children: Growing, *, known: np.ndarray) -> Visits:
    """Draw the visits of the children in the register: mass weighings in February and August, and some between."""
    who = np.repeat(np.flatnonzero(known), len(MONTHS))
    month = np.tile(np.arange(len(MONTHS)), int(known.sum()))
    posyandu = homes.posyandu[births.home[who]]
    on = MONTHS[month] + homes.desa.posyandu.opens[posyandu] + random.integers(0, 5, size=len(who))
    young = (on >= births.born[who]) & (on - births.written[who] <= UNDER_FIVE_DAYS) & (on <= LAST)
    asked = Visits(who[young], on[young], MASS[month][young], posyandu[young])
    came = happens(random, _comes(random, homes, births, children, asked))
    return Visits(asked.who[came], asked.on[came], asked.mass[came], asked.posyandu[came])


def _comes(random: Random, homes: Homes, births: Births, children: Growing, asked: Visits) -> np.ndarray:
    """Probability of each visit."""
    who, on = asked.who, asked.on
    habit = random.normal(scale=0.7, size=len(births))[who]
    stunted = haz(children, who, on) < STUNTED_BELOW
    home = 0.15 * homes.wealth[births.home[who]] - 0.2 * homes.desa.remoteness
    routine = ROUTINE_LOG_ODDS - 0.015 * ((on - children.born[who]) / DAYS_PER_MONTH - 24)
    return logistic(np.where(asked.mass, MASS_LOG_ODDS, routine) + habit + home - STUNTED_STAY_AWAY * stunted)


def measurement(random: Random, homes: Homes, births: Births, children: Growing, seen: Visits) -> Columns:
    """The register of measurements."""
    who, on, count = seen.who, seen.on, len(seen)
    days = on - births.written[who]
    tape = _tape(random, days=on - births.born[who])
    size = size_cm(children, who, on)
    height = _written_height(random, homes, seen, tape, size=size, limit=_limit(days, children.sex[who], tape))
    weight = _written_weight(random, weight_kg(random, children, who, on=on, size=size))
    arm = np.round(arm_cm(random, children, who, on=on) + random.normal(scale=0.3, size=count), 1).clip(7, 28)
    scores = _scores(children.sex[who], days, height=height, weight=weight, stood=tape.written_stood)
    written = on + np.where(seen.mass, random.integers(0, 25, size=count), random.integers(0, 8, size=count))
    codes = np.array([f"{homes.desa.area.code}-P{n + 1}" for n in range(len(homes.desa.posyandu.opens))])
    return {
        "child_id": births.identifier[who],
        "measured_on": on,
        "recorded_on": np.minimum(written, LAST),
        "posyandu_id": codes[seen.posyandu],
        "weight_kg": weight,
        "height_cm": height,
        "position": np.where(tape.written_stood, "h", "l"),
        "muac_cm": unknown(arm, ~happens(random, np.where(seen.mass, MASS_MUAC, ROUTINE_MUAC))),
        "oedema": unknown(happens(random, OEDEMA_SHARE, size=count), ~happens(random, OEDEMA_LOOKED, size=count)),
        **scores,
    }


def _tape(random: Random, *, days: np.ndarray) -> _Tape:
    """Few infants stand, whatever the form says; WHO takes that for a slip below 9 months."""
    infant = days < 280  # noqa: PLR2004 (9 months)
    stands = days >= STANDING_FROM_DAY
    stood = stands ^ (happens(random, POSITION_WRONG, size=len(days)) & ~infant)
    written = stood ^ (happens(random, POSITION_SLIP, size=len(days)) & ~infant)
    return _Tape(STANDING_LESS_CM * (stands.astype(int) - stood), written)


def _written_height(
    random: Random, homes: Homes, seen: Visits, tape: _Tape, *, size: np.ndarray, limit: np.ndarray
) -> np.ndarray:
    """Height as written in the register, to 0.1 cm.

    Parameters
    ----------
    limit
        The height at which the form would show -2 SD.
    """
    team, which, count = homes.desa.posyandu, seen.posyandu, len(seen)
    gross = happens(random, GROSS_SHARE, size=count) * random.normal(scale=GROSS_CM, size=count)
    error = team.assist_cm[which] + team.slack_cm[which] * random.normal(size=count) + gross
    read = size + tape.gained_cm + error
    short = limit - read
    lifted = (short > 0) & (short < team.reach_cm[which]) & happens(random, team.lifts[which])
    read = np.where(lifted, limit + random.uniform(0, JUST_ABOVE_CM, size=count), read)
    heaped = happens(random, HALF_CM_HEAPED, size=count)
    halves = np.where(team.lifts[which] > 0, np.ceil(read * 2), np.round(read * 2)) / 2
    tenths = np.where(lifted, np.ceil(read * 10), np.round(read * 10)) / 10
    return np.round(np.where(heaped, halves, tenths), 1).clip(39, 135)


def _limit(days: np.ndarray, sex: np.ndarray, tape: _Tape) -> np.ndarray:
    """The height at which the form would show -2 SD, for the age and the position written there. [cm]"""
    as_for_age = size_at(np.full(len(days), STUNTED_BELOW), days=days, sex=sex)
    return as_for_age + STANDING_LESS_CM * ((days >= STANDING_FROM_DAY).astype(int) - tape.written_stood)


def _written_weight(random: Random, weight: np.ndarray) -> np.ndarray:
    read = weight + random.normal(scale=0.12, size=len(weight))
    heaped = happens(random, HALF_KG_HEAPED, size=len(weight))
    return np.round(np.where(heaped, np.round(read * 2) / 2, read), 1).clip(1, 40)


def _scores(
    sex: np.ndarray, days: np.ndarray, *, height: np.ndarray, weight: np.ndarray, stood: np.ndarray
) -> dict[str, np.ndarray]:
    """`haz` and `whz` from what was written; null where WHO calls them implausible, as the register leaves them out."""
    rows = pd.DataFrame({"sex": sex + 1, "age": days, "lenhei": height, "weight": weight})
    made = growth(rows.assign(measure=np.where(stood, "h", "l")))
    kept = [
        made[z].where(made[flag].fillna(1) == 0).to_numpy(dtype=float, na_value=np.nan) for z, flag in PLAUSIBLE.items()
    ]
    return dict(zip(("haz", "whz"), kept, strict=True))
