"""What the audit by groups must say, and what it must never pass over."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import drawn
from training import plots_groups
from training.fairness import INSIDE, NOT_BOUNDED, OUTSIDE, TOO_FEW, Bounds, audit, refusals, verdict
from training.metrics import with_intervals

SMALL = Bounds(rows=2, stunted=1, clusters=2)
HOW = {"draws": 60, "seed": 4}
ROWS = 3000


def made_up(seed=1, rows=ROWS):
    """Children whose risk is exactly right, in groups that have nothing to do with it."""
    random = np.random.default_rng(seed)
    risk = random.beta(2, 6, rows)
    members = pd.DataFrame(
        {"sex": random.choice(["boy", "girl"], rows), "language": random.choice(["Sunda", "Jawa", "Bugis"], rows)}
    )
    return members, (random.random(rows) < risk).astype(int), risk, random.integers(0, 150, rows)


def judged(members, label, risk, cluster, bounds=Bounds()):  # noqa: B008 (frozen)
    return audit(members, label=label, risk=risk, cluster=cluster, bounds=bounds, **HOW)


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert 1 == len(table)
    return table.iloc[0]


DRAWN = drawn("""
    stunted | sex  | risk | area
    --------+------+------+-----
    1       | boy  | 0.9  | 1
    0       | boy  | 0.8  | 1
    1       | boy  | 0.7  | 2
    0       | boy  | 0.2  | 2
    1       | girl | 0.6  | 1
    0       | girl | 0.5  | 1
    0       | girl | 0.4  | 2
    1       | girl | 0.3  | 2
    0       |      | 0.1  | 1
    0       |      | 0.1  | 2
