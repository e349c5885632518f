"""How often intervals contain what they are about: where the truth is known, and in a survey's later year.

`python -m training.coverage` makes a kabupaten that does not exist, learns a model with its refits there, and asks of
each interval whether it contains the true risk, which only the simulation knows. With `--data`, a folder of survey
recode files, it asks the same of the shares observed in the survey's test years.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.special import expit, logit

from features.build import build, read_registers, write_whole
from features.errors import run_stage
from features.fitted import STUNTED_BELOW
from features.folders import write_text
from features.ingest import ingest
from features.progress import shown
from features.settings import Paths, Settings, Source, Train, load
from features.simulation.calendar import TEST_FROM
from features.simulation.files import REGISTERS_IN, TRUTH_IN
from features.simulation.run import simulate
from training.fit import labelled
from training.learn import learn
from training.models import fit_booster, margin
from training.prior_shift import Prevalence, shifted
from training.refits import Intervals, log_odds_of, normal_intervals
from training.splits import folds, temporal
from training.spread import read, spread, write

if TYPE_CHECKING:
    from training.model import RiskModel

GROUPS = 10
HOUSEHOLDS = 20_000
"""Enough that the model learns something, few enough for some minutes."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A model learned on training rows, and its intervals on test rows."""

    model: RiskModel
    found: Intervals


def truth_covered(found: Intervals, truth: np.ndarray, *, groups: int = GROUPS) -> pd.DataFrame:
    """Share of intervals that contain the true risk, by groups of equal size and rising risk.

    Where the truth is known, as in a simulation. Intervals speak of the risk given the facts that the model sees: a
    truth that also depends on what no register says, or on another level of prevalence, is covered less often.
    Columns: `n` [rows], `risk` and `truth` [mean probability], `covered` [share].
    """
    with np.errstate(divide="ignore"):  # a true risk of 0 or 1 lies outside every interval
        true = logit(np.asarray(truth, dtype=float))
    rows = pd.DataFrame(
        {
            "risk": expit(found.log_odds),
            "truth": truth,
            "covered": ((found.low <= true) & (true <= found.high)).astype(float),
        }
    )
    return _by_group(rows, found, groups)


def outcomes_covered(found: Intervals, label: np.ndarray, *, groups: int = GROUPS) -> pd.DataFrame:
    """Whether each group's share stunted lies in its mean interval, by groups of equal size and rising risk.

    Where only outcomes are known, as in a survey. A mean of intervals is wider than an interval of the mean, and the
    observed share has an error of its own, about sqrt(share * (1 - share) / n): a check of level, not a proof.
    Columns: `n` [rows], `risk`, `low`, `high` [mean probability], `observed` [share], `inside` [true or false].
    """
    ends = {"risk": found.log_odds, "low": found.low, "high": found.high}
    rows = pd.DataFrame({name: expit(value) for name, value in ends.items()} | {"observed": label})
    table = _by_group(rows, found, groups)
    return table.assign(inside=table.observed.between(table.low, table.high))


def _by_group(rows: pd.DataFrame, found: Intervals, groups: int) -> pd.DataFrame:
    # Equal risks share a rank, so they are never told apart.
    group = pd.qcut(pd.Series(found.log_odds).rank(), groups, labels=False, duplicates="drop").fillna(0)
    made = rows.astype(float).groupby(group.to_numpy()).mean()
    made.insert(0, "n", group.value_counts().sort_index().to_numpy())
    return made.reset_index(drop=True)


