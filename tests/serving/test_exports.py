"""A list as a file: the same lines in every form, within the asker's regions, and nothing in it runs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
import sqlite3
import subprocess
import threading

import openpyxl
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from serving.access.roles import Act, Role, may
from serving.access.scope import Scope
from serving.access.who import ANYBODY
from serving.browsing import Wanted
from serving.errors import Busy, RequestRefused
from serving.exporting import as_pdf, as_xlsx, spool
from serving.exporting.cells import harmless, plain
from serving.exporting.export import COLUMNS, ON_PAPER, Export, chosen_columns, file_name, headers_of, heading_of
from serving.exporting.spool import Lines, spooled
from serving.store import open_store
from tests.serving.published import NOON, heading, made

EVIL = [
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u202e=1", "\uff1d1+1", "x;=1+1",
    'x",=1+1', "#N/A", "Desa\u202eukaM", "\x00\x07", "é" * 9_000, "{nb}", "<b>&\"'", "汉字",
]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def published(store, count, **columns):
    """A list of so many households, with some columns of their lines instead."""
    stored = made(count)
    return store.publish(dataclasses.replace(stored, rows=stored.rows.assign(**columns)), heading("Triwulan 2"))


def export_of(listed, kind="csv", **more):
    said = {
        "columns": ON_PAPER if kind == "pdf" else COLUMNS,
        "made_by": "siti",
        "made_at": NOON,
        "zone": "Asia/Jakarta",
    }
    return Export(listed=listed, **said | more)


def in_form(store, listed, kind, *, who=ANYBODY, **more):
    seen = store.worklist(listed.id, who=who)
    return b"".join(spooled(store, export_of(seen, kind, **more), kind=kind, who=who).pieces())


def of(*regions):
    return dataclasses.replace(ANYBODY, name="siti", scope=Scope(regions=frozenset(regions)))


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_no_text_runs_in_a_spreadsheet_or_turns_its_line_around(text):
    found = harmless(text)

    assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", found)
    assert not re.search(r"[,;|]\s*[=+\-@]", found)
    assert not set(found) & set("\t\r\n\x00\x07\u202e")


@pytest.mark.parametrize(
    "text", ["tinggi badan ibu: 146,5 cm; desil: 2", "Sukamaju", "99.01.01.1001-P6", "10 - 20", ""]
)
def test_what_harms_nobody_stays_as_it_is(text):
    assert text == harmless(text) == plain(text)


@pytest.mark.parametrize("who", [ANYBODY, of("R1"), of("R0", "R2"), of()], ids=["all", "one", "two", "nowhere"])
@pytest.mark.parametrize("region", [None, "R1", "R9"])
def test_every_form_has_the_lines_that_paging_shows(store, who, region):
    listed = published(store, 31)
    if store.worklist(listed.id, who=who) is None:
        assert [] == store.page(listed.id, after_rank=0, limit=99, who=who, region=region)
        return
    lines = store.page(listed.id, after_rank=0, limit=99, who=who, region=region)
    paged = [(line.rank, line.household_id, round(line.risk, 12)) for line in lines]
    found = rows_of(in_form(store, listed, "csv", who=who, wanted=Wanted(region=region)))
    as_csv = [(int(row["rank"]), row["household_id"], round(float(row["risk"]), 12)) for row in found]
    book = io.BytesIO(
        in_form(store, listed, "xlsx", who=who, wanted=Wanted(region=region), columns=("rank", "household_id", "risk"))
    )
    [_, *sheet] = openpyxl.load_workbook(book)["Prioritas"].iter_rows(values_only=True)
    book.seek(0)
    [_, *calamine] = CalamineWorkbook.from_filelike(book).get_sheet_by_name("Prioritas").to_python()

    # XLSX keeps 16 digits.
    rounded = [[(rank, home, round(risk, 12)) for rank, home, risk in rows] for rows in (sheet, calamine)]
    assert [paged] * 3 == [as_csv, *rounded]


def test_a_csv_holds_every_column_with_null_as_an_empty_cell(store):
    listed = published(store, 2)
    line = store.page(listed.id, after_rank=0, limit=1, who=ANYBODY)[0]
    row = rows_of(in_form(store, listed, "csv"))[0]

    assert list(COLUMNS) == list(row)
    told = {name: "" if cell is None else str(cell) for name, cell in dataclasses.asdict(line).items()}
    assert told | {"reasons_id": told["reasons_id"].strip()} == row | {"reasons_id": row["reasons_id"].strip()}


def test_hostile_texts_do_no_harm_in_any_form(store):
    listed = published(store, len(EVIL), area_name=EVIL, reasons_id=EVIL)
    names = [row["area_name"] for row in rows_of(in_form(store, listed, "csv"))]
    sheet = openpyxl.load_workbook(io.BytesIO(in_form(store, listed, "xlsx")))["Prioritas"]
    kinds = {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row}
    paper = in_form(store, listed, "pdf", columns=("rank", "area_name", "reasons_id"))

    assert [harmless(text) for text in EVIL] == names
    assert {"f", "e"}.isdisjoint(kinds)
    assert "#N/A" in {cell.value for cell in sheet["E"]}
    assert paper.startswith(b"%PDF-")


def test_the_second_sheet_says_whose_copy_it_is_and_of_which_list(store):
    listed = published(store, 3)
    told = dict(openpyxl.load_workbook(io.BytesIO(in_form(store, listed, "xlsx")))["Keterangan"].values)

    assert listed.id == told["ID daftar / List id"]
    assert "siti" == told["Salinan oleh / Copy made by"]
    assert "6 Mei 2024, 19.00" == told["Dibuat / Made at"] == told["Salinan dibuat / Copy made at"]
    assert told["Data simulasi / Simulated data"].startswith("ya")


def test_who_may_export_a_list_may_see_who_visits_and_so_sift_by_it():
    roles = [role for role in Role if may({role}, Act.EXPORT_LIST)]

    assert roles == [role for role in roles if may({role}, Act.SEE_DECISION)] != []


def test_a_file_that_holds_too_many_lines_says_what_to_take_instead(store, monkeypatch):
    listed = published(store, 4)
    monkeypatch.setattr(as_pdf, "MOST", 3)
    monkeypatch.setattr(as_xlsx, "MOST", 3)
    for kind in ("pdf", "xlsx"):
        with pytest.raises(RequestRefused, match="More than 3 lines"):
            in_form(store, listed, kind)
        assert in_form(store, listed, kind, wanted=Wanted(region="R1"))
    assert 4 == len(rows_of(in_form(store, listed, "csv")))


@pytest.mark.parametrize("more", [{}, {"wanted": Wanted(region="R1")}], ids=["before it is written", "in the midst"])
def test_a_workbook_that_is_not_finished_leaves_no_household_on_the_disk(store, monkeypatch, tmp_path, more):
    (tmp_path / "aside").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "aside"))
    monkeypatch.setattr(as_xlsx, "MOST", 1)
    listed = published(store, 10)

    with pytest.raises(RequestRefused, match="More than 1 lines"):
        in_form(store, listed, "xlsx", **more)
    assert [] == list((tmp_path / "aside").iterdir())


def test_lines_are_read_some_at_a_time_and_their_households_remembered(store, monkeypatch):
    monkeypatch.setattr("serving.exporting.spool.LINES_AT_ONCE", 4)
    listed = published(store, 10)
    lines = Lines(store, export_of(listed), ANYBODY)

    assert list(range(1, 11)) == [line.rank for line in lines]
    assert [f"house-{n:06d}" for n in range(10)] == lines.seen


def test_a_few_wait_for_a_file_and_who_comes_then_is_told_at_once_when_to_come_again(store, monkeypatch):
    listed = published(store, 3)
    monkeypatch.setattr(spool, "_there", threading.BoundedSemaphore(1))
    with spool._turn(), pytest.raises(Busy) as refused:
        in_form(store, listed, "csv")
    assert 5 == refused.value.retry_after_s
    assert 3 == len(rows_of(in_form(store, listed, "csv")))


def test_columns_are_taken_in_their_order_and_unknown_ones_are_refused(store):
    listed = published(store, 1)

    assert ("risk", "rank") == chosen_columns("risk, rank,risk", kind="csv", listed=listed)
    with pytest.raises(RequestRefused, match="columns has 2 that lines do not have; they have rank"):
        chosen_columns("rank,nik,nama", kind="csv", listed=listed)
    with pytest.raises(RequestRefused, match="a page holds at most 12"):
        chosen_columns(",".join(COLUMNS), kind="pdf", listed=listed)
    assert "track" not in chosen_columns(None, kind="xlsx", listed=listed)
    assert all(heading_of(name) for name in COLUMNS)


NAMES = ["../../x\r\nSet-Cookie: a=b", 'a"; filename="b.exe', "Kunjungan Ūjī 汉字", "", "é" * 500, "CON"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_file_name_breaks_no_header_and_no_disk(store, name):
    listed = dataclasses.replace(published(store, 1), name=name)
    copy = export_of(listed, made_by='siti"\r\n@dinkes ū')
    headers = headers_of(copy, "csv")

    assert re.fullmatch(r"tepat-[A-Za-z0-9-]+-SIMULASI\.csv", file_name(copy, "csv"))
    assert len(file_name(copy, "csv")) < 150
    for value in headers.values():
        assert re.fullmatch(r"[ -~]+", value)


def text_of(paper, tmp_path):
    """The text of each page, read by another program."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "list.pdf").write_bytes(paper)
    done = subprocess.run(["pdftotext", "-layout", tmp_path / "list.pdf", "-"], capture_output=True, check=True)  # noqa: S603, S607 (found above)
    return done.stdout.decode().split("\f")[:-1]


