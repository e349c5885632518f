"""Parts of a job -> its result as files; a process of its own."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow.parquet as pq
from openpyxl.cell import WriteOnlyCell

from features.adapters.bounds import SHEET_ROWS
from features.cells import guarded as harmless
from features.errors import InputRefused
from features.folders import write_text
from serving.jobs.child import guarded
from serving.jobs.columns import SCHEMA
from serving.jobs.folder import ACCOUNT, REFUSED_FILE, JobFolder, digest, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

TO_ASSEMBLE = "assemble.json"


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What belongs into a result: the parts numbered from 0, by one model."""

    parts: int
    households: int
    stamp: str
    contributions: bool


def result_of(job: JobFolder) -> dict[str, Any] | None:
    """What is told of a result: `rows`, `stamp`, and by file `bytes` and `sha256`; None until there is one."""
    path = job.result / ACCOUNT
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def order(job: JobFolder, asked: Assembly) -> None:
    """Leave what is asked where the process finds it."""
    write_text(job.path / TO_ASSEMBLE, json.dumps(asked.__dict__))


def work(folder: Path) -> None:
    """Assemble the result of the job in `folder`, whole or not at all."""
    job = JobFolder(folder)
    asked = Assembly(**json.loads((folder / TO_ASSEMBLE).read_text(encoding="utf-8")))
    half = folder / "result.part"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    rows, homes = _write(job, asked, half)
    if homes != asked.households:
        raise InputRefused(f"{homes:,} households in the parts", f"{asked.households:,}", "Make the job again.")
    shutil.copyfile(job.prepared / REFUSED_FILE, half / REFUSED_FILE)
    files = {path.name: {"bytes": path.stat().st_size, "sha256": digest(path)} for path in sorted(half.iterdir())}
    told = {"rows": rows, "stamp": asked.stamp, "files": files}
    (half / ACCOUNT).write_text(json.dumps(told), encoding="utf-8")
    shutil.rmtree(job.result, ignore_errors=True)
    put(half, job.result)


def _write(job: JobFolder, asked: Assembly, half: Path) -> tuple[int, int]:
    """Write every format a part at a time; rows and households come back."""
    rows, homes = sum(_lengths(job, asked)), 0
    names = [name for name in SCHEMA.names if asked.contributions or not name.startswith("contributions_")]
    with ExitStack() as open_files:
        parquet = open_files.enter_context(
            pq.ParquetWriter(half / "result.parquet", _schema(names), compression="zstd")
        )
        csv = open_files.enter_context((half / "result.csv").open("w", encoding="utf-8-sig", newline=""))
        book = openpyxl.Workbook(write_only=True) if rows < SHEET_ROWS else None
        sheet = book.create_sheet("result") if book else None
        if sheet:
            sheet.append(names)
        for number in range(asked.parts):
            part = pq.read_table(job.part(number, asked.stamp)).select(names)
            homes += len(part["household_id"].unique())
            parquet.write_table(part)
            cells = part.to_pandas().apply(harmless)
            cells.to_csv(csv, index=False, header=number == 0, lineterminator="\r\n", date_format="%Y-%m-%d")
            if sheet:
                for line in _lines(cells, sheet):
                    sheet.append(line)
        if book:
            book.save(half / "result.xlsx")
    return rows, homes


def _lengths(job: JobFolder, asked: Assembly) -> Iterator[int]:
    for number in range(asked.parts):
        yield pq.read_metadata(job.part(number, asked.stamp)).num_rows


def _schema(names: list[str]) -> pa.Schema:
    return SCHEMA.empty_table().select(names).schema


def _lines(cells: pd.DataFrame, sheet: Any) -> Iterator[list[Any]]:
    """Rows for a sheet; texts are marked as such, or a spreadsheet would read `#N/A` and `=` in them."""
    known = cells.notna().to_numpy()
    for line, there in zip(cells.astype(object).itertuples(index=False, name=None), known, strict=True):
        yield [_cell(value, sheet) if filled else None for value, filled in zip(line, there, strict=True)]


def _cell(value: Any, sheet: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


if __name__ == "__main__":
    guarded(work)
