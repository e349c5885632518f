"""The data room: rows to mend, models and the gate, and bulk scoring, for those who may."""

from __future__ import annotations

import html
import json
import re
import shutil
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest

from serving.access.scope import Scope
from serving.model_history import gate, page_of
from tests.serving.conftest import Server
from tests.serving.known import person, system

pytestmark = pytest.mark.xdist_group("pages")
HTML = {"Accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
KEY = re.compile(r'name="key" value="([0-9a-f]{32})"')
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Hand:
    """Who opens the data room."""

    def __init__(self, server: Server, said: dict[str, str]) -> None:
        self.client = httpx.Client(base_url=server.client.base_url, headers=HTML | said, timeout=60)

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert status == answer.status_code, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, content=str(httpx.QueryParams(fields)).encode(), headers=FORM)


@pytest.fixture(scope="module")
def hands(kabupaten, scores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data-room")
    url = f"sqlite:///{folder}/tepat.db"
    told = {"TEPAT_ACCESS": "closed", "MLFLOW_TRACKING_URI": "sqlite:///mlruns/mlflow.db"}
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_FOLDER=str(folder), **told)
    one = Scope(regions=frozenset({scores.region_id.dropna().min()}))
    shows = {
        "officer": person(url, running, "officer", roles=["data_officer"]),
        "near": system(url, "near", roles=["data_officer"], scope=one),
        "planner": system(url, "planner", roles=["planner"]),
    }
    shows["officer"].pop("X-CSRF-Token")
    yield {name: Hand(running, said) for name, said in shows.items()}
    running.stop()


def test_the_rows_to_mend_are_counted_as_they_were_taken_in_and_lead_to_their_file(hands, kabupaten):
    account = json.loads((kabupaten.folder / "data/interim/ingest.json").read_text())["registers"]
    page = hands["officer"].page("/data")
    rows = re.findall(
        r'<td class="number" data-th="Dibaca">([\d.]+)</td><td[^>]*>([\d.]+)</td><td[^>]*>([\d.]+)</td>', page
    )

    told = [tuple(int(cell.replace(".", "")) for cell in row) for row in rows]
    assert [(one["read"], one["accepted"], one["quarantined"]) for one in account.values()] == told
    files = re.findall(r'href="(/v1/quarantine/\w+)"', page)
    assert [f"/v1/quarantine/{name}" for name, one in account.items() if one["quarantined"]] == files
    assert hands["officer"].client.get(files[0]).text.startswith("\ufeff")


def test_rows_to_mend_are_for_data_officers_of_the_whole_district(hands):
    near, planner = hands["near"].page("/data"), hands["planner"].page("/data")

    assert ("/v1/quarantine" in near, "hanya dapat dilihat oleh yang boleh melihat seluruh kabupaten" in near) == (
        False,
        True,
    )
    assert not re.search(r"karantina|/data/jobs", planner)
    hands["planner"].page("/data/jobs", status=403)


def test_the_model_in_use_and_its_versions_are_those_of_the_registry(hands, kabupaten):
    champion = json.loads((kabupaten.folder / "data/champion/champion.json").read_text())
    page = hands["planner"].page("/data")

    assert f"Yang sedang dipakai: determinants-{champion['digest'][:12]}, versi {champion['version']}." in page
    assert page.count("juara: dipakai membuat daftar") == 1
    assert "Kartunya belum ada" in page


def test_the_gate_is_told_as_it_was_written_and_what_is_damaged_is_as_none(tmp_path):
    folder = tmp_path / "promotion"
    folder.mkdir()
    said = {
        "challenger": "determinants-b", "champion": "determinants-a", "passed": False, "without_comparison": "",
        "jaccard": 0.8, "checks": [{"name": "calibration", "found": "0.03", "allowed": "0.018", "passed": False,
                                    "to_do": "Look."}],
    }  # fmt: skip
    assert gate(tmp_path) is None
    (folder / "gate.json").write_text(json.dumps(said))

    found = gate(tmp_path)
    assert ("determinants-b", False, ["calibration"]) == (
        found.challenger,
        found.passed,
        [check.name for check in found.checks],
    )
    for damaged in ("{", "[]", json.dumps(said | {"checks": [{}]}), json.dumps({"challenger": "x"})):
        (folder / "gate.json").write_text(damaged)
        assert gate(tmp_path) is None


