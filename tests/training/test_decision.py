"""What a figure for planners must obey: capacity, quota, net benefit."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import drawn
from training import plots_decision
from training.decision import CAPACITIES, capacity_curve, freshness, quota_gain, recall_ratio
from training.metrics import measure, paired_difference
from training.net_benefit import THRESHOLDS, decision_curve
from training.plots import add_line, new_axes
from training.visits import way

RANDOM = np.random.default_rng(11)
ROWS = 400
RISK = np.round(RANDOM.beta(2, 5, ROWS), 2)
LABEL = (RANDOM.random(ROWS) < RISK).astype(int)
RULE = (RISK + RANDOM.normal(0, 0.3, ROWS) > 0.4).astype(int)
CLUSTER = RANDOM.integers(0, 40, ROWS)
REGION = CLUSTER % 4
WEIGHT = RANDOM.integers(1, 4, ROWS)
HOW = {"cluster": CLUSTER, "draws": 20, "seed": 3}

# label, risk in twentieths, area
children = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 4)), min_size=1, max_size=40)
FEW = (0.02, 0.1, 0.25, 0.5)
shares = st.integers(1, 100).map(lambda percent: percent / 100)

TEN = drawn("""
    stunted | risk | rule | area
    --------+------+------+-----
    1       | 0.90 | 0    | kota
    1       | 0.80 | 1    | kota
    0       | 0.70 | 1    | kota
    1       | 0.60 | 0    | kota
    0       | 0.50 | 0    | kota
    1       | 0.45 | 0    | laut
    0       | 0.40 | 0    | laut
    0       | 0.30 | 0    | laut
    0       | 0.20 | 0    | hulu
    0       | 0.10 | 0    | hulu
