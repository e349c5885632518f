"""Names stand masked beside their households, and in clear nowhere but where they were handed over."""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import shutil
import subprocess
import threading
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import APART
from features.names import masked
from features.settings import Paths
from features.simulation.heads import LATER
from serving import masked_names
from serving.examples_plan import POLICY
from serving.exporting.export import BAND, COLUMNS, MASKED, OFFERED, VISITOR
from serving.masked_names import AGAIN_AFTER, NOBODY, MaskedNames, read
from tests.serving.crawl import visited
from tests.serving.district import LOOSE

pytestmark = pytest.mark.xdist_group("serving")
CLEAR = re.compile("|".join(LATER).encode(), re.IGNORECASE)
"""Words of the simulated names that stand in nothing else."""
FILE = "data/interim/household_name.parquet"
HEADING = "Nama disamarkan"
ROWS = pd.DataFrame({
    "household_id": ["h-2", "h-1", "h-1", "h-3", "h-4"],
    "recorded_on": pd.to_datetime(["2024-01-01", "2024-03-01", "2023-01-01", "2024-01-01", "2024-01-01"]),
    "head_name": ["Budi", "Siti Aminah", "Ahmad", "Cecep", "7"],
})  # fmt: skip


@pytest.fixture
def handed_over(tmp_path, monkeypatch):
    """Hands names over to a service that reads them from here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(masked_names, "load", lambda: Loaded)
    (tmp_path / "data/interim").mkdir(parents=True)

    def hand_over(rows=ROWS):
        rows.to_parquet(tmp_path / "new.parquet")
        (tmp_path / "new.parquet").replace(tmp_path / FILE)
        return tmp_path / FILE

    return hand_over


class Loaded:
    """Settings, as far as names go."""

    paths = Paths()


def test_the_newest_name_of_a_household_is_masked_and_one_without_letters_is_none(handed_over):
    masks = read(handed_over())

    assert ["S*** A***", "B***", "C***", None, None] == masks.of(["h-1", "h-2", "h-3", "h-4", "h-5"])
    assert ["C***", "C***", None] == [masks.one("h-3"), *masks.of(["h-3", ""])]
    assert [] == masks.of([])


def test_rows_without_a_household_or_a_name_are_nobodys(handed_over):
    gaps = ROWS.assign(household_id=["h-2", None, "h-1", "h-3", "h-4"], head_name=["Budi", "Siti", "Ahmad", None, "7"])

    assert ["A***", "B***", None] == read(handed_over(gaps)).of(["h-1", "h-2", "h-3"])


def test_households_that_share_a_hash_get_no_names_of_each_other(handed_over, monkeypatch):
    monkeypatch.setattr(masked_names, "_hashed", lambda ids: np.zeros(len(ids), np.uint64))
    found = read(handed_over()).of(["h-1", "h-2", "h-3", "h-9"])

    assert 1 == sum(one is not None for one in found)
    assert found[3] is None
    assert all(one in (None, right) for one, right in zip(found, ["S*** A***", "B***", "C***"], strict=False))


def test_who_may_not_look_where_a_household_lies_now_is_told_no_mask_of_it(handed_over):
    masks = replace(read(handed_over()), within=lambda home: home != "h-1")

    assert [None, "B***"] == masks.of(["h-1", "h-2"])
    assert masks


def test_while_many_names_are_read_anew_those_of_before_are_told_and_nobody_waits(handed_over, monkeypatch):
    names = MaskedNames()
    handed_over()
    before, reading, over = names.now(), threading.Event(), threading.Event()

    def slow(path):
        reading.set()
        assert over.wait(60)
        return read(path)

    monkeypatch.setattr(masked_names, "read", slow)
    handed_over(ROWS.assign(head_name="Dewi"))
    reader = threading.Thread(target=names.now)
    reader.start()
    assert reading.wait(60)
    assert before is names.now()
    over.set()
    reader.join()

    assert "D***" == names.now().one("h-1")


def test_names_that_are_handed_over_taken_back_or_renewed_are_seen_at_once(handed_over):
    names = MaskedNames()
    assert names.now() is NOBODY
    path = handed_over()
    first = names.now()
    assert first
    assert first is names.now()
    handed_over(ROWS.assign(head_name="Dewi"))
    assert "D***" == names.now().one("h-1")
    path.unlink()
    assert not names.now()
    handed_over(ROWS.head(0))
    assert not names.now()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"Siti Aminah"),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: ROWS.rename(columns={"head_name": "Siti Aminah"}).to_parquet(path),
        lambda path: ROWS.assign(recorded_on="Siti Aminah").to_parquet(path),
        lambda path: os.truncate(path, 0),
    ],
    ids=["another file", "cut short", "another column", "no dates", "empty"],
)
def test_a_file_that_cannot_be_read_shows_nobody_and_the_log_says_so_once_without_a_name(handed_over, caplog, spoil):
    spoil(handed_over())
    names = MaskedNames()
    with caplog.at_level(logging.WARNING, logger="tepat"):
        assert not names.now()
        assert not names.now()

    [said] = caplog.messages
    assert "household_name.parquet cannot be read" in said
    assert "Siti" not in said


def test_a_file_that_could_not_be_read_for_a_moment_is_read_again_a_while_later(handed_over, monkeypatch):
    handed_over()
    names, now = MaskedNames(), 0.0
    monkeypatch.setattr(masked_names, "monotonic", lambda: now)
    with monkeypatch.context() as patched:
        patched.setattr(masked_names, "read", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        assert not names.now()
    assert not names.now()
    now = AGAIN_AFTER + 1

    assert "S*** A***" == names.now().one("h-1")


def test_of_what_is_kept_nothing_has_a_name(handed_over):
    masks = read(handed_over())
    kept = [*masks.words, *masks.ids.to_pylist()]

    assert {"S*** A***", "A***", "B***", "C***"} == set(masks.words)
    assert not [one for one in kept if re.search("siti|aminah|budi|ahmad|cecep", one, re.IGNORECASE)]


def test_an_export_offers_the_mask_beside_the_household_and_a_list_keeps_none():
    assert ("rank", "household_id", MASKED) == OFFERED[:3]
    assert {MASKED, BAND, VISITOR} == set(OFFERED) - set(COLUMNS)


@pytest.fixture(scope="module")
def heads(kabupaten):
    """The newest accepted name of each household."""
    rows = pd.read_parquet(kabupaten.folder / FILE)
    return (
        rows.sort_values("recorded_on").drop_duplicates("household_id", keep="last").set_index("household_id").head_name
    )


@pytest.fixture(scope="module")
def listed(server):
    made = server.client.post("/v1/worklists", json={"name": "Nama", "capacity": 60}).json()
    lines = server.client.get(f"/v1/worklists/{made['id']}").json()["lines"]
    urgent = server.client.get(f"/lists/{made['id']}/urgent").text
    calm = [one["household_id"] for one in lines[:25] if one["household_id"] not in urgent]
    return made["id"], lines, calm


@pytest.fixture
def taken_back(kabupaten):
    """The district takes the names back while the service runs."""
    path = kabupaten.folder / FILE
    path.rename(path.with_suffix(".away"))
    yield
    path.with_suffix(".away").rename(path)


def as_csv(server, list_id, **asked):
    found = server.client.get(f"/v1/worklists/{list_id}/export", params=asked).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(found, newline="")))


def test_every_line_has_the_mask_of_the_newest_name(server, listed, heads):
    _, lines, _ = listed
    expected = {one["household_id"]: masked(heads.get(one["household_id"], "")) for one in lines}

    assert expected == {one["household_id"]: one["masked_name"] for one in lines}
    assert 0 < sum(name is not None for name in expected.values()) < len(expected)
    for home, mask in [*expected.items()][:4]:
        assert mask == server.client.get(f"/v1/households/{home}").json()["masked_name"]
        [stood, *_] = server.client.get(f"/v1/households/{home}/history").json()["lists"]
        assert mask == stood["line"]["masked_name"]


def test_pages_show_it_beside_the_identifier(server, listed, heads):
    list_id, _, calm = listed
    home = next(one for one in calm if one in heads.index)
    mask = masked(heads[home])
    pages = {
        "list": server.client.get(f"/lists/{list_id}").text,
        "paper": server.client.get(f"/lists/{list_id}/print").text,
    }

    for page in pages.values():
        row = next(row for row in page.split("<tr>") if f">{home}" in row)
        assert f'<small class="mask">{mask}</small></th>' in row
        assert f'<small class="mask">{HEADING}</small></th>' in page
    assert f'{home} <small class="mask">{mask}</small></h1>' in server.client.get(f"/households/{home}").text
    assert f'{home} <small class="mask">{mask}</small></h1>' in server.client.get(f"/field/{list_id}/{home}").text
    assert f'{home}</strong> <span class="mask">{mask}</span>' in server.client.get(f"/field/{list_id}").text


def test_the_column_can_be_chosen_away(server, listed):
    list_id, _, _ = listed
    page = server.client.get(f"/lists/{list_id}?column=risk").text
    table = page[page.index("<table") : page.index("</table>")]

    assert HEADING not in table
    assert "***" not in table
    assert 'name="column" value="name"> ' in page
    assert "masked_name" not in re.findall(r'href="([^"]*export[^"]*)"', page)[0]


def test_every_kind_of_export_has_it(server, listed, heads, tmp_path):
    list_id, lines, _ = listed
    expected = [masked(heads.get(one["household_id"], "")) for one in lines]
    page = server.client.get(f"/lists/{list_id}").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/v1/[^"]*export[^"]*)"', page)]
    book = openpyxl.load_workbook(io.BytesIO(server.client.get(links[0]).content))["Prioritas"]
    [_, _, third, *_], *rows = book.iter_rows(values_only=True)
    paper = server.client.get(links[1])

    assert [name or "" for name in expected] == [row[MASKED] for row in as_csv(server, list_id)]
    assert (HEADING, expected) == (third, [row[2] for row in rows])
    assert 200 == paper.status_code
    if shutil.which("pdftotext"):
        (tmp_path / "list.pdf").write_bytes(paper.content)
        done = subprocess.run(["pdftotext", "-layout", tmp_path / "list.pdf", "-"], capture_output=True, check=True)  # noqa: S603, S607 (found above)
        assert all(name is None or name[:4] in done.stdout.decode() for name in expected)
        assert not CLEAR.search(done.stdout)


def test_whom_a_plan_leaves_out_and_whom_it_refers_have_it_in_the_answers(server, heads):
    made = server.client.post("/v1/worklists", json={"name": "Nama", "policy": POLICY | LOOSE}).json()
    of = f"/v1/worklists/{made['id']}"
    left, urgent = (
        server.client.get(f"{of}/left-out").json()["households"],
        server.client.get(f"{of}/urgent").json()["urgent"],
    )
    for some in (left, urgent):
        assert [masked(heads.get(one["household_id"], "")) for one in some] == [one["masked_name"] for one in some]
        assert any(one["masked_name"] for one in some)
    one = server.client.get(f"{of}/households/{left[0]['household_id']}").json()
    assert left[0] == one["left_out"]


@pytest.mark.usefixtures("taken_back")
def test_where_no_names_are_handed_over_nothing_is_to_be_seen_of_them(server, listed):
    list_id, _, calm = listed
    home = calm[0]
    addresses = [
        *(f"/lists/{list_id}{end}" for end in ("", "/print", "/urgent", "?column=name&column=risk")),
        f"/households/{home}", f"/field/{list_id}", f"/field/{list_id}/{home}",
    ]  # fmt: skip
    pages = [server.client.get(address) for address in addresses]
    lines = server.client.get(f"/v1/worklists/{list_id}").json()["lines"]

    assert {200} == {page.status_code for page in pages}
    assert not [page.url for page in pages if HEADING in page.text or 'class="mask"' in page.text or "***" in page.text]
    assert {None} == {one["masked_name"] for one in lines}
    assert MASKED not in as_csv(server, list_id)[0]
    assert {""} == {row[MASKED] for row in as_csv(server, list_id, columns=f"rank,{MASKED}")}


def test_a_score_with_names_is_refused_with_a_sentence_and_no_name(server):
    home = {"household_id": "h-1", "registers": {"household_name": [{"head_name": "Zubaedah Qomariyah"}]}}
    answer = server.client.post("/v1/score", json={"households": [home]})
    upload = server.client.post("/v1/jobs", json={"name": "Nama"}).json()["id"]
    at = f"/v1/jobs/{upload}/files/household_name"
    put = server.client.put(at, content="household_id\nZubaedah\n", headers={"Content-Type": "text/csv"})

    assert 422 == answer.status_code == put.status_code
    assert "household_name: a score needs no name; leave this register out" in answer.json()["detail"]
    assert not re.search("zubaedah|qomariyah", answer.text + put.text + server.said(), re.IGNORECASE)


def test_a_name_can_be_neither_seen_nor_corrected_as_a_fact(server, listed):
    _, _, calm = listed
    told = server.client.get(f"/v1/households/{calm[0]}/facts").json()

    assert 404 == server.client.get(f"/households/{calm[0]}/fact?of=household_name.head_name").status_code
    assert APART.isdisjoint([one["register"] for one in told["registers"]] + told["missing_registers"])


def test_no_page_no_answer_and_no_file_that_links_lead_to_has_a_name_in_clear(server, listed, heads):
    assert CLEAR.search("".join(heads).encode())
    list_id, lines, _ = listed
    walked = visited(server.client)
    files = {link for page in walked.values() for link in re.findall(r'href="(/v1/[^"#]+)"', page.text)}
    asked = [
        f"/v1/worklists/{list_id}", *(f"/v1/households/{one['household_id']}/facts" for one in lines[:3]),
        "/v1/quarantine", "/v1/trail", f"/lists/{list_id}/urgent", f"/field/{list_id}", "/openapi.json",
    ]  # fmt: skip
    answers = {at: server.client.get(at.replace("&amp;", "&")) for at in [*files, *asked] if "quarantine/" not in at}

    assert {200} == {answer.status_code for answer in answers.values()}
    told = walked | answers
    assert [] == [at for at, answer in told.items() if CLEAR.search(unpacked(answer.content))]
    assert not CLEAR.search(server.said().encode())
    quarantine = server.client.get("/v1/quarantine/household_name")
    assert CLEAR.search(quarantine.content)  # rows as they were handed over, for whoever mends them


def unpacked(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    book = openpyxl.load_workbook(io.BytesIO(content))
    return repr([list(sheet.values) for sheet in book]).encode()


def holds_a_name(path) -> bool:
    if path.suffix != ".parquet":
        return bool(CLEAR.search(path.read_bytes()))
    table = pq.read_table(path)
    texts = [
        column for column in table.columns if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    ]
    return any(CLEAR.search("\n".join(filter(None, column.to_pylist())).encode()) for column in texts)


@pytest.mark.usefixtures("listed")
def test_in_the_folders_of_the_project_names_stand_where_they_were_handed_over_alone(kabupaten, server):
    server.client.get("/healthz")
    root = kabupaten.folder
    files = [path for folder in ("data", "mlruns", "reports") for path in (root / folder).rglob("*") if path.is_file()]
    found = {path.relative_to(root).as_posix() for path in [*files, *root.glob("*.log")] if holds_a_name(path)}

    assert len(files) > 40
    assert {"data/raw/household_name.parquet", FILE, "data/interim/quarantine/household_name.csv"} == found
