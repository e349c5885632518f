"""The examples of the trail in the API's documentation."""

from __future__ import annotations

from typing import Any

_LINE: dict[str, Any] = {
    "number": 4711, "at": "2026-03-02T02:15:04.120000Z", "who": "siti.planner", "via": "session",
    "act": "household.see", "outcome": "done", "why": "Kunjungan rumah triwulan 1",
    "request_id": "visit-2026-01-05", "list_id": "3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7",
}  # fmt: skip
OF_HOUSEHOLD: dict[str, Any] = {"lines": [_LINE], "next_before": None}
TRAIL: dict[str, Any] = {
    "lines": [
        _LINE
        | {
            "about": {}, "households": ["home-17"],
            "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
    "next_before": 4711,
}  # fmt: skip
