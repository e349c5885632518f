"""Registers as known on one day -> the facts of each person, one row a person; pure but for the engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.contracts import REGISTERS
from features.earlier import course
from features.growth import DAYS_PER_MONTH, PLAUSIBLE
from features.schema import Kind
from features.views import OLDEST_DAYS
from targeting.births import last_births
from targeting.persons import FACTS, LONGEST_PREGNANCY_DAYS, NEVER, NO_CHILD, Person

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from features.engines import Engine

KEYS = ["person_id", "household_id"]
WEIGHED_WITHIN_DAYS = 200
"""Older weighings say nothing of how a child grows now. [days]"""
BABY_MONTHS = 24
FIFTH = 2
"""Tenths in a fifth."""
KEY_OF = {
    "household": "household_id", "sanitation": "household_id", "maternal": "mother_id", "child": "child_id",
    "pregnancy": "pregnancy_id", "measurement": "child_id",
}  # fmt: skip
EVENTS = {"service": ["household_id", "person_id", "service", "received_on"], "contact": ["person_id", "kind"]}
DTYPES = {
    Kind.WHOLE: "float64", Kind.NUMBER: "float64", Kind.YES_NO: "boolean", Kind.CODE: "string", Kind.TEXT: "string",
    Kind.DATE: "datetime64[us]",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Known:
    """What the registers say on a day.

    Parameters
    ----------
    rows
        By register: the newest row of each household, woman, child and pregnancy, and of each child the newest
        measurement; every receipt and contact. A register without any row is not in it.
    weighed
        Weighings of the last `WEIGHED_WITHIN_DAYS`.
    """

    on: pd.Timestamp
    rows: Mapping[str, pd.DataFrame]
    weighed: pd.DataFrame

    @cached_property
    def children(self) -> pd.DataFrame:
        """Living children of 0-1826 days, with `age_months`; none without their register."""
        rows = self._living("child", "child_id")
        days = (self.on - rows.birth_date).dt.days
        return rows.assign(age_months=days / DAYS_PER_MONTH)[days.between(0, OLDEST_DAYS)]

    @cached_property
    def women(self) -> pd.DataFrame:
        """Living women of `maternal`; none without it."""
        return self._living("maternal", "mother_id")

    @cached_property
    def pregnant(self) -> pd.DataFrame:
        """Women last recorded as pregnant, no child born to them since; a birth known or long due ended it."""
        women = self.women
        births = last_births(*(self.rows.get(name, _empty(name)) for name in ("child", "pregnancy")))
        since = women[["mother_id"]].join(births, on="mother_id").birth_date
        due = women.recorded_on < self.on - pd.Timedelta(days=LONGEST_PREGNANCY_DAYS)
        return women[women.pregnant.fillna(value=False).astype(bool) & ~(since > women.recorded_on) & ~due]

    @cached_property
    def receipts(self) -> Mapping[str, pd.DataFrame]:
        """Receipts by code; empty without their register, which `rows` tells apart."""
        given = self.rows.get("service", _empty("service"))
        return {str(code): rows for code, rows in given.groupby("service")}

    @cached_property
    def homes(self) -> pd.DataFrame:
        """Every household that any register knows, with the facts of `persons.HOUSEHOLD`."""
        return _households_with_facts(self)

    def _living(self, register: str, key: str) -> pd.DataFrame:
        rows, contact = self.rows.get(register, _empty(register)), self.rows.get("contact")
        if contact is None:
            return rows
        return rows[~rows[key].isin(contact.person_id[contact.kind == "deceased"].dropna())]


def _empty(register: str) -> pd.DataFrame:
    return pd.DataFrame({c.name: pd.Series(dtype=DTYPES[c.kind]) for c in REGISTERS[register].columns})


def known(registers: Mapping[str, pd.DataFrame], *, on: dt.date) -> Known:
    """Rows recorded by the end of a day, the newest of each; a register that is not there, or has none, is missing."""
    day = pd.Timestamp(on)
    newest = {name: _newest(rows, KEY_OF[name], day) for name, rows in registers.items() if name in KEY_OF}
    events = {name: _until(registers[name], EVENTS[name], day) for name in EVENTS if name in registers}
    weighed = _until(registers.get("measurement", _empty("measurement")), ["child_id", "measured_on", "weight_kg"], day)
    recent = weighed.measured_on >= day - pd.Timedelta(days=WEIGHED_WITHIN_DAYS)
    return Known(day, {name: rows for name, rows in (newest | events).items() if len(rows)}, weighed[recent])


def _until(rows: pd.DataFrame, columns: list[str], day: pd.Timestamp) -> pd.DataFrame:
    return rows.loc[rows.recorded_on <= day, columns]


def _newest(rows: pd.DataFrame, key: str, day: pd.Timestamp) -> pd.DataFrame:
    """The newest row of each key; only key and date are sorted, for a register is wide."""
    order = "measured_on" if "measured_on" in rows else "recorded_on"
    places = np.flatnonzero(rows.recorded_on <= day)
    dated = rows[[key, order]].iloc[places].assign(place=places)
    return rows.iloc[dated.sort_values([order, key]).drop_duplicates(key, keep="last").place]


def facts(person: Person, seen: Known, *, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    """One row a person: person_id, household_id and the wanted facts; null where a register does not tell.

    Where the register that lists such persons is missing, a household that may have some has one row without an id,
    of which that register's facts are null.
    """
    people = {
        Person.CHILD: _children, Person.PREGNANCY: _pregnancies, Person.MOTHER: _mothers,
        Person.HOUSEHOLD: _households, Person.ADOLESCENT: _adolescents,
    }[person](seen, wanted, engine)  # fmt: skip
    people = _join(people, seen.homes, "household_id", wanted)
    return _typed(people, person, wanted)


def _typed(people: pd.DataFrame, person: Person, wanted: Collection[str]) -> pd.DataFrame:
    """Each fact in the type of its kind, so that one of which nothing is known has a type, too."""
    asked = {name: DTYPES[fact.column.kind] for name, fact in FACTS[person].items() if name in wanted}
    rows = people.reindex(columns=[*KEYS, *asked])
    return rows.astype({**dict.fromkeys(KEYS, "string"), **asked}).reset_index(drop=True)


def _join(
    people: pd.DataFrame, rows: pd.DataFrame | None, key: str, wanted: Collection[str], prefix: str = ""
) -> pd.DataFrame:
    """The people with those of the rows' facts that are wanted and not there yet."""
    if rows is None:
        return people
    named = {f"{prefix}{name}": rows[name] for name in rows if name != key}
    taken = {name: column for name, column in named.items() if name in wanted and name not in people}
    return people.join(pd.DataFrame(taken).set_axis(pd.Index(rows[key])), on=key) if taken else people


