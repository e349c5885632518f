"""What somebody who means harm would send. Each attempt is counted, and the count is printed at the end of the run."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import socket
import struct
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.adapters.bounds import MOST_STRINGS, MOST_UNPACKED
from features.errors import InputRefused
from serving.access.changes import Change
from serving.access.scope import Scope
from serving.examples import HOUSEHOLD
from serving.jobs.formats import MEDIA_TYPES
from serving.jobs.sheets import read
from targeting.households import combined
from tests.project import Project
from tests.serving.conftest import Server
from tests.serving.known import accounts, person, system

pytestmark = pytest.mark.xdist_group("serving-2")
SQL = (
    "' OR '1'='1", "'; DROP TABLE decision; --", "1) UNION SELECT hash FROM trail --", '" OR 1=1 --',
    "%' OR name LIKE '%",
    "x'; UPDATE account SET roles='[\"admin\"]'; --", "0; ATTACH DATABASE '/tmp/x' AS x", "' || pg_sleep(5) || '",
    "\\'; SELECT 1; --", "1 AND (SELECT COUNT(*) FROM account) > 0",
)  # fmt: skip
PATHS = (
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "....//....//etc/passwd", "/etc/passwd",
    "%2e%2e/%2e%2e/params.yaml",
    "..\\..\\params.yaml", "file:///etc/passwd", "%00/etc/passwd", "tepat.db", "..%252f..%252fetc%252fpasswd",
)  # fmt: skip
TEMPLATES = (
    "{{7*191}}",
    "${7*191}",
    "<%= 7*191 %>",
    "#{7*191}",
    "{%25 print(7*191) %25}",
    "${jndi:ldap://127.0.0.1/x}",
    "{0.__class__}",
)
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0")  # fmt: skip
OF_ONE = (
    "/v1/households/{}", "/v1/households/{}/facts", "/v1/households/{}/history",
    "/v1/households/{}/scores", "/v1/worklists/{}",
    "/v1/worklists/{}/plan", "/v1/worklists/{}/export", "/v1/jobs/{}", "/v1/jobs/{}/result", "/v1/regions/{}",
    "/v1/trail/households/{}", "/v1/quarantine/{}", "/v1/accounts/{}",
)  # fmt: skip
OURS = (*SQL, *PATHS, *TEMPLATES)
WORKED_OUT = "1337"
STARTED = ("promises too much", "unpacks to too much")
LEAST_NAMED = 4
"""Of the names below, so many at least a list may have."""
LEAKS = (
    "root:", "SQLite format 3", "bootstrap_draws", "Traceback", "sqlalchemy", "sqlite3", "psycopg", "SELECT ", "/work/",
    "argon2", "site-packages",
)  # fmt: skip
SAID_ANEW = re.compile(r'"request_id":\s*"[^"]*"')


@dataclass
class Attempts:
    """A closed service, who attacks it, how often, and how many things were made by it."""

    server: Server
    shows: dict[str, dict[str, str]]
    made: int = 0
    created: int = 0
    let_through: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, *, key: str = "planner", **request: Any) -> httpx.Response:
        """One attempt; it may never break anything or tell what stands behind."""
        headers = self.shows[key] | request.pop("headers", {})
        answer = self.server.client.request(method, path, headers=headers, **request)
        self.created += method == "POST" and answer.status_code == httpx.codes.CREATED
        self.judge(f"{method} {path[:80]}", answer.status_code, answer.text if _is_text(answer) else "")
        return answer

    def judge(self, what: str, status: int, text: str) -> None:
        self.made += 1
        for payload in OURS:  # a name or a line of the trail says it again
            text = text.replace(json.dumps(payload)[1:-1], "")
        if status >= 500 or any(leak in text for leak in LEAKS):
            self.let_through.append(f"{what}: {status} {text[:200]}")

    def refused(self, method: str, path: str, *statuses: int, **request: Any) -> httpx.Response:
        """One attempt that must be refused with one of these statuses."""
        answer = self.ask(method, path, **request)
        if answer.status_code not in statuses:
            self.let_through.append(f"{method} {path[:80]}: {answer.status_code}, not {statuses}: {answer.text[:200]}")
        return answer

    def raw(self, sent: bytes) -> bytes:
        """Bytes that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as line:
            line.sendall(sent)
            if b"Connection: close" not in sent:  # else the service ends it, once it has answered
                line.shutdown(socket.SHUT_WR)
            found = b"".join(iter(lambda: line.recv(65536), b""))
        status = int(found[9:12]) if found[:5] == b"HTTP/" else 0
        self.judge(f"raw {sent[:60]!r}", status, found.decode("latin-1"))
        return found

    def raw_get(self, target: str) -> tuple[int, bytes]:
        """What a GET is told whose target is sent as it stands: a client library would tidy it up first."""
        key = self.shows["all"]["Authorization"]
        head = f"Host: 127.0.0.1:{self.server.port}\r\nAuthorization: {key}\r\nConnection: close\r\n"
        found = self.raw(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
        return int(found[9:12]), found.partition(b"\r\n\r\n")[2]


def _is_text(answer: httpx.Response) -> bool:
    return any(kind in answer.headers.get("content-type", "") for kind in ("json", "text"))


@pytest.fixture(scope="module")
def homes(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.drop_duplicates("household_id").sort_values("household_id")


@pytest.fixture(scope="module")
def service(kabupaten: Project, homes: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempts]:
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/tepat.db"
    here = Scope(regions=frozenset({homes.region_id.value_counts().index[0]}))
    shows = {
        "planner": system(url, "planner", roles=["planner"], scope=here),
        "integrator": system(url, "integrator", roles=["integrator"], scope=here),
        "bomber": system(url, "bomber", roles=["integrator"], scope=here),
        "all": system(url, "all", roles=["planner", "integrator", "dpo"]),
        "leaver": system(url, "leaver", roles=["planner"]),
    }
    many = {
        "TEPAT_PER_MINUTE_SYSTEM": "1000000",
        "TEPAT_READ_SECONDS": "2",
        "TEPAT_REFUSED_PER_MINUTE": "1000000",
        "TEPAT_FOLDER": f"{url[10:]}.folder",
    }
    server = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", **many)
    try:
        server.wait_for(lambda: server.client.get("/readyz").status_code == 200)
        shows["admin"] = person(url, server, "kepala", roles=["admin"])
        with accounts(url) as hand:
            hand.change("leaver", Change(disabled=True))
        yield Attempts(server, shows)
    finally:
        server.stop()


@pytest.fixture
def attempts(service: Attempts, record_property: Callable[[str, object], None]) -> Iterator[Attempts]:
    service.made, service.created, service.let_through = 0, 0, []
    yield service
    record_property("hostile attempts", service.made)
    assert service.made
    assert service.let_through == []


@pytest.fixture(scope="module")
def listed(service: Attempts) -> dict[str, Any]:
    """A list of every region, made by somebody who may."""
    made = service.ask("POST", "/v1/worklists", key="all", json={"name": "Semua", "capacity": 300})
    page = service.ask("GET", made.headers["location"], key="all", params={"limit": 1000})
    return {"id": made.json()["id"], "lines": page.json()["lines"]}


def places(payload: str, list_id: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every place where a word of ours goes into a query, an address or an answer."""
    quoted = httpx.QueryParams({"x": payload})["x"].replace("/", "%2F").replace("#", "%23").replace("?", "%3F")
    for path in OF_ONE:
        yield "GET", path.format(quoted), {"key": "admin" if "accounts" in path else "all"}
    for path, name in (("/v1/worklists", "before"), ("/v1/decisions", "before"), ("/v1/decisions", "household_id"),
                       (f"/v1/worklists/{list_id}", "region"), (f"/v1/worklists/{list_id}", "after"),
                       (f"/v1/worklists/{list_id}/export", "format"), (f"/v1/worklists/{list_id}/export", "columns"),
                       ("/v1/jobs", "before"), ("/v1/session/oidc", "next"), ("/v1/trail", "who")):  # fmt: skip
        yield "GET", path, {"params": {name: payload}, "key": "all"}
    yield "POST", "/v1/worklists", {"json": {"name": payload, "capacity": 1}}
    yield "POST", "/v1/worklists", {"json": {"name": "x", "regions": [payload]}}
    yield (
        "POST",
        "/v1/worklists",
        {"json": {"name": "x", "capacity": 1}, "headers": {"Idempotency-Key": _ascii(payload)}},
    )
    said = {"worklist_id": list_id, "household_id": payload, "kind": "accept", "decided_by": payload}
    yield "POST", "/v1/decisions", {"json": said}
    yield "POST", "/v1/decisions", {"json": said | {"worklist_id": payload}}
    yield "POST", "/v1/jobs", {"json": {"name": payload}, "key": "integrator"}
    yield "POST", "/v1/score", {"json": {"households": [HOUSEHOLD | {"household_id": payload}]}, "key": "integrator"}
    yield "POST", "/v1/session", {"json": {"name": payload, "password": payload}}
    yield "POST", "/v1/token", {"data": {"grant_type": payload, "client_id": payload, "client_secret": payload}}
    yield "GET", "/v1/worklists", {"headers": {"X-Purpose": _ascii(payload), "X-Request-ID": _ascii(payload)}}


def _ascii(payload: str) -> str:
    return payload.encode("ascii", "ignore").decode().replace("\t", " ").strip() or "x"


def counted(service: Attempts) -> int:
    """How many lists, decisions and jobs there are."""
    ways = (("worklists", "all"), ("decisions", "all"), ("jobs", "integrator"))
    answers = {name: service.ask("GET", f"/v1/{name}", key=key, params={"limit": 1000}) for name, key in ways}
    return sum(len(answer.json()[name]) for name, answer in answers.items())


def plain(answer: httpx.Response, *words: str) -> tuple[int, str]:
    """An answer without its request's identifier and words."""
    told = SAID_ANEW.sub("", answer.text)
    for word in words:
        told = told.replace(json.dumps(word)[1:-1], "")
    return answer.status_code, told


def test_words_of_sql_are_words(attempts: Attempts, listed):
    before, made_before = counted(attempts), attempts.created
    for payload in SQL:
        nothing = re.sub(r"[^/]", "q", payload)  # of the same length and parts; no name of anything
        for (method, path, more), (_, other, of_nothing) in zip(
            places(payload, listed["id"]), places(nothing, listed["id"]), strict=True
        ):
            answer = attempts.ask(method, path, **more)
            if method == "GET":  # as a word it names nothing; worked out, it would name everything or wait
                named_nothing = attempts.ask(method, other, **of_nothing)
                assert plain(named_nothing, nothing, payload) == plain(answer, nothing, payload), (path, payload)
    assert attempts.created > made_before
    assert counted(attempts) == before + attempts.created - made_before
    assert attempts.ask("GET", f"/v1/worklists/{listed['id']}", key="all").json()["worklist"]["name"] == "Semua"
    attempts.refused("GET", "/v1/accounts", 403)


def test_no_address_reaches_a_file(attempts: Attempts, listed):
    assert attempts.raw_get("/v1/worklists")[0] == httpx.codes.OK
    for payload in PATHS:
        for method, path, more in places(payload, listed["id"]):
            attempts.ask(method, path, **more)
        for at in (*OF_ONE, "/docs/{}", "/static-offline-docs/{}", "/v1/jobs/x/files/{}", "/static/{}", "/{}"):
            status, body = attempts.raw_get(at.format(payload))
            told = "/v1/trail/households/" in at and body.startswith(b'{"lines":[')  # of who asked for this name
            assert told or status in (400, 403, 404, 405, 422), (at, payload, body[:200])


def test_words_of_templates_stay_words(attempts: Attempts, listed):
    for payload in TEMPLATES:
        for method, path, more in places(payload, listed["id"]):
            answer = attempts.ask(method, path, **more)
            if _is_text(answer) and WORKED_OUT in answer.text:
                attempts.let_through.append(f"{path}: worked out {payload}")


def test_a_header_that_would_end_early_does_not(attempts: Attempts):
    key = f"Authorization: {attempts.shows['planner']['Authorization']}"
    host = f"Host: 127.0.0.1:{attempts.server.port}"
    for header in ("X-Request-ID: a\rSet-Cookie: stolen=1", "X-Request-ID: a%0d%0aSet-Cookie: stolen=1",
                   "X-Purpose: a\nSet-Cookie: stolen=1", "Idempotency-Key: a\x00b", "X-Forwarded-Host: evil.example",
                   "X-Forwarded-For: 127.0.0.1", "X-Original-URL: /v1/accounts", "X-Rewrite-URL: /v1/accounts",
                   "X-HTTP-Method-Override: DELETE", "Forwarded: for=127.0.0.1;host=evil.example"):  # fmt: skip
        found = attempts.raw(
            f"GET /v1/worklists HTTP/1.1\r\n{host}\r\n{key}\r\n{header}\r\nConnection: close\r\n\r\n".encode()
        )
        assert found[9:12] in (b"200", b"400", b"422"), (header, found[:200])
        assert b"stolen" not in found.partition(b"\r\n\r\n")[0]
        assert b"evil.example" not in found


def test_a_name_of_a_list_does_not_become_a_header_or_another_file(attempts: Attempts):
    named = ("a\r\nSet-Cookie: stolen=1", 'a"; filename="b.exe', "a\u202excod.exe", "../../x", "a" * 100, "\u0000")
    for name in named:
        made = attempts.ask("POST", "/v1/worklists", json={"name": name, "capacity": 2})
        if made.status_code != httpx.codes.CREATED:
            assert (422, "tepat:request-refused") == (made.status_code, made.json()["type"])
            continue
        for kind in ("csv", "xlsx", "pdf"):
            sent = attempts.ask("GET", f"{made.headers['location']}/export", params={"format": kind})
            said = sent.headers["content-disposition"]
            assert "stolen" not in sent.headers
            assert said.count('filename="') <= 1
            assert ".exe" not in said.partition("filename*")[0].rpartition(".")[2]
            assert "/" not in said.partition("filename*")[0]
            assert ".." not in said.replace("..pdf", "")
    assert attempts.created >= LEAST_NAMED


def test_two_requests_in_one_are_one_or_none(attempts: Attempts):
    host = f"Host: 127.0.0.1:{attempts.server.port}\r\n"
    inner = f"GET /v1/accounts HTTP/1.1\r\n{host}\r\n"
    for head in (
        f"POST /v1/score HTTP/1.1\r\n{host}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        f"POST /v1/score HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 0\r\n\r\n{inner}",
        f"POST /v1/score HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n{inner}",
        f"POST /v1/score HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n{inner}",
        f"POST /v1/score HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n{inner}",
        f"GET  /v1/accounts HTTP/1.1\r\n{host}\r\n", f"GET /v1/accounts\r\n{host}\r\n",
        f"TRACE / HTTP/1.1\r\n{host}\r\n",
        "GET /v1/model HTTP/1.1\r\nHost: evil.example\r\n\r\n", f"CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n",
        f"GET http://evil.example/v1/model HTTP/1.1\r\n{host}\r\n", f"GET /{'a' * 100_000} HTTP/1.1\r\n{host}\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X: {'a' * 200_000}\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):  # fmt: skip
        try:
            found = attempts.raw(head.encode("latin-1"))
        except ConnectionError:  # it hung up before all was sent: what it said is lost on the way
            continue
        assert b'"accounts"' not in found
        assert b"kepala" not in found
    assert attempts.ask("GET", "/healthz").status_code == 200


def test_a_cell_that_a_spreadsheet_would_run_is_only_words(attempts: Attempts):
    for formula in FORMULAS:
        made = attempts.ask("POST", "/v1/worklists", json={"name": formula, "capacity": 3})
        if made.status_code != httpx.codes.CREATED:
            assert (422, "tepat:request-refused") == (made.status_code, made.json()["type"])
            continue
        where = f"{made.headers['location']}/export"
        rows = csv.reader(io.StringIO(attempts.ask("GET", where, params={"format": "csv"}).text))
        assert [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and not _is_number(cell) and cell] == []
        book = openpyxl.load_workbook(io.BytesIO(attempts.ask("GET", where, params={"format": "xlsx"}).content))
        assert [c.value for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"] == []
    assert attempts.created >= LEAST_NAMED


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def forged(service: Attempts) -> Iterator[str]:
    """Tokens that nobody gave out."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": "kepala", "name": "kepala", "roles": ["admin"], "scope": "everywhere", "exp": 4102444800}
    for alg in ("none", "None", "HS256", "RS256", "ES256", ""):
        for signature in ("", "AAAA", part({"x": 1})):
            yield f"{part({'alg': alg, 'typ': 'JWT'})}.{part(claims)}.{signature}"
    yield f"{part({'alg': 'HS256', 'kid': '../../../dev/null'})}.{part(claims)}.AAAA"
    yield f"{part({'alg': 'RS256', 'jku': 'http://127.0.0.1:1/keys'})}.{part(claims)}.AAAA"
    key = service.shows["all"]["Authorization"].removeprefix("Bearer ")
    yield from (key[:-1], key + "A", key.upper(), key.replace("_", "-"), key[:-4] + "AAAA", "", "null", "undefined")
    head, _, secret = key.rpartition("_")
    yield from (f"{head}_", f"{head}_%", f"{head}_{secret[::-1]}", f"tepat_%_{secret}", f"{head}_' OR '1'='1")


def test_a_token_that_nobody_gave_out_opens_nothing(attempts: Attempts):
    for token in forged(attempts):
        for path in ("/v1/accounts", "/v1/worklists"):
            attempts.refused("GET", path, 401, headers={"Authorization": f"Bearer {token}".strip()})
        attempts.refused(
            "GET", "/v1/accounts", 401, headers={"Authorization": "", "Cookie": f"tepat_session={_ascii(token)}"}
        )
    key = attempts.shows["all"]["Authorization"].removeprefix("Bearer ")
    for scheme in ("Basic", "Digest", "bearer:", "Token"):
        attempts.refused("GET", "/v1/accounts", 401, headers={"Authorization": f"{scheme} {key}"})
    attempts.refused("GET", "/v1/accounts", 401, headers={"Authorization": ""}, params={"key": key})


def test_a_key_that_was_taken_back_opens_nothing(attempts: Attempts):
    for path in ("/v1/worklists", "/v1/households/x", "/v1/decisions"):
        attempts.refused("GET", path, 401, key="leaver")


def test_identifiers_of_another_region_open_nothing(attempts: Attempts, homes, listed):
    ours = homes.region_id.value_counts().index[0]
    placed = homes[homes.area_id.notna()]
    theirs = homes[homes.region_id != ours].household_id  # those who live in no known area among them
    for household in theirs.head(40):
        for more in ("", "/facts", "/history", "/scores"):
            attempts.refused("GET", f"/v1/households/{household}{more}", 404)
        attempts.refused("GET", f"/v1/worklists/{listed['id']}/households/{household}", 404)
    for line in [line for line in listed["lines"] if line["region_id"] != ours][:40]:
        said = {"worklist_id": listed["id"], "household_id": line["household_id"], "kind": "object", "reason": "x"}
        attempts.refused("POST", "/v1/decisions", 404, json=said | {"decided_by": "x"})
    for area in placed[placed.region_id != ours].area_id.drop_duplicates().head(20):
        rows = [HOUSEHOLD["registers"]["household"][0] | {"area_id": area}]
        asked = HOUSEHOLD | {"registers": HOUSEHOLD["registers"] | {"household": rows}}
        attempts.refused("POST", "/v1/score", 403, key="integrator", json={"households": [asked]})
        attempts.refused("GET", f"/v1/regions/{area.rpartition('.')[0]}", 404)


def test_what_a_request_may_not_say_is_refused(attempts: Attempts):
    mine = {"name": "x", "capacity": 1}
    for name in ("made_by", "scope", "id", "created_at", "model_stamp", "__class__", "constructor", "$where"):
        attempts.refused("POST", "/v1/worklists", 422, json=mine | {name: "all"})
        attempts.refused("POST", "/v1/score", 422, key="integrator", json={"households": [HOUSEHOLD], name: "all"})
    for said in ({"roles": ["admin"]}, {"everywhere": True}, {"password": "x" * 20}, {"kind": "person"}):
        attempts.refused("PATCH", "/v1/accounts/planner", 403, json=said)
        attempts.refused("POST", "/v1/accounts", 403, json={"name": "baru", **said})


def test_a_request_sent_again_by_another_is_another(attempts: Attempts):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    mine = attempts.ask("POST", "/v1/worklists", json={"name": "x", "capacity": 2}, headers=key)
    again = attempts.ask("POST", "/v1/worklists", json={"name": "x", "capacity": 2}, headers=key)
    other = attempts.ask("POST", "/v1/worklists", json={"name": "x", "capacity": 2}, headers=key, key="all")
    attempts.refused("POST", "/v1/worklists", 409, json={"name": "y", "capacity": 2}, headers=key)

    assert mine.json()["id"] == again.json()["id"]
    assert other.status_code == 201
    assert other.json()["id"] != mine.json()["id"]


def bombs() -> Iterator[tuple[str, str, bytes]]:
    """Little that unpacks to much, and what is not what it says: what it is, its kind, its bytes."""
    small = _zip("xl/worksheets/sheet1.xml", 1_000_000)
    yield "promises too much", "xlsx", _lying(small, says=MOST_UNPACKED + 1)
    yield "has too many texts", "xlsx", _lying(_zip("xl/sharedStrings.xml", 1_000_000), says=MOST_STRINGS + 1)
    yield "unpacks to more than it promises", "xlsx", _lying(_zip("xl/worksheets/sheet1.xml", 300_000_000), says=1000)
    book = openpyxl.Workbook()
    book.active.append(["child_id"])
    real = io.BytesIO()
    book.save(real)
    yield "is cut short", "xlsx", real.getvalue()[:-200]
    yield "is a program", "xlsx", b"MZ" + bytes(1000)
    wide = io.BytesIO()
    rows = pa.array(np.zeros(MOST_UNPACKED // 1000 + 1, dtype="int32"))
    one = pa.DictionaryArray.from_arrays(rows, pa.array(["x" * 1000]))
    pq.write_table(pa.table({"child_id": one}), wide, compression="zstd", store_schema=False)
    yield "unpacks to too much", "parquet", wide.getvalue()
    yield "has a footer of 2 GiB", "parquet", b"PAR1" + bytes(100) + struct.pack("<I", 2**31 - 1) + b"PAR1"
    yield "has a cell that never ends", "csv", b"child_id\n" + b'"' + b"x" * 3_000_000
    yield "is packed", "csv", gzip.compress(b"child_id\n" * 1_000_000)
    yield "has too many columns", "csv", b"child_id," * 100_000 + b"\n"
    yield "is empty", "csv", b""
    yield "is no text", "csv", bytes(range(256)) * 100


def _zip(member: str, size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(member, bytes(size))
    return made.getvalue()


def _lying(packed: bytes, *, says: int) -> bytes:
    """The same, with a directory that says that its last member unpacks to so much."""
    at = packed.rfind(b"PK\x01\x02")
    return packed[: at + 24] + struct.pack("<I", says) + packed[at + 28 :]


def test_a_file_that_unpacks_to_more_than_is_read_is_not_read(attempts: Attempts, tmp_path):
    for what, kind, sent in bombs():
        path = tmp_path / f"child.{kind}"
        path.write_bytes(sent)
        attempts.made += 1
        with pytest.raises(InputRefused):
            print(what, len(read(path).rows))


def test_a_job_with_such_a_file_fails_and_breaks_nothing(attempts: Attempts):
    begun = [_begun(attempts, kind, sent) for what, kind, sent in bombs() if what in STARTED]
    for where in begun:
        attempts.server.wait_for(lambda at=where: _state(attempts, at) not in ("waiting", "running"))
        assert _state(attempts, where) == "failed"
        attempts.refused("GET", f"{where}/result", 409, key="bomber")
    assert len(begun) == len(STARTED)


def _begun(attempts: Attempts, kind: str, sent: bytes) -> str:
    made = attempts.ask("POST", "/v1/jobs", key="bomber", json={"name": "x"})
    where = f"/v1/jobs/{made.json()['id']}"
    says = {"Content-Type": MEDIA_TYPES[kind]}
    attempts.ask("PUT", f"{where}/files/child", key="bomber", content=sent, headers=says)
    assert attempts.ask("POST", f"{where}/start", key="bomber").status_code == httpx.codes.ACCEPTED
    return where


def _state(attempts: Attempts, where: str) -> str:
    return str(attempts.server.client.get(where, headers=attempts.shows["bomber"]).json()["state"])


def test_a_body_that_is_packed_deep_or_endless_is_refused(attempts: Attempts):
    body = json.dumps({"households": [HOUSEHOLD]}).encode()
    sent = {"Content-Type": "application/json"}
    score = ("POST", "/v1/score")
    attempts.refused(
        *score, 415, key="integrator", content=gzip.compress(body), headers=sent | {"Content-Encoding": "gzip"}
    )
    attempts.refused(*score, 415, key="integrator", content=body, headers=sent | {"Content-Encoding": "br, deflate"})
    for deep in (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 1_000_000 + b"]" * 1_000_000,
        b'{"households":' + b"[" * 5000,
    ):
        attempts.refused(*score, 400, 413, 422, key="integrator", content=deep, headers=sent)
    for odd in (b'{"households": [NaN]}', b'{"households": 1e999999}', b'{"households": "\xff\xfe"}', b'"\\ud800"',
                b"\x00",
                b'{"households": [], "households": [1]}', b'{"households": [' + b"1," * 1_000_000 + b"1]}",
                b'{"households": ' + b"9" * 100_000 + b"}", b"\xef\xbb\xbf{}", b""):  # fmt: skip
        attempts.refused(*score, 400, 413, 422, key="integrator", content=odd, headers=sent)
    attempts.refused(*score, 413, key="integrator", content=b" " * 9 * 2**20, headers=sent)
    attempts.refused(*score, 400, 415, 422, key="integrator", content=body, headers={"Content-Type": "text/plain"})


def test_a_client_that_never_ends_is_let_go(attempts: Attempts):
    host = f"Host: 127.0.0.1:{attempts.server.port}\r\n"
    for begun in (
        "GET /healthz HTTP/1.1\r\nX-Slow: ",
        f"POST /v1/score HTTP/1.1\r\n{host}Content-Length: 100\r\n\r\n{{",
    ):
        with socket.create_connection(("127.0.0.1", attempts.server.port), timeout=60) as line:
            line.sendall(begun.encode())
            found = b"".join(iter(lambda at=line: at.recv(65536), b""))
        attempts.judge("slow", int(found[9:12] or 0) if found else 0, found.decode("latin-1"))
        assert b" 200 " not in found[:20]
    assert attempts.ask("GET", "/healthz").status_code == 200


def test_two_hundred_clients_at_once_are_all_answered_and_rightly(attempts: Attempts, facts, scores):
    household = next(iter(facts))
    expected = combined(scores.risk_now[scores.household_id == household].dropna())
    body = json.dumps({"households": [facts[household]]}).encode()
    head = f"POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1:{attempts.server.port}\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {attempts.shows['all']['Authorization']}\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    lines = [socket.create_connection(("127.0.0.1", attempts.server.port), timeout=120) for _ in range(200)]
    for line in lines:
        line.sendall(head.encode() + body)
    answers = [b"".join(iter(lambda at=line: at.recv(65536), b"")) for line in lines]
    for line in lines:
        line.close()
    for answer in answers:
        attempts.judge("crowd", int(answer[9:12] or 0) if answer else 599, "")
    assert {answer[9:12] for answer in answers} == {b"200"}
    risks = {json.loads(answer.partition(b"\r\n\r\n")[2])["households"][0]["risk_find"] for answer in answers}
    assert [pytest.approx(expected, abs=1e-12)] * len(risks) == sorted(risks)
