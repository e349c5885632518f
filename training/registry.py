"""Stores and fetches a model with its card; only this file imports mlflow."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_TRACKING_URI", "sqlite:///mlruns/mlflow.db")
os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
# Alembic and MLflow tell of every table they make; a planner needs none of it.
for chatty in ("alembic", "mlflow"):
    logging.getLogger(chatty).setLevel(logging.WARNING)

import mlflow  # noqa: E402 (after its settings)
from mlflow.exceptions import MlflowException  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from features.errors import Refused  # noqa: E402
from training import model as models  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARTIFACTS = Path("mlruns/artifacts")
EXPERIMENT = "tepat"
CHAMPION = "champion"
REMEDY = "Train again with `dvc repro` (or `tepat train`), or restore mlruns/."


@dataclass(frozen=True)
class Registered:
    """Where a model stands in the registry."""

    name: str
    version: str
    run_id: str
    digest: str

    @property
    def stamp(self) -> str:
        """What a score is signed with: the same for the same model, whatever version number it got."""
        return f"{self.name}-{self.digest[:12]}"


class RegistryRefused(Refused):
    """The registry has no such model."""


@contextmanager
def run(run_id: str | None = None) -> Iterator[str]:
    """An MLflow run, new or continued; its id comes back."""
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name(EXPERIMENT) is None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        client.create_experiment(EXPERIMENT, artifact_location=ARTIFACTS.resolve().as_uri())
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_id=run_id) as started:
        yield started.info.run_id


@contextmanager
def tuning(study: str) -> Iterator[None]:
    """The run under which a study's trials stand; the same one when it goes on."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    before = client.search_runs([experiment.experiment_id], f"tags.study = '{study}'") if experiment else []
    with run(before[0].info.run_id if before else None):
        mlflow.set_tags({"study": study, "mlflow.runName": f"tuning {study}"})
        yield


def tried(metrics: Mapping[str, float], *, params: Mapping[str, object], name: str) -> None:
    """One trial, as a run of its own under the open one."""
    with mlflow.start_run(run_name=name, nested=True):
        log(params=params, metrics=metrics)


def log(*, params: Mapping[str, object] | None = None, metrics: Mapping[str, float] | None = None) -> None:
    """Parameters and metrics of the open run; a metric that is not a number is left out."""
    mlflow.log_params(dict(params or {}))
    mlflow.log_metrics({name: value for name, value in (metrics or {}).items() if value == value})  # noqa: PLR0124 (NaN)


@contextmanager
def judging(where: Registered, *, rows: str) -> Iterator[None]:
    """The model's own run for its first evaluation; a further run where other test rows were judged before.

    The same model may be asked with fewer facts later on; the figures of both must stay.
    """
    tags = mlflow.MlflowClient().get_run(where.run_id).data.tags
    with run(where.run_id if tags.get("test_rows", rows) == rows else None):
        mlflow.set_tags({"stamp": where.stamp, "test_rows": rows})
        yield


def judged(*, on: str, metrics: Mapping[str, float]) -> None:
    """Log test metrics to the open run, and on which children they were measured."""
    mlflow.set_tag("test_children", on)
    log(metrics={f"test_{name}": value for name, value in metrics.items()})


def earlier(*, on: str) -> list[dict[str, Any]]:
    """Stamp and test metrics of every model that was measured on the same children, newest first."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    runs = client.search_runs([experiment.experiment_id], f"tags.test_children = '{on}'")
    return [
        {"stamp": r.data.tags["stamp"], **{k.removeprefix("test_"): v for k, v in r.data.metrics.items()}} for r in runs
    ]


def attach(path: Path, *, under: str) -> None:
    """A file, or a folder's files, as artifacts of the open run."""
    if path.is_dir():
        mlflow.log_artifacts(str(path), under)
    else:
        mlflow.log_artifact(str(path), under)


def register(folder: Path, *, name: str, params: Mapping[str, object], metrics: Mapping[str, float]) -> Registered:
    """Register the model in `folder` with its run, and point `champion` at it.

    A model that is already there, to the byte, keeps its version and its run.
    """
    client = mlflow.MlflowClient()
    digest = models.digest(folder)
    registered = _known(name, digest) or _new(folder, name=name, digest=digest, params=params, metrics=metrics)
    client.set_registered_model_alias(name, CHAMPION, registered.version)
    return registered


def _known(name: str, digest: str) -> Registered | None:
    found = mlflow.MlflowClient().search_model_versions(f"name = '{name}' and tags.digest = '{digest}'")
    return Registered(name, str(found[0].version), str(found[0].run_id), digest) if found else None


def _new(
    folder: Path, *, name: str, digest: str, params: Mapping[str, object], metrics: Mapping[str, float]
) -> Registered:
    client = mlflow.MlflowClient()
    with run() as run_id:
        log(params=params, metrics=metrics)
        attach(folder, under="model")
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    version = client.create_model_version(name, source, run_id=run_id, tags={"digest": digest}).version
    return Registered(name, str(version), run_id, digest)


def last_trained(models_folder: Path) -> tuple[models.RiskModel, Registered]:
    """The model that this pipeline trained last.

    Raises
    ------
    RegistryRefused
        None was trained yet, or the registry lost it.
    """
    told = models_folder / "registered.json"
    if not told.exists():
        raise RegistryRefused(f"There is no {told}: no model was trained here. Run `make run` or `tepat train` first.")
    said = json.loads(told.read_text(encoding="utf-8"))
    return fetch(said["name"], version=said["version"])


def champion(name: str) -> str:
    """Which version the alias points at; changes when another model is to be used.

    Raises
    ------
    RegistryRefused
        The registry is away, or the alias points nowhere.
    """
    with _answering(f"alias {CHAMPION!r} of {name!r}"):
        return str(mlflow.MlflowClient().get_model_version_by_alias(name, CHAMPION).version)


def fetch(name: str, *, version: str | None = None) -> tuple[models.RiskModel, Registered]:
    """The champion, or a version of it.

    Raises
    ------
    RegistryRefused
        No such model, the alias points nowhere, the registry is away, or the files are not those that were registered.
    """
    with _answering(f"version {version} of {name!r}" if version else f"alias {CHAMPION!r} of {name!r}"):
        client = mlflow.MlflowClient()
        of = client.get_model_version(name, version) if version else client.get_model_version_by_alias(name, CHAMPION)
        folder = Path(mlflow.artifacts.download_artifacts(of.source))
        found = models.digest(folder)
    if found != of.tags.get("digest", found):
        msg = f"The files of {name!r} version {of.version} are not those that were registered: one is damaged. {REMEDY}"
        raise RegistryRefused(msg)
    return models.read(folder), Registered(name, str(of.version), str(of.run_id), found)


@contextmanager
def _answering(wanted: str) -> Iterator[None]:
    """Say in our words that the registry does not give what is wanted; its own hold addresses and paths."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as fault:
        raise RegistryRefused(f"The registry gives no {wanted} ({type(fault).__name__}). {REMEDY}") from fault
