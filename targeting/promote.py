"""Stage `promote`: the gate asked, its answer written, the alias moved; and the way back."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console

from features.errors import InputRefused, Refused, run_stage
from features.folders import write_text
from features.settings import load
from targeting.gate_folders import ASKED, PROMOTION
from targeting.promotion_report import drawn, page, picture
from targeting.ruling import NAME, Ruling, Side, ruling
from training import registry, succession
from training.models import HISTORY

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings
    from training.registry import Registered

PIPELINE = "the pipeline's gate"
MOVERS = ("before", "after", "risk_before", "risk_after", "move", "feature", "change")


def settle(settings: Settings, made: Ruling, *, because: str, on: datetime, by_name: bool = False) -> None:
    """Write what was found, tell the stages after, and move the alias if the gate let the challenger in."""
    folder = settings.paths.reports / PROMOTION
    if made.challenger.name == NAME:
        tell(made.now, settings.paths.champion)
    else:  # it makes no list
        folder /= made.challenger.name
    _write(made, folder)
    if not made.passed:
        return
    replaced = made.champion if made.champion != made.challenger else None
    if by_name:  # before the alias moves: cut here, the old champion stays, and may come back
        succession.set_aside(made.challenger, because=None)
        if replaced:
            succession.set_aside(replaced, because=because)
    if made.seen != made.challenger or not succession.passed_a_gate(made.challenger):
        succession.crown(made.challenger, instead_of=replaced, seen=made.seen, because=because, on=on)


def tell(champion: Registered | None, folder: Path) -> None:
    """Tell the stages after this one which model to use."""
    write_text(folder / "champion.json", json.dumps(asdict(champion) if champion else None, indent=2) + "\n")


def _write(made: Ruling, folder: Path) -> None:
    said = {
        "challenger": made.challenger.stamp,
        "champion": made.now.stamp if made.now else None,
        "passed": made.passed,
        "without_comparison": made.without_comparison,
        "jaccard": made.moved.jaccard if made.moved else None,
        "checks": [asdict(check) for check in made.checks],
    }
    write_text(folder / "gate.json", json.dumps(said, indent=2) + "\n")
    write_text(folder / "gate.md", page(made.checks, said, made.movers))
    movers = pd.DataFrame(columns=["household_id", *MOVERS]) if made.movers is None else made.movers.reset_index()
    write_text(folder / "churn.csv", movers[["household_id", *MOVERS]].to_csv(index=False, lineterminator="\n"))
    (folder / "churn.png").unlink(missing_ok=True)
    if made.moved:
        picture(made.moved, folder / "churn.png")


def promote(settings: Settings, challenger: Side, *, because: str, by_name: bool = False) -> Ruling:
    """Ask the gate, print its table and settle.

    Parameters
    ----------
    by_name
        See `ruling`. The champion whose place it takes is set aside.
    """
    made = ruling(settings, challenger, by_name=by_name)
    _show(made)
    settle(settings, made, because=because, on=datetime.now(UTC), by_name=by_name)
    return made


def ask(settings: Settings, challenger: Side, *, by_name: bool = False) -> Ruling:
    """Ask the gate as `promote` does, and move nothing; its answer lies in `ASKED`, beside the pipeline's reports."""
    folder = settings.paths.reports / ASKED
    made = ruling(settings, challenger, by_name=by_name, reports=folder)
    _show(made)
    _write(made, folder)
    return made


def _show(made: Ruling) -> None:
    Console().print(drawn(made.checks, made.challenger.stamp, passed=made.passed))
    if made.without_comparison:
        print(made.without_comparison)


def roll_back(settings: Settings, *, name: str, because: str) -> Registered:
    """Give the champion's place to the one before it; the pipeline does not bring back the one set aside.

    Raises
    ------
    Refused
        There is no champion, none before it, or the files of the one before are damaged.
    """
    standing = registry.standing(name)
    before = succession.champion_before(standing) if standing else None
    if standing is None or before is None:
        found = f"no champion of {name!r}" if standing is None else f"{standing.stamp}, which had no champion before it"
        raise InputRefused(
            found,
            "a champion that took the place of one nobody set aside",
            "See `make mlflow` for the versions there are.",
        )
    registry.fetch(name, version=before.version)  # its files are whole
    if name == NAME:
        tell(before, settings.paths.champion)
    succession.set_aside(standing, because=because)
    on = datetime.now(UTC)
    succession.crown(before, instead_of=None, seen=standing, because=f"roll-back: {because}", on=on)
    return before


def _history(settings: Settings) -> None:
    """The gate of the model that makes no list: what it meets is no reason to make none."""
    if not (settings.paths.reports / "history" / "metrics.json").exists():
        shutil.rmtree(settings.paths.reports / PROMOTION / HISTORY.model, ignore_errors=True)
        return
    try:
        promote(settings, Side(*registry.fetch(HISTORY.model, alias=registry.CHALLENGER)), because=PIPELINE)
    except Refused as refusal:
        print(f"{HISTORY.model} was not judged. {refusal}")


def main() -> None:
    """Stage `promote`: a refused challenger is no fault of the run while a champion stands."""
    settings = load()
    made = promote(settings, Side(*registry.last_trained(settings.paths.models)), because=PIPELINE)
    _history(settings)
    if made.now is None:
        raise Refused(
            "No model has passed the gate, so there is no list to make. The table above, also in "
            "reports/promotion/gate.md, says why, and what to do."
        )
    if not made.passed:
        print(f"the list is made by the champion {made.now.stamp}, version {made.now.version}")


if __name__ == "__main__":
    run_stage(main)
