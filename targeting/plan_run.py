"""Stage `plan`: the policy of `params.yaml` -> the plan of the round, and what it is worth beside today's orders."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.errors import InputRefused, run_stage
from features.folders import write_whole
from features.settings import load
from targeting import coverage_gap
from targeting.export import picture
from targeting.plan import Plan, plan
from targeting.plan_files import SUMMARY, Gaps, write
from targeting.plan_inputs import PlanInputs, inputs
from targeting.plan_words import CHILDREN, STEP, STEP_IDR
from targeting.policy import Policy, policy_of, read
from targeting.worklist import Worklist

if TYPE_CHECKING:
    from features.settings import Settings


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan with what it was made of; `homes` are those that competed."""

    plan: Plan
    of: PlanInputs
    homes: pd.DataFrame
    low_below: float

    @cached_property
    def gaps(self) -> Gaps:
        """Whom no register covers; found when they are asked for."""
        return Gaps(
            coverage_gap.unregistered(self.of.registers, on=self.of.on),
            coverage_gap.by_area(self.of.registers, on=self.of.on, low_below=self.low_below),
            tuple(en for _, en in coverage_gap.notes(self.of.registers, on=self.of.on)),
            self.low_below,
        )


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
    return Planned(made, of, found.homes, low_below)


def make(
    settings: Settings, policy: Policy, folder: Path, *, on: dt.date | None = None, held: pd.DataFrame | None = None
) -> Plan:
    """Make a plan and write `folder`, whole or not at all."""
    done = planned(inputs(settings, on=on), policy, low_below=settings.plan.coverage_low_below, held=held)
    keep(done, folder, held=held)
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
    held = pd.DataFrame(said["held"], columns=["household_id", "why"], dtype="str")
    done = planned(of, policy_of(said["policy"], of=str(folder / SUMMARY)), low_below=said["low_below"], held=held)
    beside = folder.with_name(f"{folder.name}.again")
    found = keep(done, beside, held=held)
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
    held = [
        f"{CHILDREN[track].en}: {figures.reached_by.get(track, 0.0):,.1f} of {expected:,.1f} expected are reached"
        for track, expected in figures.expected_by.items()
    ]
    lines = [who, *held, f"{figures.method}: at most {figures.gap:.2%} below the best plan under the same limits"]
    spent = ", ".join(f"{owner} Rp{amount:,}" for owner, amount in figures.cost_idr.items())
    told_of = made.limits[made.limits.price_en != ""]
    weight = told_of.price.abs() * np.where(told_of.unit == "rupiah", STEP_IDR, STEP)
    dear = told_of.price_en[weight.sort_values(ascending=False, kind="stable").index]
    return [*lines, f"cost: {spent}", *(f"- {line}" for line in dear.head(5)), *(f"- {note}" for note in made.notes)]


def keep(done: Planned, folder: Path, *, held: pd.DataFrame | None) -> dict[str, Any]:
    """Write a plan's files into `folder`, whole or not at all; its summary comes back."""
    said: dict[str, Any] = {}
    write_whole(folder, lambda half: said.update(_written(done, half, held=held)))
    return said


def _written(done: Planned, half: Path, *, held: pd.DataFrame | None) -> dict[str, Any]:
    by = Worklist(
        rows=done.plan.lines, capacity=len(done.plan.lines), eligible=done.plan.figures.competing,
        salt=done.plan.policy.round, regions=done.plan.policy.regions,
    )  # fmt: skip
    picture(by, done.homes, half / "by_region.png")
    return write(done.plan, half, of=done.of, gaps=done.gaps, held=held)


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
