"""The two languages of the page, with their words, numbers and dates. Templates are written in Indonesian."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

if TYPE_CHECKING:
    from fastapi import Request

INDONESIAN, ENGLISH = "id", "en"
LANGUAGES: Final = {INDONESIAN: "Bahasa Indonesia", ENGLISH: "English"}
COOKIE = "tepat_language"
WORDS = Path(__file__).parent / "words"
NOT_KNOWN = "\N{EN DASH}"


@dataclass(frozen=True)
class Language:
    """How one language says things; a value that is None is said as a dash."""

    code: str
    translations: NullTranslations
    zone: str

    def __call__(self, text: str, **values: object) -> str:
        """An Indonesian text in this language, its `%(name)s` filled in."""
        said = self.translations.gettext(text)
        return said % values if values else said

    def pick(self, *, indonesian: str | None, english: str | None) -> str:
        """Of two texts that mean the same."""
        return (english if self.code == ENGLISH else indonesian) or ""

    def whole(self, value: float | None) -> str:
        """A count, with its thousands marked."""
        return NOT_KNOWN if value is None else format_decimal(round(value), locale=self.code)

    def number(self, value: float | None, decimals: int = 1) -> str:
        """A number with so many decimals."""
        if value is None:
            return NOT_KNOWN
        return format_decimal(round(value, decimals), f"#,##0.{'0' * decimals}", locale=self.code)

    def signed(self, value: float, decimals: int = 2) -> str:
        """A number with its sign."""
        return ("+" if value > 0 else "") + self.number(value, decimals).replace("-", "\N{MINUS SIGN}")

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share of 0-1; one more digit where it would else read as nobody, or as everybody."""
        if share is None:
            return NOT_KNOWN
        if 0 < share < 1 and round(share, decimals + 2) in (0, 1):
            decimals += 1
        return format_percent(share, f"#,##0{'.' if decimals else ''}{'0' * decimals}%", locale=self.code)

    def rupiah(self, amount: float | None) -> str:
        """An amount of money."""
        return NOT_KNOWN if amount is None else f"Rp{self.whole(amount)}"

    def day(self, date: dt.date | None) -> str:
        """A date, its month in words."""
        return NOT_KNOWN if date is None else format_date(date, "d MMM y", locale=self.code)

    def moment(self, moment: dt.datetime | None) -> str:
        """A moment on the district's clock."""
        if moment is None:
            return NOT_KNOWN
        clock = "HH:mm" if self.code == ENGLISH else "HH.mm"
        return format_datetime(moment, f"d MMM y, {clock}", get_timezone(self.zone), locale=self.code)


def language_of(request: Request, *, zone: str) -> Language:
    """That which was chosen before, else Indonesian."""
    code = request.cookies.get(COOKIE, INDONESIAN)
    return spoken(code if code in LANGUAGES else INDONESIAN, zone=zone)


@cache
def spoken(code: str, *, zone: str) -> Language:
    """A language, its words read once."""
    return Language(code, _translations(code), zone)


def _translations(code: str) -> NullTranslations:
    if code == INDONESIAN:
        return NullTranslations()
    whole = Catalog(Locale.parse(code))
    for path in sorted((WORDS / code).glob("*.po")):
        with path.open("rb") as written:
            for message in read_po(written, locale=code):
                if message.id:
                    whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)
