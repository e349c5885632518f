"""The examples of jobs in the API's documentation."""

from __future__ import annotations

from typing import Any

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TO_MAKE: dict[str, Any] = {
    "newest facts": {"value": {"name": "Posyandu Maret"}},
    "as of a day": {"value": {"name": "Posyandu Maret", "as_of": "2025-03-31", "contributions": True}},
}
FILE: dict[str, Any] = {
    "register_name": "household", "format": "csv", "bytes_kept": 5242880, "bytes_total": 5242880, "complete": True,
    "sha256": SHA256,
}  # fmt: skip
_REGISTER = {"format": "csv", "bytes": 5242880, "sha256": SHA256, "read": 2596, "refused": 44, "notes": []}
OPEN: dict[str, Any] = {
    "id": "3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7", "name": "Posyandu Maret", "state": "open",
    "created_at": "2025-04-01T02:00:00Z", "started_at": None, "finished_at": None, "as_of": None,
    "contributions": False, "files": {}, "households": None, "households_done": 0, "seconds_left": None,
    "rows_read": None, "rows_refused": None, "model_stamp": None, "fault": None, "result": None,
}  # fmt: skip
WAITING = OPEN | {
    "state": "waiting", "started_at": "2025-04-01T02:05:00Z",
    "files": {"household": _REGISTER | {"read": None, "refused": None}},
}  # fmt: skip
DONE = WAITING | {
    "state": "done", "finished_at": "2025-04-01T02:09:00Z", "files": {"household": _REGISTER}, "households": 1200,
    "households_done": 1200, "rows_read": 2596, "rows_refused": 44, "model_stamp": "determinants-0f3c9ad17b52",
    "result": {"rows": 1391, "files": {"result.parquet": {"bytes": 184320, "sha256": SHA256}}},
}  # fmt: skip
CANCELLED = OPEN | {"state": "cancelled", "finished_at": "2025-04-01T02:09:00Z"}
JOBS: dict[str, Any] = {"jobs": [DONE], "next_before": None}
REFUSED = (
    'register,row,column,allowed,reason\r\nhousehold,9,floor,"one of earth, rough, cement, finished",unknown code\r\n'
)
RESULT = (
    "household_id,unit_id,kind,child_id,mother_id,as_of,age_months,risk_now,risk_at_24m\r\n"
    "home-17,child-31,child,child-31,mother-9,2025-03-01,8.5,0.12,0.31\r\n"
)
