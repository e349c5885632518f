"""Today's rules by their own thresholds, and what every one of them must obey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from features.engines import opened
from features.machine import Machine
from features.settings import Krs, load
from features.views import earlier_measurements
from tests.conftest import ROOT
from tests.drawn import drawn
from training.baselines import (
    MEANINGS,
    SOURCES,
    baseline_scores,
    earlier_haz,
    krs_rank_count,
    last_haz,
    poverty_only,
    random,
    stronger_reading,
)
from training.krs import FACILITIES, FACTORS, FOUR_T, KrsRule, flags, readings, recorded, welfare_rank
from training.rules_learned import PEOPLE, SEEN

PLAIN = {
    "water_krs_safe": 1.0, "toilet_krs_safe": 1.0, "mother_age": 27.0, "mother_pregnant": 0.0, "mother_listed": 1.0, "short_interval": 0.0,  # noqa: E501 (one plain family)
    "living_children": 1.0, "birth_order": 1.0, "modern_contraception": 0.0, "desil": 5.0, "wealth_quintile": np.nan,
}  # fmt: skip
YES_NO_UNKNOWN = st.sampled_from([0.0, 1.0, np.nan])
ANY_FAMILY = st.fixed_dictionaries(
    {
        "water_krs_safe": YES_NO_UNKNOWN,
        "toilet_krs_safe": YES_NO_UNKNOWN,
        "mother_age": st.sampled_from([15, 19, 20, 27, 34, 35, 40, 41, 49, 50, np.nan]),
        "mother_pregnant": YES_NO_UNKNOWN,
        "mother_listed": st.sampled_from([0.0, 1.0]),
        "short_interval": YES_NO_UNKNOWN,
        "living_children": st.sampled_from([0, 1, 2, 3, 4, np.nan]),
        "birth_order": st.sampled_from([1, 2, 3, np.nan]),
        "modern_contraception": YES_NO_UNKNOWN,
        "desil": st.sampled_from([1, 2, 4, 5, 10, np.nan]),
        "wealth_quintile": st.sampled_from([1, 4, 5, np.nan]),
    }
)
any_families = st.lists(ANY_FAMILY, min_size=1, max_size=12).map(lambda rows: pd.DataFrame(rows, dtype=float))
any_rule = st.builds(
    KrsRule,
    four_t_requires_no_modern_kb=st.booleans(),
    pregnant_four_t_counts=st.booleans(),
    null_facility=st.sampled_from(["layak", "tidak_layak"]),
    reading=st.sampled_from(["kb_unknown_counts", "kb_unknown_does_not_count"]),
)


def family(**facts: float) -> pd.DataFrame:
    return pd.DataFrame([PLAIN | facts]).assign(unit_id="a")


def families(text: str) -> pd.DataFrame:
    """Plain families, but for what is drawn."""
    rows = drawn(text)
    return rows.assign(**{name: fact for name, fact in PLAIN.items() if name not in rows})


@pytest.mark.parametrize(
    ("facts", "krs"),
    [
        ({}, False),
        ({"mother_age": 19}, True),
        ({"mother_age": 20}, False),
        ({"mother_age": 34}, False),
        ({"mother_age": 35}, True),
        ({"mother_age": 40}, True),
        ({"mother_age": 41}, False),
        ({"mother_age": 41, "mother_pregnant": 1}, True),
        ({"short_interval": 1}, True),
        ({"living_children": 3}, True),
        ({"living_children": 3, "mother_age": 49}, True),
        ({"living_children": 3, "mother_age": 50}, False),
        ({"living_children": 3, "modern_contraception": 1}, False),
        ({"living_children": 3, "mother_listed": 0}, False),
        ({"living_children": np.nan, "birth_order": 3}, True),
        ({"water_krs_safe": 0, "modern_contraception": 1}, True),
        ({"toilet_krs_safe": 0, "modern_contraception": 1}, True),
        ({"water_krs_safe": np.nan, "toilet_krs_safe": np.nan}, False),
    ],
)
def test_krs_thresholds(facts: dict[str, float], krs: bool) -> None:
    assert krs == flags(family(**facts), rule=KrsRule()).krs.item()


def test_each_switch_changes_what_it_names() -> None:
    many = family(living_children=4, modern_contraception=1)
    assert flags(many, rule=KrsRule(four_t_requires_no_modern_kb=False)).krs.item()
    expecting = family(mother_age=36, mother_pregnant=1, modern_contraception=1)
    assert flags(expecting, rule=KrsRule()).krs.item()
    assert not flags(expecting, rule=KrsRule(pregnant_four_t_counts=False)).krs.item()
    assert flags(family(water_krs_safe=np.nan), rule=KrsRule(null_facility="tidak_layak")).krs.item()
    unknown = family(living_children=4, modern_contraception=np.nan)
    assert not flags(unknown, rule=KrsRule(reading="kb_unknown_does_not_count")).krs.item()


@given(any_families, any_rule)
def test_the_contraception_clause_changes_no_factor_and_no_family_without_a_four_too(rows, rule):
    without = flags(rows, rule=rule.model_copy(update={"four_t_requires_no_modern_kb": False}))
    within = flags(rows, rule=rule.model_copy(update={"four_t_requires_no_modern_kb": True}))
    changed = without.krs != within.krs

    pd.testing.assert_frame_equal(without.drop(columns="krs"), within.drop(columns="krs"))
    assert without.krs[changed].all()
    assert without[list(FOUR_T)].any(axis=1)[changed].all()
    assert not ((rows.modern_contraception == 0) & (rows.mother_pregnant != 1))[changed].any()


@given(any_families, any_rule)
def test_the_switch_of_pregnancy_changes_pregnant_families_only(rows, rule):
    counts = flags(rows, rule=rule.model_copy(update={"pregnant_four_t_counts": True}))
    spared = flags(rows, rule=rule.model_copy(update={"pregnant_four_t_counts": False}))
    changed = counts.krs != spared.krs

    pd.testing.assert_frame_equal(counts.drop(columns="krs"), spared.drop(columns="krs"))
    assert counts.krs[changed].all()
    assert (rows.mother_pregnant == 1)[changed].all()


@given(any_families, any_rule)
def test_the_switch_of_facilities_changes_unrecorded_facilities_only(rows, rule):
    proper = flags(rows, rule=rule.model_copy(update={"null_facility": "layak"}))
    unfit = flags(rows, rule=rule.model_copy(update={"null_facility": "tidak_layak"}))
    untouched = [*FOUR_T, "bukan_kb_modern"]

    pd.testing.assert_frame_equal(proper[untouched], unfit[untouched])
    for factor, fact in zip(FACILITIES, ("water_krs_safe", "toilet_krs_safe"), strict=True):
        assert (proper[factor] != unfit[factor]).equals(rows[fact].isna())
    assert (proper.krs <= unfit.krs).all()


@given(any_families, any_rule)
def test_the_reading_changes_families_of_unrecorded_contraception_only(rows, rule):
    counts = flags(rows, rule=rule.model_copy(update={"reading": "kb_unknown_counts"}))
    does_not = flags(rows, rule=rule.model_copy(update={"reading": "kb_unknown_does_not_count"}))
    changed = counts.krs != does_not.krs

    pd.testing.assert_frame_equal(counts.drop(columns="krs"), does_not.drop(columns="krs"))
    assert counts.krs[changed].all()
    assert (rows.modern_contraception.isna() & (rows.mother_pregnant != 1))[changed].all()


@given(any_families, any_rule)
def test_a_recap_adds_up(rows, rule):
    found = flags(rows, rule=rule)
    rank = welfare_rank(rows)
    four = found[list(FOUR_T)]

    assert len(rows) == int(found.krs.sum()) + int((~found.krs).sum())
    by_rank = [int((found.krs & (rank == n)).sum()) for n in range(1, 5)]
    assert int(found.krs.sum()) == sum(by_rank) + int((found.krs & rank.isna()).sum())
    assert all(found[factor].sum() <= len(rows) for factor in FACTORS)
    assert four.sum().max() <= four.any(axis=1).sum() <= four.sum().sum()
    assert (found.krs <= found[[*FACILITIES, *FOUR_T]].any(axis=1)).all()


@given(any_families, any_rule)
def test_a_factor_that_nobody_recorded_is_met_only_where_the_rule_says_so(rows, rule):
    silent = flags(rows, rule=rule)[list(FACTORS)].where(~recorded(rows), other=False).fillna(value=False)

    assert not silent.drop(columns=list(FACILITIES)).to_numpy().any()
    assert rule.null_facility == "tidak_layak" or not silent.to_numpy().any()


def test_four_toos_overlap():
    rows = families("""
        unit_id | mother_age | short_interval | living_children
        --------+------------+----------------+----------------
        sari    | 36         | 1              | 4
        dewi    | 36         | 0              | 1
        rina    | 27         | 0              | 1
    """)
    four = flags(rows, rule=KrsRule())[list(FOUR_T)]

    assert [3, 1, 0] == four.sum(axis=1).tolist()
    assert 2 == four.any(axis=1).sum()


def test_params_declare_the_rule_that_the_code_defaults_to(tmp_path):
    assert Krs() == load(ROOT / "params.yaml", tmp_path / "none").krs


@pytest.mark.parametrize(
    "wrong", [{"version": "2021"}, {"null_facility": "unknown"}, {"pregnant_four_t_counts": "perhaps"}, {"reading": 1}]
)
def test_a_rule_that_is_not_known_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Krs(**wrong)


def test_only_unrecorded_contraception_leaves_two_readings():
    known = families("""
        unit_id | living_children | modern_contraception
        --------+-----------------+---------------------
        sari    | 4               | 0
        dewi    | 4               | 1
    """)
    silent = known.assign(modern_contraception=np.nan)

    assert 1 == len(readings(known, declared=Krs()))
    assert ["kb_unknown_counts", "kb_unknown_does_not_count"] == [r.reading for r in readings(silent, declared=Krs())]
    assert 1 == len(readings(silent, declared=Krs(four_t_requires_no_modern_kb=False)))
    assert 1 == len(readings(silent.assign(living_children=1), declared=Krs()))


@pytest.mark.parametrize(("stunted", "reading"), [([1, 0], "counts"), ([0, 1], "does_not_count")])
def test_the_stronger_reading_is_chosen_and_no_declared_switch_is_varied(stunted, reading):
    rows = families("""
        unit_id | living_children | modern_contraception | desil
        --------+-----------------+----------------------+------
        sari    | 4               |                      | 3
        dewi    | 1               | 0                    | 2
    """)
    declared = Krs(pregnant_four_t_counts=False, null_facility="tidak_layak")
    rule, said = stronger_reading(rows, pd.Series(stunted), declared=declared)

    assert KrsRule(reading=f"kb_unknown_{reading}", **declared.model_dump()) == rule
    assert said.startswith(f"kb_unknown_{reading}: ")


def test_krs_comes_before_rank_and_rank_before_count() -> None:
    rows = families("""
        unit_id | water_krs_safe | desil | living_children | short_interval
        --------+----------------+-------+-----------------+---------------
        fourth  | 1              | 1     | 1               | 0
        third   | 0              | 9     | 1               | 0
        second  | 0              | 2     | 3               | 1
        first   | 0              | 1     | 1               | 0
    """)
    order = krs_rank_count(rows, rule=KrsRule()).sort_values(ascending=False).index
    assert ["first", "second", "third", "fourth"] == rows.unit_id[order].tolist()


def test_unknown_welfare_comes_last() -> None:
    rows = pd.concat([family(desil=10), family(desil=np.nan)], ignore_index=True)
    assert poverty_only(rows)[0] > poverty_only(rows)[1]


def test_the_lot_does_not_depend_on_row_order() -> None:
    rows = pd.DataFrame({"unit_id": ["a", "b", "c"]})
    assert (random(rows, seed=1) == random(rows[::-1], seed=1).sort_index()).all()


UNITS = drawn("""
    unit_id      | as_of      | child_id
    -------------+------------+---------
    ana          | 2024-06-01 | ana
    ana          | 2024-02-01 | ana
    budi         | 2024-06-01 | budi
    citra        | 2024-06-01 | citra
    pregnancy-di | 2024-06-01 |          |
