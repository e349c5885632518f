"""Sections of docs/evaluation.md that come from `training.study` and `training.compare`."""

from __future__ import annotations

from typing import Any

from training.baselines import MEANINGS, SOURCES
from training.compare import proven, verdict
from training.tables import PROTOCOLS, difference, interval, table

SHOWN = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")
LADDER = """## What each thing is worth

Measured by {folds}-fold cross-validation in which an area stays whole, on {n:,} children of the training years. The
test year was not read. Differences are paired; one whose interval holds zero is unproven.

"""
GAPS = """\
Recall, and recall beyond what need and knowledge explain (`excess`), between the worst and the best group. Recall has a
bound between boys and girls; elsewhere its gaps are shown as they are, and `excess` is bounded. A child whose mother is
not listed is found far less often than others: less is known of it.
"""
LEVELS = """## On a survey's level

A register misses stunted children, and a model that learns from it gives risks on its level. One shift of all log-odds
puts their mean on a survey's prevalence, here that of the test children: {prevalence}. The order stays.
The second model learned after two thirds of the stunted in training, by lot, were recorded as tall enough.

"""
COVERAGE = """## How far an interval can be trusted

The list shows an interval for each risk: {level:.0%}, from {refits} refits on drawn clusters. It holds the noise of
learning and of which areas were seen, and nothing of what no register says. On a simulation of {households:,}
households, where each child's true risk is known, it contained the truth as often as below; least and most are over ten
groups of rising risk.
"As it is" measures the register, which misses most of the stunted, and not the interval.

"""
GROUPS_OF_RISK = """
On the survey, where only outcomes are known: in {inside} of {groups} groups of equal risk the observed share lies in
the mean interval. That is a check of level, not of each child's interval.
"""
LEARNED_FROM = {"register": "the register's heights", "true_heights": "true heights"}
WAYS = {
    "as_it_is": "the true risk as it is",
    "on_its_level": "the same, on the register's level",
    "given_the_facts": "the risk given the facts, on the level learned",
}
COMPLEX = """
The champion is a booster of {trees} trees. What that buys over models that can be read whole (ebm, logistic) is in this
table: with them the same visits find fewer stunted children. What it costs is that nobody can read it. Its reasons are
exact for each child (TreeSHAP), and its directions are bound: a taller mother never raises a risk.
"""


def protocols(found: dict[str, Any]) -> str:
    """Figures under harder tests, unweighted, of those whose mother is known, and weighted."""
    rows = []
    for name, title in PROTOCOLS.items():
        for part, said in (("all", "all children"), ("mother_known", "mother known"), ("weighted", "survey-weighted")):
            if part in found[name]:
                rows.append([title, said, *(interval(found[name][part], k) for k in SHOWN)])
    within = found["new_regions"]["within"]
    return "\n".join(
        [
            "## In places it has never seen\n",
            "(b) drops from training every area that the test asks about, and with it what was known of its past; (c)",
            "asks about each region a booster that learned in all others.\n",
            table(["protocol", "children", *SHOWN], rows),
            f"Within a region never seen, the mean AUC is {within['mean']:.3f} ({len(within['by_region'])} regions).\n",
        ]
    )


def reached(found: dict[str, Any], old: dict[str, Any] | None) -> str:
    """What a visit finds: against the rule, by quota, and with old facts."""
    ends = ("", "_low", "_high")
    times = [(r["capacity"], *(r[f"recall_ratio{end}"] for end in ends)) for r in found["times_the_rule"]]
    lead = "; ".join(f"{share:.0%} visited: {at:.2f} times ({low:.2f}-{high:.2f})" for share, at, low, high in times)
    region, area = (
        "; ".join(f"{r['capacity']:.0%}: {_gain(r)}" for r in found[quota]) for quota in ("by_quota", "by_area_quota")
    )
    lines = [
        "## What a visit finds\n",
        f"Stunted children found, as a multiple of what `krs_rank_count` finds with the same visits: {lead}.\n",
        f"When each region visits the same share of its own children, recall changes by {region};",
        f"when each desa (here a sampling area of a few households) does, by {area}.\n",
    ]
    if old:
        cost = "; ".join(f"{name} {difference(d)}" for name, d in old["cost"].items())
        lines.append(
            f"A model that learned only from outcomes before {old['until']} ({old['n']:,} children) loses {cost}.\n"
        )
    return "\n".join(lines)


