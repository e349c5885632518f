"""Brings the registers of one run into `data/raw` and writes `run.yaml`, which DVC tracks.

DVC ignores environment variables, so FORMAT, DATA and TEST_FROM reach it as a params file; and the
files are copied, so that no path outside the project stands in `dvc.lock`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import shutil
from pathlib import Path

import yaml

from features.errors import InputRefused, run_stage
from features.folders import write_text
from features.settings import Source

SIMULATED = "simulated.json"
"""Stands beside registers of people who do not exist, and stays with them."""
SPARE_BYTES = 16 * 2**20
"""Left free for whoever else writes to that disk."""
RAW = Path("data/raw")
RUN = Path("run.yaml")


def register_files(folder: Path) -> list[Path]:
    """The files of a hand-over, in the order of their names; `InputRefused` when there are none."""
    if not folder.is_dir():
        raise InputRefused(
            found=f"DATA={folder} is not a folder",
            allowed="a folder with one file a register",
            remedy="Give the folder: make run FORMAT=dhs DATA=path/to/folder",
        )
    files = _own(folder)
    if not files:
        raise InputRefused(
            found=f"{folder} holds no files",
            allowed="one file a register",
            remedy="Put the extracts there, as docs/registers.md says.",
        )
    return files


def fingerprint(files: list[Path]) -> str:
    """SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def bring_in(folder: Path, *, raw: Path = RAW) -> str:
    """Copy the files into `raw`, whole or not at all; their fingerprint comes back.

    Raises
    ------
    InputRefused
        There is nothing to copy, the files changed meanwhile, the disk has no room for them beside those of `raw`, or a
        folder in `raw` would be lost with it.
    OSError
        They cannot be copied; `raw` is as it was.
    """
    half = raw.with_name(raw.name + ".part")
    _refuse_losing(folder, raw, half)
    mend(raw)
    files = register_files(folder)
    mark = fingerprint(files)
    if standing(raw) == mark:
        return mark
    _refuse_folders(raw)
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        _refuse_no_room(files, half)
        _copy(files, half, mark=mark)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    if raw.exists():
        raw.rename(_former(raw))
    half.rename(raw)
    shutil.rmtree(_former(raw), ignore_errors=True)
    return mark


def standing(raw: Path = RAW) -> str:
    """The fingerprint of what lies in `raw`; empty where nothing does."""
    files = _own(raw) if raw.is_dir() else []
    return fingerprint(files) if files else ""


def mend(raw: Path = RAW) -> None:
    """Give `raw` its place back, if whoever replaced it was stopped between the two renames."""
    former = _former(raw)
    if former.is_dir() and not raw.exists():
        former.rename(raw)
    shutil.rmtree(former, ignore_errors=True)


def _former(raw: Path) -> Path:
    return raw.with_name(f".{raw.name}.former")


def _copy(files: list[Path], half: Path, *, mark: str) -> None:
    for path in files:
        shutil.copyfile(path, half / path.name)
        with (half / path.name).open("rb") as stream:
            os.fsync(stream.fileno())
    if fingerprint(_own(half)) != mark:
        raise InputRefused(
            found="files that changed while they were copied",
            allowed="files that nobody writes to",
            remedy="Wait until they are whole, and run again.",
        )


def _refuse_no_room(files: list[Path], half: Path) -> None:
    """Before the first byte: who fills the disk halfway takes the room of a service beside it."""
    needed, free = sum(path.stat().st_size for path in files) + SPARE_BYTES, shutil.disk_usage(half).free
    if needed > free:
        raise InputRefused(
            found=f"{free / 2**20:,.0f} MiB free on the disk of {half.parent}",
            allowed=f"{needed / 2**20:,.0f} MiB, for the new registers beside those of now",
            remedy="Free space, and run again; nothing was changed.",
        )


def _own(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _refuse_losing(folder: Path, raw: Path, half: Path) -> None:
    given = folder.resolve()
    replaced = next((p for p in (raw.resolve(), half.resolve()) if p in given.parents), None)
    if given == half.resolve() or replaced:
        raise InputRefused(
            found=f"DATA={folder} lies where the copies go, {replaced or half}, which is replaced",
            allowed=f"a folder outside {raw}",
            remedy="Move the folder elsewhere, and give its new place.",
        )


def _refuse_folders(raw: Path) -> None:
    """A hand-over has no folders, so somebody put one there."""
    folders = sorted(p.name for p in raw.iterdir() if p.is_dir()) if raw.is_dir() else []
    if folders:
        raise InputRefused(
            found=f"{raw} holds the folder {folders[0]}, which no run put there and the new files would replace",
            allowed=f"only register files in {raw}",
            remedy="Move the folder out of it, and run again.",
        )


def day(text: str) -> dt.date:
    """The date written as YYYY-MM-DD; `InputRefused` when it is not."""
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = None
    # Python reads 20240101 and 2024-W01-1 too
    if found is None or found.isoformat() != text:
        raise InputRefused(
            found=f"TEST_FROM={text} is not a date",
            allowed="a day of the calendar, YYYY-MM-DD",
            remedy="Write it so, for example TEST_FROM=2024-01-01.",
        )
    return found


def test_from_of(marker: Path) -> dt.date | None:
    """The temporal split that a simulation was made for; None when its marker does not say."""
    try:
        told = json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        return None
    said = told.get("test_from") if isinstance(told, dict) else None
    return day(str(said)) if said else None


def main() -> None:
    """Stage `source`: called by `make run`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", required=True, choices=["canonical", "dhs"])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--test-from", type=day)
    given = parser.parse_args()
    mark = bring_in(given.data)
    simulated = (given.data / SIMULATED).is_file()
    test_from = given.test_from or (test_from_of(given.data / SIMULATED) if simulated else None)
    tell(Source(format=given.format, fingerprint=mark, test_from=test_from, simulated=simulated))


def tell(source: Source, run: Path = RUN) -> None:
    """Write `run.yaml`, whole or not at all; a link to where it may be written stays one."""
    write_text(run.resolve(), yaml.safe_dump(source.model_dump(mode="json"), sort_keys=True))


if __name__ == "__main__":
    run_stage(main)
