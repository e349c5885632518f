"""Stage `plans`: what a plan under floors reaches in stunted children who were found, beside today's orders."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from features.errors import Refused, run_stage
from features.folders import write_text
from features.settings import load
from targeting.orders import rule_of
from targeting.plan_figures import figures, observed
from training import records, registry
from training.fit import labelled
from training.splits import temporal

if TYPE_CHECKING:
    from features.settings import Settings

CAPACITY: Final = 0.10
FLOOR: Final = 0.04
"""Of the households of every region: an even policy, the same for each model and year that it is asked of."""


def study(settings: Settings) -> dict[str, Any]:
    """Figures on the households of the test period, whom the champion has not seen."""
    model, where = registry.promoted(settings.paths.champion)
    if model.simulated and not settings.source.simulated:
        raise Refused(f"{where.stamp} was learned from a simulation, and these registers are real. Run `dvc repro`.")
    _, test = temporal(labelled(settings), test_from=settings.test_from)
    risk = records.risk_of(model, where, test, why="plans", on=datetime.now(UTC))
    rule, reading = rule_of(settings)
    homes = observed(test, risk, rule=rule)
    asked = partial(
        figures, capacity_share=CAPACITY, floor_share=FLOOR, draws=settings.evaluate.bootstrap_draws,
        seed=settings.train.seed,
    )  # fmt: skip
    # A household with two stunted children counts once: what is left when nobody gains by counting children.
    once = asked(homes.assign(stunted=homes.stunted.clip(upper=1)))
    said = {"model": where.stamp, "simulated": model.simulated or settings.source.simulated, "krs": reading}
    return {**said, **asked(homes), "households_with_a_stunted_child": once["asked"]}


def told(found: dict[str, Any]) -> list[str]:
    """The figures in words."""
    asked, once = found["asked"], found["households_with_a_stunted_child"]

    def over(rule: str, of: dict[str, Any]) -> str:
        ratio = of[rule]
        return f"{ratio['ratio']:.3f} ({ratio['ratio_low']:.3f} to {ratio['ratio_high']:.3f})"

    plan = asked["plan"]
    low, high = plan["price_of_floor_low"], plan["price_of_floor_high"]
    visits = f"{asked['visits']:,} of {found['households']:,} households, at least {FLOOR:.0%} of every region's"
    return [
        f"{visits}: {plan['reached']:.0f} of {found['stunted']:,} stunted children reached",
        f"the floor costs {plan['price_of_floor']:.0f} children ({low:.0f} to {high:.0f})",
        f"over KRS, then rank, then count, under the same limits: {over('krs_rank_count', asked)} times as many",
        f"over the same summed over a household's children: {over('krs_per_child', asked)}",
        f"over poverty alone: {over('poverty_only', asked)}",
        f"households with a stunted child, over KRS, then rank, then count: {over('krs_rank_count', once)}",
    ]


def main() -> None:
    """Stage `plans`."""
    settings = load()
    found = study(settings)
    write_text(settings.paths.reports / "plans.json", json.dumps(found, indent=1) + "\n")
    for line in told(found):
        print(line)


if __name__ == "__main__":
    run_stage(main)
