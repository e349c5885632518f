"""A whole kabupaten -> its registers, the truth about it, and an account of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import AREA
from features.folders import write_whole
from features.progress import unseen
from features.simulation import areas, figures, files, truth
from features.simulation.calendar import TEST_FROM, WEIGHINGS
from features.simulation.chance import stream
from features.simulation.part import Part, made
from features.simulation.places import Desa, settle
from features.simulation.sheets import sheet
from features.source import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Steps = Callable[[Sequence[Desa]], Iterable[Desa]]

VERSION = 3
"""Raised with every change that makes the same seed give other files."""
NOTE = "Nobody in these registers exists. Figures made from them prove the machine, not a model."


@dataclass(frozen=True)
class Asked:
    """What decides every byte of a simulation.

    Parameters
    ----------
    areas
        Name and SHA-256 of the code list, or Kabupaten Contoh.
    """

    households: int
    seed: int
    areas: str
    version: int = VERSION

    def told(self) -> dict[str, Any]:
        """The marker that stays with the registers."""
        return {
            "simulated": True, "note": NOTE, "simulator_version": self.version, "households": self.households,
            "seed": self.seed, "areas": self.areas, "test_from": TEST_FROM,
        }  # fmt: skip


def simulate(
    out: Path, *, households: int, seed: int, code_list: Path | None = None, steps: Steps = unseen
) -> tuple[figures.Figure, ...]:
    """Write `out`, whole or not at all: `registers/`, apart from them `truth/`, and the account.

    Parameters
    ----------
    households
        At least 100. Memory does not grow with them.
    seed
        Same households, seed, code list and versions of Python packages: same bytes.
    code_list
        Areas in the Kemendagri form, in place of the made-up kabupaten.
    steps
        The loop over desa, which may show how far it is.

    Returns
    -------
    What was set, and what came out of the files.

    Raises
    ------
    InputRefused
        The number or the code list cannot be used, or `out` holds what no simulation made.
    """
    files.refuse_overwriting(out)
    places = settle(_areas(code_list), households=households, seed=seed)
    asked = asked_for(households=households, seed=seed, code_list=code_list)
    found: list[figures.Figure] = []

    def write(folder: Path) -> None:
        rows = _write(folder, places, asked, steps)
        found.extend(figures.measured(folder))
        files.write_json(folder / files.ACCOUNT, _account(asked, places, rows, found))

    write_whole(out, write)
    return tuple(found)


def is_there(out: Path, *, households: int, seed: int, code_list: Path | None = None) -> bool:
    """Whether `out` already holds this very simulation."""
    told = files.account(out)
    asked = asked_for(households=households, seed=seed, code_list=code_list).told()
    return told is not None and asked == {name: told.get(name) for name in asked}


def asked_for(*, households: int, seed: int, code_list: Path | None) -> Asked:
    """What decides this simulation; `InputRefused` when there is no such code list."""
    return Asked(households=households, seed=seed, areas=areas.mark(code_list) if code_list else areas.NAME)


def _areas(code_list: Path | None) -> tuple[areas.Area, ...]:
    return areas.read(code_list) if code_list else areas.made_up()


def _write(folder: Path, places: tuple[Desa, ...], asked: Asked, steps: Steps) -> dict[str, int]:
    """Make part after part and append it; rows by file."""
    sample = truth.sampled(stream(asked.seed, 0), places)
    (folder / files.REGISTERS_IN).mkdir()
    files.write_json(folder / files.REGISTERS_IN / SIMULATED, asked.told())
    with files.Tables(folder) as tables:
        tables.add(f"{files.REGISTERS_IN}/{AREA.name}", _area(places))
        for desa in steps(places):
            _write_desa(tables, desa, seed=asked.seed, take=sample.get(desa.number, 0))
    return tables.rows


def _write_desa(tables: files.Tables, desa: Desa, *, seed: int, take: int) -> None:
    sums = np.zeros((len(WEIGHINGS), len(truth.TALLIED)))
    for part in range(len(desa.parts)):
        done = made(desa, part=part, seed=seed, survey_take=take if part == 0 else 0)
        _append(tables, done)
        sums += done.tally
    tables.add(f"{files.TRUTH_IN}/prevalence", truth.prevalence(desa, sums))


def _append(tables: files.Tables, done: Part) -> None:
    for name, rows in done.registers.items():
        file = f"{files.REGISTERS_IN}/{name}"
        before = tables.rows.get(file, 0)
        found = done.faults[name]
        place = found.schema.get_field_index("row")
        tables.add(f"{files.TRUTH_IN}/faults", found.set_column(place, "row", pc.add(found["row"], before)))
        tables.add(file, rows)
    tables.add(f"{files.TRUTH_IN}/children", done.children)
    tables.add(f"{files.TRUTH_IN}/survey", done.survey)


def _area(places: tuple[Desa, ...]) -> pa.Table:
    return sheet(
        AREA,
        {
            "area_id": np.array([desa.area.code for desa in places]),
            "region_id": np.array([desa.area.kecamatan for desa in places]),
            "area_name": np.array([desa.area.name for desa in places]),
            "region_name": np.array([desa.area.kecamatan_name for desa in places]),
            "urban": np.array([desa.urban for desa in places]),
            "altitude_m": np.array([desa.altitude_m for desa in places]),
        },
    )


def _account(
    asked: Asked, places: tuple[Desa, ...], rows: dict[str, int], found: list[figures.Figure]
) -> dict[str, Any]:
    return {
        **asked.told(),
        "desa": len(places),
        "kecamatan": len({desa.area.kecamatan for desa in places}),
        "rows": dict(sorted(rows.items())),
        "figures": {
            f.target.name: {
                "meaning": f.target.meaning, "set": f.target.aim, "tolerance": f.target.tolerance,
                "found": None if math.isnan(f.found) else f.found, "source": f.target.source,
            }
            for f in found
        },
    }  # fmt: skip
