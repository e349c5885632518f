"""The examples of regions, household pages, models and quarantine: a district of nobody."""

from __future__ import annotations

from serving.examples import LIST_MADE, LIST_PAGE, MODEL
from serving.examples_plan import DECIDED

_TOTALS = {
    "households": 26, "children": 24, "pregnancies": 3, "expected_stunted_now": 2.143504,
    "expected_stunted_24m": 1.519468, "urgent": 1, "freshest_on": "2025-12-31", "stalest_on": "2022-01-07",
}  # fmt: skip
REGION = {
    "region_id": "99.01.01", "region_name": "Contoh 01", **_TOTALS,
    "areas": [{"area_id": "99.01.01.1001", "area_name": "Contoh 01-01", **_TOTALS}],
}  # fmt: skip
REGIONS = {
    "model_stamp": MODEL["stamp"],
    "simulated": True,
    "total": _TOTALS,
    "regions": [REGION],
}
FACTS = {
    "household_id": "home-17", "on": "2025-12-31",
    "registers": [
        {"register": "sanitation", "title": "Water and sanitation", "rows": [
            {"recorded_on": "2025-02-10",
             "facts": {"household_id": "home-17", "water_source": "unprotected_well", "toilet_shared": True}},
        ]},
    ],
    "missing_registers": ["pregnancy"],
    "services": [
        {"service": "jamban", "name_id": "Jamban sehat dengan tangki septik",
         "name_en": "Improved toilet with a septic tank", "owner": "pupr", "eligible": "toilet_improved = 0",
         "status": "unmet", "persons": 1, "cost_idr": 2_500_000, "why_id": None, "why_en": None},
    ],
}  # fmt: skip
HISTORY = {
    "household_id": "home-17",
    "lists": [{"worklist": LIST_MADE, "on_list": True, "line": LIST_PAGE["lines"][0], "left_out": None}],  # type: ignore[index]  # a list of lines
    "next_before": None,
    "decisions": [DECIDED],
}
_RUN = {
    "stamp": "9f86d081" * 8, "seen_at": "2026-01-05T02:10:00Z", "in_use": True, "model_stamp": MODEL["stamp"],
    "model_version": "3", "model_changed": True, "catalogue": MODEL["catalogue"], "simulated": True,
    "first_as_of": "2025-01-02", "last_as_of": "2025-12-31", "region_id": "99.01.01", "area_id": "99.01.01.1001",
    "risk_find": 0.231475, "risk_find_low": 0.18, "risk_find_high": 0.29,
    "risk_prevent": 0.354344, "risk_prevent_low": 0.3, "risk_prevent_high": 0.41, "interval_level": 0.9,
}  # fmt: skip
_RUN_BEFORE = {
    "stamp": "60303ae2" * 8, "seen_at": "2025-12-04T01:55:00Z", "in_use": False,
    "model_stamp": "determinants-5d41402abc4b", "model_version": "2", "model_changed": False,
    "last_as_of": "2025-11-30", "risk_find": 0.264, "risk_find_low": 0.21, "risk_find_high": 0.33,
}  # fmt: skip
SCORES = {"household_id": "home-17", "scores": [_RUN, _RUN | _RUN_BEFORE], "next_before": None}
VERSIONS = {
    "versions": [
        {"name": "determinants", "version": "1", "stamp": MODEL["stamp"], "aliases": ["champion"], "last": True,
         "in_use": True, "registered_at": "2026-01-04T22:10:00Z"},
    ],
    "stale_because": None,
}  # fmt: skip
CARD = {
    "model": MODEL,
    "simulated": True,
    "metrics": {"protocol": "temporal", "n": 3120, "models": {"determinants": {"auc": 0.71, "auc_low": 0.69}}},
    "details": {"simulated": True},
    "stale_because": None,
}
CARD_MARKDOWN = "# Model card: determinants-0f3c9ad17b52, version 1 in the registry\n"
CARD_HTML = "<!DOCTYPE html>\n<title>Model card: determinants-0f3c9ad17b52, version 1 in the registry</title>\n"
QUARANTINES = {
    "registers": [
        {"register": "measurement", "title": "Measurements", "absent": False, "read": 7159, "accepted": 7020,
         "quarantined": 139,
         "reasons": [{"column": "weight_kg", "reason": "outside the allowed range", "faults": 61}]},
    ],
    "notes": ["5 of 1642 rows of `sanitation` have a household_id that is not in `household`; they were kept."],
}  # fmt: skip
QUARANTINED = (
    "row,column,value_seen,allowed,reason,child_id,weight_kg\r\n"
    "154,weight_kg,0.1,a number from 0.9 to 45 kg,outside the allowed range,child-31,0.1\r\n"
)
EXPORTED = "rank,household_id,risk\r\n1,home-17,0.61\r\n"
