"""A list on a phone, in a real service: what a visit brings back, with a line and without one."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import InputRefused
from features.growth import growth
from serving.access.roles import Act
from serving.access.scope import Scope
from serving.cli import app
from serving.household_page import Facts, not_registered
from serving.measuring import Child
from serving.pages.entering import Form
from serving.pages.field_form import today_of, typed_visit
from serving.pages.language import spoken
from serving.register_rows import Row
from serving.trail import entry
from targeting.urgent import UrgentLimits
from tests.project import copy_of
from tests.serving.conftest import Server
from tests.serving.known import person
from tests.serving.test_page_household import Reader, made_list
from tests.serving.watching import PHONE, Watched

pytestmark = pytest.mark.xdist_group("pages")
COPY = """async ([user, days]) => {
  await caches.open('tepat-field');
  localStorage.setItem('tepat-field-copied', 'kemarin');
  localStorage.setItem('tepat-field-owner', JSON.stringify({ user, at: Date.now() - days * 24 * 3600 * 1000 }));
}"""
# Where it is always another day than in UTC: tomorrow or yesterday.
ZONE = "Pacific/Kiritimati" if dt.datetime.now(tz=dt.UTC).hour >= 10 else "Etc/GMT+12"
THERE, DAY = spoken("id", zone=ZONE), dt.timedelta(days=1)


@pytest.fixture(scope="module")
def region(scores):
    return scores[scores.region_id.notna()].region_id.min()


@pytest.fixture(scope="module")
def urgent(kabupaten):
    return pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")


@pytest.fixture(scope="module")
def danger(urgent):
    """The region in which most are to be referred at once."""
    return urgent.region_id.mode()[0]


class Desk:
    """The service, who may look where, and the file of its store."""

    def __init__(self, running: Server, file: str, readers: dict[str, Reader]) -> None:
        self.running, self.file, self.readers = running, file, readers
        self.listed = made_list(readers["all"], "Triwulan 1")

    def other(self, child):
        """A household of the kader's beside that of a child."""
        homes = homes_on(self.readers["kader"].page(f"/field/{self.listed}"), self.listed)
        return next(home for home in homes if home != child["household_id"])

    def give(self, listed, to, homes):
        """By the form of the planner's page."""
        reader, path = self.readers["all"], f"/lists/{listed}"
        form = reader.page(path).split('id="assign"')[1]
        hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', form)[1] for name in ("csrf_token", "seen")}
        told = hidden | {"to": to, "do": "give", "household": homes}
        assert 303 == reader.client.post(f"{path}/assign", data=told, headers=reader.said).status_code

    def rows(self, asked, *more):
        with closing(sqlite3.connect(self.file)) as store:
            return store.execute(asked, more).fetchall()


@pytest.fixture(scope="module")
def child(scores, region):
    """A child of the region, 500 days old on the day of the visit, which is today; see `district`."""
    near = scores[(scores.region_id == region) & (scores.unit_kind == "child") & (scores.age_months < 12)].iloc[0]
    day = today_of(THERE.zone)
    ids = {"child_id": near.unit_id, "household_id": near.household_id}
    return ids | {"day": day.isoformat(), "born": day - 500 * DAY}


@pytest.fixture(scope="module")
def district(kabupaten, child, tmp_path_factory):
    """The kabupaten with the child born so long ago: the registers end on a day, and children grow out of measuring."""
    made = copy_of(kabupaten, tmp_path_factory.mktemp("district"))
    path = made.folder / "data/interim/child.parquet"
    known = pd.read_parquet(path)
    theirs = known.child_id == child["child_id"]
    child["sex"] = known[theirs].sort_values("recorded_on").sex.iloc[-1]
    known.loc[theirs, "birth_date"] = pd.Timestamp(child["born"])
    known.to_parquet(path)
    return made


@pytest.fixture(scope="module")
def desk(district, region, danger, tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    url = f"sqlite:///{folder}/tepat.db"
    closed = {"TEPAT_DATABASE": url, "TEPAT_ACCESS": "closed", "TEPAT_FOLDER": str(folder)}
    running = Server(district.folder, **closed, TEPAT_TIME_ZONE=ZONE)
    near = Scope(regions=frozenset({region}))
    readers = {
        "kader": Reader(running, person(url, running, "kader", roles=["puskesmas"], scope=near)),
        "all": Reader(running, person(url, running, "all", roles=["planner"])),
        "endangered": Reader(
            running, person(url, running, "endangered", roles=["puskesmas"], scope=Scope(regions=frozenset({danger})))
        ),
        "officer": Reader(running, person(url, running, "officer", roles=["data_officer"])),
        "near": Reader(running, person(url, running, "near", roles=["data_officer"], scope=near)),
        "auditor": Reader(running, person(url, running, "auditor", roles=["auditor"])),
    }
    yield Desk(running, f"{folder}/tepat.db", readers)
    running.stop()


def path_of(desk, home):
    return f"/field/{desk.listed}/{quote(home, safe='')}"


def visit(desk, child, **more):
    """A form of the page, sent."""
    reader, path = desk.readers["kader"], path_of(desk, more.pop("home", child["household_id"]))
    page = reader.page(path)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.split("data-visit")[1]))
    told = {unescape(name): value for name, value in hidden.items()} | {"visited_on": child["day"], "outcome": "met"}
    accept = more.pop("accept", "text/html")
    return reader.client.post(path, data=told | more, headers=reader.said | {"Accept": accept})


def size(child, **facts):
    return {f"{name}:{child['child_id']}": str(value).replace(".", ",") for name, value in facts.items()}


def homes_on(page, listed):
    """Households of the list that a page leads to, in its order."""
    return led_to(page.split("data-households")[1], listed)


