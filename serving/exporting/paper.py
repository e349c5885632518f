"""A page for the field: A4 on its side, a letterhead, rows that are never cut, and marks on every sheet."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from fpdf import FPDF

from serving.exporting.cells import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
FONT, BOX = "DejaVu", "\u25a1"
MARGIN, FOOT = 10.0, 16.0
WIDTH, HEIGHT = 297.0, 210.0
PAD, STEP = 1.0, 3.5
SMALL, BODY, LARGE, HUGE = 6.5, 7.5, 11.0, 20.0
RED, GREY, DARK, PALE = (170, 30, 20), (90, 90, 90), (31, 78, 95), (225, 232, 236)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)

# They would write characters of a text into the log, and tell of every table of a font.
for chatty in ("fpdf", "fontTools"):
    logging.getLogger(chatty).setLevel(logging.ERROR)


class Paper(FPDF):
    """A document whose every page has the same foot, and a warning when nobody in it exists.

    Lengths are millimetres, sizes of letters points.
    """

    def __init__(self, *, foot: Sequence[str], warning: str | None) -> None:
        super().__init__(orientation="landscape", unit="mm", format="A4")
        self._foot, self._warning = foot, warning
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self._letters = frozenset(self.fonts[FONT.lower()].cmap)  # type: ignore[union-attr]  # a TrueType font
        self.set_auto_page_break(auto=False)
        self.set_margin(MARGIN)
        self._wide = cache(self._width_of)

    def header(self) -> None:
        """The warning, in letters that nobody overlooks."""
        self.set_y(MARGIN)
        if self._warning is not None:
            for size, line in zip((HUGE, BODY), self._warning.split("\n"), strict=True):
                self.say(line, size=size, bold=True, colour=RED)
            self.set_y(self.get_y() + PAD)

    def footer(self) -> None:
        """The marks of the copy, and the page of how many."""
        self.set_y(HEIGHT - FOOT + 2 * PAD)
        for line in self._foot:
            self.say(line, size=SMALL, colour=GREY)
        self.cell(text=f"Halaman {self.page_no()} dari {self.str_alias_nb_pages}")  # only a cell has the count put in

    @property
    def room(self) -> float:
        """What is left above the foot. [mm]"""
        return float(HEIGHT - FOOT - self.get_y())

    def letters(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = BLACK) -> None:
        """How the next text looks."""
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*colour)

    def say(self, text: str, *, size: float, bold: bool = False, colour: tuple[int, int, int] = BLACK) -> None:
        """A paragraph over the width of the page, below what is there."""
        self.letters(size, bold=bold, colour=colour)
        height = size * 0.45
        for line in self.wrapped(self.written(text), WIDTH - 2 * MARGIN):
            self.text(MARGIN, self.get_y() + height * 0.8, line)
            self.set_y(self.get_y() + height)

    def written(self, text: str) -> str:
        """The text on one line, with a box for each letter that the font does not have."""
        return "".join(letter if ord(letter) in self._letters else BOX for letter in plain(text))

    def wrapped(self, text: str, width: float) -> list[str]:
        """The text in lines that are no wider than this in the letters of now; a word that is, is parted."""
        lines, line = [], ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if self._wide_of(longer) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            *whole, line = self._parted(word, width)
            lines += whole
        return [*lines, line]

    def _parted(self, word: str, width: float) -> list[str]:
        parts, part = [], ""
        for letter in word:
            if part and self._wide_of(part + letter) > width:
                parts.append(part)
                part = ""
            part += letter
        return [*parts, part]

    def _wide_of(self, text: str) -> float:
        """A sum over letters: DejaVu moves no two of them closer where shaping is off."""
        return sum(self._wide(letter, self.font_style, self.font_size_pt) for letter in text)

    def _width_of(self, letter: str, style: str, size: float) -> float:
        del style, size  # of the font of now; here for the memory of answers
        return float(self.get_string_width(letter))
