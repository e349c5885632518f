"""What each household lacks of the menu: unmet, received, or not known; pure but for the engine."""

from __future__ import annotations

import datetime as dt
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from features import engines
from targeting.person_facts import KEYS as PERSON
from targeting.person_facts import Known, facts, known
from targeting.persons import FACTS, RECEIPT, Person
from targeting.predicates import lacking, value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import ibis.expr.types as ir

    from features.engines import Engine
    from features.machine import Machine
    from targeting.services import Service

STATUSES = ("unmet", "received", "unknown")
NOT_ELIGIBLE, UNMET, RECEIVED, UNKNOWN = 0, 1, 2, 3
"""A status as the engine counts it; in `STATUSES` it stands one place earlier."""
NAMED = tuple(sorted({fact.register for facts_of in FACTS.values() for fact in facts_of.values()} | {RECEIPT.register}))
"""Registers that may be why something is not known; each has one bit of `why`."""


def needs(
    registers: Mapping[str, pd.DataFrame], menu: Sequence[Service], *, on: dt.date, machine: Machine | None = None
) -> pd.DataFrame:
    """One row a household and service that somebody in it may have, or may for all that is known.

    A household lacks a service when one of its persons surely does. What no register tells is `unknown`, never `unmet`:
    without the register `service` no service whose `received` reads a receipt is surely lacking.

    Parameters
    ----------
    registers
        Accepted rows by name; those recorded after `on` are not seen, and a register without rows is missing.
    machine
        Another engine than the environment's.

    Returns
    -------
    household_id; service, its code; status, one of `STATUSES`; persons, how many of the household the status is about,
    1 for a service of the household; cost_idr, persons x the default unit cost where unmet, else 0; why_id, why_en:
    which registers do not tell, null but for `unknown`. By household, then in the order of the menu. Codes, statuses
    and words are categorical.
    """
    seen = known(registers, on=on)
    by_person = {person: [service for service in menu if service.of is person] for person in Person}
    with engines.opened(machine) as engine:
        parts = [_of(person, services, seen, engine) for person, services in by_person.items() if services]
    whole = {code: rows for part in parts for code, rows in part.items()}
    return _table(whole, menu, missing=[name for name in NAMED if name not in seen.rows])


def unknown_codes(registers: Mapping[str, pd.DataFrame], menu: Iterable[Service]) -> dict[str, int]:
    """Receipts by code that the menu does not know, and which therefore count for nothing."""
    given = registers.get("service")
    if given is None or given.empty:
        return {}
    counted = given.service[~given.service.isin([service.code for service in menu])].value_counts()
    return {str(code): int(count) for code, count in sorted(counted.items())}


def _of(person: Person, services: Sequence[Service], seen: Known, engine: Engine) -> dict[str, pd.DataFrame]:
    """What every household needs of each service of one kind of person, by one query."""
    read = {name for one in services for name in (*one.eligibility.columns, *one.receipt.columns)}
    people = facts(person, seen, wanted=read, engine=engine)
    given = {_name(place, "receipt"): _received(people, one, seen) for place, one in enumerate(services)}
    table = engine.hold(f"people_{person}", people.drop(columns=PERSON).assign(row=np.arange(len(people)), **given))
    answers = [_answers(service, table, place) for place, service in enumerate(services)]
    asked = {name: answer for one in answers for name, answer in one.items()}
    # The engine gives rows in any order.
    found = engine.fetch(table.select("row", **asked)).sort_values("row", ignore_index=True)
    number, households = pd.factorize(people.household_id)
    made: dict[str, pd.DataFrame] = {}
    for place, service in enumerate(services):
        rows = _rows(found, number, service, place).assign(household_id=households)
        made[service.code] = rows[rows.status >= 0]
    return made


def _name(place: int, what: str) -> str:
    return f"s{place}_{what}"


def _received(people: pd.DataFrame, service: Service, seen: Known) -> pd.Series:
    """Whether a receipt in the window is of the person, or of the household as a whole; null without the register."""
    if "service" not in seen.rows:
        return pd.Series(pd.NA, index=people.index, dtype="boolean")
    given = seen.receipts.get(service.code)
    if given is None:
        return pd.Series(data=False, index=people.index, dtype="boolean")
    window = np.inf if service.window_days is None else service.window_days
    given = given[(seen.on - given.received_on).dt.days.between(0, window)]
    of_all = given if service.of is Person.HOUSEHOLD else given[given.person_id.isna()]
    found = people.household_id.isin(of_all.household_id) | people.person_id.isin(given.person_id.dropna())
    return found.astype("boolean")


