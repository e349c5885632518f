"""A copy of the model in use and of the tables beside it: scorers are made of it, also while the registry is away."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import InputRefused
from features.folders import write_text, write_whole
from serving.scorers.loaded import ABOUT, AREA, ITEMS, MODEL
from targeting.urgent import limits_of
from training import model as models
from training.registry import Registered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from features.settings import Settings
    from training.model import RiskModel


@dataclass(frozen=True, eq=False)
class InUse:
    """A model that scorers answer by, as the service knows it.

    Parameters
    ----------
    base_rate
        Share stunted among its training rows. [share]
    places
        Region of each area, as the register of areas has it; None where it has none.
    """

    where: Registered
    base_rate: float
    simulated: bool
    places: Mapping[str, str | None]


def write(folder: Path, model: RiskModel, where: Registered, *, settings: Settings) -> InUse:
    """Put a copy in the place of `folder`, whole or not at all.

    Raises
    ------
    InputRefused
        The pipeline has made no tables yet.
    OSError
        It cannot be written.
    """
    area, items = tables(settings)
    said = {
        "registered": asdict(where), "base_rate": model.base_rate, "simulated": model.simulated,
        "since": settings.test_from.isoformat(), "limits": asdict(limits_of(settings)),
        "sha256": {AREA: _digest(area), ITEMS: _digest(items)},
    }  # fmt: skip
    write_whole(folder, partial(_fill, model=model, area=area, items=items, said=said))
    found = kept(folder, where.name)
    if found is None:
        raise InputRefused(
            "the copy of the model and the district's tables is not what was copied",
            "tables that nothing writes meanwhile, and a sound disk",
            "Nothing needs to be done if the pipeline is running: the service looks again.",
        )
    return found


def _fill(half: Path, *, model: RiskModel, area: Path, items: Path, said: dict[str, object]) -> None:
    models.write(model, half / MODEL)
    shutil.copyfile(area, half / AREA)
    shutil.copyfile(items, half / ITEMS)
    write_text(half / ABOUT, json.dumps(said))


def kept(folder: Path, name: str) -> InUse | None:
    """The copy, if there is one of a model of this name and it is as it was written."""
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        where = Registered(**said["registered"])
        same = all(_digest(folder / file) == digest for file, digest in said["sha256"].items())
        if where.name != name or not same or models.digest(folder / MODEL) != where.digest:
            return None
        places = pd.read_parquet(folder / AREA, columns=["area_id", "region_id"])
        regions = places.region_id.astype(object).where(places.region_id.notna(), None)
        return InUse(where, said["base_rate"], said["simulated"], dict(zip(places.area_id, regions, strict=True)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def move(copy: Path, to: Path) -> None:
    """Put the copy in the place of another, whole or not at all."""
    write_whole(to, partial(_move, copy))
    shutil.rmtree(copy)


def _move(copy: Path, half: Path) -> None:
    for one in copy.iterdir():
        one.rename(half / one.name)


def tables(settings: Settings) -> tuple[Path, Path]:
    """The files of the pipeline that a copy holds.

    Raises
    ------
    InputRefused
        One of them is not there.
    """
    area, items = settings.paths.interim / AREA, settings.paths.features / ITEMS
    for file, what in ((area, "no register of areas"), (items, "no table of what neighbours have")):
        if not file.exists():
            raise InputRefused(what, str(file), "Run `make run` first.")
    return area, items


def _digest(file: Path) -> str:
    with file.open("rb") as bytes_:
        return hashlib.file_digest(bytes_, "sha256").hexdigest()
