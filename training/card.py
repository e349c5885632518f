"""The model card, as Markdown and as a page: one list of sections, so that both say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training import card_checks, card_figures, card_groups, card_page, card_use
from training.card_parts import Card, Facts, Section
from training.contributions import beeswarm as draw_beeswarm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from training.card_parts import Block
    from training.model import RiskModel
    from training.registry import Registered

SECTIONS: dict[str, Callable[[Facts], list[Block]]] = {
    "In short": card_use.short,
    "Intended use": card_use.purpose,
    "Must not be used": card_use.never,
    "Data": card_use.registers,
    "Protocol": card_use.protocol,
    "Against the rules in use": card_figures.against,
    "What a visit finds": card_figures.visits,
    "In places it has never seen": card_figures.places,
    "Calibration": card_groups.calibration,
    "Calibration by group": card_groups.by_group,
    "Fairness between groups": card_groups.fairness,
    "By age": card_groups.by_age,
    "Infants at 24 months": card_groups.infants,
    "Households": card_checks.households,
    "What the model looks at": card_checks.looks_at,
    "Over seeds": card_checks.seeds,
    "Without a register": card_checks.registers_hidden,
    "A stale model": card_checks.stale,
    "How well children were measured": card_checks.measurements,
    "Worse labels": card_checks.noise,
    "What these figures do not say": card_checks.limits,
    "How often the test period was read": card_checks.reads,
}
"""Every section by its title, in order; one that has nothing to show is named at the end as not measured."""


def beeswarm(model: RiskModel, prepared: pd.DataFrame, path: Path) -> None:
    """Which features move the risk, drawn."""
    draw_beeswarm(model.explained(prepared), prepared, path)


def text(
    model: RiskModel,
    where: Registered,
    metrics: dict[str, Any],
    details: dict[str, Any],
    *,
    reads: Sequence[Mapping[str, str]] = (),
    about: str = "",
) -> str:
    """The card in Markdown.

    Parameters
    ----------
    metrics, details
        As stage `evaluate` writes them to `metrics.json` and `details.json`. What is absent, None or empty is left
        out, and named at the end.
    reads
        Each reading of the test period: `when` (ISO time), `stamp`, `why`.
    about
        Where the registers come from.
    """
    return card_page.markdown(_card(Facts(model, where, metrics, details, reads, about)))


def page(
    model: RiskModel,
    where: Registered,
    metrics: dict[str, Any],
    details: dict[str, Any],
    *,
    plots: Path,
    reads: Sequence[Mapping[str, str]] = (),
    about: str = "",
) -> str:
    """The card as one HTML file; `plots` is the folder of its PNGs, which go inside it. The rest as for `text`."""
    return card_page.html(_card(Facts(model, where, metrics, details, reads, about)), plots=plots)


def _card(told: Facts) -> Card:
    facts = told.cleaned()
    made = {title: tuple(write(facts)) for title, write in SECTIONS.items()}
    sections = [Section(title, blocks) for title, blocks in made.items() if blocks]
    absent = "; ".join(title for title, blocks in made.items() if not blocks)
    if absent:
        sections.append(Section("Not measured", (f"Not measured here: {absent}.",)))
    title = f"Model card: {facts.where.stamp}, version {facts.where.version} in the registry"
    return Card(title, tuple(card_use.lead(facts)), tuple(sections))