""")


def once(rows, score, capacity, *, area=None):
    """The points of the curve; each row is its own cluster."""
    one = {"cluster": range(len(rows)), "draws": 1, "seed": 1}
    return capacity_curve(rows.stunted, score, area=area, capacities=[capacity], **one).loc[capacity]


@pytest.mark.parametrize(
    ("capacity", "precision", "recall", "needed"),
    [(0.1, 1, 1 / 4, 1), (0.2, 1, 2 / 4, 1), (0.4, 3 / 4, 3 / 4, 4 / 3), (0.6, 4 / 6, 1, 6 / 4), (1.0, 4 / 10, 1, 2.5)],
)
def test_the_riskiest_share_is_visited(capacity, precision, recall, needed):
    found = once(TEN, TEN.risk, capacity)

    assert (precision, recall) == (found.precision, found.recall)
    assert needed == pytest.approx(found.number_needed_to_visit)


def test_a_flag_shares_its_places_among_all_it_flags():
    found = once(TEN, TEN.rule, 0.1)

    assert (1 / 2, 1 / 8, 2) == (found.precision, found.recall, found.number_needed_to_visit)


def test_no_number_of_visits_is_needed_where_no_child_is_found():
    found = once(TEN, -TEN.risk, 0.1)

    assert found.precision == 0
    assert math.isnan(found.number_needed_to_visit)


def test_the_number_needed_has_no_upper_end_where_the_precision_may_be_none():
    found = capacity_curve([1, 0, 0, 0], [1, 1, 1, 1], cluster=range(4), draws=200, seed=1).loc[0.5]

    assert found.precision_low == 0
    assert math.isnan(found.number_needed_to_visit_high)
    assert 1 / found.precision_high == found.number_needed_to_visit_low


def test_the_curve_agrees_with_the_metrics_of_the_same_name():
    found, metrics = capacity_curve(LABEL, RISK, **HOW), measure(LABEL, RISK)

    for percent in (10, 20):
        for name in ("precision", "recall"):
            assert metrics[f"{name}_at_{percent}"] == found.loc[percent / 100, name]


def test_what_is_hard_about_a_cluster_cancels_in_the_ratio():
    # Everywhere the risk finds two of the visited two, the rule one; but clusters differ in size.
    village = [(1, 1, 1), (1, 1, 0), (0, 0, 1), (0, 0, 0)]
    rows = [(*child, size) for size in (1, 2, 5, 9) for child in village * size]
    label, risk, rule, cluster = np.array(rows).T
    found = recall_ratio(label, risk, rule, cluster=cluster, draws=50, seed=1).loc[0.5]

    assert [2, 2, 2] == pytest.approx(found.tolist())


@given(children)
def test_a_risk_finds_as_many_as_itself(rows):
    label, risk, area = np.array(rows).T
    how = {"cluster": area, "draws": 3, "seed": 1}
    found = recall_ratio(label, risk, risk, **how).to_numpy()

    assert np.all(np.isnan(found) | (found == 1))


def test_the_rule_is_asked_under_the_same_quota():
    ratio = recall_ratio(LABEL, RISK, RULE, area=REGION, **HOW).loc[0.2, "recall_ratio"]
    risk, rule = (capacity_curve(LABEL, one, area=REGION, **HOW).loc[0.2, "recall"] for one in (RISK, RULE))

    assert risk / rule == pytest.approx(ratio)


def test_the_last_place_goes_to_the_riskier_of_two_areas_that_lost_as_much():
    # Half of 5, 3 and 2: 2.5, 1.5 and 1. Kota's third child (0.70) is riskier than laut's second (0.40).
    found = once(TEN, TEN.risk, 0.5, area=TEN.area)

    assert (3 / 5, 3 / 4) == (found.precision, found.recall)


def test_it_is_the_next_child_who_counts_not_the_riskiest_of_the_area():
    rows = drawn("""
        stunted | risk | area
        --------+------+-----
        0       | 0.9  | kota
        0       | 0.1  | kota
        0       | 0.1  | kota
        0       | 0.5  | laut
        1       | 0.4  | laut
        0       | 0.1  | laut
    """)

    assert once(rows, rows.risk, 0.5, area=rows.area).recall == 1


def test_areas_that_lost_as_much_are_equal_whatever_the_arithmetic_says():
    # A tenth of 13 and of 23 leaves 0.3 of each; in floating point the second leaves more.
    kota = pd.DataFrame({"stunted": [0, 1] + 11 * [0], "risk": [0.9, 0.8] + 11 * [0.1], "area": "kota"})
    laut = pd.DataFrame({"stunted": 0, "risk": [0.9, 0.9, 0.8] + 20 * [0.1], "area": "laut"})
    rows = pd.concat([kota, laut])

    assert once(rows, rows.risk, 0.1, area=rows.area).recall == 0.5


def test_the_last_place_goes_to_the_area_that_lost_most_by_rounding():
    # Three tenths of 7 and 3: 2.1 and 0.9.
    rows = drawn("""
        stunted | risk | area
        --------+------+-----
        0       | 0.9  | kota
        0       | 0.9  | kota
        0       | 0.9  | kota
        0       | 0.9  | kota
        0       | 0.9  | kota
        0       | 0.9  | kota
        0       | 0.9  | kota
        1       | 0.3  | laut
        0       | 0.2  | laut
        0       | 0.1  | laut
    """)
    found = once(rows, rows.risk, 0.3, area=rows.area)

    assert (1 / 3, 1) == (found.precision, found.recall)


def test_areas_equal_in_both_share_the_last_place():
    rows = drawn("""
        stunted | risk | area
        --------+------+-----
        1       | 0.9  | kota
        0       | 0.9  | laut
    """)

    assert once(rows, rows.risk, 0.5, area=rows.area).recall == 0.5


def test_an_area_drawn_twice_is_two_areas_not_one_of_twice_the_size():
    # A quarter of 2 children is half a place: two areas of four get one, in each copy of them.
    label, risk = [1, 0, 1, 0, 0, 0, 1, 0], [0.9, 0.1, 0.8, 0.1, 0.7, 0.1, 0.6, 0.1]
    area = [1, 1, 2, 2, 3, 3, 4, 4]
    quota = way(label, risk, cluster=area, weight=None, area=area, capacities=[0.25])
    single, double = (quota.reached(np.full(8, times)) for times in (1.0, 2.0))

    assert (2, 2) == (single.places, single.hits)
    assert (4, 4) == (double.places, double.hits)


@given(children, shares)
def test_the_quotas_add_up_to_the_visits_of_the_district(rows, share):
    label, risk, area = np.array(rows).T
    quota, free = (way(label, risk, cluster=area, weight=None, area=one, capacities=[share]) for one in (area, None))

    for times in (np.ones(len(rows)), 1.0 + area):
        assert free.reached(times).places == pytest.approx(quota.reached(times).places)


@given(children, shares)
def test_no_quota_is_a_whole_place_off_its_share(rows, share):
    _, risk, area = np.array(rows).T
    for one in set(area):
        there = area == one
        found = way(there, risk, cluster=area, weight=None, area=area, capacities=[share]).reached(np.ones(len(rows)))

        assert abs(found.hits - share * there.sum()) < 1


@given(children)
def test_one_area_alone_is_the_district(rows):
    label, risk, cluster = np.array(rows).T
    how = {"cluster": cluster, "draws": 3, "seed": 1, "capacities": FEW}
    free, quota = (capacity_curve(label, risk, area=area, **how) for area in (None, ["all"] * len(rows)))

    pd.testing.assert_frame_equal(free, quota)


@given(children)
def test_recall_never_falls_as_capacity_grows(rows):
    label, risk, area = np.array(rows).T
    recall = capacity_curve(label, risk, cluster=area, draws=1, seed=1).recall.to_numpy()

    assert np.all(np.isnan(recall)) or np.all(np.diff(recall) >= -1e-12)


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_perfect_risk_needs_one_visit_per_child_up_to_the_prevalence(cases, others):
    label = np.repeat([1, 0], [cases, others])
    found = capacity_curve(label, label, cluster=range(label.size), draws=1, seed=1).number_needed_to_visit

    places = np.array([max(1, math.floor(share * label.size + 0.5)) for share in CAPACITIES])
    assert np.all(found[places <= cases] == 1)
    assert np.all(found[places > cases] > 1)


def test_a_quota_costs_the_cases_it_passes_over():
    # Six tenths of 5, 3 and 2 are 3, 2 and 1 places: hulu's finds nobody, kota's fourth child is passed over.
    found = quota_gain(TEN.stunted, TEN.risk, area=TEN.area, cluster=range(10), draws=1, seed=1, capacities=[0.6])

    assert -1 / 4 == found.loc[0.6, "recall_gain"]


def calls(label, risk, rule, *, area, weight=None, **how):
    """Every table of one trial."""
    return {
        "free": capacity_curve(label, risk, weight=weight, **how),
        "quota": capacity_curve(label, risk, area=area, weight=weight, **how),
        "ratio": recall_ratio(label, risk, rule, area=area, weight=weight, **how),
        "gain": quota_gain(label, risk, area=area, weight=weight, **how),
        "benefit": decision_curve(label, risk, rules={"rule": rule}, weight=weight, **how),
    }


AREAS = pytest.mark.parametrize("area", [CLUSTER, REGION], ids=["areas are the clusters", "areas hold clusters"])


@AREAS
def test_the_order_of_the_rows_does_not_matter(area):
    shuffled = np.random.default_rng(1).permutation(ROWS)
    before = calls(LABEL, RISK, RULE, area=area, **HOW)
    after = calls(
        LABEL[shuffled], RISK[shuffled], RULE[shuffled], area=area[shuffled], **{**HOW, "cluster": CLUSTER[shuffled]}
    )

    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name], obj=name)


@AREAS
def test_a_weight_of_two_equals_the_row_twice(area):
    twice = {name: np.repeat(one, WEIGHT) for name, one in {"label": LABEL, "risk": RISK, "rule": RULE}.items()}
    repeated = calls(**twice, area=np.repeat(area, WEIGHT), **{**HOW, "cluster": np.repeat(CLUSTER, WEIGHT)})
    weighted = calls(LABEL, RISK, RULE, area=area, weight=WEIGHT, **HOW)

    for name, table in repeated.items():
        pd.testing.assert_frame_equal(table, weighted[name], obj=name)


@pytest.mark.parametrize("most", [0.1, 3])
def test_a_weight_that_is_no_whole_number_is_shared_out_in_full(most):
    weight, rows = RANDOM.uniform(0, most, ROWS), np.ones(ROWS)
    how = {"cluster": CLUSTER, "weight": weight, "capacities": CAPACITIES}
    places = way(LABEL, RISK, area=None, **how).reached(rows).places
    visited = [way(CLUSTER == one, RISK, area=CLUSTER, **how).reached(rows) for one in set(CLUSTER)]

    np.testing.assert_allclose(places, np.sum([one.hits for one in visited], axis=0))
    for one in visited:
        assert np.all(one.hits <= one.cases + 1e-9)  # no area is visited more than whole


@AREAS
def test_an_interval_contains_its_point(area):
    for name, table in calls(LABEL, RISK, RULE, area=area, **{**HOW, "draws": 200}).items():
        for figure in [one for one in table if not one.endswith(("_low", "_high"))]:
            point, low, high = (table.loc[[0.1, 0.2], figure + end] for end in ("", "_low", "_high"))
            assert np.all((low <= point) & (point <= high)), (name, figure)


def test_nothing_is_defined_without_rows():
    for table in calls([], [], [], area=[], cluster=[], draws=3, seed=1).values():
        figures = table[[name for name in table if not name.startswith("visit_none")]]
        assert figures.isna().all(axis=None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"capacities": [10]}, "capacity is 10; allowed: above 0 and at most 1.*0.1 for a tenth"),
        ({"capacities": [0.0]}, "capacity is 0.0; allowed"),
        ({"area": [1, None]}, "1 of 2 rows have no area; first: row 1"),
        ({"area": [1]}, r"area has shape \(1,\); give one per row, shape \(2,\)"),
        ({"cluster": [1, 2, 3]}, "cluster has shape"),
        ({"weight": [1, -1]}, "1 of 2 weights are null or negative.*first: row 1"),
    ],
)
def test_a_wrong_capacity_or_row_is_refused_with_what_is_allowed(wrong, said):
    with pytest.raises(ValueError, match=said):
        capacity_curve([1, 0], [0.2, 0.1], **{"cluster": [1, 2], "draws": 1, "seed": 1, **wrong})


FOUR = drawn("""
    stunted | risk | poor
    --------+------+-----
    1       | 0.90 | 1
    0       | 0.60 | 1
    1       | 0.20 | 0
    0       | 0.10 | 0
