"""The data room: rows to mend, models and the gate, and bulk scoring, for those who may."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pandas as pd
import pytest

from serving.access.scope import Scope
from serving.errors import StoreUnavailable
from serving.history_chart import lines
from serving.model_history import Judged, gate, page_of
from serving.promoting import STOPPED, TURNS, Already, Asked, Kind, Promoting, State, Turn
from serving.trail.entry import Entry
from tests.serving.conftest import Server
from tests.serving.known import person, system

pytestmark = pytest.mark.xdist_group("pages")
HTML = {"Accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
KEY = re.compile(r'name="key" value="([0-9a-f]{32})"')
SEEN = re.compile(r'name="seen" value="(\d+)"')
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
        "auditor": system(url, "auditor", roles=["auditor"]),
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
    assert gate(folder) is None
    (folder / "gate.json").write_text(json.dumps(said))

    found = gate(folder)
    assert ("determinants-b", False, ["calibration"]) == (
        found.challenger,
        found.passed,
        [check.name for check in found.checks],
    )
    for damaged in ("{", "[]", json.dumps(said | {"checks": [{}]}), json.dumps({"challenger": "x"})):
        (folder / "gate.json").write_text(damaged)
        assert gate(folder) is None


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
    # What is not known in Indonesian is marked as English.
    assert all(f'<span lang="en">{html.escape(check[name])}</span>' in page for name in ("name", "found", "to_do"))
    assert "paling banyak 0,018" in page


def test_the_figures_of_the_evaluations_are_drawn_from_the_oldest_to_the_newest():
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    figures = [{"auc": 0.8, "ece": 0.01}, {"auc": 0.6}, {"auc": 0.7, "ece": 0.03}]  # the newest first
    judged = [Judged(stamp="determinants-a", at=at, figures=one, with_card=False) for one in figures]
    auc, ece = lines(judged)

    assert ("auc", 0.7, 0.8, 0.6, 0.8) == (auc.name, auc.first, auc.last, auc.least, auc.most)
    assert [6, 90, 174] == [x for x, _ in auc.dots]
    assert [28, 50, 6] == [y for _, y in auc.dots]
    assert ("ece", 0.03, 0.01) == (ece.name, ece.first, ece.last)
    assert () == lines(judged[:1])
    assert [28, 28] == [y for _, y in lines([judged[0], judged[0]])[0].dots]
    assert [23.6, 32.4] == [y for _, y in ece.dots]  # two hundredths are drawn as no cliff


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


def turn_of(officer: Hand) -> str:
    """The page of promotion once nothing is being asked."""
    until = time.monotonic() + 120
    while "data-running" in (page := officer.page("/data/promote")):
        assert time.monotonic() < until, page
        time.sleep(0.2)
    return page


def test_a_model_that_was_never_evaluated_is_not_judged_and_the_page_says_what_to_run(hands):
    officer = hands["officer"]
    assert 'href="/data/promote"' in officer.page("/data")
    page = officer.page("/data/promote")
    fields = filled(page, do="ask", version="1", seen=SEEN.search(page)[1], because="Ingin tahu <b>")
    first, again = (officer.send("/data/promote", **fields) for _ in range(2))

    assert (303, "/data/promote") == (first.status_code, first.headers["location"])
    assert (303, "/data/promote?busy=1") == (again.status_code, again.headers["location"])
    assert "Gerbang sedang ditanya." in officer.page("/data/promote?busy=1")
    page = turn_of(officer)
    assert "Gerbang ditanya tentang versi 1" in page
    assert "Ingin tahu &lt;b&gt;" in page
    assert "Belum dapat dilakukan:" in page
    assert "belum dinilai pada" in page
    assert "dvc repro evaluate" in page


def test_a_champion_before_that_is_not_there_is_said_and_the_trail_tells_who_asked_and_what_came_of_it(hands):
    officer = hands["officer"]
    page = officer.page("/data/promote")
    fields = filled(page, do="roll-back", seen=SEEN.search(page)[1], because="Kader melapor")
    assert 303 == officer.send("/data/promote", **fields).status_code
    assert "yang tidak didahului juara lain" in turn_of(officer)

    lines = hands["auditor"].client.get("/v1/trail", headers={"Accept": "application/json"}).json()["lines"]
    lines = [one for one in lines if one["act"] == "model.promote" and one["why"] == "Kader melapor"]
    assert {("officer", "done", None), ("officer", "refused", "refused")} == {
        (one["who"], one["outcome"], one["about"].get("state")) for one in lines
    }
    assert {"roll-back"} == {one["about"]["asked"] for one in lines}


def test_a_form_of_before_the_champion_changed_moves_nothing(hands):
    officer = hands["officer"]
    fields = filled(officer.page("/data/promote"), do="roll-back", seen="77", because="Dikirim lagi")
    assert 303 == officer.send("/data/promote", **fields).status_code
    page = turn_of(officer)

    assert "Belum dapat dilakukan:" in page
    assert "sedangkan versi 77 ketika ini diminta" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"do": "promote", "version": "1", "because": " "}, "Tulis alasannya"),
        ({"do": "promote", "version": "1", "because": "a" * 201}, "Tulis alasannya"),
        ({"do": "promote", "version": "1", "because": "NIK 3211014501900001"}, "Tulis alasannya"),
        ({"do": "promote", "version": "99", "because": "baik"}, "Pilih salah satu versi"),
        ({"do": "promote", "because": "baik"}, "Pilih salah satu versi"),
        ({"do": "crown", "version": "1", "because": "baik"}, "Pilih salah satu tombol"),
        ({}, "Pilih salah satu tombol"),
    ],
)
def test_what_cannot_be_asked_of_the_gate_is_said_and_nothing_is_asked(hands, fields, words):
    officer = hands["officer"]
    before = turn_of(officer)
    answer = officer.send("/data/promote", **filled(before, **fields))

    assert (422, True) == (answer.status_code, words in answer.text)
    assert re.findall(r'<p role="status".*?</p>', before, re.DOTALL) == re.findall(
        r'<p role="status".*?</p>', turn_of(officer), re.DOTALL
    )


def test_the_champion_is_chosen_by_data_officers_of_the_whole_kabupaten_alone(hands):
    for name in ("near", "planner", "auditor"):
        assert "/data/promote" not in hands[name].page("/data")
        hands[name].page("/data/promote", status=403)
        assert 403 == hands[name].send("/data/promote", do="ask", version="1", because="boleh?").status_code
    assert 403 == hands["officer"].send("/data/promote", do="ask", version="1", because="tanpa tanda").status_code


def test_a_turn_that_ended_with_the_service_is_told_as_not_finished(tmp_path):
    asked = Asked(kind=Kind.PROMOTE, model="determinants", version="2", seen="1", because="uji", by="officer")
    left = Turn(asked=asked, begun_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    (tmp_path / "promoting").mkdir()
    (tmp_path / "promoting/turn.json").write_bytes(TURNS.dump_json(left))
    promoting = Promoting(tmp_path, trail=None, moved=None)

    assert (State.FAILED, STOPPED, asked) == ((last := promoting.last()).state, last.said, last.asked)
    (tmp_path / "promoting/turn.json").write_text("{")
    assert promoting.last() is None


def test_a_question_that_the_trail_cannot_tell_of_is_not_asked_and_the_one_before_stays(tmp_path):
    asked = Asked(kind=Kind.ASK, model="determinants", version="2", seen="1", because="uji", by="officer")
    before = Turn(asked=asked, begun_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), state=State.HELD)
    (tmp_path / "promoting").mkdir()
    (tmp_path / "promoting/turn.json").write_bytes(TURNS.dump_json(before))

    def away(_):
        raise StoreUnavailable("The disk is full.")

    promoting = Promoting(tmp_path, trail=SimpleNamespace(note=away), moved=None)
    note = Entry(at=dt.datetime.now(tz=dt.UTC), who="officer", via="session", act="model.promote", request_id="uji")
    for _ in range(2):  # nothing is held, either
        with pytest.raises(StoreUnavailable):
            promoting.begin(asked, note)

    assert before == promoting.last()


def test_one_question_is_asked_at_a_time_of_all_services_on_a_folder_and_a_stop_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Promoting, "_started", lambda _: subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE))
    noted, asked = [], Asked(kind=Kind.ASK, model="determinants", version="2", seen="1", because="uji", by="officer")
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    note = Entry(at=at, who="officer", via="session", act="model.promote", request_id="uji")
    trail = SimpleNamespace(note=noted.append)
    first, other = (Promoting(tmp_path, trail=trail, moved=lambda: pytest.fail("nothing moved")) for _ in range(2))
    first.begin(asked, note)
    for service in (first, other):
        with pytest.raises(Already):
            service.begin(asked, note)
        assert State.RUNNING == service.last().state
    first.stop()

    assert [(State.FAILED, STOPPED)] * 2 == [(one.last().state, one.last().said) for one in (first, other)]
    assert ["done", "failed"] == [one.outcome for one in noted]


def test_the_pages_are_said_in_english(hands):
    officer = hands["officer"]
    officer.client.cookies.clear()
    said = officer.client.headers.get("Cookie", "") + "; tepat_language=en"
    shown = (("/data", "Rows to mend"), ("/data/jobs", "Your jobs"), ("/data/promote", "Champion and challengers"))
    for path, words in shown:
        page = officer.client.get(path, headers={"Cookie": said}).text
        assert words in page
        assert not re.search(r"Dibaca|Pekerjaan|Gerbang|Belum ", page)
