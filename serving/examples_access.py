"""The examples of the API's documentation about accounts and sessions: of nobody."""

from __future__ import annotations

from typing import Any

SESSION: dict[str, Any] = {
    "name": "siti.planner", "kind": "person", "roles": ["planner"],
    "may": ["decision.make", "decision.see", "household.see", "list.export", "list.make", "list.see", "model.see",
            "region.see", "sign-out"],
    "everywhere": False, "regions": ["99.01.01"], "areas": [], "must_change": False,
    "csrf_token": "5d1f0c3a9b7e4f62805d1f0c3a9b7e4f62805d1f0c3a9b7e4f62805d1f0c3a9b",
}  # fmt: skip
TOKEN = {"access_token": "tepat_0f9c1b2a3d4e5f60_...", "token_type": "Bearer", "expires_in": 3600}
TOKEN_REFUSED = {"error": "invalid_client", "error_description": "The client is unknown, over, or was ended."}
ACCOUNT: dict[str, Any] = {
    "name": "siti.planner", "kind": "person", "roles": ["planner"], "everywhere": False, "regions": ["99.01.01"],
    "areas": [], "linked": False, "has_password": True, "must_change": True, "disabled": False, "locked_until": None,
    "created_at": "2027-01-11T02:00:00Z", "changed_at": "2027-01-11T02:00:00Z", "etag": '"0d6c1b7f42a95e3c8b10"',
    "one_time_password": None,
}  # fmt: skip
ACCOUNT_MADE = ACCOUNT | {"one_time_password": "k7mw-p2xd-9hqa-t4vc"}
ACCOUNTS = {"accounts": [ACCOUNT], "next_after": None}
KEY_MADE = {"id": "0f9c1b2a3d4e5f60", "kind": "key", "secret": "tepat_0f9c1b2a3d4e5f60_..."}
KEYS = {
    "keys": [
        {"id": "0f9c1b2a3d4e5f60", "kind": "key", "label": "SIMPATI", "created_at": "2027-01-11T02:00:00Z",
         "expires_at": None, "revoked_at": None}
    ]
}  # fmt: skip
