"""Accounts of a closed service, what they show, and facts of households that it knows."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from serving.access.changes import Accounts
from serving.access.roles import Role
from serving.access.scope import EVERYWHERE, Scope
from serving.access.who import at_command
from serving.store import open_store
from tests.project import Project
from tests.serving.conftest import Server

FACTS = "import sys, json; from serving.once import facts_of; print(json.dumps([facts_of(h) for h in sys.argv[1:]]))"
OWN = "kuda hijau naik perahu"


@contextmanager
def accounts(url: str) -> Iterator[Accounts]:
    """Accounts of a store, in the hands of somebody at the command line."""
    store = open_store(url)
    try:
        now = dt.datetime.now(tz=dt.UTC)
        yield Accounts(database=store.database, who=at_command("uji"), request_id="uji", at=now)
    finally:
        store.close()


def system(url: str, name: str, *, roles: Sequence[str], scope: Scope = EVERYWHERE) -> dict[str, str]:
    """Make the account of a system; the headers by which it comes in."""
    with accounts(url) as hand:
        hand.add(name, kind="system", roles=frozenset(map(Role, roles)), scope=scope)
        return {"Authorization": f"Bearer {hand.new_key(name, kind='key', label='uji', until=None).text}"}


def person(url: str, server: Server, name: str, *, roles: Sequence[str], scope: Scope = EVERYWHERE) -> dict[str, str]:
    """Make the account of a person, who signs in and chooses a password; the headers of the session."""
    with accounts(url) as hand:
        password = hand.add(name, kind="person", roles=frozenset(map(Role, roles)), scope=scope).one_time
    signed = server.client.post("/v1/session", json={"name": name, "password": password})
    assert signed.status_code == 200, signed.text
    headers = {"X-CSRF-Token": signed.json()["csrf_token"]}
    said = {"old": password, "new": OWN}
    changed = server.client.post("/v1/session/password", json=said, headers=headers)
    assert changed.is_success, changed.text
    cookie = "; ".join(f"{key}={value}" for key, value in server.client.cookies.items())
    token = server.client.get("/v1/session").json()["csrf_token"]
    server.client.cookies.clear()
    return {"Cookie": cookie, "X-CSRF-Token": token}


def facts_in(place: Project, count: int) -> list[dict[str, Any]]:
    """What the registers know of so many scored households, as a request says it."""
    homes = pd.read_parquet(place.folder / "data/scores/units.parquet").household_id.drop_duplicates().sort_values()
    said = json.loads(place.run(sys.executable, "-c", FACTS, *homes.iloc[:: max(1, len(homes) // count)].head(count)))
    return [json.loads(one)["households"][0] for one in said]
