"""The document of the API against the service, and the service against the document."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema_rs
import pytest

from serving.errors import PROBLEMS
from serving.examples import TO_SCORE
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture
def document(server):
    return server.client.get("/openapi.json").json()


def answers(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                yield path, method, status, answer


def test_schemathesis_finds_no_fault_of_ours_and_nothing_undocumented(server, tmp_path):
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{server.port}/openapi.json",
        "--max-examples", "40", "--phases", "examples,coverage,fuzzing,stateful", "--seed", "1", "--workers", "1",
        # No schema can say that a region is not known, that a day is still to come, or that two rows contradict.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603 (our own command)
    assert 0 == done.returncode, done.stdout[-6000:] + done.stderr[-2000:]


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
    for problem in PROBLEMS:
        body = problem("Found.").body(request_id="r")
        assert all(body[name] for name in ("type", "title", "status", "detail", "remedy", "request_id"))
