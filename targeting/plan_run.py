"""Stage `plan`: the policy of `params.yaml` -> the plan of the round, and what it is worth beside today's orders."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import InputRefused, run_stage
from features.folders import write_whole
from features.settings import load
from targeting import coverage_gap
from targeting.plan import Plan, plan
from targeting.plan_files import SUMMARY, Gaps, write
from targeting.plan_inputs import PlanInputs, inputs
from targeting.policy import Policy, policy_of, read

if TYPE_CHECKING:
    import pandas as pd

    from features.settings import Settings


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan with what it was made of."""

    plan: Plan
    of: PlanInputs
    gaps: Gaps


def planned(of: PlanInputs, policy: Policy, *, low_below: float, held: pd.DataFrame | None = None) -> Planned:
    """The plan of a policy; `held` as for `candidates`.

    Parameters
    ----------
    low_below
        A desa whose listed share of children is below it is shown as low. [0-1]

    Raises
    ------
    InputRefused
        The policy cannot be kept on these inputs.
    """
    found = of.candidates(policy, held=held)
    made = plan(policy, found.homes, apart=found.apart, needs=of.needs, menu=of.services)
    gaps = Gaps(
        coverage_gap.unregistered(of.registers, on=of.on),
        coverage_gap.by_area(of.registers, on=of.on, low_below=low_below),
    )
    return Planned(made, of, gaps)


def make(settings: Settings, policy: Policy, folder: Path, *, on: dt.date | None = None) -> Plan:
    """Make a plan and write `folder`, whole or not at all."""
    done = planned(inputs(settings, on=on), policy, low_below=settings.plan.coverage_low_below)
    keep(done, folder)
    for line in told(done.plan):
        print(line)
    return done.plan


def again(settings: Settings, folder: Path) -> None:
    """Nothing, when the same policy and inputs make the very plan of `folder` again.

    Raises
    ------
    InputRefused
        An input is another one now, or a table differs: the message names it.
    """
    said = _summary(folder)
    of = inputs(settings, on=dt.date.fromisoformat(said["on"]))
    changed = [name for name, mark in said["fingerprints"].items() if of.fingerprints.get(name) != mark]
    if changed:
        raise InputRefused(
            f"other inputs than those of {folder}: {', '.join(changed)}",
            "the same files",
            "Bring back the data and the menu of that day (`dvc checkout`), and ask again.",
        )
    done = planned(of, policy_of(said["policy"], of=str(folder / SUMMARY)), low_below=settings.plan.coverage_low_below)
    beside = folder.with_name(f"{folder.name}.again")
    found = keep(done, beside)
    differs = [name for name, mark in said["tables"].items() if found["tables"].get(name) != mark]
    if differs:
        raise InputRefused(
            f"another plan from the same inputs: {', '.join(differs)} of {folder}",
            "the same version of Tepat and of its packages",
            f"Install the version that made it; what is made now lies in {beside}.",
        )
    shutil.rmtree(beside)


def told(made: Plan) -> list[str]:
    """What a plan comes to, in lines."""
    figures = made.figures
    who = f"{figures.visits:,} of {figures.competing:,} households, {figures.by_lot:,} of them by lot"
    lines = [
        f"{who}: they hold {figures.reached:,.1f} of {figures.expected:,.1f} expected stunted children",
        f"{figures.method}: at most {figures.gap:.2%} more could be had under the same limits",
    ]
    spent = ", ".join(f"{owner} Rp{amount:,}" for owner, amount in figures.cost_idr.items())
    dear = made.limits[made.limits.price_en != ""].sort_values("price", key=abs, ascending=False).price_en
    return [*lines, f"cost: {spent}", *(f"- {line}" for line in dear.head(5)), *(f"- {note}" for note in made.notes)]


def keep(done: Planned, folder: Path) -> dict[str, Any]:
    """Write a plan's files into `folder`, whole or not at all; its summary comes back."""
    said: dict[str, Any] = {}
    write_whole(folder, lambda half: said.update(write(done.plan, half, of=done.of, gaps=done.gaps)))
    return said


def _summary(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputRefused(
            f"no {folder / SUMMARY} that can be read",
            "the folder of a plan",
            "Name the folder that `tepat plan` wrote.",
        ) from fault
    return found


def main() -> None:
    """Stage `plan`."""
    settings = load()
    make(settings, read(Path(settings.plan.policy)), settings.paths.reports / "plan")


if __name__ == "__main__":
    run_stage(main)
