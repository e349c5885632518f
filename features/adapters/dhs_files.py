"""Finds and reads Stata recode files by record type."""

from __future__ import annotations

import gzip
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyreadstat

from features.errors import InputRefused

if TYPE_CHECKING:
    import pandas as pd

RECORD_TYPES = {
    "household": ("rech0", "HR"),
    "woman": ("rec0111", "IR"),
    "woman_body": ("rech5", "PR"),
    "child_body": ("rech6", "PR"),
    "birth": ("rec41", "KR", "BR"),
}
NAMED = re.compile(
    r"^(?:(?P<endes>rech0|rec0111|rech5|rech6|rec41)|(?:[a-z]{2})?_?(?P<dhs>hr|pr|ir|kr|br))"
    r"[_-]?(?P<round>[0-9a-z]*?)(?:fl)?\.dta(?:\.gz)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Recode:
    """One recode file: its rows, and for each variable its value labels."""

    path: Path
    kind: str
    round: str
    rows: pd.DataFrame
    labels: dict[str, dict[float, str]]


def read(path: Path) -> Recode:
    """One recode file; names in lower case.

    Raises
    ------
    InputRefused
        The file is empty, cut short or not Stata's.
    """
    named = NAMED.match(path.name)
    if named is None:
        raise InputRefused(found=path.name, allowed="a recode file", remedy="See docs/registers.md.")
    try:
        rows, labels = _stata(path)
    except (EOFError, OSError, pyreadstat.ReadstatError, UnicodeDecodeError) as fault:
        raise InputRefused(
            found=f"{path.name} cannot be read ({fault})",
            allowed="a whole Stata file, .dta or .dta.gz",
            remedy="It is cut short or damaged: copy it again from the source.",
        ) from fault
    kind = (named["endes"] or named["dhs"]).lower()
    return Recode(path, kind, _round(named["round"], rows), rows, labels)


def recodes(folder: Path) -> tuple[list[Recode], list[str]]:
    """Every recode file of a folder, and the names of files that are none."""
    files = sorted(p for p in folder.iterdir() if p.is_file())
    known = [p for p in files if NAMED.match(p.name)]
    return [read(p) for p in known], [p.name for p in files if p not in known]


def _stata(path: Path) -> tuple[pd.DataFrame, dict[str, dict[float, str]]]:
    if path.suffix.lower() != ".gz":
        return _plain_stata(path)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "file.dta"
        with gzip.open(path) as packed:
            whole.write_bytes(packed.read())
        return _plain_stata(whole)


def _plain_stata(path: Path) -> tuple[pd.DataFrame, dict[str, dict[float, str]]]:
    rows, meta = pyreadstat.read_dta(str(path), disable_datetime_conversion=True)
    rows.columns = [c.lower() for c in rows.columns]
    labels = {name.lower(): dict(of) for name, of in meta.variable_value_labels.items()}
    return rows, labels


def _round(named: str, rows: pd.DataFrame) -> str:
    """The survey round: a year in the file's name, else the year inside it, else the phase in its name."""
    if re.fullmatch(r"(19|20)\d\d", named):
        return named
    for year in ("hv007", "v007", "hc19"):
        if year in rows and rows[year].notna().any():
            return str(int(rows[year].dropna().mode().iloc[0]))
    return named or "0"
