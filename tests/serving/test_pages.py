"""Every page, as every role, in both languages, on a laptop and a phone: whole, and of one's own regions alone."""

from __future__ import annotations

import re
from contextlib import nullcontext
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest

from tests.serving.crawl import NO_PAGE, PAGES, page_of
from tests.serving.district import READERS, closed, look_through, read_without_a_script
from tests.serving.known import OWN
from tests.serving.path import five_minutes
from tests.serving.watching import PHONE, Watched

pytestmark = pytest.mark.xdist_group("pages")
FIRST_BYTES, BYTES = 300_000, 60_000
"""Of a first page with all that it loads, and of the page alone; maps and charts aside."""
FOREIGN = re.compile(r"<style|style=|<script(?! src=)| on\w+=|https?://(?!www\.w3\.org)")
CHART = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture(scope="module")
def near(kabupaten):
    """One region, where somebody is in danger."""
    return pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet").region_id.dropna().min()


@pytest.fixture(scope="module")
def district(kabupaten, near, tmp_path_factory):
    with closed(kabupaten, tmp_path_factory.mktemp("pages"), near=near) as found:
        yield found


@pytest.fixture(scope="module")
def walks(district):
    """What each role finds, by role and address."""
    return district.walked()


def test_every_link_leads_somewhere_for_whoever_is_shown_it(walks):
    broken = {
        (role, address, answer.status_code)
        for role, seen in walks.items()
        for address, answer in seen.items()
        if answer.status_code != httpx.codes.OK
    }
    assert set() == broken


def test_every_page_is_found_by_links_alone(walks):
    found = {page_of(urlsplit(address).path) for seen in walks.values() for address in seen}
    assert PAGES.keys() - NO_PAGE - found - {"/sign-in", "/password"} == set()


def test_a_page_is_small(walks):
    large = {
        (address, len(CHART.sub("", answer.text)))
        for seen in walks.values()
        for address, answer in seen.items()
        if "text/html" in answer.headers.get("content-type", "") and len(CHART.sub("", answer.text)) > BYTES
    }
    assert set() == large


def test_a_first_page_is_small_with_all_that_it_loads(walks, district):
    with district.reader("planner") as reader:
        for address, answer in walks["planner"].items():
            text = CHART.sub("", answer.text)
            files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
            assert files or "text/html" not in answer.headers.get("content-type", ""), address
            assert len(text) + sum(len(reader.get(file).content) for file in files) <= FIRST_BYTES, address


def test_no_page_has_a_script_or_a_style_in_it(walks):
    for seen in walks.values():
        for address, answer in seen.items():
            if "text/html" in answer.headers.get("content-type", ""):
                assert [] == FOREIGN.findall(answer.text), address


def test_who_may_look_in_one_region_finds_nothing_of_another_on_any_page(walks, district, kabupaten):
    units = pd.read_parquet(kabupaten.folder / "data/scores/units.parquet")
    areas = pd.read_parquet(kabupaten.folder / "data/interim/area.parquet")
    far, far_areas = units[units.region_id != district.near], areas[areas.region_id != district.near]
    names = {*far.household_id, *far.unit_id, *far_areas.area_id, *far_areas.region_id, *far_areas.area_name.dropna()}
    known = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    seen = walks["near"]
    assert any(address.startswith("/households/") for address in seen)
    for address, answer in seen.items():
        assert None is known.search(answer.text), address


def test_a_household_or_a_region_of_elsewhere_is_not_found_by_its_address(district, kabupaten):
    units = pd.read_parquet(kabupaten.folder / "data/scores/units.parquet")
    far = units[units.region_id != district.near].iloc[0]
    with district.reader("near") as reader:
        unknown = reader.get("/households/nobody-at-all")
        there = reader.get(f"/households/{far.household_id}")
    assert (404, 404) == (unknown.status_code, there.status_code)
    assert number_taken(unknown.text) == number_taken(there.text)


def number_taken(page):
    return re.sub(r"[0-9a-f]{32}|households/[^&\"?]+|households%2F[^&\"]+", "", page)


