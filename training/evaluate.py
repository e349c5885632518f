"""Stage `evaluate`: the registered model against today's rules, on rows it has not seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from features.build import add_history
from features.errors import Refused, run_stage
from features.folders import write_text
from features.progress import shown
from features.settings import Settings, load
from training import absence, card, pictures, records, registry
from training.age import BANDS
from training.baselines import Baselines, baseline_scores
from training.fit import labelled
from training.learn import fingerprint, learn
from training.masking import DROPPABLE, hide
from training.metrics import measure, paired_difference, with_intervals
from training.models import INPUTS, fit_logistic
from training.splits import clusters, temporal
from training.study import Study, study

if TYPE_CHECKING:
    from pathlib import Path

    from training.model import RiskModel
    from training.registry import Registered

RULE, FLAG = "krs_rank_count", "krs"
REPORTS = ("plots", "card.md", "card.html", "metrics.json", "details.json")


@dataclass(frozen=True)
class Judged:
    """Everything the card and the reports are made from."""

    metrics: dict[str, object]
    details: dict[str, object]
    risks: dict[str, pd.Series | np.ndarray]
    rules: Baselines


def judge(model: RiskModel, risk: np.ndarray, train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings) -> Judged:
    """Metrics with cluster-bootstrap intervals for the model, the logistic reference and the rules.

    Parameters
    ----------
    risk
        The model's, of the test rows.
    """
    prepared = model.prepared(test)
    logistic = fit_logistic(add_history(train, model.history), train.stunted)
    risks = {model.name: risk, "logistic": logistic.predict_proba(prepared[list(INPUTS)])[:, 1]}
    rules = _rules(train, test, settings)
    how: dict[str, Any] = {
        "cluster": clusters(test),
        "draws": settings.evaluate.bootstrap_draws,
        "seed": settings.train.seed,
    }
    metrics = {
        "protocol": f"temporal: outcomes before {settings.test_from} train, units from then on test; unweighted",
        "n": len(test),
        "base_rate": float(test.stunted.mean()),
        "models": {
            name: with_intervals(test.stunted, risks[name], **how) for name in shown("intervals of models")(list(risks))
        },
        "baselines": {
            name: with_intervals(test.stunted, rules.scores[name], calibrated=False, **how)
            for name in shown("intervals of rules")(list(rules.scores))
        },
        "champion": model.name,
    }
    lead = {
        metric: paired_difference(test.stunted, risks[model.name], rules.scores[RULE], metric=metric, **how)
        for metric in ("auc", "precision_at_10", "recall_at_10")
    }
    details: dict[str, object] = {
        "krs_reading": rules.reading,
        "baselines_said": rules.said,
        "lead_over_krs_rank_count": lead,
        "households": _households(test, risks[model.name], how),
        "within_age_bands": _by_age(test, risks[model.name]),
        "without_register": _without(model, prepared, test.stunted),
        **_refits(train, test, settings, first=measure(test.stunted, risks[model.name])),
    }
    return Judged(metrics, details, {**risks, "KRS, rank, count": rules.scores[RULE]}, rules)


def _rules(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Baselines:
    measured = pd.read_parquet(settings.paths.interim / "measurement.parquet")
    return baseline_scores(
        train, train.stunted, test, measured=measured, declared=settings.krs, seed=settings.train.seed
    )


def _households(test: pd.DataFrame, risk: np.ndarray, how: dict[str, Any]) -> dict[str, float]:
    """Whether a household's risk, as the list prints it, holds for its measured children."""
    homes = (
        test.assign(safe=1.0 - risk, cluster=clusters(test))
        .groupby("household_id")
        .agg(safe=("safe", "prod"), stunted=("stunted", "max"), cluster=("cluster", "first"))
    )
    forecast = 1.0 - homes.safe
    found = with_intervals(homes.stunted, forecast, **{**how, "cluster": homes.cluster})
    return {"n": len(homes), "forecast": float(forecast.mean()), "observed": float(homes.stunted.mean()), **found}


def _by_age(test: pd.DataFrame, risk: np.ndarray) -> dict[str, dict[str, float]]:
    found = {}
    for band, (low, high) in BANDS.items():
        inside = test.age_months.between(low, high, inclusive="left").to_numpy()
        if inside.any():
            found[band] = {"n": int(inside.sum()), **measure(test.stunted[inside], risk[inside])}
    return found


def _without(model: RiskModel, prepared: pd.DataFrame, label: pd.Series) -> dict[str, dict[str, float]]:
    """The same model asked without one register: what its absence costs."""
    return {view.value: measure(label, model.risk(hide(prepared, view))) for view in DROPPABLE}