def led_to(part, listed):
    """Households to which a part of a page leads."""
    return [unquote(home) for home in re.findall(rf'href="/field/{listed}/([^"?]+)["?]', part)]


def test_lists_are_small_pages_with_the_households_of_ones_own_regions(desk, scores, region):
    kader = desk.readers["kader"]
    doors, listed = kader.page("/field"), kader.page(f"/field/{desk.listed}")
    homes = homes_on(listed, desk.listed)
    next_page = kader.page(f"/field/{desk.listed}?after={homes[-1]}")

    assert f"/field/{desk.listed}" in doors
    assert homes
    assert set(homes) <= set(scores[scores.region_id == region].household_id)
    assert 30_000 > max(len(page.encode()) for page in (doors, listed, kader.page(path_of(desk, homes[0]))))
    assert set(homes).isdisjoint(homes_on(next_page, desk.listed))
    assert 404 == kader.get(f"/field/{desk.listed}?after=tidak-ada").status_code


def referred(page, listed):
    """Whom a page of the list tells to refer at once, and the households of them that it leads to."""
    found = re.search(r"<ul[^>]*data-beside>(.*?)</ul>", page, re.DOTALL)
    told = re.findall(r"<strong>(\w+)</strong>", found[1]) if found else []
    return told, led_to(found[1], listed) if found else []


def test_who_is_to_be_referred_stands_above_the_list_in_ones_regions_and_may_be_visited(desk, urgent, danger, scores):
    near, far = urgent[urgent.region_id == danger], urgent[urgent.region_id != danger]
    reader, path = desk.readers["endangered"], f"/field/{desk.listed}"
    page = reader.page(path)
    narrowed = reader.page(f"{path}?area={near.area_id.iloc[0]}")
    elsewhere = reader.page(f"{path}?area={scores[scores.region_id == danger].area_id.max()}x")
    told, open_to = referred(page, desk.listed)

    assert sorted(near.household_id) == sorted(told)
    assert set(near.household_id) & set(scores.household_id) == set(open_to)
    assert page.index(f"Rujuk segera: {len(near)} anak atau ibu") < page.index("data-households")
    there = near[near.area_id == near.area_id.iloc[0]]
    assert sorted(there.household_id) == sorted(referred(narrowed, desk.listed)[0])
    assert ([], []) == referred(elsewhere, desk.listed)
    assert "tidak ada yang tercatat perlu dirujuk segera" in elsewhere
    assert [] == [home for home in far.household_id if home in page]
    noted = desk.rows("SELECT households FROM trail WHERE who = 'endangered' AND act = 'list.see' ORDER BY number")
    assert set(told) <= set(json.loads(noted[0][0]))
    home = next(one for one in open_to if one not in homes_on(page, desk.listed))
    assert "Rujuk segera" in reader.page(path_of(desk, home))
    assert 404 == desk.readers["kader"].get(path_of(desk, home)).status_code
    assert 404 == reader.get(path_of(desk, next(one for one in far.household_id))).status_code


class Shared:
    """A list of which some households are given to somebody: household, region and area of each, by rank."""

    def __init__(self, desk, region) -> None:
        self.id = made_list(desk.readers["all"], "Triwulan 2")
        asked = "SELECT household_id, region_id, area_id FROM worklist_line WHERE worklist_id = ? ORDER BY rank"
        self.all = desk.rows(asked, self.id)
        self.near, self.far = ([row for row in self.all if (row[1] == region) is inside] for inside in (True, False))
        self.mine = self.near[:6:2]
        self.melati = [row for row in self.all if row in (*self.near[1:6:2], *self.far[:40])]
        for to, given in (("kader", self.mine), ("Kader Melati", self.melati), ("Kader Jauh", self.far[40:42])):
            desk.give(self.id, to, [home for home, *_ in given])

    def path(self, **asked):
        return f"/field/{self.id}?{urlencode(asked)}" if asked else f"/field/{self.id}"

    def mark(self, page, name):
        """What stands in an address for a team."""
        return re.search(rf'value="([^"]*)"[^>]*>{name} \(', page)[1]

    def walked(self, reader, path):
        """Households on all pages, by the links that lead on."""
        found = []
        while path:
            page = reader.page(path)
            found += homes_on(page, self.id)
            path = unescape((re.findall(r'rel="next" href="([^"]+)"', page) or [""])[0])
        return found


@pytest.fixture(scope="module")
def shared(desk, region):
    return Shared(desk, region)


def homes_of(rows, area=None):
    return [home for home, _, of in rows if area in (None, of)]


def told_on(page):
    """In which words a page says what it is narrowed to."""
    return " ".join(re.sub("<[^>]+>", "", re.search(r"data-told>(.*?)</p>", page)[1]).split())


def test_a_list_opens_on_the_households_that_are_given_to_the_reader_and_all_are_one_press_away(desk, shared):
    kader, planner = desk.readers["kader"], desk.readers["all"]
    opened = kader.page(shared.path())
    every = unescape(re.search(rf'href="(/field/{shared.id}[^"]*)">Semua keluarga', opened)[1])
    back = re.search(rf'href="(/field/{shared.id}[^"]*)">Keluarga saya \(3\)', kader.page(every))[1]

    assert homes_of(shared.mine) == homes_on(opened, shared.id) == homes_on(kader.page(back), shared.id)
    assert f"3 dari {len(shared.near)} keluarga: petugas: kader" == told_on(opened)
    assert homes_of(shared.near) == shared.walked(kader, every)
    assert f"{len(shared.near)} keluarga: seluruh daftar." == told_on(kader.page(every))
    assert f"3 of {len(shared.near)} households: visitor: kader" == told_on(kader.get(shared.path(), "en").text)
    # Nothing is given to who reads here, so theirs is the whole list.
    assert homes_of(shared.all) == shared.walked(planner, shared.path())


