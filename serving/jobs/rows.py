"""The facts of a batch of households, and the rows of the result that its answers become."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.request import Household
from serving.jobs.columns import SCHEMA
from serving.jobs.homes import AT_HOME, NUMBER
from serving.rows import SCORED_FROM
from targeting.households import combined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOBODY = "no child under five and no pregnancy is known of it"
NOT_YET = "recorded after `as_of` only"
FAILED = "Tepat could not score it, and nobody of it was judged; report it with the id of the job"
A_WOMAN = "not pregnant; named because she is to be referred at once"


@dataclass(frozen=True, eq=False)
class Batch:
    """Some households, and the women in the facts of each whose own home is another."""

    households: list[Household]
    elsewhere: list[frozenset[str]]


def read_batch(facts: Path, *, first: int, last: int, as_of: dt.datetime | None) -> Batch:
    """The households numbered from `first` up to, without, `last`."""
    ids = [row["home"] for row in _slice(facts / "homes.parquet", first, last)]
    registers: list[dict[str, list[dict[str, Any]]]] = [{name: [] for name in SCORED_FROM} for _ in ids]
    elsewhere: list[set[str]] = [set() for _ in ids]
    for name in SCORED_FROM:
        for row in _slice(facts / f"{name}.parquet", first, last):
            at = row.pop(NUMBER) - first
            if not row.pop(AT_HOME):
                elsewhere[at].add(row["mother_id"])
            registers[at][name].append(row)
    homes = [Household(name, rows, as_of) for name, rows in zip(ids, registers, strict=True)]
    return Batch(homes, [frozenset(women) for women in elsewhere])


def _slice(path: Path, first: int, last: int) -> list[dict[str, Any]]:
    # Sorted by household, so that most of the file is passed over.
    found = pq.read_table(path, filters=[(NUMBER, ">=", first), (NUMBER, "<", last)], use_threads=False)
    return found.sort_by(NUMBER).to_pylist() if path.stem == "homes" else found.to_pylist()


def table_of(batch: Batch, answers: Sequence[dict[str, Any]], *, stamp: str, contributions: bool) -> pa.Table:
    """The result of a batch, one row a unit or, where a household has none, one row that says why.

    Parameters
    ----------
    answers
        One a household, in their order, as `serving.schemas.HouseholdOut` tells it.
    """
    rows = []
    for home, elsewhere, told in zip(batch.households, batch.elsewhere, answers, strict=True):
        found = list(_rows(home, told, elsewhere, contributions=contributions))
        rows += [row | _of_home(told, found) | {"model_stamp": stamp} for row in found]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def not_scored(home: Household) -> dict[str, Any]:
    """What stands in the place of an answer that the scorers failed to give."""
    nothing = dict.fromkeys(("risk_find", "risk_prevent", "expected_stunted", "freshest_on", "stalest_on"))
    empty: dict[str, Any] = {"units": [], "urgent": [], "unscored": {}, "missing_registers": [], "area_known": None}
    return {"household_id": home.household_id, "failed": FAILED, **nothing, **empty}


def _rows(
    home: Household, told: dict[str, Any], elsewhere: frozenset[str], *, contributions: bool
) -> Iterator[dict[str, Any]]:
    units = [u for u in told["units"] if u["kind"] != "pregnancy" or u["mother_id"] not in elsewhere]
    urgent = [u for u in told["urgent"] if u["mother_id"] not in elsewhere or u["mother_id"] is None]
    unscored = _unscored(home, told, units)
    rows = [_unit(unit, contributions=contributions) for unit in units]
    rows += [{"unit_id": name, "kind": "child", "child_id": name, "unscored": why} for name, why in unscored.items()]
    in_danger = {(one["child_id"], one["mother_id"]): one for one in urgent}
    for row in rows:
        who = (row["child_id"], None) if row["kind"] == "child" else (None, row["mother_id"])
        yield row | _urgent(in_danger.pop(who, None))
    for (child_id, mother_id), one in in_danger.items():
        kind = "child" if child_id else "woman"
        said = {
            "kind": kind,
            "child_id": child_id,
            "mother_id": mother_id,
            "unscored": A_WOMAN if mother_id else NOT_YET,
        }
        yield said | _urgent(one)
    if not rows and not in_danger:
        yield {"unscored": told.get("failed", NOBODY), **_urgent(None)}


def _unscored(home: Household, told: dict[str, Any], units: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Every child of the facts who is no unit, and why."""
    if "failed" in told:
        return {}
    said = dict(told["unscored"])
    judged = {unit["child_id"] for unit in units} | said.keys()
    known = dict.fromkeys(row["child_id"] for row in home.registers["child"])
    return said | {name: NOT_YET for name in known if name not in judged}


def _unit(unit: dict[str, Any], *, contributions: bool) -> dict[str, Any]:
    now, then = unit["now"], unit["at_24m"]
    said = {name: unit[name] for name in ("unit_id", "kind", "child_id", "mother_id", "age_months")}
    said |= {"as_of": _day(unit["as_of"])}
    said |= {"risk_now": now and now["risk"], "risk_at_24m": then and then["risk"]}
    for suffix, one in (("", now), ("_24m", then)):
        for language in ("id", "en"):
            words = "; ".join(reason[f"text_{language}"] for reason in one["reasons"]) if one else None
            said[f"reasons{suffix}_{language}"] = words
    if contributions:
        said |= {f"contributions_{name}": json.dumps(e["contributions"]) if e else None
                 for name, e in (("now", now), ("24m", then))}  # fmt: skip
    return said


def _urgent(one: dict[str, Any] | None) -> dict[str, Any]:
    return {"urgent": one is not None, "urgent_why_id": one and one["why_id"], "urgent_why_en": one and one["why_en"]}


def _of_home(told: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    then = [row["risk_at_24m"] for row in rows if row.get("risk_at_24m") is not None]
    return {
        "household_id": told["household_id"],
        "risk_find": told["risk_find"],
        # Without the pregnancies of women who live elsewhere, which count there.
        "risk_prevent": combined(then),
        "expected_stunted": told["expected_stunted"],
        "freshest_on": _day(told["freshest_on"]),
        "stalest_on": _day(told["stalest_on"]),
        "missing_registers": "; ".join(told["missing_registers"]),
        "area_known": told["area_known"],
    }


def _day(said: str | None) -> dt.date | None:
    return None if said is None else dt.date.fromisoformat(said)