""")
MEASURED = drawn("""
    child_id | measured_on | recorded_on | haz
    ---------+-------------+-------------+-----
    ana      | 2024-01-10  | 2024-01-10  | -2.5
    ana      | 2024-05-10  | 2024-05-12  | -1.0
    ana      | 2024-05-20  | 2024-07-01  | -4.0
    ana      | 2024-06-01  | 2024-06-01  | -3.0
    budi     | 2024-03-01  | 2024-03-01  | -1.5
    budi     | 2024-04-01  | 2024-04-01  | -7.5
    budi     | 2024-05-01  | 2024-05-01  |      |
    citra    | 2024-06-02  | 2024-06-02  | -3.0
    |        | 2024-03-01  | 2024-03-01  | -3.5
""")


def test_the_last_height_for_age_is_the_newest_valid_one_taken_before_and_known_by_then():
    found = earlier_haz(UNITS, measured=MEASURED)

    np.testing.assert_array_equal([-1.0, -2.5, -1.5, np.nan, np.nan], found.to_numpy())


def test_the_shortest_comes_first_and_a_child_never_measured_last():
    score = last_haz(UNITS, measured=MEASURED)

    assert [1, 2, 0, 3, 4] == score.sort_values(ascending=False, kind="stable").index.tolist()
    assert score[3] == score[4]


def test_earlier_means_what_the_views_mean_by_it():
    with opened(Machine("duckdb")) as engine:
        measured, cohort = engine.hold("measurement", MEASURED), engine.hold("cohort", UNITS)
        seen = engine.fetch(earlier_measurements(measured, cohort))
    seen = seen[seen.haz.abs() <= 6].sort_values("measured_on").groupby(["unit_id", "as_of"]).haz.last()
    found = UNITS.assign(haz=earlier_haz(UNITS, measured=MEASURED)).dropna(subset="haz")

    assert dict(seen) == {(row.unit_id, row.as_of): row.haz for row in found.itertuples()}


PAST = drawn("""
    unit_id | household_id | as_of      | stunted | toilet_krs_safe | owns_tv | floor_quality | desil | living_children
    --------+--------------+------------+---------+-----------------+---------+---------------+-------+----------------
    ana     | 1            | 2023-01-01 | 1       | 0               | 0       | 3             | 1     | 4
    budi    | 2            | 2023-02-01 | 1       | 0               | 0       | 2             | 2     | 2
    citra   | 3            | 2023-03-01 | 0       | 1               | 1       | 0             | 8     | 1
    dian    | 4            | 2023-04-01 | 0       | 1               | 1       | 1             | 6     | 4
