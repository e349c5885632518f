"""The overview: figures that agree with the store and the scores, of one's own regions alone, on a map or on tiles."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import json
import re
import sqlite3
import threading
import time
from contextlib import closing

import httpx
import numpy as np
import pandas as pd
import pytest

from features.contracts import REGISTERS
from features.errors import InputRefused
from features.validation import empty
from serving.access.scope import EVERYWHERE, Scope
from serving.app import create_app
from serving.boundaries import drawn, key_of, read_boundaries
from serving.district import district
from serving.later import Later
from serving.pages.language import NOT_KNOWN
from serving.pages.map import steps
from serving.pages.overview import months_old
from serving.published import Published
from serving.regions import PLACE
from serving.settings import load
from targeting.facts import KEY_OF
from tests.serving.conftest import Server
from tests.serving.known import system

pytestmark = pytest.mark.xdist_group("pages")
HTML = {"Accept": "text/html"}
ROW = re.compile(r'<tr id="p-([^"]+)"><th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)
CELL = re.compile(r'data-th="([^"]+)">([^<]*)')
FIGURE = re.compile(r"<dt>([^<]+)</dt><dd>([^ <]+)")
READY = "Masih dihitung"


def square(west: float, south: float, side: float = 0.1) -> list[list[list[float]]]:
    east, north = west + side, south + side
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def geojson(path, shapes, *, name="kode"):
    features = [
        {
            "type": "Feature",
            "properties": {name: code, "provinsi": "99"},
            "geometry": {"type": "Polygon", "coordinates": rings},
        }
        for code, rings in shapes.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


class Page:
    """The overview as somebody has it."""

    def __init__(self, server: Server, said: dict[str, str]) -> None:
        self.client, self.said = server.client, HTML | said

    def get(self, **asked: str) -> httpx.Response:
        return self.client.get("/", params=asked, headers=self.said)

    def text(self, **asked: str) -> str:
        """Once the registers are counted."""
        until = time.monotonic() + 60
        while READY in (answer := self.get(**asked)).text:
            assert time.monotonic() < until
        assert httpx.codes.OK == answer.status_code, answer.text
        return answer.text


def rows_of(page):
    """By place: the cells of its line, as numbers."""
    return {code: {name: number(told) for name, told in CELL.findall(cells)} for code, _, cells in ROW.findall(page)}


def figures_of(page):
    return {name: number(told) for name, told in FIGURE.findall(page)}


def number(told):
    told = told.replace(".", "").replace(",", ".")
    return float(told.rstrip("%")) if told[:1].isdigit() else None


@pytest.fixture(scope="module")
def near(scores):
    return scores.region_id.value_counts().index[0]


@pytest.fixture(scope="module")
def made(kabupaten, near, scores, tmp_path_factory):
    """A closed service with a map of all regions but one, and those who look."""
    folder = tmp_path_factory.mktemp("overview")
    url = f"sqlite:///{folder}/tepat.db"
    regions = sorted(scores.region_id.dropna().unique())
    shapes = {key_of(code): square(107 + place % 6 / 10, -6 - place // 6 / 10) for place, code in enumerate(regions)}
    shapes.pop(key_of(regions[-1]))
    told = {"TEPAT_BOUNDARIES": geojson(folder / "kecamatan.geojson", shapes), "TEPAT_ACCESS": "closed"}
    places = {"near": Scope(regions=frozenset({near})), "all": EVERYWHERE, "nowhere": Scope()}
    shows = {name: system(url, name, roles=["planner"], scope=of) for name, of in places.items()}
    shows["officer"] = system(url, "officer", roles=["data_officer"])
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_FOLDER=str(folder), **told)
    body = {"name": "Putaran <uji>", "capacity": 40}
    listed = running.client.post("/v1/worklists", json=body, headers=shows["all"]).json()["id"]
    yield {name: Page(running, said) for name, said in shows.items()} | {
        "list": listed,
        "server": running,
        "file": folder / "tepat.db",
    }
    running.stop()


@pytest.fixture(scope="module")
def listed(made):
    answer = made["all"].client.get(f"/v1/worklists/{made['list']}?limit=1000", headers=made["all"].said)
    return {line["household_id"] for line in answer.json()["lines"]}


def test_the_figures_are_those_of_the_scores(made, scores):
    page = made["all"].text()
    rows = rows_of(page)

    assert scores.risk_now.sum() == pytest.approx(figures_of(page)["Perkiraan anak stunting sekarang"], abs=0.06)
    for region, of in scores.groupby("region_id"):
        assert of.risk_now.sum() == pytest.approx(rows[region]["Perkiraan stunting"], abs=0.06)
        assert (of.unit_kind == "child").sum() == rows[region]["Anak balita"]
    assert html.escape("Putaran <uji>") in page


def test_reached_and_not_reached_are_all_that_are_expected(made, scores, listed):
    page = made["all"].text()
    rows, figures = rows_of(page), figures_of(page)
    on = scores[scores.household_id.isin(listed)]

    assert on.risk_now.sum() == pytest.approx(figures["Terjangkau daftar terbaru"], abs=0.06)
    assert scores.risk_now.sum() - on.risk_now.sum() == pytest.approx(figures["Belum terjangkau"], abs=0.06)
    for region, of in scores.groupby("region_id"):
        assert of[of.household_id.isin(listed)].risk_now.sum() == pytest.approx(rows[region]["Terjangkau"], abs=0.06)
        assert of.risk_now.sum() == pytest.approx(rows[region]["Terjangkau"] + rows[region]["Belum"], abs=0.11)


def test_what_a_list_says_of_itself_and_the_children_referred_apart_are_what_it_reaches(
    made, scores, listed, kabupaten
):
    urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")
    page = made["all"].client.get(f"/lists/{made['list']}", headers=made["all"].said).text
    own = figures_of(page)["Perkiraan anak stunting di dalamnya"]
    # A child counts once, as itself; of a woman in danger her unborn child, whose risk of today is none.
    apart = scores[scores.household_id.isin(listed) & scores.unit_id.isin(urgent.child_id.dropna())]

    assert len(apart)
    assert figures_of(made["all"].text())["Terjangkau daftar terbaru"] == pytest.approx(
        own + apart.risk_now.sum(), abs=0.11
    )
    assert "tanpa yang dirujuk segera" in page


def test_who_may_look_at_one_region_sees_its_figures_and_nothing_of_another(made, scores, near, listed):
    page = made["near"].text()
    own = scores[scores.region_id == near]
    areas = pd.read_parquet(made["server"].said_to.parent / "data/interim/area.parquet")
    others = areas[areas.region_id != near]

    assert {near} == rows_of(page).keys()
    assert own.risk_now.sum() == pytest.approx(figures_of(page)["Perkiraan anak stunting sekarang"], abs=0.06)
    on = own[own.household_id.isin(listed)].risk_now.sum()
    assert on == pytest.approx(figures_of(page)["Terjangkau daftar terbaru"], abs=0.06)
    for text in (page, made["near"].text(region=near)):
        for hidden in {*others.region_id, *others.area_id, *others.region_name, *others.area_name}:
            assert not re.search(rf"{re.escape(hidden)}(?![\d-])", text)
    far, none = made["near"].get(region=others.region_id.iloc[0]), made["near"].get(region="99.98.97")
    assert [404, 404] == [far.status_code, none.status_code]
    told = [re.sub(r"[0-9a-f-]{32,}|region(=|%3D)[\d.]+", "", one.text) for one in (far, none)]
    assert told[0] == told[1]


def test_a_look_at_the_newest_list_stands_in_the_trail(made):
    made["near"].get()
    made["officer"].get()
    with closing(sqlite3.connect(made["file"])) as store:
        rows = store.execute("SELECT who, list_id FROM trail WHERE act = 'list.see' ORDER BY number").fetchall()

    assert ("near", made["list"]) == rows[-1]
    assert "officer" not in {who for who, _ in rows}


def test_a_region_is_told_by_its_areas(made, scores, near):
    rows = rows_of(made["all"].text(region=near))
    of = scores[scores.region_id == near].groupby("area_id").risk_now.sum()

    assert set(of.index) == rows.keys()
    assert [pytest.approx(one, abs=0.06) for one in of] == [rows[area]["Perkiraan stunting"] for area in of.index]
    assert rows_of(made["all"].text(region=near)) == rows_of(made["near"].text(region=near))


@pytest.mark.parametrize("shade", ["expected", "share", "reached"])
def test_every_region_is_a_shape_with_a_title_or_a_line_that_leads_into_it(made, scores, shade):
    page = made["all"].text(shade=shade)
    shapes = re.findall(r'<a href="/\?region=([^&]+)&amp;shade=(\w+)"><title>([^<]+): ([^<]+)</title><path', page)
    regions = set(scores.region_id.dropna())

    assert len(regions) - 1 == len(shapes)
    assert {shade} == {one for _, one, _, _ in shapes}
    assert regions == {code for code in rows_of(page) if f'/?region={code}&amp;shade={shade}">' in page}
    assert "1 wilayah tidak ada di berkas peta" in page


def test_without_a_map_there_are_tiles(server, scores):
    page = Page(server, {}).text()
    tiles = re.findall(r'<li class="shade-\w+"><a href="/\?region=([^&]+)&amp;shade=expected">[^<]+<b>[^<]+</b>', page)

    assert set(scores.region_id.dropna()) == set(tiles)
    assert "<svg" not in page


def test_who_sees_no_list_is_told_of_none_and_who_sees_nowhere_is_told_so(made):
    officer, nowhere = made["officer"].text(), made["nowhere"].get().text

    assert "Terjangkau" not in officer
    assert "Putaran" not in officer
    assert ({}, True) == (rows_of(nowhere), "Belum ada wilayah yang diberikan kepada Anda" in nowhere)


def test_households_that_lack_a_register_are_those_of_the_scores(made, kabupaten):
    facts = pd.read_parquet(kabupaten.folder / "data/scores/facts.parquet").missing_registers.str.split(", ")
    lacked = re.findall(r'data-th="Keluarga tanpa data">([^<]+)<', made["all"].text())

    expected = [facts.map(lambda one, name=name: name in one).sum() for name in REGISTERS if name in KEY_OF]
    assert expected == [int(told.replace(".", "")) for told in lacked if told != NOT_KNOWN]


def test_survey_and_register_stand_side_by_side_with_their_warning(made):
    page = made["all"].text()

    assert "Belum ada survei yang diisikan" in page
    assert "Kedua sumber dapat meleset" in page
    assert re.search(r"Register: yang terukur</th><td[^>]*>\d+,\d%", page)


def test_the_page_is_said_in_english(made):
    page = made["all"].client.get("/", headers=made["all"].said | {"Cookie": "tepat_language=en"}).text

    assert "Expected stunted children now" in page
    assert not re.search(r"Keluarga|Perkiraan|Terjangkau|Posyandu yang", page)


def test_places_stand_where_they_lie_and_neighbours_share_their_edge():
    shapes = {"west": square(107, -6.5), "east": square(107.1, -6.5), "north": square(107, -6.4)}
    made = drawn({code: [np.array(ring) for ring in rings] for code, rings in shapes.items()})
    west, east, north = (made.outlines[code] for code in ("west", "east", "north"))

    assert west.x < east.x
    assert north.y < west.y == east.y
    corners = {code: corners_of(one.path) for code, one in made.outlines.items()}
    assert 2 == len(corners["west"] & corners["east"]) == len(corners["west"] & corners["north"])


def corners_of(path: str) -> set[tuple[int, int]]:
    start, moves = re.fullmatch(r"M(-?\d+ ?-?\d+)l(.*)z", path).groups()
    at = np.array([int(one) for one in re.findall(r"-?\d+", start)])
    steps_ = np.array([int(one) for one in re.findall(r"-?\d+", moves)]).reshape(-1, 2)
    return {tuple(one) for one in np.vstack([at, at + steps_.cumsum(axis=0)]).tolist()}


def test_a_map_of_many_points_stays_small_and_loses_no_place():
    rng = np.random.default_rng(1)
    turns = np.linspace(0, 2 * np.pi, 5_000)
    far = 0.02 + 0.004 * rng.random(5_000)
    wild = {
        f"{place:02}": [np.c_[107 + place % 8 / 20 + far * np.cos(turns), -6 - place // 8 / 20 + far * np.sin(turns)]]
        for place in range(40)
    }
    made = drawn(wild)

    assert wild.keys() == made.outlines.keys()
    assert sum(len(one.path) for one in made.outlines.values()) < 120_000
    assert all(one.path.startswith("M") and one.path.endswith("z") for one in made.outlines.values())


def test_codes_with_and_without_dots_are_one_and_a_property_that_repeats_is_no_code(tmp_path):
    shapes = {"3215011001": square(107, -6), "3215011002": square(107.1, -6)}
    found = read_boundaries(geojson(tmp_path / "desa.geojson", shapes))

    assert {"32.15.01.1001"} == found.of(["32.15.01.1001", "32.15.02.2001", "99"]).keys()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("{", "cannot be read as JSON"),
        ('{"type": "FeatureCollection", "features": []}', "no FeatureCollection with features"),
        ('{"type": "FeatureCollection", "features": [{"geometry": {"type": "Point"}}]}', "feature 1 is no polygon"),
        (
            '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}}]}',
            "a ring of fewer than 4 points",
        ),
        (
            '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0,0],[7e5,1],[7e5,9e6],[0,0]]]}}]}',
            "no degrees",
        ),
        (
            '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0,0],[null,1],[1,1],[0,0]]]}}]}',
            "no degrees",
        ),
        (
            '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[["a",0],[1,1],[1,0],[0,0]]]}}]}',
            "no rings of points",
        ),
        (
            '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,1],[1,0],[0,0]]]}}]}',
            "no property tells its features apart",
        ),
    ],
)
def test_a_file_that_is_no_map_is_refused_with_what_is_wrong(tmp_path, told, why):
    (tmp_path / "peta.geojson").write_text(told)

    with pytest.raises(InputRefused, match=why) as refused:
        read_boundaries(str(tmp_path))
    assert "unset TEPAT_BOUNDARIES" in str(refused.value)
    with pytest.raises(InputRefused, match="cannot be read"):
        read_boundaries(str(tmp_path / "lain.geojson"))


def test_a_service_with_a_bad_map_does_not_start():
    service = load({"TEPAT_BOUNDARIES": "/tidak/ada.geojson"})

    with pytest.raises(InputRefused, match=r"/tidak/ada\.geojson in TEPAT_BOUNDARIES"):
        create_app(service)


def test_equal_figures_have_one_shade_and_a_higher_one_is_never_paler():
    figures = [3.0, 1.0, 3.0, None, 9.0, 2.0, 7.0, 5.0, 5.0]
    made = dict(zip(figures, steps(figures), strict=True))

    assert made[None] is None
    ordered = [made[value] for value in sorted(value for value in made if value is not None)]
    assert sorted(ordered) == ordered
    assert (0, 4) == (ordered[0], ordered[-1])


DAY = pd.Timestamp("2025-06-30")


def registers(measured):
    """Two desa; Ani and Budi live in one, Cici in the other."""
    told = {name: empty(one) for name, one in REGISTERS.items()}
    told["area"] = pd.DataFrame({"area_id": ["A1", "A2"], "region_id": ["R1", "R2"], "area_name": ["Satu", "Dua"],
                                 "region_name": ["Barat", "Timur"]})  # fmt: skip
    homes = pd.DataFrame({"household_id": ["h1", "h2", "h3"], "area_id": ["A1", "A1", "A2"], "recorded_on": DAY})
    told["household"] = pd.concat([told["household"], homes]).astype({"recorded_on": "datetime64[us]"})
    children = pd.DataFrame({"child_id": ["ani", "budi", "cici"], "household_id": ["h1", "h2", "h3"],
                             "birth_date": pd.Timestamp("2023-01-01"), "recorded_on": DAY})  # fmt: skip
    told["child"] = pd.concat([told["child"], children]).astype(
        {"recorded_on": "datetime64[us]", "birth_date": "datetime64[us]"}
    )
    rows = pd.DataFrame(measured, columns=["child_id", "measured_on", "posyandu_id", "height_cm", "haz"])
    days = {"measured_on": "datetime64[us]", "recorded_on": "datetime64[us]"}
    told["measurement"] = pd.concat([told["measurement"], rows.assign(recorded_on=DAY)]).astype(days)
    return told


def test_who_is_past_five_or_in_no_register_of_children_counts_among_no_measured_children():
    told = registers(
        [
            ("ani", "2025-06-10", "P1", 84.0, -1.9), ("budi", "2025-06-10", "P1", 79.5, -2.01),
            ("dodo", "2025-06-10", "P1", 79.5, -2.5),
        ]
    )  # fmt: skip
    told["child"].loc[told["child"].child_id == "budi", "birth_date"] = pd.Timestamp("2020-06-29")

    found = district(told, freshest_on=DAY, low_below=0.8)

    assert [("A1", 1, 0)] == [(row.area_id, row.children, row.stunted) for row in found.measured.itertuples()]


@pytest.mark.parametrize(
    ("newest", "months"), [("2025-01-01", None), ("2024-12-31", 6), ("2014-12-16", 126), (None, None)]
)
def test_data_older_than_half_a_year_are_said_to_be(newest, months):
    day = None if newest is None else dt.date.fromisoformat(newest)

    assert months == months_old(day, on=dt.date(2025, 6, 30))


def test_of_a_child_the_newest_measurement_of_the_last_year_counts_and_a_posyandu_is_told_by_desa():
    found = district(
        registers(
            [
                ("ani", "2025-01-10", "P1", 80.0, -2.4), ("ani", "2025-06-10", "P1", 84.0, -1.9),
                ("budi", "2025-06-10", "P1", 79.5, -2.01), ("cici", "2025-06-10", "P1", 79.5, -2.5),
                ("cici", "2024-05-10", "P1", 70.0, -3.0),
            ]
        ),
        freshest_on=DAY,
        low_below=0.8,
    )  # fmt: skip

    assert dt.date(2025, 6, 30) == found.on
    assert [("A1", 2, 1), ("A2", 1, 1)] == [
        (row.area_id, row.children, row.stunted) for row in found.measured.itertuples()
    ]
    assert {("P1", "A1"): 3, ("P1", "A2"): 1} == {
        (row.posyandu_id, row.area_id): row.height_n for row in found.teams.itertuples()
    }
    newest = found.registers.set_index(["register", "area_id"]).newest_on
    assert DAY == newest["measurement", "A2"] == newest["household", "A1"]
    assert "sanitation" in found.absent


def test_a_posyandu_of_enough_measurements_is_judged_and_one_of_few_is_not():
    rounded = [("ani", f"2025-0{1 + day % 6}-{1 + day // 6:02}", "P1", 80.0, -1.0) for day in range(120)]
    found = district(registers([*rounded, ("budi", "2025-06-10", "P2", 79.5, -2.01)]), freshest_on=DAY, low_below=0.8)

    told = found.teams.set_index("posyandu_id")
    assert ("poor", 120, 100.0) == (told.digits["P1"], told.height_n["P1"], told.height_score["P1"])
    assert {"P1": "poor", "P2": "too few to tell"} == told.verdict.to_dict()
    assert ("too few to tell", 1) == (told.digits["P2"], told.height_n["P2"])


def test_what_takes_long_is_made_once_and_what_failed_is_made_again():
    gate, made = threading.Event(), []

    def make():
        gate.wait(30)
        made.append(len(made))
        if len(made) == 1:
            raise ValueError("pertama")
        return len(made)

    later = Later(make, name="uji")
    assert [None, None] == [later.within(0.01), later.within(0.01)]
    gate.set()
    with pytest.raises(ValueError, match="pertama"):
        later.within(30)
    assert [2, 2] == [later.within(30), later.within(30)]
    assert 2 == len(made)


def test_of_a_household_that_moved_no_risk_is_told_and_what_is_reached_stays_a_part(kabupaten, monkeypatch):
    monkeypatch.chdir(kabupaten.folder)
    land = Published().scores().landscape
    places = land.units.loc[~land.units.index.duplicated()]
    home, gone_from = places.index[0], places.region_id.iloc[0]
    others = [one for one in places.region_id.dropna().unique() if one != gone_from]
    moved = land.units.copy()
    moved.loc[home, ["region_id", "area_id"]] = places[places.region_id == others[0]][PLACE].iloc[0].tolist()
    now = dataclasses.replace(land, units=moved, known={})
    rows = places[places.region_id == gone_from]
    before, after = (one._told(rows[PLACE].rename_axis("household_id").reset_index()) for one in (land, now))

    assert (0, 1) == (before.gone(gone_from), after.gone(gone_from))
    assert (1, 0) == (after.gone(None), after.gone(others[0]))
    assert before.by_area.visits.sum() - 1 == after.by_area.visits.sum()
    left = before.by_area.reached_now.sum() - after.by_area.reached_now.sum()
    assert land.homes.now[home] == pytest.approx(left)
