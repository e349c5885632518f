"""Services and contacts of the simulated kabupaten: nothing happens that could not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.simulation import contacts, services
from features.simulation.areas import made_up
from features.simulation.calendar import LAST, date
from features.simulation.contacts import SINCE
from features.simulation.part import made
from features.simulation.places import settle
from features.simulation.run import simulate

pytestmark = pytest.mark.xdist_group("simulation care")  # one worker makes what is dear, once
FEW = settings(max_examples=6)
SEEDS = st.integers(0, 2**32)
CHILDREN = [o.service for o in (*services.OF_CHILDREN, *services.AT_MASS_WEIGHINGS, *services.AT_WEIGHINGS)]
MOTHERS = [o.service for o in services.OF_MOTHERS]
HOMES = [o.service for o in services.OF_HOMES]
PREGNANCY = ["anc", "ttd_bumil", "kelas_bumil", "pmt_bumil_kek"]


def whole(part, name):
    """The register without the rows in which a fault was planted, and without what was added for one."""
    rows = part.registers[name].to_pandas()
    return dated(rows.drop(index=part.faults[name]["row"].to_numpy() - 1))


def dated(rows):
    """The rows with their days as pandas has them."""
    days = [column for column in rows if column.endswith("_on") or column == "birth_date"]
    return rows.assign(**{column: pd.to_datetime(rows[column]) for column in days})


def ever(part, name, key):
    """The identifiers of a register as they were before any fault."""
    spoiled = [fault["was"] for fault in part.faults[name].to_pylist() if fault["column"] == key]
    return {*part.registers[name][key].to_pylist(), *spoiled}


@st.composite
def parts(draw):
    seed = draw(SEEDS)
    desa = settle(made_up(), households=draw(st.integers(100, 400)), seed=seed)[0]
    return made(desa, part=0, seed=seed, survey_take=0)


@pytest.fixture(scope="module")
def kabupaten(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "kabupaten"
    simulate(out, households=4_000, seed=20260101)
    names = ("household", "sanitation", "maternal", "pregnancy", "child", "measurement", "service", "contact")
    rows = {name: dated(pd.read_parquet(out / f"registers/{name}.parquet")) for name in names}
    faults = pd.read_parquet(out / "truth/faults.parquet")
    clean = {name: rows[name].drop(index=faults.row[faults.register == name].unique() - 1) for name in names}
    return SimpleNamespace(rows=rows, **clean)


@FEW
@given(parts())
def test_every_receipt_and_every_event_is_of_people_whom_the_registers_know(part):
    homes = ever(part, "household", "household_id")
    children, mothers = ever(part, "child", "child_id"), ever(part, "maternal", "mother_id")
    received, events = whole(part, "service"), whole(part, "contact")

    assert set() == {*received.household_id, *events.household_id} - homes
    assert set() == set(received.person_id[received.service.isin(CHILDREN)]) - children
    assert set() == set(received.person_id[received.service.isin(MOTHERS)]) - mothers
    assert received.person_id[received.service.isin(HOMES)].isna().all()
    assert set() == set(events.person_id[events.kind == "deceased"]) - children
    assert events.person_id[events.kind != "deceased"].isna().all()


@FEW
@given(parts())
def test_everything_happens_in_the_last_eighteen_months_and_is_recorded_after(part):
    for name, on in (("service", "received_on"), ("contact", "happened_on")):
        rows = whole(part, name)
        assert rows[on].between(pd.Timestamp(date(SINCE)), pd.Timestamp(date(LAST))).all()
        assert rows.recorded_on.between(rows[on], pd.Timestamp(date(LAST))).all()


@FEW
@given(parts())
def test_a_child_receives_services_of_its_own_age_only(part):
    born = whole(part, "child").drop_duplicates("child_id").set_index("child_id").birth_date
    rows = whole(part, "service").merge(born, left_on="person_id", right_index=True)
    age = (rows.received_on - rows.birth_date).dt.days
    limits = {o.service: o.ages for o in (*services.OF_CHILDREN, *services.AT_MASS_WEIGHINGS, *services.AT_WEIGHINGS)}
    first, last = (rows.service.map({name: ages[end] for name, ages in limits.items()}) for end in (0, 1))

    assert len(rows)
    # where only the month of birth is known, it is written up to 16 days early
    assert age.between(first, last + 16).all()


@FEW
@given(parts())
def test_what_is_given_in_pregnancy_is_not_given_in_the_months_after_a_birth(part):
    births = whole(part, "pregnancy").dropna(subset=["child_id"]).drop_duplicates("child_id")
    born = whole(part, "child").drop_duplicates("child_id").set_index("child_id").birth_date
    births = births.merge(born, left_on="child_id", right_index=True)[["mother_id", "birth_date"]]
    rows = whole(part, "service")
    rows = rows[rows.service.isin(PREGNANCY)].merge(births, left_on="person_id", right_on="mother_id")
    after = (rows.received_on - rows.birth_date).dt.days

    assert after.between(-245, -5).any()
    # the day of birth may be written up to 16 days early, and no woman is in care again 85 days after a birth
    assert not after.between(17, 85).any()


def test_nobody_is_given_anything_measured_or_recorded_after_death(kabupaten):
    died = kabupaten.contact[kabupaten.contact.kind == "deceased"][["person_id", "happened_on"]]
    assert len(died)
    for rows, key, on in (
        (kabupaten.service, "person_id", "received_on"),
        (kabupaten.measurement, "child_id", "measured_on"),
        (kabupaten.child, "child_id", "recorded_on"),
    ):
        theirs = died.rename(columns={"happened_on": "died_on"}).merge(rows, left_on="person_id", right_on=key)
        assert len(theirs)
        assert (theirs[on] < theirs.died_on).all()


def test_nobody_is_given_anything_met_measured_or_recorded_after_the_household_left(kabupaten):
    left = kabupaten.contact[kabupaten.contact.kind == "moved"][["household_id", "happened_on"]]
    left = left.rename(columns={"happened_on": "left_on"})
    home = kabupaten.child.drop_duplicates("child_id")[["child_id", "household_id"]]
    of_mothers = kabupaten.maternal.drop_duplicates("mother_id")[["mother_id", "household_id"]]
    for rows, on in (
        (kabupaten.service, "received_on"),
        (kabupaten.contact[kabupaten.contact.kind != "moved"], "happened_on"),
        (kabupaten.measurement.merge(home, on="child_id"), "measured_on"),
        (kabupaten.pregnancy.merge(of_mothers, on="mother_id"), "recorded_on"),
        *((vars(kabupaten)[name], "recorded_on") for name in ("child", "maternal", "household", "sanitation")),
    ):
        theirs = left.merge(rows, on="household_id")
        assert len(theirs)
        assert (theirs[on] < theirs.left_on).all()


def test_an_objection_is_closed_at_most_once_and_after_it_was_opened(kabupaten):
    events = kabupaten.rows["contact"].drop_duplicates("contact_id")
    opened, closed = (events[events.kind == f"objection_{word}"] for word in ("opened", "closed"))
    both = closed.merge(opened, on="household_id", suffixes=("_closed", "_opened"))

    assert len(both)
    assert closed.household_id.is_unique
    assert (both.happened_on_closed > both.happened_on_opened).all()


def test_every_service_is_given_to_somebody(kabupaten):
    assert {*MOTHERS, *CHILDREN, *HOMES} == set(kabupaten.service.service)
    assert 19 == len({*MOTHERS, *CHILDREN, *HOMES})


def test_a_service_that_no_menu_has_is_planted_and_accepted(kabupaten):
    assert {"lain2"} == set(kabupaten.rows["service"].service.dropna()) - {*MOTHERS, *CHILDREN, *HOMES}


def test_events_come_at_the_shares_that_the_page_tells(kabupaten):
    homes = kabupaten.household.household_id.nunique()
    share = kabupaten.contact.groupby("kind").household_id.nunique() / homes

    assert pytest.approx(0.15, abs=0.02) == share.visited
    assert pytest.approx(0.015, abs=0.006) == share.not_found
    assert pytest.approx(0.01, abs=0.005) == share.moved
    assert pytest.approx(0.003, abs=0.003) == share.objection_opened
    assert 0 < share.objection_closed < share.objection_opened
    assert 0 < share.deceased < 0.004


def test_some_households_are_given_nothing_and_some_much_so_that_something_is_unmet(kabupaten):
    counts = kabupaten.service.groupby("household_id").size()
    counts = counts.reindex(kabupaten.household.household_id.unique(), fill_value=0)

    assert 0.2 < (counts == 0).mean() < 0.7
    assert (counts > 10).any()


def test_the_poor_alone_are_given_what_is_meant_for_the_poor(kabupaten):
    decile = (
        kabupaten.household.dropna(subset=["desil"]).drop_duplicates("household_id").set_index("household_id").desil
    )
    meant = kabupaten.service[kabupaten.service.service == "bpjs_pbi"].household_id.map(decile)

    assert decile.median() - 2 > meant.median()


def test_two_parts_of_a_desa_share_no_receipt_and_no_event():
    desa = settle(made_up(), households=300_000, seed=1)[0]
    first, second = (made(desa, part=part, seed=1, survey_take=0) for part in (0, 1))
    for name, key in (("service", "receipt_id"), ("contact", "contact_id")):
        assert set() == set(first.registers[name][key].to_pylist()) & set(second.registers[name][key].to_pylist())


def test_who_was_never_heard_of_does_not_die_and_who_was_heard_of_on_the_last_day_does_not_leave():
    random = np.random.default_rng(1)
    heard = np.array([LAST] * 500)

    assert (contacts.NEVER == contacts._leaving(random, heard, until=heard, share=1.0)).all()
    alone = contacts._leaving(random, heard - 3, until=heard, share=1.0)
    assert {LAST - 2, LAST - 1, LAST} == set(alone.tolist())
