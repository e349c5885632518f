"""What the core says, which speaks English, in Indonesian: sentences of a catalogue, with what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from serving.pages.language import ENGLISH, INDONESIAN, WORDS
from serving.pages.naming import WHY_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.pages.language import Language

CATALOGUE: Final = WORDS / INDONESIAN
"""Files of sentences; of one that stands in several, the first holds."""
KINDS: Final = {
    "own_": ".+?", "name_": "[^;:]+?", "one_": "[^,;:]+?", "count_": "[0-9,]+", "file_": r"\S+",
    "field_": "[a-z0-9][a-z0-9_.]*",
}  # fmt: skip
"""How the name of a place in a sentence begins, where only some things can stand in it."""
AS_IT_IS: Final = ("own_", "name_", "one_", "file_", "field_")
"""For what somebody wrote, and for names."""
PLACE: Final = re.compile(r"%\((\w+)\)s")
NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?%?")
WORDS_ALONE: Final = re.compile(r"[^\s,;]+(?:, [^\s,;]+)*")
"""Identifiers, codes, days, files: no sentence."""
PARTS: Final = ((re.compile("; or "), "; atau "), (re.compile("; "), "; "), (re.compile(r"(?<=\.) (?=Found: )"), " "))
"""What lies between several sentences in one place, and what does in Indonesian."""
DEEPEST: Final = 6
LONGEST: Final = 2_000
"""Of a sentence. [characters]"""
SWAPPED: Final = str.maketrans(",.", ".,")


@dataclass(frozen=True)
class Sentence:
    """One of the catalogue: what it looks like in English, and how it is said."""

    looks: re.Pattern[str]
    said: str


def told(text: str, language: Language) -> Markup:
    """A sentence of the core in the reader's language; marked as English where it is not known."""
    if language.code == ENGLISH:
        return escape(text)
    said = in_indonesian(text)
    return escape(said) if said is not None else Markup('<span lang="en">{}</span>').format(text)


def in_indonesian(text: str) -> str | None:
    """A sentence of the core; None where it, or a part of it, is none of those that are known.

    Examples
    --------
    >>> in_indonesian("`area` 1.5% in quarantine"), in_indonesian("area.name: outside the sky")
    ('area: 1,5% di karantina', None)
    >>> in_indonesian("floors.area: 12 visits in place of 1,300")
    'bagian paling sedikit tiap desa: 12 kunjungan, bukan 1.300'
    """
    return _said(text, DEEPEST) if len(text) <= LONGEST else None


@lru_cache(maxsize=2_048)
def _said(text: str, left: int) -> str | None:
    """A sentence in which others stand at most so many deep; what somebody wrote into one could else go on for ever."""
    if text in WHY_OUT:
        return WHY_OUT[text]
    for sentence in _sentences() if left else ():
        found = sentence.looks.fullmatch(text)
        filled = None if found is None else _filled(found.groupdict(), left - 1)
        if filled is not None:
            return PLACE.sub(lambda place, by=filled: by[place[1]], sentence.said)  # type: ignore[misc]  # bound to this turn
    return None


@cache
def _sentences() -> tuple[Sentence, ...]:
    """Those with fewer places first, then the wordier: `at least one` is no `at least %(least)s`."""
    found = []
    for path in sorted(CATALOGUE.glob("*.po")):
        with path.open("rb") as written:
            found += [one for one in read_po(written, locale=INDONESIAN) if one.id]
    found.sort(key=lambda one: (len(PLACE.findall(str(one.id))), -len(PLACE.sub("", str(one.id)))))
    return tuple(Sentence(_looks(str(one.id)), str(one.string)) for one in found)


def _looks(english: str) -> re.Pattern[str]:
    pieces = [_place(piece) if odd % 2 else re.escape(piece) for odd, piece in enumerate(PLACE.split(english))]
    return re.compile("".join(pieces), re.DOTALL)


def _place(name: str) -> str:
    kind = next((looks for begins, looks in KINDS.items() if name.startswith(begins)), ".+?")
    return f"(?P<{name}>{kind})"


def _filled(values: Mapping[str, str], left: int) -> dict[str, str] | None:
    """What goes into each place; None as soon as something is not known."""
    filled = {}
    for name, value in values.items():
        said = value if name.startswith(AS_IT_IS) else _value(value, left)
        if said is None:
            return None
        filled[name] = said
    return filled


def _value(value: str, left: int) -> str | None:
    if NUMBER.fullmatch(value):
        return value.translate(SWAPPED)
    said = _said(value, left)
    if said is not None:
        return said
    if WORDS_ALONE.fullmatch(value):
        return value.replace("`", "")
    return next(
        (said for between, joint in PARTS if (said := _parts(value, between, joint, left=left)) is not None), None
    )


def _parts(value: str, between: re.Pattern[str], joint: str, *, left: int) -> str | None:
    parts = between.split(value)
    if len(parts) == 1:
        return None
    said = []
    for part in parts:
        told_part = _value(part, left)
        if told_part is None:
            return None
        said.append(told_part)
    return joint.join(said)
