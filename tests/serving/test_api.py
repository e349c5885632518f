"""The service as another system meets it, over HTTP."""

from __future__ import annotations

import json
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import pytest

from serving.examples import HOUSEHOLD
from targeting.households import score_households
from tests.project import Project
from tests.serving.conftest import Server

pytestmark = pytest.mark.xdist_group("serving")
CELLS = [
    ("household", {"desil": 11}, "desil", "a whole number from 1 to 10", "outside the allowed range"),
    ("household", {"desil": 2.5}, "desil", "a whole number from 1 to 10", "has a fraction, but counts whole things"),
    ("household", {"floor": "gold"}, "floor", "one of earth, rough, cement, finished", "unknown code"),
    ("sanitation", {"toilet_shared": "ya"}, "toilet_shared", "1 (yes) or 0 (no)", "neither yes nor no"),
    ("child", {"birth_date": "1.3.2024"}, "birth_date", "a date, YYYY-MM-DD", "not a date"),
    ("child", {"birth_date": "2999-01-01"}, "birth_date", "a date, YYYY-MM-DD", "in the future"),
    ("child", {"child_id": "3.21101E+15"}, "child_id", "text", "damaged by a spreadsheet; export the column as text"),
    ("maternal", {"height_cm": 400}, "height_cm", "a number from 120 to 200 cm", "outside the allowed range"),
]


