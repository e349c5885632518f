"""Lists as another system makes them over HTTP: once for a key, in its own regions, with its line of the trail."""

from __future__ import annotations

import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pandas as pd
import pytest

from serving.access.scope import EVERYWHERE, Scope
from serving.examples_plan import POLICY
from tests.serving.conftest import Server
from tests.serving.known import system

pytestmark = pytest.mark.xdist_group("serving-2")
LISTS = "/v1/worklists"
LOOSE = {"floors": {}, "reserves": {}, "workload": {}}
BY_RISK, BY_POLICY = {"name": "Uji", "capacity": 7}, {"name": "Uji", "policy": POLICY | LOOSE}
PLANNED = pytest.mark.parametrize("body", [BY_RISK, BY_POLICY], ids=["by risk", "by a policy"])


class Asker:
    """Who may make lists in one region, or everywhere."""

    def __init__(self, server: Server, said: dict[str, str], file: str) -> None:
        self.server, self.said, self.file = server, said, file

    def get(self, path, **asked):
        return self.server.client.get(path, params=asked or None, headers=self.said)

    def post(self, path, body, **headers):
        return self.server.client.post(path, json=body, headers=self.said | headers)

    def trail(self, act):
        """list_id, households and outcome of the lines of an act, oldest first."""
        with closing(sqlite3.connect(self.file)) as store:
            rows = store.execute("SELECT list_id, households, outcome FROM trail WHERE act = ? ORDER BY number", [act])
            return [(list_id, json.loads(homes), outcome) for list_id, homes, outcome in rows]


@pytest.fixture(scope="module")
def region(kabupaten):
    """One where somebody is in danger."""
    return pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet").region_id.dropna().min()


@pytest.fixture(scope="module")
def askers(kabupaten, region, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    url = f"sqlite:///{folder}/tepat.db"
    places = {"near": Scope(regions=frozenset({region})), "all": EVERYWHERE}
    shows = {name: system(url, name, roles=["planner"], scope=of) for name, of in places.items()}
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=str(folder))
    yield {name: Asker(running, said, f"{folder}/tepat.db") for name, said in shows.items()}
    running.stop()


def one_of_each(lines, region):
    """Two households: of the region, and of another."""
    near, far = ([one["household_id"] for one in lines if (one["region_id"] == region) is so] for so in (True, False))
    return near[0], far[0]


@PLANNED
def test_a_list_sent_twice_is_made_once_and_its_key_is_of_no_other_use(askers, body):
    key = {"Idempotency-Key": f"klik-{len(body)}-{'policy' in body}"}
    first, again = (askers["all"].post(LISTS, body, **key) for _ in range(2))
    other = askers["all"].post(LISTS, body | {"name": "Lain"}, **key)
    of_another = askers["near"].post(LISTS, body, **key)

    assert (201, 201, first.json()) == (first.status_code, again.status_code, again.json())
    assert first.headers["location"] == again.headers["location"]
    assert (409, "tepat:conflict") == (other.status_code, other.json()["type"])
    assert (201, "near") == (of_another.status_code, of_another.json()["made_by"])
    made = [line for line in askers["all"].trail("list.make") if line[0] == first.json()["id"]]
    assert [(first.json()["id"], [], "done")] * 2 == made


def test_of_requests_with_one_key_at_once_one_makes_the_list(askers):
    with ThreadPoolExecutor(6) as threads:
        sent = list(
            threads.map(lambda _: askers["all"].post(LISTS, BY_RISK, **{"Idempotency-Key": "serentak"}), range(6))
        )

    assert [201] * 6 == [one.status_code for one in sent]
    assert 1 == len({one.text for one in sent})


@PLANNED
def test_who_may_look_at_one_region_makes_lists_of_that_region(askers, region, scores, body):
    made = askers["near"].post(LISTS, body).json()
    lines = askers["near"].get(f"{LISTS}/{made['id']}", limit=1000).json()["lines"]
    homes = scores[scores.region_id == region].household_id.nunique()

    assert ({region}, True) == ({line["region_id"] for line in lines}, made["whole"])
    assert {"regions": [region], "areas": []} == made["scope"]
    assert 0 < made["eligible"] <= homes
    assert lines == askers["all"].get(f"{LISTS}/{made['id']}", limit=1000).json()["lines"]