""")


@pytest.mark.parametrize(
    ("threshold", "model", "poor", "everyone", "gain"),
    [
        (0.0, 2 / 4, 1 / 4, 2 / 4, 0),
        (0.1, 2 / 4 - 2 / 4 / 9, 1 / 4 - 1 / 4 / 9, 2 / 4 - 2 / 4 / 9, 0),
        (0.2, 2 / 4 - 1 / 4 / 4, 1 / 4 - 1 / 4 / 4, 2 / 4 - 2 / 4 / 4, 1 / 4 / 4),
        (0.6, 1 / 4 - 1 / 4 * 1.5, 1 / 4 - 1 / 4 * 1.5, 2 / 4 - 2 / 4 * 1.5, -1 / 8),
        (0.8, 1 / 4, 1 / 4 - 1 / 4 * 4, 2 / 4 - 2 / 4 * 4, 1 / 4),
    ],
)
def test_net_benefit_is_cases_found_less_needless_visits_at_the_odds_of_the_threshold(
    threshold, model, poor, everyone, gain
):
    curve = decision_curve(
        FOUR.stunted, FOUR.risk, rules={"poor": FOUR.poor}, cluster=range(4), draws=1, seed=1, thresholds=[threshold]
    )

    found = curve.loc[threshold, ["model", "poor", "visit_all", "visit_none", "gain"]]
    assert [model, poor, everyone, 0, gain] == pytest.approx(found.tolist())


@given(children)
def test_visiting_all_is_worth_the_prevalence_less_the_others_at_the_odds(rows):
    label, risk, area = np.array(rows).T
    found = decision_curve(label, risk / 20, rules={}, cluster=area, draws=1, seed=1).visit_all

    threshold, prevalence = np.array(THRESHOLDS), label.mean()
    np.testing.assert_allclose(prevalence - (1 - prevalence) * threshold / (1 - threshold), found, atol=1e-12)


@given(children)
def test_no_choice_is_worth_more_than_a_perfect_one(rows):
    label, risk, area = np.array(rows).T
    how = {"cluster": area, "draws": 1, "seed": 1}
    perfect = decision_curve(label, label, rules={"flag": risk > 10}, thresholds=FEW, **how)

    np.testing.assert_allclose(label.mean(), perfect.model, atol=1e-12)
    for name in ("flag", "visit_all", "visit_none"):
        assert np.all(perfect[name] <= perfect.model + 1e-12)


@given(children)
def test_a_risk_that_only_says_yes_or_no_is_worth_what_the_flag_is(rows):
    label, risk, area = np.array(rows).T
    found = decision_curve(label, risk > 10, rules={"flag": risk > 10}, cluster=area, draws=3, seed=1, thresholds=FEW)

    for end in ("", "_low", "_high"):
        np.testing.assert_array_equal(found[f"flag{end}"], found[f"model{end}"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"thresholds": [1.0]}, "threshold is 1.0; allowed: 0 to below 1"),
        ({"rules": {"krs": [1, 100]}}, "1 of 2 values of the rule 'krs' are not 0 or 1; first: row 1.*not its score"),
        ({"rules": {"gain": [1, 0]}}, "a rule is named 'gain'.*Rename it"),
        ({"cluster": [1]}, "cluster has shape"),
    ],
)
def test_a_wrong_threshold_or_rule_is_refused_with_what_is_allowed(wrong, said):
    with pytest.raises(ValueError, match=said):
        decision_curve([1, 0], [0.2, 0.1], **{"rules": {}, "cluster": [1, 2], "draws": 1, "seed": 1, **wrong})


def test_a_risk_outside_0_to_1_has_no_net_benefit():
    with pytest.raises(ValueError, match="1 of 2 risks are outside 0-1"):
        decision_curve([1, 0], [1.5, 0.5], rules={}, cluster=[1, 2], draws=1, seed=1)


def test_fresh_facts_are_worth_the_paired_difference_to_stale_ones():
    stale = np.clip(RISK + RANDOM.normal(0, 0.2, ROWS), 0, 1)
    found = freshness(LABEL, RISK, stale, **HOW)

    assert ["auc", "precision_at_10", "recall_at_10"] == list(found)
    assert paired_difference(LABEL, RISK, stale, metric="auc", **HOW) == found["auc"]
    assert found["auc"]["low"] > 0


def test_a_picture_is_written_as_the_same_png_each_time(tmp_path):
    curves = {name: capacity_curve(LABEL, one, **HOW) for name, one in {"model": RISK, "rule": RULE}.items()}
    curve = decision_curve(LABEL, RISK, rules={"rule": RULE}, **HOW)
    for place in "ab":
        plots_decision.recall_at_capacity(curves, tmp_path / f"recall_{place}.png")
        plots_decision.visits_at_capacity(curves, tmp_path / f"visits_{place}.png", base_rate=LABEL.mean())
        plots_decision.net_benefit(curve, tmp_path / f"benefit_{place}.png")

    for name in ("recall", "visits", "benefit"):
        first, again = ((tmp_path / f"{name}_{place}.png").read_bytes() for place in "ab")
        assert first.startswith(b"\x89PNG")
        assert first == again


def test_names_of_lines_that_end_together_do_not_lie_on_each_other():
    axes = new_axes("across", "up")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for place, end in enumerate((0.5, 0.52, 0.5, 3.0)):
        add_line(axes, [0, 1], [0, end], name="", place=place)
    plots_decision._name_ends(axes, ["a", "b", "c", "leaves"])

    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert ["a", "c", "b"] == [name for name in sorted(heights, key=heights.get) if name != "leaves"]
    assert np.all(np.diff(sorted(heights[name] for name in "abc")) >= plots_decision.GAP - 1e-12)
