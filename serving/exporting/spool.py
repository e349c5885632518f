"""A list's lines, read once and laid down whole, before anybody gets the first byte of the file."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from serving.assignments import assigned
from serving.browsing import Browsing
from serving.errors import Busy
from serving.exporting import as_csv, as_xlsx
from serving.exporting.export import BAND, MASKED, VISITOR, full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from serving.access.who import Who
    from serving.exporting.export import Export, Format
    from serving.listing import Line
    from serving.store import Store


def _write_pdf(made: Export, lines: Iterable[Line], into: IO[bytes]) -> None:
    # Here, for its fonts take a second of every start, and most services print nothing for hours.
    from serving.exporting import as_pdf  # noqa: PLC0415 (as the line above says)

    as_pdf.write(made, lines, into)


WRITERS: dict[Format, Callable[[Export, Iterable[Line], IO[bytes]], None]] = {
    "csv": as_csv.write,
    "xlsx": as_xlsx.write,
    "pdf": _write_pdf,
}
MORE = frozenset({MASKED, BAND, VISITOR})
"""Columns of no list."""
LINES_AT_ONCE = 5_000
PIECE = 64 * 1024
AT_ONCE, WAIT_S, AGAIN_S = 2, 30, 5
_writing = threading.BoundedSemaphore(AT_ONCE)
# Those that wait, too: each holds one of the forty threads that answer everybody.
_there = threading.BoundedSemaphore(2 * AT_ONCE)


@dataclass
class Lines:
    """The lines that somebody sees, read some thousands at a time; `seen` fills with the households of those read."""

    store: Store
    made: Export
    who: Who
    seen: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Line]:
        """In the order that is wanted."""
        browsing, after, later = Browsing(self.store.database), None, True
        while later:
            page = browsing.page(self.made.listed, self.made.wanted, limit=LINES_AT_ONCE, who=self.who, after=after)
            homes = [line.household_id for line in page.lines]
            self.seen += homes
            yield from self._full(page.lines) if MORE & set(self.made.columns) else page.lines
            after, later = (homes[-1] if homes else None), page.later

    def _full(self, lines: Sequence[Line]) -> Sequence[Line]:
        visitors: dict[str, str] = {}
        if VISITOR in self.made.columns:
            with self.store.database.reading() as connection:
                visitors = assigned(connection, self.made.listed.id, [line.household_id for line in lines])
        return full(lines, self.made.names, visitors)


@dataclass(frozen=True, eq=False)
class Spooled:
    """A file that nobody else can open, which is gone once it is closed, and the households in it."""

    file: IO[bytes]
    size: int
    households: tuple[str, ...]

    def pieces(self) -> Iterator[bytes]:
        """All of it, from its beginning; it is gone then."""
        with self.file:
            self.file.seek(0)
            while piece := self.file.read(PIECE):
                yield piece


def spooled(store: Store, made: Export, *, kind: Format, who: Who) -> Spooled:
    """The file, whole.

    Raises
    ------
    RequestRefused
        This kind of file does not hold so many lines.
    Busy
        Others are being written, and as many wait for them.
    StoreRefused
        The lines cannot be read.
    """
    with _turn():
        lines = Lines(store, made, who)
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed once it was sent)
        try:
            WRITERS[kind](made, lines, file)
        except BaseException:
            file.close()
            raise
        return Spooled(file, file.seek(0, os.SEEK_END), tuple(lines.seen))


@contextmanager
def _turn() -> Iterator[None]:
    if not _there.acquire(blocking=False):
        raise _busy()
    try:
        if not _writing.acquire(timeout=WAIT_S):
            raise _busy()
        try:
            yield
        finally:
            _writing.release()
    finally:
        _there.release()


def _busy() -> Busy:
    problem = Busy("Other files are being written.")
    problem.retry_after_s = AGAIN_S
    return problem
