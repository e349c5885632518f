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
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
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

ARTIFACTS, EXPERIMENT = Path("mlruns/artifacts"), "tepat"
CHAMPION, CHALLENGER, EVALUATED = "champion", "challenger", "evaluated"
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


class Damaged(RegistryRefused):
    """The registry has the model, and its files are not those that were registered."""


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
    before = runs(f"tags.study = '{study}'")
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
        mlflow.set_tags({"stamp": where.stamp, "test_rows": rows, EVALUATED: ""})
        yield


def tag(name: str, value: str) -> None:
    """A word left on the open run."""
    mlflow.set_tag(name, value)


def judged(*, on: str, metrics: Mapping[str, float]) -> None:
    """Log test metrics to the open run, and on which children they were measured."""
    mlflow.set_tag("test_children", on)
    log(metrics={f"test_{name}": value for name, value in metrics.items()})


def attach(path: Path, *, under: str) -> None:
    """A file, or a folder's files, as artifacts of the open run."""
    if path.is_dir():
        mlflow.log_artifacts(str(path), under)
    else:
        mlflow.log_artifact(str(path), under)


def register(folder: Path, *, name: str, params: Mapping[str, object], metrics: Mapping[str, float]) -> Registered:
    """Register the model in `folder` with its run, and point `challenger` at it; only the gate moves `champion`.

    A model that is already there, to the byte, keeps its version and its run.
    """
    client = mlflow.MlflowClient()
    digest = models.digest(folder)
    registered = _known(folder, name=name, digest=digest) or _new(
        folder, name=name, digest=digest, params=params, metrics=metrics
    )
    client.set_registered_model_alias(name, CHALLENGER, registered.version)
    return registered


def mark(where: Registered, marks: Mapping[str, str | None]) -> None:
    """Leave words on a version; None takes one away."""
    with answering(f"version {where.version} of {where.name!r}"):
        client, there = mlflow.MlflowClient(), marks_of(where)
        for name, value in marks.items():
            if value is not None:
                client.set_model_version_tag(where.name, where.version, name, value)
            elif name in there:
                client.delete_model_version_tag(where.name, where.version, name)


def marks_of(where: Registered) -> dict[str, str]:
    """What was left on a version, its `digest` among it."""
    with answering(f"version {where.version} of {where.name!r}"):
        return dict(mlflow.MlflowClient().get_model_version(where.name, where.version).tags)


def point(where: Registered) -> None:
    """Point `champion` at the version."""
    with answering(f"alias {CHAMPION!r} of {where.name!r}"):
        mlflow.MlflowClient().set_registered_model_alias(where.name, CHAMPION, where.version)


def standing(name: str) -> Registered | None:
    """The champion, its files not looked at; None when the alias was never set."""
    version = versions(name)[1].get(CHAMPION)
    return at(name, str(version)) if version is not None else None


def versions(name: str) -> tuple[list[Any], dict[str, str]]:
    """Versions of a model as MLflow has them, and the version of each alias; nothing of a model that is not there."""
    with answering(f"model {name!r}"):
        client, ours = mlflow.MlflowClient(), f"name = '{name}'"
        models_there = client.search_registered_models(ours)
        return list(client.search_model_versions(ours)), dict(models_there[0].aliases) if models_there else {}


def at(name: str, version: str) -> Registered:
    """A version of a model, its files not looked at; refused when there is none."""
    with answering(f"version {version} of {name!r}"):
        of = mlflow.MlflowClient().get_model_version(name, version)
        return Registered(name, str(of.version), str(of.run_id), str(of.tags["digest"]))


def runs(where: str) -> list[Any]:
    """The runs that a filter in MLflow's words finds, newest first."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return list(client.search_runs([experiment.experiment_id], where)) if experiment else []


def params(run_id: str) -> dict[str, str]:
    """The parameters of a run."""
    return dict(mlflow.MlflowClient().get_run(run_id).data.params)


def downloaded(run_id: str, folder: str) -> Path | None:
    """A folder of a run's artifacts, as files; None when the run has none of that name."""
    client = mlflow.MlflowClient()
    there = any(found.path == folder for found in client.list_artifacts(run_id))
    return Path(client.download_artifacts(run_id, folder)) if there else None


def _known(folder: Path, *, name: str, digest: str) -> Registered | None:
    """The version with these files; if those that the registry holds were damaged, they are put back."""
    found = mlflow.MlflowClient().search_model_versions(f"name = '{name}' and tags.digest = '{digest}'")
    if not found:
        return None
    kept = downloaded(str(found[0].run_id), "model")
    if kept is None or models.digest(kept) != digest:
        with run(str(found[0].run_id)):
            attach(folder, under="model")
    return Registered(name, str(found[0].version), str(found[0].run_id), digest)


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
    path = models_folder / "registered.json"
    return _named(
        path, otherwise=f"There is no {path}: no model was trained here. Run `make run` or `tepat train` first."
    )


def promoted(folder: Path) -> tuple[models.RiskModel, Registered]:
    """The champion that the gate of this pipeline named last; refused when it named none, or another is champion."""
    otherwise = "No model has passed the gate. Run `make run` first, or see reports/promotion/gate.md."
    model, where = _named(folder / "champion.json", otherwise=otherwise)
    if (now := standing(where.name)) != where:
        found = f"{where.stamp} was champion here, and now {now.stamp if now else 'none'} is"
        raise RegistryRefused(f"{found}. Run `dvc repro --force promote`, then `dvc repro`.")
    return model, where


def _named(told: Path, *, otherwise: str) -> tuple[models.RiskModel, Registered]:
    said = json.loads(told.read_text(encoding="utf-8")) if told.exists() else None
    if said is None:
        raise RegistryRefused(otherwise)
    model, where = fetch(said["name"], version=said["version"])
    if where.digest != said["digest"]:
        raise RegistryRefused(f"{told} names another model than the registry's version {where.version}. {REMEDY}")
    return model, where


def champion(name: str) -> str:
    """Which version the alias points at; changes when another model is to be used.

    Raises
    ------
    RegistryRefused
        The registry is away, or the alias points nowhere.
    """
    with answering(f"alias {CHAMPION!r} of {name!r}"):
        return str(mlflow.MlflowClient().get_model_version_by_alias(name, CHAMPION).version)


def fetch(name: str, *, version: str | None = None, alias: str = CHAMPION) -> tuple[models.RiskModel, Registered]:
    """A version of a model; without one, that of the alias.

    Raises
    ------
    RegistryRefused
        No such model, the alias points nowhere, the registry is away, or the files are not those that were registered.
    """
    with answering(f"version {version} of {name!r}" if version else f"alias {alias!r} of {name!r}"):
        client = mlflow.MlflowClient()
        of = client.get_model_version(name, version) if version else client.get_model_version_by_alias(name, alias)
        folder = Path(mlflow.artifacts.download_artifacts(of.source))
        found = models.digest(folder)
    if found != of.tags.get("digest", found):
        msg = f"The files of {name!r} version {of.version} are not those that were registered: one is damaged. {REMEDY}"
        raise Damaged(msg)
    return models.read(folder), Registered(name, str(of.version), str(of.run_id), found)


@contextmanager
def answering(wanted: str) -> Iterator[None]:
    """Say in our words that the registry does not give what is wanted; its own hold addresses and paths."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as fault:
        raise RegistryRefused(f"The registry gives no {wanted} ({type(fault).__name__}). {REMEDY}") from fault
