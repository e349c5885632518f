"""Draws policies, households and services that may be handed over, for the tests of plans."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from targeting.policy import policy_of
from tests.drawn import drawn

MENU = drawn("""
    service | owner  | name_id          | name_en       | reduction |
    --------+--------+------------------+---------------+-----------+
    pmt     | dinkes | Makanan tambahan | Extra food    | 0.30      |
    mms     | dinkes | Vitamin          | Micronutrient | 0.10      |
    jamban  | pupr   | Jamban sehat     | A latrine     |           |
    pkh     | dinsos | Bantuan tunai    | A cash grant  |           |
""").set_index("service")
COST = {"pmt": 700_000, "mms": 50_001, "jamban": 2_500_000, "pkh": 1_000_003}
OWNER, REDUCTION = MENU.owner.to_dict(), MENU.reduction.to_dict()
HALF = Fraction(1, 2)
NOBODY = pd.DataFrame({"household_id": [], "region_id": [], "area_id": [], "why": []}, dtype="str")
NO_NEED = pd.DataFrame(
    {"household_id": [], "service": [], "status": [], "persons": [], "cost_idr": [], "why_id": [], "why_en": []}
).astype({"household_id": "str", "service": "str", "status": "str", "persons": "int64", "cost_idr": "int64"})


@dataclass(frozen=True, eq=False)
class Round:
    policy: object
    homes: pd.DataFrame
    offers: pd.DataFrame


def policy_with(**rules):
    """A policy of three visits, none of them by lot, with these rules."""
    least = {"version": "1", "name": "Putaran", "round": "putaran-1", "capacity": {"amount": 3}}
    return policy_of({**least, **rules}, of="the test")


def homes_with(value, **columns):
    """Households h00, h01, ... of one region, in areas of their own, each with one child; `columns` say otherwise."""
    count = len(value)
    rows = pd.DataFrame(
        {
            "household_id": [f"h{n:02d}" for n in range(count)],
            "region_id": "r1",
            "area_id": [f"a{n:02d}" for n in range(count)],
            "posyandu_id": None,
            "track": "find",
            "pregnant": False,
            "under_24_months": False,
            "never_measured": pd.array([False] * count, dtype="boolean"),
            "value": np.asarray(value, dtype=float),
            "risk": np.minimum(value, 1.0),
            "unit_count": 1,
            "stalest_on": pd.Timestamp("2024-01-01"),
        }
    )
    return rows.assign(**columns)


def offers_with(rows):
    """Offers of (household_id, service), or (household_id, service, persons), by household and service."""
    wide = sorted((*row, 1)[:3] for row in rows)
    service = [one for _, one, _ in wide]
    persons = np.array([many for _, _, many in wide], dtype="int64")
    return pd.DataFrame(
        {
            "household_id": pd.Series([home for home, _, _ in wide], dtype="str"),
            "service": pd.Series(service, dtype="str"),
            "owner": pd.Series([OWNER[one] for one in service], dtype="str"),
            "persons": persons,
            "cost_idr": np.array([COST[one] for one in service], dtype="int64") * persons,
            "reduction": np.array([REDUCTION[one] for one in service], dtype="float64"),
        }
    )


def needs_of(offers):
    """The unmet needs that those offers answer."""
    return offers.assign(status="unmet", why_id=None, why_en=None)[list(NO_NEED)]


hundredths = st.integers(0, 100).map(lambda percent: percent / 100)
few_hundredths = st.sampled_from([0.05, 0.1, 0.25, 0.33, 0.5])


@st.composite
def homes(draw, most=9):
    # A number a household, taken apart: drawing each column by itself takes ten times as long.
    numbers = np.array(draw(st.lists(st.integers(0, 80 * 4 * 3 * 3 * 3 * 2**3 - 1), min_size=1, max_size=most)))

    def each(values):
        nonlocal numbers
        numbers, place = np.divmod(numbers, len(values))
        return [values[one] for one in place]

    area = each(["d1", "d2", "d3", None])
    region = {"d1": "r1", "d2": "r1", "d3": "r2", None: None}
    second = np.array(each([0, 0, 1]))
    return homes_with(
        np.round(np.array(each(range(1, 81))) / 100 + second * 0.2, 2),
        area_id=pd.array(area, dtype="string"),
        region_id=pd.array([region[one] for one in area], dtype="string"),
        posyandu_id=pd.array(each(["p1", "p2", None]), dtype="string"),
        track=each(["find", "prevent"]),
        pregnant=each([False, True]),
        under_24_months=each([False, True]),
        never_measured=pd.array(each([False, True, None]), dtype="boolean"),
        unit_count=1 + second,
    )


def offers_of(homes, *, most=5):
    pairs = list(product(homes.household_id, MENU.index, (1, 2)))
    chosen = st.lists(st.sampled_from(pairs), max_size=most, unique_by=lambda pair: pair[:2])
    return chosen.map(offers_with)


def parts(most=3):
    return st.one_of(
        st.fixed_dictionaries({"visits": st.integers(0, most)}), st.fixed_dictionaries({"share": few_hundredths})
    )


@st.composite
def rules(draw, *, count, lots=True):
    """Rules of a policy for so many households; they may well be against each other."""
    objective = draw(st.sampled_from(["find", "prevent", "by_age"]))
    at_least = draw(st.integers(0, 2))
    return {
        "version": "1",
        "name": "Putaran",
        "round": draw(st.sampled_from(["satu", "dua"])),
        "objective": objective,
        "prevent_share": draw(hundredths),
        "credit_effects": objective != "find" and draw(st.booleans()),
        "service_worth": draw(st.sampled_from([0.02, 0.1])),
        "capacity": draw(
            st.one_of(
                st.fixed_dictionaries({"amount": st.integers(0, count + 1)}),
                st.fixed_dictionaries({"share": hundredths}),
                st.fixed_dictionaries({"unit": st.just("rupiah"), "amount": st.integers(0, count * 50_000)}),
            )
        ),
        "floors": draw(st.dictionaries(st.sampled_from(["region", "area", "posyandu"]), parts(2), max_size=1)),
        "quotas": draw(st.dictionaries(st.sampled_from(["region", "area", "posyandu"]), parts(4), max_size=2)),
        "named": draw(
            st.sampled_from([{}, {}, {"d1": {"at_least": at_least, "at_most": at_least + 1}}, {"r1": {"at_most": 2}}])
        ),
        "reserves": {
            "pregnant": draw(st.sampled_from([0.0, 0.0, 0.2])),
            "under_24_months": draw(st.sampled_from([0.0, 0.0, 0.5])),
            "never_measured": draw(st.sampled_from([0.0, 0.0, 0.3])),
            "exploration": draw(st.sampled_from([0.0, 0.1, 0.3])) if lots else 0.0,
        },
        "workload": draw(
            st.fixed_dictionaries(
                {
                    "by": st.sampled_from(["posyandu", "area"]),
                    "most": st.sampled_from([None, None, 2, 4]),
                    "equal_share": st.sampled_from([0.0, 0.0, 0.4]),
                }
            )
        ),
        "budgets_idr": draw(
            st.dictionaries(
                st.sampled_from(["dinkes", "pupr", "dinsos"]),
                st.sampled_from([None, 0, 50_000, 50_001, 749_999, 1_450_001, 2_500_000, 3_500_003]),
            )
        ),
    }


def kept_rules(found, homes):
    """Those rules without what a policy refuses by itself: too few at a named place, and a floor above its quota."""
    inside = {name: (homes.region_id.eq(name) | homes.area_id.eq(name)).sum() for name in found["named"]}
    named = {
        name: part for name, part in found["named"].items() if inside[name] and part.get("at_least", 0) <= inside[name]
    }
    floors = {level: part for level, part in found["floors"].items() if not _above(part, found["quotas"].get(level))}
    return policy_of({**found, "named": named, "floors": floors}, of="the test")


def _above(floor, quota):
    return any(unit in (quota or {}) and least > quota[unit] for unit, least in floor.items())


@st.composite
def rounds(draw, *, lots=True, most=9, offers=5):
    """A policy with households and offers that are of funded owners."""
    of = draw(homes(most))
    policy = kept_rules(draw(rules(count=len(of), lots=lots)), of)
    found = draw(offers_of(of, most=offers))
    return Round(policy, of, found[found.owner.isin(list(policy.budgets_idr))].reset_index(drop=True))


def subsets(count):
    """Every choice of so many. Shape (2 ** count, count)."""
    return (np.arange(2**count)[:, None] >> np.arange(count)) & 1 == 1


def half_up(share, count):
    return math.floor(Fraction(str(share)) * int(count) + HALF)


def crowd(count, *, seed=0, desa=20):
    """Many households of five regions with their offers, drawn from a seed."""
    chance = np.random.default_rng(seed)
    area = chance.integers(0, desa, count)
    second = chance.random(count) < 0.3
    of = homes_with(
        np.round(chance.beta(1.2, 4, count) + second * chance.beta(1.2, 6, count), 3),
        household_id=[f"h{n:05d}" for n in range(count)],
        area_id=[f"d{one:02d}" for one in area],
        region_id=[f"r{one % 5}" for one in area],
        posyandu_id=[f"p{one:02d}-{two}" for one, two in zip(area, chance.integers(0, 3, count), strict=True)],
        track=np.where(chance.random(count) < 0.4, "prevent", "find"),
        pregnant=chance.random(count) < 0.08,
        under_24_months=chance.random(count) < 0.3,
        unit_count=1 + second,
    )
    lacking = chance.random((count, len(MENU))) < 0.4
    pairs = [(of.household_id[row], MENU.index[one]) for row, one in np.argwhere(lacking)]
    return of, offers_with(pairs)
