"""A closed service with a list, readers of every role, and what each of them finds and sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from serving.access.roles import Role
from serving.access.scope import Scope
from serving.examples_plan import POLICY
from tests.project import Project
from tests.serving.conftest import Server
from tests.serving.crawl import page_of, visited
from tests.serving.known import OWN, person, system
from tests.serving.watching import AXE, LAPTOP, NO_AXE, PHONE, Watched

LOOSE = {"floors": {}, "reserves": {}, "workload": {}}
HTML = {"Accept": "text/html"}
READERS = [pytest.param(role.value, code, id=f"{role.value}-{code}") for role in Role for code in ("id", "en")]
"""Every role, in both languages."""


class District:
    """The service, its readers, and whom it knows of one region."""

    def __init__(self, server: Server, url: str, near: str) -> None:
        self.server, self.near = server, near
        self.address = str(server.client.base_url).rstrip("/")
        self.keys = {one.value: person(url, server, f"a-{one.value}", roles=[one.value]) for one in Role}
        of = Scope(regions=frozenset({near}))
        self.keys["near"] = person(url, server, "a-near", roles=["planner"], scope=of)
        self.maker = system(url, "maker", roles=["planner"])
        self.list_id = self.made(name="Semua", capacity=1000)
        self.made(name="Putaran uji", policy=POLICY | LOOSE)
        assert server.client.post("/v1/jobs", json={"name": "Uji"}, headers=self.keys["data_officer"]).is_success

    def made(self, **asked: Any) -> str:
        """The id of a new list."""
        answer = self.server.client.post("/v1/worklists", json=asked, headers=self.maker)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def lines(self, list_id: str) -> list[dict[str, Any]]:
        """The first thousand of a list, as the API has them."""
        answer = self.server.client.get(f"/v1/worklists/{list_id}?limit=1000", headers=self.maker)
        found: list[dict[str, Any]] = answer.json()["lines"]
        return found

    def reader(self, role: str) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers=self.keys[role] | HTML, timeout=60)

    def walked(self, *, at_most: int = 3) -> dict[str, dict[str, httpx.Response]]:
        """What each role finds, each page at most so often; by role and address."""
        found = {}
        for role in self.keys:
            with self.reader(role) as reader:
                found[role] = visited(reader, at_most=at_most)
        return found


@contextmanager
def closed(place: Project, folder: Path, *, near: str) -> Iterator[District]:
    """A closed service on a project, with its own folder and store, until the end of the block."""
    told = {"TEPAT_ACCESS": "closed", "TEPAT_FOLDER": str(folder / "own"), "TEPAT_SIGN_INS_PER_MINUTE": "1000"}
    url = f"sqlite:///{folder}/store.db"
    running = Server(place.folder, TEPAT_DATABASE=url, TEPAT_PER_MINUTE="100000", **told)
    try:
        yield District(running, url, near)
    finally:
        running.stop()


def look_through(browser: Browser, district: District, found: dict[str, Any], *, role: str, code: str) -> None:
    """Open each page that somebody finds once: nothing may shut them out, complain, ask elsewhere or lie sideways.

    A page is loaded, and asked whom it shuts out, in one size, and in the other one in the other language.
    """
    if not AXE.exists():
        pytest.skip(NO_AXE)
    here, there = (LAPTOP, PHONE) if code == "id" else (PHONE, LAPTOP)
    seen = Watched(browser, district.address, size=here)
    seen.speak(code)
    seen.sign_in(f"a-{role}", OWN)
    for address in {page_of(urlsplit(address).path): address for address in reversed(found)}.values():
        seen.resize(here)
        assert (httpx.codes.OK, code) == (seen.open(address), seen.page.get_attribute("html", "lang")), address
        assert (0, []) == (seen.sideways(), seen.shut_out()), address
        seen.resize(there)
        assert 0 == seen.sideways(), address
    assert [] == seen.faults
    seen.close()


def read_without_a_script(browser: Browser, address: str, *, name: str, path: str, lines: list[dict[str, Any]]) -> None:
    """Read a list, search in it, open a household and print it, in a browser that runs no script."""
    seen = Watched(browser, address, size=LAPTOP, java_script_enabled=False)
    seen.sign_in(name, OWN)
    assert seen.open(path) == httpx.codes.OK
    assert lines[0]["household_id"] == seen.page.locator(".lines tbody th a").first.inner_text()
    last = lines[-1]["household_id"]
    seen.page.fill("#q", last)
    seen.follow(".look button")
    assert last == seen.page.locator(".lines tbody th a").first.inner_text()
    seen.follow(".lines tbody a >> nth=0")
    assert f"/households/{last}?list=" in seen.page.url
    assert seen.open(f"{path}/print?sort=area") == httpx.codes.OK
    sheets = len({line["area_id"] for line in lines})
    assert sheets <= seen.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 2 * sheets + 1
    assert [] == seen.faults
    seen.close()
