"""Cases in which one register implies somebody whom another does not list; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from features.contracts import REGISTERS
from features.validation import empty
from features.views import OLDEST_DAYS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

BIRTH_DAYS = 310
"""Days after a record of a pregnancy by which it has ended: 280 of a pregnancy, and 30 to record a birth."""
CASE = {
    "household_id": "string", "why_codes": "string", "why_id": "string", "why_en": "string",
    "recorded_on": "datetime64[us]",
}  # fmt: skip
"""Columns of a case, and their types."""
READ = ("household", "child", "maternal", "sanitation", "contact", "pregnancy", "area")
NAMES = {"sanitation": ("sanitasi", "sanitation"), "maternal": ("ibu", "mother"), "child": ("anak", "child")}


@dataclass(frozen=True, eq=False)
class Known:
    """What was recorded by `on`: every row, and each household, child and woman as its newest row has it.

    Parameters
    ----------
    children
        With `died_on`, null for the living.
    mothers
        Those who live.
    dead
        Identifiers of persons.
    missing
        Registers without a row.
    """

    on: pd.Timestamp
    rows: Mapping[str, pd.DataFrame]
    homes: pd.DataFrame
    children: pd.DataFrame
    mothers: pd.DataFrame
    dead: frozenset[str]
    missing: frozenset[str]


def known_by(registers: Mapping[str, pd.DataFrame], on: dt.date) -> Known:
    """What the registers say by a day; one that is absent is as one without rows."""
    day = pd.Timestamp(on)
    rows = {name: _by(registers.get(name, empty(REGISTERS[name])), day) for name in READ}
    died = rows["contact"][rows["contact"].kind == "deceased"].groupby("person_id").happened_on.min()
    children, mothers = _newest(rows["child"], "child_id"), _newest(rows["maternal"], "mother_id")
    return Known(
        day,
        rows,
        _newest(rows["household"], "household_id"),
        children.assign(died_on=last_days(children.child_id, died)),
        mothers[~mothers.mother_id.isin(died.index)],
        frozenset(died.index),
        frozenset(name for name in READ if rows[name].empty),
    )


def _by(rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    return rows[rows.recorded_on <= day] if "recorded_on" in rows else rows


def last_days(ids: pd.Series, by_id: pd.Series) -> pd.Series:
    """For each identifier its day; null where it has none, as also where nobody has one."""
    return by_id.astype("datetime64[us]").reindex(ids).set_axis(ids.index)


def _newest(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    return rows.sort_values("recorded_on").drop_duplicates(key, keep="last")


def people_of(known: Known) -> pd.DataFrame:
    """One row a household of any register: whom its counts imply, and whom the registers list."""
    homes, rows = known.homes.set_index("household_id"), known.rows["household"]
    # A blank is no answer: the newest row that has one counts.
    counts = _newest(rows.dropna(subset="under5_count"), "household_id").set_index("household_id")
    counts = counts[(known.on - counts.recorded_on).dt.days <= OLDEST_DAYS]
    women = _newest(rows.dropna(subset="women_15_49_count"), "household_id").set_index("household_id")
    days = last_days(known.children.household_id, counts.recorded_on).fillna(known.on)
    found = {
        "area_id": homes.area_id,
        "recorded_on": homes.recorded_on,
        "counted_on": counts.recorded_on,
        "children_implied": counts.under5_count,
        "children_listed": _living(known.children, days).groupby("household_id").size(),
        "women_implied": women.women_15_49_count,
        "women_listed": known.mothers.groupby("household_id").size(),
    }
    people = pd.DataFrame(found).rename_axis("household_id").reset_index()
    for name, register in (("children_listed", "child"), ("women_listed", "maternal")):
        people[name] = pd.NA if register in known.missing else people[name].fillna(0)
    whole = [name for name in found if name.startswith(("children", "women"))]
    return people.astype(dict.fromkeys(whole, "Int64"))


def _living(children: pd.DataFrame, days: pd.Series | pd.Timestamp) -> pd.DataFrame:
    """The children who lived, and were under five, on their day."""
    age = (days - children.birth_date).dt.days
    return children[age.between(0, OLDEST_DAYS) & ~(children.died_on <= days)]


def _homes(known: Known, people: pd.DataFrame) -> pd.DataFrame:
    """Households that other registers hold, and `household` does not."""
    parts = [
        known.rows[name][["household_id", "recorded_on"]].assign(where_id=said_id, where_en=said_en)
        for name, (said_id, said_en) in NAMES.items()
    ]
    seen = pd.concat(parts)
    seen = seen[~seen.household_id.isin(people.household_id[people.recorded_on.notna()])]
    where = seen.drop_duplicates(["household_id", "where_id"]).groupby("household_id")[["where_id", "where_en"]]
    said = where.agg(", ".join).astype("string")
    return pd.DataFrame(
        {
            "why_codes": "household_missing",
            "why_id": "keluarga ini ada di register " + said.where_id + ", dan belum ada di register keluarga",
            "why_en": "this household is in the register " + said.where_en + ", and not in that of households yet",
            "recorded_on": seen.groupby("household_id").recorded_on.max(),
        }
    ).reset_index()


def _children(known: Known, people: pd.DataFrame) -> pd.DataFrame:
    """Households that count more children under five than the child register lists."""
    del known
    found = people[(people.children_implied > people.children_listed).fillna(value=False)]
    more = (found.children_implied - found.children_listed).astype("string")
    return found[["household_id"]].assign(
        why_codes="children_missing",
        why_id=more + " balita di keluarga ini belum ada di register anak",
        why_en=more + " children under five of this household are not in the child register yet",
        recorded_on=found.counted_on,
    )


def _mothers(known: Known, people: pd.DataFrame) -> pd.DataFrame:
    """Households with children of a mother who is not listed, where a woman lives and none is listed."""
    records = known.rows["maternal"]
    young = _living(known.children, known.on)
    young = young[~young.mother_id.isin(records.mother_id) & ~young.mother_id.isin(known.dead)]
    women = people.household_id[(people.women_implied > 0).fillna(value=False)]
    young = young[young.household_id.isin(women) & ~young.household_id.isin(records.household_id)]
    grouped = young.groupby("household_id")
    count = grouped.size().astype("string")
    return pd.DataFrame(
        {
            "why_codes": "mother_missing",
            "why_id": "ibu dari " + count + " balita di keluarga ini belum ada di register ibu",
            "why_en": "the mother of " + count + " children of this household is not in the mother register yet",
            "recorded_on": grouped.recorded_on.max(),
        }
    ).reset_index()


def _births(known: Known, people: pd.DataFrame) -> pd.DataFrame:
    """Women last recorded as pregnant long ago, of whom nothing is recorded since."""
    del people
    # Of a pregnancy longer ago, the child would be past five by now.
    late = (known.on - known.mothers.recorded_on).dt.days.between(BIRTH_DAYS + 1, BIRTH_DAYS + OLDEST_DAYS)
    found = known.mothers[late & known.mothers.pregnant.fillna(value=False).astype(bool)]
    births = known.rows["pregnancy"]
    births = births[births.child_id.notna() | births.birth_rank_recent.notna()]
    # A child whose mother is not known may be hers.
    anyones = known.children[known.children.mother_id.isna()].groupby("household_id").birth_date.max()
    since = (
        last_days(found.mother_id, births.groupby("mother_id").recorded_on.max()),
        last_days(found.mother_id, known.children.groupby("mother_id").birth_date.max()),
        last_days(found.household_id, anyones),
    )
    found = found[~pd.concat([last > found.recorded_on for last in since], axis=1).any(axis=1)]
    grouped = found.groupby("household_id")
    count, day = grouped.size().astype("string"), grouped.recorded_on.max()
    last = day.dt.strftime("%Y-%m-%d").astype("string")
    return pd.DataFrame(
        {
            "why_codes": "birth_missing",
            "why_id": count + " kehamilan tercatat (terakhir " + last + "), kelanjutannya belum tercatat",
            "why_en": count + " pregnancies recorded (the last on " + last + "), what came of it is not recorded yet",
            "recorded_on": day,
        }
    ).reset_index()


CASES = (
    (_homes, frozenset({"household"})),
    (_children, frozenset({"household", "child"})),
    (_mothers, frozenset({"household", "child", "maternal"})),
    (_births, frozenset({"child", "maternal"})),
)
"""How each case is found, in the order in which they are said, and the registers without which nobody is flagged."""
