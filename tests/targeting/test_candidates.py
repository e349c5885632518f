"""Who competes for a round, and who does not, with why."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.candidates import candidates
from tests.drawn import drawn
from tests.targeting.planned import policy_with

ON = dt.date(2024, 6, 1)
UNITS = drawn("""
    unit_id      | unit_kind | child_id | mother_id | household_id | area_id | age_months | risk_now | risk_at_24m
    -------------+-----------+----------+-----------+--------------+---------+------------+----------+------------
    ana          | child     | ana      | m1        | h1           | a1      | 10         | 0.1      | 0.3        |
    budi         | child     | budi     | m1        | h1           | a1      | 40         | 0.4      |            |
    citra        | child     | citra    | m2        | h2           | a1      | 50         | 0.2      |            |
    pregnancy-m3 | pregnancy |          | m3        | h3           | a2      |            |          | 0.5        |
    dewi         | child     | dewi     | m4        | h4           | a2      | 5          | 0.2      | 0.2        |
""").assign(region_id="r1", reasons_id="", reasons_en="", reasons_24m_id="", reasons_24m_en="")
MEASURED = drawn("""
    child_id | measured_on | posyandu_id |
    ---------+-------------+------------
    ana      | 2024-03-01  | melati      |
    ana      | 2024-05-01  | mawar       |
    citra    | 2024-05-01  |             |
""").assign(recorded_on=lambda rows: rows.measured_on)
NOBODY = pd.DataFrame({"child_id": [], "mother_id": []}, dtype="str")


def contacts(*rows):
    names = ["household_id", "person_id", "kind", "happened_on", "recorded_on"]
    wide = [(*row, row[-1])[:5] for row in rows]
    found = pd.DataFrame(wide, columns=names)
    return found.assign(happened_on=pd.to_datetime(found.happened_on), recorded_on=pd.to_datetime(found.recorded_on))


def of(*rows, in_danger=NOBODY, held=None, units=UNITS, measured=MEASURED, **rules):
    registers = {"measurement": measured, "contact": contacts(*rows)}
    return candidates(units, registers, in_danger=in_danger, policy=policy_with(**rules), on=ON, held=held)


def values(found):
    return dict(zip(found.homes.household_id, found.homes.value, strict=True))


def why(found):
    return dict(zip(found.apart.household_id, found.apart.why, strict=True))


def test_to_find_is_by_the_children_now_and_a_pregnancy_alone_does_not_compete():
    found = of()

    assert {"h1": 0.5, "h2": 0.2, "h4": 0.2} == pytest.approx(values(found))
    assert {"h3": "not of the objective"} == why(found)


def test_to_prevent_is_by_the_first_thousand_days():
    found = of(objective="prevent")

    assert {"h1": 0.3, "h3": 0.5, "h4": 0.2} == pytest.approx(values(found))
    assert {"h2": "not of the objective"} == why(found)


def test_by_age_each_household_is_on_one_track():
    homes = of(objective="by_age").homes.set_index("household_id")

    assert {"h1": "prevent", "h2": "find", "h3": "prevent", "h4": "prevent"} == homes.track.to_dict()
    assert {"h1": 0.3, "h2": 0.2, "h3": 0.5, "h4": 0.2} == pytest.approx(homes.value.to_dict())


def test_kinds_and_the_posyandu_of_the_newest_measurement_are_told():
    homes = of(objective="by_age").homes.set_index("household_id")

    assert ["h3"] == list(homes.index[homes.pregnant])
    assert ["h1", "h4"] == list(homes.index[homes.under_24_months])
    # budi was never measured, though his sister was.
    assert ["h1", "h4"] == list(homes.index[homes.never_measured])
    assert "mawar" == homes.posyandu_id["h1"]
    assert homes.posyandu_id.isna()[["h2", "h3", "h4"]].all()


def test_without_measurements_nobody_is_said_to_be_never_measured():
    assert of(measured=MEASURED.head(0)).homes.never_measured.isna().all()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("h1", None, "visited", "2024-05-20")], "visited"),
        ([("h1", None, "visited", "2024-05-03")], None),
        ([("h1", None, "visited", "2024-05-20", "2024-06-02")], None),
        ([("h1", None, "not_found", "2024-05-20")], None),
        ([("h1", None, "objection_opened", "2023-01-01")], "objection"),
        ([("h1", None, "objection_opened", "2023-01-01"), ("h1", None, "objection_closed", "2023-02-01")], None),
        ([("h1", None, "objection_closed", "2023-01-01"), ("h1", None, "objection_opened", "2023-02-01")], "objection"),
        ([("h1", None, "moved", "2024-01-01")], "moved"),
        ([("h1", None, "moved", "2024-01-01"), ("h1", None, "visited", "2024-02-01")], None),
        ([("h1", "ana", "deceased", "2024-01-01")], None),
        ([("h1", "ana", "deceased", "2024-01-01"), ("h1", "budi", "deceased", "2024-01-01")], "deceased"),
    ],
)
def test_contacts_keep_a_household_out_and_end(rows, reason):
    found = of(*rows, exclusions={"visited_within_weeks": 4})

    assert reason == why(found).get("h1")
    assert (reason is None) == ("h1" in set(found.homes.household_id))


def test_a_child_who_died_counts_no_more():
    homes = of(("h1", "budi", "deceased", "2024-01-01")).homes.set_index("household_id")

    assert 0.1 == pytest.approx(homes.value["h1"])


def test_whoever_is_referred_is_not_ranked_and_siblings_are():
    danger = pd.DataFrame({"child_id": ["budi", "citra"], "mother_id": [None, None]})
    found = of(in_danger=danger)

    assert 0.1 == pytest.approx(found.homes.set_index("household_id").value["h1"])
    assert "referred" == why(found)["h2"]
    assert {"ana", "dewi", "pregnancy-m3"} == set(found.units.unit_id)


def test_what_an_officer_set_aside_stays_out():
    held = pd.DataFrame({"household_id": ["h4", "elsewhere"], "why": ["deferred", "objection"]})

    assert {"h3": "not of the objective", "h4": "deferred"} == why(of(held=held))


KINDS = ["visited", "not_found", "moved", "deceased", "objection_opened", "objection_closed"]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["h1", "h2", "h3", "h4"]), st.sampled_from([None, "ana", "budi", "citra", "m3"]),
        st.sampled_from(KINDS), st.dates(dt.date(2024, 1, 1), dt.date(2024, 6, 20)),
    ),
    max_size=8,
)  # fmt: skip


@given(rows=EVENTS, seed=st.integers(0, 99))
def test_every_scored_household_competes_or_is_told_why_not_in_any_order_of_rows(rows, seed):
    found = of(*rows, exclusions={"visited_within_weeks": 4}, objective="by_age")
    turned = candidates(
        UNITS.sample(frac=1, random_state=seed),
        {"measurement": MEASURED, "contact": contacts(*rows).sample(frac=1, random_state=seed)},
        in_danger=NOBODY, policy=policy_with(exclusions={"visited_within_weeks": 4}, objective="by_age"), on=ON,
    )  # fmt: skip

    assert sorted(UNITS.household_id.unique()) == sorted([*found.homes.household_id, *found.apart.household_id])
    pd.testing.assert_frame_equal(found.apart, turned.apart, check_dtype=False)
    pd.testing.assert_frame_equal(found.homes, turned.homes)