def test_a_list_is_narrowed_to_a_team_and_a_desa_on_every_page_of_it(desk, shared):
    planner, kader = desk.readers["all"], desk.readers["kader"]
    page = planner.page(shared.path())
    melati, area = shared.mark(page, "Kader Melati"), shared.melati[0][2]
    nobodys = [row for row in shared.near if row not in (*shared.mine, *shared.melati)]

    assert homes_of(shared.melati) == shared.walked(planner, shared.path(assigned=melati))
    assert homes_of(shared.melati, area) == shared.walked(planner, shared.path(assigned=melati, area=area))
    assert homes_of(nobodys) == shared.walked(kader, shared.path(assigned="-"))
    assert homes_of(shared.near, area) == shared.walked(kader, shared.path(assigned="", area=area))
    assert homes_of(shared.mine, area) == shared.walked(kader, shared.path(area=area))
    assert "petugas: tidak ada lagi" in told_on(planner.page(shared.path(assigned="0" * 16)))
    assert "Kader Melati" not in shared.path(assigned=melati) + "".join(re.findall(r'href="[^"]*"', page))
    assert 422 == planner.get(shared.path(area="x" * 101)).status_code


def test_no_team_and_no_desa_of_elsewhere_is_offered_or_shown(desk, shared, kabupaten, region):
    kader = desk.readers["kader"]
    areas = pd.read_parquet(kabupaten.folder / "data/interim/area.parquet")
    elsewhere = areas[areas.region_id != region]
    hidden = {*elsewhere.area_id, *elsewhere.area_name, *elsewhere.region_id, "Kader Jauh", *homes_of(shared.far)}
    typed = shared.path(assigned="Kader Jauh"), shared.path(area=shared.far[0][2], assigned="")
    pages = [kader.page(path) for path in (shared.path(), shared.path(assigned=""))]
    offered = dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', pages[0]))

    assert {"kader (3)", "Kader Melati (3)", "belum ada petugas"} < set(offered.values())
    assert {area for _, _, area in shared.near} == {one for one in offered if one.startswith(region)}
    for page in pages:
        assert [] == [one for one in hidden if re.search(rf"\b{re.escape(str(one))}\b", page)]
    assert [[], []] == [homes_on(kader.page(path), shared.id) for path in typed]
    assert 404 == kader.get(shared.path(assigned="", after=shared.far[0][0])).status_code


def test_whoever_comes_back_from_a_visit_finds_the_list_narrowed_as_before(desk, shared):
    kader, asked = desk.readers["kader"], {"area": shared.near[1][2], "assigned": ""}
    [home, *_] = re.findall(rf'href="(/field/{shared.id}/[^"]+)"', kader.page(shared.path(**asked)))
    page = kader.page(unescape(home))
    form = page.split("data-visit")[1]
    hidden = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}
    told = hidden | {"visited_on": today_of(THERE.zone).isoformat(), "outcome": "not_home", "do": "save"}
    saved = kader.client.post(unescape(home).split("?")[0], data=told, headers=kader.said)

    assert 303 == saved.status_code
    for one in (page, kader.page(saved.headers["location"])):
        assert asked == dict(parse_qsl(unescape(re.search(rf'href="/field/{shared.id}\?([^"]+)"', one)[1]), True))


def test_a_household_of_another_region_is_not_there_and_who_may_not_visit_is_refused(desk, scores, region, child):
    far = scores[scores.region_id != region].household_id.dropna().iloc[0]
    kader, auditor = desk.readers["kader"], desk.readers["auditor"]

    assert [404, 404] == [kader.get(path_of(desk, home)).status_code for home in (far, "tidak-ada")]
    assert [403, 403] == [auditor.get(one).status_code for one in ("/field", path_of(desk, child["household_id"]))]


def test_scores_come_at_once_as_who_makes_them_and_are_not_kept_by_computing(desk, child):
    before = desk.rows("SELECT count(*) FROM visit")
    answer = visit(desk, child, do="check", **size(child, weight_kg=9.5, height_cm=76.5, position="l"))
    row = {"sex": child["sex"], "age": 500, "weight": 9.5, "lenhei": 76.5, "measure": "l"}
    made = growth(pd.DataFrame([row])).iloc[0]

    assert 200 == answer.status_code
    told = dict(re.findall(r'data-score="(\w+)">([^ ]+) SD', answer.text))
    assert {"haz": made.zlen, "waz": made.zwei, "whz": made.zwfl} == {
        name: float(z.replace(",", ".")) for name, z in told.items()
    }
    assert before == desk.rows("SELECT count(*) FROM visit")
    assert child["born"].isoformat() not in answer.text


def test_what_is_implausible_is_kept_only_when_it_was_measured_twice(desk, child):
    silly = size(child, weight_kg=9.5, height_cm=112, position="l")
    first, sure = visit(desk, child, do="save", **silly), visit(desk, child, do="save", sure="1", **silly)

    assert (422, 303) == (first.status_code, sure.status_code)
    assert 'data-again="haz"' in first.text
    assert 'value="112"' in first.text


