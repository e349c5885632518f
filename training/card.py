"""The model card: data, protocol, figures, limits, intended use, and what must not be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training import absence
from training.contributions import beeswarm as draw_beeswarm

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from training.model import RiskModel
    from training.registry import Registered

HIDING = (
    "- hiding registers in training changes, when none is missing (minus is a cost): AUC {auc:+.4f}, "
    "top tenth {precision_at_10:+.4f}"
)
SIMULATED = [
    "**Simulated data.** Nobody in the registers behind this card exists. Its figures prove that the machine works;",
    "they say nothing of how well the model would do in a real kabupaten. Do not use its list for visits.",
    "",
]
SHOWN = ("auc", "precision_at_10", "recall_at_10", "brier", "ece", "calibration_slope", "calibration_intercept")


def beeswarm(model: RiskModel, prepared: pd.DataFrame, path: Path) -> None:
    """Which features move the risk, drawn."""
    draw_beeswarm(model.explained(prepared), prepared, path)


def text(model: RiskModel, where: Registered, metrics: dict[str, Any], details: dict[str, Any]) -> str:
    """The card in Markdown."""
    simulated = SIMULATED if details["simulated"] else []
    parts = (_title(model, where), simulated, _purpose(), _figures(metrics, details), _checks(details))
    return "\n".join(line for part in parts for line in part)


def _title(model: RiskModel, where: Registered) -> list[str]:
    return [
        f"# Model card: {where.stamp}, version {where.version} in the registry",
        "",
        f"Data fingerprint `{model.data[:16]}`; seed {model.seed}; {model.base_rate:.1%} stunted in training.",
        "",
    ]


def _purpose() -> list[str]:
    return [
        "## Intended use",
        "Order households for a visit. A score is advice to a person who decides, never a decision.",
        "Severe wasting, oedema and MUAC below 11.5 cm go to referral at once and never wait behind a rank.",
        "",
        "## Must not be used",
        "To refuse a service, to judge a family, as a diagnosis, or as a prevalence: the risk is on the level of",
        "its training data. Children of one household are taken as independent; that is an assumption.",
        "",
    ]


def _figures(metrics: dict[str, Any], details: dict[str, Any]) -> list[str]:
    lead = ", ".join(
        f"{name} {d['difference']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})"
        for name, d in details["lead_over_krs_rank_count"].items()
    )
    return [
        f"## Protocol\n{metrics['protocol']}. {metrics['n']:,} children, {metrics['base_rate']:.1%} stunted.",
        "Intervals: 95%, bootstrap by cluster. Clusters that recur between the years stay in training.",
        "",
        "| | " + " | ".join(SHOWN) + " |",
        "|---|" + "---|" * len(SHOWN),
        *(_row(name, m) for group in ("models", "baselines") for name, m in metrics[group].items()),
        "",
        f"Lead over KRS, then rank, then count, paired: {lead}.",
        "",
        f"Reading of KRS used, the stronger on training rows: {details['krs_reading']}.",
        "",
    ]


def _checks(details: dict[str, Any]) -> list[str]:
    return [
        "## Households",
        "Risk that any measured child of a household is stunted, children taken as independent: "
        "{n:,} households, forecast {forecast:.3f}, observed {observed:.3f}; AUC {auc:.3f}, top tenth "
        "{precision_at_10:.3f}, ECE {ece:.3f}.".format(**details["households"]),
        "",
        "## Over seeds (mean and standard deviation)",
        *(f"- {m}: {s['mean']:.4f} (sd {s['sd']:.4f})" for m, s in details["seeds"].items()),
        "",
        "## Within age bands (months)",
        *(
            f"- {b}: n {m['n']:,}, AUC {m['auc']:.3f}, top tenth {m['precision_at_10']:.3f}, ECE {m['ece']:.3f}"
            for b, m in details["within_age_bands"].items()
        ),
        "",
        "## Without a register",
        "The same model, asked on the test rows with one register hidden:",
        "",
        *(
            f"- {r}: AUC {m['auc']:.3f}, top tenth {m['precision_at_10']:.3f}"
            for r, m in details["without_register"].items()
        ),
        *(f"- {line}" for line in absence.lines(details["absent"])),
        HIDING.format(**details["cost_of_masking"]),
        "",
    ]


def _row(name: str, m: dict[str, float]) -> str:
    cells = [f"{m[k]:.3f} ({m[k + '_low']:.3f} to {m[k + '_high']:.3f})" if m[k] == m[k] else "-" for k in SHOWN]
    return f"| {name} | " + " | ".join(cells) + " |"
