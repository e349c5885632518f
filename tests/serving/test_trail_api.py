"""The trail over HTTP: what is seen or changed stands in it before the answer, and so does who reads it."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid

import pytest

from serving.access.scope import Scope
from serving.examples import HOUSEHOLD
from tests.serving.conftest import Server
from tests.serving.known import system

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture
def household(scores):
    return scores.household_id.iloc[0]


@pytest.fixture
def closed_server(kabupaten, tmp_path):
    """A service that asks everybody who they are, and the address of its store."""
    url = f"sqlite:///{tmp_path}/store.db"
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=str(tmp_path / "folder"))
    yield running, url
    running.stop()


def asked(server, path, **query):
    answer = server.client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return answer


def test_who_saw_a_household_is_told_with_the_purpose_and_so_is_who_asked_that(server, household):
    mine = uuid.uuid4().hex
    seen = server.client.get(
        f"/v1/households/{household}", headers={"X-Request-ID": mine, "X-Purpose": "Kunjungan é".encode()}
    )
    assert seen.status_code == 200

    first = asked(server, f"/v1/trail/households/{household}").json()["lines"]
    assert [("household.see", "done", "Kunjungan é", "this-machine")] == [
        (line["act"], line["outcome"], line["why"], line["who"]) for line in first if line["request_id"] == mine
    ]
    assert {"about", "households"}.isdisjoint(first[0])
    again = asked(server, f"/v1/trail/households/{household}").json()["lines"]
    assert again[0]["act"] == "trail.see"
    assert again[1:] == first


def test_a_household_that_was_scored_on_request_is_found_by_who_may_look_everywhere(server, facts):
    home = next(iter(facts.values())) | {"household_id": f"asked-{uuid.uuid4().hex}"}
    path = f"/v1/trail/households/{home['household_id']}"
    assert server.client.get(path).status_code == 404
    assert server.client.post("/v1/score", json={"households": [home]}).status_code == 200

    assert ["score"] == [line["act"] for line in asked(server, path).json()["lines"]]


def test_the_trail_is_paged_and_filtered_and_its_last_line_is_the_look_before(server, household):
    for _ in range(5):
        server.client.get(f"/v1/households/{household}")
    newest = asked(server, "/v1/trail", limit=3)
    older = asked(server, re.fullmatch('<(.+)>; rel="next"', newest.headers["Link"]).group(1))
    numbers = [line["number"] for page in (newest, older) for line in page.json()["lines"]]

    assert numbers == list(range(numbers[0], numbers[0] - 6, -1))
    looks = asked(server, "/v1/trail", act="household.see", who="this-machine", since="2020-01-01T00:00:00Z").json()[
        "lines"
    ]
    assert {"household.see"} == {line["act"] for line in looks}
    assert [] == asked(server, "/v1/trail", who="nobody").json()["lines"]
    assert [] == asked(server, "/v1/trail", since="9999-01-01T00:00:00+07:00").json()["lines"]
    assert asked(server, "/v1/trail", limit=1).json()["lines"][0]["act"] == "trail.see"
    assert 422 == server.client.get("/v1/trail", params={"since": "0001-01-01T00:00:00+07:00"}).status_code


def test_a_purpose_with_a_nik_is_refused_and_nothing_is_shown(server, household):
    answer = server.client.get(f"/v1/households/{household}", headers={"X-Purpose": "3211012345678901"})

    assert (422, "tepat:request-refused") == (answer.status_code, answer.json()["type"])
    assert "3211012345678901" not in answer.text


def test_what_the_service_wrote_is_whole_and_its_log_and_measures_tell_of_it(server, kabupaten):
    said = subprocess.run(
        [sys.executable, "-m", "serving.cli", "audit", "verify"], cwd=kabupaten.folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (0, "Whole:") == (said.returncode, said.stdout[:6]), said.stdout + said.stderr
    assert [line for line in server.lines() if line.get("message") == "the head of the trail"]
    measures = server.client.get("/metrics").text
    assert "tepat_trail_spooled 0.0" in measures
    assert float(re.search(r"^tepat_trail_lines_total (.+)$", measures, re.MULTILINE).group(1)) > 0


def test_who_may_look_in_one_region_reads_the_trail_of_its_households_alone(closed_server, scores):
    server, url = closed_server
    homes = scores.drop_duplicates("household_id")
    ours, theirs = (homes[homes.region_id == region].household_id.iloc[0] for region in homes.region_id.unique()[:2])
    region = homes.set_index("household_id").region_id[ours]
    keys = {
        "ours": system(url, "auditor-ours", roles=["auditor"], scope=Scope(regions=frozenset({region}))),
        "all": system(url, "auditor-all", roles=["auditor"]),
        "planner": system(url, "a-planner", roles=["planner"]),
        "sender": system(url, "a-sender", roles=["integrator"], scope=Scope(regions=frozenset({region}))),
    }

    def ask(key, path):
        return server.client.get(path, headers=keys[key] | {"X-Request-ID": "same"})

    assert ask("all", f"/v1/households/{theirs}").status_code == 200
    assert ask("ours", f"/v1/trail/households/{ours}").status_code == 200
    hidden, unknown = (ask("ours", f"/v1/trail/households/{name}") for name in (theirs, "no-such-home"))
    assert (404, hidden.json()) == (hidden.status_code, unknown.json())
    assert ask("ours", "/v1/trail").status_code == 403
    assert ask("planner", "/v1/trail").status_code == 403
    elsewhere = [HOUSEHOLD["registers"]["household"][0] | {"area_id": "99.99.99.9999"}]
    home = HOUSEHOLD | {"registers": HOUSEHOLD["registers"] | {"household": elsewhere}}
    sent = server.client.post("/v1/score", json={"households": [home]}, headers=keys["sender"])
    assert (403, "tepat:forbidden") == (sent.status_code, sent.json()["type"])
    noted = ask("all", f"/v1/trail/households/{theirs}").json()["lines"]
    assert [("auditor-ours", "trail.see", "not-found"), ("auditor-all", "household.see", "done")] == [
        (line["who"], line["act"], line["outcome"]) for line in noted
    ]
    tries = [(line["who"], line["outcome"]) for line in ask("all", "/v1/trail").json()["lines"]]
    assert {("auditor-ours", "forbidden"), ("a-planner", "forbidden"), ("a-sender", "forbidden")} <= set(tries)
    _turns_pages_without_a_number(lambda path: ask("ours", path), f"/v1/trail/households/{ours}")


def _turns_pages_without_a_number(ask, path):
    """What happens to other households does not show, neither in a line nor in the address of the next page."""
    for _ in range(3):
        ask(path)
    whole = ask(path).json()
    page, lines = ask(f"{path}?limit=1"), []
    while True:
        lines += page.json()["lines"]
        if (before := page.json()["next_before"]) is None:
            break
        assert before == 6 - len(lines)
        page = ask(re.fullmatch('<(.+)>; rel="next"', page.headers["Link"]).group(1))
    assert {None} == {line["number"] for line in lines}
    assert whole["lines"] == lines[-len(whole["lines"]) :]
