"""Faults of an SQLite file, said as refusals: what was found, what to do."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from features.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# SQLite's primary result code: what was found of the file, what to do about it.
FAULTS = {
    sqlite3.SQLITE_BUSY: (
        "is locked by another process",
        "Close what holds it, such as a database browser or a backup, and try again",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "Give the user that runs Tepat write permission on the file and its folder",
    ),
    sqlite3.SQLITE_PERM: ("may not be opened", "Give the user that runs Tepat permission on the file and its folder"),
    sqlite3.SQLITE_FULL: ("has no room to grow: its disk is full", "Free space on that disk and try again"),
    sqlite3.SQLITE_IOERR: ("could not be read or written by the disk", "Check the disk's free space and its health"),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Stop Tepat, keep a copy of the file, and put the last backup in its place",
    ),
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", "Name another file, or put the last backup in its place"),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Give the user that runs Tepat permission on the file and its folder",
    ),
    sqlite3.SQLITE_ERROR: (
        "does not have the tables of Tepat",
        "Put the last backup in its place and start Tepat again",
    ),
}
FAULTS[sqlite3.SQLITE_LOCKED] = FAULTS[sqlite3.SQLITE_BUSY]


class StoreRefused(Refused):
    """The store of published lists cannot be used now; what was published before is as it was."""

    def __init__(self, found: str, remedy: str) -> None:
        self.found, self.remedy = found, remedy
        super().__init__(f"Found: {found}. What to do: {remedy}.")


def code_of(fault: BaseException | None) -> int:
    """SQLite's primary result code, without the bits that detail it."""
    return getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF


def refusal(code: int, path: Path) -> StoreRefused:
    """The refusal for a result code."""
    if code not in FAULTS:
        return StoreRefused(f"{path} answered with SQLite's result code {code}", "Look it up in SQLite's manual")
    found, remedy = FAULTS[code]
    return StoreRefused(f"{path} {found}", remedy)