""")


def test_each_group_has_its_figures_and_none_is_left_out():
    made = judged(DRAWN[["sex"]], DRAWN.stunted, DRAWN.risk, DRAWN.area)
    boys, girls, unknown = (made.calibration.iloc[n] for n in range(3))

    assert ["boy", "girl", "not known"] == made.calibration.group.tolist()
    assert (4, 2, 2, 0.5) == (boys.n, boys.clusters, boys.stunted, boys.observed)
    assert pytest.approx((0.65, 0.15)) == (boys.risk, boys.gap)
    assert pytest.approx((0.45, -0.05)) == (girls.risk, girls.gap)
    assert (2, 0) == (unknown.n, unknown.stunted)


def test_visits_are_cut_once_for_everybody():
    # A fifth of ten children: the two boys with the highest risk, one of them stunted.
    made = judged(DRAWN[["sex"]], DRAWN.stunted, DRAWN.risk, DRAWN.area)
    boys, girls = (one(made.visits, group=group, share=0.2) for group in ("boy", "girl"))

    assert (0.5, 0.5, 0.5) == (boys.recall, boys.visited, boys.precision)
    assert (0, 0) == (girls.recall, girls.visited)
    assert np.isnan(girls.precision)
    # Of the boys' expected 2.6 stunted, 1.7 are visited.
    assert pytest.approx(0.5 - 1.7 / 2.6) == boys.excess


def test_what_equality_costs_is_said_against_the_one_list():
    # Two visits find 1 of 4. Equal recall: half of the boys' for 1 visit, half of the girls' for 1.
    # Equal shares: 0.8 of a visit to the best boy, 0.8 to the best girl, both stunted.
    made = judged(DRAWN[["sex"]], DRAWN.stunted, DRAWN.risk, DRAWN.area)
    recall, shares = (one(made.costs, share=0.2, rule=rule) for rule in ("equal recall", "equal shares"))

    assert pytest.approx((0.25, 0.5, 0.25)) == (recall.plain, recall.recall, recall.change)
    assert pytest.approx((0.25, 0.4, 0.15)) == (shares.plain, shares.recall, shares.change)


def test_a_dimension_of_one_group_costs_nothing():
    members, *rest = made_up()
    costs = judged(members.assign(sex="boy"), *rest).costs
    alone = costs[(costs.dimension == "sex") & (costs.rule == "equal shares")]

    assert (alone[["change", "change_low", "change_high"]].abs() < 1e-12).all(axis=None)


def test_the_whole_list_has_the_recall_and_interval_of_the_metrics():
    members, label, risk, cluster = made_up()
    whole = one(judged(members.assign(sex="all"), label, risk, cluster).visits, group="all", share=0.1)
    expected = with_intervals(label, risk, cluster=cluster, **HOW)

    assert pytest.approx([expected[f"recall_at_10{end}"] for end in ("", "_low", "_high")]) == [
        whole[f"recall{end}"] for end in ("", "_low", "_high")
    ]


@pytest.mark.parametrize(
    ("low", "high", "told", "said"),
    [
        (0.00, 0.03, True, INSIDE),
        (0.00, 0.03, False, TOO_FEW),
        (0.02, 0.04, True, TOO_FEW),
        (0.03, 0.04, True, TOO_FEW),
        (0.031, 0.04, True, OUTSIDE),
        (0.031, 0.04, False, OUTSIDE),
        (np.nan, np.nan, True, TOO_FEW),
    ],
)
def test_an_interval_is_judged_against_the_limit(low, high, told, said):
    assert said == verdict(low, high, allowed=0.03, told=told)


def test_without_a_limit_nothing_is_judged():
    assert NOT_BOUNDED == verdict(0.5, 0.9, allowed=np.nan)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), rows=st.integers(10, 499))
def test_a_group_of_few_rows_is_never_outside(seed, rows):
    members, label, risk, cluster = made_up(seed, rows)
    made = audit(members, label=label, risk=risk, cluster=cluster, bounds=Bounds(), draws=10, seed=seed)

    assert {TOO_FEW} == set(made.calibration.verdict)
    assert [] == [line for line in refusals(made, Bounds()) if "calibration" in line]


@pytest.mark.parametrize("seed", range(8))
def test_a_risk_that_keeps_its_word_is_refused_nowhere(seed):
    made = judged(*made_up(seed))

    assert OUTSIDE not in set(made.calibration.verdict) | set(made.gaps.verdict)
    assert [] == refusals(made, Bounds())


def test_a_group_whose_risk_is_too_low_is_refused_by_name():
    members, label, risk, cluster = made_up()
    low = np.where(members.sex == "girl", risk * 0.4, risk)
    made = judged(members, label, low, cluster)
    said = refusals(made, Bounds())

    assert OUTSIDE == one(made.calibration, group="girl").verdict
    assert INSIDE == one(made.calibration, group="boy").verdict
    assert (OUTSIDE, "girl") == tuple(one(made.gaps, dimension="sex", measure="calibration")[["verdict", "worst"]])
    assert said[0].startswith(f"Found: by sex, calibration is {-one(made.calibration, group='girl').gap:.3f} apart")
    assert "'girl' against what was observed. Allowed: 0.03. What to do: Do not print" in said[0]


def test_the_worst_calibrated_group_is_the_one_that_is_furthest_off_for_certain():
    members, label, risk, cluster = made_up()
    # Few girls, far off and uncertain; many boys, surely off.
    few = members.assign(sex=np.where(np.arange(ROWS) < 20, "girl", "boy"))
    low = np.where(few.sex == "girl", 0.0, risk * 0.4)
    made = judged(few, label, low, cluster, Bounds(rows=2, clusters=2))
    girl, boy = (one(made.calibration, group=group) for group in ("girl", "boy"))
    gap = one(made.gaps, dimension="sex", measure="calibration")

    assert -girl.gap > -boy.gap > -boy.gap_high > -girl.gap_high
    assert ("boy", -boy.gap, -boy.gap_high, -girl.gap_low) == (gap.worst, gap.gap, gap.gap_low, gap.gap_high)


def test_a_list_that_passes_over_a_group_is_refused():
    members, label, risk, cluster = made_up()
    last = np.where(members.sex == "girl", risk * 0.4, risk)
    made = judged(members, label, last, cluster)
    gap = one(made.gaps, dimension="sex", measure="recall", share=0.1)
    said = [line for line in refusals(made, Bounds()) if "recall in the first 10%" in line]

    assert (OUTSIDE, "boy", "girl") == tuple(gap[["verdict", "best", "worst"]])
    assert 1 == len(said)
    assert "'girl' against 'boy'. Allowed: 0.1. What to do: Give the group visits of its own" in said[0]


def test_a_gap_that_follows_from_need_is_no_error_of_the_model():
    members, label, risk, cluster = made_up()
    need = members.assign(sex=np.where(risk > np.median(risk), "boy", "girl"))
    made = judged(need, label, risk, cluster)

    assert OUTSIDE == one(made.gaps, dimension="sex", measure="recall", share=0.2).verdict
    assert INSIDE == one(made.gaps, dimension="sex", measure="excess", share=0.2).verdict


def test_a_dimension_may_have_a_limit_of_its_own():
    members, label, risk, cluster = made_up()
    made = judged(members, label, np.where(members.sex == "girl", risk * 0.4, risk), cluster)

    assert any("recall" in line for line in refusals(made, Bounds()))
    assert not any("recall" in line for line in refusals(made, Bounds(recall_gap_of={"sex": 1.0})))


def test_what_cannot_be_judged_is_named_and_not_passed():
    members, *rest = made_up()
    tiny = members.assign(sex=np.where(np.arange(ROWS) < 60, "girl", "boy"), language=pd.NA)
    made = judged(tiny, *rest)
    sex, language = (one(made.gaps, dimension=d, measure="recall", share=0.1) for d in ("sex", "language"))

    assert (TOO_FEW, "girl") == (sex.verdict, sex.untold)
    # One group, not known, is no comparison.
    assert (TOO_FEW, 1.0) == (language.verdict, language.told)


def test_groups_that_hold_too_few_of_the_children_do_not_speak_for_the_dimension():
    members, *rest = made_up()
    # Two large groups, and 20% of the children in 15 groups too small to judge.
    split = members.assign(sex=np.where(np.arange(ROWS) < 600, (np.arange(ROWS) % 15).astype(str), members.sex))
    gap = one(judged(split, *rest).gaps, dimension="sex", measure="calibration")

    assert pytest.approx(0.8) == gap.told
    assert TOO_FEW == gap.verdict


def test_a_group_of_one_cluster_is_not_judged():
    members, label, risk, _ = made_up()
    made = judged(members, label, risk, np.where(members.sex == "girl", "one", np.arange(ROWS).astype(str)))

    assert TOO_FEW == one(made.calibration, group="girl").verdict


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_changes_nothing(seed):
    members, label, risk, cluster = made_up(rows=300)
    order = np.random.default_rng(seed).permutation(300)
    before = judged(members, label, risk, cluster, SMALL)
    after = judged(members.iloc[order], label[order], risk[order], cluster[order], SMALL)

    for name in ("calibration", "visits", "gaps", "costs"):
        pd.testing.assert_frame_equal(getattr(before, name), getattr(after, name))


def test_groups_that_swap_names_swap_results():
    members, label, risk, cluster = made_up(rows=300)
    swapped = members.assign(sex=members.sex.map({"boy": "girl", "girl": "boy"}))
    before, after = (judged(each, label, risk, cluster, SMALL) for each in (members, swapped))

    for name in ("calibration", "visits"):
        boys, girls = getattr(before, name).query("group == 'boy'"), getattr(after, name).query("group == 'girl'")
        pd.testing.assert_frame_equal(
            boys.drop(columns="group").reset_index(drop=True), girls.drop(columns="group").reset_index(drop=True)
        )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(5, 80))
def test_the_groups_of_each_dimension_add_up_to_everybody(seed, rows):
    members, label, risk, cluster = made_up(seed, rows)
    members.loc[members.index % 3 == 0, "language"] = pd.NA
    made = audit(members, label=label, risk=risk, cluster=cluster, bounds=SMALL, draws=2, seed=1).calibration

    assert {"sex": rows, "language": rows} == made.groupby("dimension").n.sum().to_dict()
    assert {label.sum()} == set(made.groupby("dimension").stunted.sum())


@pytest.mark.parametrize(
    "draw",
    [
        plots_groups.reliability,
        lambda made, path: plots_groups.gaps(made, path, allowed=0.03),
        lambda made, path: plots_groups.recall(made, path, share=0.1),
    ],
    ids=["reliability", "gaps", "recall"],
)
def test_a_picture_is_written_as_the_same_png_each_time(draw, tmp_path: Path):
    made = judged(*made_up(rows=300))
    for name in ("a.png", "b.png"):
        draw(made, tmp_path / name)

    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
