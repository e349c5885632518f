"""Nobody finds, counts or infers what lies outside their regions: every route, as every role, on the real service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pandas as pd
import pytest

from serving.access.roles import Role
from serving.access.scope import Scope
from serving.examples import HOUSEHOLD
from tests.project import Project
from tests.serving.conftest import Server
from tests.serving.known import person, system

pytestmark = pytest.mark.xdist_group("serving-2")
NOBODY = "no-such-thing"
ROLES = [role.value for role in Role]
OF_SYSTEMS = [role for role in ROLES if role != "admin"]  # who hands out keys is a person
SAID_ANEW = re.compile(r'"request_id":\s*"[^"]*"')
ALLOWED, REFUSED, ABSENT = (200, 201, 202, 204), 403, 404


@dataclass(frozen=True)
class District:
    """A closed service, keys of accounts of one region, and what is theirs and what is another's.

    Parameters
    ----------
    shows
        What each sends to come in: by role, of accounts of the region `ours`; `desa-planner` of one desa of it; `all`
        may do all everywhere.
    ours, theirs
        Identifiers: region, area, household, list, job; `whole`, a plan of all regions, and `of_whole`, a household
        on it.
    """

    server: Server
    shows: dict[str, dict[str, str]]
    ours: dict[str, str]
    theirs: dict[str, str]
    their_homes: frozenset[str]

    def ask(self, key: str, method: str, path: str, **request: Any) -> httpx.Response:
        said = request.pop("headers", {}) | self.shows[key]
        return self.server.client.request(method, path, headers=said, **request)


@pytest.fixture(scope="module")
def district(kabupaten: Project, scores: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    url = f"sqlite:///{tmp_path_factory.mktemp('scope')}/tepat.db"
    homes = scores.drop_duplicates("household_id")
    one, other = homes.region_id.value_counts().index[:2]
    places = [homes[homes.region_id == region].sort_values("household_id") for region in (one, other)]
    ours, theirs = (
        {"region": rows.region_id.iloc[0], "area": rows.area_id.iloc[0], "household": rows.household_id.iloc[0]}
        for rows in places
    )
    here = Scope(regions=frozenset({ours["region"]}))
    shows = {role: system(url, role, roles=[role], scope=here) for role in OF_SYSTEMS}
    shows["desa-planner"] = system(url, "desa", roles=["planner"], scope=Scope(areas=frozenset({ours["area"]})))
    shows["all"] = system(url, "all", roles=OF_SYSTEMS)
    server = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=f"{url[10:]}.folder")
    try:
        server.wait_for(lambda: server.client.get("/readyz").status_code == 200)
        shows["admin"] = person(url, server, "kepala", roles=["admin"], scope=here)
        made = District(server, shows, ours, theirs, frozenset(places[1].household_id))
        for of in (ours, theirs):
            of.update(listed(made, of), job=job(made))
        of_all(made)
        yield made
    finally:
        server.stop()


def listed(district: District, of: dict[str, str]) -> dict[str, str]:
    """A list of one region, made by somebody who may look everywhere, and a decision on it."""
    made = district.ask("all", "POST", "/v1/worklists", json={"name": "Satu", "capacity": 5, "regions": [of["region"]]})
    assert made.status_code == 201, made.text
    line = district.ask("all", "GET", made.headers["location"]).json()["lines"][0]
    said = {
        "worklist_id": made.json()["id"],
        "household_id": line["household_id"],
        "kind": "accept",
        "decided_by": "Uji",
    }
    decided = district.ask("all", "POST", "/v1/decisions", json=said)
    assert decided.status_code == 201, decided.text
    return {"list": made.json()["id"], "listed": line["household_id"], "decision": decided.json()["id"]}


def of_all(district: District) -> None:
    """A plan of all regions, which has a part of each."""
    policy = {"version": "1", "name": "Uji", "round": "uji", "objective": "find", "capacity": {"share": 0.5}}
    made = district.ask("all", "POST", "/v1/worklists", json={"name": "Semua", "policy": policy})
    assert made.status_code == 201, made.text
    lines = district.ask("all", "GET", made.headers["location"], params={"limit": 1000}).json()["lines"]
    for of in (district.ours, district.theirs):
        on_it = [line["household_id"] for line in lines if line["region_id"] == of["region"]]
        of.update(whole=made.json()["id"], of_whole=on_it[0])


def job(district: District) -> str:
    """A job of somebody else."""
    made = district.ask("all", "POST", "/v1/jobs", json={"name": "Uji"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@dataclass(frozen=True)
class Case:
    """A route, and how it is asked about a thing of another region.

    Parameters
    ----------
    by
        Which of the thing's identifiers stands in the address; empty for a route that is about no one thing.
    body
        Of a request that names such a thing, from its identifiers.
    """

    by: str = ""
    body: Any = None
    files: Any = None


def of_list(ids: dict[str, str]) -> dict[str, Any]:
    return {"name": "Uji", "capacity": 5, "regions": [ids["region"]]}


def of_decision(ids: dict[str, str]) -> dict[str, Any]:
    return {"worklist_id": ids["list"], "household_id": ids["listed"], "kind": "accept", "decided_by": "Uji"}


def of_facts(ids: dict[str, str]) -> dict[str, Any]:
    rows = [HOUSEHOLD["registers"]["household"][0] | {"area_id": ids["area"]}]
    return {"households": [HOUSEHOLD | {"registers": HOUSEHOLD["registers"] | {"household": rows}}]}


ABOUT_A_THING = {
    "GET /v1/households/{household_id}": Case("household"),
    "GET /v1/households/{household_id}/facts": Case("household"),
    "GET /v1/households/{household_id}/history": Case("household"),
    "GET /v1/households/{household_id}/scores": Case("household"),
    "GET /v1/trail/households/{household_id}": Case("household"),
    "GET /v1/regions/{region_id}": Case("region"),
    "GET /v1/worklists/{worklist_id}": Case("list"),
    "GET /v1/worklists/{worklist_id}/plan": Case("list"),
    "GET /v1/worklists/{worklist_id}/left-out": Case("list"),
    "GET /v1/worklists/{worklist_id}/urgent": Case("list"),
    "GET /v1/worklists/{worklist_id}/export": Case("list"),
    "GET /v1/worklists/{worklist_id}/households/{household_id}": Case("list"),
    "POST /v1/worklists": Case(body=of_list),
    "POST /v1/decisions": Case(body=of_decision),
    "POST /v1/score": Case(body=of_facts),
    "GET /v1/jobs/{job_id}": Case("job"),
    "DELETE /v1/jobs/{job_id}": Case("job"),
    "POST /v1/jobs/{job_id}/start": Case("job"),
    "POST /v1/jobs/{job_id}/cancel": Case("job"),
    "GET /v1/jobs/{job_id}/result": Case("job"),
    "GET /v1/jobs/{job_id}/refused": Case("job"),
    "PUT /v1/jobs/{job_id}/files/{register}": Case("job"),
    "GET /v1/jobs/{job_id}/files/{register}": Case("job"),
}
OF_MANY = (
    "/v1/worklists", "/v1/decisions", "/v1/regions", "/v1/jobs", "/v1/trail", "/v1/quarantine", "/v1/quarantine/child",
    "/v1/model", "/v1/model/card", "/v1/models", "/readyz", "/metrics",
)  # fmt: skip
WITHOUT_HOUSEHOLDS = {
    "POST /v1/jobs", "GET /healthz", "GET /v1/session", "POST /v1/session", "DELETE /v1/session",
    "POST /v1/session/password", "GET /v1/session/oidc", "GET /v1/session/oidc/back", "POST /v1/token",
    "GET /v1/accounts", "POST /v1/accounts", "GET /v1/accounts/{name}", "PATCH /v1/accounts/{name}",
    "GET /v1/accounts/{name}/keys", "POST /v1/accounts/{name}/keys", "DELETE /v1/accounts/{name}/keys/{key_id}",
}  # fmt: skip


def routes(district: District) -> set[str]:
    document = district.server.client.get("/openapi.json").json()
    methods = {"get", "post", "put", "patch", "delete"}
    return {f"{m.upper()} {path}" for path, of in document["paths"].items() for m in of if m in methods}


def asked(district: District, key: str, route: str, ids: dict[str, str]) -> httpx.Response:
    case = ABOUT_A_THING[route]
    method, _, path = route.partition(" ")
    names = {"household_id": ids["listed"] if case.by == "list" else ids["household"], "register": "child"}
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace("{" + name + "}", names.get(name, ids.get(case.by, "")))
    more = {"json": case.body(ids)} if case.body else {}
    if method == "PUT":
        more = {"content": b"child_id\n", "headers": {"Content-Type": "text/csv"}}
    return district.ask(key, method, path, **more)


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, SAID_ANEW.sub("", answer.text)


def nobodys(ids: dict[str, str]) -> dict[str, str]:
    """Identifiers of the same form that nothing has."""
    return {name: value[:-1] + ("7" if value[-1] != "7" else "8") for name, value in ids.items()} | {
        "region": "99.98.97", "area": "99.98.97.1001", "household": NOBODY, "listed": NOBODY,
    }  # fmt: skip


def test_every_route_is_in_this_test(district):
    ours = set(ABOUT_A_THING) | {f"GET {path}" for path in OF_MANY} | WITHOUT_HOUSEHOLDS
    named = {route.replace("/quarantine/child", "/quarantine/{register}") for route in ours}
    assert routes(district) - named == set()
    assert named - routes(district) == set()


@pytest.mark.parametrize("key", [*ROLES, "desa-planner"])
def test_what_is_in_another_region_is_answered_as_what_does_not_exist(district, key):
    for route in ABOUT_A_THING:
        theirs, none = asked(district, key, route, district.theirs), asked(district, key, route, nobodys(district.ours))
        assert said(none) == said(theirs), (key, route)
        assert theirs.status_code not in ALLOWED, (key, route, theirs.text[:500])


def of_the_whole(district: District, key: str, ids: dict[str, str]) -> dict[str, tuple[int, str]]:
    """What a list of all regions, of which everybody may see a part, says when it is asked about a region."""
    at, region = f"/v1/worklists/{district.ours['whole']}", {"region": ids["region"]}
    decided = {"worklist_id": district.ours["whole"], "household_id": ids["of_whole"]}
    answers = {
        "household": district.ask(key, "GET", f"{at}/households/{ids['of_whole']}"),
        "lines": district.ask(key, "GET", at, params=region),
        "left out": district.ask(key, "GET", f"{at}/left-out", params=region),
        "export": district.ask(key, "GET", f"{at}/export", params=region),
        "decisions": district.ask(key, "GET", "/v1/decisions", params={"household_id": ids["of_whole"]}),
        "of the list": district.ask(key, "GET", "/v1/decisions", params=decided),
        "decide": district.ask(key, "POST", "/v1/decisions", json=decided | {"kind": "accept", "decided_by": "Uji"}),
    }
    names = (ids["region"], ids["of_whole"])
    return {what: without(answer, *names) for what, answer in answers.items()}


def without(answer: httpx.Response, *names: str) -> tuple[int, str]:
    """Status and words, without identifiers that the question itself had."""
    status, words = said(answer)
    for name in names:
        words = words.replace(name, "")
    return status, words


@pytest.mark.parametrize("key", [*ROLES, "desa-planner"])
def test_of_a_list_that_is_seen_in_part_the_other_part_is_as_if_there_were_none(district, key):
    made = {"worklist_id": district.theirs["whole"], "household_id": district.theirs["of_whole"], "kind": "accept"}
    assert district.ask("all", "POST", "/v1/decisions", json=made | {"decided_by": "Uji"}).status_code == 201
    none = nobodys(district.ours) | {"of_whole": NOBODY}
    assert of_the_whole(district, key, none) == of_the_whole(district, key, district.theirs)


def test_of_a_list_that_is_seen_in_part_ones_own_is_seen(district):
    found = of_the_whole(district, "planner", district.ours)
    assert {"household": 200, "lines": 200, "left out": 200, "export": 200, "decisions": 200, "of the list": 200,
            "decide": 201} == {what: status for what, (status, _) in found.items()}  # fmt: skip
    assert '"rank"' in found["lines"][1]


@pytest.mark.parametrize("key", [*ROLES, "desa-planner"])
def test_no_answer_about_many_names_another_region_or_a_household_of_it(district, key):
    seen_by_all = ("job", "whole")
    hidden = {value for name, value in district.theirs.items() if name not in seen_by_all} | district.their_homes
    for path in OF_MANY:
        answer = district.ask(key, "GET", path, params={"limit": 1000} if path == "/v1/worklists" else {})
        shown = set(re.findall(r"[\w.-]+", answer.text))
        assert answer.status_code in (*ALLOWED, REFUSED, ABSENT), (key, path, answer.text[:300])
        assert shown & hidden == set(), (key, path)


def test_what_is_done_in_another_region_changes_no_answer_in_this_one(district):
    def seen() -> dict[tuple[str, str], tuple[int, str]]:
        paths = [path for path in OF_MANY if path not in ("/v1/trail", "/metrics")]
        return {(key, path): said(district.ask(key, "GET", path)) for key in [*ROLES, "desa-planner"] for path in paths}

    before = seen()
    listed(district, district.theirs)
    assert before == seen()


def test_somebody_of_one_region_sees_all_of_theirs(district):
    own = asked(district, "planner", "GET /v1/worklists/{worklist_id}", district.ours)
    assert own.status_code == 200
    assert len(own.json()["lines"]) == own.json()["worklist"]["row_count"] == 5
    ids = {one["id"] for one in district.ask("planner", "GET", "/v1/worklists").json()["worklists"]}
    assert district.ours["list"] in ids
    assert district.theirs["list"] not in ids
    home = asked(district, "planner", "GET /v1/households/{household_id}", district.ours)
    assert (200, district.ours["household"]) == (home.status_code, home.json()["household_id"])


def test_of_a_list_of_all_regions_each_sees_the_part_in_theirs_ranked_among_itself(district):
    made = district.ask("all", "POST", "/v1/worklists", json={"name": "Semua", "capacity": 400}).json()
    whole = district.ask("all", "GET", f"/v1/worklists/{made['id']}", params={"limit": 1000}).json()["lines"]
    part = district.ask("planner", "GET", f"/v1/worklists/{made['id']}", params={"limit": 1000}).json()

    expected = [line["household_id"] for line in whole if line["region_id"] == district.ours["region"]]
    assert expected == [line["household_id"] for line in part["lines"]]
    assert [*range(1, len(expected) + 1)] == [line["rank"] for line in part["lines"]]
    assert (len(expected), None, None) == tuple(part["worklist"][n] for n in ("row_count", "capacity", "eligible"))


def test_totals_of_regions_are_those_of_the_regions_that_are_seen(district, scores):
    told = json.dumps(district.ask("planner", "GET", "/v1/regions").json())
    everywhere = json.dumps(district.ask("all", "GET", "/v1/regions").json())
    theirs = scores[scores.region_id == district.ours["region"]].household_id.nunique()

    assert re.findall(r'"households": (\d+)', told)[0] == str(theirs)
    assert set(scores.region_id.dropna()) <= set(re.findall(r"[\w.]+", everywhere))
