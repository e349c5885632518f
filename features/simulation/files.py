"""The files of a simulation: written part by part, and never over what nobody simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputRefused
from features.source import SIMULATED

if TYPE_CHECKING:
    from types import TracebackType

ACCOUNT = "simulation.json"
REGISTERS_IN, TRUTH_IN = "registers", "truth"
MADE = {ACCOUNT, REGISTERS_IN, TRUTH_IN}
GROUP_ROWS = 50_000
"""Rows of a table that wait in memory before they are written."""
ELSEWHERE = "Give a new folder with --out; data/simulated is the usual one."


class Tables:
    """Parquet files that grow by parts; memory holds no more than `GROUP_ROWS` and one part of each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[str, list[pa.Table]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, waiting in self._waiting.items():
            if kind is None and waiting:
                self._flush(name)
        for writer in self._writers.values():
            writer.close()

    def add(self, name: str, rows: pa.Table) -> None:
        """Append rows to `<name>.parquet`."""
        waiting = self._waiting.setdefault(name, [])
        waiting.append(rows)
        self.rows[name] = self.rows.get(name, 0) + len(rows)
        if sum(map(len, waiting)) >= GROUP_ROWS:
            self._flush(name)

    def _flush(self, name: str) -> None:
        rows = pa.concat_tables(self._waiting[name]).combine_chunks()
        self._waiting[name] = []
        if name not in self._writers:
            path = self._folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[name] = pq.ParquetWriter(path, rows.schema, compression="zstd")
        self._writers[name].write_table(rows)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write indented JSON; same value, same bytes."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def account(out: Path) -> dict[str, Any] | None:
    """The account of the simulation in `out`; None when there is none."""
    path = out / ACCOUNT
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.get("simulated") is True else None


def refuse_overwriting(out: Path) -> None:
    """Refuse an `out` whose replacement would destroy anything but an earlier simulation."""
    out = out.resolve()
    if out in (Path.cwd(), *Path.cwd().parents):
        raise InputRefused(f"{out} as the folder to write to, but the command runs in it", "another folder", ELSEWHERE)
    above = next(place for place in (out, *out.parents) if place.exists())
    if not above.is_dir():
        raise InputRefused(f"{above} is a file", "a folder that is new, empty or from an earlier simulation", ELSEWHERE)
    # what was interrupted is called .part or .former and has no account, or a whole one
    for place in (out.with_name(out.name + ".part"), out.with_name(out.name + ".former")):
        _refuse_strangers(place)
    there = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if there and account(out) is None:
        found = f"{out} is not empty, and no simulation made it (it has no {ACCOUNT})"
        raise InputRefused(found, "a folder that is new, empty or from an earlier simulation", ELSEWHERE)
    _refuse_strangers(out)


def _refuse_strangers(place: Path) -> None:
    """Refuse a file, and a folder with a file that no simulation makes."""
    if place.is_file():
        raise InputRefused(f"{place} is a file", "a folder that can be replaced", ELSEWHERE)
    found = sorted(path.relative_to(place) for path in place.rglob("*") if not path.is_dir())
    strange = [path.as_posix() for path in found if not _ours(path)]
    if strange:
        raise InputRefused(
            f"{place} holds {strange[0]}, which no simulation made",
            "a folder that is new, empty or from an earlier simulation",
            f"Move what is in it away. {ELSEWHERE}",
        )


def _ours(path: Path) -> bool:
    if path.name in {ACCOUNT, SIMULATED}:
        return True
    return len(path.parts) == 2 and path.parts[0] in MADE and path.suffix == ".parquet"  # noqa: PLR2004 (folder, file)