def test_the_gate_stands_on_the_page(hands, kabupaten):
    folder = kabupaten.folder / "reports/promotion"
    folder.mkdir(parents=True, exist_ok=True)
    check = {"name": "calibration <b>", "found": "ECE 0.030", "allowed": "at most 0.018", "passed": False,
             "to_do": "Look at it."}  # fmt: skip
    said = {"challenger": "determinants-b", "champion": "determinants-a", "passed": False, "without_comparison": "",
            "jaccard": 0.8, "checks": [check]}  # fmt: skip
    (folder / "gate.json").write_text(json.dumps(said))
    try:
        page = hands["planner"].page("/data")
    finally:
        shutil.rmtree(folder)

    assert "determinants-b belum lolos gerbang. Juara tetap: determinants-a." in page
    assert "80% keluarga sama di kedua daftar." in page
    assert all(html.escape(check[name]) in page for name in ("name", "found", "allowed", "to_do"))


@pytest.mark.parametrize(
    ("tracking", "page"),
    [
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("https://data:rahasia@mlflow.example/tepat?key=1", "https://mlflow.example/tepat"),
        ("sqlite:///mlruns/mlflow.db", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_mlflow_is_linked_where_it_has_pages_and_its_password_is_not_told(tracking, page):
    assert page == page_of(tracking)


def filled(page: str, **more: str) -> dict[str, str]:
    return {"csrf_token": CSRF.search(page)[1], **more}


def test_a_job_pressed_twice_is_made_once_filled_and_scored(hands, kabupaten):
    officer = hands["officer"]
    page = officer.page("/data/jobs")
    fields = filled(page, key=KEY.search(page)[1], name="Posyandu <Maret>", as_of="")
    first, again = (officer.send("/data/jobs", **fields) for _ in range(2))
    address = first.headers["location"]
    job = address.removeprefix("/data/jobs/")

    assert [303, 303, address] == [first.status_code, again.status_code, again.headers["location"]]
    assert 1 == officer.page("/data/jobs").count("Posyandu &lt;Maret&gt;")
    empty = officer.send(f"{address}/start", **filled(page))
    assert (422, True) == (empty.status_code, "Belum dapat dimulai" in empty.text)
    upload(officer, job, kabupaten.folder, token=fields["csrf_token"])
    assert "Anak" in officer.page(address)
    assert 303 == officer.send(f"{address}/start", **filled(page)).status_code
    wait_for(officer, address, "selesai")
    page = officer.page(address)
    results = re.findall(r'href="(/v1/jobs/[^"]+/result\?format=csv)"', page)
    assert 1 == len(results)
    assert 200 == officer.client.get(results[0]).status_code
    gone = officer.send(f"{address}/delete", **filled(page))
    assert (303, "/data/jobs") == (gone.status_code, gone.headers["location"])
    officer.page(address, status=404)


def upload(officer: Hand, job: str, folder: Path, *, token: str) -> None:
    children = pd.read_parquet(folder / "data/interim/child.parquet").head(3)
    homes = pd.read_parquet(folder / "data/interim/household.parquet")
    homes = homes[homes.household_id.isin(children.household_id)]
    for name, rows in (("child", children), ("household", homes)):
        sent = officer.client.put(
            f"/v1/jobs/{job}/files/{name}",
            content=rows.to_csv(index=False).encode(),
            headers={"content-type": "text/csv", "X-CSRF-Token": token},
        )
        assert 200 == sent.status_code, sent.text


def wait_for(officer: Hand, address: str, state: str) -> None:
    until = time.monotonic() + 120
    while f"Keadaan: {state}." not in (page := officer.page(address)):
        assert time.monotonic() < until, page
        assert "Keadaan: gagal" not in page, page
        time.sleep(0.2)


def test_a_form_that_lacks_its_name_comes_again_with_what_was_typed_and_one_without_its_token_does_nothing(hands):
    officer = hands["officer"]
    page = officer.page("/data/jobs")
    wrong = officer.send("/data/jobs", **filled(page, key=KEY.search(page)[1], name=" ", as_of="2025-03-31"))
    bare = officer.send("/data/jobs", key=KEY.search(page)[1], name="Tanpa tanda", as_of="")

    assert (422, True, True) == (
        wrong.status_code,
        "Isi nama, paling banyak 100 huruf" in wrong.text,
        'value="2025-03-31"' in wrong.text,
    )
    assert 403 == bare.status_code
    assert "Tanpa tanda" not in officer.page("/data/jobs")


def test_the_pages_are_said_in_english(hands):
    officer = hands["officer"]
    officer.client.cookies.clear()
    said = officer.client.headers.get("Cookie", "") + "; tepat_language=en"
    for path, words in (("/data", "Rows to mend"), ("/data/jobs", "Your jobs")):
        page = officer.client.get(path, headers={"Cookie": said}).text
        assert words in page
        assert not re.search(r"Dibaca|Pekerjaan|Gerbang|Belum ", page)
