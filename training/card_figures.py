"""How good the model is: the sections of the model card that set it beside the rules in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.baselines import MEANINGS, SOURCES
from training.card_parts import Picture, Points, Table, changed, measured, number, rows, share
from training.tables import PROTOCOLS

if TYPE_CHECKING:
    from training.card_parts import Block, Facts

RULE = "krs_rank_count"
"""The rule in use that the model is set against."""
HEADLINE = {
    "precision_at_10": "Stunted among the first 10%",
    "recall_at_10": "Of all stunted, in the first 10%",
    "precision_at_20": "Stunted among the first 20%",
    "recall_at_20": "Of all stunted, in the first 20%",
    "auc": "AUC",
    "average_precision": "Average precision",
}
"""Metrics by the words that a planner reads for them."""


def against(facts: Facts) -> list[Block]:
    """The headline figures of the model beside the rules in use."""
    compared = {**(facts.found("models") or {}), **(facts.found("baselines") or {})}
    if not compared:
        return []
    drawn = {name: line for name, line in compared.items() if name in (facts.found("models") or {}) or name == RULE}
    made = rows(compared.items(), lambda line: (line[0], *(measured(line[1], name) for name in HEADLINE)))
    return [
        (
            "The first 10% are the children with the highest risk, or those whom the rule puts first. Equal ranks "
            "share the last places."
        ),
        Table("Model and rules, with 95% intervals", ("Model or rule", *HEADLINE.values()), made),
        *_leads(facts),
        Picture("roc.png", f"ROC curves of the model and others. AUC: {_each(drawn, 'auc')}."),
        Picture(
            "precision_at_capacity.png",
            f"Share stunted among the children visited, by share visited. At 10%: {_each(drawn, 'precision_at_10')}.",
        ),
        Points(_rules(facts, compared)),
    ]


def _leads(facts: Facts) -> list[Block]:
    """Over every rival: from `lead_over`, by its name, or from a `lead_over_<rival>` of its own."""
    own = {name: found for name, found in facts.details.items() if name.startswith("lead_over_")}
    rivals = {name.removeprefix("lead_over_"): found for name, found in own.items()} | (facts.found("lead_over") or {})
    lines = [(rival, *line) for rival, found in rivals.items() for line in (found or {}).items()]
    made = rows(lines, lambda line: (line[0], {**HEADLINE, **TRUE}.get(line[1], line[1]), changed(line[2])))
    caption = "Lead of the model, paired; for the calibration error less is better"
    return [Table(caption, ("Over", "Figure", "Lead"), made, words=2)] if made else []


def _rules(facts: Facts, compared: dict[str, Any]) -> tuple[str, ...]:
    said = facts.found("baselines_said") or {}
    known = [name for name in MEANINGS if name in compared or name in said]
    lines = [
        f"`{name}`: {MEANINGS[name]}. Source: {SOURCES[name]}." + (f" Here: {said[name]}." if name in said else "")
        for name in known
    ]
    reading = facts.found("krs_reading")
    lines += (
        [f"Reading of KRS used, the stronger on training rows: {reading}."] if reading and "krs" not in said else []
    )
    logistic = "`logistic`: logistic regression on the model's own features, medians for what is not known."
    return (*lines, *([logistic] if "logistic" in compared else []))


def _each(compared: dict[str, Any], name: str) -> str:
    return ", ".join(f"{which} {number(line.get(name))}" for which, line in compared.items())


def visits(facts: Facts) -> list[Block]:
    """What a visit finds, beside the rule and under a quota."""
    times = facts.found("reached", "times_the_rule")
    made: list[Block] = []
    if times:
        cells = rows(times, lambda line: (share(line.get("capacity"), 0), measured(line, "recall_ratio", ".2f")))
        caption = f"Stunted children found, as a multiple of what `{RULE}` finds with the same visits"
        made.append(Table(caption, ("Children visited", "Times the rule"), cells))
    for place, name in (("region", "by_quota"), ("desa, or sampling area,", "by_area_quota")):
        if quota := facts.found("reached", name):
            cells = rows(quota, lambda line: (share(line.get("capacity"), 0), changed(line, "recall_gain")))
            caption = f"Change of the share found when each {place} visits the same share of its own children"
            made.append(Table(caption, ("Children visited", "Change"), cells))
    return [*made, *_curves(facts)] if made else []


def _curves(facts: Facts) -> list[Block]:
    model, rule = facts.own, facts.found("baselines", RULE) or {}
    found = "; ".join(
        f"with {visited}% visited the model finds {share(model.get(f'recall_at_{visited}'), 0)} of the stunted "
        f"children, the rule {share(rule.get(f'recall_at_{visited}'), 0)}"
        for visited in (10, 20)
    )
    return [
        Picture("recall_at_capacity.png", f"Share of stunted children found, by share of children visited: {found}."),
        Picture(
            "visits_at_capacity.png",
            "Visits it takes to find one stunted child, by share of children visited: for the model, the rules in use "
            "and a lottery.",
        ),
        Picture(
            "net_benefit.png",
            "Net benefit per 100 children, by the risk from which a visit is worth it: for the model, the KRS flag, "
            "visiting all and visiting no one.",
        ),
    ]


def places(facts: Facts) -> list[Block]:
    """The harder protocols: places, and whole regions, never seen."""
    found = facts.found("protocols") or {}
    parts = (("all", "all children"), ("mother_known", "mother's record known"), ("weighted", "survey-weighted"))
    lines = [
        (title, said, found[name][part])
        for name, title in PROTOCOLS.items()
        for part, said in parts
        if found.get(name, {}).get(part)
    ]
    if not lines:
        return []
    shown = {**{name: HEADLINE[name] for name in ("auc", "precision_at_10", "recall_at_10")}, **TRUE}
    made = rows(lines, lambda line: (line[0], line[1], *(measured(line[2], name) for name in shown)))
    return [
        (
            "(b) drops from training every area that the test asks about, and what was known of its past. (c) asks "
            "about each region a booster that learned in all other regions."
        ),
        Table(
            "The same way of learning under harder protocols", ("Protocol", "Children", *shown.values()), made, words=2
        ),
        *_within(facts),
    ]


TRUE = {"ece": "Calibration error (ECE)", "calibration_slope": "Calibration slope"}
"""Metrics of whether a risk keeps its word, by the words that a planner reads for them."""


def _within(facts: Facts) -> list[Block]:
    found = facts.found("protocols", "new_regions", "within") or {}
    by_region = {name: auc for name, auc in found.get("by_region", {}).items() if auc is not None}
    if found.get("mean") is None or not by_region:
        return []
    low, high = min(by_region, key=by_region.__getitem__), max(by_region, key=by_region.__getitem__)
    return [
        (
            f"Within a region never seen, the mean AUC is {number(found['mean'])}. Of {len(by_region)} regions, the "
            f"lowest is {number(by_region[low])} ({low}) and the highest {number(by_region[high])} ({high})."
        )
    ]
