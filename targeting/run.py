"""Stages `score` and `target`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pandas as pd
from scipy.special import expit

from features.build import read_registers, read_units, write_whole
from features.catalog.child import DAYS_PER_MONTH
from features.errors import Refused, run_stage
from features.settings import Settings, load
from targeting.facts import fact_dates
from targeting.households import part_urgent
from targeting.level import on_survey_level
from targeting.lists import listed, publish
from targeting.manifest import write_manifest
from targeting.orders import orders_of, rule_of
from targeting.scoring import households_of, newest, score_units, with_intervals
from targeting.urgent import limits_of, urgent_list
from training import records, registry
from training.model import ModelRefused
from training.spread import Refits, of_model, read, spread, why_none

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from targeting.urgent import UrgentLimits
    from training.registry import Registered
    from training.spread import Spread

SIGNS_IN = {"measurement": ("whz", "muac_cm", "oedema"), "maternal": ("haemoglobin_g_dl",)}
DATED_BY = {"measurement": "measured_on", "maternal": "recorded_on"}
ROWS_AT_ONCE = 5_000
"""Contributions that are read together: the page of one household reads some of them, not those of a district."""


def score(settings: Settings) -> None:
    """Stage `score`: every unit of the test period -> risk, reasons, and the urgent list."""
    model, where = registry.promoted(settings.paths.champion)
    if model.simulated and not settings.source.simulated:
        raise Refused(f"{where.stamp} was learned from a simulation, and these registers are real. Run `dvc repro`.")
    registers = read_registers(settings.paths.interim)
    units = newest(read_units(settings.paths.features), registers, since=settings.test_from)
    scores, made = score_units(model, units)
    limits = limits_of(settings)
    in_danger = in_danger_since(registers, settings.test_from, limits=limits)
    out = settings.paths.scores
    refits = _refits(settings, where)
    found = spread(refits, units) if refits else None
    level = settings.intervals.level
    known = on_survey_level(with_intervals(scores, found, level=level), settings.survey)
    ranked, _ = part_urgent(known.scores, in_danger)
    signed = known.scores.assign(model_version=where.stamp, simulated=model.simulated or settings.source.simulated)
    write_whole(signed, out / "units.parquet")
    write_whole(made, out / "contributions.parquet", rows_at_once=ROWS_AT_ONCE)
    write_whole(households_of(ranked, found, level=level), out / "households.parquet")
    write_whole(known.regions, out / "level.parquet")
    write_whole(_by_refit(scores, found), out / "refits.parquet")
    rule, reading = rule_of(settings)
    write_whole(orders_of(units, rule=rule), out / "orders.parquet")
    print(f"today's orders go by KRS read as {reading}")
    facts = fact_dates(scores, registers)
    write_whole(facts, out / "facts.parquet")
    write_whole(in_danger, out / "urgent.parquet")
    write_whole(_looked_for(registers, settings.test_from, limits=limits), out / "urgent_signs.parquet")
    write_manifest(out)
    print(f"scored {len(scores):,} units of {len(facts):,} households with {where.name} version {where.version}")


def _by_refit(scores: pd.DataFrame, found: Spread | None) -> pd.DataFrame:
    """The risk of each unit by each refit: `now_0`, ..., `then_0`, ...; without refits only `unit_id`. [0-1]"""
    if found is None:
        return scores[["unit_id"]]
    both = {"now": found.now, "then": found.at_24m}
    risks = {f"{name}_{n}": expit(row).astype("float32") for name, rows in both.items() for n, row in enumerate(rows)}
    return pd.concat([scores[["unit_id"]], pd.DataFrame(risks, index=scores.index)], axis=1)


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


def in_danger_since(registers: Mapping[str, pd.DataFrame], since: dt.date, *, limits: UrgentLimits) -> pd.DataFrame:
    """The urgent list: children by their measurements of the test period, women by their records of it."""
    measured, records = (_since(registers, name, since) for name in SIGNS_IN)
    child = _last(registers["child"], "child_id")
    rows = measured.merge(child[["child_id", "household_id", "birth_date"]], on="child_id")
    age = (rows.measured_on - rows.birth_date).dt.days / DAYS_PER_MONTH
    # A woman is looked for where she was last recorded, with or without haemoglobin.
    homes = _last(registers["maternal"], "mother_id")[["mother_id", "household_id"]]
    women = records[["mother_id", "recorded_on", "haemoglobin_g_dl"]].merge(homes, on="mother_id")
    children = _placed(rows.assign(age_months=age), registers)
    return urgent_list(children, _placed(women, registers), limits=limits)


def _since(registers: Mapping[str, pd.DataFrame], name: str, since: dt.date) -> pd.DataFrame:
    rows = registers[name]
    return rows[rows[DATED_BY[name]] >= pd.Timestamp(since)]


def _last(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    return rows.sort_values("recorded_on").drop_duplicates(key, keep="last")


def _placed(rows: pd.DataFrame, registers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    home = _last(registers["household"], "household_id")
    rows = rows.merge(home[["household_id", "area_id"]], on="household_id", how="left")
    return rows.merge(registers["area"][["area_id", "region_id"]], on="area_id", how="left")


def _looked_for(registers: Mapping[str, pd.DataFrame], since: dt.date, *, limits: UrgentLimits) -> pd.DataFrame:
    """For each sign of danger, how many rows say anything of it: none found is not none there."""
    asked = SIGNS_IN if limits.haemoglobin_g_dl is not None else {"measurement": SIGNS_IN["measurement"]}
    known = [_since(registers, name, since)[list(signs)].notna().sum() for name, signs in asked.items()]
    return pd.concat(known).rename_axis("sign").rename("measurements").reset_index()


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
