"""What the registry remembers of a model beside its files: evaluations, which test rows it was asked, refits."""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training import registry
from training.learn import fingerprint

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import pandas as pd

    from features.settings import Settings
    from training.model import RiskModel
    from training.registry import Registered

KEY = ["unit_id", "as_of"]


def rows_of(test: pd.DataFrame) -> str:
    """SHA-256 of test rows, in any order: children, facts and outcomes."""
    return fingerprint(test.sort_values(KEY))


def risk_of(model: RiskModel, where: Registered, test: pd.DataFrame, *, why: str, on: dt.datetime) -> np.ndarray:
    """The model's risk of each test row: asked once and kept with the model, together with when and why.

    Whoever looks at the same test rows again and again, and keeps what does best on them, fits them. So each look
    is counted, and a second one at the same model shows what the first showed.

    Parameters
    ----------
    on
        The time of asking, with its zone.
    """
    rows, order = rows_of(test), test.reset_index(drop=True).sort_values(KEY).index.to_numpy()
    kept = _kept(where, rows=rows)
    if kept is None or len(kept) != len(test):
        kept = model.risk(model.prepared(test))[order]
        _keep(where, kept, rows=rows, why=why, on=on)
    made = np.empty(len(test))
    made[order] = kept
    return made


def reads(*, rows: str) -> list[dict[str, str]]:
    """Every registered model that was asked these test rows: `when`, `stamp` and `why`, the oldest first."""
    tag = _tag(rows)
    with registry.answering("reads of the test rows"):
        found = [json.loads(run.data.tags[tag]) for run in registry.runs(f"tags.{tag} != ''")]
    return sorted(found, key=lambda one: (one["when"], one["stamp"]))


@contextmanager
def judging(where: Registered, *, rows: str, settings: Settings) -> Iterator[None]:
    """The run that an evaluation of the model is kept in; it counts as one once everything is there."""
    with registry.judging(where, rows=rows):
        yield
        registry.tag(registry.EVALUATED, _judged_by(rows, settings))


def _judged_by(rows: str, settings: Settings) -> str:
    how = (settings.gate, settings.krs, settings.evaluate, settings.outcome)
    return hashlib.sha256("|".join((rows, *(one.model_dump_json() for one in how))).encode()).hexdigest()


def evidence(where: Registered, *, rows: str, settings: Settings) -> Path | None:
    """Folder of the newest whole evaluation of this model on these rows under these settings; None without one."""
    with registry.answering(f"evaluation of {where.stamp}"):
        judged = f"tags.{registry.EVALUATED} = '{_judged_by(rows, settings)}'"
        runs = registry.runs(f"tags.stamp = '{where.stamp}' and {judged}")
        return registry.downloaded(runs[0].info.run_id, "evaluation") if runs else None


def card_of(where: Registered) -> Path | None:
    """Folder of the newest whole evaluation of this model, on whichever rows; None without one."""
    with registry.answering(f"evaluation of {where.stamp}"):
        runs = registry.runs(f"tags.stamp = '{where.stamp}' and tags.{registry.EVALUATED} != ''")
        return registry.downloaded(runs[0].info.run_id, "evaluation") if runs else None


def params_of(where: Registered) -> dict[str, str]:
    """Parameters of the run that trained the model."""
    with registry.answering(f"run of {where.name!r} version {where.version}"):
        return registry.params(where.run_id)


def refits(where: Registered) -> Path | None:
    """Folder of the model's refits, of which intervals are made; None when it has none."""
    with registry.answering(f"refits of {where.stamp}"):
        return registry.downloaded(where.run_id, "refits")


def earlier(*, on: str) -> list[dict[str, Any]]:
    """Stamp and test metrics of every model that was measured on the same children, newest first."""
    return [
        {"stamp": r.data.tags["stamp"], **{k.removeprefix("test_"): v for k, v in r.data.metrics.items()}}
        for r in registry.runs(f"tags.test_children = '{on}'")
    ]


def _tag(rows: str) -> str:
    return f"read_{rows[:16]}"


def _kept(where: Registered, *, rows: str) -> np.ndarray | None:
    with registry.answering(f"risks of {where.stamp}"):
        folder = registry.downloaded(where.run_id, "reads")
    path = folder / f"{rows[:16]}.npy" if folder else None
    try:
        return np.load(path) if path and path.exists() else None
    except (OSError, ValueError, EOFError):  # damaged: it is asked again
        return None


def _keep(where: Registered, risk: np.ndarray, *, rows: str, why: str, on: dt.datetime) -> None:
    said = {"when": on.isoformat(timespec="seconds"), "stamp": where.stamp, "why": why}
    with tempfile.TemporaryDirectory() as folder, registry.answering(f"place for risks of {where.stamp}"):
        path = Path(folder) / f"{rows[:16]}.npy"
        np.save(path, risk)
        with registry.run(where.run_id):
            # Counted first: a run that is cut between has looked at nothing, and one that has looked is counted.
            registry.tag(_tag(rows), json.dumps(said))
            registry.attach(path, under="reads")
