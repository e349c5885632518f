"""Registers handed over on the page: checked as the next run will check them, used whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import yaml

from features.contracts import REGISTERS
from features.source import RAW, RUN, fingerprint, register_files
from serving.access.scope import Scope
from serving.handing_told import GIVEN, STOPPED, WORK
from serving.pages.sentences import in_indonesian
from tests.project import Project, copy_of
from tests.serving.conftest import Server
from tests.serving.known import OWN, person, system
from tests.serving.watching import LAPTOP, Watched

pytestmark = pytest.mark.xdist_group("pages")
HERE = "/data/registers"
HTML = {"Accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
MARK = re.compile(r'name="mark" value="([0-9a-f]{64})"')
ROW = re.compile(
    r'<th scope="row">([^<]+)</th><td data-th="Asal">([^<]+)</td><td[^>]*>([\d.]+)</td><td[^>]*>([\d.]+)</td>'
    r"<td[^>]*>([\d.]+)</td>"
)
MOST_MIB = 4
HOUSEHOLD = "household_id,recorded_on,area_id,member_count\nh-1,2024-01-02,a-1,4\nh-2,2024-01-03,a-1,5\n"
CHILD = "child_id,household_id,recorded_on,birth_date\nc-1,h-1,2024-01-02,2023-05-01\nc-2,h-2,2024-01-02,2023-06-01\n"
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Office:
    """A closed service on real registers, and who comes to it."""

    def __init__(self, place: Project, folder: Path, near: str) -> None:
        self.place, self.folder = place, folder
        (place.folder / RAW / "simulated.json").unlink()
        source = yaml.safe_load((place.folder / RUN).read_text())
        mark = fingerprint(register_files(place.folder / RAW))
        (place.folder / RUN).write_text(yaml.safe_dump(source | {"simulated": False, "fingerprint": mark}))
        self.url = f"sqlite:///{folder}/tepat.db"
        self.server = self.started()
        one = Scope(regions=frozenset({near}))
        self.shows = {
            "officer": person(self.url, self.server, "officer", roles=["data_officer"]),
            "near": system(self.url, "near", roles=["data_officer"], scope=one),
            "planner": system(self.url, "planner", roles=["planner"]),
            "auditor": system(self.url, "auditor", roles=["auditor"]),
        }
        self.shows["officer"].pop("X-CSRF-Token")

    def started(self) -> Server:
        told = {"TEPAT_ACCESS": "closed", "TEPAT_MAX_UPLOAD_MIB": str(MOST_MIB), "TEPAT_FOLDER": str(self.folder)}
        return Server(self.place.folder, TEPAT_DATABASE=self.url, **told)

    def client(self, name: str) -> httpx.Client:
        return httpx.Client(base_url=self.server.client.base_url, headers=HTML | self.shows[name], timeout=60)

    def page(self, name: str = "officer", path: str = HERE, status: int = 200) -> str:
        with self.client(name) as client:
            answer = client.get(path)
        assert status == answer.status_code, answer.text
        return answer.text

    def upload(self, files: Any, name: str = "officer", *, token: str | None = None) -> httpx.Response:
        """As a browser sends them: the fields of the form, then its files."""
        fields = {"csrf_token": self.token() if token is None else token}
        with self.client(name) as client:
            return client.post(HERE, data=fields, files=[("files", one) for one in files])

    def press(self, did: str, **fields: str) -> httpx.Response:
        said = {"csrf_token": self.token(), **fields}
        with self.client("officer") as client:
            return client.post(f"{HERE}/{did}", content=str(httpx.QueryParams(said)).encode(), headers=FORM)

    def token(self) -> str:
        found = CSRF.search(self.page(path="/data/jobs"))
        assert found
        return found[1]

    def settled(self) -> str:
        """The page once nothing is checked any more."""
        until = time.monotonic() + 120
        while "data-running" in (page := self.page()):
            assert time.monotonic() < until, page
            time.sleep(0.2)
        return page

    def lines(self, act: str = "register.hand-over") -> list[tuple[str, str, Any]]:
        """Of the trail, the oldest first."""
        with self.client("auditor") as client:
            told = client.get("/v1/trail", params={"act": act}, headers={"Accept": "application/json"}).json()["lines"]
        return [(one["who"], one["outcome"], one["about"].get("state")) for one in reversed(told)]

    def left(self) -> list[str]:
        """Files of persons in the service's folder."""
        return [name for name in WORK if (self.folder / "registers" / name).exists()]

    def raw(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.place.folder / RAW).iterdir()}

    def rows(self, register: str) -> pd.DataFrame:
        return pd.read_parquet(next((self.place.folder / RAW).glob(f"{register}.parquet")))


