"""A plan as files for the office and the field: whole or not there, and the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from targeting.export import write_book, write_csv
from targeting.lists import SIMULATED
from targeting.outcomes import UNIT
from targeting.plan_words import CHILDREN

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from targeting.plan import Plan
    from targeting.plan_inputs import PlanInputs

SUMMARY: Final = "plan.json"
IN_BOOK: Final = 20_000
"""Rows of a sheet: a longer table is in its CSV alone, for an old laptop opens no larger one."""
WHOLE: Final = ("Rencana", "Rujukan segera")
"""Sheets that are never cut."""
LINE: Final = (
    "rank", "household_id", "region_id", "region_name", "area_id", "area_name", "posyandu_id", "track", "value",
    "risk", "risk_low", "risk_high", "risk_survey", "chosen_for", "chosen_for_id", "chosen_for_en", "chance", "weight",
    "services", "services_id", "services_idr", "unmet", "unmet_id", "reasons_id", "reasons_en", "reasons_unit_id",
    "pregnant", "under_24_months", "never_measured", "unit_count", "risk_find", "risk_prevent", "freshest_on",
    "stalest_on", "missing_registers", "model_version",
)  # fmt: skip
ON_PAPER: Final = (
    "rank", "household_id", "area_name", "posyandu_id", "track", "value", "risk", "chosen_for_id", "reasons_id",
    "services_id", "unmet_id", "stalest_on", "missing_registers",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Gaps:
    """Whom no register of children or mothers covers; see `coverage_gap`."""

    households: pd.DataFrame
    areas: pd.DataFrame
    notes: tuple[str, ...] = ()
    low_below: float = 0.0


def write(made: Plan, folder: Path, *, of: PlanInputs, gaps: Gaps, held: pd.DataFrame | None = None) -> dict[str, Any]:
    """Fill an empty folder; the summary comes back. `tables` in it holds the SHA-256 of each table."""
    tables = {
        "plan.csv": made.lines[list(LINE)], "left_out.csv": made.left_out, "services.csv": made.services,
        "limits.csv": made.limits, "urgent.csv": of.in_danger, "unregistered.csv": gaps.households,
        "coverage.csv": gaps.areas, "units.csv": of.units[list(UNIT)],
    }  # fmt: skip
    for name, rows in tables.items():
        write_csv(rows, folder / name)
    said = summary(made, of=of)
    said["notes"] += gaps.notes
    said |= {
        "low_below": gaps.low_below,
        "held": [] if held is None else held[["household_id", "why"]].to_numpy().tolist(),
    }
    said["tables"] = {name: _digest(folder / name) for name in tables}
    sheets = {
        "Rencana": made.lines[list(ON_PAPER)], "Rujukan segera": of.in_danger, "Layanan": made.services,
        "Batas": made.limits, "Belum terdaftar": gaps.households, "Cakupan desa": gaps.areas,
    }  # fmt: skip
    short = {name: rows if name in WHOLE else rows.head(IN_BOOK) for name, rows in sheets.items()}
    cut = [
        f"{name}: {len(short[name]):,} / {len(rows):,}" for name, rows in sheets.items() if len(short[name]) < len(rows)
    ]
    write_book(folder / "plan.xlsx", short, facts=_facts(said) | ({"cut": "; ".join(cut)} if cut else {}))
    (folder / SUMMARY).write_text(json.dumps(said, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return said


def summary(made: Plan, *, of: PlanInputs) -> dict[str, Any]:
    """What a plan is of and comes to, as JSON holds it: with it and the same inputs it can be made again."""
    return {
        "policy": made.policy.model_dump(mode="json"),
        "policy_stamp": made.policy.stamp,
        "on": of.on.isoformat(),
        "model_stamp": of.model_stamp,
        "simulated": of.simulated,
        "figures": asdict(made.figures),
        "urgent": len(of.in_danger),
        "notes": [*made.notes, *of.said()],
        "fingerprints": of.fingerprints,
    }


def _facts(said: dict[str, Any]) -> dict[str, object]:
    figures, policy = said["figures"], said["policy"]
    costs = "; ".join(f"{owner}: Rp{amount:,}".replace(",", ".") for owner, amount in figures["cost_idr"].items())
    return {
        **({"simulated": SIMULATED} if said["simulated"] else {}),
        "model_version": said["model_stamp"],
        "as_of": said["on"],
        "policy": f"{policy['name']}, {said['policy_stamp']}",
        "objective": policy["objective"],
        "salt": policy["round"],
        "capacity": figures["visits"],
        "eligible": figures["competing"],
        "by_lot": figures["by_lot"],
        "reached": "; ".join(
            f"{CHILDREN[track].id}: {figures['reached_by'].get(track, 0.0):.1f} / {expected:.1f}"
            for track, expected in figures["expected_by"].items()
        ),
        "gap": f"{figures['gap']:.2%}",
        "cost_idr": costs,
        "urgent": said["urgent"],
        "notes": "; ".join(said["notes"]),
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
