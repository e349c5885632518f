"""The pages of lists: made once, looked through, given out and printed, and of one's own regions alone."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import numpy as np
import openpyxl
import pandas as pd
import pytest

from serving import published
from serving.access.scope import EVERYWHERE, Scope
from serving.bands import as_shown, band_of
from serving.errors import NothingScored
from serving.last_visits import last_visits
from serving.list_totals import Place, Totals
from serving.pages.language import spoken
from serving.pages.lists import regions_of
from serving.plain_policy import choices_of, usual_choices
from serving.previewing import homes_for
from serving.published import Published
from tests.serving.conftest import Server
from tests.serving.known import OWN, person, system
from tests.serving.watching import PHONE, Watched

pytestmark = pytest.mark.xdist_group("pages")
HTML = {"Accept": "text/html"}
ROW = re.compile(r'<td class="number"[^>]*>([\d.]+)</td><th scope="row"><a href="(/households/[^"]+)">')
CHOICES = {
    "objective": "find", "floor": "0.04", "pregnant": "0", "lots": "0.05", "visits": "36", "name": "Putaran uji",
    "do": "save",
}  # fmt: skip


class Reader:
    """Who reads pages, and fills in their forms."""

    def __init__(self, server: Server, said: dict[str, str], file: str) -> None:
        self.client = httpx.Client(base_url=server.client.base_url, headers=HTML | said, timeout=60)
        self.file = file

    def page(self, path: str, **asked: object) -> str:
        answer = self.client.get(path, params=asked or None)
        assert answer.status_code == httpx.codes.OK, (path, answer.status_code, answer.text[:500])
        return answer.text

    def send(self, path: str, fields: list[tuple[str, str]]) -> httpx.Response:
        body = str(httpx.QueryParams(fields)).encode()
        return self.client.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})

    def assign(self, path: str, *fields: tuple[str, str]) -> httpx.Response:
        """The form of a list's page as it comes, with what was filled in."""
        return self.send(f"{path}/assign", [("seen", seen_on(self.page(path))), *fields])

    def make(self, **changes: str) -> httpx.Response:
        return self.send("/lists/new", self.filled(**changes))

    def filled(self, **changes: str) -> list[tuple[str, str]]:
        """The form as it comes, with what was chosen."""
        page = self.page("/lists/new")
        regions = re.findall(r'name="region" value="([^"]+)"', page)
        key = re.search(r'name="key" value="([^"]+)"', page)[1]
        asked = CHOICES | {"key": key} | changes
        only = asked.pop("region", None)
        return [*asked.items(), *(("region", one) for one in regions if only in (None, one))]

    def lines(self, path: str, **asked: object) -> list[tuple[int, str]]:
        """Rank and household of the lines on all pages, by the links that lead on."""
        found, page = [], self.page(path, **asked)
        while True:
            found += [(int(rank.replace(".", "")), home_of(link)) for rank, link in ROW.findall(page)]
            more = re.search(r'rel="next" href="([^"#]+)', page)
            if more is None:
                return found
            page = self.page(path + html.unescape(more[1]))

    def trail(self, act: str) -> list[tuple[str, str, list[str]]]:
        with closing(sqlite3.connect(self.file)) as store:
            rows = store.execute("SELECT who, list_id, households FROM trail WHERE act = ? ORDER BY number", [act])
            return [(who, list_id, json.loads(homes)) for who, list_id, homes in rows]


def seen_on(page: str) -> str:
    return re.search(r'name="seen" value="(\d+)"', page)[1]


def home_of(link: str) -> str:
    return urlsplit(html.unescape(link)).path.removeprefix("/households/")


@pytest.fixture(scope="module")
def region(kabupaten):
    """One where somebody is in danger."""
    return pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet").region_id.dropna().min()


@pytest.fixture(scope="module")
def readers(kabupaten, region, scores, tmp_path_factory):
    other = next(one for one in sorted(scores.region_id.dropna().unique()) if one != region)
    folder = tmp_path_factory.mktemp("lists")
    url = f"sqlite:///{folder}/store.db"
    near = Scope(regions=frozenset({region}))
    shows = {"near": system(url, "near", roles=["planner"], scope=near), "all": system(url, "all", roles=["planner"])}
    shows["far"] = system(url, "far", roles=["planner"], scope=Scope(regions=frozenset({other})))
    shows["program"] = system(url, "program", roles=["integrator"], scope=EVERYWHERE)
    shows["auditor"] = system(url, "auditor", roles=["auditor"], scope=EVERYWHERE)
    told = {"TEPAT_LETTERHEAD": "Pemerintah Kabupaten Contoh|Dinas Kesehatan", "TEPAT_PER_MINUTE": "100000"}
    running = Server(
        kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=str(folder / "own"), **told
    )
    shows["siti"] = person(url, running, "siti", roles=["planner"], scope=EVERYWHERE)
    yield {name: Reader(running, said, f"{folder}/store.db") for name, said in shows.items()}
    running.stop()


