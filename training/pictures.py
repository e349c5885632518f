"""Every picture of an evaluation, in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training import card, plots, plots_decision, plots_groups

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from training.model import RiskModel
    from training.study import Study

SHARE = 0.10
"""Of all children, in the picture of recall by group."""


def draw(
    model: RiskModel, test: pd.DataFrame, risks: Mapping[str, pd.Series | np.ndarray], studied: Study, *, folder: Path
) -> None:
    """Write the PNGs; `risks` are those to be compared, by the name in the legend."""
    folder.mkdir(parents=True, exist_ok=True)
    plots.roc(test.stunted, risks, folder / "roc.png")
    plots.precision_at_capacity(test.stunted, risks, folder / "precision_at_capacity.png")
    probabilities = {name: risks[name] for name in (model.name, "logistic")}
    plots.calibration(test.stunted, probabilities, folder / "calibration.png")
    card.beeswarm(model, model.prepared(test.head(2000)), folder / "beeswarm.png")
    plots_decision.recall_at_capacity(studied.curves, folder / "recall_at_capacity.png")
    plots_decision.visits_at_capacity(
        studied.curves, folder / "visits_at_capacity.png", base_rate=float(test.stunted.mean())
    )
    plots_decision.net_benefit(studied.benefit, folder / "net_benefit.png")
    plots_groups.reliability(studied.audit, folder / "groups_reliability.png")
    plots_groups.gaps(studied.audit, folder / "groups_calibration.png", allowed=studied.allowed)
    plots_groups.recall(studied.audit, folder / "groups_recall.png", share=SHARE)