def _gain(r: dict[str, float]) -> str:
    return f"{r['recall_gain']:+.3f} ({r['recall_gain_low']:+.3f} to {r['recall_gain_high']:+.3f})"


def groups(found: dict[str, Any]) -> str:
    """Calibration and recall by group."""
    judged = [g for g in found["calibration"] if g["verdict"] != "too few to tell"]
    few = [f"{g['dimension']} {g['group']}" for g in found["calibration"] if g["verdict"] == "too few to tell"]
    rows = [
        [g["dimension"], g["group"], f"{g['n']:,}", f"{g['risk']:.3f}", f"{g['observed']:.3f}",
         f"{g['gap']:+.3f} ({g['gap_low']:+.3f} to {g['gap_high']:+.3f})", g["verdict"]]
        for g in judged
    ]  # fmt: skip
    gaps = [
        [g["dimension"], g["measure"], f"{g['share']:.0%}", f"{g['gap']:.3f} ({g['gap_low']:.3f}-{g['gap_high']:.3f})",
         f"{g['worst']} / {g['best']}", g["verdict"] if g["allowed"] is not None and g["allowed"] < 1 else "no bound"]
        for g in found["gaps"] if g["measure"] in ("recall", "excess") and g["gap"] is not None
    ]  # fmt: skip
    costs = [
        [c["dimension"], c["rule"], f"{c['change']:+.3f} ({c['change_low']:+.3f} to {c['change_high']:+.3f})"]
        for c in found["costs"] if c["share"] == min(one["share"] for one in found["costs"])
    ]  # fmt: skip
    return "\n".join(
        [
            "## By group\n",
            "Mean risk minus observed share. A group is judged from 500 children in 20 areas on:\n",
            table(["", "group", "n", "mean risk", "observed", "gap", ""], rows),
            f"Too few to tell: {', '.join(few)}.\n",
            GAPS,
            table(["", "measure", "visited", "gap", "worst / best", ""], gaps),
            "What equalising a dimension would change in the recall of the first tenth. Equal recall uses the",
            "outcomes, so it is a bound that nobody can reach in advance:\n",
            table(["", "rule", "recall"], costs),
        ]
    )


def levels(found: dict[str, Any]) -> str:
    """Risks as they come and on a survey's level, of this model and of one that learned from a poor register."""
    survey = found["survey"]
    heading = ["", "mean risk", "ECE", "mean after the shift", "ECE after it", "slope after it", "AUC"]
    rows = [
        [
            name,
            f"{m['mean']:.3f}",
            interval(m, "ece"),
            interval(m, "shifted_mean"),
            interval(m, "shifted_ece"),
            interval(m, "shifted_calibration_slope"),
            f"{m['auc']:.3f}",
        ]
        for name, m in found["models"].items()
    ]
    return LEVELS.format(prevalence=interval(survey, "share")) + table(heading, rows)


def coverage(found: dict[str, Any]) -> str:
    """How often an interval holds what it should, on a simulation and, as far as can be told, on the survey."""
    simulated, survey = found["simulation"], found["survey"]
    rows = []
    for source, ways in simulated["models"].items():
        for way, made in ways.items():
            ends = [group["covered"] for group in made["groups"]]
            contained = f"{made['covered']:.0%} ({min(ends):.0%}-{max(ends):.0%})"
            rows.append([LEARNED_FROM[source], WAYS[way], contained])
    inside = sum(group["inside"] for group in survey["groups"])
    return (
        COVERAGE.format(**{**found, "households": simulated["households"]})
        + table(["learned from", "asked for", "contained"], rows)
        + GROUPS_OF_RISK.format(inside=inside, groups=len(survey["groups"]))
    )