@pytest.fixture(scope="module")
def plan(readers):
    """The address of a plan of the whole district, and its lines as the API has them."""
    made = readers["all"].make()
    assert made.status_code == httpx.codes.SEE_OTHER, made.text
    list_id = made.headers["location"].removeprefix("/lists/")
    answer = readers["all"].client.get(f"/v1/worklists/{list_id}?limit=1000").json()
    return f"/lists/{list_id}", answer["lines"]


def test_a_form_sent_twice_makes_one_list(readers):
    form = readers["near"].filled(name="Sekali saja")
    first, again = (readers["near"].send("/lists/new", form) for _ in range(2))

    assert (303, first.headers["location"]) == (again.status_code, again.headers["location"])
    assert 1 == readers["near"].page("/lists").count("Sekali saja")
    other = readers["near"].send("/lists/new", [*form, ("each_area", "1")])
    assert (409, True) == (other.status_code, "sudah pernah disimpan dengan pilihan lain" in other.text)
    key = re.search(r'name="key" value="([^"]+)"', other.text)[1]
    assert key not in dict(form).values()


def test_what_is_chosen_is_what_the_policy_says(readers, region):
    made = readers["all"].make(
        region=region, objective="by_age", pregnant="0.1", visits="30", each_area="1", budget_pupr="20.000.000"
    )
    told = readers["all"].client.get(f"/v1/worklists/{made.headers['location'].removeprefix('/lists/')}/plan").json()
    rules = told["policy"]

    assert ("by_age", [region], {"region": {"visits": None, "share": 0.04}, "area": {"visits": 1, "share": None}}) == (
        rules["objective"], rules["regions"], rules["floors"],
    )  # fmt: skip
    kept = rules["reserves"]
    assert (30.0, 0.1, 0.05) == (rules["capacity"]["amount"], kept["pregnant"], kept["exploration"])
    assert {"pupr": 20_000_000} == rules["budgets_idr"]
    assert "Putaran uji" == told["name"] == rules["name"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Perbaiki isian yang ditandai"),
        ({"name": "Ibu 3201010101010001"}, "Perbaiki isian yang ditandai"),
        ({"visits": "dua puluh"}, "Tulis bilangan bulat, sedikitnya 1."),
        ({"visits": "0"}, "Tulis bilangan bulat, sedikitnya 1."),
        ({"budget_dinkes": "1,5 juta"}, "Tulis rupiah tanpa sen"),
        ({"region": "none of them"}, "Pilih sedikitnya satu kecamatan."),
        ({"visits": "3", "each_area": "1"}, "Rencana dengan ketentuan ini tidak dapat dibuat."),
    ],
)
def test_a_wrong_form_comes_back_as_it_was_typed_with_what_to_do(readers, changes, said):
    before = readers["all"].page("/lists")
    answer = readers["all"].make(**changes)

    assert (422, True) == (answer.status_code, said in answer.text)
    for name, value in changes.items():
        if name in ("name", "budget_dinkes"):
            assert f'value="{value}"' in answer.text
    assert before == readers["all"].page("/lists")


def test_without_a_script_a_press_shows_what_the_choices_would_reach(readers):
    form = readers["all"].filled(do="look", visits="60", objective="prevent", name="Ibu Siti")
    led = readers["all"].send("/lists/new", form)
    page = led.text

    # A name stands in no address.
    assert (200, False) == (led.status_code, "location" in led.headers)
    assert 'value="Ibu Siti"' in page
    assert f'value="{dict(form)["key"]}"' in page
    assert re.search(r"60 kunjungan menjangkau sekitar [\d,]+ dari [\d,]+ perkiraan anak yang akan stunting", page)
    assert 'value="prevent" checked' in page
    assert all(way in page for way in ("KRS dulu", "Termiskin dulu", "Bagian sama tiap desa"))
    asked = httpx.QueryParams([(name, value) for name, value in form if name not in ("key", "do", "name")])
    fragment = readers["all"].page(f"/lists/new/preview?{asked}")
    assert "<html" not in fragment
    assert fragment.strip() in page


@pytest.mark.parametrize(("changes", "said"), [
    ({"visits": ""}, "Tulis jumlah kunjungan"), ({"visits": "-5"}, "Tulis jumlah kunjungan"),
    ({"region": "nowhere"}, "Pilih sedikitnya satu kecamatan."),
])  # fmt: skip
def test_of_a_choice_that_cannot_be_read_the_preview_tells_no_figure(readers, changes, said):
    page = readers["all"].make(do="look", **changes).text
    outcome = page[page.index('id="preview"') : page.index('id="name"')]

    assert said in outcome
    assert "menjangkau" not in outcome
    assert "<svg" not in outcome