def test_a_plan_of_one_region_leaves_out_and_refers_its_own_alone(askers, region, scores):
    made = askers["near"].post(LISTS, BY_POLICY).json()
    out = askers["all"].get(f"{LISTS}/{made['id']}/left-out", limit=1000).json()["households"]
    urgent = askers["all"].get(f"{LISTS}/{made['id']}/urgent").json()["urgent"]

    assert {region} == {one["region_id"] for one in out} == {one["region_id"] for one in urgent}
    assert scores[scores.region_id == region].household_id.nunique() == made["row_count"] + len(out)
    assert made == askers["near"].get(f"{LISTS}/{made['id']}/plan").json()
    assert not any("receipts of" in note for note in made["notes"])


def test_a_region_of_others_is_refused_as_one_that_is_not(askers, region, scores):
    far = scores[scores.region_id != region].region_id.dropna().max()
    for there in ([far], ["99.98.97"]):
        by_risk = askers["near"].post(LISTS, BY_RISK | {"regions": [region, *there]})
        by_policy = askers["near"].post(LISTS, {"name": "Uji", "policy": POLICY | LOOSE | {"regions": there}})
        assert [422, 422] == [by_risk.status_code, by_policy.status_code]
        assert "1 of the 2 regions asked for have no scored household of yours" in by_risk.json()["detail"]
        assert "1 of the 1 regions asked for have no scored household of yours" in by_policy.json()["detail"]


def test_a_plan_of_all_regions_tells_who_sees_one_no_figure_of_it(askers, region):
    made = askers["all"].post(LISTS, BY_POLICY).json()
    seen = askers["near"].get(f"{LISTS}/{made['id']}").json()
    hidden, none = (askers["near"].get(f"{LISTS}/{one}/plan") for one in (made["id"], "0" * 32))

    assert (False, None, None) == tuple(seen["worklist"][name] for name in ("whole", "capacity", "eligible"))
    assert {region} >= {line["region_id"] for line in seen["lines"]}
    assert [404, 404] == [hidden.status_code, none.status_code]
    assert made["row_count"] > seen["worklist"]["row_count"]


def test_the_header_link_leads_through_all_pages(askers):
    made = askers["all"].post(LISTS, BY_POLICY).json()
    of_it = f"{LISTS}/{made['id']}"
    for path, name, limit in ((of_it, "lines", 9), (f"{of_it}/left-out", "households", 99), (LISTS, "worklists", 3)):
        whole = askers["all"].get(path, limit=1000)
        answer, found = askers["all"].get(path, limit=limit), []
        while True:
            found += answer.json()[name]
            if "link" not in answer.headers:
                break
            [address] = re.findall(r'^<(.+)>; rel="next"$', answer.headers["link"])
            answer = askers["all"].get(address)
        assert (whole.json()[name], True) == (found, "link" not in whole.headers)


def test_whoever_looks_stands_in_the_trail_with_whom_they_saw_and_whom_they_did_not_find(askers, region):
    near, made = askers["near"], askers["all"].post(LISTS, BY_RISK | {"capacity": 400}).json()
    lines = askers["all"].get(f"{LISTS}/{made['id']}", limit=1000).json()["lines"]
    ours, theirs = one_of_each(lines, region)
    answers = [near.get(f"{LISTS}/{made['id']}/households/{home}") for home in (ours, theirs, "3201010101010001")]

    assert [200, 404, 404] == [one.status_code for one in answers]
    assert answers[1].json() | {"request_id": ""} == answers[2].json() | {"request_id": ""}
    assert [
        (made["id"], [ours], "done"),
        (made["id"], [theirs], "not-found"),
        (made["id"], [], "not-found"),
    ] == near.trail("household.see")[-3:]
    page = near.get(f"{LISTS}/{made['id']}").json()["lines"]
    assert (made["id"], [one["household_id"] for one in page], "done") == near.trail("list.see")[-1]
    assert 404 == near.get(f"{LISTS}/bukan-daftar").status_code
    assert (None, [], "not-found") == near.trail("list.see")[-1]


def test_a_decision_and_its_refusal_stand_in_the_trail(askers, region):
    near, made = askers["near"], askers["all"].post(LISTS, BY_RISK | {"capacity": 400}).json()
    lines = askers["all"].get(f"{LISTS}/{made['id']}", limit=1000).json()["lines"]
    ours, theirs = one_of_each(lines, region)
    said = {"worklist_id": made["id"], "kind": "accept", "decided_by": "Puskesmas Contoh"}
    kept, refused = (near.post("/v1/decisions", said | {"household_id": home}) for home in (ours, theirs))

    assert ([201, 404], "near") == ([kept.status_code, refused.status_code], kept.json()["account"])
    assert [(made["id"], [ours], "done"), (made["id"], [theirs], "not-found")] == near.trail("decision.make")[-2:]
    assert [kept.json()] == near.get("/v1/decisions", worklist_id=made["id"]).json()["decisions"]
