"""The bounds within which a file that somebody sends is read: a small one may unpack to more than a machine holds."""

from __future__ import annotations

MOST_UNPACKED = 2 * 2**30
"""A file that unpacks to more is not read. [bytes]"""
MOST_STRINGS = 256 * 2**20
"""The shared texts of a workbook are held in memory at once. [bytes]"""
MOST_MEMBERS = 10_000
"""Files in a workbook."""
MOST_ROWS = 20_000_000
"""Of one register."""
MOST_COLUMNS = 500
MOST_CELL = 10_000
"""Longest text in one cell. [bytes]"""
SHEET_ROWS = 1_048_576
"""What a sheet of a workbook holds, its header included."""
MOST_CELLS = 100_000_000
"""Cells of a sheet, empty ones included, that are looked at."""