def judged(train: pd.DataFrame, test: pd.DataFrame, *, settings: Settings, name: str) -> Judged:
    """A model and its refits on the training rows, and the intervals of the test rows' risks; shows how far it is."""
    model = learn(train, settings=settings, seed=settings.train.seed, steps=shown(f"{name}: learning"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "refits"
        write(train, out, of="", settings=settings, steps=shown(f"{name}: learning again"))
        refits = spread(read(out), test).now
    found = normal_intervals(log_odds_of(model, test), refits, level=settings.intervals.level)
    return Judged(model, found)


def given_the_facts(model: RiskModel, rows: pd.DataFrame, truth: np.ndarray, *, how: Train) -> np.ndarray:
    """The true risk to expect of a child of whom the model sees the same. Shape (rows,). [probability]

    Learned from the true risks of children in other areas, and so known far better than a model can know it from
    whether children are stunted; what error it has counts against the intervals.

    Parameters
    ----------
    truth
        True risk of each row.
    """
    ordered = rows.assign(truth=truth, place=range(len(rows))).sort_values(["unit_id", "as_of"])
    known, made = model.prepared(ordered), np.empty(len(rows))
    label, place = ordered.truth.to_numpy(), ordered.place.to_numpy()
    for fold, held_out in folds(known, count=how.folds):
        booster = fit_booster(known.iloc[fold], label[fold], how=how.booster, seed=how.seed)
        made[place[held_out]] = expit(margin(booster, known.iloc[held_out]))
    return made


def of_simulation(rows: pd.DataFrame, *, settings: Settings) -> dict[str, Any]:
    """Where the truth is known: shares of intervals that contain it, in five ways.

    `register`: the model as it is, learned from what the register holds. `as_it_is` asks for the risk of a child of
    the same home, mother, birth, age and place; the register finds a third of the stunting that there is, and no
    interval tells of that. `on_its_level` moves all true log-odds so that their mean is that of the model's risks; they
    still hold what no register says, such as what the children of one home share. `given_the_facts` asks for what is to
    be expected of children of whom the model sees the same, on its level: what an interval speaks of.

    `true_heights`: a model of the same children and facts, learned from true heights. What it misses is not the fault
    of measurements.

    Parameters
    ----------
    rows
        Labelled, with `true_risk` and `true_haz` on the day of the outcome.
    """
    train, test = temporal(rows, test_from=settings.test_from)
    true_haz = train.true_haz.round(2)
    true = train.assign(haz=true_haz, stunted=(true_haz < STUNTED_BELOW).astype(int))
    truth, told = test.true_risk.to_numpy(), {}
    for name, known in (("register", train), ("true_heights", true)):
        one = judged(known, test, settings=settings, name=name)
        both = pd.concat([known, test], ignore_index=True)
        expected = given_the_facts(one.model, both, both.true_risk.to_numpy(), how=settings.train)[len(known) :]
        ways = {"as_it_is": truth, "given_the_facts": expected}
        if name == "register":
            level = float(expit(one.found.log_odds).mean())
            on_level = {way: shifted(risk, Prevalence(level, level, level)).risk for way, risk in ways.items()}
            ways = {
                "as_it_is": truth,
                "on_its_level": on_level["as_it_is"],
                "given_the_facts": on_level["given_the_facts"],
            }
        told[name] = {way: _told(truth_covered(one.found, risk), "covered") for way, risk in ways.items()}
    return {"train": len(train), "test": len(test), "models": told}


def of_survey(rows: pd.DataFrame, *, settings: Settings) -> dict[str, Any]:
    """Whether the shares observed in the test years lie in the mean intervals of groups of equal risk."""
    train, test = temporal(rows, test_from=settings.test_from)
    one = judged(train, test, settings=settings, name="survey")
    table = outcomes_covered(one.found, test.stunted.to_numpy())
    return {"train": len(train), "test": len(test)} | _told(table, "inside")


def _told(table: pd.DataFrame, share: str) -> dict[str, Any]:
    return {share: float(np.average(table[share], weights=table.n)), "groups": table.to_dict("records")}


def registers(raw: Path, layout: str, *, settings: Settings) -> None:
    """Take in registers and make the features, into the folders of the settings."""
    ingest(raw, layout, settings.paths.interim, max_quarantine_share=settings.ingest.max_quarantine_share)
    made = build(read_registers(settings.paths.interim))
    write_whole(made.units, settings.paths.features / "units.parquet")


def with_truth(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The labelled rows with `true_risk` and `true_haz` of the day of their outcome; those that have none are left."""
    truth = pd.read_parquet(folder / TRUTH_IN / "children.parquet", filters=[("kind", "=", "measurement")])
    truth = truth.assign(measured_on=pd.to_datetime(truth.on)).rename(columns={"risk": "true_risk", "haz": "true_haz"})
    names = ["child_id", "measured_on", "true_risk", "true_haz"]
    return rows.merge(truth[names].drop_duplicates(["child_id", "measured_on"]), on=["child_id", "measured_on"])


def main() -> None:
    """Measure coverage and write `reports/coverage.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS, help="of the simulated kabupaten")
    parser.add_argument("--data", type=Path, help="folder of DHS recode files, to ask the same of a survey")
    given = parser.parse_args()
    own = load()
    said: dict[str, Any] = {"refits": own.intervals.refits, "level": own.intervals.level}
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "simulated"
        simulate(made, households=given.households, seed=own.train.seed, steps=shown("making a kabupaten"))
        there = _in(Path(place) / "kabupaten", own, Source(simulated=True, test_from=dt.date.fromisoformat(TEST_FROM)))
        registers(made / REGISTERS_IN, "canonical", settings=there)
        rows = with_truth(labelled(there), made)
        said["simulation"] = {"households": given.households} | of_simulation(rows, settings=there)
        if given.data:
            there = _in(Path(place) / "survey", own, Source(format="dhs"))
            registers(given.data, "dhs", settings=there)
            said["survey"] = of_survey(labelled(there), settings=there)
    write_text(own.paths.reports / "coverage.json", json.dumps(said, indent=2) + "\n")
    Console(width=120).print(table(said))


def _in(place: Path, own: Settings, source: Source) -> Settings:
    paths = Paths(interim=place / "interim", features=place / "features")
    return own.model_copy(update={"source": source, "paths": paths})


def table(said: dict[str, Any]) -> Table:
    """What was found, one line a way of asking."""
    title = f"{said['level']:.0%} intervals from {said['refits']} refits"
    drawn = Table("learned from", "asked for", "contained", "least, most by groups of equal risk", title=title)
    for name, ways in said["simulation"]["models"].items():
        for way, found in ways.items():
            shares = [group["covered"] for group in found["groups"]]
            drawn.add_row(name, way, f"{found['covered']:.0%}", f"{min(shares):.0%}, {max(shares):.0%}")
    if "survey" in said:
        inside = [group["inside"] for group in said["survey"]["groups"]]
        drawn.add_row("survey", "observed share of a group", f"{sum(inside)} of {len(inside)} groups", "")
    return drawn


if __name__ == "__main__":
    run_stage(main)
