"""The middle of the model card: whether the risk keeps its word, overall, between groups and by age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.card_figures import HEADLINE, TRUE
from training.card_parts import NONE, Alert, Picture, Table, changed, measured, number, rows, share
from training.fairness import INSIDE, NOT_BOUNDED, OUTSIDE, TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from training.card_parts import Block, Facts

WORTH = {**TRUE, "calibration_intercept": "Calibration intercept", "brier": "Brier score", "log_loss": "Log loss"}
BOUNDED = ("calibration", "recall", "excess")
"""Measures that the audit holds to a bound."""
NO_LIMIT = 1.0
"""A gap between two shares cannot be larger, so this allows every gap. [0-1]"""
ORDER = (OUTSIDE, INSIDE, TOO_FEW, NOT_BOUNDED)


def calibration(facts: Facts) -> list[Block]:
    """Whether risks are what they say, over all children."""
    found = {name: line for name, line in (facts.found("models") or {}).items() if line.get("ece") is not None}
    if not found:
        return []
    made = rows(found.items(), lambda line: (line[0], *(measured(line[1], name) for name in WORTH)))
    return [
        (
            "Of the children with a risk of 30%, three in ten should be stunted. ECE is the mean distance from that, "
            "over ten bins of equal size; 0 is best. A slope of 1 and an intercept of 0 are best."
        ),
        Table("Calibration over all children", ("Model", *WORTH.values()), made),
        Picture(
            "calibration.png", "Share stunted by risk, in bins of the test children, beside the line of a true risk."
        ),
    ]


def by_group(facts: Facts) -> list[Block]:
    """Calibration of each group, what lies outside its bounds first."""
    found: list[dict[str, Any]] = facts.found("groups", "calibration") or []
    if not found:
        return []
    ordered = _worst_first(found)
    judged = [group for group in ordered if group.get("verdict") != TOO_FEW]
    few = [group for group in ordered if group.get("verdict") == TOO_FEW]
    lines = [
        f"{_name(group)}: mean risk {number(group.get('risk'))}, observed {number(group.get('observed'))}, gap "
        f"{changed(group, 'gap')}."
        for group in judged
        if group.get("verdict") == OUTSIDE
    ]
    return [
        *_first(lines),
        (
            "The gap is the mean risk minus the observed share. A group is judged where it has enough children "
            "and enough areas. An interval that crosses the limit is too wide to decide."
        ),
        *_surprising(few, allowed=_limit(facts)),
        *_told("Groups that are large enough to judge", judged),
        *_told("Too few to tell: nobody knows yet whether the risk keeps its word for these groups", few),
        Picture(
            "groups_calibration.png",
            f"Gap between mean risk and observed share of {len(found)} groups, each with its interval; {len(lines)} "
            f"outside the bounds, {len(few)} too few to tell.",
            wide=True,
        ),
        Picture(
            "groups_reliability.png",
            "Observed share against mean risk of each group, a panel for each dimension.",
            wide=True,
        ),
    ]


def _limit(facts: Facts) -> float | None:
    gaps = facts.found("groups", "gaps") or ()
    return next((gap.get("allowed") for gap in gaps if gap.get("measure") == "calibration"), None)


def _surprising(few: list[dict[str, Any]], *, allowed: float | None) -> list[Block]:
    """Groups that the audit cannot judge, though their whole interval is beyond the limit."""
    if allowed is None:
        return []
    ends = [(group, group.get("gap_low"), group.get("gap_high")) for group in few]
    beyond = [
        f"{_name(group)} ({changed(group, 'gap')}, {number(group.get('n'), ',.0f')} children)"
        for group, low, high in ends
        if low is not None and high is not None and max(low, -high) > allowed
    ]
    said = f"Allowed is a gap of {number(allowed, '.2f')} either way."
    if beyond:
        said += f" Too few to tell, yet wholly beyond it: {'; '.join(beyond)}. Look at these first when more is known."
    return [said]


def _told(caption: str, found: list[dict[str, Any]]) -> list[Block]:
    head = ("Dimension", "Group", "Children", "Mean risk", "Observed", "Gap", "Slope", "Verdict")
    made = rows(
        found,
        lambda group: (
            group.get("dimension", NONE), group.get("group", NONE), number(group.get("n"), ",.0f"),
            number(group.get("risk")), number(group.get("observed")), changed(group, "gap"),
            number(group.get("slope"), ".2f"), group.get("verdict", NONE),
        ),
    )  # fmt: skip
    return [Table(caption, head, made, words=2)] if made else []


def outside(facts: Facts) -> list[str]:
    """A sentence for each gap between groups that lies outside its bound."""
    told: list[str] | None = facts.found("groups", "outside")
    return told or [
        f"Found: by {gap.get('dimension')}, {gap['measure']} is {measured(gap, 'gap')} apart, {_pair(gap)}."
        for gap in _bounded(facts)
        if gap.get("verdict") == OUTSIDE
    ]


def _bounded(facts: Facts) -> list[dict[str, Any]]:
    return [gap for gap in facts.found("groups", "gaps") or () if gap.get("measure") in BOUNDED]


def fairness(facts: Facts) -> list[Block]:
    """Gaps between groups, those outside their bounds first, and what closing them would take."""
    gaps, said = _bounded(facts), outside(facts)
    if not gaps and not said:
        return []
    return [
        *_first(said),
        (
            "Recall is the share of a group's stunted children that the visits reach. More visits are fair where need "
            "is greater, so some dimensions have no limit on recall. They are held to `excess`: recall minus what it "
            "would be if every risk kept its word."
        ),
        (
            "What a register does not hold about a mother or a household says how the register was kept. It says "
            "nothing about them."
        ),
        *_gaps(gaps),
        *_costs(facts),
        Picture(
            "groups_recall.png",
            "Share of each group's stunted children that visits to 10% of all children reach.",
            wide=True,
        ),
    ]


def _first(said: Iterable[str]) -> list[Block]:
    lines = tuple(said)
    if lines:
        return [Alert(f"Outside the bounds: {len(lines)}.", lines)]
    return ["Nothing that could be judged lies outside the bounds."]


def _gaps(found: list[dict[str, Any]]) -> list[Block]:
    head = ("Dimension", "Measure", "Children visited", "Gap", "Allowed", "Worst / best", "Verdict")
    seen = [gap | {"verdict": NOT_BOUNDED} if _free(gap) else gap for gap in found]
    made = rows(
        _worst_first(seen),
        lambda gap: (
            gap.get("dimension", NONE), gap["measure"], share(gap.get("share"), 0), measured(gap, "gap"),
            "no limit" if _free(gap) else number(gap.get("allowed"), ".2f"), _pair(gap), gap.get("verdict", NONE),
        ),
    )  # fmt: skip
    return [Table("Gap between the worst and the best group of each dimension", head, made, words=2)] if made else []


def _free(gap: Mapping[str, Any]) -> bool:
    allowed = gap.get("allowed")
    return allowed is None or allowed >= NO_LIMIT


def _pair(gap: Mapping[str, Any]) -> str:
    if not gap.get("worst"):
        return NONE
    return f"{gap['worst']} / {gap.get('best') or 'observed'}"


def _costs(facts: Facts) -> list[Block]:
    found = [cost for cost in facts.found("groups", "costs") or () if {"share", "change"} <= cost.keys()]
    if not found:
        return []
    least = min(cost["share"] for cost in found)
    made = rows(
        (cost for cost in found if cost["share"] == least),
        lambda cost: (cost.get("dimension", NONE), cost.get("rule", NONE), changed(cost, "change")),
    )
    caption = f"What making groups equal would change in the share found by the first {share(least, 0)}"
    return [
        Table(caption, ("Dimension", "Rule", "Change"), made, words=2),
        "Equal recall uses the outcomes, so it is a bound that nobody can reach in advance.",
    ]


def _worst_first(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda each: ORDER.index(each["verdict"]) if each.get("verdict") in ORDER else len(ORDER))


def _name(group: Mapping[str, Any]) -> str:
    return f"{group.get('dimension', NONE)} {group.get('group', NONE)}"


def by_age(facts: Facts) -> list[Block]:
    """Figures within age bands, beside those of age and sex alone."""
    bands, beside = facts.found("within_age_bands") or {}, facts.found("age") or {}
    if not bands and not beside:
        return []
    shown = ("precision_at_10", *TRUE)
    head = (
        "Months",
        "Children",
        "AUC",
        "AUC of age and sex",
        "Lead",
        *(({**HEADLINE, **TRUE})[name] for name in shown),
    )

    def cells(band: str) -> tuple[str, ...]:
        line = {**bands.get(band, {}), **beside.get(band, {})}
        figures = (number(line.get("auc")), number(line.get("age_and_sex_auc")), changed(line, "auc_lead"))
        return band, number(line.get("n"), ",.0f"), *figures, *(number(line.get(name)) for name in shown)

    names = [*(band for band in beside if band not in bands), *bands]
    return [
        (
            "Age is the strongest fact of a survey, so a model that knew only age and sex would look able over all "
            "ages. Within a band it cannot."
        ),
        Table("Within age bands, beside a model of age and sex alone", head, rows(names, cells)),
    ]


def infants(facts: Facts) -> list[Block]:
    """Infants asked at 24 months, beside the children of two some years later, and beside themselves."""
    return [*_others(facts), *_themselves(facts)]


def _themselves(facts: Facts) -> list[Block]:
    found = facts.found("infants_followed")
    if not found:
        return []
    return [
        (
            f"The same children: {number(found.get('n'), ',.0f')} infants known before {found.get('before', NONE)}, "
            "asked at 24 months by a model of that day, and measured at 22 to 30 months. Forecast "
            f"{number(found.get('forecast'))}, observed {number(found.get('observed'))}: {changed(found)}. "
            f"AUC {measured(found, 'auc')}."
        )
    ]


def _others(facts: Facts) -> list[Block]:
    found = facts.found("infants_at_24_months") or {}
    shown = [line for line in found.get("compared", ()) if line.get("by") != "region_id"]
    if not shown:
        return []
    head = ("Group", "Infants", "Later", "Forecast", "Observed", "Difference")
    made = rows(
        shown,
        lambda line: (
            _asked(line),
            *(number(line.get(name), ",.0f") for name in ("infants", "later")),
            *(number(line.get(name)) for name in ("forecast", "observed")), changed(line),
        ),
    )  # fmt: skip
    return [
        (
            f"Infants of {found.get('year', NONE)}, asked at 24 months by a model of that year alone, beside the "
            f"children of 22-30 months of {found.get('later_year', NONE)}. These are other children, in another year: "
            "a difference is the model's or the time's."
        ),
        Table("Forecast for infants, and what was seen of children of two later", head, made),
    ]


def _asked(line: Mapping[str, Any]) -> str:
    if line.get("by") == "all":
        return "all"
    return f"{line.get('by', NONE)} {line.get('group', NONE)}".replace("_", " ").removesuffix(".0")
