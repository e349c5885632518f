"""Stages `score` and `target`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_registers, read_units, write_whole
from features.catalog.child import DAYS_PER_MONTH
from features.errors import Refused, run_stage
from features.settings import Settings, load
from targeting.facts import fact_dates
from targeting.households import part_urgent
from targeting.level import on_survey_level
from targeting.lists import SIGNS, listed, publish
from targeting.scoring import households_of, newest, score_units, with_intervals
from targeting.urgent import UrgentLimits, urgent
from training import records, registry
from training.model import ModelRefused
from training.spread import Refits, of_model, read, spread, why_none

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from training.registry import Registered


def score(settings: Settings) -> None:
    """Stage `score`: every unit of the test period -> risk, reasons, and the urgent list."""
    model, where = registry.promoted(settings.paths.champion)
    if model.simulated and not settings.source.simulated:
        raise Refused(f"{where.stamp} was learned from a simulation, and these registers are real. Run `dvc repro`.")
    registers = read_registers(settings.paths.interim)
    units = newest(
        read_units(settings.paths.features), registers["maternal"], registers["child"], since=settings.test_from
    )
    scores, made = score_units(model, units)
    in_danger = in_danger_since(registers, settings.test_from)
    out = settings.paths.scores
    refits = _refits(settings, where)
    found = spread(refits, units) if refits else None
    level = settings.intervals.level
    known = on_survey_level(with_intervals(scores, found, level=level), settings.survey)
    ranked, _ = part_urgent(known.scores, in_danger.child_id)
    signed = known.scores.assign(model_version=where.stamp, simulated=model.simulated or settings.source.simulated)
    write_whole(signed, out / "units.parquet")
    write_whole(made, out / "contributions.parquet")
    write_whole(households_of(ranked, found, level=level), out / "households.parquet")
    write_whole(known.regions, out / "level.parquet")
    facts = fact_dates(scores, registers)
    write_whole(facts, out / "facts.parquet")
    write_whole(in_danger, out / "urgent.parquet")
    write_whole(_looked_for(registers["measurement"], since=settings.test_from), out / "urgent_signs.parquet")
    print(f"scored {len(scores):,} units of {len(facts):,} households with {where.name} version {where.version}")


def _refits(settings: Settings, where: Registered) -> Refits | None:
    """The refits of this very model: the pipeline's own, else those that the registry keeps with it."""
    own = settings.paths.refits
    folder = own if of_model(own) == where.digest else records.refits(where)
    if folder is None or of_model(folder) != where.digest:
        print(
            f"{where.name} version {where.version} has no refits, so its risks have no interval: "
            "`dvc repro intervals` learns those of the model that was trained last"
        )
        return None
    if why := why_none(folder):
        print(f"the risks have no interval, for the model cannot be learned again on drawn clusters. {why}")
        return None
    try:
        return read(folder)
    except ModelRefused as refusal:
        print(f"the risks have no interval: {refusal}")
        return None


def in_danger_since(registers: Mapping[str, pd.DataFrame], since: dt.date) -> pd.DataFrame:
    """Children on the urgent list, by their measurements of the test period."""
    measured = registers["measurement"]
    measured = measured[measured.measured_on >= pd.Timestamp(since)]
    child = registers["child"].sort_values("recorded_on").drop_duplicates("child_id", keep="last")
    home = registers["household"].sort_values("recorded_on").drop_duplicates("household_id", keep="last")
    rows = measured.merge(child[["child_id", "household_id", "birth_date"]], on="child_id")
    rows = rows.merge(home[["household_id", "area_id"]], on="household_id", how="left")
    rows = rows.merge(registers["area"][["area_id", "region_id"]], on="area_id", how="left")
    age = (rows.measured_on - rows.birth_date).dt.days / DAYS_PER_MONTH
    return urgent(rows.assign(age_months=age), limits=UrgentLimits())


def _looked_for(measured: pd.DataFrame, *, since: dt.date) -> pd.DataFrame:
    """For each sign of danger, how many measurements say anything of it: none found is not none there."""
    recent = measured[measured.measured_on >= pd.Timestamp(since)]
    return recent[list(SIGNS)].notna().sum().rename_axis("sign").rename("measurements").reset_index()


def target(settings: Settings) -> None:
    """Stage `target`: the list of the whole district, as params.yaml asks for it."""
    made, homes = listed(settings)
    publish(settings, made, homes, folder=settings.paths.reports / "worklist")


def main() -> None:
    """Stages `score` and `target`, by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["score", "target"])
    if parser.parse_args().stage == "score":
        score(load())
    else:
        target(load())


if __name__ == "__main__":
    run_stage(main)
