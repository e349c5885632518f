"""Who is to be referred at once, as every paper and workbook tells it before its list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from serving.exporting.words import day

if TYPE_CHECKING:
    from serving.exporting.export import Export
    from serving.plan_store import Urgent

TITLE: Final = "Rujukan segera"
NOT_READ: Final = "Daftar rujukan belum dapat dibaca. Tanyakan kepada puskesmas sebelum memakai daftar ini."
NOBODY: Final = "Tidak ada anak atau ibu di wilayah Anda yang tanda bahayanya tercatat."
NOT_KNOWN: Final = "tidak diketahui"
HEADS: Final = (
    ("ID keluarga", 20), ("Nama disamarkan", 16), ("Siapa", 26), ("Tanda bahaya", 45), ("Kode desa", 16),
    ("Diukur", 14), ("Dicatat", 14),
)  # fmt: skip
"""Of the columns: what each is called, and how wide it is. [characters]"""


def said(made: Export) -> str:
    """What stands above the rows, or in their place where there is none."""
    if made.urgent is None:
        return NOT_READ
    if not made.urgent.some:
        return NOBODY
    when = "saat daftar dibuat" if made.listed.policy_stamp else "sekarang"
    count = f"{made.urgent.count:,}".replace(",", ".")
    return (
        f"{count} anak atau ibu dirujuk sekarang juga, di luar urutan mana pun: "
        f"semua di wilayah Anda, seperti tercatat {when}."
    )


def rows(made: Export) -> list[tuple[str, ...]]:
    """A row of `HEADS` for each child and woman."""
    some = () if made.urgent is None else made.urgent.some
    return [_row(one, name) for one, name in zip(some, made.names.of(_homes(some)), strict=True)]


def households(made: Export) -> list[str]:
    """Whose they are, each once; of a household that is not known there is nothing to tell."""
    return [] if made.urgent is None else list(dict.fromkeys(filter(None, _homes(made.urgent.some))))


def _homes(some: tuple[Urgent, ...]) -> list[str]:
    return [one.household_id or "" for one in some]


def _row(one: Urgent, name: str | None) -> tuple[str, ...]:
    meant = f"anak {one.child_id}" if one.child_id else f"ibu {one.mother_id or NOT_KNOWN}"
    return (
        one.household_id or NOT_KNOWN, name or "", meant, one.why_id, one.area_id or NOT_KNOWN,
        "" if one.measured_on is None else day(one.measured_on), day(one.recorded_on),
    )  # fmt: skip
