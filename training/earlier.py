"""The model `history`: which children it is for, whether there are enough of them, and how it is judged; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from features.catalog import EARLIER
from features.fitted import STUNTED_BELOW
from training.baselines import baseline_scores
from training.metrics import paired_difference, with_intervals
from training.models import DETERMINANTS, HISTORY
from training.splits import clusters

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from features.settings import Settings

LEAST: Final = {"training": 100, "test": 50}
"""Children of each outcome with an earlier measurement from which there is a history model. Five folds of 100 hold 20
each, fewer would leave the calibration to chance; by 50 of each an AUC of 0.75 is known to 0.10 either way (Hanley and
McNeil, Radiology 143, 1982)."""
NOT_JUDGED: Final = tuple(f.name for f in EARLIER)
WHY_NOT_JUDGED: Final = (
    "The tripwire looks for the outcome's own visit under another name. An earlier height-for-age is no such visit, "
    "though it separates nearly as well: children keep their place. That it is earlier is held by the cut and the leak "
    "guard, through which these features alone come."
)
NAME: Final = HISTORY.model
RIVALS: Final[tuple[str, ...]] = (DETERMINANTS.model, "last_haz", "krs_rank_count")
LEADING: Final = ("auc", "precision_at_10", "precision_at_20", "recall_at_10", "recall_at_20", "ece")
SIMULATED: Final = "simulated: nobody in these registers exists, and the figures prove the machine only"


@dataclass(frozen=True, eq=False)
class Judged:
    """As `reports/metrics.json` holds it, what stands beside it, and the risks and scores that were compared."""

    metrics: dict[str, Any]
    details: dict[str, Any]
    risks: dict[str, pd.Series | np.ndarray]


def measured_before(rows: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """The rows that have an earlier height, with the features made of it: by a weight alone nobody is compared.

    Parameters
    ----------
    rows, earlier
        Each unique by `unit_id` and `as_of`.
    """
    found = rows.merge(earlier, on=["unit_id", "as_of"], validate="1:1")
    return found[found.haz_last.notna()].reset_index(drop=True)


def outcomes_of(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Children stunted and not, by side."""
    sides = {"training": train, "test": test}
    return {
        side: {"stunted": int(rows.stunted.sum()), "not stunted": int((rows.stunted == 0).sum())}
        for side, rows in sides.items()
    }


def why_none(train: pd.DataFrame, test: pd.DataFrame) -> str:
    """Why there is no history model, in one sentence; empty where there is one.

    Parameters
    ----------
    train, test
        Rows with an earlier measurement.
    """
    found = outcomes_of(train, test)
    if all(count >= LEAST[side] for side, counts in found.items() for count in counts.values()):
        return ""
    if not len(train) + len(test):
        return (
            "There is no history model: no child with an outcome was measured before its `as_of`, as in a survey that "
            "visits once."
        )
    had = ", ".join(f"{counts['stunted']:,} and {counts['not stunted']:,} in {side}" for side, counts in found.items())
    needed = " and ".join(f"{least} in {side}" for side, least in LEAST.items())
    return (
        f"There is no history model: of children measured before, stunted and not stunted, it takes {needed} each, and "
        f"there are {had}."
    )


def judge(
    risks: dict[str, np.ndarray],
    *,
    train: pd.DataFrame,
    test: pd.DataFrame,
    measured: pd.DataFrame,
    settings: Settings,
) -> Judged:
    """Both models and the rules on the same children, with cluster-bootstrap intervals.

    Parameters
    ----------
    risks
        Of `history` and of `determinants`, for each test row.
    train
        Every training row, with an earlier measurement or not: on them the rules are fitted, as for `determinants`.
    test
        Rows with an earlier measurement only.
    measured
        The register of measurements; see `baselines.earlier_haz`.
    """
    seed = settings.train.seed
    rules = baseline_scores(train, train.stunted, test, measured=measured, declared=settings.krs, seed=seed)
    how: dict[str, Any] = {"cluster": clusters(test), "draws": settings.evaluate.bootstrap_draws, "seed": seed}
    metrics = {
        "protocol": _protocol(settings),
        "n": len(test),
        "base_rate": float(test.stunted.mean()),
        "models": {name: with_intervals(test.stunted, risk, **how) for name, risk in risks.items()},
        "baselines": {
            name: with_intervals(test.stunted, score, calibrated=False, **how) for name, score in rules.scores.items()
        },
        "champion": DETERMINANTS.model,
    }
    everyone: dict[str, pd.Series | np.ndarray] = {**risks, **rules.scores}
    against = {name: everyone[name] for name in RIVALS if name in everyone}
    compared = {NAME: risks[NAME], **against}
    leads = {name: _lead(test, risks[NAME], risk, how, rival=name) for name, risk in against.items()}
    details = {
        "krs_reading": rules.reading,
        "baselines_said": rules.said,
        "lead_over": leads,
        "not_stunted_before": _new_cases(test, compared, how),
        "lead_over_krs_rank_count": {m: leads["krs_rank_count"][m] for m in ("auc", "precision_at_10", "recall_at_10")},
        "simulated": settings.source.simulated,
    }
    return Judged(metrics, details, compared)


def _protocol(settings: Settings) -> str:
    said = (
        f"temporal: outcomes before {settings.test_from} train, units from then on test; only children with an earlier "
        "measurement; unweighted"
    )
    return f"{said}; {SIMULATED}" if settings.source.simulated else said


def _new_cases(
    test: pd.DataFrame, risks: dict[str, pd.Series | np.ndarray], how: dict[str, Any]
) -> dict[str, Any] | None:
    """Discrimination among children who were not stunted when last measured: to name the others takes no model."""
    tall = (test.haz_last >= STUNTED_BELOW).to_numpy()
    if test.stunted[tall].nunique() < 2:  # noqa: PLR2004 (stunted and not)
        return None
    how = {**how, "cluster": how["cluster"][tall]}
    found = {
        name: with_intervals(test.stunted[tall], risk[tall], calibrated=False, **how) for name, risk in risks.items()
    }
    return {"n": int(tall.sum()), "base_rate": float(test.stunted[tall].mean()), "compared": found}


def _lead(
    test: pd.DataFrame, risk: np.ndarray, other: pd.Series | np.ndarray, how: dict[str, Any], *, rival: str
) -> dict[str, dict[str, float]]:
    """Paired differences; a rule's score has no calibration to compare."""
    compared = [metric for metric in LEADING if metric != "ece" or rival == DETERMINANTS.model]
    return {metric: paired_difference(test.stunted, risk, other, metric=metric, **how) for metric in compared}