def test_a_paper_has_pages_for_each_desa_with_its_marks_and_cuts_no_text(store, tmp_path):
    words = " ".join(f"kata{n}" for n in range(900))
    listed = published(
        store, 6, area_id=["A", "A", "B", "B", "B", None], region_id="R1", reasons_id=["x", words, *["y" * 300] * 4],
    )  # fmt: skip
    columns = ("rank", "household_id", "reasons_id")
    pages = text_of(in_form(store, listed, "pdf", columns=columns, letterhead=("DINAS CONTOH",)), tmp_path)
    whole = "".join(pages)

    for number, page in enumerate(pages, start=1):
        assert "SIMULASI" in page
        assert f"Halaman {number} dari {len(pages)}" in page
        assert f"{listed.id} · siti · 6 Mei 2024, 19.00" in page
        assert "Skor adalah saran" in page
    assert f"{listed.id}, dibuat 6 Mei 2024, 19.00;" in whole
    assert [f"house-{n:06d}" for n in (5, 0, 1, 2, 3, 4)] == re.findall(r"house-[0-9]+", whole)
    assert {f"kata{n}" for n in range(900)} <= set(whole.split())
    assert 4 * 300 == sum(len(run) for run in re.findall("y{9,}", whole))
    assert 4 == whole.count("DINAS CONTOH")
    assert 3 == whole.count("Petugas kunjungan")
    groups = re.findall(r"^ ?(\S.*: [0-9]+) keluarga", whole, re.MULTILINE)
    assert ["Desa tidak diketahui: 1", "Sukamaju (A): 2", "Sukamaju (B): 3"] == groups


