"""What a planner does in five minutes: from a number of visits to a printed list, and why one household is on it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.serving.watching import Watched

PDF = b"%PDF-"


def five_minutes(seen: Watched, paper: Path, *, visits: int) -> None:
    """Walk it as a reader of the Indonesian page does, by what is written on links and buttons."""
    page = seen.page
    assert seen.open("/") == 200
    page.get_by_role("link", name="Daftar", exact=True).click()
    page.get_by_role("link", name=re.compile("Buat daftar")).first.click()
    page.fill("#visits", str(visits))
    page.fill("#name", "Kunjungan triwulan 1")
    page.get_by_role("button", name="Simpan daftar").click()
    page.wait_for_url(re.compile(r"/lists/[0-9a-f]{32}"))
    home = page.locator("table a[href^='/households/']").first
    name = home.inner_text().strip()
    home.click()
    page.wait_for_url(re.compile("/households/"))
    assert name in page.locator("main").inner_text()
    assert 0 < page.locator("svg").count()
    page.go_back()
    page.get_by_role("link", name=re.compile("cetak")).first.click()
    page.wait_for_url(re.compile("/print"))
    paper.write_bytes(page.pdf(format="A4"))
    assert paper.read_bytes().startswith(PDF)
    assert 0 < page.locator("main table tbody tr").count()
    assert [] == seen.faults
