"""Writes docs/evaluation.md and `absence.SEEN` from the reports of a run on a real survey; no figure is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from features.errors import InputRefused, run_stage
from features.settings import load
from training import absence
from training.evaluation_tables import (
    age,
    comparison,
    coverage,
    groups,
    levels,
    measurements,
    protocols,
    reached,
    rules,
)
from training.tables import difference, interval, table

PAGE = Path("docs/evaluation.md")
METRICS = Path("reports/metrics.json")
DETAILS = Path("reports/details.json")
ABLATION = Path("reports/ablation.json")
COMPARED = Path("reports/compare.json")
COVERAGE = Path("reports/coverage.json")
SHOWN = ("auc", "average_precision", "precision_at_10", "recall_at_10", "precision_at_20", "brier", "ece", "calibration_slope", "calibration_intercept")  # fmt: skip

PURPOSE = """\
# How good it is, and how that was found

Generated from the reports of a run; do not edit. To make it again:

```
make run FORMAT=dhs DATA=<ENDES recode files> SERVE=0
make compare
.venv/bin/python -m training.coverage --data <ENDES recode files>
.venv/bin/python -m training.ablation <ENDES recode files>
.venv/bin/python -m training.evaluation_page
```

## Data and protocol

ENDES 2012-2014, Peru, INEI (microdatos.inei.gob.pe), in DHS recode layout. Protocol: {protocol}.
Tested are {n:,} children, every one with a valid height-for-age, of whom {base_rate:.1%} are stunted. Households never straddle. Clusters that recur
between 2013 and 2014 stay in training, and their earlier rounds are known as the area's past; (b) below drops them. Rows
are not weighted, unless it is said. The outcome is the survey's own height-for-age (WHO 2006) below -2.00.

Intervals are 95%, from {draws} resamples of whole clusters; differences are paired on the same resamples. `precision_at_10`
is the share stunted among the tenth of children with the highest risk, `recall_at_10` the share of stunted children that
this tenth holds. ECE has ten bins of equal size.

## Against the rules in use
"""
LEAD = "Lead of the model over `krs_rank_count`: {lead}.\n"
HOUSEHOLDS = """\
## Households

The list ranks households. Their risk takes children as independent, which siblings are not. Of {n:,} households of the
test, the forecast share with a stunted child is {forecast:.3f} and the observed {observed:.3f}; AUC {auc:.3f}
({auc_low:.3f}-{auc_high:.3f}), precision in the top tenth {precision_at_10:.3f}
({precision_at_10_low:.3f}-{precision_at_10_high:.3f}), ECE {ece:.3f}.
"""
HIDING = """\
Registers are hidden at random in training, so that the model can answer without one. When none is missing, that changes
AUC by {auc:+.4f} and precision in the top tenth by {precision_at_10:+.4f} (minus is the cost).
"""
LIMITS = """
## What these figures do not say

They are of Peru, not of a kabupaten: a district trains and judges on its own registers. `risk_at_24m` is a cohort
assumption, of which the infants asked at 24 months are a weak test: the children of the later year are others.

The test year was read many times while Tepat was made, before reads were counted; now each one stands in the model card.
Settings, features and ways of learning were chosen on folds of the training years.
"""


def page(
    metrics: dict[str, Any],
    details: dict[str, Any],
    ablation: dict[str, Any],
    compared: dict[str, Any],
    covered: dict[str, Any],
    *,
    draws: int,
    trees: int,
) -> str:
    """Compose the page, as Markdown."""
    lead = "; ".join(f"{name} {difference(d)}" for name, d in details["lead_over_krs_rank_count"].items())
    parts = [
        PURPOSE.format(**metrics, draws=draws),
        _against(metrics),
        rules(metrics, details["baselines_said"]),
        LEAD.format(lead=lead),
        reached(details["reached"], details["old_facts"]),
        protocols(details["protocols"]),
        HOUSEHOLDS.format(**details["households"]),
        _seeds(details["seeds"]),
        _bands(details["within_age_bands"]),
        age(details["age"], details["infants_at_24_months"]),
        groups(details["groups"]),
        levels(details["levels"]),
        coverage(covered),
        measurements(details["measurements"], details["label_noise"]),
        comparison(compared, trees=trees),
        _without(metrics, details, ablation),
        LIMITS,
    ]
    return "\n".join(parts)


def _against(metrics: dict[str, Any]) -> str:
    rows = {**metrics["models"], **metrics["baselines"]}
    return table(["", *SHOWN], [[name, *(interval(m, k) for k in SHOWN)] for name, m in rows.items()])


def _seeds(seeds: dict[str, dict[str, float]]) -> str:
    rows = [[name, f"{s['mean']:.4f}", f"{s['sd']:.4f}"] for name, s in seeds.items()]
    return "## Over five seeds\n\n" + table(["", "mean", "standard deviation"], rows)


def _bands(bands: dict[str, dict[str, float]]) -> str:
    shown = ("auc", "precision_at_10", "ece", "calibration_slope")
    rows = [[name, f"{m['n']:,.0f}", *(f"{m[k]:.3f}" for k in shown)] for name, m in bands.items()]
    return "## Within age bands (months)\n\n" + table(["", "n", *shown], rows)


def _without(metrics: dict[str, Any], details: dict[str, Any], ablation: dict[str, Any]) -> str:
    shown = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")
    whole = metrics["models"][metrics["champion"]]
    hidden = {"nothing": whole, **details["without_register"]}
    asked = [[name, *(f"{m[k]:.3f}" for k in shown)] for name, m in hidden.items()]
    again = [[n, f"{m['known_features']}", *(f"{m[k]:.3f}" for k in shown)] for n, m in ablation.items()]
    masking = details["cost_of_masking"]
    return "\n".join(
        [
            "## Without a register\n",
            "The same model, asked about the test children with one register hidden (with the neighbours' means made of it):\n",
            table(["hidden", *shown], asked),
            HIDING.format(**masking),
            "The whole path run again when a record type was never handed over, or not for the test year:\n",
            table(["never handed over", "features known", *shown], again),
        ]
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputRefused(f"no {path}", "the reports of a run", f"Make it as the head of {PAGE} says.")
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return made


def main() -> None:
    """Write the page."""
    settings = load()
    metrics, details = _read(METRICS), _read(DETAILS)
    made = page(
        metrics, details, _read(ABLATION), _read(COMPARED), _read(COVERAGE),
        draws=settings.evaluate.bootstrap_draws, trees=settings.train.booster.rounds,
    )  # fmt: skip
    PAGE.write_text(made, encoding="utf-8")
    whole = metrics["models"][metrics["champion"]]
    seen = {
        register: {name: round(found[name] - whole[name], 4) for name in absence.COSTS}
        for register, found in details["without_register"].items()
    }
    absence.SEEN.write_text(json.dumps(seen, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_stage(main)
