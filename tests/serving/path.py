"""What a planner does in five minutes: from a number of visits to a printed list, and why one household is on it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.serving.watching import Watched

PDF = b"%PDF-"


WORDS = {
    "id": ("Daftar", "Buat daftar", "Simpan daftar", "Tampilan cetak"),
    "en": ("Lists", "Make a (new|priority)? ?list", "Save the list", "For printing"),
}
"""What is written on links and buttons, by language."""


def five_minutes(seen: Watched, paper: Path, *, visits: int, code: str = "id") -> None:
    """Walk it as a reader of a language does, by what is written on links and buttons."""
    page, (lists, make, save, print_it) = seen.page, WORDS[code]
    assert seen.open("/") == 200
    seen.follow(page.get_by_role("link", name=lists, exact=True))
    seen.follow(page.get_by_role("link", name=re.compile(make)).first)
    page.fill("#visits", str(visits))
    page.fill("#name", "Kunjungan triwulan 1")
    seen.follow(page.get_by_role("button", name=save))
    assert re.search(r"/lists/[0-9a-f]{32}", page.url)
    home = page.locator("table a[href^='/households/']").first
    name = home.inner_text().strip()
    seen.follow(home)
    assert "/households/" in page.url
    assert name in page.locator("main").inner_text()
    assert 0 < page.locator("svg").count()
    page.go_back()
    seen.follow(page.get_by_role("link", name=re.compile(print_it)).first)
    assert "/print" in page.url
    paper.write_bytes(page.pdf(format="A4"))
    assert paper.read_bytes().startswith(PDF)
    assert 0 < page.locator("main table tbody tr").count()
    assert [] == seen.faults