""")
NOW = drawn("""
    unit_id | household_id | as_of      | stunted | toilet_krs_safe | owns_tv | floor_quality | desil | living_children
    --------+--------------+------------+---------+-----------------+---------+---------------+-------+----------------
    eka     | 5            | 2024-01-01 | 1       | 0               | 1       | 3             | 3     | 1
    fitri   | 6            | 2024-02-01 | 0       | 1               | 1       | 0             | 9     | 3
    gita    | 7            | 2024-03-01 | 0       |                 |         |               |       |     |
""")
BEFORE = drawn("""
    child_id | measured_on | recorded_on | haz
    ---------+-------------+-------------+-----
    eka      | 2023-12-01  | 2023-12-01  | -2.5
""")


def whole(rows: pd.DataFrame) -> pd.DataFrame:
    asked = [*SEEN, *PEOPLE, "head_female"]
    more = dict.fromkeys(asked, np.nan) | PLAIN | {"child_id": rows.unit_id, "modern_contraception": np.nan}
    return rows.assign(**{name: fact for name, fact in more.items() if name not in rows})


def scores(train: pd.DataFrame, test: pd.DataFrame, measured: pd.DataFrame = BEFORE):
    train, test = whole(train), whole(test)
    return baseline_scores(train, train.stunted, test, measured=measured, declared=Krs(), seed=1)


def test_every_baseline_has_a_meaning_and_a_source():
    found = scores(PAST, NOW)

    assert list(MEANINGS) == list(SOURCES) == list(found.scores)
    assert all(MEANINGS.values())
    assert all(SOURCES.values())


def test_no_baseline_sees_the_outcome_of_the_rows_it_scores():
    found = scores(PAST, NOW).scores
    otherwise = scores(PAST, NOW.assign(stunted=[0, 1, 1])).scores
    without = scores(PAST, NOW.drop(columns="stunted")).scores

    for name, score in found.items():
        pd.testing.assert_series_equal(score, otherwise[name])
        pd.testing.assert_series_equal(score, without[name])


def test_a_row_is_scored_alike_in_any_order_and_company():
    found = scores(PAST, NOW).scores
    turned = scores(PAST[::-1], NOW[::-1]).scores
    alone = scores(PAST, NOW[:1]).scores

    for name, score in found.items():
        pd.testing.assert_series_equal(score, turned[name].sort_index())
        assert score[0] == alone[name][0]


def test_every_row_has_a_score_that_is_a_number():
    assert dict.fromkeys(MEANINGS, 0) == {
        name: int((~np.isfinite(score)).sum()) for name, score in scores(PAST, NOW).scores.items()
    }


def test_a_survey_of_one_visit_has_no_last_measurement_and_says_so():
    found = scores(PAST, NOW, BEFORE[:0])

    assert "last_haz" not in found.scores
    assert "no earlier measurement" == found.said["last_haz"]


def test_a_measured_child_in_twenty_is_too_few_to_judge_the_last_measurement_by():
    many = pd.concat([NOW[:1], *(NOW[1:2].assign(unit_id=f"u{n}") for n in range(19))], ignore_index=True)
    found = scores(PAST, many)

    assert "last_haz" not in found.scores
    assert found.said["last_haz"].startswith("5% of the rows have an earlier measurement, fewer than the 10%")


def test_the_means_test_is_left_out_where_no_welfare_is_recorded():
    found = scores(PAST.assign(desil=np.nan), NOW)

    assert "proxy_means" not in found.scores
    assert found.said["proxy_means"].startswith("not fitted")