def test_more_visits_than_households_are_said_to_be_left_over(readers):
    page = readers["all"].make(do="look", visits="5000", floor="0").text
    competing = int(re.search(r"([\d.]+) keluarga bersaing\.", page)[1].replace(".", ""))
    left = spoken("id", zone="Asia/Jakarta").whole(5000 - competing)
    assert f"Dari 5.000 kunjungan, {left} tidak terpakai: hanya {competing} keluarga bersaing." in page


@pytest.mark.parametrize(("name", "said"), [(" ", "Tulis nama daftar."), ("NIK 3201010101010001", "Nama ini belum")])
def test_why_a_name_is_refused_is_said_and_budgets_stay_closed(readers, name, said):
    answer = readers["all"].make(name=name)

    assert (422, True) == (answer.status_code, said in answer.text)
    assert "<details open" not in answer.text
    assert "<details open" in readers["all"].make(name=name, budget_pupr="banyak").text


def test_who_is_left_out_is_told_in_plain_words_by_desa_and_found_by_any_kecamatan(readers, scores):
    made = readers["all"].make(visits="3", floor="0", lots="0").headers["location"]
    page = readers["all"].page(f"{made}/left-out")
    regions = set(re.findall(r'<option value="([^"]+)"', page))

    assert "Kunjungan habis untuk keluarga dengan perkiraan lebih tinggi." in page
    assert "kapasitas putaran" not in page
    assert set(scores.region_id.dropna()) == regions
    region = max(regions)
    theirs = readers["all"].page(f"{made}/left-out?region={region}")
    homes = set(scores.household_id[scores.region_id == region])
    assert set(re.findall(r"/households/([^?\"]+)\?list", theirs[theirs.index("<table") :])) <= homes


def test_where_a_round_cannot_be_the_picture_keeps_its_key_and_points_at_no_dot(readers):
    few, some = (readers["all"].make(do="look", visits=visits).text for visits in ("2", "60"))

    assert (True, False) == ('class="curves"' in few, "Titik hitam" in few)
    assert (False, True) == ('class="curves"' in some, "Titik hitam" in some)


def test_a_preview_of_few_visits_says_how_many_the_floors_need(readers):
    page = readers["all"].make(do="look", visits="2").text
    assert "2 kunjungan belum cukup." in page
    assert re.search(r"meminta sedikitnya \d+ kunjungan", page)


def test_a_preview_is_near_what_the_plan_reaches(readers):
    page = readers["all"].make(do="look", lots="0").text
    reached = float(re.search(r"menjangkau sekitar ([\d,]+) dari", page)[1].replace(",", "."))
    made = readers["all"].make(lots="0").headers["location"].removeprefix("/lists/")
    plan = readers["all"].client.get(f"/v1/worklists/{made}/plan").json()

    assert plan["figures"]["reached"] == pytest.approx(reached, abs=0.11)


def test_the_lines_of_the_page_are_those_of_the_store(readers, plan):
    path, lines = plan
    expected = [(line["rank"], line["household_id"]) for line in lines]
    assert expected == readers["all"].lines(path)
    by_risk = sorted(lines, key=lambda line: (-line["risk"], line["rank"]))
    assert [line["household_id"] for line in by_risk] == [home for _, home in readers["all"].lines(path, sort="-risk")]


def test_totals_on_the_page_agree_with_the_store(readers, plan):
    path, lines = plan
    page = readers["all"].page(path)
    figures = re.findall(r"<dt>([^<]+)</dt><dd>([\d.,]+)", page)

    assert {
        "Keluarga di daftar": str(len(lines)),
        "Perkiraan anak stunting di dalamnya": f"{sum(line['value'] for line in lines):.1f}".replace(".", ","),
        "Risiko tinggi dan sangat tinggi": str(sum(line["risk"] >= 0.2 for line in lines)),
    } == dict(figures)
    for area_id, count in pd.Series([line["area_id"] for line in lines]).value_counts().items():
        assert re.search(rf'value="{re.escape(area_id)}">[^<]+ \({count}\)<', page)
        found = readers["all"].page(path, area=area_id)
        assert f"{count} keluarga cocok dari {len(lines)} di daftar." in found


def test_a_search_finds_households_by_a_part_of_their_identifier(readers, plan):
    path, lines = plan
    part = lines[3]["household_id"][4:12]
    expected = [line["household_id"] for line in lines if part in line["household_id"]]

    assert expected == [home for _, home in readers["all"].lines(path, q=part)]
    assert "Tidak ada keluarga yang cocok" in readers["all"].page(path, q="%%")


