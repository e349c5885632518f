"""A list as PDF: first whom to refer at once, then a group of pages for each desa, or one by rank."""

from __future__ import annotations

import datetime as dt
from itertools import groupby, islice
from textwrap import shorten
from typing import IO, TYPE_CHECKING, Any

from serving.errors import RequestRefused
from serving.exporting import referred
from serving.exporting.cells import plain
from serving.exporting.export import RISKS, heading_of
from serving.exporting.paper import BODY, DARK, LARGE, MARGIN, PAD, PALE, RED, SMALL, STEP, WHITE, WIDTH, Paper
from serving.exporting.words import day, moment, percent, risk
from targeting.headings import HEADINGS, NOTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serving.exporting.export import Export
    from serving.listing import Line

MOST = 5_000
"""Lines that somebody would print."""
LEAST_MM = 13.0
LONGEST_NAME = 120
"""Characters of a desa's name at the head of a page; the column `area_name` has all of them."""
LINES_OF_A_PAGE = 36
"""A row that has more begins where it is, and is parted."""
VISITED = "Dikunjungi (tgl, paraf)"
REFERRED = "Dirujuk (tgl, paraf)"
SIGNED_MM = 26.0
"""For a date and a signature."""
SIGN_MM = 34.0
ALL = "Semua desa"
SIMULATED = "SIMULASI\nTidak ada orang nyata di dalamnya; jangan dipakai untuk kunjungan."
WIDER = {"reasons_id": 1.5, "reasons_en": 1.5, "household_id": 1.2, "risk": 1.7}


def write(made: Export, lines: Iterable[Line], into: IO[bytes]) -> None:
    """The whole file.

    Raises
    ------
    RequestRefused
        There are more than `MOST` lines.
    """
    found = list(islice(lines, MOST + 1))
    if len(found) + len(referred.rows(made)) > MOST:
        raise RequestRefused(f"More than {MOST:,} lines for paper; ask for one `region`, or for format=csv or xlsx.")
    foot = (f"{NOTES[0][0]} {NOTES[1][0]}", f"Tepat · {made.listed.model_stamp} · {made.mark}")
    paper = Paper(foot=foot, warning=SIMULATED if made.listed.simulated else None)
    paper.set_creation_date(made.made_at)
    paper.set_title(plain(made.listed.name))
    _referred_pages(paper, made)
    columns = [(heading_of(name), HEADINGS[name][2] * WIDER.get(name, 1.0)) for name in made.columns]
    table = Table(paper, columns, last=VISITED)
    for place, rows in _parts(found, by_area=made.by_area):
        _desa_pages(table, made, place, rows)
    into.write(paper.output())


def _parts(found: list[Line], *, by_area: bool) -> list[tuple[str, list[Line]]]:
    """What stands together: the lines of each desa, or all of them."""
    if not by_area or not found:
        return [(ALL, found)]
    return [(place, list(rows)) for place, rows in groupby(sorted(found, key=_by_desa), key=_desa)]


def _by_desa(line: Line) -> tuple[str, str]:
    return line.region_id or "", line.area_id or ""


def _desa(line: Line) -> str:
    if line.area_id is None:
        return "Desa tidak diketahui"
    named = shorten(plain(line.area_name or "Desa"), LONGEST_NAME, placeholder="...")
    return f"{named} ({line.area_id})"


def _referred_pages(paper: Paper, made: Export) -> None:
    _begin(paper, made, title=referred.TITLE, said=referred.said(made))
    table = Table(paper, referred.HEADS, last=REFERRED)
    table.continued = referred.TITLE
    rows = referred.rows(made)
    if rows:
        table.head()
    for row in rows:
        table.row(row)


def _begin(paper: Paper, made: Export, *, title: str | None = None, said: str) -> None:
    """A page with its letterhead, and the list that it is of."""
    paper.add_page()
    for words in made.letterhead:
        paper.say(words, size=LARGE, bold=True)
    if title is not None:
        paper.say(title, size=LARGE, bold=True, colour=RED)
    paper.say(made.listed.name, size=LARGE, bold=True, colour=DARK)
    paper.say(said, size=LARGE)
    at = moment(made.listed.created_at, zone=made.zone)
    paper.say(f"Daftar {made.listed.id}, dibuat {at}; {_data_of(made)}.", size=BODY)
    paper.set_y(paper.get_y() + 2 * PAD)


