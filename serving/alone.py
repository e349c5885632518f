"""A model for the command line: in this process, without a service."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_household_items
from features.errors import InputRefused, Refused
from features.neighbours import District
from features.request import RequestFeatures
from features.settings import load
from serving.champion import LAST_GOOD
from serving.scorers import copies
from serving.scorers.loaded import Loaded, read
from serving.settings import load as service_of
from targeting.urgent import limits_of
from training import registry

if TYPE_CHECKING:
    from features.settings import Settings
    from training.model import RiskModel
    from training.registry import Registered


@dataclass(frozen=True, eq=False)
class Alone:
    """A model, where it comes from, and why it is not the registry's champion, where it is not."""

    loaded: Loaded
    where: Registered
    stale_because: str | None

    @property
    def base_rate(self) -> float:
        """Share stunted among its training rows. [share]"""
        return self.loaded.model.base_rate

    @property
    def simulated(self) -> bool:
        """Whether nobody of its training rows exists."""
        return self.loaded.model.simulated


def champion() -> Alone:
    """The registry's champion; the service's last good model when the registry is away.

    Raises
    ------
    InputRefused
        There is neither.
    """
    service = service_of(os.environ)
    try:
        model, where = registry.fetch(service.model_name)
        return Alone(_with_tables(model, load()), where, None)
    except Refused as refusal:
        folder = service.folder / LAST_GOOD
        copy = copies.kept(folder, service.model_name)
        if copy is None:
            raise InputRefused(str(refusal), "a champion in the registry", "Run `make run` first.") from refusal
        return Alone(read(folder), copy.where, str(refusal))


def _with_tables(model: RiskModel, settings: Settings) -> Loaded:
    area, _ = copies.tables(settings)
    district = District(pd.read_parquet(area), read_household_items(settings.paths.features))
    return Loaded(model, RequestFeatures(district, model.history, since=settings.test_from), limits_of(settings))
