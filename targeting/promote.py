"""Stage `promote`: the gate, from the registry's facts; and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console

from features.build import read_earlier, read_registers, read_units
from features.errors import InputRefused, Refused, run_stage
from features.folders import ACCOUNT, write_text
from features.settings import load
from targeting.churn import Churn, churn, household_risks, why
from targeting.promotion import Against, Check, Evidence, checks, ece_by_chance
from targeting.promotion_report import drawn, page, picture
from targeting.scoring import newest
from training import records, registry
from training.earlier import measured_before
from training.fit import labelled
from training.metrics import paired_difference
from training.model import ModelRefused
from training.models import DETERMINANTS, HISTORY
from training.splits import clusters, temporal

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from features.settings import Settings
    from training.model import RiskModel
    from training.registry import Registered

NAME = DETERMINANTS.model
PIPELINE = "the pipeline's gate"
MOVERS = ("before", "after", "risk_before", "risk_after", "move", "feature", "change")


@dataclass(frozen=True, eq=False)
class Side:
    """A model, and where it stands."""

    model: RiskModel
    where: Registered


@dataclass(frozen=True, eq=False)
class Ruling:
    """What the gate said of a challenger.

    Parameters
    ----------
    champion
        Who makes the lists from now on; None when nobody may.
    without_comparison
        Why no champion was compared with it; empty when one was.
    """

    challenger: Registered
    champion: Registered | None
    checks: tuple[Check, ...]
    without_comparison: str
    moved: Churn | None
    movers: pd.DataFrame | None

    @property
    def passed(self) -> bool:
        """Every check holds."""
        return all(check.passed for check in self.checks)


def ruling(settings: Settings, challenger: Side, *, by_name: bool = False) -> Ruling:
    """Judge the challenger on the rows of the test period; moves nothing.

    Parameters
    ----------
    by_name
        A person asked for this very model: that it was set aside before counts no longer.

    Raises
    ------
    Refused
        It was not evaluated on these rows.
    """
    name = challenger.where.name
    _, test = temporal(labelled(settings), test_from=settings.test_from)
    test, standing = _known_to(name, test, settings), registry.standing(name)
    champion, without = _compared(challenger, standing)
    found = _evidence(settings, challenger, test, standing)
    if by_name:
        found = replace(found, set_aside=None)
    against, moved, movers = None, None, None
    if champion:
        units, objective = _known_to(name, _units(settings), settings), settings.target.objective
        risks = [household_risks(side.model, units, objective=objective) for side in (champion, challenger)]
        moved = churn(*risks, share=settings.target.capacity_share)
        movers = why(moved, champion.model, challenger.model, units, objective=objective)
        against = _against(settings, champion, challenger, test, jaccard=moved.jaccard)
    made = checks(found, against, gate=settings.gate, quarantine=settings.ingest.max_quarantine_share)
    return Ruling(challenger.where, standing, made, without, moved, movers)


def _compared(challenger: Side, standing: Registered | None) -> tuple[Side | None, str]:
    """The champion to be beaten; or none, and why."""
    if standing is None:
        return None, "There is no champion yet."
    if standing.digest == challenger.where.digest:
        return None, "It is the champion already."
    try:
        model, where = registry.fetch(standing.name, version=standing.version)
    except (ModelRefused, registry.RegistryRefused) as refusal:
        return None, f"The champion {standing.stamp} cannot answer: {refusal}"
    if model.simulated and not challenger.model.simulated:
        return None, f"The champion {standing.stamp} was learned from a simulation."
    return Side(model, where), ""


def _evidence(settings: Settings, challenger: Side, test: pd.DataFrame, standing: Registered | None) -> Evidence:
    where = challenger.where
    folder = records.evidence(where, rows=records.rows_of(test))
    if folder is None:
        raise Refused(
            f"{where.stamp} was not evaluated on the {len(test):,} children of this test period. "
            "Run `dvc repro evaluate` (or `tepat evaluate`) first."
        )
    metrics, details = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("metrics", "details"))
    told = records.params_of(standing) if standing else {}
    return Evidence(
        stamp=where.stamp,
        quarantined=_quarantined(settings.paths.interim),
        leak_guard=records.params_of(where).get("leak_guard") == "passed",
        rule=details["gate"]["rule"],
        lead=details["gate"]["lead"][settings.gate.metric],
        metrics=metrics["models"][where.name],
        chance_ece=ece_by_chance(_risk(challenger, test), seed=settings.train.seed),
        outside=details["gate"]["outside"],
        set_aside=registry.tags_of(where).get(registry.SET_ASIDE),
        instead_of_real=challenger.model.simulated and told.get("simulated") == "False",
        champion_learned_until=told.get("test_from", ""),
        test_from=str(settings.test_from),
    )


def _quarantined(interim: Path) -> tuple[str, float]:
    account = json.loads((interim / ACCOUNT).read_text("utf-8"))
    shares = {name: one["quarantined"] / one["read"] for name, one in account["registers"].items() if one["read"]}
    worst = max(shares, key=lambda name: shares[name], default="")
    return worst, shares.get(worst, 0.0)


def _against(settings: Settings, champion: Side, challenger: Side, test: pd.DataFrame, *, jaccard: float) -> Against:
    lead = paired_difference(
        test.stunted,
        _risk(challenger, test),
        _risk(champion, test),
        metric=settings.gate.metric,
        cluster=clusters(test),
        draws=settings.evaluate.bootstrap_draws,
        seed=settings.train.seed,
    )
    first, second = (records.params_of(side.where).get("recipe") for side in (champion, challenger))
    routine = first is not None and first == second
    return Against(champion.where.stamp, lead["difference"], lead["low"], lead["high"], routine, jaccard)


def _risk(side: Side, test: pd.DataFrame) -> np.ndarray:
    return records.risk_of(side.model, side.where, test, why="the gate", on=datetime.now(UTC))


def _known_to(name: str, rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The rows that a model of this name answers for."""
    return measured_before(rows, read_earlier(settings.paths.features)) if name == HISTORY.model else rows