def test_a_child_in_danger_is_to_be_referred_at_once(desk, child):
    kader = desk.readers["kader"]
    checked = visit(desk, child, do="check", **size(child, muac_cm=11.2))
    kept = visit(desk, child, do="save", **size(child, muac_cm=11.2))
    after = kader.page(kept.headers["location"])

    for page in (checked.text, after):
        urgent = re.search(r'<section class="urgent" role="alert">.*?</section>', page, re.DOTALL)[0]
        assert "Rujuk segera" in urgent
        assert f"{child['child_id']}: LiLA" in urgent
    assert page.index("Rujuk segera") < page.index('<form method="post" class="stack"')


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"outcome": ""}, "Pilih hasil kunjungan."),
        ({"visited_on": ""}, "Isi hari kunjungan."),
        ({"visited_on": "2999-01-01"}, "Hari kunjungan belum tiba."),
        ({"outcome": "not_home", "given": "pmt_balita"}, "Layanan dan pengukuran hanya"),
        ({"weight": "95"}, "isi angka dari 0,9 sampai 45,0"),
        ({"weight": "banyak"}, "isi angka dari 0,9 sampai 45,0"),
        ({"note": "NIK 3201010101010001"}, "nomor 16 angka"),
        ({"note": "a" * 1001}, "Catatan paling panjang 1.000 huruf."),
        ({"visited_on": "2001-01-01"}, "lebih dari 365 hari yang lalu"),
        ({"given": "tidak-ada"}, "Ada layanan yang tidak dikenal"),
        ({"weight_kg:tidak-ada": "9,5"}, "Ukuran anak tidak-ada tidak cocok dengan hari kunjungan"),
    ],
)
def test_what_cannot_stand_comes_back_with_what_to_mend(desk, child, more, said):
    before = desk.rows("SELECT count(*) FROM visit")
    weight = more.pop("weight", None) if "weight" in more else None
    more = dict(more) | (size(child, weight_kg=weight) if weight else {})
    if more.get("given") == "pmt_balita":
        page = desk.readers["kader"].page(path_of(desk, child["household_id"]))
        more["given"] = re.search(r'name="given" value="(\w+)"', page)[1]
    answer = visit(desk, child, do="save", **more)

    assert 422 == answer.status_code
    assert said in unescape(answer.text)
    assert before == desk.rows("SELECT count(*) FROM visit")


def test_days_are_those_of_the_districts_clock(desk, child):
    planner, today = desk.readers["all"], today_of(ZONE)
    session = planner.client.get("/v1/session", headers=planner.said).json()
    headers = planner.said | {"X-CSRF-Token": session["csrf_token"], "Accept": "application/json"}
    told = {"worklist_id": desk.listed, "household_id": child["household_id"], "kind": "defer", "reason": "pergi"}
    sent = [
        planner.client.post(
            "/v1/decisions", json=told | {"until": day.isoformat(), "decided_by": "Uji"}, headers=headers
        )
        for day in (today - DAY, today)
    ]

    assert today != dt.datetime.now(tz=dt.UTC).date()
    assert f"dibuat {THERE.day(today)}" in planner.page("/field")
    assert [422, 201] == [one.status_code for one in sent]
    assert f"{today} or later" in sent[0].json()["detail"]


def told(children, **fields):
    """What a form of a visit of 100 days ago says."""
    day = today_of(THERE.zone) - 100 * DAY
    pairs = [("visited_on", day.isoformat()), ("outcome", "met"), *fields.items()]
    return typed_visit(Form(pairs), children, services=(), limits=UrgentLimits(), said=THERE)


def born(days_ago):
    """A child who was born so many days before that visit."""
    birth = today_of(THERE.zone) - (100 + days_ago) * DAY
    return Child(child_id="c1", sex="f", birth_date=birth, last_cm=None, last_on=None)


def test_a_child_is_judged_by_its_age_on_the_day_of_the_visit_and_the_refusal_tells_no_birthday():
    sized = {"weight_kg:c1": "15"}
    taken, again = told([born(1_800)], **sized), told([born(1_825)], **sized)
    refused = [told(children, **sized) for children in ([born(1_830)], [born(-1)], [])]

    assert [((), 1)] * 2 == [(one.wrong, len(one.measured)) for one in (taken, again)]
    assert {("Ukuran anak c1 tidak cocok dengan hari kunjungan; periksa keduanya.",)} == {one.wrong for one in refused}
    assert ("Cara ukur anak c1 diisi tanpa ukurannya.",) == told([born(400)], **{"position:c1": "l"}).wrong


def test_a_look_at_the_lists_stands_in_the_trail(desk):
    asked = "SELECT count(*) FROM trail WHERE act = ? AND who = 'kader' AND list_id IS NULL"
    before = desk.rows(asked, Act.SEE_LIST.value)[0][0]
    desk.readers["kader"].page("/field")

    assert before + 1 == desk.rows(asked, Act.SEE_LIST.value)[0][0]


def test_a_visit_sent_twice_counts_once_with_its_services_and_its_line_of_the_trail(desk, child):
    page = desk.readers["kader"].page(path_of(desk, child["household_id"]))
    service = re.search(r'name="given" value="(\w+)"', page)[1]
    told = {"do": "save", "key": "klik-1", "given": service} | size(child, weight_kg=9.5, height_cm=76.5, oedema=0)
    first, again = visit(desk, child, **told), visit(desk, child, **told)
    by_phone = visit(desk, child, accept="application/json", **told)
    kept = by_phone.json()["kept"]

    assert [303, 303, 201] == [one.status_code for one in (first, again, by_phone)]
    assert first.headers["location"] == again.headers["location"]
    [(given, measured, account)] = desk.rows("SELECT given, measured, account FROM visit WHERE id = ?", kept)
    assert ([{"service": service, "person_id": None}], "kader") == (json.loads(given), account)
    assert 9.5 == json.loads(measured)[0]["facts"]["weight_kg"]
    lines = desk.rows("SELECT list_id, households, about FROM trail WHERE act = 'visit.make'")
    assert 3 == sum(json.loads(about).get("visit") == kept for _, _, about in lines)
    assert {(desk.listed, child["household_id"])} == {
        (one, json.loads(homes)[0]) for one, homes, about in lines if json.loads(about).get("visit") == kept
    }


