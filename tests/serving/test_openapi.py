"""The document of the API against the service, and the service against the document."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema_rs
import pytest

import serving.app  # noqa: F401 (with it every module that may declare a refusal)
from serving.access.roles import Role
from serving.errors import problems
from serving.examples import TO_SCORE
from tests.conftest import ROOT
from tests.serving.conftest import Server
from tests.serving.known import system

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture
def document(server):
    return server.client.get("/openapi.json").json()


def answers(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                yield path, method, status, answer


def test_schemathesis_finds_no_fault_of_ours_and_nothing_undocumented(kabupaten, tmp_path):
    url = f"sqlite:///{tmp_path}/tepat.db"
    key = system(url, "fuzz", roles=[role for role in Role if role is not Role.ADMIN])
    many = {"TEPAT_SIGN_INS_PER_MINUTE": "1000000", "TEPAT_PER_MINUTE_SYSTEM": "1000000"}
    closed = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=str(tmp_path), **many)
    try:
        closed.wait_for(lambda: closed.client.get("/readyz").status_code == 200)
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "tests/serving/schemathesis.toml"),
            "run", f"http://127.0.0.1:{closed.port}/openapi.json", "-H", f"Authorization: {key['Authorization']}",
            "--checks", "all", "--max-examples", "5", "--phases", "examples,coverage,fuzzing,stateful", "--seed", "1",
            "--request-timeout", "60", "--max-response-time", "60",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603 (our own command)
    finally:
        closed.stop()
    assert 0 == done.returncode, done.stdout[-9000:] + done.stderr[-2000:]


def test_every_route_has_an_example_that_fits_its_own_shape(document):
    shapes = {"components": document["components"]}
    for path, method, status, answer in answers(document):
        for kind, content in answer.get("content", {}).items():
            examples = (
                [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
            )
            assert examples, (path, method, status)
            if kind != "text/plain":
                for example in examples:
                    jsonschema_rs.validate(content["schema"] | shapes, example)


def test_every_example_of_a_request_is_answered(server, document):
    for path, methods in document["paths"].items():
        body = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in body.get("examples", {}).items():
            answer = server.client.post(path, json=example["value"])
            assert answer.status_code in (200, 201), (path, name, answer.text)


def test_the_household_of_the_readme_is_the_example_of_the_document():
    assert TO_SCORE["one household"]["value"] == json.loads((ROOT / "docs/household.json").read_text())


def test_every_refusal_says_what_was_found_and_what_to_do():
    for problem in problems():
        body = problem("Found.").body(request_id="r")
        assert all(body[name] for name in ("type", "title", "status", "detail", "remedy", "request_id"))
        assert (problem.status in (429, 503)) == (problem.retry_after_s is not None)
    types = [problem.type for problem in problems()]
    assert len(types) == len(set(types)) > 20
