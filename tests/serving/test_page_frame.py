"""The frame of the pages: signing in, languages, refusals; and that every text is there in both languages."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from features.growth import CATEGORIES
from serving import pages
from serving.access.roles import Role
from serving.access.scope import EVERYWHERE
from serving.pages.language import ENGLISH, NOT_KNOWN, WORDS, spoken
from tests.serving.conftest import Server
from tests.serving.known import OWN, accounts, person
from tests.serving.watching import AXE, NO_AXE, PHONE, Watched

pytestmark = pytest.mark.xdist_group("pages")
HERE = Path(pages.__file__).parent
CODE, TEMPLATES = ("**.py", "python"), ("templates/**.html", "jinja2")
HTML = {"Accept": "text/html"}
PLACEHOLDER = re.compile(r"%\((\w+)\)")


def texts() -> set[str]:
    """Every Indonesian text of the templates, of the code beside them, and of the growth standard's categories."""
    found = extract_from_dir(
        HERE, [CODE, TEMPLATES], {}, keywords={"_": None, "said": None, "words": None, "Place": (2,)}
    )
    of_growth = {word for _, _, words in CATEGORIES.values() for word in words}
    return of_growth | {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def english() -> dict[str, str]:
    written = [one for path in sorted((WORDS / ENGLISH).glob("*.po")) for one in read_po(BytesIO(path.read_bytes()))]
    return {one.id: one.string for one in written if one.id}


def test_every_text_is_there_in_english_too_and_none_is_left_over():
    known = english()
    assert [] == sorted(text for text in texts() if not known.get(text))
    assert [] == sorted(known.keys() - texts())


def test_a_text_has_the_same_places_to_fill_in_in_both_languages():
    for indonesian, text in english().items():
        assert sorted(PLACEHOLDER.findall(indonesian)) == sorted(PLACEHOLDER.findall(text)), indonesian


@pytest.mark.parametrize(
    ("code", "whole", "number", "percent", "price"),
    [("id", "12.346", "1.234,6", "7,3%", "Rp200.000"), ("en", "12,346", "1,234.6", "7.3%", "Rp200,000")],
)
def test_numbers_are_written_as_the_language_writes_them(code, whole, number, percent, price):
    said = spoken(code, zone="Asia/Jakarta")
    assert (whole, number, percent) == (said.whole(12345.6), said.number(1234.56), said.percent(0.0731, 1))
    assert price == said.rupiah(200_000)
    assert [NOT_KNOWN] * 4 == [said.whole(None), said.number(None), said.day(None), said.rupiah(None)]


@pytest.mark.parametrize(
    ("share", "told"),
    [(452 / 454, "99,6%"), (1.0, "100%"), (0.0, "0%"), (0.004, "0,4%"), (0.994, "99%"), (0.006, "1%")],
)
def test_a_share_reads_as_all_or_nobody_only_where_it_is(share, told):
    assert told == spoken("id", zone="Asia/Jakarta").percent(share)


@pytest.fixture(scope="module")
def closed(kabupaten, tmp_path_factory):
    """The service where everybody is asked, and who may sign in."""
    folder = tmp_path_factory.mktemp("frame")
    url = f"sqlite:///{folder}/store.db"
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=str(folder / "own"))
    person(url, running, "siti", roles=["planner"])
    running.url = url
    yield running
    running.stop()


@pytest.fixture
def one_time(closed):
    """The one-time password of somebody new."""
    with accounts(closed.url) as hand:
        return hand.add("budi", kind="person", roles=frozenset({Role.PLANNER}), scope=EVERYWHERE).one_time


@pytest.fixture
def asker(closed):
    with httpx.Client(base_url=closed.client.base_url, headers=HTML, timeout=60) as made:
        yield made


def enter(asker, name="siti", password=OWN, **more):
    return asker.post("/sign-in", data={"name": name, "password": password, **more})


def token_of(answer):
    return re.search(r'name="csrf_token" value="([^"]+)"', answer.text)[1]


def test_whoever_is_not_signed_in_is_led_to_the_form_and_back(asker):
    led = asker.get("/?region=x")
    assert (303, "/sign-in?next=%2F%3Fregion%3Dx") == (led.status_code, led.headers["location"])
    entered = enter(asker, next="/?region=x")
    assert (303, "/?region=x") == (entered.status_code, entered.headers["location"])
    assert 200 == asker.get("/").status_code


@pytest.mark.parametrize(
    "next_path", ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere", "javascript:x"]
)
def test_nobody_is_led_to_another_place(asker, next_path):
    assert "/" == enter(asker, next=next_path).headers["location"]
    assert "/" == asker.get("/language/en", params={"next": next_path}).headers["location"]


