"""Processes that score: what they share, and what becomes of requests when they are killed."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serving.examples import HOUSEHOLD
from tests.project import Project
from tests.serving.conftest import Server
from tests.serving.crews import asking, children, failed, is_there, keepers, kill, measure, mib, scorers

pytestmark = pytest.mark.xdist_group("serving-2")


@pytest.fixture(scope="module")
def crewed(kabupaten: Project, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service whose processes may be killed; it writes beside nobody."""
    running = Server(kabupaten.folder, **own(tmp_path_factory.mktemp("crewed")))
    ready(running)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bodies(facts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests of one household, and one of all."""
    return [*({"households": [home]} for home in list(facts.values())[:9]), {"households": list(facts.values())}]


@pytest.fixture(scope="module")
def right(crewed: Server, bodies: list[dict[str, Any]]) -> list[Any]:
    return [crewed.client.post("/v1/score", json=body).json()["households"] for body in bodies]


def own(folder: Path) -> dict[str, str]:
    return {"TEPAT_FOLDER": str(folder), "TEPAT_DATABASE": f"sqlite:///{folder}/tepat.db"}


def ready(server: Server) -> None:
    server.wait_for(lambda: server.client.get("/readyz").status_code == 200 and measure(server, "tepat_scorers") == 2)


def gone(*numbers: int) -> bool:
    """Whether they end by themselves within a minute."""
    until = time.monotonic() + 60
    while any(map(is_there, numbers)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(is_there, numbers))


@pytest.mark.usefixtures("right")  # they have scored
def test_scorers_share_the_memory_of_a_keeper_that_has_one_thread(crewed: Server):
    [keeper] = keepers(crewed)
    private = [mib(one, "Private_Clean", "Private_Dirty") for one in children(keeper)]

    assert 1 == len(list(Path(f"/proc/{keeper}/task").iterdir()))
    assert 2 == len(private)
    assert max(private) < mib(keeper, "Rss") / 2


def test_a_killed_scorer_costs_no_request_and_gets_a_successor(crewed: Server, bodies, right):
    before = measure(crewed, "tepat_scorer_restarts_total")
    with asking(crewed, bodies) as made:
        for _ in range(2):
            made.wait_for(15)
            kill(scorers(crewed)[0])
        made.wait_for(15)

    assert 0 == failed(made, right)
    ready(crewed)
    assert before + 2 == measure(crewed, "tepat_scorer_restarts_total")


def test_a_killed_keeper_gets_a_successor_and_its_scorers_answer_until_then(crewed: Server, bodies, right):
    [before] = keepers(crewed)
    former = children(before)
    with asking(crewed, bodies) as made:
        made.wait_for(15)
        kill(before)
        crewed.wait_for(lambda: keepers(crewed) not in ([], [before]))
        made.wait_for(15)
        ready(crewed)
        crewed.wait_for(lambda: len(scorers(crewed)) == 2)

    assert 0 == failed(made, right)
    assert gone(*former)


def test_when_all_are_killed_at_once_requests_are_answered_or_sent_away_in_order(crewed: Server, bodies, right):
    with asking(crewed, bodies) as made:
        made.wait_for(15)
        kill(*keepers(crewed), *scorers(crewed))
        made.wait_for(15)

    failed(made, right)
    ready(crewed)
    assert right[0] == crewed.client.post("/v1/score", json=bodies[0]).json()["households"]


def test_a_stop_of_the_whole_group_lets_scorers_finish_what_was_begun(kabupaten: Project, tmp_path):
    service = Server(kabupaten.folder, **own(tmp_path))
    ready(service)
    processes = [*keepers(service), *scorers(service)]
    many = {"households": [HOUSEHOLD] * 900}
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(service.client.post, "/v1/score", json=many) for _ in range(2)]
        service.wait_for(lambda: measure(service, "tepat_households_waiting") == 1800)
        for one in [*processes, service.process.pid]:
            os.kill(one, signal.SIGTERM)
    service.stop()

    assert [(200, 900)] * 2 == [((a := one.result()).status_code, len(a.json()["households"])) for one in answers]
    assert gone(*processes)


def test_keeper_and_scorers_end_when_the_service_is_killed(kabupaten: Project, tmp_path):
    service = Server(kabupaten.folder, **own(tmp_path))
    ready(service)
    processes = [*keepers(service), *scorers(service)]
    kill(service.process.pid)
    service.stop()

    assert 3 == len(processes)
    assert gone(*processes)


def test_a_large_request_keeps_small_ones_waiting_little(crewed: Server, facts):
    """By order, not by the clock: many small ones are answered before the large one that came first."""
    homes = list(facts.values()) * 20
    with asking(crewed, [{"households": homes}], clients=1) as large:
        crewed.wait_for(lambda: measure(crewed, "tepat_households_waiting") >= 1000)
        small = [crewed.client.post("/v1/score", json={"households": [homes[0]]}) for _ in range(3)]
        answered_before = len(large.answers)
        large.wait_for(1)

    assert {200} == {answer.status_code for answer in small}
    assert 0 == answered_before


def test_deep_and_broken_bodies_are_refused_and_cost_no_scorer(crewed: Server):
    kind = {"content-type": "application/json"}
    before = scorers(crewed)
    deep = crewed.client.post("/v1/score", content=b'{"households":' + b"[" * 2_000_000, headers=kind)
    wrong = crewed.client.post("/v1/score", content=b"[" + b"1," * 3_000_000 + b"1]", headers=kind)

    assert [400, "tepat:not-json"] == [deep.status_code, deep.json()["type"]]
    assert wrong.status_code in (400, 422)
    assert before == scorers(crewed)