@pytest.fixture(scope="module")
def office(kabupaten: Project, scores: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = copy_of(kabupaten, tmp_path_factory.mktemp("hand-over"))
    made = Office(place, tmp_path_factory.mktemp("office"), scores.region_id.dropna().min())
    yield made
    made.server.stop()


def as_csv(rows: pd.DataFrame) -> bytes:
    return rows.to_csv(index=False).encode()


def test_one_new_register_is_checked_with_the_others_as_they_are_and_used_with_a_reason(office):
    before, run = office.raw(), (office.place.folder / RUN).read_text()
    account = json.loads((office.place.folder / "data/interim/ingest.json").read_text())["registers"]
    rows = office.rows("contact")
    sent = office.upload([("Contact.CSV", as_csv(rows.head(200)), "text/csv")])
    assert (303, HERE) == (sent.status_code, sent.headers["location"])
    page = office.settled()

    told = {name: (of, int(read.replace(".", ""))) for name, of, read, _, _ in ROW.findall(page)}
    assert ("unggahan ini", 200) == told.pop("Kunjungan, kepindahan, kematian")
    others = [one["read"] for name, one in account.items() if name != "contact" and not one["absent"]]
    assert sorted(("sebelumnya", read) for read in others) == sorted(told.values())
    assert all(
        int(read.replace(".", "")) == int(kept.replace(".", "")) + int(out.replace(".", ""))
        for _, _, read, kept, out in ROW.findall(page)
    )
    assert (before, run) == (office.raw(), (office.place.folder / RUN).read_text())
    assert {0o700} == {(office.folder / "registers" / name).stat().st_mode & 0o777 for name in office.left()}
    assert 0o600 == (office.folder / "registers/given/contact.csv").stat().st_mode & 0o777

    mark = MARK.search(page)[1]
    bare = office.press("use", mark=mark, because="NIK 3211014501900001")
    assert (422, True) == (bare.status_code, "Tulis alasannya" in bare.text)
    waits = office.upload([("child.csv", b"x", "text/csv")])
    assert f"{HERE}?told=waits" == waits.headers["location"]
    assert f"sekarang {len(rows)} baris, berkas baru 200 baris" in page
    small = office.press("use", mark=mark, because="Kunjungan <November>")
    assert (422, True, before) == (small.status_code, "jauh lebih kecil" in small.text, office.raw())
    for _ in range(2):
        used = office.press("use", mark=mark, because="Kunjungan <November>", whole="1")
        assert HERE == used.headers["location"]
    page = office.page()
    assert "dvc repro" in page
    assert "Kunjungan &lt;November&gt;" in page
    now = office.raw()
    assert {*before} - {"contact.parquet"} | {"contact.csv"} == {*now}
    assert as_csv(rows.head(200)) == now["contact.csv"]
    source = yaml.safe_load((office.place.folder / RUN).read_text())
    mark_now = fingerprint(register_files(office.place.folder / RAW))
    assert yaml.safe_load(run) | {"fingerprint": mark_now} == source
    assert mark == mark_now
    assert [] == office.left()
    states = ["checking", "checked", "using", "used"]
    assert [("officer", "done", state) for state in states] == office.lines()
    assert office.page(path=f"{HERE}/contact/to-mend", status=404)
    gone = office.press("drop", mark=mark)
    assert f"{HERE}?told=gone" == gone.headers["location"]


def test_faults_are_counted_by_reason_and_the_rows_to_mend_are_a_file_that_is_thrown_away_with_the_rest(office):
    rows = office.rows("area").astype("string")
    rows.loc[0, ["area_id", "area_name"]] = ["3.21e15", "=HYPERLINK(1)"]
    assert 303 == office.upload([("area.csv", as_csv(rows), "text/csv")]).status_code
    page = office.settled()

    assert ("Wilayah", "unggahan ini", "30", "29", "1") in ROW.findall(page)
    assert "1 \N{MULTIPLICATION SIGN} <code>area_id</code>" in page
    with office.client("officer") as client:
        answer = client.get(f"{HERE}/area/to-mend")
    assert answer.text.startswith("\ufeffrow,column,value_seen,allowed,reason,")
    assert "'=HYPERLINK(1)" in answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert [("officer", "done", None)] == office.lines("quarantine.see")
    with office.client("officer") as client:
        assert 404 == client.get(f"{HERE}/no-register/to-mend").status_code
    before = office.raw()
    assert HERE == office.press("drop", mark=MARK.search(page)[1]).headers["location"]
    assert "Dibuang oleh officer" in office.page()
    assert ([], before) == (office.left(), office.raw())
    assert office.page(path=f"{HERE}/area/to-mend", status=404)
    assert ("officer", "done", "dropped") == office.lines()[-1]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("anak <b>.csv", b"x")], "Tidak ada register bernama anak &lt;b&gt;.csv."),
        ([("child.dta", b"x")], "Tidak ada register bernama child.dta."),
        ([("child.csv", b"x"), ("Child.Parquet", b"x")], "Ada dua berkas untuk register Anak."),
        ([("", b"")], "Pilih satu berkas register atau lebih."),
    ],
)
def test_files_that_are_no_registers_are_said_and_nothing_of_them_is_kept(office, files, words):
    told = office.lines()
    answer = office.upload([(*one, "text/csv") for one in files])

    assert (422, True) == (answer.status_code, words in answer.text)
    assert ([], told) == (office.left(), office.lines())


