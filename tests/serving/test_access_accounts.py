"""Accounts made, changed and ended over HTTP and by command, and who may do so."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from serving.access.changes import Change
from serving.access.roles import Act, Role
from serving.access.scope import Scope
from serving.commands import account as command
from serving.errors import NotFound, RequestRefused
from tests.serving.doors import OWN, Doors, bearer, hash_quickly

pytestmark = pytest.mark.xdist_group("serving-2")
KECAMATAN = Scope(regions=frozenset({"99.01.01"}))
SITI = {"name": "siti", "roles": ["planner"], "scope": {"regions": ["99.01.01"], "areas": ["99.01.02.1001"]}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    hash_quickly(monkeypatch)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    with Doors(tmp_path_factory.mktemp("accounts"), sign_ins_per_minute=10_000).running() as made:
        yield made


@pytest.fixture
def doors(standing):
    standing.empty()
    return standing


@pytest.fixture
def boss(doors):
    return doors.signed_in("kepala", "admin")


def kind_of(answer):
    return answer.status_code, answer.json().get("type")


def told(doors):
    return [json.loads(line.about) | {"who": line.who} for line in doors.lines(Act.CHANGE_ACCOUNT)]


def test_an_admin_makes_an_account_and_its_password_is_shown_once(doors, boss):
    made = boss.post("/v1/accounts", json=SITI)
    assert (201, "/v1/accounts/siti") == (made.status_code, made.headers["location"])
    seen = boss.get(made.headers["location"])

    assert (made.headers["etag"], None) == (seen.headers["etag"], seen.json()["one_time_password"])
    assert made.json() | {"one_time_password": None} == seen.json()
    signed = doors.client().post("/v1/session", json={"name": "siti", "password": made.json()["one_time_password"]})
    assert (["planner"], ["99.01.01"], ["99.01.02.1001"]) == tuple(
        signed.json()[name] for name in ("roles", "regions", "areas")
    )


def test_every_change_stands_in_the_trail_with_what_was_before_and_without_any_secret(doors, boss):
    password = boss.post("/v1/accounts", json=SITI).json()["one_time_password"]
    etag = boss.get("/v1/accounts/siti").headers["etag"]
    boss.patch("/v1/accounts/siti", json={"roles": ["puskesmas"]}, headers={"If-Match": etag})
    boss.post(
        "/v1/accounts",
        json={"name": "simpati", "kind": "system", "roles": ["integrator"], "scope": {"everywhere": True}},
    )
    key = boss.post("/v1/accounts/simpati/keys", json={"label": "uji"}).json()
    boss.delete(f"/v1/accounts/simpati/keys/{key['id']}")
    lines = [line for line in told(doors) if line["who"] == "kepala" and "account" in line]

    assert ["added", "changed", "added", "key given", "key revoked"] == [line["change"] for line in lines]
    assert (["planner"], ["puskesmas"]) == (lines[1]["before"]["roles"], lines[1]["now"]["roles"])
    assert password not in str(lines)
    assert key["secret"].rpartition("_")[2] not in str(lines)


def test_a_change_and_its_line_are_kept_together_or_not_at_all(doors, monkeypatch):
    doors.account("siti", "planner")

    def fail(*_):
        raise RuntimeError("the disk was full")

    monkeypatch.setattr("serving.access.changes.append", fail)
    with pytest.raises(RuntimeError):
        doors.hand().change("siti", Change(roles=frozenset({Role.DPO})))
    with pytest.raises(RuntimeError):
        doors.account("budi", "planner")
    monkeypatch.undo()

    assert [("siti", {Role.PLANNER})] == [(one.name, set(one.roles)) for one in doors.hand().accounts()]


def test_a_change_says_what_it_builds_on(boss):
    etag = boss.post("/v1/accounts", json=SITI).headers["etag"]
    change = {"scope": {"everywhere": True}}

    assert (428, "tepat:precondition-missing") == kind_of(boss.patch("/v1/accounts/siti", json=change))
    changed = boss.patch("/v1/accounts/siti", json=change, headers={"If-Match": etag})
    assert (200, True) == (changed.status_code, changed.json()["everywhere"])
    late = boss.patch("/v1/accounts/siti", json={"disabled": True}, headers={"If-Match": etag})
    assert (412, "tepat:precondition-failed") == kind_of(late)
    assert not boss.get("/v1/accounts/siti").json()["disabled"]
    assert changed.headers["etag"] == boss.get("/v1/accounts/siti").headers["etag"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"name": "siti"}, 409),
        ({"name": "SITI"}, 409),
        ({"name": "3201010101010001"}, 422),
        ({"name": "3201-0101-0101-0001"}, 422),
        ({"name": "this-machine"}, 422),
        ({"name": "Unknown"}, 422),
        ({"name": "command:root"}, 422),
        ({"name": "a b"}, 422),
        ({"name": "ani\u200b"}, 422),
        ({"roles": []}, 422),
        ({"roles": ["king"]}, 422),
        ({"roles": ["admin", "planner"]}, 422),
        ({"roles": ["admin"], "kind": "system"}, 422),
        ({"scope": {"everywhere": True, "regions": ["99.01.01"]}}, 422),
        ({"subject": "no-issuer"}, 422),
        ({"subject": "a|\x00"}, 422),
        ({"subject": "a|\ud800"}, 400),
        ({"name": "a\x00"}, 422),
        ({"scope": {"regions": ["\x00"]}}, 422),
        ({"kind": "system", "subject": "a|b"}, 422),
        ({"password": "x"}, 422),
    ],
)
def test_an_account_that_does_not_fit_together_is_not_made(doors, boss, more, status):
    doors.account("siti", "planner")
    body = json.dumps(SITI | {"name": "budi"} | more)  # with its odd letters escaped
    answer = boss.post("/v1/accounts", content=body, headers={"content-type": "application/json"})

    assert status == answer.status_code, answer.text
    assert "3201010101010001" not in answer.text
    assert ["kepala", "siti"] == [one.name for one in doors.hand().accounts()]


def test_an_admin_of_a_kecamatan_grants_no_more_than_it_and_sees_no_other_account(doors):
    doors.account("di-luar", "planner", scope=Scope(regions=frozenset({"99.01.02"})))
    doors.account("di-dalam", "planner", scope=Scope(areas=frozenset({"99.01.01.1001"})))
    doors.account("semua", "planner")
    local = doors.signed_in("lokal", "admin", scope=KECAMATAN)
    beyond = [
        {"everywhere": True},
        {"regions": ["99.01.02"]},
        {"areas": ["99.01.02.1001"]},
        {"regions": ["99.01.01", "x"]},
    ]

    assert ["di-dalam", "lokal"] == [one["name"] for one in local.get("/v1/accounts").json()["accounts"]]
    for scope in beyond:
        assert 403 == local.post("/v1/accounts", json=SITI | {"scope": scope}).status_code
    assert 201 == local.post("/v1/accounts", json=SITI | {"scope": {"areas": ["99.01.01.1002"]}}).status_code
    etag = local.get("/v1/accounts/siti").headers["etag"]
    for scope in beyond:
        assert 403 == local.patch("/v1/accounts/siti", json={"scope": scope}, headers={"If-Match": etag}).status_code
    for path in ("/v1/accounts/{}", "/v1/accounts/{}/keys"):
        hidden, missing = (local.get(path.format(name)).json() for name in ("semua", "tidak-ada"))
        assert hidden | {"request_id": ""} == missing | {"request_id": ""}
    for name in ("semua", "di-luar", "tidak-ada"):
        given = {"If-Match": doors.hand().account("semua").etag}
        assert 404 == local.patch(f"/v1/accounts/{name}", json={"disabled": True}, headers=given).status_code
        assert 404 == local.post(f"/v1/accounts/{name}/keys", json={"label": "x"}).status_code
        assert 404 == local.delete(f"/v1/accounts/{name}/keys/0").status_code


def test_nobody_changes_their_own_account(boss):
    etag = boss.get("/v1/accounts/kepala").headers["etag"]
    for change in ({"roles": ["planner"]}, {"disabled": True}, {"new_password": True}):
        answer = boss.patch("/v1/accounts/kepala", json=change, headers={"If-Match": etag})
        assert (403, "tepat:forbidden") == kind_of(answer)


def test_the_last_admin_is_neither_disabled_nor_stripped(doors):
    doors.account("kepala", "admin")
    doors.account("lokal", "admin", scope=KECAMATAN)
    for change in (
        Change(disabled=True), Change(roles=frozenset({Role.PLANNER})), Change(scope=KECAMATAN),
    ):  # fmt: skip
        with pytest.raises(RequestRefused, match="last admin"):
            doors.hand().change("kepala", change)


def test_a_key_is_given_to_a_system_alone_and_shown_once(doors, boss):
    boss.post("/v1/accounts", json=SITI)
    boss.post(
        "/v1/accounts",
        json={"name": "simpati", "kind": "system", "roles": ["integrator"], "scope": {"everywhere": True}},
    )
    assert 422 == boss.post("/v1/accounts/siti/keys", json={"label": "x"}).status_code
    past = (dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=1)).isoformat()
    assert 422 == boss.post("/v1/accounts/simpati/keys", json={"label": "x", "expires_at": past}).status_code
    assert (
        422
        == boss.post("/v1/accounts/simpati/keys", json={"label": "x", "expires_at": "2099-01-01T00:00:00"}).status_code
    )
    made = boss.post("/v1/accounts/simpati/keys", json={"label": "SIMPATI"})

    assert 201 == made.status_code
    program = doors.client(headers=bearer(made.json()["secret"]))
    assert "simpati" == program.get("/list").json()["name"]
    listed = boss.get("/v1/accounts/simpati/keys")
    assert [made.json()["id"]] == [key["id"] for key in listed.json()["keys"]]
    assert made.json()["secret"] not in listed.text
    assert 204 == boss.delete(made.headers["location"]).status_code
    assert 401 == program.get("/list").status_code
    assert 404 == boss.delete(made.headers["location"]).status_code


def test_a_key_of_another_account_is_not_ended_by_this_one(doors):
    key = doors.system("simpati", "integrator")
    doors.account("lain", "integrator", kind="system")
    with pytest.raises(NotFound):
        doors.hand().revoke("lain", key.id)

    assert 200 == doors.client().get("/list", headers=bearer(key.text)).status_code


def test_a_new_one_time_password_unlocks_and_signs_out(doors, boss):
    siti = doors.signed_in("siti", "planner")
    for _ in range(5):
        doors.client().post("/v1/session", json={"name": "siti", "password": "salah salah salah"})
    assert boss.get("/v1/accounts/siti").json()["locked_until"]
    etag = boss.get("/v1/accounts/siti").headers["etag"]
    made = boss.patch("/v1/accounts/siti", json={"new_password": True}, headers={"If-Match": etag}).json()

    assert (True, None) == (made["must_change"], made["locked_until"])
    assert 401 == siti.get("/list").status_code
    assert 401 == doors.client().post("/v1/session", json={"name": "siti", "password": OWN}).status_code
    body = {"name": "siti", "password": made["one_time_password"]}
    assert 200 == doors.client().post("/v1/session", json=body).status_code


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_of_accounts_joined_are_all_of_them(doors, boss, limit):
    for name in ("c", "a", "b"):
        doors.account(f"{name}-1", "planner")
    seen, after = [], ""
    while after is not None:
        page = boss.get("/v1/accounts", params={"limit": limit, "after": after}).json()
        seen += [one["name"] for one in page["accounts"]]
        after = page["next_after"]

    assert ["a-1", "b-1", "c-1", "kepala"] == seen


# By command.


@pytest.fixture
def tepat(doors, monkeypatch):
    monkeypatch.setenv("TEPAT_DATABASE", doors.service.database.get_secret_value())
    monkeypatch.setattr(command, "console", Console(width=300))  # COLUMNS would count only if it was set from the start

    def run(*words):
        return CliRunner().invoke(command.app, words)

    return run


def test_accounts_are_made_changed_and_disabled_by_command(doors, tepat):
    made = tepat("add", "Siti", "--role", "planner", "--region", "99.01.01", "--area", "99.01.02.1001")
    password = made.output.partition("One-time password: ")[2].split()[0]
    signed = doors.client().post("/v1/session", json={"name": "siti", "password": password})
    assert (["99.01.01"], ["99.01.02.1001"]) == (signed.json()["regions"], signed.json()["areas"])

    assert "puskesmas; everywhere" in tepat("change", "siti", "--role", "puskesmas", "--everywhere").output
    again = tepat("password", "siti").output.partition("One-time password: ")[2].split()[0]
    assert again != password
    assert "may not come in" in tepat("disable", "siti").output
    assert "disabled, one-time password" in tepat("list").output
    assert 0 == tepat("change", "siti", "--enable", "--subject", "https://sso.example|7").exit_code
    assert "identity provider" in tepat("list").output
    assert all(line["who"].startswith("command:") for line in told(doors))


def test_a_key_and_a_client_are_given_and_ended_by_command(doors, tepat):
    tepat("add", "simpati", "--system", "--role", "integrator", "--everywhere")
    key = tepat("key", "simpati", "--label", "SIMPATI", "--days", "30").output.splitlines()[0]
    said = tepat("key", "simpati", "--client").output.split()
    client = (said[1], said[3])
    assert 200 == doors.client(headers=bearer(key)).get("/list").status_code
    form = {"grant_type": "client_credentials"}
    assert 200 == doors.client().post("/v1/token", data=form, auth=client).status_code
    assert f"key {key.split('_')[1]} (SIMPATI)" in tepat("list").output

    assert "holds no more" in tepat("revoke", "simpati", client[0]).output
    assert 401 == doors.client().post("/v1/token", data=form, auth=client).status_code
    assert client[0] not in tepat("list").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "siti", "--role", "king", "--everywhere"), "planner, puskesmas"),
        (("add", "siti", "--everywhere"), "at least one of"),
        (("add", "siti", "--role", "dpo", "--everywhere", "--area", "x"), "one of them"),
        (("disable", "nobody"), "No account has this name"),
        (("revoke", "nobody", "0"), "No account has this name"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_to_do(tepat, words, said):
    answer = tepat(*words)

    assert 0 != answer.exit_code
    assert said in str(answer.exception)
