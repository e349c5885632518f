"""Settings of the booster, sought on folds of the training years; the test years are not read.

`make tune` prints what to write into params.yaml and changes nothing itself. Ended midway, it goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import optuna
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from features.build import add_history
from features.catalog import fingerprint as catalogue
from features.errors import run_stage
from features.fitted import area_history
from features.progress import shown
from features.settings import Booster, Train, load
from training import registry
from training.fit import labelled
from training.learn import boosters_by_fold, fingerprint
from training.masking import mask
from training.models import margin
from training.splits import temporal

if TYPE_CHECKING:
    import pandas as pd

    from features.settings import Settings

STUDIES: Final = Path("mlruns/tuning.log")
TOLD: Final = 5
FOLDS: Final = "by_fold"


@dataclass(frozen=True)
class Tried:
    """One set of settings and its AUC on each fold."""

    booster: Booster
    label_width_sd: float
    by_fold: tuple[float, ...]

    @property
    def auc(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.by_fold))

    @property
    def leaves(self) -> int:
        """How large the model may become: the measure of its simplicity."""
        return self.booster.rounds * 2**self.booster.max_depth

    def behind(self, best: Tried) -> tuple[float, float]:
        """How far behind another on the same folds, and the standard error of that."""
        gaps = np.subtract(best.by_fold, self.by_fold)
        return float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps)))


def opened(name: str, path: Path, *, seed: int) -> optuna.Study:
    """The study of this name in a log of all that was ever tried; a new one if it has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # A log gets a line for each thing that happens: whoever ends a trial midway loses that trial only.
    storage = JournalStorage(JournalFileBackend(str(path)))
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True, sampler=sampler
    )


def tuned(rows: pd.DataFrame, *, settings: Settings, study: optuna.Study) -> list[Tried]:
    """Try until the budget of `params.yaml` is used up; every set that was ever tried in this study comes back."""
    how = settings.train
    hidden = {"registers": how.register_dropout, "pregnancies": how.pregnancy_dropout}
    seen = mask(rows, **hidden, seed=how.seed)
    if not study.trials:
        study.enqueue_trial({**how.booster.model_dump(), "label_width_sd": how.label_width_sd})
    left = max(0, settings.tune.trials - len(_complete(study)))
    for _ in shown("settings tried")(range(left)):
        trial = study.ask()
        asked = _asked(trial, how)
        by_fold = _by_fold(rows, seen, asked)
        trial.set_user_attr(FOLDS, by_fold)
        study.tell(trial, float(np.mean(by_fold)))
        registry.tried({"auc": float(np.mean(by_fold))}, params=dict(trial.params), name=f"trial {trial.number}")
    return [_tried(trial) for trial in _complete(study)]


def simplest(tried: list[Tried]) -> Tried:
    """The smallest model that is within one standard error of the best, of the difference on the same folds."""
    best = max(tried, key=lambda one: one.auc)
    within = [one for one in tried if one.behind(best)[0] <= one.behind(best)[1]]
    return min(within, key=lambda one: (one.leaves, -one.auc))


def _asked(trial: optuna.Trial, how: Train) -> Train:
    """The settings of a trial; the ranges hold what a table of 10,000 to 100,000 children can bear."""
    booster = Booster(
        rounds=trial.suggest_int("rounds", 200, 1500, log=True),
        eta=trial.suggest_float("eta", 0.01, 0.1, log=True),
        max_depth=trial.suggest_int("max_depth", 2, 6),
        min_child_weight=trial.suggest_float("min_child_weight", 1, 50, log=True),
        subsample=trial.suggest_float("subsample", 0.4, 1.0),
        colsample_bytree=trial.suggest_float("colsample_bytree", 0.2, 1.0),
        reg_lambda=trial.suggest_float("reg_lambda", 0.5, 50, log=True),
    )
    width = trial.suggest_float("label_width_sd", 0.0, 1.5)
    return how.model_copy(update={"booster": booster, "label_width_sd": width})


def _by_fold(rows: pd.DataFrame, seen: pd.DataFrame, how: Train) -> list[float]:
    return [
        float(roc_auc_score(rows.stunted.iloc[held_out], margin(booster, rows.iloc[held_out])))
        for booster, held_out in boosters_by_fold(seen, how=how, seed=how.seed)
    ]


def _complete(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in study.trials if trial.state is optuna.trial.TrialState.COMPLETE]


def _tried(trial: optuna.trial.FrozenTrial) -> Tried:
    params = dict(trial.params)
    width = params.pop("label_width_sd")
    return Tried(Booster(**params), width, tuple(trial.user_attrs[FOLDS]))


def table(tried: list[Tried], *, now: Tried) -> Table:
    """The best, the simplest within one standard error, and what params.yaml holds."""
    best = max(tried, key=lambda one: one.auc)
    drawn = Table("", "AUC", "behind the best", "leaves at most", title=f"{len(tried)} sets of settings tried")
    ranked = sorted(tried, key=lambda one: -one.auc)[:TOLD]
    lines = [(f"{n}.", one) for n, one in enumerate(ranked, start=1)]
    for name, one in (*lines, ("simplest within one standard error", simplest(tried)), ("params.yaml", now)):
        gap, error = one.behind(best)
        drawn.add_row(name, f"{one.auc:.4f}", f"{gap:.4f} (standard error {error:.4f})", f"{one.leaves:,}")
    return drawn


def to_write(one: Tried) -> str:
    """What to put into params.yaml."""
    rounded = {name: round(value, 4) for name, value in one.booster.model_dump().items()}
    said: dict[str, Any] = {"train": {"label_width_sd": round(one.label_width_sd, 2), "booster": rounded}}
    return yaml.safe_dump(said, sort_keys=False)


def main() -> None:
    """Tune, and say what was found."""
    settings = load()
    train, _ = temporal(labelled(settings), test_from=settings.test_from)
    rows = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    rows = add_history(rows, area_history(rows, prior_children=settings.history.prior_children))
    # Other rows, features or folds are another question: its answers are not mixed with these.
    name = f"{fingerprint(rows)[:12]}-{catalogue()[:8]}-{settings.train.folds}-{settings.train.seed}"
    with registry.tuning(name):
        tried = tuned(rows, settings=settings, study=opened(name, STUDIES, seed=settings.train.seed))
    Console(width=120).print(table(tried, now=tried[0]))
    print(f"The simplest within one standard error, for params.yaml:\n\n{to_write(simplest(tried))}")


if __name__ == "__main__":
    run_stage(main)
