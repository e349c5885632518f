"""The model in use: loaded once, exchanged when the registry's alias moves, kept when the registry is away."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_household_items
from features.catalog import fingerprint
from features.errors import InputRefused, Refused
from features.folders import write_text
from features.neighbours import District
from features.request import RequestFeatures
from features.settings import load
from targeting.answer import answer
from training import model as models
from training import registry
from training.registry import Registered

if TYPE_CHECKING:
    from features.settings import Settings
    from training.model import RiskModel

log = logging.getLogger("tepat")
LAST_GOOD = Path("data/serving/model")
"""A copy of the model in use: a service that starts while the registry is away has it."""


@dataclass(frozen=True, eq=False)
class InUse:
    """A model, what makes features for it, and where it comes from."""

    model: RiskModel
    where: Registered
    features: RequestFeatures
    simulated: bool
    seen: tuple[object, ...]


class Champion:
    """Holds the model in use; `refresh` looks whether it is still the one to use.

    Readers take `current` once and work with what they took: a change does not reach an answer half made.
    """

    def __init__(self, name: str, *, every_seconds: float) -> None:
        self._name, self._every = name, every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)
        self.current: InUse | None = None
        self.stale_because: str | None = None

    def start(self) -> None:
        """Load the champion, or the last good model, and go on watching."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._thread.join(timeout=10)

    def refresh(self) -> None:
        """Take up the champion if it is another one than before; keep what is in use when that fails."""
        try:
            settings = load()
            seen = (registry.champion(self._name), *_marks(settings))
            if self.current is None or self.current.seen != seen:
                self._take_up(settings, seen)
            self.stale_because = None
        except Refused as refusal:
            self._stay(str(refusal))

    def _take_up(self, settings: Settings, seen: tuple[object, ...]) -> None:
        model, where = registry.fetch(self._name)
        self.current = _ready(model, where, settings, seen)
        _keep(model, where)
        log.info("model taken up", extra={"model": where.stamp, "version": where.version})

    def _stay(self, why: str) -> None:
        if why != self.stale_because:
            log.warning("champion not taken up", extra={"reason": why})
        self.stale_because = why
        if self.current is None:
            self.current = _last_good(load())

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.refresh()
            # The watch must outlive whatever it meets; what is in use stays.
            except Exception as fault:
                self.stale_because = f"Looking for the champion failed ({type(fault).__name__})."
                log.exception("watch failed")


def _ready(model: RiskModel, where: Registered, settings: Settings, seen: tuple[object, ...]) -> InUse:
    """The model with features planned for it, tried once before anyone is answered by it."""
    try:
        area = pd.read_parquet(settings.paths.interim / "area.parquet")
    except OSError as fault:
        raise InputRefused("no register of areas", "data/interim/area.parquet", "Run `make run` first.") from fault
    features = RequestFeatures(District(area, read_household_items(settings.paths.features)), model.history)
    model.booster.set_param({"nthread": 1})  # a request is too small to share
    answer(model, features, [features.specimen()])
    return InUse(model, where, features, settings.source.simulated, seen)


def _marks(settings: Settings) -> tuple[object, ...]:
    """What changes when the pipeline has published anew."""
    files = (settings.paths.interim / "area.parquet", settings.paths.features / "household_items.parquet")
    return tuple(file.stat().st_mtime_ns if file.exists() else None for file in files)


def _keep(model: RiskModel, where: Registered) -> None:
    """Copy the model beside the registry, whole or not at all; that it cannot be copied is no reason not to use it."""
    half = LAST_GOOD.with_name("model.part")
    try:
        shutil.rmtree(half, ignore_errors=True)
        models.write(model, half / "model")
        write_text(half / "registered.json", json.dumps(where.__dict__))
        shutil.rmtree(LAST_GOOD, ignore_errors=True)
        half.rename(LAST_GOOD)
    except OSError as fault:
        log.warning("model not copied", extra={"reason": type(fault).__name__})


def _last_good(settings: Settings) -> InUse | None:
    try:
        where = Registered(**json.loads((LAST_GOOD / "registered.json").read_text(encoding="utf-8")))
        model = models.read(LAST_GOOD / "model")
        found = _ready(model, where, settings, ("copy",))
    except (OSError, ValueError, TypeError, Refused):
        return None
    log.warning("last good model used", extra={"model": where.stamp, "catalogue": fingerprint()[:12]})
    return found
