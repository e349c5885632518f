"""The examples of the API's documentation: a household of nobody, in the simulated kabupaten."""

from __future__ import annotations

from typing import Any

HOUSEHOLD: dict[str, Any] = {
    "household_id": "example-1",
    "registers": {
        "household": [
            {
                "recorded_on": "2025-02-10", "area_id": "99.01.01.1001", "member_count": 6, "under5_count": 2,
                "women_15_49_count": 1, "head_sex": "m", "head_age_years": 41, "desil": 2, "floor": "cement",
                "wall": "rough", "roof": "finished", "cooking_fuel": "wood", "has_electricity": True, "has_tv": True,
                "has_fridge": False, "has_motorcycle": True, "aid_pkh": True, "aid_bpnt": True,
            }
        ],
        "sanitation": [
            {"recorded_on": "2025-02-10", "water_source": "unprotected_well", "toilet": "flush_pit",
             "toilet_shared": True}
        ],
        "maternal": [
            {
                "mother_id": "example-mother", "recorded_on": "2025-03-01", "age_years": 34, "height_cm": 146.5,
                "weight_kg": 47, "pregnant": False, "education": "primary", "education_years": 6, "living_children": 4,
                "contraception": "none",
            }
        ],
        "pregnancy": [
            {
                "pregnancy_id": "example-birth", "mother_id": "example-mother", "child_id": "example-child",
                "recorded_on": "2024-06-20", "birth_rank_recent": 1, "anc_visits": 3, "iron_given": True,
                "iron_days": 45, "delivery_place": "home", "skilled_attendant": False,
                "birth_weight_source": "not_weighed", "birth_size": "small",
            }
        ],
        "child": [
            {
                "child_id": "example-child", "mother_id": "example-mother", "recorded_on": "2025-03-01",
                "birth_date": "2024-06-14", "birth_date_precision": "day", "sex": "m", "birth_order": 4,
                "preceding_interval_months": 19,
            }
        ],
        "measurement": [
            {"child_id": "example-child", "measured_on": "2025-03-01", "recorded_on": "2025-03-01", "muac_cm": 11.2}
        ],
    },
}  # fmt: skip
TO_SCORE: dict[str, Any] = {"one household": {"value": {"households": [HOUSEHOLD]}}}
MODEL = {
    "name": "determinants", "version": "1", "stamp": "determinants-0f3c9ad17b52",
    "catalogue": "5d41402abc4b2a76b9719d911017c592ae1f0c6b2b8f3d4c5e6a7b8c9d0e1f2a", "simulated": True,
    "base_rate": 0.082, "stale_because": None,
}  # fmt: skip
_NOW = {
    "risk": 0.231475, "log_odds": -1.2, "base": -2.4, "rest": 0.25,
    "reasons": [
        {"feature": "mother_height_cm", "text_id": "tinggi badan ibu: 146,5 cm", "text_en": "mother's height: 146.5 cm",
         "weight": 0.55},
        {"feature": "not_weighed_at_birth", "text_id": "belum ditimbang saat lahir", "text_en": "not weighed at birth",
         "weight": 0.4},
    ],
    "contributions": None,
}  # fmt: skip
SCORED = {
    "model": MODEL,
    "households": [
        {
            "household_id": "example-1", "risk_find": 0.231475, "risk_prevent": 0.354344, "expected_stunted": 0.231475,
            "units": [
                {"unit_id": "example-child", "kind": "child", "child_id": "example-child",
                 "mother_id": "example-mother", "as_of": "2025-03-01", "age_months": 8.542, "now": _NOW,
                 "at_24m": _NOW | {"risk": 0.354344, "log_odds": -0.6, "rest": 0.85}},
            ],
            "urgent": [
                {"child_id": "example-child", "mother_id": None, "measured_on": "2025-03-01",
                 "recorded_on": "2025-03-01", "why_id": "LiLA di bawah 11,5 cm",
                 "why_en": "arm circumference below 11.5 cm"},
            ],
            "unscored": {}, "freshest_on": "2025-03-01", "stalest_on": "2024-06-20", "missing_registers": [],
            "area_known": True,
        }
    ],
}  # fmt: skip
PUBLISHED = {
    "household_id": "home-17", "masked_name": "S*** A***", "region_id": "99.01.01", "area_id": "99.01.01.1001",
    "risk_find": 0.119203, "risk_prevent": None, "freshest_on": "2025-08-05", "stalest_on": "2025-02-10",
    "urgent": [
        {"child_id": None, "mother_id": "mother-12", "measured_on": None, "recorded_on": "2025-07-30",
         "why_id": "Hb di bawah 8 g/dL", "why_en": "haemoglobin below 8 g/dL"},
    ],
    "missing_registers": "pregnancy", "model_stamp": "determinants-0f3c9ad17b52", "simulated": True,
    "units": [
        {"unit_id": "child-31", "kind": "child", "as_of": "2025-08-05", "age_months": 29.733,
         "risk_now": 0.119203, "risk_at_24m": None, "log_odds": -2.0, "reasons_id": "desil kesejahteraan: 2 dari 10",
         "reasons_en": "welfare decile: 2 of 10", "reasons_24m_id": "", "reasons_24m_en": "",
         "contributions": {"base": -2.4, "desil": 0.4}},
    ],
}  # fmt: skip
TO_LIST: dict[str, Any] = {
    "400 visits": {"value": {"name": "Kunjungan triwulan 1", "capacity": 400}},
    "two kecamatan, to prevent": {
        "value": {
            "name": "Bayi dan ibu hamil",
            "capacity": 120,
            "regions": ["99.01.01", "99.01.02"],
            "objective": "prevent",
        }
    },
}
LIST_MADE = {
    "id": "3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7", "name": "Kunjungan triwulan 1", "created_at": "2026-01-05T02:10:00Z",
    "made_by": "perencana", "whole": True, "objective": "find", "capacity": 400, "eligible": 9120, "row_count": 400,
    "regions": None, "scope": None, "round_name": "round-1",
    "model_stamp": "determinants-0f3c9ad17b52", "catalogue": MODEL["catalogue"], "simulated": True,
    "freshest_on": "2025-12-20", "stalest_on": "2024-11-02", "policy_stamp": None, "plan_on": None,
}  # fmt: skip
LISTS = {"worklists": [LIST_MADE], "next_before": None}
NO_PLAN = dict.fromkeys(
    ("track", "value", "chosen_for", "chosen_for_id", "chosen_for_en", "chance", "weight", "services", "services_id",
     "services_idr", "unmet", "unmet_id", "posyandu_id")
)  # fmt: skip
LIST_PAGE = {
    "worklist": LIST_MADE,
    "lines": [
        {"rank": 1, "household_id": "home-17", "masked_name": "S*** A***", "region_id": "99.01.01",
         "area_id": "99.01.01.1001", "area_name": "Contoh 01-01", "unit_count": 2, "risk": 0.61,
         "expected_stunted": 0.72, "risk_find": 0.61, "risk_prevent": None,
         "reasons_id": "tinggi badan ibu: 146,5 cm", "reasons_en": "mother's height: 146.5 cm",
         "reasons_unit_id": "child-31", "freshest_on": "2025-08-05", "stalest_on": "2025-02-10",
         "missing_registers": "", "risk_low": 0.52, "risk_high": 0.69, "risk_survey": None, **NO_PLAN},
    ],
    "next_after": 1,
}  # fmt: skip
