"""The gate's question put to the registry and the rows of the test period; it moves nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_earlier, read_registers, read_units
from features.errors import Refused
from features.folders import ACCOUNT
from targeting.churn import Churn, churn, household_risks, why
from targeting.households import part_urgent
from targeting.promotion import Against, Check, Evidence, checks, ece_by_chance
from targeting.run import in_danger_since
from targeting.scoring import newest
from targeting.urgent import limits_of
from training import records, registry, succession
from training.earlier import measured_before
from training.fairness import TOO_FEW
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
REPORTS = "reports/promotion"


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
    seen
        Where the alias pointed.
    champion
        Whose place it would take; None when nobody holds one that counts.
    without_comparison
        Why no champion was compared with it; empty when one was.
    """

    challenger: Registered
    seen: Registered | None
    champion: Registered | None
    checks: tuple[Check, ...]
    without_comparison: str
    moved: Churn | None
    movers: pd.DataFrame | None

    @property
    def passed(self) -> bool:
        """Every check holds."""
        return all(check.passed for check in self.checks)

    @property
    def now(self) -> Registered | None:
        """The champion after it."""
        return self.challenger if self.passed else self.champion


def ruling(settings: Settings, challenger: Side, *, by_name: bool = False, reports: Path | None = None) -> Ruling:
    """Judge the challenger on the rows of the test period; moves nothing.

    Parameters
    ----------
    by_name
        A person asked for this very model: that it was set aside before counts no longer.
    reports
        Folder that its words send the reader to; None for the one of the pipeline.

    Raises
    ------
    Refused
        It was not evaluated on these rows under these settings.
    """
    name = challenger.where.name
    _, test = temporal(labelled(settings), test_from=settings.test_from)
    test, seen = _known_to(name, test, settings), registry.standing(name)
    standing, without = _counts(challenger, seen)
    champion, without = _compared(challenger, standing) if standing else (None, without)
    found = _evidence(settings, challenger, test, seen)
    if by_name:
        found = replace(found, by_name=True)
    if reports:
        found = replace(found, reports=str(reports))
    against, moved, movers = None, None, None
    if champion:
        units, objective = _known_to(name, _units(settings), settings), settings.target.objective
        risks = [household_risks(side.model, units, objective=objective) for side in (champion, challenger)]
        moved = churn(*risks, share=settings.target.capacity_share)
        movers = why(moved, champion.model, challenger.model, units, objective=objective)
        against = _against(settings, champion, challenger, test, jaccard=moved.jaccard)
    made = checks(found, against, gate=settings.gate, quarantine=settings.ingest.max_quarantine_share)
    return Ruling(challenger.where, seen, standing, made, without, moved, movers)


def _counts(challenger: Side, seen: Registered | None) -> tuple[Registered | None, str]:
    """The champion, if its place is one to be defended; or none, and why."""
    if seen is None:
        return None, "There is no champion yet."
    if challenger.model.simulated:
        return seen, ""
    if not succession.passed_a_gate(seen):
        return None, f"{seen.stamp} never passed a gate."
    if records.params_of(seen).get("simulated") == "True":
        return None, f"The champion {seen.stamp} was learned from a simulation."
    return seen, ""


def _compared(challenger: Side, standing: Registered) -> tuple[Side | None, str]:
    """The champion to be beaten, with its model; or none, and why. That it cannot be reached is no reason."""
    if standing.digest == challenger.where.digest:
        return None, "It is the champion already."
    try:
        return Side(*registry.fetch(standing.name, version=standing.version)), ""
    except (ModelRefused, registry.Damaged) as refusal:
        return None, f"The champion {standing.stamp} cannot answer: {refusal}"


def _evidence(settings: Settings, challenger: Side, test: pd.DataFrame, standing: Registered | None) -> Evidence:
    where = challenger.where
    folder = records.evidence(where, rows=records.rows_of(test), settings=settings)
    if folder is None:
        stage = "evaluate" if where.name == NAME else where.name
        raise Refused(
            f"{where.stamp} was not evaluated on the {len(test):,} children of this test period under these settings. "
            f"Run `dvc repro {stage}` first, which evaluates the model trained last."
        )
    metrics, details = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("metrics", "details"))
    own, told = records.params_of(where), records.params_of(standing) if standing else {}
    verdicts = [gap["verdict"] for gap in details["groups"]["gaps"]]
    return Evidence(
        stamp=where.stamp,
        reports=REPORTS if where.name == NAME else f"{REPORTS}/{where.name}",
        quarantined=_quarantined(settings.paths.interim),
        leak_guard=own.get("leak_guard") == "passed",
        rule=details["gate"]["rule"],
        lead=details["gate"]["lead"][settings.gate.metric],
        metrics=metrics["models"][where.name],
        chance_ece=ece_by_chance(_risk(challenger, test), seed=settings.train.seed),
        outside=details["gate"]["outside"],
        judged_gaps=len(verdicts),
        untold_gaps=verdicts.count(TOO_FEW),
        set_aside=succession.why_set_aside(where),
        instead_of_real=challenger.model.simulated and standing is not None and told.get("simulated") != "True",
        learned_until=own.get("test_from", ""),
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
    last = newest(units, registers, since=settings.test_from)
    # As the list has it: who is in danger is referred and not ranked.
    in_danger = in_danger_since(registers, settings.test_from, limits=limits_of(settings))
    return part_urgent(last, in_danger)[0]