def test_a_line_shows_what_the_store_says_of_it(readers, plan):
    path, lines = plan
    line = lines[0]
    page = readers["all"].page(path)
    row = page[page.index(f"/households/{line['household_id']}?") :].split("</tr>")[0]

    assert f"?list={path.removeprefix('/lists/')}" in row
    assert f"<strong>{line['risk']:.0%}</strong>" in row
    assert "; ".join(line["reasons_id"].split("; ")[:2]) in html.unescape(row)
    assert line["area_name"] in row
    assert line["unmet_id"].split("; ")[0] in html.unescape(row)


def test_columns_are_chosen_and_stay_chosen(readers, plan):
    path, _ = plan
    page = readers["all"].page(path, column=["missing", "chosen"], sort="area")
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', page)

    assert ["Tandai", "No.", "ID keluarga", "Data belum tersedia", "Terpilih karena"] == [
        one for one in heads if one.strip() != ""
    ] or ["No.", "ID keluarga", "Data belum tersedia", "Terpilih karena"] == heads
    assert "column=missing&amp;column=chosen" in re.search(r'rel="next" href="([^"]+)"', page)[1]


@pytest.mark.parametrize("asked", [{"sort": "household_id"}, {"band": "huge"}, {"column": "nik"}, {"q": "x" * 101}])
def test_a_look_that_there_is_not_is_refused(readers, plan, asked):
    assert 422 == readers["all"].client.get(plan[0], params=asked).status_code


def test_who_is_in_danger_stands_above_every_page_of_a_list_and_is_not_ranked(readers, plan, kabupaten):
    path, _ = plan
    urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")
    for page in ("", "?sort=-risk&q=99", "/print", "/left-out"):
        text = readers["all"].page(path + page)
        assert f"{len(urgent)} anak atau ibu dirujuk sekarang juga" in text
        assert text.index("dirujuk sekarang juga") < text.index("<table")
    listed = readers["all"].page(f"{path}/urgent")
    assert all(str(home) in listed for home in urgent.household_id)
    scored = pd.read_parquet(kabupaten.folder / "data/scores/units.parquet").household_id
    led_to = {home for home in urgent.household_id if f'href="/households/{home}?' in listed}
    assert led_to == set(urgent.household_id) & set(scored)
    by_risk = readers["all"].client.post("/v1/worklists", json={"name": "Risiko saja", "capacity": 5}).json()
    assert f"{len(urgent)} anak atau ibu dirujuk sekarang juga" in readers["all"].page(f"/lists/{by_risk['id']}")


def test_several_households_are_given_to_somebody_at_once_and_taken_back(readers, plan):
    path, lines = plan
    homes = [line["household_id"] for line in lines[:3]]
    fields = [("to", "Kader Melati 2"), ("view", "sort=area&after=x"), *(("household", one) for one in homes)]
    given = readers["all"].assign(path, *fields, ("do", "give"))

    assert (303, f"{path}?sort=area&after=x&given=3#lines") == (given.status_code, given.headers["location"])
    page = readers["all"].page(path)
    mark = re.search(r'value="(\w+)">Kader Melati 2 \(3\)', page)[1]
    sifted = readers["all"].page(path, assigned=mark)
    assert not re.search(r'(href="|name="view" value=")[^"]*Melati', sifted)
    assert f"assigned={mark}" in sifted
    assert homes == [home for _, home in readers["all"].lines(path, assigned=mark)]
    assert [("all", path.removeprefix("/lists/"), sorted(homes))] == readers["all"].trail("assignment.make")[-1:]
    again = readers["all"].assign(path, *fields, ("do", "give"))
    assert "given=0" in again.headers["location"]
    back = readers["all"].assign(path, ("do", "back"), ("household", homes[0]))
    assert (303, homes[1:]) == (
        back.status_code, [home for _, home in readers["all"].lines(path, assigned=mark)],
    )  # fmt: skip
    assert len(lines) - 2 == len(readers["all"].lines(path, assigned="-"))


def test_an_assignment_that_lacks_something_comes_back_with_what_was_marked(readers, plan):
    path, lines = plan
    home = lines[1]["household_id"]
    nobody = readers["all"].assign(path, ("to", "Kader"), ("do", "give"))
    nik = readers["all"].assign(path, ("to", "3201010101010001"), ("household", home), ("do", "give"))

    assert (422, True) == (nobody.status_code, "Belum ada keluarga yang ditandai." in nobody.text)
    assert (422, True) == (nik.status_code, "tanpa NIK atau nomor KK" in nik.text)
    assert re.search(rf'value="{home}"[^>]* checked', nik.text)
    assert 404 == readers["all"].assign(path, ("to", "Kader"), ("household", "bukan-dia")).status_code