def _units(settings: Settings) -> pd.DataFrame:
    registers = read_registers(settings.paths.interim)
    units = read_units(settings.paths.features)
    return newest(units, registers["maternal"], registers["child"], since=settings.test_from)


def settle(settings: Settings, made: Ruling, *, because: str, on: datetime) -> Registered | None:
    """Write what was found, move the alias if the gate let the challenger in, and say who is champion now."""
    if made.passed and not (made.champion and made.champion.digest == made.challenger.digest):
        registry.crown(made.challenger, instead_of=made.champion, because=because, on=on)
    champion = made.challenger if made.passed else made.champion
    folder = settings.paths.reports / "promotion"
    if made.challenger.name == NAME:
        tell(champion, settings.paths.champion)
    else:  # it makes no list
        folder /= made.challenger.name
    _write(made, champion, folder)
    return champion


def tell(champion: Registered | None, folder: Path) -> None:
    """Tell the stages after this one which model to use."""
    write_text(folder / "champion.json", json.dumps(asdict(champion) if champion else None, indent=2) + "\n")


def _write(made: Ruling, champion: Registered | None, folder: Path) -> None:
    said = {
        "challenger": made.challenger.stamp,
        "champion": champion.stamp if champion else None,
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


def promote(settings: Settings, challenger: Side, *, because: str, by_name: bool = False) -> bool:
    """Ask the gate, print its table and settle; whether the challenger is champion now.

    Parameters
    ----------
    by_name
        See `ruling`. The champion that it takes the place of is set aside.
    """
    made, where = ruling(settings, challenger, by_name=by_name), challenger.where
    settle(settings, made, because=because, on=datetime.now(UTC))
    if by_name and made.passed:
        registry.set_aside(where, because=None)
        if made.champion and made.champion.digest != where.digest:
            registry.set_aside(made.champion, because=because)
    Console().print(drawn(made.checks, made.challenger.stamp, passed=made.passed))
    if made.without_comparison:
        print(made.without_comparison)
    return made.passed


def roll_back(settings: Settings, *, name: str, because: str) -> Registered:
    """Give the champion's place to the one before it; the pipeline does not bring back the one set aside.

    Raises
    ------
    Refused
        There is no champion, none before it, or the files of the one before are damaged.
    """
    standing = registry.standing(name)
    before = registry.tags_of(standing).get(registry.BEFORE) if standing else None
    if standing is None or before is None:
        found = f"no champion of {name!r}" if standing is None else f"{standing.stamp}, which had no champion before it"
        raise InputRefused(
            found, "a champion that took another's place", "See `make mlflow` for the versions there are."
        )
    _, where = registry.fetch(name, version=before)
    registry.set_aside(standing, because=because)
    registry.set_aside(where, because=None)
    registry.crown(where, instead_of=None, because=f"roll-back: {because}", on=datetime.now(UTC))
    if name == NAME:
        tell(where, settings.paths.champion)
    return where


def main() -> None:
    """Stage `promote`: a refused challenger is no fault of the run while a champion stands."""
    settings = load()
    passed = promote(settings, Side(*registry.last_trained(settings.paths.models)), because=PIPELINE)
    if (settings.paths.reports / "history" / "metrics.json").exists():
        promote(settings, Side(*registry.fetch(HISTORY.model, alias=registry.CHALLENGER)), because=PIPELINE)
    if passed:
        return
    standing = registry.standing(NAME)
    if standing is None:
        raise Refused(
            "No model has passed the gate, so there is no list to make. The table above, also in "
            "reports/promotion/gate.md, says why, and what to do."
        )
    print(f"the list is made by the champion {standing.stamp}, version {standing.version}")


if __name__ == "__main__":
    run_stage(main)
