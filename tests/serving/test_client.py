"""The Python client against the real service, and against lines that break."""

from __future__ import annotations

import io
import json
import re
import time

import httpx
import pandas as pd
import pytest

from serving.client import Refused, Tepat
from serving.examples import HOUSEHOLD
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture
def tepat(server):
    with Tepat(address=str(server.client.base_url), purpose="uji klien, triwulan ke-2, čoba") as opened:
        yield opened


def test_the_example_of_the_readme_prints_a_list(server, capsys):
    (example,) = re.findall(r"```\n(from serving\.client .*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    exec(example.replace("http://127.0.0.1:8000", str(server.client.base_url)))  # noqa: S102 (our own page)

    lines = capsys.readouterr().out.splitlines()
    assert 300 < len(lines) <= 400  # as many as compete
    assert re.fullmatch(r"1 \S+ \d+% .+", lines[0])


def test_a_list_comes_whole_through_its_pages(tepat):
    made = tepat.make_list("Uji klien", capacity=1_100)
    ranks = [line.rank for line in tepat.lines(made.id)]

    assert [*range(1, made.row_count + 1)] == ranks
    assert made.id in {one.id for one in tepat.lists()}


def test_a_score_a_household_and_a_decision_are_typed(tepat):
    made = tepat.make_list("Uji klien", capacity=3)
    (first, *_) = tepat.lines(made.id)
    decided = tepat.decide(made.id, first.household_id, "accept", decided_by="Uji")

    assert tepat.score([HOUSEHOLD]).model.stamp == tepat.model().stamp == made.model_stamp
    assert first.household_id == tepat.household(first.household_id).household_id == decided.household_id


def test_whole_registers_are_scored_as_a_job(tepat, kabupaten):
    registers = kabupaten.folder / "simulated" / "registers"
    files = {name: registers / f"{name}.parquet" for name in ("household", "child", "maternal")}
    job = tepat.score_files("Uji klien", files)
    until = time.monotonic() + 300
    while (now := tepat.job(job.id)).state in ("waiting", "running") and time.monotonic() < until:
        time.sleep(0.5)

    assert now.state == "done"
    assert now.households == pd.read_csv(io.BytesIO(tepat.result(job.id))).household_id.nunique()


def test_a_refusal_says_the_services_own_words(tepat):
    with pytest.raises(Refused, match=r"404 .* Check the address"):
        tepat.household("a/../../model#x?y")


def over(answers: list[httpx.Response | Exception], **said: object) -> tuple[Tepat, list[httpx.Request]]:
    """A client whose line gives these answers, and what it sent."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        found = answers[len(sent) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    client = Tepat(address="http://tepat.example", **said)
    object.__setattr__(client, "http", httpx.Client(base_url=client.address, transport=httpx.MockTransport(answer)))
    return client, sent


BUSY = {"Retry-After": "0"}
MADE = {"id": "d1", "worklist_id": "w1", "household_id": "h1", "kind": "accept", "reason": None, "until": None,
        "decided_by": "Uji", "account": None, "decided_at": "2025-03-01T00:00:00Z", "model_stamp": "m", "on_list": True,
        "policy_stamp": None, "line": {}}  # fmt: skip


@pytest.mark.parametrize(
    "first", [httpx.Response(503, headers=BUSY), httpx.ReadError("broken"), httpx.ReadTimeout("slow")]
)
def test_a_decision_that_met_a_fault_is_sent_again_under_the_same_key(first, monkeypatch):
    monkeypatch.setattr("serving.client.PAUSE_S", 0)
    client, sent = over([first, httpx.Response(201, json=MADE)])

    assert client.decide("w1", "h1", "accept", decided_by="Uji").id == "d1"
    assert len({one.headers["Idempotency-Key"] for one in sent}) == 1
    assert len(sent) == 2


def test_what_could_be_done_twice_is_not_sent_again_when_no_answer_came():
    client, sent = over([httpx.ReadTimeout("slow"), httpx.Response(201, json=MADE)])
    with pytest.raises(httpx.ReadTimeout):
        client.ask("POST", "/v1/decisions", json={})
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (httpx.Response(502, html="<h1>Bad gateway</h1>"), httpx.HTTPStatusError),
        (httpx.UnsupportedProtocol("htp"), httpx.UnsupportedProtocol),
        (
            httpx.Response(503, headers=BUSY, json=json.loads((ROOT / "docs/household.json").read_text())),
            httpx.HTTPStatusError,
        ),
    ],
)
def test_what_is_no_answer_of_the_service_is_said_as_it_is(answer, raised):
    client, _ = over([answer], patience_s=-1.0)
    with pytest.raises(raised):
        client.model()


def test_a_file_of_an_unknown_kind_is_refused_before_anything_is_sent(tmp_path):
    client, sent = over([])
    with pytest.raises(ValueError, match=r"child\.csv\.gz ends in none of \.csv, \.parquet, \.xlsx"):
        client.score_files("Uji", {"child": tmp_path / "child.csv.gz"})
    assert sent == []