def test_an_old_form_does_not_overrule_who_was_given_households_meanwhile(readers, plan):
    path, lines = plan
    one, two, three = sorted(line["household_id"] for line in lines[6:9])
    mine, others = readers["all"], readers["siti"]
    given = mine.assign(path, ("to", "Kader <Satu>"), ("household", three), ("do", "give"))
    old = [("seen", seen_on(mine.page(path))), ("to", "Kader <Satu>"), ("view", "assigned=-"), ("do", "give")]
    token = re.search(r'name="csrf_token" value="([^"]+)"', others.page(path))[1]
    for fields in ([("to", "Kader Dua"), ("do", "give"), ("household", one)], [("do", "back"), ("household", three)]):
        assert 303 == others.assign(path, ("csrf_token", token), *fields).status_code
    homes = [("household", home) for home in (one, two, three)]
    refused, nameless = mine.send(f"{path}/assign", [*old, *homes]), mine.send(f"{path}/assign", [*old[1:], *homes])

    assert (303, 409, 409) == (given.status_code, refused.status_code, nameless.status_code)
    words = html.unescape(re.search(r'role="alert">([^<]*petugas mereka sudah diganti[^<]*)<', refused.text)[1])
    assert f"belum ada petugas ({three}); Kader Dua ({one})" in words
    # One press more is enough, wherever in the list they stand.
    assert {one, two, three} == set(re.findall(r'name="household" value="([^"]+)"[^>]* checked', refused.text))
    assert 'value="Kader &lt;Satu&gt;"' in refused.text
    assert "Kader Dua" in mine.page(path, q=one)
    fresh = [("seen", seen_on(refused.text)), *old[1:]]
    assert 303 == mine.send(f"{path}/assign", [*fresh, *homes]).status_code
    assert "&gt; (3)" in mine.page(path)
    english = mine.client.post(
        f"{path}/assign", content=str(httpx.QueryParams([*old, ("to", "Kader Lain"), *homes])).encode(),
        headers={"content-type": "application/x-www-form-urlencoded", "cookie": "tepat_language=en"},
    )  # fmt: skip
    assert (409, True) == (english.status_code, "Nothing has been changed yet." in english.text)


def test_an_auditor_reads_a_list_and_is_offered_nothing_to_change_it(readers, plan):
    page = readers["auditor"].page(plan[0])
    assert not re.search(r'action="[^"]*/assign"|/export\?|type="checkbox" form=', page)
    assert 403 == readers["auditor"].send(f"{plan[0]}/assign", [("to", "Kader")]).status_code
    assert 403 == readers["auditor"].client.get("/lists/new").status_code


def test_the_way_to_sign_in_keeps_nothing_that_was_typed(readers):
    typed = {"q": "Siti", "assigned": "Kader", "name": "Budi", "region": "99.01", "sort": "-risk"}
    led = httpx.get(f"{readers['all'].client.base_url}/lists", params=typed, headers=HTML)

    assert (303, "/sign-in?next=%2Flists%3Fregion%3D99.01%26sort%3D-risk") == (led.status_code, led.headers["location"])


def test_a_visit_is_told_where_the_household_lies_in_ones_regions_and_a_failed_read_is_not_kept(
    kabupaten, region, monkeypatch
):
    monkeypatch.chdir(kabupaten.folder)
    scores, register = Published().scores(), pd.read_parquet
    known = register(scores.settings.paths.interim / "contact.parquet").query("kind == 'visited'").household_id
    homes = sorted(set(known) & set(scores.units.index))
    near = set(scores.units.index[scores.units.region_id == region])
    with monkeypatch.context() as broken:
        broken.setattr(pd, "read_parquet", unreadable)
        assert {} == last_visits(scores, homes, scope=EVERYWHERE)

    assert set(homes) == last_visits(scores, homes, scope=EVERYWHERE).keys()
    theirs = last_visits(scores, homes, scope=Scope(regions=frozenset({region}))).keys()
    assert (near & set(homes)) == theirs < set(homes)


def test_what_was_read_while_the_scores_were_replaced_is_not_kept(kabupaten, monkeypatch):
    monkeypatch.chdir(kabupaten.folder)
    scores = Published().scores()
    asked = iter([scores.stamp, "another run"])
    with monkeypatch.context() as replaced:
        replaced.setattr(published, "whole", lambda _: next(asked))
        with pytest.raises(NothingScored, match="writing new scores"):
            homes_for(scores, "find")

    assert [] == list(asked)
    assert len(homes_for(scores, "find").names)


class Replaced:
    """Scores that the pipeline has just replaced."""

    @property
    def areas(self):
        raise NothingScored("The pipeline is writing new scores.")


