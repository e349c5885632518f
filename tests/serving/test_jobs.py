"""Bulk scoring as another system meets it, over HTTP: uploads, the result, what is refused, and a server that dies."""

from __future__ import annotations

import hashlib
import io
import signal
import socket
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from serving.rows import SCORED_FROM
from tests.project import Project
from tests.serving.conftest import Server

pytestmark = pytest.mark.xdist_group("serving-2")
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"household": CSV, "child": XLSX, "maternal": XLSX}
"""The others go as Parquet."""


@pytest.fixture(scope="module")
def uploads(kabupaten: Project) -> dict[str, tuple[str, bytes]]:
    """The simulated registers as files of three kinds; by register its Content-Type and its bytes."""
    folder = kabupaten.folder / "simulated" / "registers"
    return {name: _as(TYPES.get(name, PARQUET), name, folder / f"{name}.parquet") for name in SCORED_FROM}


def _as(kind: str, name: str, path: Path) -> tuple[str, bytes]:
    if kind == PARQUET:
        return kind, path.read_bytes()
    rows = pd.read_parquet(path)
    if kind == CSV:
        return kind, rows.to_csv(index=False).encode()
    made, out = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = made.create_sheet(name)
    sheet.append(list(rows.columns))
    for row in rows.astype(object).where(rows.notna(), None).itertuples(index=False, name=None):
        # A leading = or ' is a text there, as it is in the file that a spreadsheet saved.
        cells = [openpyxl.cell.WriteOnlyCell(sheet, value) for value in row]
        for cell in cells:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
        sheet.append(cells)
    made.save(out)
    return kind, out.getvalue()


@pytest.fixture(scope="module")
def running(kabupaten: Project, tmp_path_factory):
    """A service with a folder and a database of its own."""
    server = Server(kabupaten.folder, **own(tmp_path_factory.mktemp("jobs")))
    yield server
    server.stop()


def own(folder: Path) -> dict[str, str]:
    return {"TEPAT_FOLDER": str(folder), "TEPAT_DATABASE": f"sqlite:///{folder}/tepat.db", "TEPAT_MAX_UPLOAD_MIB": "8"}


def made(server: Server, **asked: Any) -> str:
    answer = server.client.post("/v1/jobs", json={"name": "Posyandu", **asked})
    assert 201 == answer.status_code, answer.text
    return answer.headers["Location"]


