"""Opens the engine that Ibis expressions run on; no other file names one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def duckdb() -> Iterator[ibis.BaseBackend]:
    """An embedded DuckDB in memory, closed at the end."""
    engine = ibis.duckdb.connect()
    try:
        yield engine
    finally:
        engine.disconnect()
