"""`tepat serve` that asks everybody: from its first start to a system's first answer."""

from __future__ import annotations

import httpx
import pytest
from typer.testing import CliRunner

from serving.commands import account as command
from tests.serving.conftest import Server
from tests.serving.doors import OWN, bearer

pytestmark = pytest.mark.xdist_group("serving-2")


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A service without a model, which signs in all the same."""
    folder = tmp_path_factory.mktemp("closed")
    running = Server(folder, TEPAT_ACCESS="closed")
    running.folder = folder
    yield running
    running.stop()


@pytest.fixture
def tepat(closed, monkeypatch):
    """The command, beside the service and on its store."""
    monkeypatch.setenv("TEPAT_DATABASE", f"sqlite:///{closed.folder}/data/serving/tepat.db")

    def run(*words):
        done = CliRunner().invoke(command.app, words)
        assert 0 == done.exit_code, done.exception
        return done.output

    return run


def test_from_the_first_start_to_a_system_that_is_let_in_and_put_out(closed, tepat):
    asked = {
        path: closed.client.get(path).status_code for path in ("/healthz", "/v1/regions", "/metrics", "/v1/session")
    }
    assert {"/healthz": 200, "/v1/regions": 401, "/metrics": 401, "/v1/session": 401} == asked
    stranger = closed.client.get("/readyz")
    assert (503, {"status": "not ready", "reasons": []}) == (stranger.status_code, stranger.json())
    told = closed.folder / "data/serving/first-password"
    password = told.read_text().strip()
    assert 0o600 == told.stat().st_mode & 0o777
    assert str(told.relative_to(closed.folder)) in closed.said()

    with httpx.Client(base_url=closed.client.base_url, timeout=60) as admin:
        signed = admin.post("/v1/session", json={"name": "admin", "password": password})
        assert (200, True) == (signed.status_code, signed.json()["must_change"])
        admin.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
        assert 403 == admin.get("/v1/accounts").status_code
        chosen = admin.post("/v1/session/password", json={"old": password, "new": OWN})
        admin.headers["X-CSRF-Token"] = chosen.json()["csrf_token"]
        assert ["admin"] == [one["name"] for one in admin.get("/v1/accounts").json()["accounts"]]
        assert 403 == admin.get("/v1/worklists").status_code
        assert admin.get("/readyz").json()["reasons"]

    tepat("add", "simpati", "--system", "--role", "integrator", "--region", "99.01.01")
    key = tepat("key", "simpati").splitlines()[0]
    let_in = closed.client.get("/v1/session", headers=bearer(key)).json()
    assert ("simpati", ["99.01.01"]) == (let_in["name"], let_in["regions"])
    assert 403 == closed.client.get("/v1/accounts", headers=bearer(key)).status_code
    tepat("revoke", "simpati", key.split("_")[1])
    closed.wait_for(lambda: closed.client.get("/v1/session", headers=bearer(key)).status_code == 401)
    assert not [secret for secret in (password, OWN, key) if secret in closed.said()]
