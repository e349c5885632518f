"""What every run said of every household: kept once, whole or not shown, and seen by nobody who may not see it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from features.errors import InputRefused
from serving import score_keeper, score_store
from serving.access.scope import Scope
from serving.access.who import ANYBODY, at_command
from serving.cli import app
from serving.errors import StoreUnavailable
from serving.published import Published
from serving.retention import Limits, due, retain
from serving.score_keeper import ScoreKeeper
from serving.score_store import RISKS, Score, ScoreStore
from serving.score_view import HEIGHT, WIDTH, pictures, rows_of
from serving.scored_run import read_run
from serving.shelf import Shelf
from serving.store import open_store
from serving.tables_access import trail
from serving.tables_scores import household_score, score_place, score_run
from serving.trail.verify import verify
from targeting.manifest import write_manifest
from tests.conftest import ROOT
from tests.drawn import drawn
from tests.project import copy_of
from tests.serving import published
from tests.serving.published import NOON
from tests.serving.scored import HOMES, keep, run, stamp_of

pytestmark = pytest.mark.xdist_group("postgres")
SPAWN = multiprocessing.get_context("spawn")
DAY = dt.timedelta(days=1)
LIMITS = Limits.of(NOON, lists_days=100, scores_days=100, jobs_days=30)


@pytest.fixture
def store(url):
    opened = open_store(url, wait_ms=60_000)
    yield opened
    opened.close()


@pytest.fixture
def scores(store):
    return ScoreStore(store.database)


def of(*regions):
    return dataclasses.replace(ANYBODY, name="siti", scope=Scope(regions=frozenset(regions)))


def many(count):
    """So many households, of as many risks."""
    homes = pd.DataFrame({"household_id": [f"h{place:04d}" for place in range(count)], "region_id": "R1"})
    return homes.assign(area_id="R1.1", **{name: [place / count for place in range(count)] for name in RISKS})


def held(scores):
    """Every row of the households, as it stands in the store."""
    asked = sa.select(household_score).order_by(household_score.c.run, household_score.c.household_id)
    with scores.database.reading() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


def counts(scores):
    with scores.database.reading() as connection:
        tables = (score_run, score_place, household_score)
        return [connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]


def seen(scores, home, who=ANYBODY, **more):
    """Of each score: of which run, the risks, and whether the model changed."""
    found = scores.of_household(home, who=who, limit=more.pop("limit", 99), **more)
    return [(one.run.stamp, one.risk_find, one.risk_prevent, one.model_changed) for one in found]


def test_a_run_is_kept_with_every_household_its_place_and_its_risks(scores):
    scored = run("one")
    keep(scores, scored)

    [first] = scores.of_household("h1", who=ANYBODY, limit=9)
    assert scored.run == first.run
    assert ("R1", "R1.1", 0.1, 0.05, 0.2, None, None, None) == (
        first.region_id, first.area_id, first.risk_find, first.risk_find_low, first.risk_find_high,
        first.risk_prevent, first.risk_prevent_low, first.risk_prevent_high,
    )  # fmt: skip
    [nowhere] = scores.of_household("h3", who=ANYBODY, limit=9)
    assert (None, None, None, 0.5) == (nowhere.region_id, nowhere.area_id, nowhere.risk_find, nowhere.risk_prevent)
    assert [] == scores.of_household("nobody", who=ANYBODY, limit=9)


def test_two_services_that_see_a_run_at_the_same_moment_keep_it_once(url, scores, monkeypatch):
    monkeypatch.setattr(score_store, "SLICE", 7)
    scored, gate = run("one", homes=many(100)), Barrier(2)

    def serve(_):
        opened = open_store(url, wait_ms=60_000)
        gate.wait()
        keep(ScoreStore(opened.database), scored)
        opened.close()

    with ThreadPoolExecutor(2) as services:
        list(services.map(serve, range(2)))

    assert [1, 1, 100] == counts(scores)
    assert many(100)[["household_id", *RISKS]].to_dict("records") == [
        {name: row[name] for name in ("household_id", *RISKS)} for row in held(scores)
    ]


def test_a_service_that_is_killed_midway_leaves_nothing_to_see_and_the_next_goes_on(url, scores, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    scored = run("one", homes=many(2 * score_store.SLICE + 9))
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=published.keep_until, args=(url, scored, 1, there))
    process.start()
    there.close()
    try:
        assert "here" == here.recv()
    finally:
        process.kill()
        process.join()

    assert (False, []) == (scores.has(scored.run.stamp), seen(scores, "h0001"))
    assert [1, 1, score_store.SLICE] == counts(scores)
    keep(scores, scored)
    assert scores.has(scored.run.stamp)
    assert [row.risk_find for row in scored.homes.itertuples()] == [row["risk_find"] for row in held(scores)]
    assert 1 == len(seen(scores, "h0001"))


def test_another_model_is_marked_where_it_begins(scores):
    models = ("determinants-a", "determinants-a", "determinants-b", "determinants-a")
    keep(scores, *(run(f"run {place}", model=model) for place, model in enumerate(models)))

    assert [(3, True), (2, True), (1, False), (0, False)] == [
        (place, changed)
        for place, (stamp, *_, changed) in zip((3, 2, 1, 0), seen(scores, "h1"), strict=True)
        if stamp == stamp_of(f"run {place}")
    ]
    # Also where the run before it is on the next page.
    assert [(stamp_of("run 2"), 0.1, None, True)] == seen(scores, "h1", limit=1, before=stamp_of("run 3"))


def test_a_household_that_moved_is_seen_in_each_region_as_of_when_it_lay_there(scores):
    moved = HOMES.assign(region_id="R2", area_id="R2.1", risk_find=0.3)
    keep(scores, run("before", model="determinants-a"), run("after", homes=moved, model="determinants-b"))

    assert [(stamp_of("before"), 0.1, None, False)] == seen(scores, "h1", of("R1"))
    # Nothing tells that there was a model before, where the household was not theirs.
    assert [(stamp_of("after"), 0.3, None, False)] == seen(scores, "h1", of("R2"))
    assert [] == seen(scores, "h1", of("R3")) == seen(scores, "nobody", of("R3"))
    assert [stamp_of("after")] == [one[0] for one in seen(scores, "h3", of("R2"))]
    for unseen in ("before", "never"):
        with pytest.raises(InputRefused, match="no run of it"):
            scores.of_household("h1", who=of("R2"), limit=9, before=stamp_of(unseen))


def test_scores_are_paged_from_the_newest_in_the_order_in_which_they_were_seen(scores):
    keep(scores, *(run(f"run {place}", seen_at=NOON - place * DAY) for place in range(5)))  # a clock that goes back
    pages, last = [], None
    while page := scores.of_household("h1", who=ANYBODY, limit=2, before=last):
        pages.append([one.run.stamp for one in page])
        last = pages[-1][-1]

    stamps = [stamp_of(f"run {place}") for place in (4, 3, 2, 1, 0)]
    assert [stamps[:2], stamps[2:4], stamps[4:]] == pages


def test_old_runs_go_whole_and_the_newest_and_what_becomes_whole_stay(scores, store, tmp_path, monkeypatch):
    monkeypatch.setattr(score_store, "SLICE", 2)
    keep(scores, run("old", seen_at=NOON - 101 * DAY), run("young", seen_at=NOON - 99 * DAY))
    scores.keep_next(run("half, long ago", seen_at=NOON - 2 * DAY))
    scores.keep_next(run("half, now", seen_at=NOON))

    shown = due(store.database, LIMITS, folder=tmp_path)
    assert [(stamp_of("old"), 3), (stamp_of("half, long ago"), 2)] == [(one.stamp, one.kept) for one in shown.runs]
    assert shown == retain(store.database, LIMITS, who=at_command("siti"), folder=tmp_path)

    assert [2, 6, 5] == counts(scores)
    assert [stamp_of("young")] == [one[0] for one in seen(scores, "h1")]
    keep(scores, run("half, now"))
    assert 2 == len(seen(scores, "h1"))
    with store.database.reading() as connection:
        assert verify(connection).fault is None
        lines = connection.scalars(sa.select(trail.c.about).where(trail.c.act == "retain").order_by(trail.c.number))
        assert [(stamp_of("old"), 3), (stamp_of("half, long ago"), 2)] == [
            (told["scores"], told["households"]) for told in map(json.loads, lines)
        ]


def test_the_newest_scores_stay_however_old_they_are(scores, store, tmp_path):
    keep(scores, *(run(name, seen_at=NOON - 1_000 * DAY) for name in ("old", "newest")))
    retain(store.database, LIMITS, who=at_command("siti"), folder=tmp_path)

    assert [stamp_of("newest")] == [one[0] for one in seen(scores, "h1")]


def test_the_command_shows_old_scores_and_lets_go_of_them_when_told(scores, url, tmp_path):
    keep(scores, *(run(name, seen_at=NOON) for name in ("old", "newest")))
    environment = {
        "TEPAT_DATABASE": url,
        "TEPAT_FOLDER": str(tmp_path),
        "TEPAT_KEEP_SCORES_DAYS": "3",
        "COLUMNS": "200",
    }

    shown = CliRunner().invoke(app, ["retain"], env=environment | {"COLUMNS": "200"})
    assert (0, 1) == (shown.exit_code, shown.output.count("scores of 2024-05-06 by determinants-a")), shown.output
    assert 2 == len(seen(scores, "h1"))
    assert 0 == CliRunner().invoke(app, ["retain", "--apply"], env=environment).exit_code
    assert [stamp_of("newest")] == [one[0] for one in seen(scores, "h1")]


UNITS = drawn("""
    household_id | region_id | area_id | unit_kind | child_id | mother_id | as_of      | risk_now | risk_at_24m |
    -------------+-----------+---------+-----------+----------+-----------+------------+----------+------------
    h2           | R1        | R1.2    | child     | c3       | m2        | 2024-03-01 | 0.5      |             |
    h1           | R1        | R1.1    | child     | c1       | m1        | 2024-02-01 | 0.1      | 0.2         |
    h1           | R1        | R1.1    | child     | c2       | m1        | 2024-02-03 | 0.2      |             |
    h3           |           |         | pregnancy |          | m3        | 2024-01-05 |          | 0.3         |
