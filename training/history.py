"""Stage `history`: a second model, for children who were measured before, judged beside the first one.

It makes no list: its risks are not those of `determinants`, and children without a measurement have none of them.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console

from features.build import read_earlier
from features.errors import run_stage
from features.folders import write_text, write_whole
from features.progress import shown
from features.settings import Settings, load
from training import card, plots, records, registry
from training import model as models
from training.earlier import (
    LEAST,
    NOT_JUDGED,
    SIMULATED,
    WHY_NOT_JUDGED,
    Judged,
    judge,
    measured_before,
    outcomes_of,
    why_none,
)
from training.evaluate import table, write_json
from training.fit import KNOWN, labelled, recipe
from training.learn import learn
from training.models import HISTORY
from training.splits import temporal
from training.study import audited, told
from training.tripwire import tripwire

if TYPE_CHECKING:
    import numpy as np

    from training.model import RiskModel
    from training.registry import Registered

ANYTHING = 1.0
"""An AUC that none passes: what separates so well is told, not refused."""
ONLY_FOR = (
    "This model is only for children who were measured before. It makes no list, and its risks are never mixed with "
    "those of `determinants`. Differences are paired, on the same children."
)


def main() -> None:
    """Stage `history`."""
    settings = load()
    train, test = temporal(labelled(settings), test_from=settings.test_from)
    earlier = read_earlier(settings.paths.features)
    past, asked = measured_before(train, earlier), measured_before(test, earlier)
    out = settings.paths.reports / "history"
    if why := why_none(past, asked):
        said = {"why": why, "least": LEAST, "found": outcomes_of(past, asked), "simulated": settings.source.simulated}
        write_whole(out, lambda folder: write_json(said, folder / "why.json"))
        print(why)
        return
    print(f"training on {len(past):,} children who were measured before, {past.stunted.mean():.1%} stunted")
    alone = _tripwires(past, limit=settings.train.tripwire_auc)
    seed, steps = settings.train.seed, shown("learning, by folds")
    model = learn(past, settings=settings, seed=seed, knows=HISTORY, steps=steps)
    where = _registered(model, settings)
    both, rows = ((model, where), registry.last_trained(settings.paths.models)), records.rows_of(asked)
    risks = {m.name: records.risk_of(m, at, asked, why="history", on=datetime.now(UTC)) for m, at in both}
    judged = _judged(risks, train, asked, settings)
    judged.details["tripwire"] = {"not_judged": list(NOT_JUDGED), "why": WHY_NOT_JUDGED, "auc_alone": alone}
    told_of, read = (model, where, judged.metrics, judged.details), records.reads(rows=rows)
    text = "\n".join([card.text(*told_of, reads=read, about=ONLY_FOR).rstrip(), "", *_section(judged)])

    def report(folder: Path) -> None:
        _report(folder, judged, text, asked.stunted)
        write_text(folder / "card.html", card.page(*told_of, plots=folder, reads=read, about=ONLY_FOR))

    write_whole(out, report)
    with records.judging(where, rows=rows, settings=settings):
        # Not `registry.judged`: by it, models of one name are compared.
        registry.log(metrics={f"test_{name}": value for name, value in judged.metrics["models"][model.name].items()})
        registry.attach(out, under="evaluation")
    _tell(judged, where)


def _judged(risks: dict[str, np.ndarray], train: pd.DataFrame, asked: pd.DataFrame, settings: Settings) -> Judged:
    """The figures, the audit by groups, and what the gate asks for."""
    measured, maternal = (
        pd.read_parquet(settings.paths.interim / f"{name}.parquet") for name in ("measurement", "maternal")
    )
    judged = judge(risks, train=train, test=asked, measured=measured, settings=settings)
    judged.details["groups"] = told(audited(asked, risks[HISTORY.model], maternal, settings=settings), settings)
    judged.details["gate"] = {
        "rule": "the last height-for-age",
        "lead": judged.details["lead_over"]["last_haz"],
        "outside": judged.details["groups"]["outside"],
    }
    return judged


def _tripwires(past: pd.DataFrame, *, limit: float) -> dict[str, float]:
    """What `determinants` knows must not separate too well; of the rest only how well it does is found."""
    tripwire(past, past.stunted, KNOWN, limit=limit)
    return tripwire(past, past.stunted, NOT_JUDGED, limit=ANYTHING)


def _registered(model: RiskModel, settings: Settings) -> Registered:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / model.name
        models.write(model, folder)
        return registry.register(
            folder,
            name=model.name,
            params={
                **settings.train.booster.model_dump(),
                "seed": settings.train.seed,
                "test_from": str(settings.test_from),
                "data_fingerprint": model.data,
                "source_fingerprint": settings.source.fingerprint,
                "simulated": model.simulated,
                "leak_guard": "passed",
                "recipe": recipe(settings, knows=HISTORY),
            },
            metrics={"train_base_rate": model.base_rate},
        )


def _report(folder: Path, judged: Judged, text: str, label: pd.Series) -> None:
    write_json(judged.metrics, folder / "metrics.json")
    write_json(judged.details, folder / "details.json")
    write_text(folder / "card.md", text)
    note = " (simulated)" if judged.details["simulated"] else ""
    plots.roc(label, {f"{name}{note}": risk for name, risk in judged.risks.items()}, folder / "roc.png")
    of_models = {f"{name}{note}": judged.risks[name] for name in judged.metrics["models"]}
    plots.calibration(label, of_models, folder / "calibration.png")


def _section(judged: Judged) -> list[str]:
    """What the card says of this model alone."""
    found, tripwire = judged.details, judged.details["tripwire"]
    said = [f"`history` minus `{rival}`: {_differences(lead)}." for rival, lead in found["lead_over"].items()]
    if new := found["not_stunted_before"]:
        aucs = ", ".join(
            f"`{n}` {m['auc']:.3f} ({m['auc_low']:.3f}-{m['auc_high']:.3f})" for n, m in new["compared"].items()
        )
        few = f"{new['n']:,} who were not stunted when last measured ({new['base_rate']:.1%} are now)"
        said.append(f"AUC among the {few}: {aucs}.")
    said += [_sentence(SIMULATED)] if found["simulated"] else []
    alone = ", ".join(f"`{name}` {auc:.3f}" for name, auc in tripwire["auc_alone"].items())
    parts = (["## Beside `determinants`"], [f"- {line}" for line in said], ["## Not judged by the tripwire"],
             [tripwire["why"], f"AUC of each with age and sex: {alone}."])  # fmt: skip
    return [line for part in parts for line in (*part, "")]


def _differences(lead: dict[str, dict[str, float]]) -> str:
    return ", ".join(f"{m} {d['difference']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})" for m, d in lead.items())


def _sentence(said: str) -> str:
    return f"{said[0].upper()}{said[1:]}."


def _tell(judged: Judged, where: Registered) -> None:
    Console().print(table(judged.metrics))
    for rival, lead in judged.details["lead_over"].items():
        print(f"history minus {rival}, on the same children: {_differences(lead)}")
    print(f"registered {where.name} version {where.version}; it makes no list")
    if judged.details["simulated"]:
        print(_sentence(SIMULATED))


if __name__ == "__main__":
    run_stage(main)