def _refits(
    train: pd.DataFrame, test: pd.DataFrame, settings: Settings, *, first: dict[str, float]
) -> dict[str, object]:
    """Mean and spread over seeds, the model's own first; and what hiding registers in training changes."""
    seed = settings.train.seed
    others = range(seed + 1, seed + settings.evaluate.seeds)
    runs = [first, *(_measured(learn(train, settings=settings, seed=n), test) for n in shown("other seeds")(others))]
    whole = _measured(learn(train, settings=settings, seed=seed, masked=False), test)
    told = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")
    return {
        "seeds": {
            m: {"mean": float(np.mean([r[m] for r in runs])), "sd": float(np.std([r[m] for r in runs]))} for m in told
        },
        "cost_of_masking": {m: first[m] - whole[m] for m in told},
    }


def _measured(model: RiskModel, test: pd.DataFrame) -> dict[str, float]:
    return measure(test.stunted, model.risk(model.prepared(test)))


def _jsonable(value: Any) -> Any:
    """NaN becomes null: JSON has no other word for it."""
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_jsonable(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def write_json(value: object, path: Path) -> None:
    """Indented JSON, whole or not at all."""
    write_text(path, json.dumps(_jsonable(value), indent=2) + "\n")


def table(metrics: dict[str, object]) -> Table:
    """Models and rules side by side, with 95% intervals."""
    drawn = Table("", title=f"{metrics['n']:,} children, {metrics['base_rate']:.1%} stunted")
    for heading in ("AUC", "precision, top tenth", "recall, top tenth"):
        drawn.add_column(heading, justify="right")
    for group in ("models", "baselines"):
        for name, m in metrics[group].items():  # type: ignore[attr-defined]  # a table of our own making
            cells = [
                f"{m[k]:.3f} ({m[k + '_low']:.3f}-{m[k + '_high']:.3f})"
                for k in ("auc", "precision_at_10", "recall_at_10")
            ]
            drawn.add_row(name, *cells)
    return drawn


def main() -> None:
    """Stage `evaluate`."""
    settings = load()
    train, test = temporal(labelled(settings), test_from=settings.test_from)
    model, where = registry.last_trained(settings.paths.models)
    if (until := records.params_of(where).get("test_from", "")) > str(settings.test_from):
        raise Refused(
            f"{where.stamp} learned from outcomes before {until}, and would be judged on children from "
            f"{settings.test_from} on, whom it has seen. Run `dvc repro`, which trains first."
        )
    risk = records.risk_of(model, where, test, why="evaluation", on=datetime.now(UTC))
    judged = judge(model, risk, train, test, settings=settings)
    registers = {
        name: pd.read_parquet(settings.paths.interim / f"{name}.parquet")
        for name in ("household", "maternal", "measurement")
    }
    studied = study(
        model, train, test, judged.rules.scores, rule=RULE, flag=FLAG, registers=registers, settings=settings
    )
    judged.details.update(studied.details)
    absent = absence.account(train, test, settings=settings)
    children = fingerprint(test[["unit_id", "as_of", "stunted"]].sort_values(["unit_id", "as_of"]))
    measured = {**judged.metrics["models"][model.name], "known_features": absent["known_features"]}  # type: ignore[index]  # a table of our own making
    absent["compared_with"] = absence.fuller(measured, records.earlier(on=children))
    judged.details["absent"] = absent
    judged.details["gate"] = {
        "rule": "KRS, then rank, then count",
        "lead": judged.details["lead_over_krs_rank_count"],
        "outside": studied.details["groups"]["outside"],
    }
    judged.details["simulated"] = settings.source.simulated
    _report(judged, studied, model, where, test, reports=settings.paths.reports)
    with records.judging(where, rows=records.rows_of(test), settings=settings):
        registry.judged(on=children, metrics=measured)
        for name in REPORTS:
            registry.attach(settings.paths.reports / name, under="evaluation")
    Console().print(table(judged.metrics))
    for line in absence.lines(absent):
        print(line)


def _report(
    judged: Judged, studied: Study, model: RiskModel, where: Registered, test: pd.DataFrame, *, reports: Path
) -> None:
    """Figures, pictures and the card, in one folder."""
    write_json(judged.metrics, reports / "metrics.json")
    write_json(judged.details, reports / "details.json")
    pictures.draw(model, test, judged.risks, studied, folder=reports / "plots")
    read = records.reads(rows=records.rows_of(test))
    write_text(reports / "card.md", card.text(model, where, judged.metrics, judged.details, reads=read))
    page = card.page(model, where, judged.metrics, judged.details, plots=reports / "plots", reads=read)
    write_text(reports / "card.html", page)


if __name__ == "__main__":
    run_stage(main)