def scored(server: Server, *homes: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = server.client.post("/v1/score", json={"households": homes, **more})
    assert 200 == answer.status_code, answer.text
    return answer.json()["households"]


def changed(register: str, cells: dict[str, Any]) -> dict[str, Any]:
    registers = {name: [dict(row) for row in rows] for name, rows in HOUSEHOLD["registers"].items()}
    registers[register][0] |= cells
    return HOUSEHOLD | {"registers": registers}


def test_the_same_household_has_the_same_risk_and_reasons_through_the_api_as_in_the_batch(server, facts, scores):
    homes = scored(server, *facts.values())
    answered = {unit["unit_id"]: unit for home in homes for unit in home["units"]}
    batch_units = scores[scores.household_id.isin(facts)].set_index("unit_id")

    assert len(facts) >= 50
    assert set(batch_units.index) == set(answered)
    for unit_id, batch in batch_units.iterrows():
        unit = answered[unit_id]
        for said, risk, reasons in (("now", "risk_now", "reasons_id"), ("at_24m", "risk_at_24m", "reasons_24m_id")):
            if unit[said] is None:
                assert math.isnan(batch[risk])
            else:
                assert batch[risk] == unit[said]["risk"]
                assert batch[reasons] == "; ".join(reason["text_id"] for reason in unit[said]["reasons"])
    for objective in ("find", "prevent"):
        batch = score_households(scores, objective=objective).set_index("household_id").risk
        for home in homes:
            told = home[f"risk_{objective}"]
            assert pytest.approx(batch[home["household_id"]], nan_ok=True) == (math.nan if told is None else told)


def test_the_command_line_gives_the_same_answer_as_the_api(server, kabupaten: Project, facts, tmp_path):
    homes = list(facts.values())[:5]
    path = tmp_path / "homes.json"
    path.write_text(json.dumps({"households": homes}))

    told = json.loads(kabupaten.run(sys.executable, "-m", "serving.cli", "score", "--facts", str(path)))

    assert told["households"] == scored(server, *homes)


def test_base_reasons_and_rest_add_up_to_the_log_odds_of_the_risk(server, facts):
    homes = scored(server, *facts.values(), contributions=True)
    parts = [unit[said] for home in homes for unit in home["units"] for said in ("now", "at_24m") if unit[said]]

    assert len(parts) > 50
    for part in parts:
        weights = sum(reason["weight"] for reason in part["reasons"])
        assert pytest.approx(part["log_odds"], abs=1e-9) == part["base"] + weights + part["rest"]
        assert pytest.approx(part["log_odds"], abs=1e-9) == part["base"] + sum(part["contributions"].values())
        assert pytest.approx(part["risk"], abs=1e-5) == 1 / (1 + math.exp(-part["log_odds"]))


def test_a_household_is_as_the_pipeline_published_it(server, scores):
    household_id = scores.household_id.iloc[0]
    told = server.client.get(f"/v1/households/{household_id}").json()

    batch = scores[scores.household_id == household_id]
    assert batch.unit_id.tolist() == [unit["unit_id"] for unit in told["units"]]
    for unit in told["units"]:
        assert pytest.approx(unit["log_odds"], abs=1e-6) == sum(unit["contributions"].values())


def test_a_household_that_was_not_scored_is_not_found(server):
    answer = server.client.get("/v1/households/nobody")
    assert (404, "tepat:not-found") == (answer.status_code, answer.json()["type"])


@pytest.mark.parametrize(("register", "cells", "column", "allowed", "reason"), CELLS)
def test_a_bad_cell_is_said_in_the_words_of_its_contract(server, register, cells, column, allowed, reason):
    answer = server.client.post("/v1/score", json={"households": [changed(register, cells)]})

    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    told = answer.json()
    assert "tepat:facts-refused" == told["type"]
    found = {name: told["errors"][0][name] for name in ("register", "row", "column", "allowed", "reason")}
    assert found == {"register": register, "row": 0, "column": column, "allowed": allowed, "reason": reason}


def test_two_rows_of_one_key_are_refused_and_so_is_a_birth_after_its_record(server):
    twice = changed("child", {})
    twice["registers"]["child"] = [*twice["registers"]["child"], twice["registers"]["child"][0] | {"sex": "f"}]
    early = changed("child", {"birth_date": "2025-03-02"})
    told = server.client.post("/v1/score", json={"households": [twice, early]}).json()

    assert [(0, "child_id+recorded_on"), (1, "birth_date")] == [(e["household"], e["column"]) for e in told["errors"]]


def test_neither_an_error_nor_the_log_repeats_an_identifier_or_a_birth_date(server):
    slipped = {"child_id": "=SECRETCHILD", "birth_date": "1987-06-05T", "sex": "SECRETNAME", "SECRETCOLUMN": 1}
    marked = changed("child", slipped)
    marked["registers"]["household"][0] |= {"member_count": 3301014502900001, "head_sex": "SECRETSEX"}
    body = json.dumps({"households": [marked | {"household_id": "SECRETHOME"}]})
    answer = server.client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    server.client.post("/v1/score", json={"SECRETFIELD": 1})
    server.client.get("/v1/households/SECRETHOME")
    server.client.get("/v1/SECRETROUTE")

    assert 422 == answer.status_code
    assert not [word for word in ("SECRET", "1987-06-05") if word in answer.text + server.said()]
    assert "3301014502900001" not in answer.text


def test_every_request_leaves_one_line_with_its_id(server):
    server.client.get("/v1/model", headers={"x-request-id": "my-own-id"})
    server.wait_for(lambda: any(line.get("request_id") == "my-own-id" for line in server.lines()))
    [line] = [line for line in server.lines() if line.get("request_id") == "my-own-id"]

    assert ("GET", "/v1/model", 200) == (line["method"], line["route"], line["status"])


def test_later_rows_are_not_seen_on_an_earlier_day(server):
    home = changed("maternal", {})
    home["registers"]["maternal"].append(
        home["registers"]["maternal"][0] | {"recorded_on": "2025-06-01", "height_cm": 170}
    )
    child = [home["registers"]["child"][0] | {"recorded_on": "2025-01-01"}]
    home["registers"]["child"] = child
    then = scored(server, home | {"as_of": "2025-05-01"}, contributions=True)[0]["units"][0]
    now = scored(server, home | {"as_of": "2025-07-01"}, contributions=True)[0]["units"][0]

    assert "2025-05-01" == then["as_of"]
    assert now["now"]["contributions"]["mother_height_cm"] < then["now"]["contributions"]["mother_height_cm"]


def test_a_child_of_five_is_told_apart_and_not_scored(server):
    home = scored(server, changed("child", {"birth_date": "2019-01-01"}))[0]
    assert ({"example-child": "five years or older"}, []) == (home["unscored"], home["units"])


def test_who_was_last_recorded_before_the_period_of_the_batch_is_told_apart_unless_a_day_is_asked_for(server):
    old = changed("child", {"recorded_on": "2024-07-01"}) | {"household_id": "old"}
    assert "last recorded before 2025-01-01" in scored(server, old)[0]["unscored"]["example-child"]
    assert 1 == len(scored(server, old | {"as_of": "2025-03-01"})[0]["units"])


def test_a_pregnancy_that_ended_in_a_birth_is_none(server):
    before = changed("maternal", {"pregnant": True, "recorded_on": "2025-01-15"})
    assert {"child", "pregnancy"} == {unit["kind"] for unit in scored(server, before)[0]["units"]}
    born = before | {
        "registers": before["registers"]
        | {"child": changed("child", {"birth_date": "2025-02-01"})["registers"]["child"]}
    }
    assert ["child"] == [unit["kind"] for unit in scored(server, born)[0]["units"]]


def test_a_child_who_was_measured_but_is_not_listed_is_named(server):
    home = changed("measurement", {"child_id": "stranger"})
    assert "measured, but without a row" in scored(server, home)[0]["unscored"]["stranger"]


def test_a_child_may_be_called_what_a_pregnancy_is_called(server):
    plain = changed("maternal", {"pregnant": True, "recorded_on": "2025-02-15"})
    odd = changed("child", {"child_id": "pregnancy-example-mother"})
    odd["registers"]["maternal"] = plain["registers"]["maternal"]
    odd["registers"]["pregnancy"][0]["child_id"] = "pregnancy-example-mother"
    told, expected = scored(server, odd)[0], scored(server, plain)[0]

    assert (expected["risk_find"], expected["risk_prevent"]) == (told["risk_find"], told["risk_prevent"])


def test_only_this_machines_names_are_answered(server):
    assert 400 == server.client.get("/v1/model", headers={"host": "evil.example"}).status_code


def test_a_forgotten_content_type_is_said(server):
    answer = server.client.post("/v1/score", content=json.dumps({"households": [HOUSEHOLD]}))
    assert (400, "tepat:not-json") == (answer.status_code, answer.json()["type"])
    assert "content-type" in answer.json()["detail"]


def test_a_million_faults_are_not_listed(server):
    many = {"household_id": "h", "registers": {"child": [{} for _ in range(200)]}}
    told = server.client.post("/v1/score", json={"households": [many] * 90}).json()
    assert 100 == len(told["errors"])
    assert 422 == server.client.post("/v1/score", json={"households": [many] * 300}).status_code


def test_a_child_in_danger_is_named_whatever_its_risk(server):
    told = scored(server, HOUSEHOLD)[0]["urgent"]
    assert [("example-child", "LiLA di bawah 11,5 cm")] == [(one["child_id"], one["why_id"]) for one in told]


@pytest.mark.parametrize(("found", "women"), [(7.9, [("example-mother", "Hb di bawah 8 g/dL")]), (8.0, [])])
def test_a_woman_is_named_below_the_limit_of_haemoglobin(server, found, women):
    told = scored(server, changed("maternal", {"haemoglobin_g_dl": found}))[0]["urgent"]
    assert women == [(one["mother_id"], one["why_id"]) for one in told if one["mother_id"]]


def test_an_area_that_the_registers_do_not_know_is_said(server):
    assert scored(server, HOUSEHOLD)[0]["area_known"]
    assert not scored(server, changed("household", {"area_id": "elsewhere"}))[0]["area_known"]


def test_a_thousand_households_are_answered_and_one_more_is_refused(server, facts):
    homes = list(facts.values())
    many = [home | {"household_id": f"{n}"} for n in range(20) for home in homes]
    for home in many:
        home["registers"] = {
            k: [{**r, "household_id": None} if "household_id" in r else r for r in v]
            for k, v in home["registers"].items()
        }
    told = scored(server, *many)

    assert [home["household_id"] for home in many] == [home["household_id"] for home in told]
    assert 422 == server.client.post("/v1/score", json={"households": [*many, many[0]]}).status_code


def test_many_at_once_each_get_their_own_answer(server, facts):
    alone = {name: scored(server, home)[0] for name, home in facts.items()}
    with ThreadPoolExecutor(32) as pool:
        together = dict(zip(facts, pool.map(lambda home: scored(server, home)[0], facts.values()), strict=True))

    assert alone == together


def test_a_body_that_is_no_json_or_too_large_is_refused(server):
    broken = server.client.post("/v1/score", content=b"{", headers={"content-type": "application/json"})
    large = server.client.post(
        "/v1/score", content=b"[" + b" " * (9 * 2**20), headers={"content-type": "application/json"}
    )
    unannounced = server.client.post(
        "/v1/score", content=(b" " * 2**20 for _ in range(9)), headers={"content-type": "application/json"}
    )

    assert [(400, "tepat:not-json"), (413, "tepat:too-large"), (413, "tepat:too-large")] == [
        (answer.status_code, answer.json()["type"]) for answer in (broken, large, unannounced)
    ]


def test_a_list_is_that_of_the_command_line_and_its_pages_join_to_the_whole(server, kabupaten: Project):
    made = server.client.post("/v1/worklists", json={"name": "Uji", "capacity": 45})
    assert 201 == made.status_code
    kabupaten.run(sys.executable, "-m", "serving.cli", "worklist", "--capacity", "45", "--out", "asked")
    printed = pd.read_csv(kabupaten.folder / "asked/worklist.csv", dtype={"household_id": str})
    lines, after = [], 0
    while after is not None:
        page = server.client.get(made.headers["location"], params={"after": after, "limit": 20}).json()
        lines, after = [*lines, *page["lines"]], page["next_after"]

    assert printed.household_id.tolist() == [line["household_id"] for line in lines]
    assert list(range(1, 46)) == [line["rank"] for line in lines]
    assert made.json() in server.client.get("/v1/worklists").json()["worklists"]


def test_a_list_of_a_region_that_is_not_known_is_refused_with_those_that_are(server, scores):
    answer = server.client.post("/v1/worklists", json={"name": "Uji", "regions": ["nowhere"]})
    assert 422 == answer.status_code
    assert min(scores.region_id.dropna()) in answer.json()["detail"]


def test_an_unknown_list_is_not_found(server):
    assert 404 == server.client.get("/v1/worklists/none").status_code
    assert 404 == server.client.get("/v1/worklists", params={"before": "none"}).status_code


def test_the_measures_tell_of_requests_model_and_households(server):
    scored(server, HOUSEHOLD)
    told = server.client.get("/metrics").text
    stamp = server.client.get("/v1/model").json()["stamp"]

    assert f'tepat_model{{stamp="{stamp}"' in told
    assert 'tepat_request_seconds_count{method="POST",route="/v1/score",status="200"}' in told
    assert "tepat_households_scored_total" in told


def test_it_listens_to_this_machine_only_and_says_so(server):
    assert "Only this machine can reach it" in server.said()


def test_simulated_registers_are_named_as_such(server):
    assert server.client.get("/v1/model").json()["simulated"]
