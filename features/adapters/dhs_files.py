"""Finds and reads Stata recode files by record type."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sys
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyreadstat

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

RECORD_TYPES = {
    "household": ("rech0", "HR"),
    "woman": ("rec0111", "IR"),
    "woman_body": ("rech5", "PR"),
    "child_body": ("rech6", "PR"),
    "birth": ("rec41", "KR", "BR"),
}
ENDES = ("rech0", "rec0111", "rech5", "rech6", "rec41")
YEAR = r"(?:19|20)\d\d(?!\d)"
# A copy or a part, as "rech6_2014 (1)" or "rech6_2014a", is that record type too: it is refused, not passed over.
PATTERNS = tuple(
    re.compile(stem + r"\.dta(?:\.gz)?", re.IGNORECASE)
    for stem in (
        rf"(?P<country>)(?P<kind>{'|'.join(ENDES)})(?P<tail>{YEAR}.*|\D.*)?",
        r"(?P<country>[a-z]{2})(?P<kind>hr|pr|ir|kr|br)(?P<tail>\d[0-9a-z])(?:fl)?",
        rf"(?P<country>(?:[a-z]{{2}})?)_?(?P<kind>hr|pr|ir|kr|br)(?P<tail>[_-]{YEAR})",
        r"(?P<country>)(?P<kind>hr|pr|ir|kr|br)(?P<tail>)",
    )
)
STARTS, ENDS = b"<stata_dta>", b"</stata_dta>"


@dataclass(frozen=True)
class Name:
    """What the name of a recode file says.

    Parameters
    ----------
    country
        Two letters; empty when the name has none.
    round
        A year, or the phase and version of a DHS name, after the country; empty when the name has none.
    """

    kind: str
    country: str
    round: str

    @staticmethod
    def of(name: str) -> Name | None:
        """Give the meaning of a file's name; nothing when it is not a recode file's.

        >>> Name.of("IDKR71FL.DTA")
        Name(kind='kr', country='ID', round='ID71')
        """
        found = next((m for m in (p.fullmatch(name) for p in PATTERNS) if m), None)
        if found is None:
            return None
        kind, country, tail = found["kind"].lower(), found["country"].upper(), (found["tail"] or "").upper()
        year = re.search(rf"(?<!\d){YEAR}", tail)
        # Only the phase of a DHS name stands without a year; any other tail says nothing of the round.
        round_ = year[0] if year else tail if kind not in ENDES else ""
        return Name(kind, country, country + round_)


@dataclass(frozen=True, eq=False)
class Recode:
    """One recode file: its rows, and for each variable its value labels."""

    path: Path
    kind: str
    country: str
    round: str
    rows: pd.DataFrame
    labels: dict[str, dict[float, str]]

    @property
    def name(self) -> str:
        """The file's name, as messages and quarantine give it."""
        return self.path.name

    @property
    def endes(self) -> bool:
        """Named as one of ENDES's record types, each of which holds that record only."""
        return self.kind in ENDES


def recodes(folder: Path) -> tuple[list[Recode], list[str]]:
    """Every recode file of a folder, and the names of what else is there."""
    entries = sorted(folder.iterdir())
    known = [(p, name) for p in entries if p.is_file() and (name := Name.of(p.name))]
    taken = {p for p, _ in known}
    return [_read(p, name) for p, name in known], [p.name for p in entries if p not in taken]


def _read(path: Path, name: Name) -> Recode:
    try:
        rows, labels = _stata(path)
    except (EOFError, OSError, zlib.error, pyreadstat.ReadstatError, UnicodeDecodeError) as fault:
        raise InputRefused(
            found=f"{path.name} cannot be read ({fault})",
            allowed="a whole Stata file, .dta or .dta.gz",
            remedy="It is cut short or damaged: copy it again from the source.",
        ) from fault
    _refuse_unusable(path, rows)
    return Recode(path, name.kind, name.country or _country(rows), name.round, rows, labels)


def _refuse_unusable(path: Path, rows: pd.DataFrame) -> None:
    doubled = sorted(set(rows.columns[rows.columns.duplicated()]))
    if doubled:
        raise InputRefused(
            found=f"{path.name} has {', '.join(doubled)} more than once, in capitals and in small letters",
            allowed="each variable once",
            remedy="Keep the right one and export again.",
        )
    if rows.empty:
        raise InputRefused(
            found=f"{path.name} has no rows",
            allowed="recode files with at least one row",
            remedy="Export it again, or take it out of the folder if there is nothing to hand over.",
        )


def _country(rows: pd.DataFrame) -> str:
    for name in ("hv000", "v000"):
        if name in rows and rows[name].notna().any():
            return str(rows[name].dropna().iloc[0])[:2].upper()
    return ""


def _stata(path: Path) -> tuple[pd.DataFrame, dict[str, dict[float, str]]]:
    with _unpacked(path) as plain:
        _refuse_cut(plain)
        rows, meta = pyreadstat.read_dta(str(plain), disable_datetime_conversion=True)
    rows.columns = [c.lower() for c in rows.columns]
    labels = {name.lower(): dict(of) for name, of in meta.variable_value_labels.items()}
    return rows, labels


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A path with the file's plain bytes; gone with the process, however that ends.

    The reader of Stata files wants a path. On Linux that is a file in memory without a name, which even a killed
    process cannot leave behind; elsewhere a temporary folder is the best there is.
    """
    if path.suffix.lower() != ".gz":
        yield path
    elif sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        with os.fdopen(os.memfd_create("recode"), "w+b") as memory:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, memory)
            memory.flush()
            yield Path(f"/proc/self/fd/{memory.fileno()}")
    else:
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "file.dta"
            with gzip.open(path) as packed, whole.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
            yield whole


def _refuse_cut(plain: Path) -> None:
    """Formats 117 and later end in a mark; the reader does not look for it and would lose the value labels."""
    with plain.open("rb") as stored:
        if stored.read(len(STARTS)) != STARTS:
            return
        stored.seek(-len(ENDS), os.SEEK_END)
        if stored.read() != ENDS:
            raise EOFError("its end is missing")
