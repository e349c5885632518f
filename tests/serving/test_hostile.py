"""What somebody who means harm would send. Each attempt is counted, and the count is printed at the end of the run."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import socket
import struct
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.access.changes import Change
from serving.access.scope import Scope
from serving.examples import HOUSEHOLD
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
WORKED_OUT = "1337"
LEAKS = ("root:", "Traceback", "sqlalchemy", "sqlite3", "psycopg", "SELECT ", "/work/", "argon2", "site-packages")


@dataclass
class Attempts:
    """A closed service, who attacks it, and how often."""

    server: Server
    shows: dict[str, dict[str, str]]
    made: int = 0
    let_through: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, *, key: str = "planner", **request: Any) -> httpx.Response:
        """One attempt; it may never break anything or tell what stands behind."""
        headers = self.shows[key] | request.pop("headers", {})
        answer = self.server.client.request(method, path, headers=headers, **request)
        self.judge(f"{method} {path[:80]}", answer.status_code, answer.text if _is_text(answer) else "")
        return answer

    def judge(self, what: str, status: int, text: str) -> None:
        self.made += 1
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
            line.shutdown(socket.SHUT_WR)
            found = b"".join(iter(lambda: line.recv(65536), b""))
        status = int(found[9:12]) if found[:5] == b"HTTP/" else 0
        self.judge(f"raw {sent[:60]!r}", status, found.decode("latin-1"))
        return found


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
        "all": system(url, "all", roles=["planner", "integrator", "dpo"]),
        "leaver": system(url, "leaver", roles=["planner"]),
    }
    many = {"TEPAT_PER_MINUTE_SYSTEM": "1000000", "TEPAT_READ_SECONDS": "2", "TEPAT_FOLDER": f"{url[10:]}.folder"}
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
    service.made, service.let_through = 0, []
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
    for path in ("/v1/households/{}", "/v1/households/{}/facts", "/v1/households/{}/history", "/v1/worklists/{}",
                 "/v1/worklists/{}/plan", "/v1/worklists/{}/export", "/v1/jobs/{}", "/v1/jobs/{}/result",
                 "/v1/regions/{}", "/v1/trail/households/{}", "/v1/quarantine/{}", "/v1/accounts/{}"):  # fmt: skip
        yield "GET", path.format(quoted), {}
    for path, name in (("/v1/worklists", "before"), ("/v1/decisions", "before"), ("/v1/decisions", "household_id"),
                       (f"/v1/worklists/{list_id}", "region"), (f"/v1/worklists/{list_id}", "after"),
                       (f"/v1/worklists/{list_id}/export", "format"), (f"/v1/worklists/{list_id}/export", "columns"),
                       ("/v1/jobs", "before"), ("/v1/session/oidc", "next"), ("/v1/trail", "who")):  # fmt: skip
        yield "GET", path, {"params": {name: payload}}
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


def counted(service: Attempts) -> tuple[int, ...]:
    ways = ("/v1/worklists", "/v1/decisions")
    return tuple(len(service.ask("GET", way, key="all", params={"limit": 1000}).text) for way in ways)


def test_words_of_sql_are_words(attempts: Attempts, listed):
    for payload in SQL:
        for method, path, more in places(payload, listed["id"]):
            attempts.ask(method, path, **more)
    assert attempts.ask("GET", f"/v1/worklists/{listed['id']}", key="all").json()["worklist"]["name"] == "Semua"
    attempts.refused("GET", "/v1/accounts", 403)


def test_no_address_reaches_a_file(attempts: Attempts, listed):
    for payload in PATHS:
        for method, path, more in places(payload, listed["id"]):
            attempts.ask(method, path, **more)
        for at in ("/docs/", "/static-offline-docs/", "/v1/jobs/x/files/", "/static/"):
            attempts.refused("GET", at + payload, 307, 400, 404, 405, 422)


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
        assert b"stolen" not in found.partition(b"\r\n\r\n")[0]
        assert b"evil.example" not in found
    for name in ("a\r\nSet-Cookie: stolen=1", 'a"; filename="b.exe', "a\u202excod.exe", "../../x", "a" * 100, "\u0000"):
        made = attempts.ask("POST", "/v1/worklists", json={"name": name, "capacity": 2})
        if made.status_code != 201:
            continue
        for kind in ("csv", "xlsx", "pdf"):
            sent = attempts.ask("GET", f"{made.headers['location']}/export", params={"format": kind})
            said = sent.headers.get("content-disposition", "")
            assert "stolen" not in sent.headers
            assert said.count('filename="') <= 1
            assert ".exe" not in said.partition("filename*")[0].rpartition(".")[2]
            assert "/" not in said.partition("filename*")[0]
            assert ".." not in said.replace("..pdf", "")


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
        found = attempts.raw(head.encode("latin-1"))
        assert b'"accounts"' not in found
        assert b"kepala" not in found


def test_a_cell_that_a_spreadsheet_would_run_is_only_words(attempts: Attempts):
    for formula in FORMULAS:
        made = attempts.ask("POST", "/v1/worklists", json={"name": formula, "capacity": 3})
        if made.status_code == 422:
            continue
        where = f"{made.headers['location']}/export"
        rows = csv.reader(io.StringIO(attempts.ask("GET", where, params={"format": "csv"}).text))
        assert [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and not _is_number(cell) and cell] == []
        book = openpyxl.load_workbook(io.BytesIO(attempts.ask("GET", where, params={"format": "xlsx"}).content))
        assert [c.value for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"] == []


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
            attempts.refused("GET", path, 401, headers={"Authorization": f"Bearer {token}"})
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
    theirs = homes[homes.region_id != ours].household_id
    for household in theirs.head(40):
        for more in ("", "/facts", "/history"):
            attempts.refused("GET", f"/v1/households/{household}{more}", 404)
        attempts.refused("GET", f"/v1/worklists/{listed['id']}/households/{household}", 404)
    for line in [line for line in listed["lines"] if line["region_id"] != ours][:40]:
        said = {"worklist_id": listed["id"], "household_id": line["household_id"], "kind": "object", "reason": "x"}
        attempts.refused("POST", "/v1/decisions", 404, json=said | {"decided_by": "x"})
    for area in homes[homes.region_id != ours].area_id.drop_duplicates().head(20):
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


def bombs() -> Iterator[tuple[str, bytes]]:
    """Little that unpacks to much, and what is not what it says."""
    for member, size in (("xl/worksheets/sheet1.xml", 2_000_000_000), ("xl/sharedStrings.xml", 500_000_000)):
        yield "xlsx", _zip(member, size)
    book = openpyxl.Workbook()
    book.active.append(["child_id"])
    real = io.BytesIO()
    book.save(real)
    yield "xlsx", _lying(_zip("xl/worksheets/sheet1.xml", 300_000_000))
    yield "xlsx", real.getvalue()[:-200]
    yield "xlsx", b"MZ" + bytes(1000)
    wide = io.BytesIO()
    pq.write_table(
        pa.table({"child_id": pa.array(["x" * 1000]).take(pa.array([0] * 2_000_000))}), wide, compression="zstd"
    )
    yield "parquet", wide.getvalue()
    yield "parquet", b"PAR1" + bytes(100) + struct.pack("<I", 2**31 - 1) + b"PAR1"
    yield "csv", b"child_id\n" + b'"' + b"x" * 3_000_000
    yield "csv", gzip.compress(b"child_id\n" * 1_000_000)
    yield "csv", b"child_id," * 100_000 + b"\n"
    yield "csv", b""
    yield "csv", bytes(range(256)) * 100


def _zip(member: str, size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        with packed.open(member, "w", force_zip64=True) as out:
            block = bytes(10_000_000)
            for _ in range(size // len(block)):
                out.write(block)
    return made.getvalue()


def _lying(packed: bytes) -> bytes:
    """The same, with a directory that says that it unpacks to nothing much."""
    at = packed.rfind(b"PK\x01\x02")
    return packed[: at + 24] + struct.pack("<I", 1000) + packed[at + 28 :]


def test_a_file_that_unpacks_to_more_than_is_read_breaks_nothing(attempts: Attempts):
    kinds = {
        "csv": "text/csv", "parquet": "application/vnd.apache.parquet",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }  # fmt: skip
    for kind, sent in bombs():
        made = attempts.ask("POST", "/v1/jobs", key="integrator", json={"name": "x"})
        where = f"/v1/jobs/{made.json()['id']}"
        attempts.ask(
            "PUT", f"{where}/files/child", key="integrator", content=sent, headers={"Content-Type": kinds[kind]}
        )
        attempts.ask("POST", f"{where}/start", key="integrator")
        attempts.server.wait_for(lambda at=where: _state(attempts, at) not in ("waiting", "running"))
        assert _state(attempts, where) in ("open", "failed", "done"), kind
        attempts.refused("GET", f"{where}/result", 404, 409, 422, key="integrator")


def _state(attempts: Attempts, where: str) -> str:
    return str(attempts.server.client.get(where, headers=attempts.shows["integrator"]).json()["state"])


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


def test_two_hundred_clients_at_once_are_answered_or_told_when_to_ask_again(attempts: Attempts):
    body = json.dumps({"households": [HOUSEHOLD]}).encode()
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
        status = int(answer[9:12] or 0) if answer else 0
        if status == 503 and b"retry-after" in answer.lower():
            status = 200
        attempts.judge("crowd", status or 599, "")
    assert sum(b" 200 " in answer[:15] for answer in answers) > 0