def age(found: dict[str, Any], infants: dict[str, Any] | None) -> str:
    """Beside age and sex alone, and infants asked at 24 months."""
    rows = [
        [band, f"{m['n']:,}", f"{m['auc']:.3f}", f"{m['age_and_sex_auc']:.3f}",
         f"{m['auc_lead']:+.3f} ({m['auc_lead_low']:+.3f} to {m['auc_lead_high']:+.3f})"]
        for band, m in found.items()
    ]  # fmt: skip
    lines = ["## Beside age and sex alone\n", table(["months", "n", "AUC", "age and sex", "lead"], rows)]
    return "\n".join([*lines, *(_infants(infants) if infants else ())])


def _infants(found: dict[str, Any]) -> list[str]:
    shown = [c for c in found["compared"] if c["by"] != "region_id"]
    rows = [
        ["all" if c["by"] == "all" else f"{c['by']} {c['group']}", f"{c['infants']:,}", f"{c['later']:,}",
         f"{c['forecast']:.3f}", f"{c['observed']:.3f}", difference(c)]
        for c in shown
    ]  # fmt: skip
    return [
        f"Infants of {found['year']}, asked at 24 months by a model of that year alone, beside the children of 22-30",
        f"months of {found['later_year']}. These are other children, in another year: a difference is the model's or",
        "the time's.\n",
        table(["", "infants", "later", "forecast", "observed", "difference"], rows),
    ]


def measurements(found: list[dict[str, Any]], noise: list[dict[str, Any]]) -> str:
    """How well children were measured, and what worse labels would do."""
    whole = found[0]
    rows = [
        [f"{n['sd']:.1f}", f"{n['lift']:+.1f} near the line" if n["lift"] else "none", f"{n['turned']:.1%}",
         f"{n['jaccard']:.2f}", f"{n['auc']:.3f}"]
        for n in noise
    ]  # fmt: skip
    return "\n".join(
        [
            "## How well children were measured\n",
            "Of {height_n:,} heights {height_halves:.1%} end in .0 or .5 (20% by chance), of weights\n"
            "{weight_halves:.1%}; digit preference score {height_score:.1f}: {digits}. The standard deviation of\n"
            "height-for-age is {haz_sd:.2f}: {spread}. Beyond 6 are {flagged:.2%}.\n".format(**whole),
            "Errors added to the training labels, the test left clean: how many labels turn, how much of the first",
            "tenth stays the same (Jaccard), and the AUC:\n",
            table(["SD of the error", "one-sided", "turned", "Jaccard", "AUC"], rows),
        ]
    )


def comparison(found: dict[str, Any], *, trees: int) -> str:
    """The candidates and the ladder."""
    heading = ["", "AUC", "precision, top tenth", "AUC against", "precision against", ""]
    return "\n".join(
        [
            LADDER.format(**found),
            "Other ways of learning, against the booster:\n",
            table(heading, _compared(found["candidates"])),
            verdict(found["candidates"]),
            COMPLEX.format(trees=trees),
            "The ladder, each rung against the one before; the last ones change the champion in one thing:\n",
            table(heading, _compared(found["ladder"])),
        ]
    )


def _compared(lines: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, line in lines.items():
        each = line.get("difference")
        said = [difference(each[m], 4) for m in ("auc", "precision_at_10")] if each else ["", ""]
        sure = "unproven" if each and not proven(each["auc"]) else ""
        rows.append([name, f"{line['auc']:.4f}", f"{line['precision_at_10']:.4f}", *said, sure])
    return rows


def rules(metrics: dict[str, Any], said: dict[str, str]) -> str:
    """The baselines in words, each with its source and what was fitted or declared."""
    lines = [
        f"- `{name}`: {MEANINGS[name]}. Source: {SOURCES[name]}." + (f" Here: {said[name]}." if name in said else "")
        for name in MEANINGS
        if name in metrics["baselines"] or name in said
    ]
    return "\n".join(
        [*lines, "- `logistic`: logistic regression on the model's own features, medians for what is not known.", ""]
    )
