"""Files of some registers laid over those of the run before: what a hand-over would be, before it is brought in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from features.adapters.canonical import WORKBOOK, register_of, sheet_of
from features.errors import InputRefused
from features.reading import lines_of
from features.settings import Source
from features.source import RAW, RUN, SIMULATED, bring_in, mend, standing, tell

LAYOUT: Final = "canonical"
MUCH_FEWER: Final = 0.9
"""Share of the rows of now below which a new file may be no whole register, but only what is new in it."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """What new registers come to.

    Parameters
    ----------
    files
        The file of each register that lies in `data/raw`, by register; without those of another layout.
    simulated
        Nobody of these registers exists.
    stays
        Whether registers that are not handed over anew stay: those of a simulation, or of another layout, never do,
        since real children and made-up ones, or two layouts, make no kabupaten.
    """

    files: dict[str, str]
    simulated: bool
    stays: bool


@dataclass(frozen=True, kw_only=True)
class Fewer:
    """A register that would lose many rows: how many lines its file has now, and the new one. [rows]"""

    register: str
    now: int
    new: int


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A hand-over as it would be.

    Parameters
    ----------
    mark
        Fingerprint of its files.
    over
        Fingerprint of `data/raw` as it was then; empty where nothing lay there.
    stays
        As of `Before`.
    fewer
        Registers that would have less than `MUCH_FEWER` of their rows.
    """

    mark: str
    over: str
    stays: bool
    fewer: tuple[Fewer, ...] = ()


def before(source: Source, *, raw: Path = RAW) -> Before:
    """What lies in `raw`, as `run.yaml` tells it."""
    simulated = source.simulated or (raw / SIMULATED).is_file()
    names = sorted(path.name for path in raw.iterdir() if path.is_file()) if raw.is_dir() else []
    known = {register: name for name in names if (register := register_of(name))}
    return Before(files=known, simulated=simulated, stays=not simulated and source.format == LAYOUT)


def lay_over(given: Path, into: Path, *, over: Before, raw: Path = RAW) -> None:
    """Fill the new folder `into` with links: to the files in `given`, and to those in `raw` that stay.

    Nothing is copied, for these are data of persons. A file in `raw` that is no register's stays, too.
    """
    into.mkdir()
    fresh = {path: register_of(path.name) for path in given.iterdir()}
    there = sorted(raw.iterdir()) if over.stays and raw.is_dir() else []
    replaced = {*fresh.values()} - {None}
    stay = [path for path in there if path.is_file() and path.name[0] != "." and register_of(path.name) not in replaced]
    for path in (*fresh, *stay):
        (into / path.name).symlink_to(path.resolve())


def fewer_of(given: Path, *, over: Before, raw: Path = RAW) -> tuple[Fewer, ...]:
    """Registers that would lose many rows; not those of which a file cannot be read, such as a broken one of now."""
    if not over.stays:
        return ()
    found = []
    for path in sorted(given.iterdir()):
        register = register_of(path.name)
        if register not in over.files:
            continue
        now, new = _lines_of(raw / over.files[register]), _lines_of(path)
        if now is not None and new is not None and new < MUCH_FEWER * now:
            found.append(Fewer(register=register, now=now, new=new))
    return tuple(found)


def _lines_of(path: Path) -> int | None:
    try:
        return lines_of(path) if path.suffix != WORKBOOK else len(sheet_of(path).rows)
    except InputRefused:  # the stage `ingest` says why
        return None


def is_writable(run: Path = RUN) -> bool:
    """Whether another `run.yaml` can be put in its place: a service may be kept from writing anywhere but in `data`."""
    return os.access(run.resolve().parent, os.W_OK)


def take(laid: Path, told: Laid, *, source: Source, raw: Path = RAW, run: Path = RUN) -> Source:
    """Bring a hand-over into `raw`, and write `run`; stopped between the two, it is taken again, to the same end.

    Parameters
    ----------
    source
        Of `run` as it is: the day from which the model is tested stays, where registers stay.

    Raises
    ------
    InputRefused
        `raw`, or a file of the hand-over, is not what it was when the hand-over was checked, `run` may not be written,
        or the disk is too full; nothing was changed.
    OSError
        The files cannot be read or copied; nothing was changed.
    """
    if not is_writable(run):
        raise InputRefused(
            f"{run}, which may not be written here",
            "a run.yaml, or a link to one, in a folder that the service may write to",
            "Ask whoever runs this machine: docs/deployment.md says how. Nothing was changed.",
        )
    mend(raw)
    if source.fingerprint == standing(raw) == told.mark:
        return source
    if standing(raw) not in (told.over, told.mark) or before(source, raw=raw).stays != told.stays:
        raise _changed("other registers in data/raw than when this was checked")
    if standing(laid) != told.mark:
        raise _changed("other files than those that were checked")
    mark = bring_in(laid, raw=raw)
    made = Source(format=LAYOUT, fingerprint=mark, test_from=source.test_from if told.stays else None)
    tell(made, run)
    return made


def _changed(found: str) -> InputRefused:
    return InputRefused(found, "what was checked", "Throw this hand-over away, and hand it over again.")
