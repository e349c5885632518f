"""How a child grew before `as_of`: from earlier measurements only, and null where there is none."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from ibis import _

from features.build import build
from features.catalog import BY_NAME, CATALOG, EARLIER, View, fingerprint
from features.catalog.wording import reason
from features.contracts import REGISTERS
from features.earlier import MINIMUM_GAIN_G
from features.frame import frame
from features.growth import growth
from features.leaks import LeakRefused, guard, lineage
from features.validation import empty, validate
from features.views import earlier_measurements
from features.weight_for_age import aged
from tests.conftest import DUCKDB
from tests.drawn import drawn

NAMES = [f.name for f in EARLIER]
OF = {f.name: f for f in EARLIER}
BORN, DAY = "2023-01-01", "2024-06-01"

# Girls born on 2023-01-01, known on 2024-06-01; a day is the day of the visit, and of its record where no other stands.
VISITS = drawn("""
    child_id        | measured_on | recorded_on | weight_kg | haz  | whz
    ----------------+-------------+-------------+-----------+------+-----
    only on as_of   | 2024-06-01  | 2024-06-01  | 9.0       | -2.5 | -1.0
    entered late    | 2024-05-01  | 2024-06-02  | 9.0       | -2.5 | -1.0
    seen after      | 2024-06-05  | 2024-06-05  | 9.0       | -2.5 | -1.0
    once            | 2024-05-02  | 2024-06-01  | 9.0       | -1.5 | 0.5
    short then less | 2023-12-02  | 2023-12-02  | 8.5       | -2.6 | -0.4
    short then less | 2024-05-02  | 2024-05-05  | 9.5       | -2.1 | -0.2
    short then less | 2024-06-01  | 2024-06-01  | 9.6       | -3.9 | -0.9
    flagged         | 2024-03-02  | 2024-03-02  | 9.0       | -1.0 | 0.1
    flagged         | 2024-05-02  | 2024-05-02  | 9.5       | -6.5 | 5.5
    only weighed    | 2024-03-02  | 2024-03-02  | 9.0       |      |     |
    T               | 2024-03-20  | 2024-03-20  | 9.0       | -1.0 | 0.0
    T               | 2024-04-02  | 2024-04-02  | 9.1       | -1.0 | 0.0
    N, just         | 2024-03-20  | 2024-03-20  | 8.1       | -1.0 | 0.0
    N, just         | 2024-04-20  | 2024-04-20  | 8.3       | -1.0 | 0.0
    2T              | 2024-02-20  | 2024-02-20  | 8.0       | -1.0 | 0.0
    2T              | 2024-03-20  | 2024-03-20  | 8.1       | -1.1 | 0.0
    2T              | 2024-04-20  | 2024-04-20  | 8.0       | -1.2 | 0.0
    T after N       | 2024-02-20  | 2024-02-20  | 8.0       | -1.0 | 0.0
    T after N       | 2024-03-20  | 2024-03-20  | 8.5       | -1.0 | 0.0
    T after N       | 2024-04-20  | 2024-04-20  | 8.5       | -1.0 | 0.0
    O               | 2024-02-20  | 2024-02-20  | 8.0       | -1.0 | 0.0
    O               | 2024-04-20  | 2024-04-20  | 8.0       | -1.0 | 0.0
    T before O      | 2024-01-20  | 2024-01-20  | 8.0       | -1.0 | 0.0
    T before O      | 2024-02-20  | 2024-02-20  | 8.0       | -1.0 | 0.0
    T before O      | 2024-05-20  | 2024-05-20  | 9.0       | -1.0 | 0.0
    over new year   | 2023-12-20  | 2023-12-20  | 8.0       | -1.0 | 0.0
    over new year   | 2024-01-20  | 2024-01-20  | 8.0       | -1.0 | 0.0
    not weighed     | 2024-03-20  | 2024-03-20  | 8.0       | -1.0 | 0.0
    not weighed     | 2024-04-20  | 2024-04-20  |           | -1.0 | 0.0
""")
# 2024-05-02 is 30 days before and 152 after 2023-12-02; the child was then 487 days old; a month is 30.4375 days.
EXAMPLES = drawn("""
    child_id        | feature             | value
    ----------------+---------------------+--------
    once            | haz_last            | -1.5
    once            | haz_lowest          | -1.5
    once            | whz_last            | 0.5
    once            | haz_change          |        |
    once            | waz_change          |        |
    once            | times_measured      | 1
    once            | measured_months_ago | 0.986
    once            | measured_at_months  | 16
    once            | weight_faltered     |        |
    short then less | haz_last            | -2.1
    short then less | haz_lowest          | -2.6
    short then less | haz_change          | 0.1001
    short then less | times_measured      | 2
    short then less | whz_last            | -0.2
    flagged         | haz_last            | -1.0
    flagged         | whz_last            | 0.1
    flagged         | haz_change          |        |
    flagged         | measured_months_ago | 2.99
    flagged         | times_measured      | 2
    only weighed    | haz_last            |        |
    only weighed    | haz_lowest          |        |
    only weighed    | measured_months_ago |        |
    only weighed    | times_measured      | 1
    T               | weight_faltered     | 1
    T               | falterings_in_row   | 1
    N, just         | weight_faltered     | 0
    N, just         | falterings_in_row   | 0
    2T              | weight_faltered     | 1
    2T              | falterings_in_row   | 2
    T after N       | falterings_in_row   | 1
    O               | weight_faltered     |        |
    O               | falterings_in_row   |        |
    T before O      | weight_faltered     |        |
    T before O      | falterings_in_row   |        |
    over new year   | weight_faltered     | 1
    not weighed     | weight_faltered     |        |
