"""What may stand as a person's name, and the little of one that is ever shown."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

NUMBERED = "a number, such as a NIK, a No KK or a telephone's, and not a name; write the name"
NAMELESS = "a word or sign for nothing, not a name; leave the row out if it is not known"
HIDDEN = "holds a line break or another character that no reader sees; type the name again"
FORMULA = "a formula or an error of a spreadsheet, not a name; export the column as text"
MOST_DIGITS: Final = 5
"""Some registers tell namesakes apart by a number; a NIK and a No KK have 16 digits, a telephone ten."""
MOST_WORDS: Final = 3
"""Of a mask: more tell a name apart from all others."""
STARS: Final = "***"
"""As many for a short word as for a long one."""
BESIDE_A_NAME: Final = frozenset(
    {
        "alm", "almarhum", "almarhumah", "almh", "bapak", "bin", "binti", "bp", "bpk", "bt", "dr", "dra", "drg", "drs",
        "h", "haji", "hajah", "hajjah", "hj", "hjh", "ibu", "ir", "kh", "kiai", "kyai", "ny", "nyonya", "prof", "sdr",
        "sdri", "tgk", "tn", "tuan", "tuanku", "ust", "ustad", "ustadz", "ustadzah", "ustaz", "ustazah",
    }
)  # fmt: skip
"""Titles, and words for whose child somebody is: they stand before many names, and tell nobody from another."""

_NOTHING: Final = re.compile(r"nan|null|none|<na>|nat|na|n/a|tidak ada|tidak diketahui|tanpa nama", re.IGNORECASE)
_BROKEN: Final = re.compile(r"\s*=.*|#(?:N/A|REF!|VALUE!|NAME\?|NUM!|DIV/0!|#+)|[0-9.,]+E[+-]?[0-9]+", re.DOTALL)
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ENDS: Final = re.compile(r"[\s.]+")
"""Where a word of a name ends; a full stop ends one that was cut short, as in `H.Ahmad`."""


def fault_of(name: str) -> str:
    """Why a text may not stand as a name; empty when it may.

    >>> fault_of("Siti Aminah"), fault_of("3201010101010001")[:8], fault_of("-")[:14]
    ('', 'a number', 'a word or sign')
    """
    digits, has_letter = sum(map(str.isdigit, name)), bool(_letter(name))
    rules = (
        (_BROKEN.fullmatch(name), FORMULA),
        (_UNSEEN.search(name), HIDDEN),
        (digits > MOST_DIGITS or (digits and not has_letter), NUMBERED),
        (not has_letter or _NOTHING.fullmatch(name.strip()), NAMELESS),
    )
    return next((why for broken, why in rules if broken), "")


def masked(name: str) -> str | None:
    """The first letter of each word and as many stars for each; None where it has no letter.

    Titles, words for whose child somebody is, and what follows a comma are left out, and of many words all but
    `MOST_WORDS`. Of a text of nothing but titles these are shown as words.

    >>> masked("Hj. SITI aminah binti Abdullah, S.Pd."), masked("Nur'aini"), masked("A.M. O'Neil")
    ('S*** A*** A***', 'N***', 'A*** M*** O***')
    """
    words = [word for word in _ENDS.split(_plain(name)) if _letter(word)]
    own = [word for word in words if word.lower() not in BESIDE_A_NAME]
    return " ".join(_capital(_letter(word)) + STARS for word in (own or words)[:MOST_WORDS]) or None


def _plain(name: str) -> str:
    """The name without what follows it, and of letters that are one character each; what nobody sees is gone."""
    head, _, rest = name.partition(",")
    text = head if _letter(head) else rest
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(letter for letter in composed if unicodedata.category(letter) not in {"Cf", "Mn", "Me"})


def _letter(word: str) -> str:
    """Its first letter; empty when it has none."""
    return next(filter(_is_letter, word), "")


def _capital(letter: str) -> str:
    capital = letter.upper()
    return capital if len(capital) == 1 else letter  # a capital of two letters would show a second one


def _is_letter(character: str) -> bool:
    """A modifier, such as the sign for a catch of the breath in `ʿAisyah`, is none."""
    return character.isalpha() and (character.isascii() or unicodedata.category(character) != "Lm")
