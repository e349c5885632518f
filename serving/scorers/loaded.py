"""A model with what makes features for it: read from a copy of its own, without the registry."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.neighbours import District
from features.request import RequestFeatures
from targeting.answer import answer
from targeting.urgent import UrgentLimits
from training import model as models

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from features.request import Household
    from targeting.answer import Answer
    from training.model import RiskModel

MODEL, AREA, ITEMS, ABOUT = "model", "area.parquet", "household_items.parquet", "about.json"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model, what makes features for it, and who is referred whatever it says."""

    model: RiskModel
    features: RequestFeatures
    limits: UrgentLimits

    def answer(self, households: Sequence[Household]) -> list[Answer]:
        """One answer a household, in their order."""
        return answer(self.model, self.features, households, limits=self.limits)

    def tried(self) -> Loaded:
        """Itself, once it has answered about nobody."""
        self.answer([self.features.specimen()])
        return self


def read(folder: Path) -> Loaded:
    """What a copy holds, read by this thread alone; no engine is open yet.

    Raises
    ------
    OSError, ValueError, KeyError, features.errors.Refused
        A file is missing, damaged or of another version.
    """
    said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    area, items = (_table(folder / name) for name in (AREA, ITEMS))
    model = models.read(folder / MODEL)
    features = RequestFeatures(District(area, items), model.history, since=dt.date.fromisoformat(said["since"]))
    return Loaded(model, features, UrgentLimits(**said["limits"]))


def _table(file: Path) -> pd.DataFrame:
    """The rows of a Parquet file. From a buffer: of a file Arrow would make threads, which no fork takes along."""
    read = pq.ParquetFile(pa.BufferReader(file.read_bytes())).read(use_threads=False)
    return read.to_pandas(use_threads=False)
