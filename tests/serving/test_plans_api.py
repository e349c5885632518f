"""Plans and decisions as another system meets them, over HTTP."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import serving.published
from serving.errors import Busy
from serving.examples_plan import POLICY
from serving.published import Published
from targeting.manifest import write_manifest
from tests.serving.conftest import Server

pytestmark = pytest.mark.xdist_group("serving")
LISTS = "/v1/worklists"
OFFICE = {"decided_by": "Puskesmas Contoh"}
REFUSED = {
    "a region that is not": ({"regions": ["nowhere"]}, "regions that no household is in: nowhere"),
    "a service that is not": ({"services": ["nothing"]}, "services that the menu does not have: nothing"),
    "rules that conflict": ({"floors": {"region": {"visits": 999}}}, "floors.region"),
    "a rule that is not": ({"floor": {}}, "floor: there is no such rule"),
    "a comma": ({"prevent_share": "0,5"}, "prevent_share: '0,5' is not allowed"),
    "two capacities": ({"capacity": {"amount": 3, "share": 0.1}}, "give either amount or share"),
    "yes": ({"credit_effects": "yes"}, "credit_effects of another type"),
    "braces": ({"regions": ["{a}", "{a}"]}, "{a} stands twice"),
}


def made(server, **rules):
    answer = server.client.post(LISTS, json={"name": "Uji", "policy": POLICY | rules})
    assert 201 == answer.status_code, answer.text
    return answer.json()


def lines_of(server, list_id):
    lines, after = [], 0
    while after is not None:
        page = server.client.get(f"{LISTS}/{list_id}", params={"after": after, "limit": 20}).json()
        lines, after = [*lines, *page["lines"]], page["next_after"]
    return lines


def left_out_of(server, list_id, **asked):
    found, after = [], {}
    while after is not None:
        page = server.client.get(f"{LISTS}/{list_id}/left-out", params={"limit": 150} | after | asked).json()
        found += page["households"]
        after = None if page["next_after"] is None else {"after": page["next_after"]}
    return found


def decide(server, plan, home, kind, **more):
    said = {"worklist_id": plan["id"], "household_id": home, "kind": kind} | OFFICE | more
    return server.client.post("/v1/decisions", json=said)


@pytest.fixture(scope="module")
def plan(server):
    return made(server)


def test_every_scored_household_is_on_the_plan_or_left_out_with_why(server, plan, scores):
    lines, left_out = lines_of(server, plan["id"]), left_out_of(server, plan["id"])
    homes = [one["household_id"] for one in [*lines, *left_out]]

    assert sorted(scores.household_id.unique()) == sorted(homes)
    assert plan["row_count"] == plan["figures"]["visits"] == len(lines)
    assert list(range(1, len(lines) + 1)) == [one["rank"] for one in lines]
    assert all(one["why_id"] and one["why_en"] for one in left_out)
    assert all(one["chosen_for_id"] and one["weight"] >= 1 for one in lines)
    assert plan["figures"]["by_lot"] == sum(one["chosen_for"] == "exploration" for one in lines)


def test_a_plan_says_its_policy_figures_notes_limits_and_what_it_was_made_of(server, plan):
    assert POLICY["version"] == plan["policy_stamp"].split("+")[0]
    assert POLICY == {name: plan["policy"][name] for name in POLICY} | {
        name: POLICY[name] for name in ("capacity", "floors", "reserves", "workload", "exclusions")
    }
    assert plan["figures"]["gap"] <= 0.005
    assert plan["notes"]
    assert "capacity" in {one["rule"] for one in plan["limits"]}
    assert {"units.parquet", "services.yaml"} <= set(plan["fingerprints"])
    assert plan == server.client.get(f"{LISTS}/{plan['id']}/plan").json()
    kept = {name: plan[name] for name in server.client.get(LISTS).json()["worklists"][0]}
    assert kept == server.client.get(f"{LISTS}/{plan['id']}").json()["worklist"]


def test_the_same_policy_twice_makes_equal_lines(server, plan):
    again = made(server)

    assert (plan["policy_stamp"], plan["figures"]) == (again["policy_stamp"], again["figures"])
    assert lines_of(server, plan["id"]) == lines_of(server, again["id"])
    assert left_out_of(server, plan["id"]) == left_out_of(server, again["id"])


def test_four_plans_asked_for_at_once_are_all_made(server, plan):
    with ThreadPoolExecutor(4) as threads:
        stamps = list(threads.map(lambda _: made(server)["policy_stamp"], range(4)))

    assert [plan["policy_stamp"]] * 4 == stamps


def test_whom_a_plan_leaves_out_can_be_asked_by_region(server, plan):
    everybody = left_out_of(server, plan["id"])
    region = everybody[0]["region_id"]

    assert [one for one in everybody if one["region_id"] == region] == left_out_of(server, plan["id"], region=region)


def test_the_urgent_list_is_whole_and_as_it_was_made_with_the_scores(server, kabupaten):
    [region, *others] = sorted(
        pd.read_parquet(kabupaten.folder / "data/scores/units.parquet").region_id.dropna().unique()
    )
    of_one_region = made(server, regions=[region], floors={}, reserves={}, workload={})
    told = server.client.get(f"{LISTS}/{of_one_region['id']}/urgent").json()["urgent"]
    urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet").astype(object)

    assert {one["region_id"] for one in told} & set(others)
    rows = urgent.where(urgent.notna(), None)[["child_id", "mother_id", "household_id", "why_id"]]
    assert rows.to_dict("records") == [{name: one[name] for name in rows} for one in told]


def test_a_household_is_on_the_plan_or_not_and_why(server, plan):
    line, left_out = lines_of(server, plan["id"])[0], left_out_of(server, plan["id"])[0]
    on, out = (
        server.client.get(f"{LISTS}/{plan['id']}/households/{one['household_id']}").json() for one in (line, left_out)
    )

    assert (True, line, None) == (on["on_list"], on["line"], on["left_out"])
    assert (False, None, left_out) == (out["on_list"], out["line"], out["left_out"])
    urgent = server.client.get(f"{LISTS}/{plan['id']}/urgent").json()["urgent"]
    home = urgent[0]["household_id"]
    told = server.client.get(f"{LISTS}/{plan['id']}/households/{home}").json()["urgent"]
    assert [one for one in urgent if one["household_id"] == home] == told


def test_what_no_list_knows_is_not_found(server, plan):
    asked = [f"{LISTS}/{plan['id']}/households/nobody", f"{LISTS}/none/households/nobody"]
    asked += [f"{LISTS}/none/{what}" for what in ("plan", "left-out", "urgent")]

    assert [404] * 5 == [server.client.get(one).status_code for one in asked]


@pytest.mark.parametrize("what", ["plan", "left-out", "urgent"])
def test_a_list_by_risk_alone_does_not_answer_as_if_nobody_were_left_out_or_in_danger(server, what):
    listed = server.client.post(LISTS, json={"name": "Uji", "capacity": 3}).json()
    answer = server.client.get(f"{LISTS}/{listed['id']}/{what}")

    assert (422, None) == (answer.status_code, listed["policy_stamp"])
    assert "goes by risk alone" in answer.json()["detail"]


@pytest.mark.parametrize(("rules", "words"), REFUSED.values(), ids=REFUSED)
def test_a_policy_that_cannot_be_kept_is_refused_in_its_own_words(server, rules, words):
    before = server.client.get(LISTS).json()["worklists"]
    answer = server.client.post(LISTS, json={"name": "Uji", "policy": POLICY | rules})

    assert (422, "tepat:request-refused") == (answer.status_code, answer.json()["type"])
    assert words in answer.json()["detail"]
    assert "What to do:" in answer.json()["detail"]
    assert before == server.client.get(LISTS).json()["worklists"]


@pytest.mark.parametrize(("name", "value"), [("capacity", 3), ("regions", ["99.01.01"]), ("objective", "find")])
def test_a_policy_stands_alone(server, name, value):
    answer = server.client.post(LISTS, json={"name": "Uji", "policy": POLICY, name: value})

    assert 422 == answer.status_code
    assert f"policy and {name}: a policy says these itself" in answer.json()["detail"]


def test_who_objects_or_is_deferred_is_not_on_the_next_plan_until_that_is_over(server):
    first = made(server)
    objecting, deferred, *_ = (one["household_id"] for one in lines_of(server, first["id"]))
    frozen = decide(server, first, objecting, "object", reason="tidak mau").json()
    decide(server, first, deferred, "defer", reason="pergi", until="2999-01-01")
    second = made(server)
    why = {one["household_id"]: one["kept_out_by"] for one in left_out_of(server, second["id"])}

    assert {objecting, deferred}.isdisjoint(one["household_id"] for one in lines_of(server, second["id"]))
    assert ("objection", "deferred") == (why[objecting], why[deferred])
    for home in (objecting, deferred):
        assert decide(server, second, home, "withdraw").json()["on_list"] is False
    assert lines_of(server, first["id"]) == lines_of(server, made(server)["id"])
    kept = server.client.get("/v1/decisions", params={"household_id": objecting}).json()["decisions"]
    assert frozen == kept[-1]
    line = lines_of(server, first["id"])[0]
    del line["masked_name"]  # what is kept of a decision has no name, and no mask of one
    assert line == frozen["line"]


def test_a_decision_sent_twice_is_kept_once_and_its_key_is_of_no_other_use(server, plan):
    home = lines_of(server, plan["id"])[2]["household_id"]
    said = {"worklist_id": plan["id"], "household_id": home, "kind": "accept"} | OFFICE
    key = {"Idempotency-Key": "klik-1"}
    first, again = (server.client.post("/v1/decisions", json=said, headers=key) for _ in range(2))
    other = server.client.post("/v1/decisions", json=said | {"reason": "lain"}, headers=key)

    assert (201, 201, first.json()) == (first.status_code, again.status_code, again.json())
    assert (409, "tepat:conflict") == (other.status_code, other.json()["type"])
    kept = server.client.get("/v1/decisions", params={"worklist_id": plan["id"], "household_id": home}).json()
    assert [first.json()] == kept["decisions"]


def test_decisions_are_paged_newest_first(server, plan):
    homes = [one["household_id"] for one in lines_of(server, plan["id"])[3:8]]
    made_all = [decide(server, plan, home, "accept").json()["id"] for home in homes]
    seen, asked = [], {"worklist_id": plan["id"], "limit": 2}
    while len(seen) < len(homes):
        page = server.client.get("/v1/decisions", params=asked).json()
        seen += [one["id"] for one in page["decisions"]]
        asked["before"] = page["next_before"]

    assert made_all[::-1] == seen[: len(homes)]
    assert 404 == server.client.get("/v1/decisions", params={"before": "none"}).status_code


def test_a_decision_that_cannot_stand_says_why(server, plan):
    home = lines_of(server, plan["id"])[0]["household_id"]
    answers = [
        decide(server, plan, home, "object"),
        decide(server, plan, home, "defer", reason="pergi", until="2001-01-01"),
        decide(server, plan, home, "defer", reason="pergi", until="1.3.2099"),
        decide(server, plan, home, "accept", decided_by="3201010101010001"),
        decide(server, plan, "nobody", "accept"),
        decide(server, {"id": "none"}, home, "accept"),
    ]

    assert [422, 422, 422, 422, 404, 404] == [one.status_code for one in answers]
    words = ["object without a reason", "still to come", "not a date", "16 digits in decided_by", "does not know", "No"]
    assert all(word in one.json()["detail"] for word, one in zip(words, answers, strict=True))
    assert "3201010101010001" not in answers[3].text + server.said()


def test_a_plan_that_others_hold_up_too_long_is_told_to_ask_again(monkeypatch):
    monkeypatch.setattr(serving.published, "PLAN_WAIT_S", 0.01)
    published = Published()
    published.scores = lambda: "the scores"
    with published.planning() as found:
        with pytest.raises(Busy, match="Other plans are being made"), published.planning():
            pass
        assert "the scores" == found
    with published.planning() as found:
        assert "the scores" == found


def test_scores_that_are_being_replaced_make_no_plan_and_new_ones_do(kabupaten, tmp_path):
    home = Path(shutil.copytree(kabupaten.folder, tmp_path / "kabupaten", symlinks=True))
    shutil.rmtree(home / "data/serving", ignore_errors=True)
    server = Server(home)
    try:
        assert 200 == server.client.get(f"{LISTS}").status_code
        server.wait_for(lambda: server.client.get("/readyz").status_code == 200)
        units = home / "data/scores/units.parquet"
        kept = pd.read_parquet(units)
        kept.iloc[::-1].to_parquet(units)
        answer = server.client.post(LISTS, json={"name": "Uji", "policy": POLICY})
        assert (503, "tepat:nothing-scored") == (answer.status_code, answer.json()["type"])
        write_manifest(units.parent)
        first = made(server)
        kept.to_parquet(units)  # what was read of these scores stays whole
        assert first["figures"] == made(server)["figures"]
        with sqlite3.connect(home / "data/serving/tepat.db") as kept:
            assert 2 == kept.execute("SELECT count(*) FROM worklist").fetchone()[0]
        kept.close()
    finally:
        server.stop()