def test_what_a_visit_brought_back_is_told_on_every_page_until_the_register_has_it(desk, child):
    kader, planner, home = desk.readers["kader"], desk.readers["all"], child["household_id"]
    whole = f"/households/{home}?list={desk.listed}"
    unmet = planner.page(whole).split("Layanan yang belum diterima")[1].split("</table>")[0]
    offered = re.findall(
        r'name="given" value="(\w+)"[^>]*> <label[^>]*>([^<]+)</label>', kader.page(path_of(desk, home))
    )
    service, name = next((code, words) for code, words in offered if f'<th scope="row">{words}</th>' in unmet)
    told = {"do": "save", "given": service} | size(child, weight_kg=9.6, height_cm=76.7, muac_cm=13.4)
    assert 303 == visit(desk, child, **told).status_code
    today = THERE.day(today_of(ZONE))
    waits = f"{name} <small>diberikan {today}, belum di register</small>"

    for page in (planner.page(whole), kader.page(path_of(desk, home))):
        assert f"{child['child_id']}: 9,6 kg · 76,7 cm · LiLA 13,4 cm" in page
        assert f"Diberikan: {name}" in page
        assert waits in page.replace("</label> <small>", " <small>")
    assert "9.6 kg" in planner.page(whole, "en")
    assert "not in the register yet" in planner.page(whole, "en")
    [row] = re.findall(r"<tr>(?:(?!</tr>).)*?</tr>", planner.page(f"/lists/{desk.listed}?q={home}"), re.DOTALL)[1:]
    assert f'data-th="Kunjungan terakhir">{today}' in row


def test_what_the_register_has_as_well_is_not_waited_for():
    day = dt.date(2026, 5, 5)
    given = [("pmt", day), ("pmt", day - DAY), ("imd", day), ("air", day)]
    visits = [SimpleNamespace(visited_on=on, given=[{"service": code}]) for code, on in given]
    receipts = [("pmt", day), ("imd", day - DAY), ("mck", day)]
    rows = [
        Row(recorded_on=day, facts={"service": code, "received_on": on.isoformat()}) for code, on in receipts
    ]  # fmt: skip
    known = Facts(on=day, registers={"service": rows}, missing_registers=(), services=())

    assert {"imd": day, "air": day} == not_registered(known, visits)


def test_another_visit_under_the_same_key_is_refused(desk, child):
    told = {"do": "save", "key": "klik-2"}
    answers = [visit(desk, child, accept="application/json", outcome=one, **told) for one in ("met", "moved")]

    assert [201, 409] == [one.status_code for one in answers]


def test_the_command_writes_what_visits_brought_back_and_says_so_in_the_trail(desk, child, tmp_path, monkeypatch):
    monkeypatch.setenv("TEPAT_DATABASE", f"sqlite:///{desk.file}")
    monkeypatch.setattr(entry, "MOST_HOUSEHOLDS", 1)
    visit(desk, child, outcome="moved", home=desk.other(child))
    visit(desk, child, do="save", **size(child, weight_kg=9.4, height_cm=76.6, position="l"))
    done, again = (CliRunner().invoke(app, ["field", "export", "--out", str(tmp_path / "out")]) for _ in range(2))
    measured = pd.read_csv(tmp_path / "out/measurement.csv", dtype={"child_id": str})

    assert (0, True) == (done.exit_code, isinstance(again.exception, InputRefused)), done.output
    assert 9.4 == measured[measured.child_id == child["child_id"]].weight_kg.iloc[-1]
    assert desk.rows("SELECT count(*) FROM visit")[0][0] == len(pd.read_csv(tmp_path / "out/contact.csv"))
    lines = [json.loads(homes) for (homes,) in desk.rows("SELECT households FROM trail WHERE act = 'field.export'")]
    homes = sorted(home for (home,) in desk.rows("SELECT DISTINCT household_id FROM visit"))
    assert [[home] for home in homes] * 2 == lines
    assert child["household_id"] in homes


def test_the_page_tells_data_officers_what_waits_and_hands_over_what_the_command_does(
    desk, child, tmp_path, monkeypatch
):
    officer, near, planner = (desk.readers[name] for name in ("officer", "near", "all"))
    monkeypatch.setenv("TEPAT_DATABASE", f"sqlite:///{desk.file}")
    monkeypatch.setenv("TEPAT_TIME_ZONE", ZONE)
    visit(desk, child, outcome="moved", do="save")
    before = officer.page("/data")
    done = CliRunner().invoke(app, ["field", "export", "--out", str(tmp_path / "out")])
    visit(desk, child, outcome="moved", do="save")
    waits = officer.page("/data")
    visits = desk.rows("SELECT count(*) FROM visit")[0][0]
    answer = officer.client.get("/data/field", headers=officer.said)
    CliRunner().invoke(app, ["field", "export", "--out", str(tmp_path / "again")])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    after = officer.page("/data")

    assert (0, 200) == (done.exit_code, answer.status_code)
    assert 'href="/data/field"' in before
    assert "Menunggu diteruskan: 1 kunjungan dan 0 permintaan koreksi." in waits
    assert "All have been downloaded." in officer.page("/data", "en")
    assert {one.name: one.read_bytes() for one in (tmp_path / "again").iterdir()} == files
    assert re.search(r'filename="tepat-lapangan-\d{8}\.zip"', answer.headers["content-disposition"])
    assert "Semuanya sudah diunduh." in after
    told = desk.rows("SELECT about, households FROM trail WHERE act = 'field.export' AND who = 'officer'")
    assert {visits} == {json.loads(about)["contact"] for about, _ in told}
    homes = {home for (home,) in desk.rows("SELECT DISTINCT household_id FROM visit")}
    assert homes == {home for _, some in told for home in json.loads(some)}
    assert [403, 403] == [one.get("/data/field").status_code for one in (near, planner)]
    assert ["forbidden"] == [
        one for (one,) in desk.rows("SELECT outcome FROM trail WHERE act = 'field.export' AND who = 'near'")
    ]
    assert ["/data/field" in one.page("/data") for one in (near, planner)] == [False, False]


