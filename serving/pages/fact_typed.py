"""A value of a fact as somebody types it, and what is wrong with it in the words of the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from babel.numbers import NumberFormatError, parse_decimal

from features.schema import Kind
from serving.fact_asked import value_or_why
from serving.pages.naming import WHY_OUT

if TYPE_CHECKING:
    from serving.fact_asked import Fact
    from serving.pages.language import Language

FIGURES: Final = re.compile(r"[+-]?[0-9][0-9.,]*", re.ASCII)


def typed_value(fact: Fact, typed: str | None, said: Language) -> tuple[str | None, str | None]:
    """A value in the contract's own form, None where nothing was typed; and why it cannot be, None where it can.

    A number may be written as the page shows it: with the marks of the reader's language, and its unit.
    """
    name = said.pick(indonesian=fact.cell.name[0], english=fact.cell.name[1])
    if typed is None:
        lacks = said("%(name)s tidak boleh kosong. %(allowed)s", name=name, allowed=_allowed(fact, said))
        return None, lacks if fact.column.required else None
    value, why = value_or_why(fact.column, _as_written(fact, typed, said))
    if why is None:
        return value, None
    words = said.pick(indonesian=WHY_OUT.get(why, why), english=why)
    return None, said("%(name)s: %(why)s. %(allowed)s", name=name, why=words, allowed=_allowed(fact, said))


def range_of(fact: Fact, said: Language) -> str | None:
    """From where to where its number may go, with the unit; None where it is no number."""
    if fact.column.valid is None:
        return None
    low, high = (said.whole(end) if end == int(end) else said.number(end) for end in fact.column.valid)
    unit = said.pick(indonesian=fact.cell.unit[0], english=fact.cell.unit[1])
    words = said("dari %(low)s sampai %(high)s", low=low, high=high)
    return f"{words} {unit}" if unit else words


def _allowed(fact: Fact, said: Language) -> str:
    if fact.codes:
        return said("Pilih salah satu yang ada.")
    if fact.column.kind is Kind.DATE:
        return said("Pilih harinya dari kalender.")
    found = range_of(fact, said)
    return said("Ketik ulang.") if found is None else said("Isi angka %(range)s.", range=found)


def _as_written(fact: Fact, typed: str, said: Language) -> str:
    """A number without its unit and its marks of thousands, with a point before its fraction; else as it was typed."""
    if fact.column.valid is None:
        return typed
    text = typed
    for unit in filter(None, fact.cell.unit):
        text = text.removesuffix(unit).rstrip()
    if not FIGURES.fullmatch(text):
        return text
    try:
        return format(parse_decimal(text, locale=said.code, strict=True), "f")
    except NumberFormatError:  # as another language writes it, of which the contract may have one reading
        return text
