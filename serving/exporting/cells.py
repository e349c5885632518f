"""Text that a file may hold without harm: nothing in it runs, turns the line around, or breaks it."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn"})
"""Categories of Unicode that no reader sees: control characters, marks of direction, halves of a pair, nothing."""
JOINERS = "\u200c\u200d"
"""Marks that some scripts cannot be written without."""
_STARTS = "=+@\\-\uff1d\uff0b\uff0d\uff20"  # with the full width forms, which spreadsheets read alike
_FORMULA = re.compile(rf"\s*[{_STARTS}]")
# A spreadsheet of a land that parts cells by `;` opens a file parted by `,` and begins a cell inside a text.
_INSIDE = re.compile(rf"(?<=[,;|])(?=\s*[{_STARTS}])")


def plain(text: str) -> str:
    r"""The text on one line, without characters that no reader sees.

    Examples
    --------
    >>> plain("Desa\tSuka\u202emaju\x00")
    'Desa Sukamaju'
    """
    one_line = re.sub(r"[\s\u2028\u2029]", " ", text)
    return "".join(c for c in one_line if c in JOINERS or unicodedata.category(c) not in HIDDEN)


def harmless(text: str) -> str:
    """The same, and no spreadsheet takes it, or a part of it, for a formula.

    Examples
    --------
    >>> harmless("=cmd|'/c calc'!A1"), harmless("a;=1+1"), harmless("tinggi ibu: 146,5 cm; desil: 2")
    ("'=cmd|'/c calc'!A1", "a;'=1+1", 'tinggi ibu: 146,5 cm; desil: 2')
    """
    found = _INSIDE.sub("'", plain(text))
    return f"'{found}" if _FORMULA.match(found) else found