@pytest.mark.parametrize(("role", "code"), READERS)
def test_no_page_shuts_anybody_out_or_complains_or_asks_elsewhere(browser, district, walks, *, role, code):
    look_through(browser, district, walks[role], role=role, code=code)


@pytest.mark.parametrize("code", ["id", "en"])
def test_from_a_number_of_visits_to_a_printed_list_in_five_steps(browser, district, tmp_path, code):
    seen = Watched(browser, district.address)
    seen.speak(code)
    seen.sign_in("a-planner", OWN)
    five_minutes(seen, tmp_path / "list.pdf", visits=40, code=code)
    seen.close()


def test_a_list_is_read_searched_and_printed_without_a_script(browser, district):
    list_id = district.made(name="Tanpa skrip", capacity=30)
    lines = district.lines(list_id)
    read_without_a_script(browser, district.address, name="a-planner", path=f"/lists/{list_id}", lines=lines)


FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return [style.outlineStyle, parseFloat(style.outlineWidth)];
}"""


def tab_to(seen: Watched, selector: str, *, at_most: int = 150) -> None:
    """Go on with the Tab key until the focus is there; wherever it stops on the way, it is seen."""
    for _ in range(at_most):
        seen.page.keyboard.press("Tab")
        line, width = seen.page.evaluate(FOCUS)
        assert (True, True) == (line != "none", width >= 2), seen.page.evaluate("document.activeElement.outerHTML")
        if seen.page.evaluate("where => document.activeElement.matches(where)", selector):
            return
    pytest.fail(f"the Tab key never came to {selector}")


def test_a_list_is_made_and_a_household_opened_with_the_keyboard_alone(browser, district):
    seen = Watched(browser, district.address)
    seen.sign_in("a-planner", OWN)
    seen.open("/")
    seen.page.keyboard.press("Tab")
    assert "#main" == seen.page.evaluate("document.activeElement.getAttribute('href')")
    for selector, keys, there in (
        ("nav a[href='/lists']", ["Enter"], "/lists$"),
        ("main a[href^='/lists/new']", ["Enter"], "/lists/new"),
        ("#visits", ["Control+a", "4", "0"], "/lists/new"),
        ("#name", [*"Papan"], "/lists/new"),
        ("button[name='do'][value='save']", ["Enter"], r"/lists/[0-9a-f]{32}"),
    ):
        tab_to(seen, selector)
        for key in keys:
            seen.page.keyboard.press(key)
        seen.page.wait_for_url(re.compile(there))
    tab_to(seen, "table a[href^='/households/']")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(re.compile("/households/"))
    assert [] == seen.faults
    seen.close()


def test_households_are_given_to_an_officer_and_a_visit_is_noted_with_the_keyboard_alone(browser, district):
    seen = Watched(browser, district.address)
    seen.sign_in("a-planner", OWN)
    seen.open("/lists")
    press(seen, "main a[href^='/lists/']:not([href^='/lists/new'])", "Enter")
    press(seen, "input[name='household']", "Space")
    press(seen, "#to", *"Kader Melati", at_most=400)
    press(seen, "button[name='do'][value='give']", "Enter")
    assert "Kader Melati" in seen.page.inner_text("table tbody")
    seen.close()
    assert [] == seen.faults

    seen = Watched(browser, district.address, size=PHONE)
    seen.sign_in("a-puskesmas", OWN)
    seen.open("/field")
    press(seen, "main a[href^='/field/']", "Enter")
    press(seen, "[data-households] a", "Enter")
    press(seen, "input[name='outcome']", "ArrowDown")
    assert seen.page.is_checked("#o-not_home")
    press(seen, "button[name='do'][value='save']", "Enter")
    assert "kept=" in seen.page.url
    assert [] == seen.faults
    seen.close()


def press(seen: Watched, selector: str, *keys: str, at_most: int = 150) -> None:
    """Go there with the Tab key, and press; what leads to another page has led there."""
    tab_to(seen, selector, at_most=at_most)
    with seen.page.expect_navigation() if keys == ("Enter",) else nullcontext():
        for key in keys:
            seen.page.keyboard.press(key)