def until(page, holds):
    """Wait until an expression holds; the page's policy lets the driver's own way of asking not in."""
    for _ in range(400):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{holds} never held: {page.inner_text('main')[:800]}")


def test_a_copy_answers_without_a_line_and_what_was_noted_then_is_sent_once(desk, browser):
    kader = desk.readers["kader"]
    address = str(desk.running.client.base_url).rstrip("/")
    watched = Watched(browser, address, size=PHONE)
    name, _, value = kader.said["Cookie"].partition("=")
    watched.context.add_cookies([{"name": name, "value": value, "url": address}])
    page = watched.page
    watched.open(f"/field/{desk.listed}")
    page.click("[data-save]")
    until(page, "localStorage.getItem('tepat-field-copied')")
    shown = page.inner_text("[data-copy]")
    home = page.get_attribute("[data-households] a", "href")
    watched.context.set_offline(True)
    page.goto(address + home)
    page.check("#o-not_home")
    page.click('button[value="save"]')
    page.wait_for_selector("[data-queue] li")
    before = desk.rows("SELECT count(*) FROM visit")[0][0]
    waits = page.inner_text("[data-offline]")
    watched.context.set_offline(False)
    until(page, "localStorage.getItem('tepat-field-queue') === '[]'")
    page.reload()

    assert "Salinan di ponsel ini dibuat" in shown
    assert re.search(r"\d", shown)
    assert "kunjungan disimpan di ponsel ini" in waits
    assert before + 1 == desk.rows("SELECT count(*) FROM visit")[0][0]
    assert 0 == watched.sideways()
    page.click("[data-drop]")
    until(page, "!localStorage.getItem('tepat-field-copied')")
    assert False is page.evaluate("caches.has('tepat-field')")
    watched.context.close()


def test_a_visit_that_is_filled_in_when_the_session_is_over_waits_on_the_phone(desk, child, browser):
    address = str(desk.running.client.base_url).rstrip("/")
    watched = Watched(browser, address, size=PHONE)
    name, _, value = desk.readers["kader"].said["Cookie"].partition("=")
    cookie = {"name": name, "value": value, "url": address}
    watched.context.add_cookies([cookie])
    watched.open(path_of(desk, child["household_id"]))
    watched.context.clear_cookies()
    watched.page.check("#o-moved")
    watched.page.fill("#note", "Ikut anaknya ke kota")
    watched.page.click('button[value="check"]')
    watched.page.wait_for_selector("[data-why]")
    unchecked = watched.page.inner_text("[data-why]")
    watched.page.click('button[value="save"]')
    watched.page.wait_for_selector("[data-queue] li")
    said = watched.page.inner_text("[data-offline]")
    watched.context.add_cookies([cookie])
    watched.open("/field")
    until(watched.page, "localStorage.getItem('tepat-field-queue') === '[]'")

    assert "Masuk lagi di halaman lain untuk menghitung; isian Anda masih di sini." == unchecked
    assert "Masuk lagi agar" in said
    assert [("moved",)] == desk.rows("SELECT outcome FROM visit WHERE note = 'Ikut anaknya ke kota'")
    watched.context.close()


def phone(desk, browser, name):
    """A phone on which somebody is signed in."""
    address = str(desk.running.client.base_url).rstrip("/")
    watched = Watched(browser, address, size=PHONE)
    cookie, _, value = desk.readers[name].said["Cookie"].partition("=")
    watched.context.add_cookies([{"name": cookie, "value": value, "url": address}])
    return watched


def waits(watched, *visits):
    watched.page.evaluate("visits => localStorage.setItem('tepat-field-queue', JSON.stringify(visits))", list(visits))


def still_waiting(watched):
    return [one["key"] for one in json.loads(watched.page.evaluate("localStorage.getItem('tepat-field-queue')"))]


def refused(path, key, *, user="kader", **fields):
    return {"path": path, "user": user, "key": key, "refused": True, "fields": [*fields.items()]}


def copied(watched, desk, child, scores):
    """Another household of the child's desa, once the phone has a copy of these."""
    area = scores[scores.household_id == child["household_id"]].area_id.iloc[0]
    watched.open(f"/field/{desk.listed}?area={area}")
    watched.page.click("[data-save]")
    until(watched.page, "localStorage.getItem('tepat-field-copied')")
    homes = homes_on(watched.page.content(), desk.listed)
    return path_of(desk, next(one for one in homes if one != child["household_id"]))


def test_a_child_in_danger_is_told_of_without_a_line_until_its_household_is_opened(desk, child, scores, browser):
    watched, home = phone(desk, browser, "kader"), path_of(desk, child["household_id"])
    page, next_home = watched.page, copied(watched, desk, child, scores)
    watched.context.set_offline(True)
    watched.open(home)
    page.check("#o-met")
    page.fill(f'[name="muac_cm:{child["child_id"]}"]', "10,5")
    page.click('button[value="save"]')
    page.wait_for_selector("[data-queue] .urgent")
    watched.open(next_home)
    page.check("#o-not_home")
    page.click('button[value="save"]')
    until(page, "document.querySelectorAll('[data-queue] li').length === 3")
    beside = page.inner_text("[data-queue] .urgent"), page.get_attribute("[data-queue] .urgent a", "href")
    watched.follow("[data-queue] .urgent a")
    opened = page.inner_text("[data-queue] .urgent")
    watched.open(next_home)
    after = page.locator("[data-queue] .urgent").count(), page.locator("[data-queue] li").count()
    watched.context.set_offline(False)
    until(page, "localStorage.getItem('tepat-field-queue') === '[]'")
    sent = page.inner_text("[data-queue] .urgent")

    assert ("Rujuk segera: buka keluarga ini. " + child["household_id"], home) == beside
    assert "Rujuk segera" in opened
    assert (0, 2) == after
    assert "Rujuk segera" in sent
    watched.context.close()


