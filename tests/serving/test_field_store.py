"""Corrections and visits in the store: kept once, changed by nobody, and handed to the registers' side whole."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import sqlite3

import pandas as pd
import psycopg
import pytest

from features.errors import InputRefused
from features.ingest import ingest
from serving.access.roles import Act
from serving.access.scope import Scope
from serving.access.who import ANYBODY, at_command
from serving.field_export import CORRECTIONS, KINDS, VISITED, exported, write_folder
from serving.field_store import OUTCOMES, FieldStore, KeyTaken, Seen, Wrong
from serving.field_waiting import waiting
from serving.measuring import Child, measured
from serving.retention import Limits, due, retain
from serving.store import open_store
from serving.trail.entry import Entry
from serving.trail.writer import append
from targeting.urgent import UrgentLimits
from tests.serving.published import NOON, heading, made

pytestmark = pytest.mark.xdist_group("postgres")
DAY = dt.timedelta(days=1)
VISITED_ON = dt.date(2024, 5, 5)
NOTHING = dict.fromkeys(("weight_kg", "height_cm", "muac_cm", "position", "oedema"))
A_YEAR_OLD = Child(child_id="c1", sex="m", birth_date=dt.date(2023, 5, 6), last_cm=72.0, last_on=dt.date(2024, 3, 1))
LIMITS = UrgentLimits()
CHANGES = {
    "sqlite": ["UPDATE {} SET account = 'lain'", "DELETE FROM {}", "REPLACE INTO {0} SELECT * FROM {0}"],
    "postgresql": ["UPDATE {} SET account = 'lain'", "DELETE FROM {}", "TRUNCATE {}"],
}


def size(child=A_YEAR_OLD, on=VISITED_ON, **facts):
    return measured(child, NOTHING | facts, on=on, limits=LIMITS)


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture
def listed(store):
    return store.publish(made(9), heading())


@pytest.fixture
def field(store):
    return FieldStore(store.database)


def nothing(*_):
    """No line of the trail."""


def wrong(**more):
    told = {
        "household_id": "house-000000", "region_id": "R0", "area_id": "A1", "register": "sanitation", "person_id": None,
        "fact": "toilet", "recorded_on": dt.date(2024, 1, 1), "old": "none", "new": "pit_slab", "why": "dilihat",
    }  # fmt: skip
    return Wrong(**told | more)


def seen(listed, **more):
    told = {
        "household_id": "house-000000", "region_id": "R0", "area_id": "A1", "worklist_id": listed.id,
        "visited_on": VISITED_ON, "outcome": "met", "given": [{"service": "pmt_balita", "person_id": None}],
        "measured": [size(weight_kg=8.6, height_cm=73.4, position="l", oedema=False).as_json()], "note": None,
    }  # fmt: skip
    return Seen(**told | more)


def test_what_is_sent_twice_is_kept_once_and_a_key_is_of_no_other_use(field, listed):
    first, again = (field.visited(seen(listed), at=NOON, who=ANYBODY, key="k", note=nothing) for _ in range(2))
    asked, twice = (field.correct(wrong(), at=NOON, who=ANYBODY, key="k", note=nothing) for _ in range(2))

    assert (first, asked) == (again, twice)
    assert [first] == [one.id for one in field.visits("house-000000", who=ANYBODY, limit=9)]
    assert [asked] == [one.id for one in field.corrections("house-000000", who=ANYBODY, limit=9)]
    with pytest.raises(KeyTaken):
        field.visited(seen(listed, outcome="moved"), at=NOON, who=ANYBODY, key="k", note=nothing)
    with pytest.raises(KeyTaken):
        field.correct(wrong(new="other"), at=NOON, who=ANYBODY, key="k", note=nothing)
    assert first != field.visited(seen(listed), at=NOON, who=at_command("siti"), key="k", note=nothing)


def test_it_reads_as_it_was_told_where_somebody_may_look(field, listed):
    field.visited(seen(listed, note="besok lagi"), at=NOON, who=ANYBODY, key="k", note=nothing)
    field.correct(wrong(), at=NOON, who=ANYBODY, key="k", note=nothing)
    there = dataclasses.replace(ANYBODY, scope=Scope(regions=frozenset({"R0"})))
    elsewhere = dataclasses.replace(ANYBODY, scope=Scope(regions=frozenset({"R1"})))

    for who, count in ((ANYBODY, 1), (there, 1), (elsewhere, 0)):
        visits, corrections = field.all_visits(who=who), field.all_corrections(who=who)
        assert [count, count] == [len(visits), len(corrections)]
        assert visits == field.visits("house-000000", who=who, limit=9)
        assert corrections == field.corrections("house-000000", who=who, limit=9)
        assert count == len(field.visited_of(listed.id, who=who))
    (visit,) = field.all_visits(who=there)
    (asked,) = field.all_corrections(who=there)
    assert seen(listed, note="besok lagi") == Seen(**{f.name: getattr(visit, f.name) for f in dataclasses.fields(Seen)})
    assert wrong() == Wrong(**{f.name: getattr(asked, f.name) for f in dataclasses.fields(Wrong)})
    assert NOON == visit.made_at == asked.made_at


def test_a_household_was_visited_last_on_the_newest_day_on_which_it_was_met(field, listed):
    told = [("house-000000", 3, "met"), ("house-000000", 1, "refused"), ("house-000000", 0, "not_home"),
            ("house-000001", 2, "moved"), ("house-000002", 4, "met"), ("house-000003", 5, "met")]  # fmt: skip
    for home, ago, outcome in told:
        region = "R1" if home == "house-000002" else "R0"
        told = seen(
            listed, household_id=home, region_id=region, visited_on=VISITED_ON - ago * DAY, outcome=outcome,
            given=[], measured=[],
        )  # fmt: skip
        field.visited(told, at=NOON, who=ANYBODY, key=f"{home} {ago}", note=nothing)
    there = dataclasses.replace(ANYBODY, scope=Scope(regions=frozenset({"R0"})))
    asked = ["house-000000", "house-000001", "house-000002"]

    assert {"house-000000": VISITED_ON - DAY} == field.last_visits(asked, outcomes=VISITED, who=there)
    both = {"house-000000": VISITED_ON - DAY, "house-000002": VISITED_ON - 4 * DAY}
    assert both == field.last_visits(asked, outcomes=VISITED, who=ANYBODY)
    assert {} == field.last_visits([], outcomes=VISITED, who=ANYBODY)


def test_what_came_after_the_last_export_waits_for_the_registers_side(store, field, listed):
    def export(outcome="done", **about):
        line = Entry(
            at=NOON, who="siti", via="session", act=Act.EXPORT_FIELD.value, request_id="r", outcome=outcome, about=about
        )
        with store.database.writing() as connection:
            append(connection, [line])

    def told():
        found = waiting(store.database, who=ANYBODY)
        return found.visits, found.corrections, found.new_visits, found.new_corrections, found.exported_at

    assert (0, 0, 0, 0, None) == told()
    for key in "ab":
        field.visited(seen(listed), at=NOON, who=ANYBODY, key=key, note=nothing)
    field.correct(wrong(), at=NOON, who=ANYBODY, key="k", note=nothing)
    assert (2, 1, 2, 1, None) == told()
    export(contact=1, corrections=1)
    assert (2, 1, 1, 0, NOON) == told()
    export(contact=2, corrections=1)
    export("forbidden")
    assert (2, 1, 0, 0, NOON) == told()


@pytest.mark.parametrize("table", ["visit", "correction"])
@pytest.mark.parametrize("place", range(3))
def test_it_cannot_be_changed_by_sql(store, field, listed, url, dialect, table, place):
    field.visited(seen(listed), at=NOON, who=ANYBODY, key="k", note=nothing)
    field.correct(wrong(), at=NOON, who=ANYBODY, key="k", note=nothing)
    on_a_file = dialect == "sqlite"
    beside = sqlite3.connect(store.database.path, isolation_level=None) if on_a_file else psycopg.connect(url)
    refusal = sqlite3.IntegrityError if on_a_file else psycopg.errors.RaiseException
    with pytest.raises(refusal, match=f"a {table} is kept as it was"):
        beside.execute(CHANGES[dialect][place].format(table))
    beside.close()

    assert [1, 1] == [len(field.all_visits(who=ANYBODY)), len(field.all_corrections(who=ANYBODY))]


@pytest.mark.parametrize(
    ("more", "why"),
    [({"why": " "}, "without a reason"), ({"new": "none"}, "changes nothing"),
     ({"why": "NIK 3201010101010001"}, "16 digits"), ({"new": "3201010101010001"}, "16 digits"),
     ({"why": "NIK \uff13\uff12" + "\u0660" * 14}, "16 digits"), ({"why": "a" * 1001}, "1,001 characters in why")],
)  # fmt: skip
def test_a_correction_that_says_too_little_or_too_much_is_refused(field, more, why):
    with pytest.raises(InputRefused, match=why):
        field.correct(wrong(**more), at=NOON, who=ANYBODY, key="k", note=nothing)
    assert [] == field.all_corrections(who=ANYBODY)


@pytest.mark.parametrize(
    ("note", "why"), [("a" * 1001, "1,001 characters in note"), ("\u0967" * 16, "16 digits in note")]
)
def test_a_note_of_a_visit_that_says_too_much_is_refused(field, listed, note, why):
    with pytest.raises(InputRefused, match=why):
        field.visited(seen(listed, note=note), at=NOON, who=ANYBODY, key="k", note=nothing)
    assert [] == field.all_visits(who=ANYBODY)


def test_a_visit_sent_again_is_the_same_whatever_newer_scores_make_of_it(field, listed):
    facts = {"weight_kg": 8.6, "height_cm": 73.4, "position": "l"}
    first, later, another = (
        seen(listed, **more)
        for more in (
            {"measured": [size(**facts).as_json()]},
            {"measured": [size(dataclasses.replace(A_YEAR_OLD, last_cm=80.0, sex="f"), **facts).as_json()],
             "region_id": "R1", "area_id": None},
            {"measured": [size(**facts | {"weight_kg": 8.7}).as_json()]},
        )
    )  # fmt: skip
    kept = [field.visited(one, at=NOON, who=ANYBODY, key="k", note=nothing) for one in (first, later)]

    assert first.measured != later.measured
    assert 1 == len(set(kept)) == len(field.all_visits(who=ANYBODY))
    with pytest.raises(KeyTaken):
        field.visited(another, at=NOON, who=ANYBODY, key="k", note=nothing)


def test_a_list_that_somebody_visited_by_stays(store, field, listed, tmp_path):
    other = store.publish(made(3), heading("Lain"))
    field.visited(seen(listed), at=NOON, who=ANYBODY, key="k", note=nothing)
    limits = Limits.of(NOON + 200 * DAY, lists_days=100, scores_days=100, jobs_days=30)

    assert [other.id] == [one.id for one in due(store.database, limits, folder=tmp_path).lists]
    retain(store.database, limits, who=at_command("siti"), folder=tmp_path)
    assert [listed.id] == [one.id for one in store.worklists(limit=9, who=ANYBODY)]


def test_what_comes_back_is_accepted_by_the_registers_with_its_source(field, listed, kabupaten, tmp_path):
    accepted = kabupaten.folder / "data/interim"
    child = pd.read_parquet(accepted / "child.parquet").iloc[-1]
    one = Child(child_id=child.child_id, sex=child.sex, birth_date=child.birth_date.date(), last_cm=None, last_on=None)
    day = (child.birth_date + pd.Timedelta(days=400)).date()
    of_child = size(one, day, weight_kg=8.6, height_cm=73.4, muac_cm=13.5, position="l", oedema=False).as_json()
    silly = size(one, day + DAY, height_cm=100.0, position="l").as_json()
    more = {"household_id": child.household_id, "region_id": None, "area_id": None}
    for n, outcome in enumerate(OUTCOMES):
        for again in range(2):  # two visits on one day: the later measurement counts
            met = outcome == "met"
            told = seen(
                listed, outcome=outcome, visited_on=day, measured=[of_child] if met else [],
                given=[{"service": "pmt_balita", "person_id": None}] if met else [], **more,
            )  # fmt: skip
            field.visited(told, at=NOON, who=ANYBODY, key=f"{n} {again}", note=nothing)
    field.visited(seen(listed, visited_on=day + DAY, measured=[silly], given=[], **more), at=NOON, who=ANYBODY,
                  key="silly", note=nothing)  # fmt: skip
    field.correct(wrong(why="=1+1"), at=NOON, who=ANYBODY, key="k", note=nothing)
    tables = exported(field.all_visits(who=ANYBODY), field.all_corrections(who=ANYBODY), zone="Asia/Jakarta")
    write_folder(tables, tmp_path / "field")
    for name in ("household", "child", "area"):
        shutil.copy(accepted / f"{name}.parquet", tmp_path / "field")

    report = ingest(tmp_path / "field", "canonical", tmp_path / "accepted", max_quarantine_share=0.0)

    counts = {one.name: (one.read, one.accepted) for one in report.registers}
    assert ((2, 2), (2, 2), (11, 11)) == tuple(counts[name] for name in ("measurement", "service", "contact"))
    sizes = pd.read_parquet(tmp_path / "accepted/measurement.parquet")
    assert [of_child["haz"], None] == [None if pd.isna(z) else z for z in sizes.haz]
    assert {"tepat-field"} == set(pd.read_csv(tmp_path / "field/measurement.csv").source)
    assert {"corrections.csv is no register and was not read."} <= {note.removeprefix("File ") for note in report.notes}
    assert ["'=1+1"] == pd.read_csv(tmp_path / f"field/{CORRECTIONS}.csv").why.to_list()
    with pytest.raises(InputRefused, match="is there already"):
        write_folder(tables, tmp_path / "field")


def test_every_outcome_has_a_code_of_the_register():
    assert set(OUTCOMES) == set(KINDS)


def test_scores_are_those_of_who_and_what_is_implausible_is_to_be_measured_again():
    usual, odd = size(weight_kg=8.6, height_cm=73.4, position="l"), size(height_cm=95.0, position="h")

    assert (-0.98, "Normal", ()) == (usual.haz, usual.words["haz"], usual.again)
    assert ("haz", "position") == odd.again
    assert ("shorter",) == size(height_cm=70.9, position="l").again
    assert () == size(height_cm=71.0, position="l").again
    assert (None, {}) == (size(on=dt.date(2029, 1, 1), height_cm=99.0).haz, size(muac_cm=13.0).words)


def test_a_child_in_danger_is_referred_as_the_urgent_list_would():
    wasted = size(weight_kg=6.9, height_cm=73.4, position="l")

    assert -5 < wasted.whz < -3
    assert "BB/TB di bawah -3 SD" in wasted.urgent_id
    assert "whz" in size(weight_kg=4.5, height_cm=73.4, position="l").again
    assert "LiLA" in size(muac_cm=11.4).urgent_id
    assert "" == size(muac_cm=11.5).urgent_id == size(weight_kg=8.6, height_cm=73.4).urgent_id
    assert "edema" in size(oedema=True).urgent_id.lower()
