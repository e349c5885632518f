"""The first part of the model card: which model it is, what it is for, and what it was judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.catalog import fingerprint
from training.card_figures import RULE
from training.card_groups import outside
from training.card_parts import Alert, Points, Table, measured, share
from training.models import KNOWLEDGE

if TYPE_CHECKING:
    from training.card_parts import Block, Facts

SIMULATED = Alert(
    "Simulated data.",
    (
        (
            "Nobody in the registers behind this card exists. Its figures prove that the machine works; they "
            "say nothing of how well the model would do in a real kabupaten."
        ),
        "Do not use its list for visits.",
    ),
)
PURPOSE = (
    (
        "Tepat orders the households of a kabupaten for a visit, by the risk that a child of theirs is stunted. It is "
        "made for the people who plan those visits: in the district office, the puskesmas and the desa."
    ),
    (
        "A risk is advice to a person who decides, never a decision. It says where to look first. Only measuring "
        "the child says whether it is stunted."
    ),
)
NEVER = (
    "To refuse, stop or delay a service or an aid. A low risk is no proof that a child is well.",
    (
        "To judge a mother or a family, or to name them in public. A high risk is nobody's fault: it is a reason to "
        "come and help."
    ),
    "As a diagnosis.",
    "As a prevalence, or to compare areas, posyandu or health workers. The risk is on the level of its training data.",
    (
        "To let a child wait. Severe wasting, oedema and MUAC below 11.5 cm go to referral at once and never wait "
        "behind a rank."
    ),
    "On one list with the scores of another model, without saying which model made each.",
    "In a kabupaten whose own registers have not trained it and tested it.",
)


def lead(facts: Facts) -> list[Block]:
    """What stands under the title: the warning if nobody exists, where the registers come from, which model."""
    model, where, champion = facts.model, facts.where, str(facts.metrics.get("champion", ""))
    catalogue = KNOWLEDGE[facts.name].fingerprint if facts.name in KNOWLEDGE else fingerprint()
    said = {
        "Model": facts.name,
        **({"Champion, which makes the list": champion} if champion not in ("", facts.name) else {}),
        "Stamp on every score": where.stamp,
        "Version in the registry": str(where.version),
        "Seed": str(model.seed),
        "Data fingerprint (SHA-256 of the training rows)": f"`{model.data}`",
        "Catalogue (SHA-256 of the features)": f"`{catalogue}`",
        "Stunted in training": share(model.base_rate),
    }
    which = Table("Which model this is", ("Mark", "Value"), tuple(said.items()), words=2)
    return [*([SIMULATED] if facts.simulated else []), *([facts.about] if facts.about else []), which]


def short(facts: Facts) -> list[Block]:
    """The card in a few sentences."""
    model, rule = facts.own, facts.found("baselines", RULE) or {}
    said = []
    if model.get("precision_at_10") is not None:
        first, under_rule = (measured(each, "precision_at_10", ".1%") for each in (model, rule))
        said.append(
            f"Of the 10% of children with the highest risk, {first} are stunted; of all children "
            f"{share(facts.metrics.get('base_rate'))}."
            + (f" `{RULE}`, the rule in use, reaches {under_rule}." * bool(rule))
        )
    said += [
        f"Visits to {share(line.get('capacity'), 0)} of the children find "
        f"{measured(line, 'recall_ratio', '.2f')} times as many stunted children as the rule in use finds."
        for line in facts.found("reached", "times_the_rule") or ()
    ]
    beyond = len(outside(facts))
    if beyond:
        said.append(f"Gaps between groups that lie outside their bounds: {beyond}. See the fairness section.")
    return [Points(tuple(said) or ("No headline figure of this model is known.",))]


def purpose(facts: Facts) -> list[Block]:
    """What the model is for."""
    champion = str(facts.metrics.get("champion") or facts.name)
    if champion == facts.name:
        return list(PURPOSE)
    return [f"This model makes no list; `{champion}` does. It is set beside it here, on the same children.", *PURPOSE]


def never(_: Facts) -> list[Block]:
    """What it must not be used for."""
    return [Points(NEVER)]


def registers(facts: Facts) -> list[Block]:
    """How many children, of when, and what is known of them."""
    n, base, told = facts.metrics.get("n"), facts.metrics.get("base_rate"), facts.found("absent", "known_features")
    if n is None:
        return []
    said = [
        (
            f"Tested on {n:,} children with a valid height-for-age, of whom {share(base)} are stunted. In training, "
            f"{share(facts.model.base_rate)} are."
        ),
        "Stunted means a height-for-age (WHO 2006) below -2.00 SD.",
        "No figure of this card comes from a child that the model learned from, unless it says so.",
    ]
    said += [f"Features that the model knows in the test period: {told}."] if told is not None else []
    source = ["The registers are simulated: nobody in them exists."] if facts.simulated else []
    return [Points((*source, *said))]


def protocol(facts: Facts) -> list[Block]:
    """How training and test are kept apart, and what an interval is."""
    said = facts.found("protocol")
    if said is None:
        return []
    return [
        (
            f"Protocol (a), {said}. A household is never on both sides. A cluster that recurs between the years stays "
            "in training, and its earlier rounds are known as the past of its area; protocol (b) drops it."
        ),
        (
            "Intervals are 95%, from resamples of whole clusters. Differences are paired: both sides on the same "
            "resamples. They hold for another sample of places in the same years, not for another year."
        ),
    ]