def test_what_the_check_refuses_is_told_in_its_words_and_cannot_be_used(office):
    before = office.raw()
    assert 303 == office.upload([("child.csv", CHILD.replace("child_id", "anak").encode(), "text/csv")]).status_code
    page = office.settled()

    assert "tidak memuat kolom child_id, padahal wajib" in page
    assert None is MARK.search(page)
    assert ([], before) == (office.left(), office.raw())
    assert ("officer", "refused", "refused") == office.lines()[-1]


def test_who_may_not_look_everywhere_or_has_another_role_hands_nothing_over(office):
    assert f'href="{HERE}"' in office.page(path="/data")
    for name in ("near", "planner", "auditor"):
        assert HERE not in office.page(name, "/data")
        office.page(name, status=403)
        office.page(name, f"{HERE}/child/to-mend", status=403)
        assert 403 == office.upload([("child.csv", CHILD.encode(), "text/csv")], name).status_code
    assert [] == office.left()
    assert {("near", "forbidden"), ("planner", "forbidden")} <= {(who, what) for who, what, _ in office.lines()}


def test_a_form_without_its_token_or_with_it_after_the_files_or_of_another_kind_is_refused(office):
    files = [("child.csv", CHILD.encode(), "text/csv")]
    assert 403 == office.upload(files, token="").status_code
    with office.client("officer") as client:
        late = client.post(HERE, files=[("files", files[0]), ("csrf_token", (None, office.token()))])
        plain = client.post(HERE, content=f"csrf_token={office.token()}", headers=FORM)
        cut = client.post(
            HERE, content=b"--x\r\nContent-Dis", headers={"content-type": "multipart/form-data; boundary=x"}
        )
        wordy = client.post(HERE, data={"csrf_token": "x" * 20_000}, files=[("files", files[0])])
    assert (403, 422, 422, 422) == tuple(one.status_code for one in (late, plain, cut, wordy))
    assert [] == office.left()


