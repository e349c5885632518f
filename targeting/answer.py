"""Facts of some households -> the answer that is given to whoever asked: risks, reasons, and what is not known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.catalog import CATALOG
from targeting.facts import KEY_OF
from targeting.households import combined
from targeting.referred import referred
from targeting.scoring import score_inputs
from training.models import INPUTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from features.request import Asked, Household, RequestFeatures, Row
    from targeting.reasons import Reason
    from targeting.referred import Urgent
    from targeting.scoring import Scored
    from targeting.urgent import UrgentLimits
    from training.model import RiskModel

_NAMES = [f.name for f in CATALOG]
AGE, AT = _NAMES.index("age_months"), [_NAMES.index(name) for name in INPUTS]


@dataclass(frozen=True)
class Explained:
    """A risk and what it is made of: `base`, the weights of the reasons and `rest` add up to `log_odds`."""

    risk: float
    log_odds: float
    base: float
    rest: float
    reasons: tuple[Reason, ...]
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class Unit:
    """A child or a pregnancy.

    Parameters
    ----------
    now
        None for a pregnancy.
    at_24m
        None from 24 months on.
    age_months
        On `as_of`; None for a pregnancy.
    """

    unit_id: str
    kind: str
    child_id: str | None
    mother_id: str | None
    as_of: dt.date
    age_months: float | None
    now: Explained | None
    at_24m: Explained | None


@dataclass(frozen=True)
class Answer:
    """What is said of one household.

    Parameters
    ----------
    risk_find, risk_prevent
        That at least one unit is, or at 24 months will be, stunted; None without a unit of which that is asked.
    expected_stunted
        Sum of `now` over the children; None without one.
    unscored
        Children who are no unit, and why.
    freshest_on, stalest_on
        Dates of the facts behind the risks.
    missing_registers
        Registers without a row for some unit.
    """

    household_id: str
    risk_find: float | None
    risk_prevent: float | None
    expected_stunted: float | None
    units: tuple[Unit, ...]
    urgent: tuple[Urgent, ...]
    unscored: Mapping[str, str]
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    missing_registers: tuple[str, ...]
    area_known: bool


def answer(
    model: RiskModel, features: RequestFeatures, households: Sequence[Household], *, limits: UrgentLimits
) -> list[Answer]:
    """One answer a household, in their order."""
    asked = features.of(households)
    units: list[list[Unit]] = [[] for _ in households]
    if asked.units:
        unborn = np.array([unit["unit_kind"] == "pregnancy" for unit in asked.units])
        made = _units(asked, score_inputs(model, asked.features[:, AT], unborn=unborn))
        for row, unit in zip(asked.units, made, strict=True):
            units[row["asked"]].append(unit)
    in_danger = referred(households, since=features.since, limits=limits)
    return [
        _answer(
            home,
            units[n],
            in_danger.get(n, ()),
            asked.unscored[n] | _without_age(home),
            area_known=features.place_known(home),
        )
        for n, home in enumerate(households)
    ]


def _answer(
    home: Household, units: list[Unit], in_danger: Sequence[Urgent], unscored: Mapping[str, str], *, area_known: bool
) -> Answer:
    now = [unit.now.risk for unit in units if unit.now]
    then = [unit.at_24m.risk for unit in units if unit.at_24m]
    dates, missing = _facts(home, units)
    return Answer(
        home.household_id,
        combined(now),
        combined(then),
        math.fsum(now) if now else None,
        tuple(units),
        tuple(in_danger),
        unscored,
        max(dates, default=None),
        min(dates, default=None),
        missing,
        area_known,
    )


def _units(asked: Asked, scored: Scored) -> list[Unit]:
    now = _explained(scored.risk_now, scored.contributions, scored.why)
    asked_later = ~np.isnan(scored.risk_at_24m)
    told_later = iter(_explained(scored.risk_at_24m[asked_later], scored.contributions_24m, scored.why_24m))
    then = [next(told_later) if later else None for later in asked_later]
    ages = asked.features[:, AGE].tolist()
    return [
        Unit(
            row["unit_id"],
            row["unit_kind"],
            row["child_id"],
            row["mother_id"],
            row["as_of"].date(),
            None if math.isnan(ages[n]) else ages[n],
            now[n],
            then[n],
        )
        for n, row in enumerate(asked.units)
    ]


def _explained(
    risks: np.ndarray, contributions: np.ndarray, why: Sequence[tuple[Reason, ...]]
) -> list[Explained | None]:
    log_odds = contributions.sum(axis=1).tolist()
    rows = zip(risks.tolist(), log_odds, contributions.tolist(), why, strict=True)
    return [None if math.isnan(risk) else _one(risk, sum_, parts, reasons) for risk, sum_, parts, reasons in rows]


def _one(risk: float, log_odds: float, parts: list[float], reasons: tuple[Reason, ...]) -> Explained:
    rest = log_odds - parts[-1] - math.fsum(reason.weight for reason in reasons)
    return Explained(risk, log_odds, parts[-1], rest, reasons, dict(zip(INPUTS, parts, strict=False)))


def _facts(home: Household, units: list[Unit]) -> tuple[list[dt.date], tuple[str, ...]]:
    """Dates of the newest facts behind each unit, and the registers that lack one, as `facts.fact_dates` says."""
    dates, missing = [], dict.fromkeys(KEY_OF, False)
    for unit in units:
        ids = {"household_id": home.household_id, "mother_id": unit.mother_id, "child_id": unit.child_id}
        for register, key in KEY_OF.items():
            if key == "child_id" and unit.child_id is None:
                continue
            days = [_day(row) for row in home.rows(register) if _of(row, home, key) == ids[key] and ids[key]]
            known = [day for day in days if day <= unit.as_of]
            dates += [max(known)] if known else []
            missing[register] |= not known
    return dates, tuple(name for name, lacks in missing.items() if lacks)


def _day(row: Row) -> dt.date:
    found: dt.date = row["recorded_on"].date()
    return found


def _of(row: Row, home: Household, key: str) -> str | None:
    return home.household_id if key == "household_id" else row.get(key)


def _without_age(home: Household) -> dict[str, str]:
    """Children who were measured, but of whom nothing else is known: their arm cannot be judged."""
    known = home.newest("child", "child_id")
    strangers = {row["child_id"] for row in home.rows("measurement")} - known.keys()
    return dict.fromkeys(
        sorted(strangers), "measured, but without a row in `child`: neither scored nor, by arm, judged"
    )
