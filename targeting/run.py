"""Stages `score` and `target`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pandas as pd

from features.build import read_registers, read_units, write_whole
from features.errors import InputRefused, Refused, run_stage
from features.settings import Settings, load
from targeting.export import picture, write_csv, write_xlsx
from targeting.facts import fact_dates
from targeting.scoring import newest, part_urgent, score_households, score_units
from targeting.urgent import UrgentLimits, urgent
from targeting.worklist import Worklist, worklist
from training import registry

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

DAYS_PER_MONTH = 30.4375
WHY_NONE = {
    "find": "find, only a pregnancy: `tepat worklist --objective prevent` ranks them",
    "prevent": "prevent stunting of, all are past 24 months: `tepat worklist --objective find` ranks them",
}
SIGNS = {"whz": ("BB/TB", "weight-for-height"), "muac_cm": ("LiLA", "arm circumference"), "oedema": ("edema", "oedema")}


def score(settings: Settings) -> None:
    """Stage `score`: every unit of the test period -> risk, reasons, and the urgent list."""
    model, where = registry.last_trained(settings.paths.models)
    units = newest(read_units(settings.paths.features), since=settings.test_from)
    scores, made = score_units(model, units)
    registers = read_registers(settings.paths.interim)
    out = settings.paths.scores
    write_whole(scores.assign(model_version=where.stamp), out / "units.parquet")
    write_whole(made, out / "contributions.parquet")
    facts = fact_dates(scores, registers)
    write_whole(facts, out / "facts.parquet")
    write_whole(_urgent(registers, since=settings.test_from), out / "urgent.parquet")
    write_whole(_looked_for(registers["measurement"], since=settings.test_from), out / "urgent_signs.parquet")
    print(f"scored {len(scores):,} units of {len(facts):,} households with {where.name} version {where.version}")


def _urgent(registers: Mapping[str, pd.DataFrame], *, since: dt.date) -> pd.DataFrame:
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


def _urgency(count: int, signs: pd.DataFrame) -> tuple[str, str]:
    """How many children are in danger, and which signs could not be looked at: in Indonesian and in English."""
    unseen = [SIGNS[s] for s in signs.sign[signs.measurements == 0]]
    unseen_id, unseen_en = (", ".join(words) for words in zip(*unseen, strict=True)) if unseen else ("", "")
    if len(unseen) == len(SIGNS):
        return f"tidak dapat dibuat: tanpa data {unseen_id}", f"no urgent list: the measurements lack {unseen_en}"
    said_id, said_en = f"{count} anak", f"{count:,} children on the urgent list"
    if unseen:
        return f"{said_id}; {unseen_id} tidak tersedia", f"{said_en}, which could not look at {unseen_en}"
    return said_id, said_en


def listed(
    settings: Settings, *, capacity: int | None = None, regions: list[str] | None = None, objective: str | None = None
) -> tuple[Worklist, pd.DataFrame]:
    """The priority list of the scored households, and those households.

    Raises
    ------
    Refused
        Nothing was scored yet, or what was asked for cannot be: a region that is not known.
    """
    homes = _scored_homes(settings, objective=objective or settings.target.objective)
    within = homes[homes.region_id.isin(regions)] if regions else homes
    visits = capacity if capacity is not None else round(settings.target.capacity_share * len(within))
    try:
        return worklist(homes, capacity=visits, salt=settings.target.round_name, regions=regions), homes
    except ValueError as fault:
        raise Refused(str(fault)) from fault


def _scored_homes(settings: Settings, *, objective: str) -> pd.DataFrame:
    path = settings.paths.scores / "units.parquet"
    if not path.exists():
        raise InputRefused(f"no {path}", "scored households", "Run `make run` or `tepat score` first.")
    scores = pd.read_parquet(path)
    urgent_ids = pd.read_parquet(settings.paths.scores / "urgent.parquet").child_id
    ranked, referred = part_urgent(scores, urgent_ids)
    homes = score_households(ranked, objective=objective)
    homes = homes.merge(pd.read_parquet(settings.paths.scores / "facts.parquet"), on="household_id", validate="1:1")
    areas = pd.read_parquet(settings.paths.interim / "area.parquet")[["area_id", "area_name"]]
    homes = homes.merge(areas, on="area_id", how="left").assign(model_version=scores.model_version.iloc[0])
    if homes.risk.isna().any():
        print(f"{int(homes.risk.isna().sum()):,} households have no child to {WHY_NONE[objective]}")
    competing = homes[homes.risk.notna()].reset_index(drop=True)
    if len(referred):
        still = competing.household_id.isin(referred.household_id).sum()
        print(
            f"{len(referred):,} children on the urgent list are not ranked; "
            f"{still:,} of their households compete for others in them"
        )
    return competing


def publish(settings: Settings, made: Worklist, homes: pd.DataFrame, *, folder: Path) -> None:
    """Write CSV, XLSX, the urgent list and a picture into `folder`."""
    urgent_rows = pd.read_parquet(settings.paths.scores / "urgent.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    said = _urgency(len(urgent_rows), pd.read_parquet(settings.paths.scores / "urgent_signs.parquet"))
    meta = {
        "model_version": homes.model_version.iloc[0],
        "as_of": f"{homes.freshest_on.max():%Y-%m-%d}",
        "objective": homes.objective.iloc[0],
        "urgent": " / ".join(said),
    }
    write_csv(made.rows, folder / "worklist.csv")
    write_csv(urgent_rows, folder / "urgent.csv")
    write_xlsx(made, urgent_rows, folder / "worklist.xlsx", meta=meta)
    picture(made, homes, folder / "by_region.png")
    print(f"{len(made.rows):,} of {made.eligible:,} households listed; {said[1]}")


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