def test_a_list_names_its_regions_by_their_codes_while_the_scores_are_replaced():
    place = Place(region_id="32.11.01", area_id="32.11.01.2001", area_name="Wado", lines=3)
    made = Totals(lines=3, expected=1.0, places=(place,), bands={}, unmet={}, cuts={})

    assert {"32.11.01": "32.11.01"} == regions_of(made, scores=Replaced())


def unreadable(*_, **__):
    raise OSError("the pipeline is writing it")


@pytest.mark.parametrize("decimals", [0, 1])
def test_a_risk_is_never_written_with_a_number_of_another_class_than_its_word(decimals):
    said = spoken("id", zone="Asia/Jakarta")
    for risk in [*np.linspace(0, 1, 20_001), *(np.nextafter(edge, 0) for edge in (0.1, 0.2, 0.3))]:
        written = said.percent(*as_shown(float(risk), decimals))
        assert band_of(round(float(written.rstrip("%").replace(",", ".")) / 100, 3)) == band_of(float(risk)), risk


def test_who_may_not_see_decisions_sees_neither_these_nor_who_visits(readers, plan):
    path, lines = plan
    home = lines[4]["household_id"]
    readers["all"].assign(path, ("to", "Kader Rahasia"), ("household", home), ("do", "give"))
    told = {"worklist_id": path.removeprefix("/lists/"), "household_id": home, "kind": "override",
            "decided_by": "kepala", "reason": "sebab rahasia"}  # fmt: skip
    assert readers["all"].client.post("/v1/decisions", json=told).is_success
    pages = [path, f"{path}?column=assigned&column=decision", f"{path}/print", f"/households/{home}"]

    assert "Kader Rahasia" in readers["auditor"].page(path)
    assert "sebab rahasia" in readers["auditor"].page(f"/households/{home}")
    for page in pages:
        seen = readers["program"].page(page)
        assert not re.search(r"rahasia|Kader (Rahasia|Melati)|>\s*(Petugas|Keputusan|Putusan)\s*<", seen), page
    assert len(lines) == len(readers["program"].lines(path, assigned="-"))


def test_a_form_of_a_session_without_its_token_changes_nothing(readers, plan):
    siti, cookie = readers["siti"], {"X-CSRF-Token": ""}
    home, seen = plan[1][0]["household_id"], seen_on(siti.page(plan[0]))
    body = str(httpx.QueryParams([("to", "Kader"), ("household", home), ("do", "give"), ("seen", seen)])).encode()
    form = {"content-type": "application/x-www-form-urlencoded"} | cookie
    assert 403 == siti.client.post(f"{plan[0]}/assign", content=body, headers=form).status_code
    token = re.search(r'name="csrf_token" value="([^"]+)"', siti.page(plan[0]))[1]
    body += f"&csrf_token={token}".encode()
    assert 303 == siti.client.post(f"{plan[0]}/assign", content=body, headers=form).status_code


def test_a_look_at_a_page_stands_in_the_trail_with_whom_it_showed(readers, plan):
    path = plan[0]
    page = readers["all"].page(path)
    shown = [home_of(link) for _, link in ROW.findall(page)]
    who, list_id, homes = readers["all"].trail("list.see")[-1]

    assert ("all", path.removeprefix("/lists/")) == (who, list_id)
    assert shown == homes[: len(shown)]
    assert 3 == len(re.findall(r"<li><a href=\"/households/", page))
    assert set(homes[len(shown) :]) <= {home_of(one) for one in re.findall(r'<li><a href="([^"]+)', page)}


def test_paper_has_letterhead_signatures_and_a_sheet_for_each_desa(readers, plan):
    path, lines = plan
    page = readers["all"].page(f"{path}/print", sort="area")
    desa = {line["area_id"] for line in lines}

    assert len(desa) == page.count('<section class="sheet">') == page.count("Dinas Kesehatan")
    assert len(desa) == page.count("Disusun oleh")
    assert len(lines) == page.count('<td class="sign">')
    assert 1 == readers["all"].page(f"{path}/print").count('<section class="sheet">')


def test_paper_has_all_who_are_to_be_referred_and_leads_nowhere_else(readers, plan):
    path, _ = plan
    urgent = readers["all"].client.get(f"/v1/worklists/{path.removeprefix('/lists/')}/urgent").json()["urgent"]
    page = readers["all"].page(f"{path}/print")
    box = page.split('<section class="urgent"')[1].split("</section>")[0]

    assert 3 < len(urgent) == box.count("<li>")
    assert "/urgent" not in box
    assert all(one["why_id"] in html.unescape(box) for one in urgent)


def exported(reader, page, kind):
    link = html.unescape(re.search(rf'href="(/v1/worklists/[^"]+format={kind}[^"]*)"', page)[1])
    return reader.client.get(link)


