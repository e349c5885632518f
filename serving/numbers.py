"""Numbers of persons, which no text that is kept may hold."""

from __future__ import annotations

import re

NIK = re.compile(r"(?<![0-9])(?:[0-9]{4}(?:[ .-]?[0-9]{4}){3}|[0-9]{6}[ .-]?[0-9]{6}[ .-]?[0-9]{4})(?![0-9])")
"""Sixteen digits, as a NIK or a No KK is written."""