def test_a_hand_over_that_is_too_large_is_refused_before_it_is_kept(office):
    answer = office.upload([("child.csv", b"x" * (MOST_MIB * 2**20), "text/csv")])

    assert (413, []) == (answer.status_code, office.left())


def test_of_two_at_once_the_second_waits_and_an_upload_that_breaks_off_leaves_nothing(office):
    token, told = office.token(), office.lines()
    boundary, go_on = b"--grens\r\n", threading.Event()

    def body() -> Iterator[bytes]:
        yield boundary + b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + token.encode() + b"\r\n"
        yield boundary + b'Content-Disposition: form-data; name="files"; filename="child.csv"\r\n\r\n' + b"x" * 300_000
        go_on.wait(30)
        raise ConnectionError

    def send() -> None:
        kind = {"content-type": "multipart/form-data; boundary=grens"}
        with office.client("officer") as client, pytest.raises(ConnectionError):
            client.post(HERE, content=body(), headers=kind)

    first = threading.Thread(target=send)
    first.start()
    office.server.wait_for(lambda: office.left() == ["given.part"])
    second = office.upload([("household.csv", HOUSEHOLD.encode(), "text/csv")])
    go_on.set()
    first.join()

    assert (303, f"{HERE}?told=busy") == (second.status_code, second.headers["location"])
    assert "Tunggu sebentar, lalu ulangi." in office.page(path=f"{HERE}?told=busy")
    office.server.wait_for(lambda: office.left() == [])
    assert told == office.lines()


def test_a_service_that_is_killed_while_it_checks_leaves_nothing_and_says_so(office):
    before = office.raw()
    files = [(f"{name}.csv", as_csv(office.rows(name)), "text/csv") for name in ("household", "child", "measurement")]
    assert 303 == office.upload(files).status_code
    office.server.process.kill()
    office.server.stop()
    assert [GIVEN] == [name for name in office.left() if name in (GIVEN, "given.part")]
    office.server = office.started()
    page = office.page()

    assert str(in_indonesian(STOPPED)) in page
    assert ([], before) == (office.left(), office.raw())
    assert 'type="file"' in page


def test_every_register_has_a_name_on_the_page(office):
    assert set(REGISTERS) == set(re.findall(r"<code>(\w+)\.csv</code>", office.page().split('id="nama"')[1]))


# The last: while a browser is there, no test of this file can run a loop of its own.
def test_the_page_works_in_a_browser_without_scripts_and_in_english(browser, office, tmp_path):
    for name, content in (("child.csv", CHILD), ("household.csv", "")):
        (tmp_path / name).write_text(content)
    seen = Watched(browser, str(office.server.client.base_url).rstrip("/"), size=LAPTOP, java_script_enabled=False)
    seen.speak("en")
    seen.sign_in("officer", OWN)
    seen.open(HERE)
    assert "by hand" not in seen.page.inner_text("main")
    seen.page.set_input_files("#files", [tmp_path / "child.csv", tmp_path / "household.csv"])
    seen.page.click("text=Upload and check")
    until = time.monotonic() + 60
    while seen.page.locator("[data-running]").count():
        assert time.monotonic() < until
        time.sleep(0.2)
        seen.page.click("text=Load again")
    words = seen.page.inner_text("main")
    seen.close()

    assert "child.csv (0.0 MiB), household.csv (0.0 MiB)" in words
    assert "household.csv is empty (0 bytes)" in words
    assert not re.search(r"Berkas|Unggah|Penyerahan", words)
    assert [] == office.left()
