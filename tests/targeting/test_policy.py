"""A policy is read as it is written, or refused with what was found, what is allowed and what to do."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputRefused
from targeting import plain_yaml
from targeting.policy import DEFAULT, LARGEST_BYTES, Policy, policy_of, read
from tests.targeting.planned import policy_with

LEAST = 'version: "1"\nname: Putaran\nround: putaran-1\ncapacity: {amount: 3}\n'


def refused(text, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputRefused) as refusal:
        read(path)
    assert refusal.value.allowed
    assert refusal.value.remedy
    assert len(str(refusal.value)) < 2_000
    return refusal.value


def test_the_policy_that_comes_with_the_programme_is_read():
    policy = read()

    assert ("find", 0.1, 0.05) == (policy.objective, policy.capacity.share, policy.reserves.exploration)


def test_what_a_file_leaves_out_has_the_values_of_the_one_that_comes_with_the_programme(tmp_path):
    (tmp_path / "policy.yaml").write_text(LEAST)
    given_there = {"version", "name", "round", "capacity", "floors", "reserves", "exclusions"}
    least, default = read(tmp_path / "policy.yaml"), read()

    for name in set(Policy.model_fields) - given_there:
        assert getattr(default, name) == getattr(least, name)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("prevent_share: 1.01", "prevent_share: 1.01 is not allowed: input should be less than or equal to 1"),
        ("prevent_share: -0.1", "prevent_share: -0.1 is not allowed: input should be greater than or equal to 0"),
        ("prevent_share: 0,5", "prevent_share: '0,5' is not allowed: input should be a valid number"),
        ("prevent_share: separuh", "prevent_share: 'separuh' is not allowed"),
        ("prevent_share: yes", "prevent_share: True is not allowed"),
        ("prevent_share: .nan", "prevent_share: nan is not allowed: input should be a finite number"),
        ("prevent_share: .inf", "prevent_share: inf is not allowed"),
        ("prevent_share:", "prevent_share: nothing is not allowed"),
        ("visit: {cost_idr: -1}", "visit.cost_idr: -1 is not allowed"),
        ("visit: {cost_idr: 50.000}", "visit.cost_idr: 50.0 is not allowed: input should be a valid integer"),
        ("visit: {hours: .inf}", "visit.hours: inf is not allowed"),
        ("visit: {jam: 3}", "visit.jam: there is no such rule"),
        ("kapasitas: 4", "kapasitas: there is no such rule"),
        ("objective: cari", "objective: 'cari' is not allowed: input should be 'find', 'prevent' or 'by_age'"),
        ("floors: {region: {visits: 2.5}}", "floors.region.visits: 2.5 is not allowed"),
        ("floors: {region: {}}", "floors.region: give either visits or share"),
        ("floors: {region: {visits: 1, share: 0.1}}", "floors.region: give either visits or share"),
        ("floors: {desa: {visits: 1}}", "floors.desa: 'desa' is not allowed: input should be 'region', 'area'"),
        ("floors: [1]", "floors: a list is not allowed: write names and values, one a line"),
        ("quotas: {area: {visits: -3}}", "quotas.area.visits: -3 is not allowed"),
        ("named: {d1: {at_least: 5, at_most: 4}}", "named.d1: at_least 5 is more than at_most 4"),
        ("named: {32.01: {at_least: 5}}", "named.32.01: 32.01 is not allowed: it is text: write it in quotes"),
        ("reserves: {pregnant: 1.5}", "reserves.pregnant: 1.5 is not allowed"),
        ("reserves: {hamil: 0.5}", "reserves.hamil: there is no such rule"),
        ("workload: {by: kader}", "workload.by: 'kader' is not allowed: input should be 'posyandu' or 'area'"),
        ("exclusions: {visited_within_weeks: 0}", "exclusions.visited_within_weeks: 0 is not allowed"),
        ("budgets_idr: {dinkez: 1}", "budgets_idr.dinkez: 'dinkez' is not allowed: input should be 'dinkes'"),
        ("budgets_idr: {dinkes: -1}", "budgets_idr.dinkes: -1 is not allowed"),
        ("budgets_idr: {dinkes: 1.000.000}", "budgets_idr.dinkes: '1.000.000' is not allowed"),
        ("regions: [3201]", "regions.0: 3201 is not allowed: it is text: write it in quotes"),
        ("regions: []", "regions: names nothing; leave the line out for all"),
        ("regions: [r2, r1, r2]", "regions: r2 stands twice"),
        ("services: [pmt, pmt]", "services: pmt stands twice"),
        ("credit_effects: true", "credit_effects goes with the objective prevent or by_age"),
        (
            "objective: prevent\ncredit_effects: true\nservice_worth: 0",
            "credit_effects needs a service_worth above 0",
        ),
        (
            "floors: {area: {visits: 5}}\nquotas: {area: {visits: 4}}",
            "the floor of each area, 5, is above its quota, 4 (visits)",
        ),
        (
            "floors: {region: {share: 0.2}}\nquotas: {region: {share: 0.1}}",
            "the floor of each region, 0.2, is above its quota, 0.1 (share)",
        ),
    ],
)
def test_a_rule_that_does_not_hold_is_named_with_what_was_found(lines, said, tmp_path):
    refusal = refused(LEAST + lines + "\n", tmp_path)

    assert said in refusal.found
    assert "docs/policies.md" in refusal.allowed
    assert "Correct these lines." == refusal.remedy


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        ("{}", "capacity: give either amount or share"),
        ("{amount: 3, share: 0.1}", "capacity: give either amount or share"),
        ("{amount: -3}", "capacity.amount: -3 is not allowed"),
        ("{amount: .nan}", "capacity.amount: nan is not allowed"),
        ("{amount: 2.5}", "capacity: 2.5 visits; a visit is whole"),
        ("{unit: cadre_hours, share: 0.1}", "a share is of households, so it goes with the unit visits, not cadre_h"),
        ("{unit: jam, amount: 3}", "capacity.unit: 'jam' is not allowed"),
        ("400", "capacity: 400 is not allowed: write names and values"),
    ],
)
def test_a_capacity_that_does_not_hold_is_refused(capacity, said, tmp_path):
    assert said in refused(LEAST.replace("{amount: 3}", capacity), tmp_path).found


def test_every_rule_that_does_not_hold_is_told_at_once(tmp_path):
    found = refused("name: Putaran\nround: 2024-01-01\ncapacity: {amount: 3}\nkapasitas: 3\n", tmp_path).found

    assert "version: is needed" in found
    assert "round: 2024-01-01 is not allowed: it is text: write it in quotes" in found
    assert "kapasitas: there is no such rule" in found


def test_of_thousands_of_faults_the_first_are_told(tmp_path):
    found = refused(LEAST + "regions: [" + "1," * 3_000 + "]\n", tmp_path).found

    assert found.endswith("regions.9: 1 is not allowed: it is text: write it in quotes; and 2,990 more")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# nothing but words\n", "is empty"),
        ("- a\n- b\n", "as a whole: a list is not allowed"),
        ("visits\n", "as a whole: 'visits' is not allowed"),
        (b"\xff\xfe\x00", "cannot be read as a policy (UnicodeDecodeError"),
        (b"version: \x00", "cannot be read as a policy (ReaderError"),
        (LEAST + "\tvisit: 3\n", "cannot be read as a policy (ScannerError, line 5"),
        (LEAST + "regions: [a\n", "cannot be read as a policy (ParserError"),
        (LEAST + "? [a]\n: b\n", "cannot be read as a policy (ConstructorError, line 5"),
        (LEAST + "round: putaran-2\n", "line 5: round stands twice"),
        (LEAST + "visit: {hours: 1, hours: 2}\n", "line 5: hours stands twice"),
        (LEAST + "visit: !!int ''\n", "line 5: an alias, an anchor or a tag"),
        (LEAST + "visit: !!python/object:os.system x\n", "line 5: an alias, an anchor or a tag"),
        (LEAST + "regions: " + "[" * 5_000, "cannot be read as a policy (RecursionError"),
        (LEAST + "prevent_share: " + "9" * 5_000, "line 5: over 1,000 characters in one"),
        (LEAST + "#" * LARGEST_BYTES, "bytes"),
    ],
)
def test_what_is_no_policy_is_refused(text, said, tmp_path):
    assert said in refused(text, tmp_path).found


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputRefused, match=r"none.yaml cannot be read as a policy \(FileNotFoundError"):
        read(tmp_path / "none.yaml")


@pytest.mark.parametrize("step", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merged"])
def test_a_few_lines_that_stand_for_billions_are_refused_at_once(step, tmp_path):
    lines = ["a0: &a0 {k: 1}"] + [f"a{n}: &a{n} " + step.format(", ".join([f"*a{n - 1}"] * 9)) for n in range(1, 12)]

    assert "line 1: an alias, an anchor or a tag" in refused("\n".join(lines), tmp_path).found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(Policy.model_fields)), anything)
def test_whatever_stands_in_a_rule_is_read_or_refused(rule, found):
    with suppress(InputRefused):
        policy_of({"version": "1", "name": "a", "round": "b", "capacity": {"amount": 1}, rule: found}, of="the test")


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_whatever_stands_in_a_file_is_read_or_refused(text):
    with suppress(yaml.YAMLError, ValueError), suppress(InputRefused):
        policy_of(plain_yaml.loaded(LEAST + text), of="the test")


def test_the_order_in_which_lines_are_written_decides_nothing():
    named = {"d2": {"at_least": 1}, "d1": {"at_least": 2}}
    one = policy_with(named=named, regions=["r2", "r1"], budgets_idr={"pupr": 5, "dinkes": None})
    other = policy_with(
        named=dict(reversed(named.items())), regions=["r1", "r2"], budgets_idr={"dinkes": None, "pupr": 5}
    )

    assert one == other
    assert one.stamp == other.stamp


def test_the_stamp_tells_policies_apart():
    assert policy_with().stamp != policy_with(prevent_share=0.51).stamp
    assert policy_with().stamp.startswith("1+")


def test_a_policy_is_the_same_after_it_was_written_and_read():
    policy = read(DEFAULT)

    assert policy == policy_of(policy.model_dump(), of="the test")
    assert policy == policy_of(policy.model_dump(mode="json"), of="the test")
