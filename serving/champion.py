"""The model in use: loaded once, exchanged when the registry's alias moves, kept when the registry is away."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_household_items
from features.errors import InputRefused, Refused
from features.folders import write_text, write_whole
from features.neighbours import District
from features.request import RequestFeatures
from features.settings import load
from targeting.answer import answer
from targeting.urgent import limits_of
from training import model as models
from training import registry
from training.registry import Registered

if TYPE_CHECKING:
    from features.settings import Settings
    from targeting.urgent import UrgentLimits
    from training.model import RiskModel

log = logging.getLogger("tepat")
LAST_GOOD = Path("data/serving/model")
"""A copy of the model in use: a service that starts while the registry is away has it."""


@dataclass(frozen=True, eq=False)
class InUse:
    """A model, what makes features for it, who is referred whatever it says, and where it comes from."""

    model: RiskModel
    where: Registered
    features: RequestFeatures
    limits: UrgentLimits
    seen: tuple[object, ...]


class Champion:
    """Holds the model in use; `refresh` looks whether it is still the one to use.

    Readers take `current` once and work with what they took: a change does not reach an answer half made.
    """

    def __init__(self, name: str, *, every_seconds: float, keeps_copy: bool = True) -> None:
        self._name, self._every, self._keeps_copy = name, every_seconds, keeps_copy
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
        # No message: it may quote a register.
        except Exception as fault:  # noqa: BLE001 (whatever it meets, what is in use stays, and so does the watch)
            log.error("champion not looked at", extra={"reason": type(fault).__name__})  # noqa: TRY400 (as said)
            self._stay(f"Looking for the champion failed ({type(fault).__name__}).")

    def _take_up(self, settings: Settings, seen: tuple[object, ...]) -> None:
        model, where = registry.fetch(self._name)
        self.current = _ready(model, where, settings, seen)
        if self._keeps_copy:
            _keep(model, where)
        log.info("model taken up", extra={"model": where.stamp, "version": where.version})

    def _stay(self, why: str) -> None:
        if why != self.stale_because:
            log.warning("champion not taken up", extra={"reason": why})
        self.stale_because = why
        if self.current is None:
            self.current = _last_good(self._name)

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.refresh()


def _ready(model: RiskModel, where: Registered, settings: Settings, seen: tuple[object, ...]) -> InUse:
    """The model with features planned for it, tried once before anyone is answered by it."""
    try:
        area = pd.read_parquet(settings.paths.interim / "area.parquet")
    except OSError as fault:
        raise InputRefused("no register of areas", "data/interim/area.parquet", "Run `make run` first.") from fault
    district = District(area, read_household_items(settings.paths.features))
    features = RequestFeatures(district, model.history, since=settings.test_from)
    limits = limits_of(settings)
    answer(model, features, [features.specimen()], limits=limits)
    return InUse(model, where, features, limits, seen)


def _marks(settings: Settings) -> tuple[object, ...]:
    """What changes when the pipeline has published anew."""
    files = (settings.paths.interim / "area.parquet", settings.paths.features / "household_items.parquet")
    return (
        settings.test_from,
        settings.urgent,
        *(file.stat().st_mtime_ns if file.exists() else None for file in files),
    )


def _keep(model: RiskModel, where: Registered) -> None:
    """Copy the model beside the registry, whole or not at all; that it cannot be copied is no reason not to use it."""
    try:
        write_whole(LAST_GOOD, partial(_write, model, where))
    except (OSError, ValueError) as fault:  # XGBoost's own error is a ValueError
        log.warning("model not copied", extra={"reason": type(fault).__name__})


def _write(model: RiskModel, where: Registered, folder: Path) -> None:
    models.write(model, folder / "model")
    write_text(folder / "registered.json", json.dumps(where.__dict__))


def _last_good(name: str) -> InUse | None:
    """The copy, if there is one of this model and it is as it was written."""
    try:
        where = Registered(**json.loads((LAST_GOOD / "registered.json").read_text(encoding="utf-8")))
        if where.name != name or models.digest(LAST_GOOD / "model") != where.digest:
            return None
        found = _ready(models.read(LAST_GOOD / "model"), where, load(), ("copy",))
    except (OSError, ValueError, TypeError, Refused):
        return None
    log.warning("last good model used", extra={"model": where.stamp})
    return found
