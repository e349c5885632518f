"""What HTTP asks of the service, on a real server with routes of the test, and in raw bytes where it matters."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gzip
import json
import logging
import socket
import threading
import time
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from serving.app import _http, _invalid, _problem
from serving.documentation import document
from serving.errors import Busy, Problem
from serving.http.arriving import Limits
from serving.http.conditional import check_match, tag
from serving.http.deprecation import deprecated
from serving.http.wire import wire_of
from serving.middleware import surround
from serving.openapi.operations import operation_id
from serving.settings import Service
from serving.watch import Watch

pytestmark = pytest.mark.xdist_group("serving-2")
LONG = "x" * 5000
LARGE = 2**24
SETTINGS = Service(
    max_body_mib=0.5, max_upload_mib=2, read_seconds=0.4, most_connections=12, public_url="https://tepat.example"
)
ROUTER = APIRouter(prefix="/v1")
KEPT = {"name": "Rina", "nik": "3301014502900001"}


class Told(BaseModel):
    name: str


class Asked(BaseModel):
    number: Annotated[float, Field(ge=0, le=10)] = 1
    words: dict[str, Any] = {}


@ROUTER.get("/long")
async def long() -> dict[str, str]:
    return {"said": LONG}


@ROUTER.get("/short")
async def short() -> dict[str, int]:
    return {"n": 1}


@ROUTER.get("/large")
async def large() -> Response:
    return Response(b"x" * LARGE)


@ROUTER.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter([b"x" * 65536] * (LARGE // 65536)))


@ROUTER.get("/secret")
async def secret(response: Response) -> dict[str, str]:
    response.headers["Cache-Control"] = "no-store"
    return {"key": "once"}


@ROUTER.get("/sheet")
async def sheet() -> Response:
    return Response(LONG, media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@ROUTER.get("/account")
async def account(response: Response) -> Told:
    shown = Told(name=KEPT["name"])
    tag(response, shown)
    return shown


@ROUTER.put("/account")
async def rename(request: Request, response: Response, asked: Told) -> Told:
    check_match(request, tag(Response(), Told(name=KEPT["name"])))
    KEPT["name"] = asked.name
    tag(response, asked)
    return asked


@ROUTER.post("/score")
async def score(asked: Asked) -> Asked:
    return asked


@ROUTER.post("/raw")
async def raw(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@ROUTER.put("/jobs/{job}/files/{name}")
async def upload(request: Request, job: str, name: str) -> dict[str, int]:
    assert job + name
    return {"bytes": sum([len(part) async for part in request.stream()])}


@ROUTER.get("/busy")
async def busy() -> None:
    raise Busy("Full.")


@ROUTER.get("/away")
async def away(response: Response) -> dict[str, str]:
    response.status_code = 503
    return {"status": "not ready"}


@ROUTER.get("/broken")
async def broken() -> None:
    raise RuntimeError(KEPT["nik"])


@ROUTER.get("/old", **deprecated(dt.date(2026, 1, 1), gone_on=dt.date(2027, 2, 1), read="/docs#/risk"))
async def old(refuse: bool = False) -> dict[str, int]:
    if refuse:
        raise Busy("Full.")
    return {"n": 1}


@ROUTER.get("/page")
async def page() -> HTMLResponse:
    return HTMLResponse(f"<p>{LONG}</p>")


def application() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, generate_unique_id_function=operation_id)
    app.include_router(ROUTER)
    surround(app, SETTINGS, Watch())
    for kind, handler in ((Problem, _problem), (RequestValidationError, _invalid), (HTTPException, _http)):
        app.add_exception_handler(kind, handler)
    document(app, [])
    return app


@pytest.fixture(scope="module")
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        free = found.getsockname()[1]
    config = uvicorn.Config(
        application(), host="127.0.0.1", port=free, log_config=None, access_log=False, server_header=False,
        http=wire_of(SETTINGS), ws="none", timeout_keep_alive=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield free
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(port):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as made:
        yield made


def raw_answer(port: int, *parts: bytes, pause_s: float = 0.0, until_closed: bool = True) -> bytes:
    """All that the server says to these bytes until it closes; empty when it hangs up without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        with contextlib.suppress(BrokenPipeError):  # it may hang up before all is said
            for part in parts:
                line.sendall(part)
                time.sleep(pause_s)
        said = b""
        while part := line.recv(65536):
            said += part
            if not until_closed:
                break
        return said