def _children(seen: Known, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    people = seen.children.assign(person_id=lambda rows: rows.child_id)
    if "child" not in seen.rows:
        people = _implied(seen, "under5_count")
        people["child_id"] = people["mother_id"] = people.person_id
    people = _join(people, _measured(seen), "child_id", wanted)
    if "measurement" in seen.rows and "days_since_measured" in people:
        never = people.person_id.notna() & people.days_since_measured.isna()
        people["days_since_measured"] = people.days_since_measured.mask(never, NEVER)
    if "falterings_in_row" in wanted:
        people = _join(people, _falterings(seen, engine), "child_id", wanted)
    born = seen.rows.get("pregnancy")
    if born is not None:
        linked = born.dropna(subset="child_id").sort_values(["recorded_on", "pregnancy_id"], ascending=[False, True])
        people = _join(people, linked.drop_duplicates("child_id"), "child_id", wanted)
    return _join(people, seen.rows.get("maternal"), "mother_id", wanted, prefix="mother_")


def _measured(seen: Known) -> pd.DataFrame | None:
    rows = seen.rows.get("measurement")
    if rows is None:
        return None
    scores = {"haz": "len", "whz": "wfl"}
    plausible = {name: rows[name].where(rows[name].between(*PLAUSIBLE[of])) for name, of in scores.items()}
    return rows.assign(days_since_measured=(seen.on - rows.measured_on).dt.days.astype(float), **plausible)


def _falterings(seen: Known, engine: Engine) -> pd.DataFrame:
    """How many of each child's newest weighings, one after another, faltered; see `features.earlier`."""
    children = seen.children
    rows = seen.weighed.merge(children[["child_id", "birth_date"]], on="child_id")
    weighed = pd.DataFrame(
        {
            "child_id": rows.child_id.astype("string"),
            "measured_on": rows.measured_on,
            "weight_kg": rows.weight_kg.astype(float),
            "age_days": (rows.measured_on - rows.birth_date).dt.days.astype(float),
            **dict.fromkeys(("haz", "waz", "whz"), np.nan),
        }
    )
    found = engine.fetch(course(engine.hold("weighed", weighed), by=["child_id"]).select("child_id", "falterings"))
    return found.rename(columns={"falterings": "falterings_in_row"})


def _pregnancies(seen: Known, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    del engine
    now = seen.rows.get("pregnancy")
    if now is not None:
        # Of a delivery before, her antenatal care is no care of this pregnancy.
        recent = now.recorded_on >= seen.on - pd.Timedelta(days=LONGEST_PREGNANCY_DAYS)
        now = now[now.child_id.isna() & now.birth_rank_recent.isna() & recent]
    return _women(seen, seen.pregnant, now, wanted)


def _mothers(seen: Known, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    del engine
    return _women(seen, seen.women, seen.rows.get("pregnancy"), wanted)


def _women(seen: Known, women: pd.DataFrame, births: pd.DataFrame | None, wanted: Collection[str]) -> pd.DataFrame:
    people = women.assign(person_id=women.mother_id)
    if "maternal" not in seen.rows:
        people = _implied(seen, "women_15_49_count")
        people["mother_id"] = people.person_id
    if births is not None:
        rank = births.birth_rank_recent.astype("Float64").fillna(0)
        last = births.assign(rank=rank).sort_values(
            ["recorded_on", "rank", "pregnancy_id"], ascending=[False, True, True]
        )
        people = _join(people, last.drop_duplicates("mother_id"), "mother_id", wanted)
    if "child" in seen.rows:
        ages = seen.children.dropna(subset="mother_id").groupby("mother_id").age_months.min()
        youngest = people.mother_id.map(ages).fillna(NO_CHILD)
        people["youngest_age_months"] = youngest.where(people.person_id.notna())
    return people


def _implied(seen: Known, count: str) -> pd.DataFrame:
    """Households that may have such persons, for nobody says that they have none."""
    homes = seen.homes[["household_id"]]
    if "household" in seen.rows:
        homes = homes[~(seen.homes[count] == 0).fillna(value=False)]
    return homes.assign(person_id=None)


def _households(seen: Known, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    del wanted, engine
    homes = seen.homes[["household_id"]]
    return homes.assign(person_id=homes.household_id)


def _adolescents(seen: Known, wanted: Collection[str], engine: Engine) -> pd.DataFrame:
    del wanted, engine
    listed = _counted(seen.homes, seen.women)
    women = seen.homes.women_15_49_count.astype("Float64") if "household" in seen.rows else pd.NA
    unlisted = (women - listed).clip(lower=0)
    return seen.homes[["household_id"]].assign(person_id=None, women_unlisted=unlisted)


def _households_with_facts(seen: Known) -> pd.DataFrame:
    homes = _listed(seen)
    for register in ("household", "sanitation"):
        rows = seen.rows.get(register)
        homes = homes if rows is None else homes.merge(rows.drop(columns="recorded_on"), on="household_id", how="left")
    if "household" in seen.rows:
        tenths = (homes.wealth_quintile * FIFTH).astype("Float64")
        homes["welfare_decile"] = homes.desil.astype("Float64").fillna(tenths)
    if "child" in seen.rows:
        children = seen.children
        homes["children_listed"] = _counted(homes, children)
        homes["babies_listed"] = _counted(homes, children[children.age_months < BABY_MONTHS])
    if "maternal" in seen.rows:
        homes["pregnancies_listed"] = _counted(homes, seen.pregnant)
    return homes


def _listed(seen: Known) -> pd.DataFrame:
    by = [
        seen.rows[name].household_id for name in ("household", "sanitation", "maternal", "child") if name in seen.rows
    ]
    ids = pd.unique(pd.concat(by).astype("string")) if by else pd.array([], dtype="string")
    return pd.DataFrame({"household_id": pd.Series(ids, dtype="string")})


def _counted(homes: pd.DataFrame, people: pd.DataFrame) -> pd.Series:
    return homes.household_id.map(people.household_id.value_counts()).astype("Float64").fillna(0.0)
