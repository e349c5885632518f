"""A page in a real browser, of which everything that went wrong is noted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
NO_CHROMIUM = "no Chromium on this machine: apt-get install chromium"
AXE = Path(sys.prefix) / "axe/node_modules/axe-core/axe.min.js"
NO_AXE = "no axe-core: `make test` fetches it where npm is installed"
LAPTOP, PHONE = (1366, 768), (360, 640)
SERIOUS = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Watched:
    """A browser's page at an address; `faults` are what it complained of, and requests that went elsewhere."""

    def __init__(self, browser: Browser, address: str, *, size: tuple[int, int] = LAPTOP, **told: Any) -> None:
        width, height = size
        self.address, self.faults = address, list[str]()
        # The policy of a page lets no other script in, and axe-core is one.
        self.context = browser.new_context(viewport={"width": width, "height": height}, **told)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda line: line.type in ("error", "warning") and self.faults.append(line.text))
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("request", lambda asked: self._look(asked.url))

    def _look(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"it asked {url}")

    def open(self, path: str) -> int:
        """The status of the page at a path of the service."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def follow(self, what: str | Locator) -> None:
        """Press what leads to another page, and wait until that page and what belongs to it is there."""
        pressed = self.page.locator(what) if isinstance(what, str) else what
        with self.page.expect_navigation():
            pressed.click()

    def resize(self, size: tuple[int, int]) -> None:
        """Make the window another one."""
        width, height = size
        self.page.set_viewport_size({"width": width, "height": height})

    def sign_in(self, name: str, password: str) -> None:
        self.open("/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.follow("main button")
        assert "/sign-in" not in self.page.url

    def speak(self, code: str) -> None:
        self.open(f"/language/{code}?next=/sign-in")

    def sideways(self) -> int:
        """By how much the page is wider than the window. [px]"""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def shut_out(self) -> list[str]:
        """What axe-core finds that shuts somebody out, as `rule: where`."""
        self.page.evaluate(AXE.read_text())  # by the browser's own tools, which the page's policy does not bind
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        return [
            f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]

    def close(self) -> None:
        self.context.close()
