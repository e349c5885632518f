"""The last part of the model card: what the figures hang on, what they do not say, how often they were looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training import absence
from training.card_figures import HEADLINE, TRUE
from training.card_parts import NONE, Picture, Points, Table, changed, measured, number, rows, share

if TYPE_CHECKING:
    from training.card_parts import Block, Facts

SHOWN = ("auc", "precision_at_10", "recall_at_10", "ece", "calibration_slope")
SAID = {**HEADLINE, **TRUE}
LIMITS = (
    "They are of the registers named here, in one test period. Another kabupaten trains and judges on its own.",
    (
        "A register that misses stunted children teaches a risk that is too low for them. The level is right only "
        "after it is set to a survey's prevalence."
    ),
    "A feature that moves a risk is not its cause. The model does not say what would help a child.",
    "The risk of a household takes its children as independent, which siblings are not.",
    "The risk at 24 months takes all else as it is now. The infants of an earlier year are a weak test of that.",
    "Where a group is too few to tell, the model may fail it and this card would not show it.",
)


def looks_at(facts: Facts) -> list[Block]:
    """What moves the risk."""
    told, tripwire = facts.found("absent", "known_features"), facts.found("tripwire") or {}
    if told is None and not tripwire:
        return []
    known = [f"The model knows {told} features of the test children."] if told is not None else []
    return [
        *known,
        (
            "`docs/features.md` says what each feature means. Ethnicity, language and religion never move a risk: "
            "they serve the audit between groups only."
        ),
        *_not_judged(tripwire),
        (
            "What each feature adds to a child's risk is exact (TreeSHAP): the parts add up to its log-odds. They "
            "are reasons, not causes."
        ),
        Picture(
            "beeswarm.png",
            "The features that move the risk most: each dot is a child of the test, to the right where the feature "
            "raises its risk, coloured by the feature's value.",
        ),
    ]


def _not_judged(tripwire: dict[str, Any]) -> list[Block]:
    """Features that were let through the tripwire of training, with why."""
    names, alone = tripwire.get("not_judged"), tripwire.get("auc_alone") or {}
    if not names:
        return []
    each = rows(names, lambda name: (name, number(alone.get(name))))
    return [
        str(tripwire.get("why", "")),
        Table("Features that the tripwire did not judge", ("Feature", "AUC alone"), each),
    ]


def households(facts: Facts) -> list[Block]:
    """Whether a household's risk holds."""
    found = facts.found("households")
    if not found:
        return []
    said = {
        "Households of the test": number(found.get("n"), ",.0f"),
        "Forecast share with a stunted child": number(found.get("forecast")),
        "Observed share": number(found.get("observed")),
        "AUC": measured(found, "auc"),
        "With a stunted child among the first 10%": measured(found, "precision_at_10"),
        TRUE["ece"]: measured(found, "ece"),
    }
    return [
        (
            "The list ranks households. The risk that any measured child of a household is stunted takes its "
            "children as independent."
        ),
        Table("Risks of households", ("Figure", "Value"), tuple(said.items())),
    ]


def seeds(facts: Facts) -> list[Block]:
    """How far a figure hangs on chance in training."""
    found = facts.found("seeds")
    if not found:
        return []
    made = rows(
        found.items(),
        lambda line: (SAID.get(line[0], line[0]), *(number(line[1].get(name), ".4f") for name in ("mean", "sd"))),
    )
    head = ("Figure", "Mean", "Standard deviation")
    return ["The same way of learning, with other seeds.", Table("Over seeds", head, made)]