def test_exports_hold_the_columns_of_the_page_and_the_desa_that_was_chosen(readers, plan):
    path, lines = plan
    area = lines[0]["area_id"]
    expected = [line["household_id"] for line in lines if line["area_id"] == area]
    page = readers["all"].page(path, area=area, column="risk")
    sheet = openpyxl.load_workbook(io.BytesIO(exported(readers["all"], page, "xlsx").content))["Prioritas"]

    rows = list(sheet.values)
    assert (
        "Urutan",
        "ID keluarga",
        "Risiko dasar urutan",
        "Tingkat risiko",
        "Batas bawah risiko",
        "Batas atas risiko",
    ) == rows[0]
    assert expected == [row[1] for row in rows[1:]]


def test_exports_hold_the_lines_that_are_sought_in_the_order_of_the_page(readers, plan, tmp_path):
    path, lines = plan
    homes = [line["household_id"] for line in lines[1:6:2]]
    readers["all"].assign(path, ("to", "Kader Ekspor"), *(("household", home) for home in homes), ("do", "give"))
    page = readers["all"].page(path, assigned="Kader Ekspor", sort="-rank")
    shown = [home for _, home in readers["all"].lines(path, assigned="Kader Ekspor", sort="-rank")]
    book = openpyxl.load_workbook(io.BytesIO(exported(readers["all"], page, "xlsx").content))
    paper = "".join(pages_of(exported(readers["all"], page, "pdf").content, tmp_path))

    assert homes[::-1] == shown == [row[1] for row in list(book["Prioritas"].values)[1:]]
    sought = "petugas: Kader Ekspor; urut menurut: urutan kunjungan, dari belakang"
    assert sought in dict(book["Keterangan"].values).values()
    assert f"({sought})" in paper
    head, *rows = book["Prioritas"].iter_rows(values_only=True)
    assert {"Kader Ekspor"} == {row[head.index("Petugas")] for row in rows}
    assert len(homes) < paper.count("Kader Ekspor")
    assert "Kader" not in re.search(r'href="(/v1/worklists/[^"]+format=xlsx[^"]*)"', page)[1]


def pages_of(paper: bytes, folder) -> list[str]:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (folder / "list.pdf").write_bytes(paper)
    done = subprocess.run(["pdftotext", "-layout", folder / "list.pdf", "-"], capture_output=True, check=True)  # noqa: S603, S607 (found above)
    return done.stdout.decode().split("\f")[:-1]


def test_a_pdf_has_pages_for_each_desa_or_stands_in_one_order(readers, plan, tmp_path):
    path, lines = plan
    address = f"/v1/worklists/{path.removeprefix('/lists/')}/export?format=pdf&by="
    by_area, by_rank = (pages_of(readers["all"].client.get(address + by).content, tmp_path) for by in ("area", "rank"))

    assert len({line["area_id"] for line in lines}) == sum("Disusun oleh" in page for page in by_area)
    assert 1 == sum("Disusun oleh" in page for page in by_rank)
    assert f"Semua desa: {len(lines)} keluarga" in by_rank[1]


def test_who_may_look_in_one_region_sees_nothing_of_another(readers, plan, region, kabupaten):
    """In page, order, filter, search, paper, export, totals, preview and addresses."""
    path, lines = plan
    near, list_id = readers["near"], path.removeprefix("/lists/")
    units = pd.read_parquet(kabupaten.folder / "data/scores/units.parquet")
    areas = pd.read_parquet(kabupaten.folder / "data/interim/area.parquet")
    far = units[units.region_id != region]
    elsewhere = areas[areas.region_id != region]
    hidden = {*far.household_id, *elsewhere.area_id, *elsewhere.region_id, *elsewhere.area_name, *elsewhere.region_name}
    ours = [line["household_id"] for line in lines if line["region_id"] == region]
    theirs = next(line for line in lines if line["region_id"] != region)
    readers["all"].assign(path, ("to", "Kader Jauh"), ("household", theirs["household_id"]), ("do", "give"))
    asked = [
        "", "?sort=-risk", "?sort=area", "?sort=-freshest", f"?q={theirs['household_id']}", "?q=99", "?band=high",
        f"?region={theirs['region_id']}", f"?area={theirs['area_id']}", "?assigned=Kader+Jauh", "/print", "/urgent",
        "/left-out", f"/left-out?region={theirs['region_id']}",
    ]  # fmt: skip
    pages = {more: near.page(path + more) for more in asked}
    pages |= {more: near.page(more) for more in ("/lists", "/lists/new", "/lists/new/preview?visits=9&objective=find")}
    for more, text in pages.items():
        # What was asked for stands in the boxes, and in addresses that ask for it again.
        typed = {one for one in (theirs["household_id"], theirs["region_id"], theirs["area_id"]) if one in more}
        told = re.sub(r'value="[^"]*"|href="[^"]*"', "", text) if typed else text
        assert [] == [one for one in hidden if re.search(rf"\b{re.escape(str(one))}\b", told)]
    assert "Kader Jauh" not in pages[""]
    assert ours == [home for _, home in near.lines(path)]
    assert list(range(1, len(ours) + 1)) == [rank for rank, _ in near.lines(path)]
    assert f">{len(ours)}<" in pages[""].split("Keluarga di daftar</dt><dd")[1][:40]
    assert f"{len(lines)}" not in re.findall(r"<dd>([\d.,]+)", pages[""])
    for address in (f"?after={theirs['household_id']}", f"?before={theirs['household_id']}"):
        assert 404 == near.client.get(path + address).status_code
    assert 404 == near.assign(path, ("to", "Kader"), ("household", theirs["household_id"])).status_code
    csv = near.client.get(f"/v1/worklists/{list_id}/export?format=csv&area={theirs['area_id']}").text
    assert 1 == len(csv.strip().splitlines())