def told(raw: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def posted(client: httpx.Client, body: bytes, path: str = "/v1/score") -> tuple[int, str]:
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    return answer.status_code, answer.json().get("detail", "")


@pytest.mark.parametrize(
    "path", ["/v1/long", "/v1/busy", "/v1/broken", "/v1/nothing", "/docs", "/static/docs/start.js", "/openapi.json"]
)
def test_every_answer_carries_the_headers_that_keep_a_browser_in_bounds(client, path):
    headers = client.get(path).headers

    assert "nosniff" == headers["x-content-type-options"]
    assert "same-origin" == headers["referrer-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert ["same-origin"] * 2 == [headers[f"cross-origin-{name}-policy"] for name in ("opener", "resource")]
    assert "max-age=31536000" == headers["strict-transport-security"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert ["default-src 'none'", "default-src 'self'"][path == "/docs"] in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-request-id"]


def test_only_what_is_not_of_a_person_may_be_kept_by_a_browser(client):
    kept = {
        path: client.get(path).headers["cache-control"] for path in ("/v1/secret", "/v1/page", "/v1/short", "/v1/busy")
    }
    assert {
        "/v1/secret": "no-store",
        "/v1/page": "no-store",
        "/v1/short": "private, no-cache",
        "/v1/busy": "no-store",
    } == kept
    assert "public, no-cache" == client.get("/static/docs/start.js").headers["cache-control"]


def test_https_alone_is_asked_to_be_kept_to(client):
    assert "strict-transport-security" in client.get("/v1/short").headers
    plain = asyncio.run(asked_directly(Service()))
    assert "strict-transport-security" not in plain.headers


async def asked_directly(service: Service) -> httpx.Response:
    app = FastAPI()
    app.include_router(ROUTER)
    surround(app, service, Watch())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as made:
        return await made.get("/v1/short")


def test_who_has_the_state_already_is_told_so_without_a_body(client):
    for accepted in ("identity", "gzip"):
        first = client.get("/v1/long", headers={"accept-encoding": accepted})
        again = client.get("/v1/long", headers={"accept-encoding": accepted, "if-none-match": first.headers["etag"]})

        assert (200, 304, b"") == (first.status_code, again.status_code, again.content)
        assert "Authorization, Cookie, Accept-Encoding" == again.headers["vary"]
        assert {"content-length", "content-type", "content-encoding"}.isdisjoint(again.headers)


def test_bytes_that_differ_have_tags_that_differ_but_name_one_state(client):
    plain = client.get("/v1/long", headers={"accept-encoding": "identity"})
    packed = client.get("/v1/long", headers={"accept-encoding": "gzip"})

    assert ("gzip", LONG) == (packed.headers["content-encoding"], packed.json()["said"])
    assert packed.headers["etag"] != plain.headers["etag"]
    crossed = client.get("/v1/long", headers={"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]})
    assert 304 == crossed.status_code


@pytest.mark.parametrize(
    ("asked", "status"), [("*", 304), ('W/{}, "other"', 304), ('"other"', 200), ("{}x", 304), ("no tag", 200)]
)
def test_if_none_match_takes_a_list_weak_tags_and_a_star(client, asked, status):
    etag = client.get("/v1/short").headers["etag"]
    assert status == client.get("/v1/short", headers={"if-none-match": asked.format(etag)}).status_code


def test_a_change_is_made_only_of_what_was_seen(client):
    etag = client.get("/v1/account").headers["etag"]
    first = client.put("/v1/account", json={"name": "Sari"}, headers={"if-match": etag})
    second = client.put("/v1/account", json={"name": "Tuti"}, headers={"if-match": etag})
    weak = client.put("/v1/account", json={"name": "Tuti"}, headers={"if-match": f"W/{first.headers['etag']}"})

    assert (200, 412, 412) == (first.status_code, second.status_code, weak.status_code)
    assert "tepat:precondition-failed" == second.json()["type"]
    assert first.headers["etag"] == client.get("/v1/account").headers["etag"]
    for free in ({}, {"if-match": "*"}, {"if-match": f'"other", {first.headers["etag"]}'}):
        assert 200 == client.put("/v1/account", json={"name": "Sari"}, headers=free).status_code


def test_a_head_is_the_answer_without_its_body(client):
    for path in ("/v1/long", "/v1/page", "/docs", "/v1/nothing"):
        whole, head = client.get(path), client.head(path)
        assert (whole.status_code, b"") == (head.status_code, head.content)
        for name in ("etag", "content-type"):
            assert whole.headers.get(name) == head.headers.get(name)


@pytest.mark.parametrize(
    ("path", "accepted", "packed"),
    [
        ("/v1/long", "gzip, deflate", True), ("/v1/long", "gzip;q=0, identity", False), ("/v1/long", "", False),
        ("/v1/short", "gzip", False), ("/v1/sheet", "gzip", False), ("/v1/page", "gzip", False),
    ],
)  # fmt: skip
def test_large_answers_are_compressed_for_who_wants_it(client, path, accepted, packed):
    with client.stream("GET", path, headers={"accept-encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert packed == ("content-encoding" in answer.headers)
    assert LONG.encode() in (gzip.decompress(body) if packed else body) or path == "/v1/short"


def test_a_compressed_request_is_refused_unread(client):
    bomb = gzip.compress(b" " * 2**24)
    answer = client.post(
        "/v1/score", content=bomb, headers={"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert (415, "tepat:unsupported-type") == (answer.status_code, answer.json()["type"])


def test_how_much_is_read_depends_on_the_address(client):
    large = b"x" * (600 * 1024)
    sent = {path: client.request(method, path, content=large) for method, path in (
        ("POST", "/v1/raw"), ("PUT", "/v1/jobs/j/files/child"),
    )}  # fmt: skip
    assert {"/v1/raw": 413, "/v1/jobs/j/files/child": 200} == {path: a.status_code for path, a in sent.items()}
    assert 413 == client.put("/v1/jobs/j/files/child", content=large * 4).status_code
    unannounced = client.put("/v1/jobs/j/files/child", content=(large for _ in range(4)))
    assert (413, "More than 2 MiB.") == (unannounced.status_code, unannounced.json()["detail"])
    limits = Limits(body=2**23, upload=1, read_seconds=1)
    most = {
        "/v1/score": 2**23, "/v1/worklists": 2**20, "/v1/token": 2**14, "/v1/session": 2**16, "/v1/jobs/j": 2**16,
    }  # fmt: skip
    assert most == {path: limits.most(path) for path in most}


def test_a_large_body_is_looked_at_as_a_small_one_is(client):
    words = {f"w{n}": "x" * 100 for n in range(1000)}
    assert (200, "") == posted(client, json.dumps({"words": words}).encode())
    status, detail = posted(client, json.dumps({"words": words}).encode()[:-2] + b', "w1": 1}}')
    assert (400, True) == (status, "same name twice" in detail)


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\\\u0000", r"\"\u0000"])
def test_the_character_nul_is_in_no_text(client, text):
    for body in (f'{{"words": {{"a": "{text}"}}}}', f'{{"words": {{"{text}": 1}}}}'):
        status, detail = posted(client, body.encode())
        assert (422, True) == (status, "character NUL" in detail)


@pytest.mark.parametrize("text", [r"\\u0000", r"\\\\u0000", r"\u00000"[:5] + "10", "%00"])
def test_what_only_looks_like_it_is_text(client, text):
    assert (200, "") == posted(client, f'{{"words": {{"a": "{text}"}}}}'.encode())


@pytest.mark.parametrize("path", ["/v1/short%00", "/v1/%00", "/v1/short?a=%00", "/v1/short?%00=a", "/docs%00"])
def test_no_address_holds_the_character_nul(client, path):
    answer = client.get(path)
    assert (422, "tepat:request-refused") == (answer.status_code, answer.json()["type"])
    assert answer.headers["x-request-id"]


def read_slowly(port: int, path: str, *, pause_s: float, times: int) -> int:
    """How many bytes come of an answer when so many pieces are read with pauses between, and then the rest."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    with line:
        line.settimeout(20)
        line.connect(("127.0.0.1", port))
        line.sendall(f"GET {path} HTTP/1.1\r\nhost: l\r\nconnection: close\r\n\r\n".encode())
        found = 0
        for _ in range(times):
            time.sleep(pause_s)
            found += len(line.recv(500_000, socket.MSG_WAITALL))
        with contextlib.suppress(ConnectionResetError):
            while piece := line.recv(65536):
                found += len(piece)
        return found


@pytest.mark.parametrize("path", ["/v1/large", "/v1/stream"])
def test_an_answer_that_nobody_reads_is_given_up_and_one_that_is_read_slowly_is_not(port, path):
    assert read_slowly(port, path, pause_s=1.2, times=1) < LARGE
    assert read_slowly(port, path, pause_s=0.2, times=6) > LARGE


HEAD = b"POST /v1/raw HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


def test_a_head_that_never_ends_is_given_up(port):
    status, problem = told(raw_answer(port, *[b"GET /v1/short HTTP/1.1\r\n", *[b"a: b\r\n"] * 5], pause_s=0.15))
    assert (408, "tepat:too-slow") == (status, problem["type"])


def test_a_body_that_never_ends_is_given_up(port):
    trickle = raw_answer(port, HEAD + b"content-length: 9\r\n\r\n", *[b" "] * 5, pause_s=0.15)
    status, problem = told(trickle)
    assert (408, "tepat:too-slow") == (status, problem["type"])
    assert b"connection: close" in trickle.lower()


def test_a_connection_that_says_nothing_is_closed(port):
    assert b"" == raw_answer(port)
    # Between two requests, too: an empty line is no beginning.
    said = raw_answer(port, b"GET /v1/short HTTP/1.1\r\nhost: l\r\n\r\n", *[b"\r\n"] * 5, pause_s=0.15)
    assert [b"200", b"408"] == [answer.split()[0] for answer in said.split(b"HTTP/1.1 ")[1:]]


def test_a_steady_upload_may_take_longer_than_a_head(port):
    parts = [b"x" * 40_000] * 4
    head = b"PUT /v1/jobs/j/files/child HTTP/1.1\r\nhost: l\r\nconnection: close\r\ncontent-length: 160000\r\n\r\n"
    assert (200, {"bytes": 160_000}) == told(raw_answer(port, head, *parts, pause_s=0.25))


def test_what_comes_after_a_refusal_is_let_come_for_a_while_only(port):
    said = raw_answer(port, HEAD + b"content-length: 99999999\r\n\r\n", b"[", until_closed=False)
    assert 413 == told(said)[0]


def test_a_head_without_measure_is_refused(port, client):
    status, problem = told(raw_answer(port, b"GET / HTTP/1.1\r\n", *[b"a: " + b"b" * 8000 + b"\r\n"] * 9))
    assert (431, "tepat:head-too-large") == (status, problem["type"])
    whole = client.get("/v1/short", headers={"a": "b" * 70_000})
    assert 431 == whole.status_code


@pytest.mark.parametrize("bytes_", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"GET  / x\r\n\r\n"])
def test_what_is_no_http_is_refused_in_the_words_of_every_refusal(port, bytes_):
    status, problem = told(raw_answer(port, bytes_))
    assert (400, "tepat:malformed") == (status, problem["type"])


def test_beyond_the_connections_allowed_a_request_is_told_to_come_again(port, client):
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(13)]
    try:
        with httpx.Client(base_url=client.base_url) as late:
            answer = late.get("/v1/short")
    finally:
        for line in held:
            line.close()
    assert (503, "tepat:busy", "2") == (answer.status_code, answer.json()["type"], answer.headers["retry-after"])
    deadline = time.monotonic() + 10
    while client.get("/v1/short").status_code != 200:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"words": {"a": 1, "a": 2}}', "An object has the same name twice"), (b'{"number": NaN}', "cannot be parsed"),
        (b'{"number": Infinity}', "cannot be parsed"), (b'{"number": -Infinity}', "cannot be parsed"),
        (b'{"words": {"a": "\\ud800"}}', "half a character"), (b'{"words": {"\xff": 1}}', "not UTF-8"),
        (b'{"words": {"a": "\xed\xa0\x80"}}', "not UTF-8"), (b'{"words":' * 300 + b"1" + b"}" * 300, "deeper than 200"),
        (b"[" * 100_000, "deeper than 200"), (b"[" + b"9" * 5000 + b"]", "out of range"), (b"{} {}", "cannot"),
        (b"\xff\xfe{\x00}\x00", "cannot be parsed"), (b'{"number": 1', "cannot be parsed"),
    ],
    ids=lambda cell: cell if isinstance(cell, str) else "",
)  # fmt: skip
def test_what_parsers_read_differently_is_no_json(client, body, why):
    status, detail = posted(client, body)
    assert 400 == status
    assert why in detail


@pytest.mark.parametrize(
    "body", [b'{"number": 1e999}', b'{"number": -1e999}', b'{"number": ' + b"9" * 400 + b"}"], ids=lambda _: ""
)
def test_a_number_beyond_measure_is_outside_the_range(client, body):
    assert 422 == posted(client, body)[0]


def test_json_is_looked_at_however_it_is_cut(client):
    answer = client.post(
        "/v1/score", content=iter([b'{"number":', b" 2}"]), headers={"content-type": "Application/Problem+JSON; a=b"}
    )
    assert (200, 2) == (answer.status_code, answer.json()["number"])
    assert 400 == client.post(
        "/v1/score", content=iter([b'{"number": 2, "num', b'ber": 3}']), headers={"content-type": "application/x+json"}
    ).status_code  # fmt: skip


def test_every_503_says_when_to_come_again(client):
    assert {"/v1/busy": "2", "/v1/away": "5"} == {
        path: client.get(path).headers["retry-after"] for path in ("/v1/busy", "/v1/away")
    }


def test_a_route_that_will_go_says_so_in_every_answer(client):
    for answer in (client.get("/v1/old"), client.get("/v1/old?refuse=true"), client.head("/v1/old")):
        assert "@1767225600" == answer.headers["deprecation"]
        assert "Mon, 01 Feb 2027 00:00:00 GMT" == answer.headers["sunset"]
        assert '</docs#/risk>; rel="deprecation"' == answer.headers["link"]
    assert "deprecation" not in client.get("/v1/short").headers
    said = client.get("/openapi.json").json()["paths"]["/v1/old"]["get"]
    assert said["deprecated"]
    with pytest.raises(ValueError, match="at least 365 days"):
        deprecated(dt.date(2026, 1, 1), gone_on=dt.date(2026, 6, 1), read="/docs")


def test_a_fault_of_ours_is_told_and_logged_without_what_was_asked(client, caplog):
    with caplog.at_level(logging.INFO, logger="tepat"):
        answer = client.get("/v1/broken", headers={"x-request-id": "mine"})
    assert (500, "tepat:unexpected", "mine") == (
        answer.status_code,
        answer.json()["type"],
        answer.headers["x-request-id"],
    )
    assert KEPT["nik"] not in answer.text + caplog.text
