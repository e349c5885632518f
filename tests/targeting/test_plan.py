"""A plan tells of every household why it is on it or not, and of every limit what it costs."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.errors import InputRefused
from targeting.limits import limits_of
from targeting.plan import plan
from targeting.plan_lots import drawn
from targeting.plan_words import APART
from tests.targeting.planned import (
    MENU,
    NO_NEED,
    NOBODY,
    crowd,
    half_up,
    homes_with,
    hundredths,
    needs_of,
    offers_with,
    policy_with,
    rounds,
)

TABLES = ("lines", "left_out", "services", "limits")


def planned(homes, *, offers=None, needs=None, apart=NOBODY, menu=MENU, **rules):
    needs = NO_NEED if offers is None and needs is None else needs_of(offers) if needs is None else needs
    return plan(policy_with(**rules), homes, apart=apart, needs=needs, menu=menu)


def on_it(homes, **rules):
    return set(planned(homes, **rules).lines.household_id)


def said_of(found, household):
    return found.left_out.set_index("household_id").loc[household]


@settings(max_examples=12)
@given(rounds(), st.data())
def test_every_household_is_once_on_the_plan_or_left_out(found, data):
    reasons = data.draw(st.lists(st.sampled_from(sorted(APART)), max_size=3))
    apart = pd.DataFrame(
        {"household_id": [f"z{n}" for n in range(len(reasons))], "region_id": "r1", "area_id": "d1", "why": reasons},
        dtype="str",
    )
    made = made_of(found, apart=apart)
    everyone = [*made.lines.household_id, *made.left_out.household_id]

    assert sorted([*found.homes.household_id, *apart.household_id]) == sorted(everyone)
    told = made.left_out.set_index("household_id").loc[apart.household_id]
    assert reasons == told.kept_out_by.tolist()
    assert [APART[why] for why in reasons] == list(zip(told.why_id, told.why_en, strict=True))
    assert told.short_by.isna().all()


def made_of(found, *, apart=NOBODY, shuffled=None):
    turned = shuffled or (lambda rows: rows)
    try:
        return plan(
            found.policy,
            turned(found.homes),
            apart=turned(apart),
            needs=turned(needs_of(found.offers)),
            menu=turned(MENU),
        )
    except InputRefused:
        assume(condition=False)


@settings(max_examples=15)
@given(rounds(), st.integers(0, 10))
def test_the_order_of_rows_never_matters(found, seed):
    one = made_of(found)
    other = made_of(found, shuffled=lambda rows: rows.sample(frac=1, random_state=seed))

    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))
    assert one.figures == other.figures
    assert one.notes == other.notes


@settings(max_examples=20)
@given(rounds())
def test_what_falls_by_lot_keeps_quotas_and_stands_for_all_who_were_not_chosen(found):
    made = made_of(found)
    by_lot = made.lines.chosen_for == "exploration"
    asked = half_up(found.policy.reserves.exploration, limits_of(found.policy, found.homes).visits)
    unchosen = len(found.homes) - (~by_lot).sum()
    place = {"region": "region_id", "area": "area_id"}

    assert min(asked, unchosen) >= by_lot.sum() == made.figures.by_lot
    if not found.policy.quotas and not found.policy.named and found.policy.workload.most is None:
        assert min(asked, unchosen) == by_lot.sum()
    assert made.lines.weight.tolist() == pytest.approx((1 / made.lines.chance).tolist())
    if by_lot.any():
        assert len(found.homes) == pytest.approx(made.lines.weight.sum())
        assert [by_lot.sum() / unchosen] * by_lot.sum() == pytest.approx(made.lines.chance[by_lot].tolist())
    for level, part in found.policy.quotas.items():
        if part.visits is not None and level in place:
            assert made.lines[place[level]].value_counts().le(part.visits).all()
    for name, part in found.policy.named.items():
        inside = made.lines.region_id.eq(name) | made.lines.area_id.eq(name)
        assert part.at_most is None or inside.sum() <= part.at_most
    if found.policy.workload.most is not None and found.policy.workload.by == "area":
        assert made.lines.area_id.fillna("?").value_counts().le(found.policy.workload.most).all()


@settings(max_examples=15)
@given(st.lists(hundredths.filter(bool), min_size=4, max_size=9), st.integers(1, 3))
def test_what_a_value_lacks_is_within_the_cut(value, visits):
    homes = homes_with(value)
    made = planned(homes, capacity={"amount": visits})
    last_in, first_out = made.lines.value.min(), made.left_out.value.max()

    for one in made.left_out.itertuples():
        assert "capacity" == one.kept_out_by
        assert first_out - one.value - 1e-9 <= one.short_by <= last_in - one.value + 1e-9


@settings(max_examples=8)
@given(st.lists(st.integers(1, 48).map(lambda n: n / 100), min_size=1, max_size=5), st.integers(0, 5), st.booleans())
def test_a_little_more_than_it_lacks_puts_a_household_on_the_plan_and_a_little_less_does_not(low, place, two):
    # Equal values on both sides of the cut: every price of capacity is theirs, and no cut falls between two values.
    value = [0.9, 0.5, 0.5, *low]
    place = 3 + place % len(low)
    homes = homes_with(value, region_id=["r1"] * len(value))
    rules = {"capacity": {"amount": 2}} | ({"quotas": {"region": {"visits": 2}}} if two else {})
    short = said_of(planned(homes, **rules), f"h{place:02d}").short_by

    assert 0.5 - value[place] == pytest.approx(short)
    for change, expected in ((1e-6, True), (-1e-6, False)):
        raised = homes.assign(value=[v + (short + change if n == place else 0) for n, v in enumerate(value)])
        assert expected == (f"h{place:02d}" in on_it(raised, **rules))


def test_what_a_credited_household_lacks_counts_what_it_would_be_handed():
    homes = homes_with([0.5, 0.5, 0.2], track="prevent")
    offers = offers_with([(home, "pmt") for home in homes.household_id])
    rules = {
        "capacity": {"amount": 1}, "objective": "prevent", "credit_effects": True, "budgets_idr": {"dinkes": None},
    }  # fmt: skip
    short = said_of(planned(homes, offers=offers, **rules), "h02").short_by

    assert 0.3 == pytest.approx(short)
    for change, expected in ((1e-4, True), (-1e-4, False)):
        raised = homes.assign(value=[0.5, 0.5, 0.2 + short + change])
        assert expected == ("h02" in on_it(raised, offers=offers, **rules))


def test_a_household_is_told_which_limit_kept_it_out_and_how_far():
    homes = homes_with([0.9, 0.8, 0.8, 0.3, 0.3], region_id=["r1", "r1", "r1", "r2", "r2"])
    made = planned(homes, quotas={"region": {"visits": 2}}, capacity={"amount": 3})
    other = said_of(made, "h01" if "h02" in set(made.lines.household_id) else "h02")

    assert ("quotas.region", "r1", 0.0) == (other.kept_out_by, other.place, other.short_by)
    assert "tepat di batas: batas per wilayah (r1)" == other.why_id
    assert "on the very cut: the quota of its region (r1)" == other.why_en

    lower = said_of(planned(homes.assign(value=[0.9, 0.8, 0.5, 0.3, 0.3]), capacity={"amount": 2}), "h03")
    assert "capacity" == lower.kept_out_by
    assert re.fullmatch(r"kapasitas putaran; perkiraan anak stunting kurang 0,[2-5]00 dari batas", lower.why_id)
    assert re.fullmatch(r"the capacity of the round; 0\.[2-5]00 expected stunted children below the cut", lower.why_en)


def test_a_household_that_only_a_floor_brings_in_names_the_floor():
    homes = homes_with([0.9, 0.8, 0.7, 0.1, 0.05], region_id=["r1", "r1", "r1", "r2", "r2"])
    found = planned(homes, floors={"region": {"visits": 1}}).lines.set_index("household_id")

    assert {"h00": "value", "h01": "value", "h03": "floors.region"} == found.chosen_for.to_dict()
    assert "jumlah paling sedikit per wilayah (r2)" == found.chosen_for_id["h03"]
    assert "the floor of its region (r2)" == found.chosen_for_en["h03"]
    assert "nilai tertinggi" == found.chosen_for_id["h00"]


def test_a_reserve_and_a_named_place_are_named_where_they_bring_in():
    homes = homes_with([0.9, 0.8, 0.7, 0.1, 0.2], pregnant=[False, False, False, True, False])
    found = planned(homes, reserves={"pregnant": 0.3}, named={"a04": {"at_least": 1}})
    why = found.lines.set_index("household_id").chosen_for

    assert {"h00": "value", "h03": "reserves.pregnant", "h04": "named"} == why.to_dict()


def test_a_price_says_what_more_of_a_limit_or_less_of_a_floor_would_reach():
    homes = homes_with([0.9, 0.6, 0.6, 0.6, 0.1, 0.1], region_id=["r1", "r1", "r1", "r1", "r2", "r2"])
    found = planned(homes, floors={"region": {"visits": 1}}).limits.set_index(["rule", "place"])

    assert 0.6 == pytest.approx(found.price["capacity", ""])
    assert (
        "3 kunjungan lagi pada kapasitas putaran: sekitar 1,800 anak stunting lagi" == (found.price_id["capacity", ""])
    )
    assert -0.5 == pytest.approx(found.price["floors.region", "r2"])
    assert (
        "1 visit fewer for the floor of its region (r2): about 0.500 more stunted children elsewhere"
        == (found.price_en["floors.region", "r2"])
    )
    assert "" == found.price_id["floors.region", "r1"]
    assert (3, 3) == (found.used["capacity", ""], found.most["capacity", ""])


def test_lines_go_by_value_and_the_two_tracks_take_turns_by_their_shares():
    homes = homes_with([0.2, 0.9, 0.5, 0.5, 0.1], track=["prevent", "find", "find", "find", "prevent"])
    found = planned(homes, objective="by_age", prevent_share=0.4, capacity={"amount": 5}).lines

    # One of three find has the first sixth of the round, one of two prevent the first quarter.
    assert ["find", "prevent", "find", "prevent", "find"] == found.track.tolist()
    assert ["h01", "h00"] == found.household_id[:2].tolist()
    assert [1, 2, 3, 4, 5] == found["rank"].tolist()


def test_lots_fall_differently_by_the_name_of_the_round_and_on_all_alike():
    homes = homes_with(np.linspace(0.9, 0.1, 20))
    limits = limits_of(policy_with(capacity={"amount": 6}, reserves={"exploration": 0.5}), homes)
    visited = np.arange(20) < 3
    times = sum(
        drawn(limits, homes.household_id.tolist(), visited, salt=f"putaran-{n}").astype(int) for n in range(400)
    )

    assert 0 == times[:3].max()
    # 3 of 17 in 400 rounds: 70.6 times each, with a standard deviation of 7.6.
    assert 70.6 - 4 * 7.6 < times[3:].min() <= times[3:].max() < 70.6 + 4 * 7.6


def test_lots_are_drawn_again_until_they_keep_the_quotas():
    homes = homes_with(np.full(12, 0.5), region_id=["r1", "r2"] * 6)
    policy = policy_with(capacity={"amount": 4}, reserves={"exploration": 1.0}, quotas={"region": {"visits": 2}})
    limits = limits_of(policy, homes)
    for name in range(20):
        lots = drawn(limits, homes.household_id.tolist(), np.zeros(12, dtype=bool), salt=str(name))
        assert {"r1": 2, "r2": 2} == homes.region_id[lots].value_counts().to_dict()


def test_lots_that_no_place_has_room_for_are_not_used_and_that_is_said():
    made = planned(homes_with(np.full(6, 0.5)), reserves={"exploration": 1.0}, quotas={"region": {"visits": 2}})

    assert 2 == len(made.lines)
    assert "1 of 3 visits are not used: the other limits leave no household for them" in made.notes


def test_services_say_what_is_handed_over_and_what_is_not():
    homes = homes_with([0.9, 0.8])
    needs = pd.concat(
        [
            needs_of(offers_with([("h00", "jamban"), ("h00", "pkh"), ("h00", "pmt"), ("h01", "pmt")])),
            needs_of(offers_with([("h01", "mms"), ("h01", "jamban")])).assign(
                status=["unknown", "received"], why_id=["usia tidak diketahui", None], why_en=["age not known", None]
            ),
        ]
    )
    made = planned(
        homes, needs=needs, budgets_idr={"dinkes": 700_000, "pupr": 0}, services=["pmt", "mms", "pkh"],
    )  # fmt: skip
    found = made.services.set_index(["household_id", "service"])

    assert ["pmt"] == found[found.given].index.get_level_values("service").tolist()
    assert 700_000 == made.lines.services_idr.sum() == made.figures.cost_idr["dinkes"]
    assert "handed over on this visit" == found.why_en["h00", "pmt"]
    assert "its owner's budget is spent" == found.why_en["h01", "pmt"]
    assert "its owner has no budget here" == found.why_en["h00", "pkh"]
    assert "not among the services of this plan" == found.why_en["h00", "jamban"]
    assert "tidak termasuk layanan rencana ini" == found.why_id["h00", "jamban"]
    assert ["jamban; pkh", "pmt"] == made.lines.unmet.tolist()
    assert {"age not known", "already received"} == set(found.why_en["h01"][["mms", "jamban"]])
    assert any("dinsos has no line in budgets_idr: 1 unmet services of it are named" in note for note in made.notes)


def test_a_policy_that_pays_for_no_visit_is_refused():
    with pytest.raises(InputRefused, match=r"a policy that pays for no visit.*Raise `capacity`"):
        planned(homes_with([0.5, 0.4]), capacity={"amount": 0})


def test_a_household_visited_by_lot_is_handed_over_what_the_budgets_still_allow():
    homes = homes_with([0.9, 0.1])
    needs = needs_of(offers_with([("h00", "pmt"), ("h01", "pmt")]))
    rules = {"capacity": {"amount": 2}, "reserves": {"exploration": 0.5}}

    enough = planned(homes, needs=needs, budgets_idr={"dinkes": 1_400_000}, **rules)
    one = planned(homes, needs=needs, budgets_idr={"dinkes": 1_399_999}, **rules)
    assert [("h00", "pmt"), ("h01", "pmt")] == list(zip(enough.lines.household_id, enough.lines.services, strict=True))
    assert [("h00", "pmt"), ("h01", "")] == list(zip(one.lines.household_id, one.lines.services, strict=True))


def test_services_that_exclude_each_other_are_not_handed_over_together():
    needs = needs_of(offers_with([("h00", "pkh"), ("h00", "pmt"), ("h01", "pmt")]))
    menu = MENU.assign(excludes=["pkh", "", "", ""])
    found = planned(
        homes_with([0.9, 0.8]), needs=needs, menu=menu, budgets_idr={"dinkes": None, "dinsos": None}
    ).lines.set_index("household_id")

    assert {"h00": "pkh", "h01": "pmt"} == found.services.to_dict()


def test_households_of_other_regions_are_left_out_with_that_reason():
    made = planned(homes_with([0.9, 0.5], region_id=["r1", "r2"]), regions=["r2"])

    assert ["h01"] == made.lines.household_id.tolist()
    assert ("other region", "di luar wilayah yang dipilih") == tuple(said_of(made, "h00")[["kept_out_by", "why_id"]])


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"regions": ["r9", "r1"]}, r"regions that no household is in: r9. Allowed: 1 regions, among them r1"),
        ({"services": ["pmt", "kursus"]}, r"services that the menu does not have: kursus. Allowed: codes of docs/serv"),
        ({"named": {"d9": {}}}, r"named.d9: no household that competes is in a region or area d9"),
        (
            {"capacity": {"amount": 1}, "reserves": {"pregnant": 1.0}, "named": {"a00": {"at_least": 1}}},
            "cannot all be",
        ),
    ],
)
def test_a_policy_that_names_what_is_not_there_or_cannot_be_kept_is_refused(rules, said):
    with pytest.raises(InputRefused, match=said):
        planned(homes_with([0.5, 0.4], pregnant=[False, True]), **rules)


def test_figures_add_up():
    homes, offers = crowd(400)
    made = planned(
        homes, offers=offers, capacity={"share": 0.1}, reserves={"exploration": 0.05}, budgets_idr={"dinkes": 5_000_000}
    )
    figures = made.figures

    assert (400, 40, 2) == (figures.competing, figures.visits, figures.by_lot)
    assert figures.reached == pytest.approx(made.lines.value.sum())
    assert figures.expected == pytest.approx(made.lines.value.sum() + made.left_out.value.sum())
    assert {"visits": 40 * 50_000, "dinkes": made.lines.services_idr.sum()} == figures.cost_idr
    assert figures.cost_idr["dinkes"] <= 5_000_000
    assert figures.worth <= figures.bound
