"""What the model was not told, and what not being told costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.build import add_history
from features.catalog import BY_NAME, CATALOG
from features.catalog.area import NEIGHBOURS
from features.fitted import area_history
from training.learn import boosters_by_fold
from training.masking import mask
from training.metrics import measure, paired_difference
from training.models import INPUTS, margin
from training.splits import clusters

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from features.settings import Settings

COSTS = ("auc", "precision_at_10")
SEEN = Path(__file__).with_name("seen_on_endes.json")
"""What hiding each register cost on ENDES; written by `python -m training.evaluation_page`."""


def unknown(rows: pd.DataFrame) -> tuple[str, ...]:
    """The inputs that no row has."""
    return tuple(name for name in INPUTS if name in rows and rows[name].isna().all())


def by_register(names: Iterable[str]) -> dict[str, list[str]]:
    """The features by the register (view) that they come from."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(BY_NAME[name].view.value, []).append(name)
    return found


def cost_of_hiding(train: pd.DataFrame, names: tuple[str, ...], *, settings: Settings) -> dict[str, object]:
    """Metrics with and without these facts, on folds of the training rows that the model did not see.

    For facts that training has and the test lacks: the test cannot say what they were worth.
    """
    rows = train.sort_values(["unit_id", "as_of"], ignore_index=True)
    rows = add_history(rows, area_history(rows, prior_children=settings.history.prior_children))
    how = settings.train
    seen = mask(rows, registers=how.register_dropout, pregnancies=how.pregnancy_dropout, seed=how.seed)
    hidden = rows.assign(**dict.fromkeys(names, np.nan))
    told, untold = np.zeros(len(rows)), np.zeros(len(rows))
    for booster, held_out in boosters_by_fold(seen, how=how, seed=how.seed):
        told[held_out] = margin(booster, rows.iloc[held_out])
        untold[held_out] = margin(booster, hidden.iloc[held_out])
    draws: dict[str, Any] = {"cluster": clusters(rows), "draws": settings.evaluate.bootstrap_draws, "seed": how.seed}
    return {
        "features": list(names),
        "with": _shown(rows.stunted, told),
        "without": _shown(rows.stunted, untold),
        "cost": {m: paired_difference(rows.stunted, untold, told, metric=m, **draws) for m in COSTS},
    }


def _shown(label: pd.Series, score: np.ndarray) -> dict[str, float]:
    found = measure(label, score, calibrated=False)
    return {name: found[name] for name in COSTS}


def account(train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings) -> dict[str, object]:
    """What no row had, and what the test period (or a year of it) lacks although training had it, with its cost."""
    lacking = {name for _, year in test.groupby(test.as_of.dt.year) for name in unknown(year)}
    never = set(unknown(train))
    lost = lacking - never
    # A mean over neighbours who were not asked this year is what they said years ago.
    lost |= {name for name, item in NEIGHBOURS.items() if item in lost}
    gone = tuple(name for name in INPUTS if name in lost)
    return {
        "known_features": len(INPUTS) - len(lacking | lost),
        "never_known": by_register(name for name in INPUTS if name in never & lacking),
        "not_in_training": by_register(name for name in INPUTS if name in never - lacking),
        "not_in_test": by_register(gone),
        "cost": cost_of_hiding(train, gone, settings=settings) if gone else None,
    }


def fuller(measured: dict[str, float], earlier: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The model that knew most, of those measured on the same children and told more than this one."""
    knew = [run for run in earlier if run.get("known_features", 0) > measured["known_features"]]
    if not knew:
        return None
    best = max(knew, key=lambda run: (run["known_features"], run["auc"]))
    kept = {name: best[name] for name in ("stamp", "known_features", *COSTS)}
    return {**kept, **{f"{name}_cost": measured[name] - best[name] for name in COSTS}}


def lines(found: dict[str, Any]) -> list[str]:
    """The account in words, for a terminal and for the card."""
    said = []
    if found["never_known"]:
        said.append(f"Never known, neither in training nor in the test: {_counts(found['never_known'])}.")
    if found["not_in_training"]:
        said.append(f"Known in the test only, so not used by the model: {_counts(found['not_in_training'])}.")
    if found["not_in_test"]:
        cost = found["cost"]["cost"]
        said.append(
            f"Known in training, not in the test period: {_counts(found['not_in_test'])}. Hidden from unseen folds "
            f"of the training years, that costs AUC {_signed(cost['auc'])} and precision in the top tenth "
            f"{_signed(cost['precision_at_10'])}."
        )
    before = found.get("compared_with")
    if before:
        said.append(
            f"On the same children, {before['stamp']} knew {before['known_features']:.0f} features and reached AUC "
            f"{before['auc']:.3f} and precision {before['precision_at_10']:.3f} in the top tenth; this model knows "
            f"{found['known_features']}: {before['auc_cost']:+.3f} and {before['precision_at_10_cost']:+.3f}."
        )
    return said + [
        f"This run cannot say what going without `{register}` costs. On ENDES it changed AUC by {cost['auc']:+.3f} and "
        f"precision in the top tenth by {cost['precision_at_10']:+.3f}."
        for register, cost in json.loads(SEEN.read_text(encoding="utf-8")).items()
        if not before and set(found["never_known"].get(register, ())) >= {f.name for f in CATALOG if f.view == register}
    ]


def _counts(by: dict[str, list[str]]) -> str:
    return ", ".join(f"`{register}` {len(names)} feature{'s' * (len(names) > 1)}" for register, names in by.items())


def _signed(difference: dict[str, float]) -> str:
    return f"{difference['difference']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})"
