"""The kinds of file that a job reads and gives, and the bounds within which one is read."""

from __future__ import annotations

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {CSV: "csv", PARQUET: "parquet", XLSX: "xlsx"}
MEDIA_TYPES = {kind: media_type for media_type, kind in KINDS.items()}

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