def _answers(service: Service, table: ir.Table, place: int) -> dict[str, Any]:
    """The status of each person, and whether a register is why eligibility or receipt is not known."""
    columns = {name: table[name] for name in table.columns} | {"receipt": table[_name(place, "receipt")]}
    eligible, received = value(service.eligibility, columns), value(service.receipt, columns)
    status = ibis.cases((~eligible, NOT_ELIGIBLE), (received, RECEIVED), (eligible & ~received, UNMET), else_=UNKNOWN)
    blamed = {_name(place, register): why.cast("int8") for register, why in _blamed(service, columns).items()}
    return {_name(place, "status"): status.cast("int8")} | blamed


def _blamed(service: Service, columns: Mapping[str, ir.Value]) -> dict[str, Any]:
    """By register: whether a fact that it does not tell is why eligibility or receipt is not known."""
    registers = {name: fact.register for name, fact in FACTS[service.of].items()} | {"receipt": RECEIPT.register}
    both = (service.eligibility, service.receipt)
    found: dict[str, Any] = {}
    for register in sorted({registers[name] for predicate in both for name in predicate.columns}):
        told = [name for name, teller in registers.items() if teller == register]
        whys = [why for predicate in both if (why := lacking(predicate, columns, names=told)) is not None]
        if whys:
            found[register] = reduce(operator.or_, [why.fill_null(ibis.literal(value=False)) for why in whys])
    return found


def _rows(found: pd.DataFrame, number: np.ndarray, service: Service, place: int) -> pd.DataFrame:
    """One row a household: status, how many persons it is about, and the registers that are why as bits of `why`.

    Parameters
    ----------
    found
        The persons' answers.
    number
        The household of each.
    """
    status, households = found[_name(place, "status")].to_numpy(), int(number.max(initial=-1)) + 1
    unmet, received, unknown = (
        np.bincount(number[status == one], minlength=households) for one in (UNMET, RECEIVED, UNKNOWN)
    )
    of_household = np.select([unmet > 0, unknown > 0, received > 0], [UNMET, UNKNOWN, RECEIVED], NOT_ELIGIBLE)
    why = np.zeros(households, dtype="int32")
    for bit, register in enumerate(NAMED):
        if _name(place, register) in found:
            blamed = (found[_name(place, register)].to_numpy() == 1) & (status == UNKNOWN)
            why |= (np.bincount(number[blamed], minlength=households) > 0).astype("int32") << bit
    persons = np.select([of_household == UNMET, of_household == UNKNOWN], [unmet, unknown], received)
    return pd.DataFrame(
        {
            "status": (of_household - 1).astype("int8"),
            "persons": persons.astype("int32"),
            "cost_idr": np.where(of_household == UNMET, unmet * service.unit_cost_idr.default, 0),
            "why": np.where(of_household == UNKNOWN, why, 0).astype("int32"),
        }
    )


def _table(parts: Mapping[str, pd.DataFrame], menu: Sequence[Service], *, missing: Collection[str]) -> pd.DataFrame:
    codes = [service.code for service in menu]
    numbered = [parts[code].assign(service=np.int16(place)) for place, code in enumerate(codes)]
    rows = pd.concat(numbered, ignore_index=True)
    # Identifiers are sorted once; rows then by number, which is ten times as fast.
    number, households = pd.factorize(rows.household_id.astype("string"), sort=True)
    rows = rows.assign(household=number.astype("int32")).drop(columns="household_id")
    rows = rows.iloc[np.lexsort([rows.service, rows.household])]
    whys, words = np.unique(rows.why, return_inverse=True)
    said = [_words(why, missing) for why in whys]
    return pd.DataFrame(
        {
            "household_id": households.take(rows.household.to_numpy()),
            "service": _categories(rows.service.to_numpy(), codes),
            "status": _categories(rows.status.to_numpy(), STATUSES),
            "persons": rows.persons.to_numpy("int64"),
            "cost_idr": rows.cost_idr.to_numpy("int64"),
            "why_id": _categorical(words, [in_indonesian for in_indonesian, _ in said]),
            "why_en": _categorical(words, [in_english for _, in_english in said]),
        }
    )


def _categorical(place: np.ndarray, words: Sequence[str]) -> pd.Categorical[str]:
    """The words at each place; null where they are empty."""
    spoken = [one for one in words if one]
    codes = np.array([spoken.index(one) if one else -1 for one in words], dtype="int32")
    return _categories(codes[place], spoken)


def _categories(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, pd.Index(list(names)))


def _words(why: int, missing: Collection[str]) -> tuple[str, str]:
    named = [register for bit, register in enumerate(NAMED) if why >> bit & 1]
    said = [
        (f"register {one} tidak ada", f"register {one} is missing")
        if one in missing
        else (f"tidak tercatat di register {one}", f"not recorded in register {one}")
        for one in named
    ]
    if not said:
        return "", ""
    in_indonesian, in_english = zip(*said, strict=True)
    return "belum diketahui: " + "; ".join(in_indonesian), "not known: " + "; ".join(in_english)
