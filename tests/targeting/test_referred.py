"""Who a request's households have to refer, as the batch would say it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.request import Household
from targeting.referred import Urgent, referred
from targeting.urgent import UrgentLimits

LIMITS = UrgentLimits(haemoglobin_g_dl=8.0)
DAY = dt.datetime.fromisoformat("2024-05-02")
SINCE = dt.datetime.fromisoformat("2024-01-01")


def home(name="h1", *, as_of=None, measured=(), women=()):
    """A household with one child of two years."""
    child = {"child_id": "ana", "household_id": name, "recorded_on": DAY, "birth_date": dt.datetime(2022, 5, 2)}  # noqa: DTZ001 (a day has no time zone)
    rows = {"child": [child], "measurement": list(measured), "maternal": list(women)}
    return Household(name, rows, as_of)


def measured(on=DAY, **found):
    return {"child_id": "ana", "measured_on": on, "recorded_on": on, **found}


def woman(hb, on=DAY, mother="ina"):
    return {"mother_id": mother, "household_id": "h1", "recorded_on": on, "haemoglobin_g_dl": hb}


def names(*homes, limits=LIMITS):
    found = referred(homes, since=SINCE, limits=limits)
    return {n: [one.child_id or one.mother_id for one in told] for n, told in found.items()}


def test_a_child_and_a_woman_are_named_with_the_days_that_are_known_of_them():
    found = referred([home(measured=[measured(muac_cm=11.2)], women=[woman(7.9)])], since=SINCE, limits=LIMITS)

    said = {"child_id": "ana", "mother_id": None, "measured_on": DAY.date()}
    arm = Urgent(
        **said, recorded_on=DAY.date(), why_id="LiLA di bawah 11,5 cm", why_en="arm circumference below 11.5 cm"
    )
    said = {"child_id": None, "mother_id": "ina", "measured_on": None}
    blood = Urgent(**said, recorded_on=DAY.date(), why_id="Hb di bawah 8 g/dL", why_en="haemoglobin below 8 g/dL")
    assert {0: [arm, blood]} == found


@pytest.mark.parametrize(("hb", "limit", "found"), [(7.99, 8.0, {0: ["ina"]}), (8.0, 8.0, {}), (2.0, None, {})])
def test_a_woman_is_named_strictly_below_the_limit_and_never_without_one(hb, limit, found):
    assert found == names(home(women=[woman(hb)]), limits=UrgentLimits(haemoglobin_g_dl=limit))


def test_a_newer_haemoglobin_decides_and_a_newer_record_without_one_does_not():
    later = DAY + dt.timedelta(days=30)

    assert {} == names(home(women=[woman(7, on=DAY), woman(11, on=later)]))
    assert {0: ["ina"]} == names(home(women=[woman(11, on=DAY), woman(7, on=later)]))
    assert {0: ["ina"]} == names(home(women=[woman(7, on=DAY), woman(None, on=later)]))


def test_a_record_before_the_test_period_counts_only_where_a_day_is_asked_for():
    long_ago = [woman(7, on=dt.datetime(2023, 5, 2))]  # noqa: DTZ001 (a day has no time zone)

    assert {} == names(home(women=long_ago))
    assert {0: ["ina"]} == names(home(women=long_ago, as_of=DAY))


def test_a_womans_thin_arm_is_no_sign():
    assert {} == names(home(women=[woman(None) | {"muac_cm": 11.0}]))


def test_two_households_may_give_two_women_the_same_identifier():
    assert {1: ["ina"]} == names(home("h1", women=[woman(11)]), home("h2", women=[woman(7)]))


@given(st.lists(st.lists(st.sampled_from([7.0, 8.0, None]), max_size=3), min_size=1, max_size=4), st.data())
def test_nobody_is_named_less_because_others_are_asked_about_too(bloods, data):
    days = [DAY + dt.timedelta(days=n) for n in range(3)]
    homes = [home(f"h{n}", women=[woman(hb, on=day) for hb, day in zip(each, days, strict=False)])
             for n, each in enumerate(bloods)]  # fmt: skip
    one = data.draw(st.integers(0, len(homes) - 1))

    assert names(homes[one]).get(0) == names(*homes).get(one)
