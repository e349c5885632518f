"""The page on a part of the real survey: every page, as every role, in both languages, on a laptop and a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest
from playwright.sync_api import Browser

from tests.project import Project, copy_of
from tests.serving.conftest import browser
from tests.serving.crawl import NO_PAGE, PAGES, page_of
from tests.serving.district import READERS, District, closed, look_through, read_without_a_script
from tests.serving.path import five_minutes
from tests.serving.watching import Watched

__all__ = ["browser"]  # a fixture of the serving tests
pytestmark = pytest.mark.xdist_group("survey run")  # of the worker that has it
NOT_FOUND = {"/sign-in", "/password", "/lists/{list_id}/urgent"}
"""What nobody who is signed in is led to, or the survey has nothing for."""


@pytest.fixture(scope="module")
def district(first_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    place = copy_of(first_run, tmp_path_factory.mktemp("survey-page"))
    near = pd.read_parquet(place.folder / "data/scores/units.parquet").region_id.dropna().min()
    with closed(place, tmp_path_factory.mktemp("survey-office"), near=near) as found:
        yield found


@pytest.fixture(scope="module")
def walks(district: District) -> dict[str, dict[str, Any]]:
    """What each role finds, each page once; by role and address."""
    return district.walked(at_most=1)


def test_every_link_leads_somewhere_and_every_page_is_found(walks: dict[str, dict[str, Any]]) -> None:
    assert {httpx.codes.OK} == {answer.status_code for seen in walks.values() for answer in seen.values()}
    found = {page_of(urlsplit(address).path) for seen in walks.values() for address in seen}
    assert PAGES.keys() - NO_PAGE - found <= NOT_FOUND


@pytest.mark.parametrize(("role", "code"), READERS)
def test_no_page_shuts_anybody_out_or_complains_or_asks_elsewhere(
    browser: Browser, district: District, walks: dict[str, dict[str, Any]], *, role: str, code: str
) -> None:
    look_through(browser, district, walks[role], role=role, code=code)


@pytest.mark.parametrize("code", ["id", "en"])
def test_from_a_number_of_visits_to_a_printed_list_in_five_steps(
    browser: Browser, district: District, tmp_path: Path, code: str
) -> None:
    seen = Watched(browser, district.address)
    seen.speak(code)
    seen.sign_in("a-planner", "kuda hijau naik perahu")
    five_minutes(seen, tmp_path / "list.pdf", visits=400, code=code)
    seen.close()


def test_a_list_is_read_searched_and_printed_without_a_script(browser: Browser, district: District) -> None:
    list_id = district.made(name="Tanpa skrip", capacity=30)
    lines = district.lines(list_id)
    read_without_a_script(browser, district.address, name="a-planner", path=f"/lists/{list_id}", lines=lines)


def test_who_may_look_in_one_region_finds_nothing_of_another_on_any_page(
    walks: dict[str, dict[str, Any]], district: District, first_run: Project
) -> None:
    units = pd.read_parquet(first_run.folder / "data/scores/units.parquet")
    far = units[units.region_id != district.near]
    assert any(address.startswith("/households/") for address in walks["near"])
    for address, answer in walks["near"].items():
        assert set() == {one for one in {*far.household_id, *far.region_id.dropna()} if one in answer.text}, address
