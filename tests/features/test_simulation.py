"""A kabupaten that does not exist: what holds of its people, whatever the seed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts import REGISTERS
from features.simulation.areas import made_up
from features.simulation.calendar import FIRST, LAST, UNDER_FIVE_DAYS, WEIGHINGS, date, day
from features.simulation.chance import turn
from features.simulation.growing import CAUSES, Growing, haz, own_paths, size_cm
from features.simulation.identifiers import numbers
from features.simulation.part import made
from features.simulation.places import settle
from features.simulation.run import simulate

SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=6)
PEOPLE = {"household_id": "household", "child_id": "child", "mother_id": "maternal"}


def desa(*, households: int, seed: int, place: int = 0):
    return settle(made_up(), households=households, seed=seed)[place]


def whole(part, name):
    """The register without the rows and cells in which a fault was planted, and without what was added for one."""
    rows = part.registers[name].to_pandas()
    return rows.drop(index=part.faults[name]["row"].to_numpy() - 1)


@st.composite
def parts(draw):
    seed = draw(SEEDS)
    return made(desa(households=draw(st.integers(100, 400)), seed=seed), part=0, seed=seed, survey_take=5)


@FEW
@given(parts())
def test_every_link_leads_to_somebody(part):
    known = {key: set(part.registers[name][key].to_pylist()) for key, name in PEOPLE.items()}
    spoiled = {
        (name, key): {fault["was"] for fault in part.faults[name].to_pylist() if fault["column"] == key}
        for key, name in PEOPLE.items()
    }
    for name in ("sanitation", "maternal", "pregnancy", "child", "measurement"):
        rows = whole(part, name)
        for key, register in PEOPLE.items():
            if key in rows:
                links = set(rows[key].dropna())
                assert set() == links - known[key] - spoiled[register, key]


@FEW
@given(parts())
def test_nobody_is_measured_before_birth_or_after_five_years(part):
    seen = whole(part, "measurement").merge(whole(part, "child").drop_duplicates("child_id"), on="child_id")
    age = (pd.to_datetime(seen.measured_on) - pd.to_datetime(seen.birth_date)).dt.days
    assert len(seen)
    assert age.between(0, UNDER_FIVE_DAYS).all()


@FEW
@given(parts())
def test_nothing_is_recorded_before_it_happens_or_outside_the_four_years(part):
    for name in ("household", "sanitation", "maternal", "pregnancy", "child", "measurement"):
        on = whole(part, name).recorded_on
        assert on.between(date(FIRST), date(LAST)).all()
    measured = whole(part, "measurement")
    assert (measured.measured_on <= measured.recorded_on).all()
    child = whole(part, "child")
    assert (child.birth_date <= child.recorded_on).all()


@FEW
@given(parts())
def test_a_mother_is_recorded_as_pregnant_exactly_between_conception_and_birth(part):
    born = whole(part, "pregnancy").dropna(subset=["child_id"]).drop_duplicates("child_id")
    born = born.merge(whole(part, "child").drop_duplicates("child_id")[["child_id", "birth_date"]], on="child_id")
    after = whole(part, "maternal").merge(born[["mother_id", "birth_date"]], on="mother_id")
    weeks = (pd.to_datetime(after.recorded_on) - pd.to_datetime(after.birth_date)).dt.days / 7
    assert after.pregnant[weeks.between(-30, -5)].all()


@FEW
@given(parts())
def test_a_pregnancy_that_has_not_ended_has_no_child_and_no_delivery(part):
    rows = whole(part, "pregnancy")
    unborn = rows[rows.child_id.isna()]
    assert len(unborn)
    assert unborn[["birth_weight_g", "delivery_place", "birth_rank_recent"]].isna().all(axis=None)


@FEW
@given(parts())
def test_no_identifier_could_be_anybodys(part):
    for name in ("household", "maternal", "child"):
        key = REGISTERS[name].key[0]
        assert whole(part, name)[key].str.fullmatch("99[0-9]{14}").all()


@FEW
@given(SEEDS, st.integers(100, 3000))
def test_as_many_households_are_made_as_were_asked_for(seed, households):
    assert households == sum(sum(place.parts) for place in settle(made_up(), households=households, seed=seed))


@FEW
@given(SEEDS, st.integers(100, 200))
def test_a_part_has_every_household_that_it_was_asked_for(seed, households):
    place = desa(households=households, seed=seed)
    part = made(place, part=0, seed=seed, survey_take=0)
    clean = set(whole(part, "household").household_id)
    faulty = {fault["key"].split(" + ")[0] for fault in part.faults["household"].to_pylist()}
    assert place.households == len(clean | faulty)


@FEW
@given(SEEDS)
def test_the_people_of_a_desa_do_not_change_with_the_number_of_another(seed):
    fewer, more = (desa(households=households, seed=seed) for households in (2_000, 20_000))
    before = made(fewer, part=0, seed=seed, survey_take=0)
    after = made(replace(more, households=fewer.households), part=0, seed=seed, survey_take=16)
    assert fewer.area == more.area
    assert all(before.registers[name].equals(after.registers[name]) for name in before.registers)


def test_two_parts_of_a_desa_share_no_identifier():
    place = desa(households=2_000, seed=1)
    two = replace(place, households=1_100)
    first, second = (made(two, part=part, seed=1, survey_take=0) for part in (0, 1))
    for name in ("household", "maternal", "child"):
        key = REGISTERS[name].key[0]
        assert set() == set(whole(first, name)[key]) & set(whole(second, name)[key])


def test_a_desa_of_one_household_can_be_made():
    place = desa(households=100, seed=1)
    alone = replace(place, households=1)
    for seed in range(12):  # with and without a mother in it
        assert 1 <= len(made(alone, part=0, seed=seed, survey_take=3).registers["household"])


def test_numbers_of_one_date_differ_and_show_that_a_woman_was_born():
    dates = np.array([day("2001-02-03")] * 3)
    made_of = numbers(dates, woman=np.array([True, True, False]), desa=7, part=0)
    assert [9901074302010001, 9901074302010002, 9901070302010001] == made_of.tolist()


def test_more_people_of_one_date_than_serial_numbers_are_refused():
    with pytest.raises(ValueError, match="make it smaller"):
        numbers(np.zeros(65, dtype=int), woman=np.zeros(65, dtype=bool), desa=1, part=0)


@given(st.lists(st.integers(0, 4)))
def test_a_turn_counts_the_same_values_before(values):
    assert [values[:place].count(value) for place, value in enumerate(values)] == turn(np.array(values)).tolist()


@FEW
@given(SEEDS)
def test_no_child_ever_shrinks(seed):
    random = np.random.default_rng(seed)
    children = Growing(
        sex=random.integers(0, 2, 50), born=np.zeros(50, dtype=int), shared=random.normal(scale=0.5, size=50),
        own=own_paths(random, 50), thin=np.zeros(50),
    )  # fmt: skip
    who = np.arange(50)
    sizes = [size_cm(children, who, np.full(50, days)) for days in (*range(0, 731, 60), *range(731, 1826, 60))]
    gained = np.diff(sizes, axis=0)
    at_change = len(range(0, 731, 60)) - 1  # from lying to standing a child loses 0.7 cm
    assert (np.delete(gained, at_change, axis=0) > 0).all()


def test_a_home_of_fewer_burdens_never_has_shorter_children():
    born, own = np.zeros(2, dtype=int), np.zeros((2, 3))
    pair = Growing(np.zeros(2, dtype=int), born, np.array([-0.5, 0.5]), own, np.zeros(2))
    for days in (0, 200, 800, 1800):
        poor, rich = haz(pair, np.arange(2), np.full(2, days))
        assert poor < rich
    assert all((value < 0) == (name not in {"wealth", "mother_height", "schooling", "birth_weight"})
               for name, value in CAUSES.items())  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        simulate(tmp_path / name, households=150, seed=seed)
    first, other = digests(tmp_path / "one"), digests(tmp_path / "other")

    assert first == digests(tmp_path / "again")
    assert set(first) == set(other)
    assert all(first[name] != other[name] for name in first)
    assert {f"registers/{name}.parquet" for name in REGISTERS} < set(first)


def test_true_prevalence_is_told_of_every_desa_at_every_mass_weighing(tmp_path):
    simulate(tmp_path / "made", households=200, seed=1)
    told = pd.read_parquet(tmp_path / "made/truth/prevalence.parquet")
    places = pd.read_parquet(tmp_path / "made/registers/area.parquet")
    assert len(places) * len(WEIGHINGS) == len(told)
    assert set(places.area_id) == set(told.area_id)