""")


def girls(names: list[str], **facts: str) -> pd.DataFrame:
    """A record of each on the day that is asked about."""
    return pd.DataFrame({"child_id": sorted(set(names)), "household_id": "h", "recorded_on": DAY, "birth_date": BORN,
                         "sex": "f", **facts})  # fmt: skip


def accepted(**rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every register, as the validator hands it on; without rows where none are given."""
    return {
        name: validate(rows[name], register, max_quarantine_share=0).accepted if name in rows else empty(register)
        for name, register in REGISTERS.items()
    }


def earlier(visits: pd.DataFrame, machine=DUCKDB, **facts: str) -> pd.DataFrame:
    """What is known of each girl who was measured before, by her name."""
    registers = accepted(measurement=visits, child=girls([*visits.child_id], **facts))
    return build(registers, machine).earlier.set_index("unit_id")


@pytest.fixture(scope="module")
def grown(machine) -> pd.DataFrame:
    """The features of every girl drawn above, on each engine."""
    return earlier(VISITS, machine)


@pytest.mark.parametrize("example", list(EXAMPLES.itertuples()), ids=EXAMPLES.child_id + ": " + EXAMPLES.feature)
def test_a_feature_says_what_the_earlier_measurements_say(grown, example):
    assert pytest.approx(example.value, nan_ok=True) == grown.loc[example.child_id, example.feature]


@pytest.mark.parametrize("child", ["only on as_of", "entered late", "seen after"])
def test_a_child_without_a_measurement_known_from_before_has_no_row(grown, child):
    assert child not in grown.index


def test_weight_for_age_is_the_growth_arithmetics_own(grown):
    days = (pd.Timestamp("2024-05-02") - pd.Timestamp(BORN)).days
    by_who = growth(pd.DataFrame({"sex": ["f"], "age": [days], "weight": [9.5]})).zwei[0]

    assert by_who == grown.waz_last["short then less"]


def test_every_value_is_inside_the_range_its_feature_declares_and_every_feature_is_had(grown):
    low, high = (pd.Series({f.name: f.valid[end] for f in EARLIER}) for end in (0, 1))
    values = grown[NAMES]

    assert ((values >= low) & (values <= high) | values.isna()).all(axis=None)
    assert values.notna().any().all()


def test_the_order_of_the_measurements_does_not_matter(grown):
    pd.testing.assert_frame_equal(grown, earlier(VISITS.iloc[::-1].reset_index(drop=True)))


def test_without_an_earlier_measurement_there_are_the_columns_and_no_row(machine):
    found = build(accepted(child=girls(["ana"])), machine).earlier

    assert ["unit_id", "as_of", *NAMES] == list(found)
    assert 0 == len(found)
    assert {"float64"} == {str(kind) for kind in found[NAMES].dtypes}


def test_the_units_are_the_same_with_and_without_measurements():
    child = girls([*VISITS.child_id])
    measured, not_measured = (build(accepted(child=child, **more), DUCKDB) for more in ({"measurement": VISITS}, {}))

    pd.testing.assert_frame_equal(not_measured.units, measured.units)


@pytest.mark.parametrize(("month", "grams"), [*MINIMUM_GAIN_G, (11, 300), (59, 200)])
def test_one_weighing_step_less_than_the_minimum_of_the_age_is_a_faltering(month, grams):
    # The weighing ends the month: the child is that many completed months old.
    sooner, later = pd.Timestamp("2024-04-20"), pd.Timestamp("2024-05-20")
    born = later - pd.Timedelta(days=int(month * 30.4375) + 5)
    rows = [
        {"child_id": name, "measured_on": day, "recorded_on": day, "weight_kg": kg}
        for name, gain_g in (("enough", grams), ("less", grams - 100))
        for day, kg in ((sooner, 5.3), (later, round(5.3 + gain_g / 1000, 1)))
    ]
    found = earlier(pd.DataFrame(rows), birth_date=f"{born:%Y-%m-%d}").weight_faltered

    assert {"enough": 0.0, "less": 1.0} == found.to_dict()


