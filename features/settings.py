"""`params.yaml` (what changes results) and `run.yaml` (this run's source) -> frozen, checked settings."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from features.errors import InputRefused
from features.settings_list import Intervals, Plan, Survey, Target, Urgent
from features.strict import Strict


class Source(Strict):
    """Where this run's registers come from; written by `make run`, git-ignored."""

    format: Literal["canonical", "dhs"] = "canonical"
    fingerprint: str = ""
    test_from: dt.date | None = None
    simulated: bool = False
    """Nobody of these registers exists: figures made from them prove the machine, not the model."""

    @property
    def raw(self) -> Path:
        """Folder of the register files as they were handed over."""
        return Path("data/raw")


class Ingest(Strict):
    """Limits of the validator."""

    max_quarantine_share: float = Field(ge=0, le=1)


class Outcome(Strict):
    """The window, in days after `as_of`, in which the outcome is looked for."""

    from_days: int = Field(ge=0)
    to_days: int = Field(ge=0)


class Split(Strict):
    """The temporal split."""

    test_from: dt.date


class History(Strict):
    """Shrinkage of an area's past prevalence, in children."""

    prior_children: float = Field(gt=0)


class Booster(Strict):
    """XGBoost's parameters, by its own names."""

    rounds: int = Field(gt=0)
    eta: float = Field(gt=0)
    max_depth: int = Field(gt=0)
    min_child_weight: float = Field(ge=0)
    subsample: float = Field(gt=0, le=1)
    colsample_bytree: float = Field(gt=0, le=1)
    reg_lambda: float = Field(ge=0)


class Train(Strict):
    """How the model is learned."""

    seed: int
    folds: int = Field(ge=2)
    register_dropout: float = Field(ge=0, le=0.5)
    pregnancy_dropout: float = Field(ge=0, le=0.5)
    tripwire_auc: float = Field(gt=0.5, le=1)
    label_width_sd: float = Field(ge=0, le=3)
    booster: Booster


class Evaluate(Strict):
    """How the model is judged."""

    bootstrap_draws: int = Field(gt=0)
    seeds: int = Field(ge=1)


class Gate(Strict):
    """When a trained model may become the one that lists are made by.

    Parameters
    ----------
    metric
        On which it must be better, with the whole 95% interval of the paired difference.
    routine_loss
        What a model trained again with the same settings may lose, with its interval; newer facts are worth that.
    slope
        Least and most of the calibration slope; refused when the whole interval is outside.
    ece
        Most of the expected calibration error, beside what chance adds where children are few.
    calibration_gap, recall_gap, excess_gap, recall_gap_of
        See `training.fairness.Bounds`.
    jaccard
        Least overlap of the new list with the old one: those on both, as a share of those on either.
    """

    metric: Literal["auc", "precision_at_10", "recall_at_10"]
    routine_loss: float = Field(ge=0, le=0.05)
    slope: tuple[float, float]
    ece: float = Field(gt=0, le=1)
    calibration_gap: float = Field(gt=0, le=1)
    recall_gap: float = Field(gt=0, le=1)
    excess_gap: float = Field(gt=0, le=1)
    recall_gap_of: dict[str, float]
    jaccard: float = Field(ge=0, le=1)


class Compare(Strict):
    """What the champion's way of learning is compared with, by `training.candidates`."""

    candidates: tuple[str, ...] = ()


class Tune(Strict):
    """Budget of `make tune`, over all times that it is started on the same rows."""

    trials: int = Field(default=40, gt=0)


class Krs(Strict):
    """BKKBN's rule of families at risk (KRS): the version in use, and its open points.

    Parameters
    ----------
    version
        Year of BKKBN's metadata from which the thresholds come; training/krs.py knows these.
    four_t_requires_no_modern_kb
        "Four too's" (too young, old, close, many) count only without modern contraception. Inferred
        from a 2025 recap, not read in BKKBN's text.
    pregnant_four_t_counts
        A pregnant wife, for whom contraception is not applicable, is spared that clause; else her
        four too's never meet it. BKKBN's text does not settle it.
    null_facility
        What an unrecorded water source or toilet is.
    """

    version: Literal["2022"] = "2022"
    four_t_requires_no_modern_kb: bool = True
    pregnant_four_t_counts: bool = True
    null_facility: Literal["layak", "tidak_layak"] = "layak"


class Paths(Strict):
    """Folders of the pipeline."""

    interim: Path = Path("data/interim")
    features: Path = Path("data/features")
    models: Path = Path("data/models")
    champion: Path = Path("data/champion")
    refits: Path = Path("data/refits")
    scores: Path = Path("data/scores")
    reports: Path = Path("reports")


class Settings(Strict):
    """Everything that changes a result."""

    source: Source
    ingest: Ingest
    outcome: Outcome
    split: Split
    history: History
    train: Train
    krs: Krs = Krs()
    evaluate: Evaluate
    gate: Gate
    compare: Compare = Compare()
    tune: Tune = Tune()
    intervals: Intervals = Intervals()
    survey: Annotated[Survey, BeforeValidator(lambda found: found or {})] = Survey()
    urgent: Urgent = Urgent()
    plan: Plan = Plan()
    target: Target
    paths: Paths = Paths()

    @property
    def test_from(self) -> dt.date:
        """First day of the test period: this run's, else that of `params.yaml`."""
        return self.source.test_from or self.split.test_from


def load(params: Path = Path("params.yaml"), run: Path = Path("run.yaml")) -> Settings:
    """The settings of this run.

    Raises
    ------
    InputRefused
        A file cannot be read, or a key is unknown, missing or out of range; the message names it.
    """
    declared, source = _mapping(params), _mapping(run) if run.exists() else {}
    try:
        return Settings(source=Source(**source), **declared)
    except ValidationError as fault:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors())
        raise InputRefused(
            f"settings that do not hold: {wrong}", f"the keys of {params} and {run}", "Correct the file."
        ) from fault


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise InputRefused(
            f"{path} cannot be read ({type(fault).__name__})",
            "a YAML file of settings",
            "Run in the project's folder; restore the file with `git checkout params.yaml`.",
        ) from fault
    if not isinstance(found, dict):
        raise InputRefused(f"{path} holds no settings", "a YAML mapping", "Restore it with `git checkout params.yaml`.")
    return found