def test_computing_without_a_line_keeps_what_was_typed_and_tells_danger_at_once(desk, child, scores, browser):
    watched, home = phone(desk, browser, "kader"), path_of(desk, child["household_id"])
    page, muac = watched.page, f'[name="muac_cm:{child["child_id"]}"]'
    copied(watched, desk, child, scores)
    watched.context.set_offline(True)
    watched.open(home)
    page.check("#o-met")
    page.fill("#note", "Diukur di teras")
    page.fill(muac, "13,5")
    page.click('button[value="check"]')
    page.wait_for_selector("[data-why].note")
    well = page.inner_text("[data-why]")
    page.fill(muac, "10,5")
    page.click('button[value="check"]')
    page.wait_for_selector("[data-why].urgent p + p")
    ill, typed = page.inner_text("[data-why]"), (page.input_value("#note"), page.input_value(muac))
    queued = page.evaluate("localStorage.getItem('tepat-field-queue')")
    watched.context.set_offline(False)
    page.click('button[value="check"]')
    page.wait_for_selector("main > section.urgent")
    counted = page.inner_text("main"), page.input_value("#note"), page.locator("[data-why]").count()
    watched.context.set_offline(True)
    page.click('button[value="check"]')
    page.wait_for_selector("[data-why].urgent p + p")
    page.click('button[value="save"]')
    page.wait_for_selector("[data-queue] .urgent")
    waiting = json.loads(page.evaluate("localStorage.getItem('tepat-field-queue')"))
    left = page.locator("[data-why]").count()

    assert "Skor z memerlukan jaringan; isian Anda masih di sini." == well
    assert ["Rujuk segera: antar ke puskesmas hari ini juga.", well] == [one for one in ill.splitlines() if one]
    assert ("Diukur di teras", "10,5") == typed
    assert queued in (None, "[]")
    assert "Sudah dihitung, belum disimpan." in counted[0]
    assert ("Diukur di teras", 0) == counted[1:]
    assert 0 == left
    assert [["note", "Diukur di teras"], ["do", "save"]] == [
        one for one in waiting[0]["fields"] if one[0] in ("note", "do")
    ]
    assert 0 == watched.sideways()
    watched.context.close()


def test_a_copy_is_of_the_narrowed_list_and_whom_to_refer_from_first_page_to_last(
    desk, shared, urgent, scores, browser
):
    watched = phone(desk, browser, "all")
    page = watched.page
    watched.open(shared.path())
    page.click(".pick summary")
    page.select_option("#assigned", label="Kader Melati (43)")
    watched.follow(".pick button")
    watched.follow("a[rel=next]")
    page.click("[data-save]")
    until(page, "localStorage.getItem('tepat-field-copied')")
    kept = page.evaluate("caches.open('tepat-field').then(it => it.keys()).then(all => all.map(one => one.url))")
    copied = page.inner_text("[data-copy]")
    watched.context.set_offline(True)
    watched.open("/field")
    on_doors = page.inner_text("[data-copy]")
    watched.follow(f"[href='/field/{shared.id}']")
    first = page.inner_text("[data-told]")
    watched.follow("a[rel=next]")
    watched.follow("[data-households] li:last-child a")
    assert page.locator("form[data-visit]").count()
    watched.follow(f"a[href^='/field/{shared.id}?']")
    second = homes_on(page.content(), shared.id)
    beside = set(urgent.household_id) & set(scores.household_id)
    watched.follow("[data-beside] li:first-child a")
    assert page.locator("form[data-visit]").count()

    prefix = f"{watched.address}/field/{shared.id}/"
    assert beside | set(homes_of(shared.melati)) == {unquote(one.removeprefix(prefix)) for one in kept if prefix in one}
    assert copied == on_doors
    assert re.search(r"dibuat \d.*: Triwulan 2, petugas: Kader Melati, 43 dari 43 keluarga\.", copied)
    assert re.search("43 dari .* keluarga: petugas: Kader Melati", first)
    assert 13 == len(second)
    assert 0 == watched.sideways()
    watched.context.set_offline(False)
    watched.open(shared.path(area=shared.near[0][2]))
    page.click("[data-save]")
    until(page, "!localStorage.getItem('tepat-field-copied').includes('Melati')")
    homes = page.evaluate("caches.open('tepat-field').then(it => it.keys()).then(all => all.map(one => one.url))")
    assert set(homes_of(shared.near, shared.near[0][2])) == {
        unquote(one.removeprefix(prefix)) for one in homes if prefix in one
    }
    watched.context.close()