""")
INTERVALS = drawn("""
    household_id | objective | risk_low | risk_high | interval_level |
    -------------+-----------+----------+-----------+---------------
    h1           | find      | 0.02     | 0.2       | 0.9            |
    h1           | prevent   | 0.1      | 0.3       | 0.9            |
    h2           | find      | 0.4      | 0.6       | 0.9            |
    h3           | prevent   | 0.2      | 0.4       | 0.9            |
""")


@pytest.fixture
def files(tmp_path):
    """Scores of three households; `c2`, a child of h1 past 24 months, is on the urgent list."""
    UNITS.assign(model_version="determinants-0123456789ab", simulated=False).to_parquet(tmp_path / "units.parquet")
    INTERVALS.to_parquet(tmp_path / "households.parquet")
    urgent = pd.DataFrame({"child_id": ["c2"], "mother_id": [None]}).astype("string")
    urgent.to_parquet(tmp_path / "urgent.parquet")
    return SimpleNamespace(paths=SimpleNamespace(scores=tmp_path, champion=tmp_path))


def test_a_household_has_the_risk_of_all_its_units_and_an_interval_only_of_just_these(files):
    scored = read_run(files, "stamp", seen_at=NOON)
    homes = scored.homes.set_index("household_id")

    assert ["h1", "h2", "h3"] == homes.index.tolist()
    assert [pytest.approx(0.28), 0.5] == homes.risk_find.tolist()[:2]
    assert [pytest.approx(0.2), pytest.approx(0.3)] == homes.risk_prevent.dropna().tolist()
    assert [("h2", 0.4, 0.6)] == list(homes[["risk_find_low", "risk_find_high"]].dropna().itertuples(name=None))
    assert {"h1": 0.1, "h3": 0.2} == homes.risk_prevent_low.dropna().to_dict()
    assert [("R1", "R1.1"), ("R1", "R1.2"), (None, None)] == [
        tuple(None if pd.isna(cell) else cell for cell in scored.places.loc[place]) for place in scored.homes.place
    ]
    assert (3, 0.9, ("find", "prevent"), dt.date(2024, 1, 5), dt.date(2024, 3, 1), None) == (
        scored.run.households, scored.run.interval_level, scored.run.objectives, scored.run.first_as_of,
        scored.run.last_as_of, scored.run.model_version,
    )  # fmt: skip


@pytest.mark.parametrize(("digest", "version"), [("0123456789abcdef", "7"), ("ffff456789abcdef", None)])
def test_the_version_is_that_of_the_champion_only_when_it_made_the_scores(files, digest, version):
    told = {"name": "determinants", "version": 7, "digest": digest}
    (files.paths.champion / "champion.json").write_text(json.dumps(told))

    assert version == read_run(files, "stamp", seen_at=NOON).run.model_version


@pytest.fixture
def district(kabupaten, tmp_path, monkeypatch):
    """The kabupaten, to be published anew."""
    made = copy_of(kabupaten, tmp_path / "kabupaten")
    monkeypatch.chdir(made.folder)
    monkeypatch.setattr(score_keeper, "PAUSE_S", 0.0)
    return made


@pytest.fixture
def keeper(url):
    shelf = Shelf(url)
    yield ScoreKeeper(shelf, every_seconds=0.01)
    shelf.close()


def publish_anew(folder, **columns):
    path = folder / "data/scores/units.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path)
    write_manifest(path.parent)


def test_what_is_published_is_kept_as_the_pages_have_it_and_again_when_it_is_published_anew(district, keeper, scores):
    keeper.look()
    keeper.look()
    publish_anew(district.folder, model_version="determinants-ffffffffffff")
    keeper.look()

    now = Published().scores()
    homes = now.units.index.unique().tolist()
    assert [2, 2 * len(homes)] == [counts(scores)[0], counts(scores)[2]]
    assert scores.has(now.stamp)
    for home in homes[::20]:
        pair = scores.of_household(home, who=ANYBODY, limit=9)
        said = now.household(home)
        assert [(said["risk_find"], said["risk_prevent"])] * 2 == [(one.risk_find, one.risk_prevent) for one in pair]
        assert {(said["region_id"], said["area_id"])} == {(one.region_id, one.area_id) for one in pair}
        assert [True, False] == [one.model_changed for one in pair]
        assert [None, "1"] == [one.run.model_version for one in pair]


def test_what_is_half_there_is_not_kept(district, keeper, scores):
    (district.folder / "data/scores/facts.parquet").unlink()
    keeper.look()

    assert [0, 0, 0] == counts(scores)


@pytest.mark.usefixtures("district")
def test_a_disk_with_no_room_to_spare_takes_no_scores_and_is_asked_again(keeper, scores, monkeypatch, caplog):
    room, database = [1], type(scores.database)
    monkeypatch.setattr(database, "free_bytes", lambda _: room[0])
    with caplog.at_level(logging.WARNING, logger="tepat"):
        assert [False, False] == [keeper._looked(), keeper._looked()]

    assert [0, 0, 0] == counts(scores)
    assert ["scores not kept"] == [line.message for line in caplog.records]
    room[0] = 2**40
    assert keeper._looked()
    assert 1 == counts(scores)[0]


@pytest.mark.usefixtures("district")
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_store_that_may_not_be_written_is_asked_again(url, keeper, scores, postgres):
    name = url.rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            keeper.look()
    postgres.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    keeper._shelf.close()  # connections that were opened meanwhile
    keeper.look()

    assert 1 == counts(scores)[0]


@pytest.mark.usefixtures("district")
def test_a_store_that_is_away_is_asked_again_and_then_keeps_the_scores(url, scores, monkeypatch):
    shelf = Shelf(url)
    keeper = ScoreKeeper(shelf, every_seconds=0.01)
    opened, refusals = shelf._opened, iter([OSError("away")] * 2)

    def away():
        for refusal in refusals:
            raise refusal
        return opened()

    monkeypatch.setattr(shelf, "_opened", away)
    with pytest.raises(StoreUnavailable):
        keeper.look()
    keeper.start()
    until = dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=60)
    while not (kept := counts(scores)[0]) and dt.datetime.now(tz=dt.UTC) < until:
        pass
    keeper.stop()
    shelf.close()

    assert 1 == kept


def told(values, **more):
    """Rows of the page for risks from the oldest to the newest, each its own run."""
    runs = [run(f"run {place}").run for place in range(len(values))]
    homes = dict.fromkeys(RISKS) | {"region_id": None, "area_id": None}
    scored = [Score(run=one, **homes | {"risk_find": value} | more) for one, value in zip(runs, values, strict=True)]
    return rows_of(scored[::-1], stamp=stamp_of("run 0"))


def test_a_picture_has_a_dot_for_every_score_and_no_line_over_a_run_without_one():
    rows = told([0.1, 0.2, None, 0.3, 0.0])
    [picture] = pictures(rows)

    assert (0.3, 4, 2) == (picture.top, len(picture.dots), len(picture.lines))
    assert [(8, HEIGHT - 8 - (HEIGHT - 16) / 3), (WIDTH - 8, HEIGHT - 8)] == [
        (pytest.approx(x), pytest.approx(y, abs=0.1)) for x, y in (picture.dots[0], picture.dots[-1])
    ]
    assert picture.lines[0].split() == [f"{x},{y}" for x, y in picture.dots[:2]]
    assert [True, False] == [rows[-1].in_use, rows[0].in_use]
    assert () == pictures(told([0.1])) == pictures(told([0.1, None])) == pictures(())


def test_a_risk_above_the_usual_is_drawn_within_the_picture():
    [picture] = pictures(told([0.05, 0.97], risk_find_low=0.01, risk_find_high=0.999))

    assert 1.0 == picture.top
    assert all(0 <= y <= HEIGHT for _, y in picture.dots)
    assert 4 == len(picture.spreads[0].split())


@pytest.fixture(scope="module")
def home(server, kabupaten):
    """A household of which the service has kept its own run, and another came after it."""
    units = pd.read_parquet(kabupaten.folder / "data/scores/units.parquet")
    homes = units[units.risk_now.notna()].household_id.drop_duplicates().tolist()
    found = homes[len(homes) // 2]
    server.wait_for(lambda: server.client.get(f"/v1/households/{found}/scores").json().get("scores"))
    opened = open_store(f"sqlite:///{kabupaten.folder}/data/serving/tepat.db")
    others = pd.DataFrame({"household_id": [found], "region_id": "R9", "area_id": "R9.1"})
    rest = dict.fromkeys(RISKS) | {"risk_find": 0.4567, "risk_find_low": 0.4, "risk_find_high": 0.5}
    later = run("later", homes=others.assign(**rest), model="determinants-of-another", version="12")
    keep(ScoreStore(opened.database), later)
    opened.close()
    return found


def shown(cell):
    """A risk as the page says it, read back."""
    return float(re.search(r"<strong>([\d,]+)%</strong>", cell)[1].replace(",", ".")) / 100


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    def test_the_api_tells_the_scores_page_by_page_and_answers_304_to_who_has_them(self, server, home):
        path = f"/v1/households/{home}/scores"
        answer = server.client.get(path)
        newest, first = answer.json()["scores"]
        now = server.client.get(f"/v1/households/{home}").json()

        assert (now["risk_find"], now["risk_prevent"], now["region_id"], True) == (
            first["risk_find"], first["risk_prevent"], first["region_id"], first["in_use"],
        )  # fmt: skip
        assert (0.4567, True, False, "12") == tuple(
            newest[name] for name in ("risk_find", "model_changed", "in_use", "model_version")
        )
        assert answer.json()["next_before"] is None
        page = server.client.get(path, params={"limit": 1})
        assert [newest] == page.json()["scores"]
        assert [first] == server.client.get(page.links["next"]["url"]).json()["scores"]
        assert 404 == server.client.get(path, params={"before": "never"}).status_code
        assert 304 == server.client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code

    def test_the_page_shows_the_numbers_of_the_store_without_a_script(self, server, home):
        page = server.client.get(f"/households/{home}", headers={"Accept": "text/html"}).text
        scores = server.client.get(f"/v1/households/{home}/scores").json()["scores"]
        rows = dict(re.findall(r'<tr data-run="(\w+)">(.*?)</tr>', page, re.DOTALL))

        assert [one["stamp"] for one in scores] == list(rows)
        for one in scores:
            cells = rows[one["stamp"]].split("<td")
            assert shown(cells[2]) == pytest.approx(one["risk_find"], abs=0.0006)
            assert f"versi {one['model_version']} " in cells[1]
            assert one["model_changed"] == ("model diganti" in cells[1])
            assert one["in_use"] == ("berlaku sekarang" in cells[0])
        assert "(antara 40,0% dan 50,0%)" in rows[stamp_of("later")]
        [picture] = re.findall(r'<ul class="score-charts">.*?</ul>', page, re.DOTALL)
        assert 2 == picture.count("<circle")
        assert 'class="change"' in picture
        assert "menjadi 45,7%" in re.search(r'aria-label="([^"]+)"', picture)[1]
        assert "<script" not in page[page.index('id="scores"') :]

    def test_a_look_at_the_scores_stands_in_the_trail(self, server, home):
        server.client.get(f"/v1/households/{home}/scores", headers={"X-Request-ID": "scores-look"})
        lines = server.client.get("/v1/trail", params={"act": "household.see"}).json()["lines"]

        assert [([home], "done", {"what": "scores"})] == [
            (one["households"], one["outcome"], one["about"]) for one in lines if one["request_id"] == "scores-look"
        ]