def test_a_heavier_child_is_never_the_one_that_faltered():
    rows = [
        {"child_id": f"{gain_g:04}", "measured_on": day, "recorded_on": day, "weight_kg": kg}
        for gain_g in range(-500, 1000, 100)
        for day, kg in (("2024-03-20", 9.3), ("2024-04-20", round(9.3 + gain_g / 1000, 1)))
    ]
    by_gain = earlier(pd.DataFrame(rows)).weight_faltered
    by_gain.index = by_gain.index.astype(int)

    assert {0.0, 1.0} == set(by_gain)
    assert by_gain.sort_index().is_monotonic_decreasing


def test_sex_and_birth_are_those_known_when_the_measurement_was_recorded():
    child = drawn("""
        child_id | recorded_on | birth_date | sex
        ---------+-------------+------------+----
        ana      | 2024-02-01  | 2023-01-01 | f
        ana      | 2024-04-01  | 2023-03-01 | m
    """)
    measured = drawn("""
        child_id | measured_on | recorded_on | weight_kg | oedema
        ---------+-------------+-------------+-----------+-------
        ana      | 2024-01-01  | 2024-01-01  | 9.0       |       |
        ana      | 2024-03-01  | 2024-03-01  | 9.0       |       |
        ana      | 2024-05-01  | 2024-05-01  | 9.0       |       |
        budi     | 2024-05-01  | 2024-05-01  | 9.0       |       |
    """)
    found = aged(measured, child).set_index(["child_id", "measured_on"])

    assert [365.0, 425.0, 427.0] == found.age_days["ana"].tolist()
    assert found.loc["budi", ["age_days", "waz"]].isna().all(axis=None)
    assert found.waz["ana"].iloc[1] > found.waz["ana"].iloc[2]  # a boy of that age weighs more


def test_only_what_the_cut_lets_through_is_allowed(engine):
    measured, cohort = engine.hold("measurement", VISITS), engine.hold("cohort", COHORT)
    cut = earlier_measurements(measured, cohort)

    guard("last", cut.group_by("unit_id").agg(last=_.haz.max()).last, cut=cut)
    with pytest.raises(LeakRefused, match=r"measurement\.haz"):
        guard("last", cut.group_by("unit_id").agg(last=_.haz.max()).last)


COHORT = drawn("""
    unit_id       | as_of      | child_id
    --------------+------------+--------------
    only on as_of | 2024-06-01 | only on as_of
""")


@pytest.mark.parametrize("way", ["beside the cut", "same day", "recorded later", "cut of another table"])
def test_a_way_around_the_cut_is_refused(engine, way):
    measured, cohort = engine.hold("measurement", VISITS), engine.hold("cohort", COHORT)
    cut = earlier_measurements(measured, cohort)
    pairs = cohort.inner_join(measured, "child_id")
    leaking = {
        "beside the cut": cut.select("child_id", "unit_id").inner_join(measured, "child_id"),
        "same day": pairs.filter((_.measured_on <= _.as_of) & (_.recorded_on <= _.as_of)),
        "recorded later": pairs.filter(_.measured_on < _.as_of),
        "cut of another table": earlier_measurements(measured.filter(_.haz < -2), cohort),
    }[way]

    with pytest.raises(LeakRefused, match=r"measurement\.haz"):
        guard("planted", leaking.group_by("unit_id").agg(z=_.haz.max()).z, cut=cut)


def test_no_other_view_may_reach_a_measurement_even_beside_the_cut(engine):
    planted = dataclasses.replace(BY_NAME["male"], name="planted", value=_.haz)
    child = girls(["only on as_of"]).assign(mother_id="m", haz=-2.5, recorded_on=pd.Timestamp(DAY))
    tables = {"child": engine.hold("child", child), "measurement": engine.hold("measurement", VISITS)}
    cohort = engine.hold("cohort", COHORT.assign(mother_id="m", household_id="h"))

    with pytest.raises(LeakRefused, match="planted"):
        frame(tables, cohort, (planted,))


def test_the_lineage_of_these_features_ends_at_the_cut(engine):
    measured, cohort = engine.hold("measurement", VISITS.assign(waz=0.0, age_days=400.0)), engine.hold("cohort", COHORT)
    cut = earlier_measurements(measured, cohort)
    seen = frame({"measurement": measured}, cohort, EARLIER)

    assert any(column.startswith("measurement.") for column in lineage(seen.haz_last))
    assert not any(column.startswith("measurement.") for column in lineage(seen.haz_last, cut=cut))


def test_the_catalogue_of_the_first_model_knows_none_of_them():
    assert set() == {f.name for f in CATALOG} & set(NAMES)
    assert View.EARLIER not in {f.view for f in CATALOG}
    assert {View.EARLIER} == {f.view for f in EARLIER}
    assert fingerprint() == fingerprint(CATALOG) != fingerprint((*CATALOG, *EARLIER))


@pytest.mark.parametrize("feature", EARLIER, ids=NAMES)
def test_each_has_words_in_both_languages(feature):
    low, high = (reason(feature, float(end)) for end in feature.valid)
    unknown = reason(feature, None)

    assert all(text.strip() and "{" not in text for w in (low, high, unknown) for text in (w.id, w.en))
    assert low != high
    assert unknown.id.startswith("tidak diketahui: ")
