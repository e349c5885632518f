"""The gate: whether a trained model may become the one that lists are made by; pure.

Every check says what was found, what is allowed and what to do. One that fails keeps the champion where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from training.metrics import measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from features.settings import Gate

CHANCE_DRAWS: Final = 400
CHANCE: Final = 95
"""Percentile of the calibration error that a model without any would show on as many children."""


@dataclass(frozen=True)
class Check:
    """One condition of the gate."""

    name: str
    found: str
    allowed: str
    passed: bool
    to_do: str


@dataclass(frozen=True)
class Against:
    """The challenger beside the champion, on the same children.

    Parameters
    ----------
    stamp
        Of the champion.
    difference, low, high
        Of the gate's metric, challenger minus champion, with its 95% interval.
    routine
        Both were trained with the same settings and catalogue: only the rows differ.
    jaccard
        Overlap of their lists.
    """

    stamp: str
    difference: float
    low: float
    high: float
    routine: bool
    jaccard: float


@dataclass(frozen=True)
class Evidence:
    """What is known of the challenger.

    Parameters
    ----------
    stamp
        Of the challenger.
    reports
        Folder of the gate's own reports.
    quarantined
        The register with the largest share of rows in quarantine, and that share.
    leak_guard
        The lineage guard and the tripwire passed when it was trained.
    rule
        Today's way to choose, in words, which it must beat.
    lead
        `difference`, `low` and `high` of the gate's metric over that rule.
    metrics
        Its figures on the test rows, with `_low` and `_high`.
    chance_ece
        See `ece_by_chance`.
    outside
        A sentence for each gap between groups that lies outside its bounds.
    judged_gaps, untold_gaps
        Gaps that were looked at, and those of them of which too few children are there to tell.
    set_aside
        Why a person took it back; None when nobody did.
    by_name
        A person asks for this very model, and so for one that was set aside.
    instead_of_real
        It is learned from a simulation, and the champion from real children.
    learned_until, champion_learned_until
        Date from which it, and the champion, knew no outcome; empty where that is not known.
    test_from
        First day of the test period.
    """

    stamp: str
    reports: str
    quarantined: tuple[str, float]
    leak_guard: bool
    rule: str
    lead: Mapping[str, float]
    metrics: Mapping[str, float]
    chance_ece: float
    outside: Sequence[str]
    judged_gaps: int
    untold_gaps: int
    set_aside: str | None
    instead_of_real: bool
    learned_until: str
    champion_learned_until: str
    test_from: str
    by_name: bool = False


def checks(found: Evidence, against: Against | None, *, gate: Gate, quarantine: float) -> tuple[Check, ...]:
    """Every condition, in the order in which they are shown.

    Parameters
    ----------
    against
        None when no champion can be compared with it: then the rule alone is to be beaten.
    quarantine
        Largest share of a register's rows that may be in quarantine.
    """
    beside = (_unseen_by_champion(found), _better(against, gate), _churn(found, against, gate)) if against else ()
    return (
        _data(found, quarantine), _leaks(found), _unseen(found), _lead(found, gate), *beside, _slope(found, gate),
        _ece(found, gate), _groups(found), _not_set_aside(found), _real(found),
    )  # fmt: skip


def ece_by_chance(risk: np.ndarray, *, seed: int) -> float:
    """What the calibration error comes to by chance: its 95th percentile when every risk is exactly right."""
    random = np.random.default_rng(seed)
    drawn = [measure((random.random(len(risk)) < risk).astype(int), risk)["ece"] for _ in range(CHANCE_DRAWS)]
    return float(np.percentile(drawn, CHANCE))


def _data(found: Evidence, most: float) -> Check:
    register, share = found.quarantined
    said = f"`{register}` {share:.1%} in quarantine" if register else "no row in quarantine"
    return Check(
        "data checks", said, f"at most {most:.1%}", share <= most, "Correct the rows in data/interim/quarantine."
    )


def _leaks(found: Evidence) -> Check:
    said = "passed" if found.leak_guard else "not known to have passed"
    to_do = "Train with `dvc repro`: a model that was not trained by the pipeline is not let in."
    return Check("leak guard and tripwire", said, "passed", found.leak_guard, to_do)


def _lead(found: Evidence, gate: Gate) -> Check:
    lead = found.lead
    said = _difference(gate.metric, lead["difference"], lead["low"], lead["high"])
    to_do = "It is not proven better than today's rule: use the rule, or train with more rows and registers."
    return Check(f"better than {found.rule}", said, "the whole interval above 0", lead["low"] > 0, to_do)


def _unseen(found: Evidence) -> Check:
    said, holds = _learned(found.learned_until, found.test_from)
    to_do = "It was judged on children that it learned from. Train again with `dvc repro`."
    return Check("children that it has not seen", said, f"before {found.test_from}", holds, to_do)


def _unseen_by_champion(found: Evidence) -> Check:
    said, holds = _learned(found.champion_learned_until, found.test_from)
    to_do = f"These children would flatter it: run with TEST_FROM={found.champion_learned_until} or later."
    return Check("children that the champion has not seen", said, f"before {found.test_from}", holds, to_do)


def _learned(until: str, test_from: str) -> tuple[str, bool]:
    return f"learned from outcomes before {until or 'a day that is not known'}", bool(until) and until <= test_from


def _better(against: Against, gate: Gate) -> Check:
    said = _difference(gate.metric, against.difference, against.low, against.high)
    least = -gate.routine_loss if against.routine else 0.0
    kind = "trained again with the same settings" if against.routine else "other settings"
    to_do = "The champion stays. Train again when newer outcomes are there, or change what it is learned from."
    allowed = f"the whole interval above {least:g} ({kind})"
    return Check(f"against the champion {against.stamp}", said, allowed, against.low > least, to_do)


def _churn(found: Evidence, against: Against, gate: Gate) -> Check:
    said = f"{against.jaccard:.2f} of the households on either list are on both"
    to_do = f"Read {found.reports}/churn.csv: who enters, who leaves, and what moved them; then lower `gate.jaccard`."
    return Check("churn of the list", said, f"at least {gate.jaccard:.2f}", against.jaccard >= gate.jaccard, to_do)


def _slope(found: Evidence, gate: Gate) -> Check:
    m, (least, most) = found.metrics, gate.slope
    holds = m["calibration_slope_high"] >= least and m["calibration_slope_low"] <= most
    to_do = "Its risks are too bold (below 1) or too timid (above 1): see the calibration in its card, and train again."
    said = _with_interval(m, "calibration_slope")
    return Check("calibration slope", said, f"not outside {least:g} to {most:g} for certain", holds, to_do)


def _ece(found: Evidence, gate: Gate) -> Check:
    # An error of the model and the noise of few children add up as squares do.
    most = float(np.hypot(gate.ece, found.chance_ece))
    allowed = f"at most {most:.3f}: {gate.ece:g}, and what chance adds on so few children ({found.chance_ece:.3f})"
    to_do = "Its risks cannot be read as probabilities: see the calibration in its card, and train on newer rows."
    said = _with_interval(found.metrics, "ece")
    return Check("calibration error (ECE)", said, allowed, found.metrics["ece"] <= most, to_do)


def _groups(found: Evidence) -> Check:
    of_all = f"of {found.judged_gaps} gaps, {found.untold_gaps} have too few children to tell"
    said = " ".join((*found.outside, of_all)) if found.outside else f"none for certain outside its bounds; {of_all}"
    to_do = "See the groups in the model card."
    return Check("gaps between groups", said, "see `gate` in params.yaml", not found.outside, to_do)


def _not_set_aside(found: Evidence) -> Check:
    holds = found.set_aside is None or found.by_name
    said = f"set aside: {found.set_aside}" if found.set_aside is not None else "never set aside"
    said += "; asked for by name" if found.set_aside is not None and found.by_name else ""
    to_do = f"Whoever wants {found.stamp} back says so: `tepat promote --model ... --version ...`."
    return Check("not set aside by a person", said, "never set aside, or asked for by name", holds, to_do)


def _real(found: Evidence) -> Check:
    said = "learned from a simulation, the champion from real children" if found.instead_of_real else "as the champion"
    to_do = "Try simulations in a folder of their own: `git clone`, then `make run`."
    return Check("learned from real children", said, "real, or no real champion", not found.instead_of_real, to_do)


def _difference(metric: str, point: float, low: float, high: float) -> str:
    return f"{metric} {point:+.4f} ({low:+.4f} to {high:+.4f})"


def _with_interval(metrics: Mapping[str, Any], name: str) -> str:
    return f"{metrics[name]:.3f} ({metrics[name + '_low']:.3f} to {metrics[name + '_high']:.3f})"