def test_a_preview_counts_ones_own_regions_alone(readers, region, scores):
    page = readers["near"].page("/lists/new")
    competing = int(re.search(r"([\d.]+) keluarga bersaing", page)[1])
    whole = int(re.search(r"([\d.]+) keluarga bersaing", readers["all"].page("/lists/new"))[1])

    assert 0 < competing <= scores[scores.region_id == region].household_id.nunique() < whole
    forged = readers["near"].page("/lists/new/preview?visits=9&objective=find&region=" + scores.region_id.max())
    assert "Pilih sedikitnya satu kecamatan." in forged
    assert "bersaing" not in forged


def test_a_list_of_others_is_answered_as_none(readers):
    made = readers["far"].make(visits="3", floor="0", lots="0").headers["location"]
    for page in ("", "/urgent", "/left-out", "/print"):
        hidden, none = (readers["near"].client.get(one + page) for one in (made, "/lists/" + "0" * 32))
        blank = re.compile(r"Nomor permintaan: \w+|next=[^\"]*")
        assert (404, blank.sub("", none.text)) == (hidden.status_code, blank.sub("", hidden.text))
    assert made.removeprefix("/lists/") not in readers["near"].page("/lists")


def test_choices_that_nobody_made_are_those_of_the_default_policy():
    chosen = usual_choices()
    read = choices_of(
        {"objective": "find", "floor": "0.04", "pregnant": "0", "lots": "0.05", "visits": "1.200"}, ["a"], known=["a"]
    )
    assert (chosen.objective, chosen.floor, chosen.lots, chosen.each_area) == (
        read.objective, read.floor, read.lots, read.each_area,
    )  # fmt: skip
    assert (1200, None, frozenset()) == (read.visits, read.regions, read.wrong)


@pytest.fixture
def watched(browser, readers):
    """A browser in which siti is signed in."""
    opened = Watched(browser, str(readers["siti"].client.base_url).rstrip("/"), size=PHONE)
    opened.sign_in("siti", OWN)
    yield opened
    assert [] == opened.faults
    opened.context.close()


def test_a_choice_is_seen_at_once_and_a_press_leads_to_the_list(watched, readers):
    assert 200 == watched.open("/lists/new")
    watched.page.fill("#visits", "51")
    watched.page.locator(".said", has_text="51 kunjungan menjangkau").wait_for()
    watched.page.check("input[value=prevent]")
    watched.page.locator(".said", has_text="pada umur 24 bulan").wait_for()
    assert "51" == watched.page.input_value("#slider")
    # What was opened stays open, and the keyboard where it was.
    watched.page.click("#preview summary >> nth=0")
    watched.page.evaluate("document.getElementById('visits').value = 52")
    watched.page.evaluate("document.getElementById('visits').dispatchEvent(new Event('input', {bubbles: true}))")
    watched.page.locator(".said", has_text="52 kunjungan menjangkau").wait_for()
    kept = "one => one.open && one.firstElementChild === document.activeElement"
    assert watched.page.locator("#preview details").first.evaluate(kept)
    watched.page.fill("#visits", "51")
    watched.page.locator(".said", has_text="51 kunjungan menjangkau").wait_for()
    assert 0 >= watched.sideways()
    watched.page.fill("#name", "Dari ponsel")
    watched.follow("button[value=save]")
    assert "Dari ponsel" in watched.page.inner_text("h1")
    assert 0 >= watched.sideways()
    # It is the one that was previewed: another key would have made another.
    told = readers["siti"].client.get(f"/v1/worklists/{watched.page.url.rsplit('/', 1)[1]}/plan").json()
    assert ("prevent", 51.0) == (told["policy"]["objective"], told["policy"]["capacity"]["amount"])
