"""The columns of a result."""

from __future__ import annotations

import pyarrow as pa

TEXT, RISK, DAY = pa.string(), pa.float64(), pa.date32()
SCHEMA = pa.schema(
    [
        ("household_id", TEXT), ("unit_id", TEXT), ("kind", TEXT), ("child_id", TEXT), ("mother_id", TEXT),
        ("as_of", DAY), ("age_months", RISK), ("risk_now", RISK), ("risk_at_24m", RISK), ("reasons_id", TEXT),
        ("reasons_en", TEXT), ("reasons_24m_id", TEXT), ("reasons_24m_en", TEXT), ("risk_find", RISK),
        ("risk_prevent", RISK), ("expected_stunted", RISK), ("urgent", pa.bool_()), ("urgent_why_id", TEXT),
        ("urgent_why_en", TEXT), ("unscored", TEXT), ("freshest_on", DAY), ("stalest_on", DAY),
        ("missing_registers", TEXT), ("area_known", pa.bool_()), ("model_stamp", TEXT), ("contributions_now", TEXT),
        ("contributions_24m", TEXT),
    ]
)  # fmt: skip
"""Columns of a result."""
