"""Of every operation: its name, and the headers, parameters and refusals that all of its kind have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from serving.errors import (
    Busy,
    HeadTooLarge,
    Malformed,
    Problem,
    TooLarge,
    TooSlow,
    Unexpected,
    UnsupportedType,
)
from serving.openapi.words import PARAMETERS
from serving.parts import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.routing import APIRoute

JSON = "application/json"
ID = "4f0c2b7e9a1d4c8fb3e6d5a7c9f0e1b2"
ETAG = '"5d41402abc4b2a76b9719d911017c592"'
ANY: tuple[type[Problem], ...] = (Malformed, HeadTooLarge, Busy, Unexpected)
WITH_BODY: tuple[type[Problem], ...] = (TooSlow, TooLarge, UnsupportedType)


def _header(description: str, example: str | int, **schema: Any) -> dict[str, Any]:
    kind = "integer" if isinstance(example, int) else "string"
    return {"description": description, "schema": {"type": kind, **schema}, "example": example}


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, **_header(description, example)}


REQUEST_ID = _header("The request's own, or a new one; the service's log names it.", ID) | {"required": True}
HEADERS = {
    "ETag": _header("The state of what is answered: send it in If-None-Match, or in If-Match to change it.", ETAG),
    "Cache-Control": _header("A copy may be kept by who asked, and is asked for again each time.", "private, no-cache"),
    "Vary": _header("What the answer goes by, beside the address.", "Authorization, Cookie, Accept-Encoding"),
}
RETRY_AFTER = _header("When to ask again. [s]", 5, minimum=1)
AUTHENTICATE = _header("How to say who asks.", "Bearer")
SHOWN = {
    "Link": '</v1/worklists?before=3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7>; rel="next"',
    "Content-Disposition": "attachment; filename=worklist.csv",
    "ETag": ETAG,
    "Location": "/v1/worklists/3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7",
    "Content-Range": "bytes 0-1048575/3145728",
    "Set-Cookie": "tepat_session=...; HttpOnly; SameSite=Strict; Path=/",
    "Upload-Offset": "1048576",
    "Upload-Complete": "?0",
    "X-Tepat-List": "3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7",
    "X-Tepat-Made-By": "sari",
    "X-Tepat-Made-At": "2026-01-05T02:10:00Z",
    "X-Tepat-Simulated": "true",
    "Cache-Control": "no-store",
    "Vary": "Authorization, Cookie, Accept-Encoding",
}
"""Of headers that a route names without a value."""
LOCATION = _header("Address of what was made.", "/v1/worklists/3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7")
ASKED_ID = _parameter(
    "X-Request-ID", "Your name of this request: up to 64 of A-Z a-z 0-9 . _ -; another is replaced.", "visit-2026-01-05"
)
PURPOSE = _parameter(
    "X-Purpose", "Why you ask, for the trail; no name and no NIK.", "Kunjungan rumah triwulan 1"
)  # fmt: skip
NONE_MATCH = _parameter("If-None-Match", "The ETag that you have: 304 when it still holds.", ETAG)
NO_KEY = _parameter(
    "Idempotency-Key",
    "Taken, and of no effect: nothing is kept, so the same request may be sent again as it is.",
    "5d0f7c1e-visit-1",
)


def operation_id(route: APIRoute) -> str:
    """The name of a route's operation, from its method and address: `get_worklist_household`.

    A parameter makes the word before it one of many: /v1/worklists is `get_worklists`, /v1/worklists/{id}
    `get_worklist`.
    """
    method = min(route.methods or {"GET"}).lower()
    words: list[str] = []
    after_name = False
    for part in route.path_format.removeprefix("/v1").strip("/").split("/"):
        if not part.startswith("{"):
            words.append(re.sub(r"\W", "_", part))
        elif after_name and words[-1].endswith("s"):
            words[-1] = words[-1].removesuffix("s")
        else:
            words.append(part.strip("{}").partition(":")[0])
        after_name = not part.startswith("{")
    return "_".join([method, *words])


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every address, method and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def complete(document: dict[str, Any]) -> None:
    """Add to every operation what the layers around the routes do."""
    for path, method, operation in operations(document):
        _ask(path, method, operation)
        _refuse(operation)
        if (
            method == "get"
            and path.startswith("/v1/")
            and JSON in operation["responses"].get("200", {}).get("content", {})
        ):
            _may_be_known(operation)
        for status, answer in operation["responses"].items():
            _with_headers(status, answer)


def _ask(path: str, method: str, operation: dict[str, Any]) -> None:
    given = operation.setdefault("parameters", [])
    more = [ASKED_ID, *([PURPOSE] if path.startswith("/v1/") else [])]
    if path == "/v1/score":
        more.append(NO_KEY)
    if method == "get" and path.startswith("/v1/"):
        more.append(NONE_MATCH)
    known = {one["name"].lower() for one in given}
    given.extend(one for one in more if one["name"].lower() not in known)
    for one in given:
        _say(one)


def _say(parameter: dict[str, Any]) -> None:
    """What the route leaves unsaid of a parameter; an example must be one that its schema takes."""
    description, example = PARAMETERS.get(parameter["name"].lower(), (None, None))
    if description is not None:
        parameter.setdefault("description", description)
    schema = parameter["schema"]
    if example is None or "example" in parameter or "examples" in schema:
        return
    parameter["example"] = fitting(schema, example)


def fitting(schema: dict[str, Any], example: Any) -> Any:
    """The example, or, where the schema takes no such value, the first that it takes."""
    choices = [choice for one in (schema, *schema.get("anyOf", ())) for choice in one.get("enum", ())]
    if choices:
        return example if example in choices else choices[0]
    kinds = {one.get("type") for one in (schema, *schema.get("anyOf", ()))}
    if "integer" in kinds and isinstance(example, str):
        return 100
    return str(example) if "string" in kinds and isinstance(example, int) else example


def _refuse(operation: dict[str, Any]) -> None:
    problems = (*ANY, *(WITH_BODY if "requestBody" in operation else ()))
    for status, entry in refusals(*problems, asks=False).items():
        there = operation["responses"].setdefault(str(status), {"description": "", "content": {}})
        for kind, content in entry["content"].items():
            shown = there["content"].setdefault(kind, {"schema": content["schema"], "examples": {}})
            shown["examples"] = content["examples"] | shown.get("examples", {})
        missing = entry["description"] if entry["description"] not in there["description"] else ""
        there["description"] = f"{there['description']} {missing}".strip()


def _may_be_known(operation: dict[str, Any]) -> None:
    answer = operation["responses"]["200"]
    answer["headers"] = HEADERS | answer.get("headers", {})
    operation["responses"]["304"] = {"description": "You have it already.", "headers": dict(HEADERS)}


def _with_headers(status: str, answer: dict[str, Any]) -> None:
    headers = answer.setdefault("headers", {})
    headers["X-Request-ID"] = REQUEST_ID
    for name, header in headers.items():
        if name in SHOWN and "examples" not in header["schema"]:
            header.setdefault("example", SHOWN[name])
    if status in ("429", "503"):
        headers["Retry-After"] = RETRY_AFTER
    if status == "401":
        headers["WWW-Authenticate"] = AUTHENTICATE
    if status == "201":
        headers.setdefault("Location", LOCATION)
