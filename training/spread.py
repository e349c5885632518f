"""Stage `intervals`: the model learned again and again on drawn clusters, and kept beside it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from features.build import HISTORY, KEYS, add_history
from features.errors import InputRefused, run_stage
from features.folders import write_text, write_whole
from features.progress import shown, unseen
from features.settings import Settings, load
from training import model as models
from training import registry
from training.fit import labelled
from training.learn import fingerprint
from training.model import AGE_AT_24_MONTHS, ModelRefused, RiskModel, under_24_months
from training.models import DETERMINANTS, INPUTS, inputs_of, margins, matrix
from training.refits import refit
from training.splits import temporal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    Steps = Callable[[Sequence[int]], Iterable[int]]

TOLD = "refits.json"
AGE = INPUTS.index("age_months")
PAST = [f.name for f in HISTORY]
PAST_AT = [INPUTS.index(name) for name in PAST]


@dataclass(frozen=True, eq=False)
class Refits:
    """The refits of one model.

    Parameters
    ----------
    of
        SHA-256 of the model's files; see `model.digest`.
    """

    models: tuple[RiskModel, ...]
    of: str


@dataclass(frozen=True, eq=False)
class Spread:
    """Calibrated log-odds of some units by each refit. Shape (refits, units).

    Parameters
    ----------
    now
        Null for a pregnancy.
    at_24m
        Null from 24 months on.
    """

    now: np.ndarray
    at_24m: np.ndarray


def write(train: pd.DataFrame, out: Path, *, of: str, settings: Settings, steps: Steps = unseen) -> None:
    """Learn as many refits as `params.yaml` asks for, and write `out`: a folder each, and `refits.json`.

    `out` is replaced whole or not at all. A run that was killed goes on where it stopped, for each refit is kept in
    `<out>.kept` as it is learned. Nothing is taken that was learned of other rows, settings or seeds, or for another
    model.

    Parameters
    ----------
    train
        The rows that the model was trained on, as for `learn`.
    of
        The model's digest.
    steps
        How the loop over refits is shown.
    """
    beside, seed = out.with_name(f"{out.name}.kept"), settings.train.seed
    kept, draws = beside / _key(train, settings, of=of), range(settings.intervals.refits)
    for draw in steps(draws):
        if not (kept / _name(draw)).is_dir():
            one = refit(train, settings=settings, seed=seed, draw=draw)
            write_whole(kept / _name(draw), partial(models.write, one))

    def together(folder: Path) -> None:
        for name in map(_name, draws):
            shutil.copytree(kept / name, folder / name)
        digests = {name: models.digest(folder / name) for name in map(_name, draws)}
        said = {"of": of, "seed": seed, "refits": digests}
        write_text(folder / TOLD, json.dumps(said, indent=2) + "\n")

    write_whole(out, together)
    shutil.rmtree(beside)


def write_none(out: Path, *, of: str, why: str) -> None:
    """A folder that says why the model has no refits: its risks then have no interval."""
    said = {"of": of, "refits": {}, "why": why}
    write_whole(out, lambda folder: write_text(folder / TOLD, json.dumps(said, indent=2) + "\n"))


def why_none(folder: Path) -> str:
    """Why there are no refits in the folder; empty where there are."""
    return str(_told(folder).get("why", ""))


def of_model(folder: Path) -> str | None:
    """Digest of the model whose refits lie in the folder; None when there are none."""
    return _told(folder).get("of")


def read(folder: Path) -> Refits:
    """The refits of a folder.

    Raises
    ------
    ModelRefused
        One is missing, damaged, or was learned with another catalogue.
    """
    said = _told(folder)
    if not said:
        raise ModelRefused(f"{folder} holds no refits, or a damaged {TOLD}. Run `dvc repro intervals`.")
    for name in said["refits"]:
        if not _whole(folder, said, name):
            raise ModelRefused(f"Refit {name} in {folder} is missing or damaged. Run `dvc repro --force intervals`.")
    return Refits(tuple(models.read(folder / name) for name in said["refits"]), said["of"])


def spread(refits: Refits, units: pd.DataFrame) -> Spread:
    """What each refit says of each unit, now and at 24 months.

    Features are prepared once: refits differ in what they knew of an area's past alone.

    Parameters
    ----------
    units
        With `KEYS` and features, area history aside.
    """
    now = inputs_of(refits.models[0].prepared(units))
    young = under_24_months(now[:, AGE])
    later = now[young]
    later[:, AGE] = AGE_AT_24_MONTHS
    both = np.vstack([now, later])
    made = np.empty((len(refits.models), len(both)))
    for row, one in enumerate(refits.models):
        past = add_history(units[KEYS], one.history)[PAST].to_numpy(float, na_value=np.nan)
        both[:, PAST_AT] = np.vstack([past, past[young]])
        made[row] = one.calibration.log_odds(margins(one.booster, matrix(both)))
    at_24m = np.full((len(made), len(now)), np.nan)
    at_24m[:, young] = made[:, len(now) :]
    unborn = (units.unit_kind == "pregnancy").to_numpy()
    return Spread(np.where(unborn, np.nan, made[:, : len(now)]), at_24m)


def _whole(folder: Path, said: dict[str, Any], name: str) -> bool:
    return (folder / name).is_dir() and models.digest(folder / name) == said["refits"][name]


def _name(draw: int) -> str:
    return f"{draw:03}"


def _key(train: pd.DataFrame, settings: Settings, *, of: str) -> str:
    ordered = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    how = settings.train.model_dump_json() + settings.history.model_dump_json() + str(settings.source.simulated)
    said = "|".join((fingerprint(ordered), how, DETERMINANTS.fingerprint, of))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _told(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) and {"of", "refits"} <= set(said) else {}


def main() -> None:
    """Stage `intervals`."""
    settings = load()
    train, _ = temporal(labelled(settings), test_from=settings.test_from)
    _, where = registry.last_trained(settings.paths.models)
    out = settings.paths.refits
    try:
        write(train, out, of=where.digest, settings=settings, steps=shown("learning again, on drawn clusters"))
    except InputRefused as refusal:
        write_none(out, of=where.digest, why=str(refusal))
    with registry.run(where.run_id):
        registry.attach(out, under="refits")
    count = len(_told(out)["refits"])
    print(
        f"{count} refits of {where.name} version {where.version}, for intervals on its risks. {why_none(out)}".rstrip()
    )


if __name__ == "__main__":
    run_stage(main)