def put(server: Server, job: str, register: str, content: bytes, kind: str = CSV, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.client.put(f"{job}/files/{register}", content=content, headers={"Content-Type": kind, **named})


def started(server: Server, uploads: dict[str, tuple[str, bytes]], **asked: Any) -> str:
    job = made(server, **asked)
    for register, (kind, content) in uploads.items():
        answer = put(server, job, register, content, kind)
        assert 200 == answer.status_code, answer.text
    assert 202 == server.client.post(f"{job}/start").status_code
    return job


def ended(server: Server, job: str) -> dict[str, Any]:
    server.wait_for(lambda: server.client.get(job).json()["state"] in {"done", "failed", "cancelled"})
    return server.client.get(job).json()


def result(server: Server, job: str) -> pd.DataFrame:
    answer = server.client.get(f"{job}/result", params={"format": "parquet"})
    assert 200 == answer.status_code, answer.text
    return pq.read_table(io.BytesIO(answer.content)).to_pandas()


@pytest.fixture(scope="module")
def done(running: Server, uploads) -> str:
    """A job of the whole kabupaten, done."""
    job = started(running, uploads)
    assert "done" == ended(running, job)["state"], running.client.get(job).text
    return job


def test_a_job_gives_the_risks_and_reasons_of_the_batch_from_csv_xlsx_and_parquet(running, done, scores):
    rows = result(running, done)
    units = rows[rows.risk_now.notna() | rows.risk_at_24m.notna()].set_index("unit_id").sort_index()
    batch = scores.set_index("unit_id").sort_index()

    assert batch.index.to_list() == units.index.to_list()
    for name in ("risk_now", "risk_at_24m", "age_months"):
        pd.testing.assert_series_equal(batch[name], units[name], check_exact=True, check_dtype=False)
    born = units.kind == "child"
    assert batch.reasons_id[born].to_list() == units.reasons_id[born].to_list()
    assert batch.household_id.to_list() == units.household_id.to_list()


def test_no_household_and_no_row_is_lost(running, done):
    told, rows = running.client.get(done).json(), result(running, done)
    refused = pd.read_csv(io.BytesIO(running.client.get(f"{done}/refused").content))

    assert told["households"] == told["households_done"] == rows.household_id.nunique()
    assert told["rows_read"] == sum(one["read"] for one in told["files"].values())
    distinct = refused.drop_duplicates(["register", "row"]).register.value_counts().to_dict()
    assert distinct == {name: one["refused"] for name, one in told["files"].items() if one["refused"]}
    assert rows[rows.risk_now.isna() & rows.risk_at_24m.isna()].unscored.notna().all()
    assert {told["model_stamp"]} == set(rows.model_stamp)
    assert ["register", "row", "column", "allowed", "reason"] == list(refused.columns)


def test_every_format_of_the_result_has_the_same_rows_and_its_digest_as_etag(running, done):
    told, rows = running.client.get(done).json()["result"], result(running, done)
    files = {kind: running.client.get(f"{done}/result", params={"format": kind}) for kind in ("csv", "xlsx")}
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"].content), read_only=True).worksheets[0]

    assert len(rows) == told["rows"] == sum(1 for _ in sheet.iter_rows()) - 1
    csv = pd.read_csv(io.BytesIO(files["csv"].content))
    assert rows.unit_id.fillna("").to_list() == csv.unit_id.fillna("").to_list()
    pd.testing.assert_series_equal(rows.risk_now, csv.risk_now)
    for kind, answer in files.items():
        assert told["files"][f"result.{kind}"]["sha256"] in answer.headers["ETag"]
        again = running.client.get(
            f"{done}/result", params={"format": kind}, headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert 304 == again.status_code


def test_a_request_that_is_sent_again_makes_one_job(running):
    asked = {"json": {"name": "Sekali"}, "headers": {"Idempotency-Key": "k-1"}}
    first, second = (running.client.post("/v1/jobs", **asked) for _ in range(2))
    other = running.client.post("/v1/jobs", json={"name": "Lain"}, headers={"Idempotency-Key": "k-1"})

    assert first.headers["Location"] == second.headers["Location"]
    assert (409, "tepat:conflict") == (other.status_code, other.json()["type"])


def test_an_upload_that_breaks_off_goes_on_where_it_broke(running):
    job, content = made(running), b"child_id,household_id,recorded_on,birth_date\n" + b"a,b,2025-01-01,c\n" * 150_000
    total, sent = len(content), 2**21
    with socket.create_connection(("127.0.0.1", running.port)) as line:
        head = f"PUT {job}/files/child HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
        head += f"Content-Range: bytes 0-{total - 1}/{total}\r\nContent-Length: {total}\r\n\r\n"
        line.sendall(head.encode() + content[:sent])
        running.wait_for(lambda: offset(running, job) >= 2**20)
    gap = put(running, job, "child", content[-9:], Content_Range=f"bytes {total - 9}-{total - 1}/{total}")
    assert (409, True) == (gap.status_code, gap.json()["type"] in {"tepat:upload-out-of-place", "tepat:job-state"})
    running.wait_for(lambda: go_on(running, job, content).status_code == 200)

    whole = running.client.get(f"{job}/files/child")
    assert (True, total) == (whole.json()["complete"], whole.json()["bytes_kept"])
    assert hashlib.sha256(content).hexdigest() == whole.json()["sha256"]
    assert whole.headers["ETag"] == put(running, job, "child", content).headers["ETag"]


def offset(server: Server, job: str) -> int:
    return int(server.client.head(f"{job}/files/child").headers.get("Upload-Offset", 0))


def go_on(server: Server, job: str, content: bytes):
    """The rest, from what is kept; refused for as long as the server has not noticed that the line broke."""
    kept, total = offset(server, job), len(content)
    return put(server, job, "child", content[kept:], Content_Range=f"bytes {kept}-{total - 1}/{total}")


def test_a_file_is_replaced_only_by_who_knows_it_when_they_say_so(running):
    job = made(running)
    tag = put(running, job, "child", b"a,b\n1,2\n").headers["ETag"]

    assert 412 == put(running, job, "child", b"c,d\n", If_Match='"0"').status_code
    assert 200 == put(running, job, "child", b"c,d\n1,2\n", If_Match=tag).status_code
    assert 412 == put(running, job, "child", b"e,f\n", If_Match=tag).status_code


@pytest.mark.parametrize(
    ("register", "kind", "headers", "status"),
    [
        ("child", "application/zip", {}, 415),
        ("child", "text/csv; charset=utf-8", {}, 200),
        ("child", CSV, {"Content_Range": "bytes 5-1/9"}, 422),
        ("child", CSV, {"Content_Range": "bytes 0-2/999999999999"}, 413),
        ("child", CSV, {"Content_Range": "bytes 0-9/20"}, 422),
        ("area", CSV, {}, 422),
        ("..%2Fchild", CSV, {}, 404),
    ],
)
def test_an_upload_of_another_kind_size_or_name_is_refused(running, register, kind, headers, status):
    job = made(running)

    assert status == put(running, job, register, b"a,b\n1,2\n", kind, **headers).status_code


def test_a_file_over_the_limit_is_refused_and_nothing_of_it_stays(running):
    job = made(running)
    answer = put(running, job, "child", b"x" * (9 * 2**20))

    assert 413 == answer.status_code
    assert 404 == running.client.get(f"{job}/files/child").status_code


def test_a_job_of_a_file_that_cannot_be_read_fails_with_a_problem_and_nothing_half(running):
    job = started(running, {"child": (XLSX, b"\x7fELF" + b"\0" * 100)})
    told = ended(running, job)

    assert ("failed", None) == (told["state"], told["result"])
    assert {"type", "title", "status", "detail", "remedy", "request_id"} == told["fault"].keys()
    assert "child.xlsx is no Excel workbook" in told["fault"]["detail"]
    answer = running.client.get(f"{job}/result")
    assert (409, "tepat:job-state") == (answer.status_code, answer.json()["type"])


def test_a_job_of_which_every_row_is_refused_fails_and_says_which(running):
    job = started(running, {"child": (CSV, b"child_id,household_id,recorded_on,birth_date\na,b,2025-01-01,tomorrow\n")})
    told = ended(running, job)

    assert ("failed", 1, 1) == (told["state"], told["rows_read"], told["rows_refused"])
    assert "birth_date" in running.client.get(f"{job}/refused").text


def test_a_job_that_is_cancelled_ends_and_only_what_is_over_is_deleted(running, uploads):
    job = started(running, uploads)

    assert 409 == running.client.delete(job).status_code
    assert ["cancelled"] * 2 == [running.client.post(f"{job}/cancel").json()["state"] for _ in range(2)]
    assert 409 == running.client.post(f"{job}/start").status_code
    assert 204 == running.client.delete(job).status_code
    assert 404 == running.client.get(job).status_code


def test_a_job_without_children_and_women_is_not_started_and_one_that_is_started_takes_no_files(running, done):
    empty = running.client.post(f"{made(running)}/start")

    assert (422, "tepat:request-refused") == (empty.status_code, empty.json()["type"])
    assert 202 == running.client.post(f"{done}/start").status_code
    assert 409 == put(running, done, "child", b"a\n").status_code


def test_jobs_are_paged_newest_first(running):
    newest = [made(running) for _ in range(3)][::-1]
    first = running.client.get("/v1/jobs", params={"limit": 2})
    second = running.client.get(first.links["next"]["url"])

    seen = [f"/v1/jobs/{one['id']}" for page in (first, second) for one in page.json()["jobs"]]
    assert newest == seen[:3]
    unknown = running.client.get("/v1/jobs", params={"before": "0" * 32})
    assert 404 == unknown.status_code


def test_an_as_of_in_the_past_sees_nothing_later(running, uploads):
    few = {name: uploads[name] for name in ("household", "child")}
    told = ended(running, job := started(running, few, as_of="2024-06-30", contributions=True))
    rows = result(running, job)

    assert ("done", "2024-06-30") == (told["state"], told["as_of"])
    assert {pd.Timestamp("2024-06-30").date()} == set(rows.as_of.dropna())
    assert rows[rows.risk_now.notna()].contributions_now.str.startswith("{").all()


def test_a_server_that_is_killed_in_the_midst_goes_on_to_the_very_same_result(
    kabupaten: Project, running, done, uploads, tmp_path
):
    first = Server(kabupaten.folder, **own(tmp_path))
    job = started(first, uploads)
    first.wait_for(lambda: first.client.get(job).json()["households_done"] > 0)
    killed(first)
    second = Server(kabupaten.folder, **own(tmp_path))
    try:
        told = ended(second, job)
        assert ("done", told["households"]) == (told["state"], told["households_done"])
        pd.testing.assert_frame_equal(result(running, done), result(second, job), check_exact=True)
        lines = [line for line in second.lines() if line["message"] == "job"]
        assert [True] == [line["from"] > 0 for line in lines]
    finally:
        second.stop()


def killed(server: Server) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.client.close()