def test_a_wrong_password_is_answered_with_the_form_and_in_words(asker):
    answer = enter(asker, password="not this one")  # noqa: S106 (of nobody)
    assert 401 == answer.status_code
    assert "Nama dan kata sandi tidak cocok" in answer.text


def test_a_one_time_password_leads_to_the_choice_of_another_and_to_nothing_else(asker, one_time):
    assert "/password" == enter(asker, name="budi", password=one_time).headers["location"]
    assert "/password" == asker.get("/").headers["location"]
    token = token_of(asker.get("/password"))
    told = {"csrf_token": token, "old": one_time, "new": OWN}
    refused = {
        "tidak sama": told | {"again": "kuda merah"},
        "belum dapat dipakai": told | {"new": "budi budi", "again": "budi budi"},
        "yang sekarang tidak cocok": told | {"old": "bukan ini", "again": OWN},
    }
    for words, sent in refused.items():
        answer = asker.post("/password", data=sent)
        assert (True, True) == (answer.status_code in (401, 422), words in answer.text)
    assert "/" == asker.post("/password", data=told | {"again": OWN}).headers["location"]
    assert 200 == asker.get("/").status_code


def test_whoever_had_to_choose_a_password_first_comes_to_where_they_wanted_to_go(asker, closed):
    with accounts(closed.url) as hand:
        one_time = hand.add("dewi", kind="person", roles=frozenset({Role.PLANNER}), scope=EVERYWHERE).one_time
    wanted = "/lists?region=x"
    first = enter(asker, name="dewi", password=one_time, next=wanted).headers["location"]
    assert "/password?next=%2Flists%3Fregion%3Dx" == first == asker.get(wanted).headers["location"]
    page = asker.get(first)
    told = {"csrf_token": token_of(page), "old": one_time, "new": OWN, "again": OWN}
    assert "Kata sandi sekali pakai dari admin" in page.text
    assert f'name="next" value="{wanted}"' in asker.post("/password", data=told | {"again": "x", "next": wanted}).text
    assert wanted == asker.post("/password", data=told | {"next": wanted}).headers["location"]

    assert '<a class="who" href="/password">dewi<' in asker.get("/").text
    for elsewhere in ("//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere"):
        page = asker.get("/password", params={"next": elsewhere})
        assert ("sekali pakai" in page.text, 'name="next" value="/"' in page.text) == (False, True)
    told = {"csrf_token": token_of(page), "old": OWN, "new": OWN + " lagi", "again": OWN + " lagi"}
    assert "/" == asker.post("/password", data=told | {"next": "//elsewhere.example/"}).headers["location"]


def test_a_form_without_the_token_of_its_session_changes_nothing(asker):
    enter(asker)
    assert 403 == asker.post("/sign-out", data={"csrf_token": "of somebody else"}).status_code
    assert 200 == asker.get("/").status_code
    left = asker.post("/sign-out", data={"csrf_token": token_of(asker.get("/"))})
    assert (303, '"cache"') == (left.status_code, left.headers["clear-site-data"])
    assert 303 == asker.get("/").status_code


def test_a_page_that_is_not_there_says_so_in_the_readers_language(asker):
    enter(asker)
    assert "di luar wilayah Anda" in asker.get("/nowhere").text
    asker.get("/language/en")
    answer = asker.get("/nowhere")
    assert (404, True) == (answer.status_code, "outside your regions" in answer.text)
    assert "application/problem+json" == asker.get("/v1/nowhere").headers["content-type"]


def test_another_language_is_that_of_the_page_on_which_a_refused_form_stands(asker):
    answer = asker.post(
        "/sign-in", data={"name": "x", "password": "y"}, headers={"Referer": "http://any/sign-in?next=/a"}
    )
    assert 'href="/language/en?next=/sign-in%3Fnext%3D/a"' in answer.text
    answer = asker.post(
        "/sign-in", data={"name": "x", "password": "y"}, headers={"Referer": "http://any//other.example"}
    )
    assert 'href="/language/en?next=/"' in answer.text


def test_signing_in_works_on_a_phone_and_shuts_nobody_out(browser, closed):
    if not AXE.exists():
        pytest.skip(NO_AXE)
    seen = Watched(browser, str(closed.client.base_url).rstrip("/"), size=PHONE)
    seen.open("/sign-in")
    assert (0, []) == (seen.sideways(), seen.shut_out())
    seen.sign_in("siti", OWN)
    assert (0, [], []) == (seen.sideways(), seen.shut_out(), seen.faults)
    seen.close()
