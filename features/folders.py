"""Where registers are read from and where the outcome is written: never over what somebody else put there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from features.errors import InputRefused

ACCOUNT = "ingest.json"
"""Written by every ingest; a folder without it was not made by one."""
ELSEWHERE = "Give a new folder with --out; data/interim is the usual one."


def refuse_unreadable(raw: Path) -> None:
    """Refuse a place from which no registers can be read."""
    if raw.is_dir():
        return
    found = f"{raw} is not a folder" if raw.exists() else f"{raw} does not exist"
    raise InputRefused(found, "a folder with one file a register", "Check the path; give the folder, not a file in it.")


def refuse_overwriting(raw: Path, out: Path, *, made: Collection[str]) -> None:
    """Refuse an `out` whose replacement would destroy anything but an earlier ingest.

    Parameters
    ----------
    raw
        Folder of the registers, which is not touched.
    out
        Folder to be replaced whole; beside it stand, for a while, `<out>.part` and `<out>.former`.
    made
        Names of the files and folders that an ingest makes.
    """
    raw, out = raw.resolve(), out.resolve()
    if out == out.parent:
        raise InputRefused(f"{out} as the folder to write to", "a folder below the root", ELSEWHERE)
    if out in (Path.cwd(), *Path.cwd().parents):
        raise InputRefused(f"{out} as the folder to write to, but the command runs in it", "another folder", ELSEWHERE)
    for place in (out, *_beside(out)):
        if place == raw or place in raw.parents or raw in place.parents:
            raise InputRefused(
                f"registers in {raw} and {place} as a folder to write to: one lies in the other",
                "two folders apart from each other, for what is written replaces the whole folder",
                ELSEWHERE,
            )
    above = next(p for p in out.parents if p.exists())
    if not above.is_dir():
        raise InputRefused(f"{out}, but {above} is a file", "a folder that can be made", ELSEWHERE)
    _refuse_others_work(out, made, finished=True)
    for place in _beside(out):
        _refuse_others_work(place, made, finished=False)


def _beside(out: Path) -> tuple[Path, Path]:
    return out.with_name(out.name + ".part"), out.with_name(out.name + ".former")


def _refuse_others_work(place: Path, made: Collection[str], *, finished: bool) -> None:
    """Refuse a file, or a folder that holds what no ingest makes; what was interrupted has no account yet."""
    if place.is_file():
        raise InputRefused(f"{place} is a file", "a folder that is new, empty or from an earlier ingest", ELSEWHERE)
    there = sorted(p.name for p in place.iterdir()) if place.is_dir() else []
    if finished and there and ACCOUNT not in there:
        found = f"{place} is not empty, and no ingest made it (it has no {ACCOUNT})"
    elif strange := [name for name in there if name not in made and not name.startswith(".")]:
        found = f"{place} holds {strange[0]}, which no ingest made"
    else:
        return
    raise InputRefused(
        found, "a folder that is new, empty or from an earlier ingest", f"Move what is in it away. {ELSEWHERE}"
    )


def write_whole(out: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a new folder, then put it in the place of `out`: whole or not at all."""
    out = out.resolve()  # a link stays a link to the folder that is replaced
    half, former = _beside(out)
    if former.exists() and not out.exists():
        former.rename(out)  # an earlier run was stopped between the two renames
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        write(half)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    shutil.rmtree(former, ignore_errors=True)
    if out.exists():
        out.rename(former)
    os.replace(half, out)  # noqa: PTH105 (replaces an empty folder too, which rename does not on all systems)
    shutil.rmtree(former, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