def test_a_visit_that_is_answered_by_a_refusal_keeps_what_was_typed_and_says_why(desk, child, browser):
    used = "f" * 32
    assert 303 == visit(desk, child, key=used, outcome="moved", do="save").status_code
    watched, home = phone(desk, browser, "kader"), path_of(desk, child["household_id"])
    page, before = watched.page, desk.rows("SELECT count(*) FROM visit")[0][0]
    watched.open(home)
    page.check("#o-met")
    page.fill("#note", "Panjang dan berharga")
    page.evaluate("history.replaceState(null, '', '/field/tidak-ada/tidak-ada')")
    page.click('button[value="save"]')
    gone = page.inner_text('form[data-visit] [role="alert"]')
    page.evaluate("path => history.replaceState(null, '', path)", home)
    page.evaluate(
        "key => { const form = document.querySelector('[data-visit]'); "
        "form.elements.key.value = key; form.dataset.keyed = '1'; }",
        used,
    )
    page.click('button[value="save"]')
    until(page, "document.querySelector('form[data-visit] [role=alert]').innerText.includes('sudah dikirim')")
    taken = page.inner_text('form[data-visit] [role="alert"]')
    typed = page.input_value("#note"), page.is_checked("#o-met"), page.locator("[role=alert]").count()
    kept = desk.rows("SELECT count(*) FROM visit")[0][0]
    page.click('button[value="save"]')
    page.wait_for_url("**kept=*")

    assert gone.startswith("Belum disimpan:")
    assert "Tidak ada apa-apa di alamat ini" in gone
    assert ("bila ini memang kunjungan lain" in gone, "bila ini memang kunjungan lain" in taken) == (False, True)
    assert ("Panjang dan berharga", True, 1) == typed
    assert (before, before + 1) == (kept, desk.rows("SELECT count(*) FROM visit")[0][0])
    assert [("met",)] == desk.rows("SELECT outcome FROM visit WHERE note = 'Panjang dan berharga'")
    assert 0 == watched.sideways()
    watched.context.close()


def test_a_refused_visit_is_opened_as_it_was_filled_in_and_goes_when_it_is_saved_or_deleted(desk, child, browser):
    watched, home = phone(desk, browser, "kader"), path_of(desk, child["household_id"])
    page, weight = watched.page, f"weight_kg:{child['child_id']}"
    watched.open("/field")
    mended = {"outcome": "met", "visited_on": child["day"], "note": "Dari antrean", weight: "95"}
    waits(watched, refused(home, "aa", **mended), refused("/field/x/y", "bb"), refused(home, "cc", user="lain"))
    page.reload()
    page.click("[data-queue] li:has(a[href$='#bb']) button")
    after_deleting = still_waiting(watched)
    watched.follow(f"[data-queue] a[href='{home}#aa']")
    filled = page.input_value("#note"), page.is_checked("#o-met"), page.input_value(f'[name="{weight}"]')
    page.click('button[value="save"]')
    page.wait_for_selector(".wrong")
    shown = page.inner_text("[data-queue]")
    page.fill(f'[name="{weight}"]', "9,5")
    page.click('button[value="save"]')
    page.wait_for_url("**kept=*")

    assert ["aa", "cc"] == after_deleting
    assert ("Dari antrean", True, "95") == filled
    assert "Belum dapat disimpan" in shown
    assert ["cc"] == still_waiting(watched)
    assert 1 == desk.rows("SELECT count(*) FROM visit WHERE note = 'Dari antrean'")[0][0]
    watched.context.close()


@pytest.mark.parametrize(("owner", "days", "stays"), [("kader", 13, True), ("kader", 15, False), ("lain", 1, False)])
def test_a_copy_stays_for_its_owner_and_for_two_weeks(desk, browser, owner, days, stays):
    watched = phone(desk, browser, "kader")
    watched.open("/field")
    watched.page.evaluate(COPY, [owner, days])
    watched.page.reload()
    until(watched.page, f"caches.has('tepat-field').then(there => there === {str(stays).lower()})")

    assert stays is (watched.page.evaluate("localStorage.getItem('tepat-field-copied')") is not None)
    watched.context.close()


def test_the_way_in_leaves_no_copy_and_every_visit_that_waits(browser, desk):
    watched = phone(desk, browser, "kader")
    watched.open("/field")
    watched.page.evaluate(COPY, ["kader", 1])
    waits(watched, refused("/field/x/y", "aa"))
    watched.context.clear_cookies()
    watched.open("/sign-in")
    until(watched.page, "caches.has('tepat-field').then(there => !there)")

    assert None is watched.page.evaluate("localStorage.getItem('tepat-field-copied')")
    assert ["aa"] == still_waiting(watched)
    watched.context.close()


def test_signing_out_on_any_page_asks_first_and_takes_the_copy_and_ones_own_visits_alone(desk, shared, browser):
    watched, asked = phone(desk, browser, "all"), []
    page = watched.page
    watched.open(shared.path(area=shared.near[0][2]))
    page.click("[data-save]")
    until(page, "localStorage.getItem('tepat-field-copied')")
    waits(watched, refused("/field/x/y", "aa", user="all"), refused("/field/x/y", "bb"), refused("/field/x/z", "cc"))
    watched.open("/lists")
    page.once("dialog", lambda box: (asked.append(box.message), box.dismiss()))
    page.click('form[action="/sign-out"] button')
    stayed = still_waiting(watched), page.url
    page.once("dialog", lambda box: (asked.append(box.message), box.accept()))
    page.click('form[action="/sign-out"] button')
    page.wait_for_url("**/sign-in*")
    until(page, "caches.has('tepat-field').then(there => !there)")

    assert (["aa", "bb", "cc"], "/lists") == (stayed[0], stayed[1].removeprefix(watched.address))
    assert ["Di ponsel ini ada 3 kunjungan yang belum terkirim, 1 di antaranya"] * 2 == [
        one.partition(" milik")[0] for one in asked
    ]
    assert None is page.evaluate("localStorage.getItem('tepat-field-copied')")
    assert ["bb", "cc"] == still_waiting(watched)
    assert [] == watched.faults
    watched.context.close()
