"""The OpenAPI document, whole; and its page, in a real browser that is let go nowhere else."""

from __future__ import annotations

import re
import socket
import threading
import time

import httpx
import jsonschema_rs
import pytest
import uvicorn

from serving.app import create_app
from serving.http.wire import wire_of
from serving.settings import Service

pytestmark = pytest.mark.xdist_group("serving-2")


@pytest.fixture(scope="module")
def address():
    """The application without the parts that start with it: the documentation needs none."""
    service = Service()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    told = {"log_config": None, "access_log": False, "http": wire_of(service), "ws": "none", "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(create_app(service), host="127.0.0.1", port=port, **told))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_documentation_works_offline_under_its_own_strict_policy(browser, address):
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/docs")
    page.locator(".opblock").first.wait_for()
    shown = page.locator(".opblock").count()
    page.locator("#operations-risk-post_score .opblock-summary-control").click()
    page.locator("#operations-risk-post_score .responses-table").first.wait_for()
    opened = page.locator("#operations-risk-post_score").inner_text()
    page.locator("#operations-risk-post_score .try-out__btn").click()
    page.locator("#operations-risk-post_score textarea").first.wait_for()

    document = httpx.get(f"{address}/openapi.json").json()
    assert sum(len(methods) for methods in document["paths"].values()) == shown
    assert "Risk and reasons of households" in opened
    assert [] == said
    assert {address} == {"/".join(url.split("/")[:3]) for url in asked if not url.startswith("data:")}
    page.close()


def test_the_page_has_no_script_or_style_of_its_own(address):
    answer = httpx.get(f"{address}/docs")
    assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert not [word for word in ("<style", "style=", "onload", "<script>") if word in answer.text]


@pytest.fixture(scope="module")
def document():
    return create_app(Service()).openapi()


def fields(document):
    for title, shape in document["components"]["schemas"].items():
        for name, field in shape.get("properties", {}).items():
            yield f"{title}.{name}", field


def parameters(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                yield f"{method} {path} {parameter['name']}", parameter


def kinds(field):
    return {one.get("type") for one in (field, *field.get("anyOf", []))}


def of_another_shape(field):
    return any("$ref" in str(field.get(part)) for part in ("$ref", "items", "anyOf", "additionalProperties")) or (
        "$ref" in field
    )


def test_every_field_says_what_it_means_in_which_unit_and_what_null_means(document):
    told = {where: field.get("description", "") for where, field in fields(document)}
    unitless = ("HouseholdRow.sample_weight",)

    assert len(told) > 300
    assert [] == [where for where, words in told.items() if not words]
    assert [] == [w for w, f in fields(document) if "number" in kinds(f) and "[" not in told[w] and w not in unitless]
    assert [] == [w for w, f in fields(document) if "null" in kinds(f) and "null" not in told[w].lower()]
    assert [] == [title for title, shape in document["components"]["schemas"].items() if not shape.get("description")]


def test_every_field_has_an_example_that_fits_it(document):
    shapes = {"components": document["components"]}
    assert [] == [w for w, f in fields(document) if not of_another_shape(f) and "examples" not in f]
    for where, field in fields(document):
        for example in field.get("examples", []):
            assert jsonschema_rs.is_valid(field | shapes, example), (where, example)


def test_every_parameter_and_header_says_what_it_means_and_has_an_example(document):
    shapes = {"components": document["components"]}
    for where, one in parameters(document):
        assert one.get("description"), where
        example = one["example"] if "example" in one else one["schema"]["examples"][0]
        assert jsonschema_rs.is_valid(one["schema"] | shapes, example), (where, example)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for answer in operation["responses"].values():
                for name, header in answer.get("headers", {}).items():
                    assert header["description"], (path, name)
                    assert "example" in header or "examples" in header["schema"], (path, name)


def test_every_operation_has_a_name_of_its_own_a_subject_that_is_explained_and_the_refusals_of_its_kind(document):
    subjects = {tag["name"] for tag in document["tags"] if tag["description"]}
    operations = [(path, m, o) for path, methods in document["paths"].items() for m, o in methods.items()]
    names = [operation["operationId"] for _, _, operation in operations]

    assert len(names) == len(set(names))
    for path, method, operation in operations:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", operation["operationId"])
        assert operation["summary"]
        assert set(operation["tags"]) <= subjects
        statuses = set(operation["responses"])
        assert {"400", "431", "500", "503"} <= statuses, path
        assert ({"408", "413", "415"} <= statuses) or "requestBody" not in operation, path
        read = "application/json" in operation["responses"].get("200", {}).get("content", {})
        assert ("304" in statuses) or not (method == "get" and path.startswith("/v1/") and read), path
        asks = path.startswith("/v1/") and operation.get("security")
        assert ({"401", "403", "429"} <= statuses) or not asks, path
        for status in statuses & {"429", "503"}:
            assert "Retry-After" in operation["responses"][status]["headers"]


def test_the_names_of_operations_stay(document):
    names = {f"{m} {path}": o["operationId"] for path, methods in document["paths"].items() for m, o in methods.items()}
    assert "post_score" == names["post /v1/score"]
    assert ("get_worklists", "get_worklist") == (names["get /v1/worklists"], names["get /v1/worklists/{worklist_id}"])
    assert "get_worklist_household" == names["get /v1/worklists/{worklist_id}/households/{household_id}"]
    assert [{"url": "/"}] == [{"url": one["url"]} for one in document["servers"]]