def test_a_risk_is_written_as_the_page_writes_it(store, tmp_path):
    columns = ("rank", "risk", "risk_band", "risk_low", "risk_high")
    listed = published(store, 4, risk=[0.389, 0.229, 0.0999, 0.04], risk_low=[0.3, 0.2, 0.05, None],
                       risk_high=[0.5, 0.3, 0.2, None])  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(in_form(store, listed, "xlsx", columns=columns)))
    cells = [(row[1].value, row[1].number_format, row[2].value) for row in book["Prioritas"].iter_rows(min_row=2)]
    paper = "".join(text_of(in_form(store, listed, "pdf", columns=("rank", "risk")), tmp_path))

    assert [
        (0.389, "0%", "sangat tinggi"), (0.229, "0%", "tinggi"), (0.0999, "0.00%", "rendah"), (0.04, "0%", "rendah"),
    ] == cells  # fmt: skip
    for said in ("39% sangat tinggi (30% - 50%)", "23% tinggi (20% - 30%)", "9,9% rendah (5% - 20%)", "4% rendah"):
        assert said in paper


def test_a_paper_without_lines_says_so(store, tmp_path):
    [_, page] = text_of(in_form(store, published(store, 3), "pdf", wanted=Wanted(region="R9")), tmp_path)

    assert "Tidak ada keluarga dari wilayah ini di daftar." in page


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    @pytest.fixture
    def listed(self, server):
        return server.client.post("/v1/worklists", json={"name": "Uji ekspor", "capacity": 40}).json()

    def test_a_file_has_the_lines_of_the_list_and_says_whose_it_is(self, server, listed):
        address = f"/v1/worklists/{listed['id']}"
        lines = server.client.get(address, params={"limit": 1000}).json()["lines"]
        answer = server.client.get(f"{address}/export", headers={"Accept-Encoding": "identity"})
        rows = rows_of(answer.content)

        assert [line["household_id"] for line in lines] == [row["household_id"] for row in rows]
        assert [line["risk"] for line in lines] == [float(row["risk"]) for row in rows]
        assert (listed["id"], "this-machine", "true") == tuple(
            answer.headers[f"x-tepat-{name}"] for name in ("list", "made-by", "simulated")
        )
        assert "SIMULASI.csv" in answer.headers["content-disposition"]
        assert str(len(answer.content)) == answer.headers["content-length"]
        assert "no-store" in answer.headers["cache-control"]

    def test_every_household_of_a_copy_stands_in_the_trail(self, server, listed, kabupaten):
        answer = server.client.get(
            f"/v1/worklists/{listed['id']}/export", params={"format": "pdf"}, headers={"X-Request-ID": "copy-1"}
        )
        assert 200 == server.client.get(f"/v1/worklists/{listed['id']}/export", params={"format": "xlsx"}).status_code
        with sqlite3.connect(kabupaten.folder / "data/serving/tepat.db") as kept:
            [(act, list_id, households)] = kept.execute(
                "SELECT act, list_id, households FROM trail WHERE request_id = 'copy-1'"
            ).fetchall()
        kept.close()

        assert answer.content.startswith(b"%PDF-")
        urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet").household_id.dropna()
        listing = server.client.get(f"/v1/worklists/{listed['id']}", params={"limit": 1000}).json()["lines"]
        assert ("list.export", listed["id"]) == (act, list_id)
        assert {line["household_id"] for line in listing} | set(urgent) == set(json.loads(households))

    def test_paper_and_workbook_have_all_who_are_to_be_referred_now(self, server, listed, kabupaten, tmp_path):
        urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")
        copy = {kind: server.client.get(f"/v1/worklists/{listed['id']}/export?format={kind}").content
                for kind in ("xlsx", "pdf")}  # fmt: skip
        [_, head, *rows] = openpyxl.load_workbook(io.BytesIO(copy["xlsx"]))["Rujukan segera"].iter_rows(
            values_only=True
        )
        first = text_of(copy["pdf"], tmp_path)[0]

        assert 3 < len(urgent)
        assert ("ID keluarga", "Tanda bahaya", "Kode desa") == (head[0], head[3], head[4])
        assert list(urgent.household_id.fillna("tidak diketahui")) == [row[0] for row in rows]
        assert list(urgent.why_id) == [row[3] for row in rows]
        assert f"{len(urgent)} anak atau ibu dirujuk sekarang juga" in first
        assert first.index("Rujukan segera") < first.index("Dirujuk (tgl")

    @pytest.mark.parametrize(
        ("asked", "status"),
        [({"format": "doc"}, 422), ({"columns": "nik"}, 422), ({"columns": ""}, 422), ({"region": "x" * 101}, 422),
         ({"band": "dire"}, 422), ({"sort": "name"}, 422), ({"assigned": "Kader Entah"}, 200),
         ({"region": "'; drop table worklist; --"}, 200), ({"columns": "rank"}, 200)],
    )  # fmt: skip
    def test_what_cannot_be_asked_is_refused_in_words(self, server, listed, asked, status):
        assert status == server.client.get(f"/v1/worklists/{listed['id']}/export", params=asked).status_code

    def test_a_list_that_is_not_there_has_no_file(self, server):
        answer = server.client.get("/v1/worklists/none/export")

        assert (404, "No list has this identifier.") == (answer.status_code, answer.json()["detail"])
