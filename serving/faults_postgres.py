"""Faults of PostgreSQL, said as refusals: what was found, what to do. No address's password is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.faults import StoreRefused

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

AWAY, LOGIN, MISSING, CROWDED, STARTING = "08", "28", "3D", "53300", "57P03"
ROW = ("22", "23")  # PostgreSQL repeats the row in what it says of these
_AGAIN = "Try again in a moment"
NO_TABLES = ("does not have the tables of Tepat", "Put the last backup in its place and start Tepat again")
# An SQLSTATE, or the two letters of its class: what was found of the database, what to do about it.
FAULTS = {
    AWAY: ("is on a server that cannot be reached", "Start PostgreSQL, or check its address and the network"),
    "57P01": ("was shut down", "Start PostgreSQL; Tepat uses it again by itself"),
    "57P02": ("was ended by a fault of the server", "Look into PostgreSQL's log; Tepat uses it again by itself"),
    STARTING: ("is on a server that is starting or stopping", _AGAIN),
    LOGIN: (
        "refuses our login",
        "Check user and password in TEPAT_DATABASE, and that pg_hba.conf lets this machine in",
    ),
    MISSING: ("does not exist", "Make it: CREATE DATABASE, owned by the user of TEPAT_DATABASE, encoding UTF8"),
    "25006": ("cannot be written", "Name the primary server, or turn default_transaction_read_only off"),
    "42501": ("does not let us", "Make the user of TEPAT_DATABASE the owner of the database"),
    "42P01": NO_TABLES,
    "42703": NO_TABLES,
    "53100": ("has no room to grow: its disk is full", "Free space on the server's disk and try again"),
    "53200": ("is on a server without memory left", "Free memory on the server and try again"),
    CROWDED: ("takes no more connections", "Close some, or raise max_connections of PostgreSQL"),
    "57014": ("took too long over a statement", _AGAIN),
    "55P03": ("was being written by others", _AGAIN),
    "25P03": ("ended a transaction that stood still", _AGAIN),
    "40": ("was changed by others at the same time", _AGAIN),  # serialization, deadlock
    "58": ("could not be read or written by the disk", "Check the server's disk and PostgreSQL's log"),
    "XX": ("is damaged, or met a fault of PostgreSQL", "Look into PostgreSQL's log; put the last backup in its place"),
}
# PostgreSQL gives no SQLSTATE to a connection that it refuses; its words are those of every server in English.
WORDS = {
    "does not exist": MISSING,
    "too many": CROWDED,
    "remaining connection slots": CROWDED,
    "starting up": STARTING,
    "shutting down": STARTING,
    "recovery": STARTING,
    "authentication failed": LOGIN,
    "no password supplied": LOGIN,
    "no pg_hba.conf entry": LOGIN,
    "is not permitted to log in": LOGIN,
    "permission denied for database": LOGIN,
}


def refusal_of(fault: DBAPIError, name: str) -> StoreRefused:
    """The refusal for what PostgreSQL, or the way to it, answered."""
    state = getattr(fault.orig, "sqlstate", None) or _unstated(str(fault.orig))
    found = FAULTS.get(state) or FAULTS.get(state[:2])
    if found is None:
        return StoreRefused(f"{name} answered with SQLSTATE {state}", "Look it up in PostgreSQL's manual")
    return StoreRefused(f"{name} {found[0]}", found[1])


def tells_a_row(fault: DBAPIError) -> bool:
    """Whether what PostgreSQL says of it may repeat somebody's row."""
    return (getattr(fault.orig, "sqlstate", None) or "").startswith(ROW)


def _unstated(said: str) -> str:
    if 'role "' in said and "does not exist" in said:
        return LOGIN
    if "NUL (0x00)" in said:
        return "22021"
    return next((state for words, state in WORDS.items() if words in said), AWAY)
