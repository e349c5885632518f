"""Draws the main pages, of a simulated kabupaten alone, for docs/page.md: `make screenshots`."""

from __future__ import annotations

import argparse
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image
from playwright.sync_api import sync_playwright

from tests.project import kabupaten_in
from tests.serving.conftest import Server
from tests.serving.watching import CHROMIUM, LAPTOP, NO_CHROMIUM, PHONE, Watched

COLOURS = 128
"""Of a picture: flat areas and text need no more, and it is a third of the size."""


def drawn(seen: Watched, path: str, name: str, *, folder: Path) -> None:
    """One page as a window shows it; a page that scrolls sideways, or complains, is no picture to show."""
    assert seen.open(path) == 200, path
    assert (0, []) == (seen.sideways(), seen.faults), path
    taken = PIL.Image.open(io.BytesIO(seen.page.screenshot())).convert("RGB")
    taken.quantize(COLOURS).save(folder / f"{name}.png", optimize=True)
    print(f"{folder / name}.png")


@contextmanager
def served() -> Iterator[Server]:
    """The service on a simulated kabupaten, where nobody is asked who they are."""
    with tempfile.TemporaryDirectory() as folder:
        running = Server(kabupaten_in(Path(folder) / "kabupaten").folder)
        try:
            yield running
        finally:
            running.stop()


def main() -> int:
    """Every picture; 1 where there is no browser."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=Path("docs/pictures"))
    folder: Path = asked.parse_args().out
    if CHROMIUM is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with served() as running, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        address = str(running.client.base_url).rstrip("/")
        made = running.client.post("/v1/worklists", json={"name": "Kunjungan triwulan 1", "capacity": 120}).json()["id"]
        home = running.client.get(f"/v1/worklists/{made}").json()["lines"][0]["household_id"]
        laptop, phone = Watched(browser, address), Watched(browser, address, size=PHONE)
        assert LAPTOP == tuple(laptop.page.viewport_size.values())  # type: ignore[union-attr]  # it has a size
        for name, path in {
            "overview": "/", "making": "/lists/new", "list": f"/lists/{made}",
            "household": f"/households/{home}?list={made}", "data-room": "/data",
        }.items():  # fmt: skip
            drawn(laptop, path, name, folder=folder)
        drawn(phone, f"/field/{made}", "field", folder=folder)
        first = re.search(rf'href="(/field/{made}/[^"]+)"', phone.page.content())
        assert first
        drawn(phone, first[1].replace("&amp;", "&"), "visit", folder=folder)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
