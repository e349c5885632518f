"""The form of a backup, the same of both databases: one file, every table as lines of JSON, each with its checksum.

A zip file holds `<table>.jsonl`, one row a line as a JSON list, and `manifest.json`, which is written last. Days and
moments (in UTC) stand in ISO 8601, columns of JSON as their text. Who is signed in is in no backup: nobody is let in
again by putting one back.
"""

from __future__ import annotations

import datetime as dt
import json
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import InputRefused
from serving.tables import UtcTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Told = Callable[[int, int], None]
    """Is told how many rows are done, and of how many."""

MANIFEST = "manifest.json"
PASSING = ("alembic_version", "session", "sign_in")
CHUNK = 5_000  # rows held at once
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)


class Member(BaseModel):
    """What a table has in a backup; the checksum is of its lines before they are compressed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...]
    rows: int = Field(ge=0)
    sha256: str


class Head(BaseModel):
    """The last line of the trail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    hash: str


class Manifest(BaseModel):
    """What a backup says of itself; `trail` is None where it is of before there was one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["tepat-backup"] = "tepat-backup"
    version: Literal[1] = 1
    revision: str
    made_at: dt.datetime
    trail: Head | None
    tables: dict[str, Member]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(member.rows for member in self.tables.values())


class JsonText(sa.types.UserDefinedType[str]):
    """A column of JSON as the text that it holds: no number and no order is read into it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in both databases."""
        return "JSON"

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Read it as text; psycopg would parse it."""
        return sa.cast(column, sa.Text)


def kept_tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables that a backup holds, as they are in the database, each after those that it refers to."""
    found = sa.MetaData()
    found.reflect(connection)
    tables = [table for table in found.sorted_tables if table.name not in PASSING]
    for column in (column for table in tables for column in table.columns):
        if isinstance(column.type, sa.JSON):
            column.type = JsonText()
        elif isinstance(column.type, sa.DateTime):
            column.type = UtcTime()
    return tables


def line_of(row: Sequence[Any]) -> str:
    """A row as a line of a backup."""
    return json.dumps(list(row), default=_iso, separators=(",", ":")) + "\n"


def row_of(line: bytes, columns: Sequence[sa.Column[Any]]) -> dict[str, Any]:
    """The row of a line."""
    cells = zip(columns, json.loads(line), strict=True)
    return {column.name: _cell(cell, column) for column, cell in cells}


@contextmanager
def unzipped(path: Path) -> Iterator[zipfile.ZipFile]:
    """A backup, opened.

    Raises
    ------
    InputRefused
        It is no zip file, or damage comes to light while it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as fault:
        raise InputRefused(f"{path}: {fault.strerror}", "a file that can be read", "Name another.") from fault
    except DAMAGE as fault:
        raise damaged(path, str(fault)) from fault


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """What a backup says of itself.

    Raises
    ------
    InputRefused
        It is none, or of another form.
    """
    try:
        return Manifest.model_validate_json(archive.read(MANIFEST))
    except (KeyError, ValidationError) as fault:
        raise InputRefused(
            f"{path} is no backup of this form", "a file that `tepat backup` of this version or before made",
            "Name another, or use the Tepat that made it.",
        ) from fault  # fmt: skip


def damaged(path: Path, how: str) -> InputRefused:
    """The refusal of a backup that is not as it was written."""
    return InputRefused(
        f"{path} is damaged: {how}", "a backup as it was written", "Take another copy of it, or an earlier backup."
    )


def _iso(cell: Any) -> str:
    if isinstance(cell, dt.date):  # a moment is one, too
        return cell.isoformat()
    raise TypeError(f"a {type(cell).__name__} has no form in a backup")


def _cell(cell: Any, column: sa.Column[Any]) -> Any:
    if cell is None:
        return None
    if isinstance(column.type, UtcTime):
        return dt.datetime.fromisoformat(cell)
    return dt.date.fromisoformat(cell) if isinstance(column.type, sa.Date) else cell
