"""The examples of plans and decisions in the API's documentation: households of nobody, in the simulated kabupaten."""

from __future__ import annotations

from typing import Any

from serving.examples import LIST_MADE, LIST_PAGE
from serving.schemas_plan import DECIDING

POLICY: dict[str, Any] = {
    "version": "3",
    "name": "Kunjungan triwulan 1",
    "round": "2026-1",
    "objective": "by_age",
    "capacity": {"unit": "visits", "share": 0.1},
    "floors": {"region": {"share": 0.02}},
    "reserves": {"pregnant": 0.02, "exploration": 0.05},
    "workload": {"by": "posyandu", "equal_share": 0.2},
    "exclusions": {"visited_within_weeks": 4},
    "budgets_idr": {"dinkes": 20_000_000, "pupr": None},
}
TO_PLAN: dict[str, Any] = {"a plan by a policy": {"value": {"name": "Rencana triwulan 1", "policy": POLICY}}}
STAMP = "3+5e884898da28"
PLAN = LIST_MADE | {
    "name": "Rencana triwulan 1", "objective": "by_age", "capacity": 34, "eligible": 344, "row_count": 34,
    "round_name": "2026-1", "policy_stamp": STAMP, "plan_on": "2025-12-31", "policy": POLICY,
    "figures": {
        "competing": 344, "expected": 30.713, "visits": 34, "by_lot": 2, "reached": 6.436, "worth": 6.25,
        "bound": 6.25, "gap": 0.0, "method": "relaxed and rounded",
        "cost_idr": {"visits": 1_700_000, "dinkes": 3_150_000, "pupr": 7_500_000},
    },
    "notes": ["dinsos has no line in budgets_idr: 202 unmet services of it are named, and not handed over"],
    "limits": [
        {"rule": "capacity", "place": "", "unit": "visits", "least": 0, "most": 32, "used": 32, "price": 0.162,
         "limit_id": "kapasitas putaran", "limit_en": "the capacity of the round",
         "price_id": "10 kunjungan lagi pada kapasitas putaran: sekitar 1,616 anak stunting lagi terjangkau",
         "price_en": "10 more visits within the capacity of the round: about 1.616 more stunted children reached"},
    ],
    "fingerprints": {"units.parquet": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
}  # fmt: skip
LEFT_OUT_ONE: dict[str, Any] = {
    "household_id": "home-23", "masked_name": "S*** A***", "region_id": "99.01.01", "area_id": "99.01.01.1001",
    "track": "find", "risk": 0.11, "value": 0.11, "kept_out_by": "capacity", "place": "", "short_by": 0.052,
    "why_id": "kapasitas putaran; perkiraan anak stunting kurang 0,052 dari batas",
    "why_en": "the capacity of the round; 0.052 expected stunted children below the cut",
}  # fmt: skip
LEFT_OUT = {"households": [LEFT_OUT_ONE], "next_after": "home-23"}
TO_REFER = {
    "household_id": "home-17", "masked_name": "D***", "region_id": "99.01.01", "area_id": "99.01.01.1001",
    "child_id": None, "mother_id": "mother-12", "measured_on": None, "recorded_on": "2025-07-30",
    "why_id": "Hb di bawah 8 g/dL", "why_en": "haemoglobin below 8 g/dL",
}  # fmt: skip
URGENT = {"urgent": [TO_REFER]}
LINE: dict[str, Any] = LIST_PAGE["lines"][0] | {  # type: ignore[index]  # a list of lines
    "track": "find", "value": 0.72, "chosen_for": "value", "chosen_for_id": "nilai tertinggi",
    "chosen_for_en": "what it is worth", "chance": 1.0, "weight": 1.0, "services": "jamban",
    "services_id": "Jamban sehat dengan tangki septik", "services_idr": 2_500_000, "unmet": "bpnt",
    "unmet_id": "Bantuan pangan sembako (BPNT)",
    "posyandu_id": "posyandu-4",
}  # fmt: skip
ON_THE_LIST = {"household_id": "home-17", "on_list": True, "line": LINE, "left_out": None, "urgent": [TO_REFER]}
DECIDED = DECIDING | {
    "id": "8d5e957f297893487bd98fa830fa6413", "account": "puskesmas", "decided_at": "2026-01-06T03:20:00Z",
    "model_stamp": LIST_MADE["model_stamp"], "policy_stamp": STAMP, "on_list": True, "line": LINE,
}  # fmt: skip
DECISIONS = {"decisions": [DECIDED], "next_before": None}