def _desa_pages(table: Table, made: Export, place: str, rows: Sequence[Line]) -> None:
    paper = table.paper
    said = f"{place}: {len(rows)} keluarga" if rows else "Tidak ada keluarga dari wilayah ini di daftar."
    only = f" ({made.sought})" if made.sought else ""
    _begin(paper, made, said=f"{said}{only}")
    table.continued = place
    if rows:
        table.head()
    for line in rows:
        table.row([shown(name, line) for name in made.columns])
    _signatures(paper, place)


def _data_of(made: Export) -> str:
    policy = f", kebijakan {made.listed.policy_stamp}" if made.listed.policy_stamp else ""
    return f"model {made.listed.model_stamp}{policy}, tujuan {made.listed.objective}"


def _signatures(paper: Paper, place: str) -> None:
    if paper.room < SIGN_MM:
        paper.add_page()
        paper.say(f"{place} (lanjutan)", size=BODY, bold=True)
    top = paper.get_y() + 4 * PAD
    for across, who in ((MARGIN, "Disusun oleh"), (WIDTH / 2 + MARGIN, "Petugas kunjungan")):
        paper.letters(BODY)
        paper.text(across, top + STEP, f"{who},")
        paper.text(across, top + 2 * STEP, "Tanggal: ....................")
        paper.line(across, top + 6 * STEP, across + 70, top + 6 * STEP)
        paper.text(across, top + 7 * STEP, "Nama, jabatan")


def shown(name: str, line: Line) -> str:
    """A cell as Indonesians write it."""
    value: Any = getattr(line, name)
    if name == "risk" and line.risk_low is not None and line.risk_high is not None:
        return f"{risk(line.risk)} ({percent(line.risk_low)} - {percent(line.risk_high)})"
    if name in RISKS and value is not None:
        return risk(value) if name == "risk" else percent(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.date):
        return day(value)
    return plain(str(value))


def _number(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


class Table:
    """Rows under a head that every page repeats."""

    def __init__(self, paper: Paper, columns: Sequence[tuple[str, float]], *, last: str) -> None:
        """Of `columns` what each is called and how wide it is beside the others; `last` is for signing."""
        self.paper, self.continued = paper, ""
        room = WIDTH - 2 * MARGIN - SIGNED_MM
        wanted = [width for _, width in columns]
        spare = room - LEAST_MM * len(columns)
        self._widths = [*(LEAST_MM + spare * one / sum(wanted) for one in wanted), SIGNED_MM]
        self._headings = [*(heading for heading, _ in columns), last]

    def head(self) -> None:
        """The names of the columns."""
        self.paper.letters(SMALL, bold=True, colour=WHITE)
        self._band(self._laid(self._headings), fill=DARK)

    def row(self, cells: Sequence[str]) -> None:
        """One household; a text that is longer than a page goes on over the next ones."""
        self.paper.letters(SMALL)
        laid, fresh = self._laid([*cells, ""]), False
        while laid:
            fits = int((self.paper.room - 2 * PAD) // STEP)
            if not fresh and (fits < 1 or fits < len(laid) <= LINES_OF_A_PAGE):
                self._next_page()
                fresh = True
                continue
            self.paper.letters(SMALL)
            self._band(laid[: max(fits, 1)], fill=None)
            laid, fresh = laid[max(fits, 1) :], False

    def _next_page(self) -> None:
        self.paper.add_page()
        self.paper.say(f"{self.continued} (lanjutan)", size=BODY, bold=True)
        self.head()

    def _laid(self, cells: Sequence[str]) -> list[list[str]]:
        """Lines of text of a row, one word for each column."""
        wrapped = [
            self.paper.wrapped(self.paper.written(text), width - 2 * PAD)
            for text, width in zip(cells, self._widths, strict=True)
        ]
        depth = max(map(len, wrapped))
        return [[lines[at] if at < len(lines) else "" for lines in wrapped] for at in range(depth)]

    def _band(self, laid: Sequence[Sequence[str]], *, fill: tuple[int, int, int] | None) -> None:
        paper, left, top = self.paper, MARGIN, self.paper.get_y()
        height = len(laid) * STEP + 2 * PAD
        paper.set_draw_color(*PALE)
        for column, width in enumerate(self._widths):
            if fill is not None:
                paper.set_fill_color(*fill)
            paper.rect(left, top, width, height, style="DF" if fill else "D")
            for at, line in enumerate(laid):
                if line[column]:
                    paper.text(left + PAD, top + PAD + (at + 0.75) * STEP, line[column])
            left += width
        paper.set_y(top + height)