def registers_hidden(facts: Facts) -> list[Block]:
    """What going without a register costs, and what was never there."""
    found, absent = facts.found("without_register"), facts.found("absent")
    masking = facts.found("cost_of_masking")
    made: list[Block] = []
    if found:
        whole = {"nothing": facts.own, **found}
        cells = rows(whole.items(), lambda line: (line[0], *(number(line[1].get(name)) for name in SHOWN)))
        made.append("The same model, asked about the test children with one register hidden.")
        made.append(Table("Without a register", ("Hidden", *(SAID[name] for name in SHOWN)), cells))
    lines = _absent(absent) if absent else []
    if lines:
        made.append(Points(tuple(lines)))
    if masking:
        made.append(
            "Registers are hidden at random in training, so that the model can answer without one. When none is "
            f"missing, that changes AUC by {number(masking.get('auc'), '+.4f')} and the share stunted among the first "
            f"10% by {number(masking.get('precision_at_10'), '+.4f')} (minus is the cost)."
        )
    return made


def _absent(found: dict[str, Any]) -> list[str]:
    whole = {name: found.get(name) or {} for name in ("never_known", "not_in_training", "not_in_test")}
    return absence.lines({**found, **whole})


def stale(facts: Facts) -> list[Block]:
    """What a year without training costs."""
    found = facts.found("old_facts")
    if not found or not found.get("cost"):
        return []
    made = rows(found["cost"].items(), lambda line: (SAID.get(line[0], line[0]), changed(line[1])))
    return [
        (
            f"A model that learned only from outcomes before {found.get('until', NONE)} "
            f"({number(found.get('n'), ',.0f')} children), beside this one. Plus is what is lost."
        ),
        Table("What an old model loses", ("Figure", "Loss"), made),
    ]


def measurements(facts: Facts) -> list[Block]:
    """How well the children were measured whose heights are the outcome."""
    found = facts.found("measurements")
    if not found:
        return []
    head = ("Measured", "Heights", "Heights in .0 or .5", "Weights in .0 or .5", "Digit score", "Digits",
            "SD of height-for-age", "Spread", "Beyond 6 SD", "Implausible")  # fmt: skip
    made = rows(
        found,
        lambda line: (
            str(line.get("group", "all")), number(line.get("height_n"), ",.0f"), share(line.get("height_halves")),
            share(line.get("weight_halves")), number(line.get("height_score"), ".1f"), line.get("digits", NONE),
            number(line.get("haz_sd"), ".2f"), line.get("spread", NONE), share(line.get("flagged"), 2),
            line.get("implausible", NONE),
        ),
    )  # fmt: skip
    return [
        (
            "The outcome is a measured height. By chance 20% of measurements end in .0 or .5; more is rounding. A wide "
            "spread of height-for-age is a sign of errors."
        ),
        Table("Quality of the measurements", head, made),
    ]


def noise(facts: Facts) -> list[Block]:
    """What worse labels in training would do."""
    found = facts.found("label_noise")
    if not found:
        return []
    head = (
        "SD of the error",
        "Mean error",
        "Labels turned",
        "First tenth that stays (Jaccard)",
        "AUC",
        "Change of AUC",
    )
    made = rows(
        found,
        lambda line: (
            number(line.get("sd"), ".1f"),
            f"{number(line['lift'], '+.1f')} near the line" if line.get("lift") else "none",
            share(line.get("turned")), number(line.get("jaccard"), ".2f"), number(line.get("auc")),
            number(line.get("auc_change"), "+.3f"),
        ),
    )  # fmt: skip
    return [
        "Errors were added to the heights of the training children; the test was left clean.",
        Table("Worse labels in training", head, made),
    ]


def limits(_: Facts) -> list[Block]:
    """What the figures do not say."""
    return [Points(LIMITS)]


def reads(facts: Facts) -> list[Block]:
    """How often the test period was looked at."""
    if not facts.reads:
        return ["No read was recorded."]
    count = len(facts.reads)
    made = rows(facts.reads, lambda read: tuple(str(read.get(name, NONE)) for name in ("when", "stamp", "why")))
    return [
        (
            f"The test period was read {count} time{'s' * (count != 1)}. Each reading lets choices fit the test a "
            "little more, so its figures flatter a little more."
        ),
        Table("Readings of the test period", ("When", "Model", "Why"), made, words=3),
    ]
