"""The desa and kelurahan of a kabupaten: made up, or from a code list in the Kemendagri form."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from features.cells import as_text
from features.errors import InputRefused
from features.reading import read_table

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Kabupaten Contoh"
"""Nobody lives there: no province has the code 99."""
PREFIX = "99.01"
DESA_COUNTS = (15, 7, 7, 8, 9, 9, 9, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 13, 13, 13)
"""Desa and kelurahan of each of the 26 kecamatan, 277 in all; the town has 7 kelurahan among its own."""
KELURAHAN = 7
COLUMNS = ("kode", "nama", "level", "jenis", "kode_kecamatan", "nama_kecamatan")
FIELDS = ("kode", "nama", "kode_kecamatan", "nama_kecamatan", "jenis")
LEAF, URBAN_LEAF = "desa_kelurahan", "kelurahan"
CODE = re.compile(r"([0-9]{2}\.[0-9]{2}\.[0-9]{2})\.[0-9]{4}")
HOLDS = f"a CSV with the columns {', '.join(COLUMNS)} and a row of level {LEAF}, coded PP.KK.CC.DDDD, for each desa"
MEND = "Give a code list in the Kemendagri form, or leave --areas out."


@dataclass(frozen=True)
class Area:
    """One desa or kelurahan, by its Kemendagri code."""

    code: str
    name: str
    kecamatan: str
    kecamatan_name: str
    kelurahan: bool


def made_up() -> tuple[Area, ...]:
    """The areas of Kabupaten Contoh."""
    return tuple(
        _contoh(kecamatan, place, kelurahan=kecamatan == 1 and place <= KELURAHAN)
        for kecamatan, count in enumerate(DESA_COUNTS, start=1)
        for place in range(1, count + 1)
    )


def _contoh(kecamatan: int, place: int, *, kelurahan: bool) -> Area:
    # Kemendagri numbers a kelurahan from 1001, a desa from 2001
    code = f"{PREFIX}.{kecamatan:02}.{(1000 if kelurahan else 2000) + place}"
    return Area(code, f"Contoh {kecamatan:02}-{place:02}", code[:8], f"Contoh {kecamatan:02}", kelurahan)


def read(path: Path) -> tuple[Area, ...]:
    """The areas of a code list, in the order of their codes.

    Raises
    ------
    InputRefused
        The file is not there, or has another shape.
    """
    _refuse_absent(path)
    rows = read_table(path).rows.apply(as_text)
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        raise InputRefused(f"{path.name} has no column {', '.join(missing)}", HOLDS, MEND)
    leaves = rows[rows["level"] == LEAF].sort_values("kode")
    _refuse_codes(leaves, path.name)
    code, name, kecamatan, kecamatan_name, kind = (leaves[name].tolist() for name in FIELDS)
    found = zip(code, name, kecamatan, kecamatan_name, kind, strict=True)
    return tuple(Area(a, b, c, d, kelurahan=k == URBAN_LEAF) for a, b, c, d, k in found)


def mark(path: Path) -> str:
    """Name and SHA-256 of a code list; `InputRefused` when it is not there."""
    _refuse_absent(path)
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _refuse_absent(path: Path) -> None:
    if not path.is_file():
        raise InputRefused(f"{path} is not a file", HOLDS, MEND)


def _refuse_codes(leaves: pd.DataFrame, name: str) -> None:
    if leaves.empty:
        raise InputRefused(f"{name} has no row of level {LEAF}", HOLDS, MEND)
    wrong = [
        code
        for code, kecamatan in zip(leaves["kode"], leaves["kode_kecamatan"], strict=True)
        if pd.isna(code) or not (form := CODE.fullmatch(code)) or form[1] != kecamatan
    ]
    if wrong:
        found = f"{name} has {len(wrong)} codes of another form or of another kecamatan, the first {wrong[0]}"
        raise InputRefused(found, HOLDS, MEND)
    repeated = leaves["kode"][leaves["kode"].duplicated()]
    if len(repeated):
        raise InputRefused(f"{name} has the code {repeated.iloc[0]} more than once", HOLDS, MEND)
    if leaves["nama"].isna().any():
        first = leaves["kode"][leaves["nama"].isna()].iloc[0]
        raise InputRefused(f"{name} has no name for {first}", HOLDS, MEND)
