"""What became of the models over time: how each was judged, what the gate said last, and where its records stand."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from serving.cards import Asking, Version, versions
from training import registry
from training.registry import RegistryRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHOWN: Final = ("auc", "average_precision", "ece", "calibration_slope", "recall_at_10")
LOGGED: Final = "test_"
AGAIN_S: Final = 20.0
"""How long what the registry said is told again: to ask it takes some tenths of a second. [s]"""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One evaluation of a model.

    Parameters
    ----------
    figures
        On the test children, by name: those of `SHOWN` that were logged.
    with_card
        It was finished, so that there is a card.
    """

    stamp: str
    at: dt.datetime
    figures: dict[str, float]
    with_card: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition of the gate, in its words."""

    name: str
    found: str
    allowed: str
    passed: bool
    to_do: str


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the gate said last; `jaccard` is the share of households on both lists, None without a comparison."""

    challenger: str
    champion: str | None
    passed: bool
    without_comparison: str
    jaccard: float | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """What the registry tells of the model's versions and evaluations, the newest first.

    Parameters
    ----------
    away
        Why it tells nothing; None when it answers.
    """

    versions: tuple[Version, ...] = ()
    judged: tuple[Judged, ...] = ()
    away: str | None = None

    def figures_of(self, stamp: str) -> Mapping[str, float]:
        """Of its newest evaluation; empty when it was never judged."""
        return next((one.figures for one in self.judged if one.stamp == stamp and one.figures), {})

    def has_card(self, stamp: str) -> bool:
        """Whether a whole evaluation of it was kept."""
        return any(one.with_card for one in self.judged if one.stamp == stamp)


_runs: Asking[tuple[Judged, ...]] = Asking()
_told: dict[str, tuple[float, History]] = {}
_lock = threading.Lock()


def history(name: str) -> History:
    """The history of the model of a name, as the registry told it at most `AGAIN_S` ago."""
    with _lock:
        at, kept = _told.get(name, (0.0, None))
    if kept is not None and time.monotonic() - at < AGAIN_S:
        return kept
    made = _asked(name)
    with _lock:
        _told[name] = (time.monotonic(), made)
    return made


def _asked(name: str) -> History:
    try:
        return History(versions=versions(name), judged=_runs.ask(name, lambda: _judged(name)))
    except RegistryRefused as refusal:
        return History(away=str(refusal))


def _judged(name: str) -> tuple[Judged, ...]:
    with registry.answering(f"evaluations of {name!r}"):
        runs = registry.runs("tags.stamp != ''")
    found = (run for run in runs if run.data.tags["stamp"].startswith(f"{name}-"))
    return tuple(
        Judged(
            stamp=run.data.tags["stamp"],
            at=dt.datetime.fromtimestamp(run.info.start_time / 1000, tz=dt.UTC),
            figures={one: run.data.metrics[LOGGED + one] for one in SHOWN if LOGGED + one in run.data.metrics},
            with_card=bool(run.data.tags.get(registry.EVALUATED)),
        )
        for run in found
    )


def forget(name: str) -> None:
    """The history of the model of a name has changed: the next who asks hears it from the registry."""
    with _lock:
        _told.pop(name, None)


def gate(folder: Path) -> Gate | None:
    """What the gate said last, as it was written beside `gate.md` in a folder; None when it was never asked there."""
    try:
        told: dict[str, Any] = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
        return Gate(**told | {"checks": tuple(Check(**one) for one in told["checks"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def page_of(tracking: str) -> str | None:
    """The address of MLflow's own pages, without what may be a password; None where it has none.

    Examples
    --------
    >>> page_of("https://data:rahasia@mlflow.example/tepat"), page_of("sqlite:///mlruns/mlflow.db")
    ('https://mlflow.example/tepat', None)
    """
    parts = urlsplit(tracking)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
