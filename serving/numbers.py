"""Numbers of persons, which no text that is kept may hold."""

from __future__ import annotations

import re
import unicodedata

NIK = re.compile(r"(?<![0-9])(?:[0-9]{4}(?:[ .-]?[0-9]{4}){3}|[0-9]{6}[ .-]?[0-9]{6}[ .-]?[0-9]{4})(?![0-9])")
"""Sixteen digits, as a NIK or a No KK is written."""


def holds_number(text: str) -> bool:
    """Whether a text holds one in digits of any script, full-width ones too: a person reads them as a number."""
    return NIK.search("".join(str(unicodedata.digit(one, one)) for one in text)) is not None
