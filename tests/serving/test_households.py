"""A household's page: its facts, what it lacks, its way through the lists, and who may look."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sqlite3

import pandas as pd
import pytest

from serving.access.scope import Scope
from serving.access.who import ANYBODY
from serving.household_page import History, in_scope, place_of
from serving.published import Scores
from serving.register_rows import WITHHELD, RegisterRows
from serving.store import open_store
from tests.serving.published import heading, made

LATER = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
REGISTERS = {
    "household": pd.DataFrame(
        {"household_id": ["h1", "h2"], "recorded_on": ["2024-01-01", "2024-01-02"], "desil": [1, 2]}
    ),
    "sanitation": pd.DataFrame({"household_id": ["h2"], "recorded_on": ["2024-01-02"], "toilet": ["none"]}),
    "maternal": pd.DataFrame(
        {"mother_id": ["m", "m"], "household_id": ["h1", "h2"], "recorded_on": ["2023-01-01", "2024-02-01"],
         "language": ["Jawa", "Jawa"], "age_years": [30.0, None]}
    ),
    "pregnancy": pd.DataFrame(
        {"pregnancy_id": ["p"], "mother_id": ["m"], "child_id": ["c"], "recorded_on": ["2023-05-01"]}
    ),
    "child": pd.DataFrame(
        {"child_id": ["c", "c"], "household_id": ["h1", "h2"], "recorded_on": ["2023-06-01", "2024-03-01"],
         "birth_date": ["2023-05-01"] * 2, "sex": ["f", "f"]}
    ),
    "measurement": pd.DataFrame(
        {"child_id": ["c", "c", "lost"], "recorded_on": ["2023-07-01", "2024-03-01", "2024-03-01"],
         "height_cm": [60.5, 75.0, 70.0]}
    ),
    "service": pd.DataFrame({"household_id": ["h1"], "recorded_on": ["2024-01-01"], "service": ["pmt"]}),
    "contact": pd.DataFrame({"household_id": ["h1"], "recorded_on": ["2024-01-01"], "kind": ["visited"]}).iloc[:0],
    "area": pd.DataFrame({"area_id": ["R1.1"], "region_id": ["R1"], "urban": [True]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    dated = {
        name: table.assign(**{day: pd.to_datetime(table[day]) for day in ("recorded_on", "birth_date") if day in table})
        for name, table in REGISTERS.items()
    }
    return RegisterRows.of(dated)


def test_a_person_belongs_to_the_home_that_recorded_it_last_the_newest_row_first(rows):
    moved_to, moved_from = rows.rows("h2"), rows.rows("h1")

    assert [75.0, 60.5] == [row.facts["height_cm"] for row in moved_to["measurement"]]
    assert ["2024-03-01", "2023-07-01"] == [str(row.recorded_on) for row in moved_to["measurement"]]
    assert "p" == moved_to["pregnancy"][0].facts["pregnancy_id"]
    assert {"household", "maternal", "child", "service"} == set(moved_from)


def test_a_date_of_birth_and_a_language_are_shown_to_nobody(rows):
    shown = {name for homes in ("h1", "h2") for told in rows.rows(homes).values() for row in told for name in row.facts}

    assert {"sex", "age_years", "desil"} <= shown
    assert {name for names in WITHHELD.values() for name in names}.isdisjoint(shown)


def test_what_is_not_told_is_left_out_and_an_unknown_home_has_no_rows(rows):
    assert "age_years" not in rows.rows("h2")["maternal"][0].facts
    assert {} == rows.rows("nobody")
    assert [True] == [row.facts["urban"] for row in rows.area("R1.1")]
    assert [] == rows.area("R9") == rows.area(None)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def of(*regions):
    return dataclasses.replace(ANYBODY, name="siti", scope=Scope(regions=frozenset(regions)))


def test_the_history_is_newest_first_with_the_rank_among_what_the_asker_may_see(store):
    first, second = (
        store.publish(made(9), heading(name, at)) for name, at in (("satu", LATER.replace(year=2023)), ("dua", LATER))
    )
    all_of_it = History(store.database, "house-000004", ANYBODY).lists(limit=5)
    theirs = History(store.database, "house-000004", of("R1")).lists(limit=5)

    assert [(second.id, 5), (first.id, 5)] == [(one.listed.id, one.found.rank) for one in all_of_it]
    assert [(second.id, 2, 3), (first.id, 2, 3)] == [
        (one.listed.id, one.found.rank, one.listed.row_count) for one in theirs
    ]
    assert [first.id] == [
        one.listed.id for one in History(store.database, "house-000004", of("R1")).lists(limit=5, before=second.id)
    ]  # fmt: skip


def test_the_history_of_a_home_in_another_region_is_empty_as_of_one_that_is_not(store):
    store.publish(made(9), heading())

    assert [] == History(store.database, "house-000004", of("R2")).lists(limit=5)
    assert [] == History(store.database, "nobody", of("R2")).lists(limit=5)
    assert [] == History(store.database, "house-000004", of("R2")).decisions(limit=5)


def test_a_home_that_was_scored_is_in_scope_where_it_lies():
    scored = Scores(settings=None, stamp="")
    vars(scored)["units"] = pd.DataFrame(
        {"region_id": ["R1", "R1", None], "area_id": ["R1.1", "R1.1", None]}, index=["a", "a", "b"]
    )  # fmt: skip

    assert (("R1", "R1.1"), (None, None), None) == tuple(place_of(scored, home) for home in ("a", "b", "aa"))
    assert [True, False, False] == [in_scope(scored, home, who=of("R1")) for home in ("a", "b", "zz")]
    assert in_scope(scored, "b", who=ANYBODY)


def home_of(scores):
    return scores[scores.mother_id.notna()].household_id.iloc[3]


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    def test_facts_agree_with_the_registers_and_with_what_is_missing(self, server, kabupaten, scores):
        home = home_of(scores)
        told = server.client.get(f"/v1/households/{home}/facts").json()
        water = pd.read_parquet(kabupaten.folder / "data/interim/sanitation.parquet")
        water = water[water.household_id == home].sort_values("recorded_on", ascending=False)
        by_name = {one["register"]: one["rows"] for one in told["registers"]}

        assert water.toilet.dropna().tolist() == [
            row["facts"]["toilet"] for row in by_name.get("sanitation", []) if "toilet" in row["facts"]
        ]
        assert "area" in by_name
        assert set(told["missing_registers"]).isdisjoint(by_name)
        assert {"unmet", "received", "unknown"} >= {one["status"] for one in told["services"]}
        assert all(one["owner"] and one["eligible"] for one in told["services"])
        assert all(one["cost_idr"] == 0 for one in told["services"] if one["status"] != "unmet")
        assert "birth_date" not in server.client.get(f"/v1/households/{home}/facts").text

    def test_history_holds_the_lists_and_the_decisions(self, server):
        listed = server.client.post(
            "/v1/worklists", json={"name": "Uji", "capacity": 10_000, "objective": "find"}
        ).json()
        page = server.client.get(f"/v1/worklists/{listed['id']}", params={"limit": 1}).json()["lines"][0]
        other = page["household_id"]
        said = {"worklist_id": listed["id"], "household_id": other, "kind": "accept", "decided_by": "Puskesmas"}
        decided = server.client.post("/v1/decisions", json=said).json()
        told = server.client.get(f"/v1/households/{other}/history").json()

        assert (listed["id"], True, page) == (
            told["lists"][0]["worklist"]["id"], told["lists"][0]["on_list"], told["lists"][0]["line"],
        )  # fmt: skip
        assert decided == told["decisions"][0]

    @pytest.mark.parametrize("what", ["", "/facts", "/history", "/scores"])
    def test_a_home_that_is_not_scored_is_not_found(self, server, what):
        answer = server.client.get(f"/v1/households/nobody{what}")

        assert (404, "No scored household has this identifier.") == (answer.status_code, answer.json()["detail"])

    def test_every_look_stands_in_the_trail_and_a_refused_one_without_what_was_typed(self, server, kabupaten, scores):
        home = home_of(scores)
        ids = [f"look-{n}" for n in range(5)]
        asked = [home, f"{home}/facts", f"{home}/history", f"{home}/scores", "3201010101010001"]
        codes = [
            server.client.get(f"/v1/households/{path}", headers={"X-Request-ID": name}).status_code
            for name, path in zip(ids, asked, strict=True)
        ]
        with sqlite3.connect(kabupaten.folder / "data/serving/tepat.db") as kept:
            lines = kept.execute(
                "SELECT act, outcome, households FROM trail WHERE request_id IN (?, ?, ?, ?, ?) ORDER BY number", ids
            ).fetchall()
        kept.close()

        assert [200, 200, 200, 200, 404] == codes
        told = [(act, outcome, len(json.loads(homes))) for act, outcome, homes in lines]
        assert [("household.see", "done", 1)] * 4 + [("household.see", "not-found", 0)] == told
