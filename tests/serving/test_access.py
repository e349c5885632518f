"""Who is let in, by password, session, key and token, and who is not."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import logging
import threading
import time

import pytest
from anyio import to_thread
from starlette.requests import Request

from features.errors import InputRefused
from serving.access import passwords
from serving.access.changes import Change, first_admin
from serving.access.gatekeeper import asks_everybody, check_access
from serving.access.roles import MAY, Act, Role
from serving.access.scope import Scope
from serving.errors import Forbidden, StoreUnavailable, Unauthorized
from serving.settings import Service
from serving.shelf import Shelf
from tests.serving.doors import OWN, Doors, bearer, hash_quickly

pytestmark = pytest.mark.xdist_group("serving-2")
HOUR = dt.timedelta(hours=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DESA = Scope(areas=frozenset({"99.01.02.1001"}))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    hash_quickly(monkeypatch)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    with Doors(tmp_path_factory.mktemp("closed"), sign_ins_per_minute=10_000).running() as made:
        yield made


@pytest.fixture
def doors(standing):
    """A service that asks everybody, without accounts."""
    standing.empty()
    return standing


@pytest.fixture(scope="module")
def standing_open(tmp_path_factory):
    with Doors(tmp_path_factory.mktemp("open"), access="auto").running() as made:
        yield made


@pytest.fixture
def opened(standing_open):
    """A service of this machine, without accounts."""
    standing_open.empty()
    return standing_open


def kind_of(answer):
    return answer.status_code, answer.json().get("type")


def unauthorized(answer):
    return (401, "tepat:unauthorized") == kind_of(answer)


def is_away(_):
    raise StoreUnavailable("It is away.")


# Open and closed.


def test_without_an_account_this_machine_is_let_in_until_there_is_one(opened):
    client = opened.client()
    assert {"name": "this-machine", "via": "open", "kind": "open", "scope": None} == client.get("/list").json()

    opened.account("kepala", "admin")
    opened.gate.forget()
    assert unauthorized(client.get("/list"))


def test_nobody_makes_themselves_an_administrator_over_http_while_nobody_is_asked(opened):
    body = {"name": "kepala", "roles": ["admin"], "scope": {"everywhere": True}}
    answer = opened.client().post("/v1/accounts", json=body)

    assert (403, "tepat:forbidden") == kind_of(answer)
    assert "tepat account add" in answer.json()["detail"]


def test_that_there_was_no_account_is_not_believed_while_the_store_is_away(opened, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(opened.gate._remembered._any, "_clock", lambda: clock[0])
    client = opened.client()
    assert 200 == client.get("/list").status_code
    with monkeypatch.context() as patched:
        patched.setattr(Shelf, "store", is_away)
        clock[0] += 3
        assert (503, "tepat:store-unavailable") == kind_of(client.get("/list"))
    assert 200 == client.get("/list").status_code


@pytest.mark.parametrize(
    "header",
    [{"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}, {"X-Real-IP": "10.0.0.1"}, {"Via": "1.1 x"}],
)
def test_what_a_proxy_sent_on_is_asked_who_it_is_though_no_account_exists(opened, header):
    assert unauthorized(opened.client().get("/list", headers=header))


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "0.0.0.0"}, True),  # noqa: S104 (refused below)
        ({"public_url": "https://tepat.example"}, True),
        ({"access": "closed"}, True),
        ({"access": "open"}, False),
    ],
)
def test_only_this_machine_is_ever_let_in_unasked(tmp_path, settings, asks):
    with Doors(tmp_path, **{"access": "auto"} | settings).running() as made:
        assert asks == asks_everybody(made.service) == unauthorized(made.client().get("/list"))


@pytest.mark.parametrize("settings", [{"host": "10.0.0.1"}, {"public_url": "https://tepat.example"}])
def test_open_to_other_machines_does_not_start(settings):
    with pytest.raises(InputRefused, match="TEPAT_ACCESS=closed"):
        check_access(Service(access="open", **settings))
    check_access(Service(access="open"))


def test_open_lets_this_machine_in_though_there_are_accounts_and_knows_who_signed_in(tmp_path):
    with Doors(tmp_path, access="open").running() as doors:
        client = doors.signed_in("siti", "planner", scope=DESA)

        assert "this-machine" == doors.client().get("/list").json()["name"]
        assert "siti" == client.get("/list").json()["name"]


def test_a_page_of_another_site_changes_nothing_though_nobody_is_asked(opened):
    client = opened.client()

    for header in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert (403, "tepat:forbidden") == kind_of(client.post("/list", headers=header))
    assert 200 == client.post("/list", headers={"Origin": opened.here, "Sec-Fetch-Site": "same-origin"}).status_code


def test_the_first_start_makes_one_admin_and_says_its_password_once(doors):
    with doors.shelf.store() as store:
        password = first_admin(store)
        assert first_admin(store) is None

    assert password not in doors.everything_kept()
    answer = doors.client().post("/v1/session", json={"name": "Admin", "password": password})
    assert (["admin"], True, True) == tuple(answer.json()[name] for name in ("roles", "everywhere", "must_change"))
    assert Act.SEE_HOUSEHOLD.value not in answer.json()["may"]


# Passwords.


@pytest.mark.parametrize(
    "weak",
    [
        "kuda hijau",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "ab12ab12ab12ab12",
        "siti.planner",
        "SITI.PLANNER12",
        "x" * 1001,
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_and_not_repeated(weak):
    with pytest.raises(InputRefused, match="four words at random") as refused:
        passwords.check_password(weak, "siti.planner")

    assert weak.casefold() not in str(refused.value).casefold()
    passwords.check_password(OWN, "siti.planner")


def test_passwords_are_kept_by_argon2id_with_64_mib_and_each_with_its_own_salt(monkeypatch):
    monkeypatch.undo()
    one, other = passwords.hashed(OWN), passwords.hashed(OWN)

    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != other
    assert passwords.holds(one, OWN)


def test_a_letter_composed_in_two_ways_is_the_same_password():
    assert passwords.holds(passwords.hashed("caf\u00e9 di sudut"), "cafe\u0301 di sudut")


def test_a_one_time_password_opens_nothing_but_the_way_to_another_one(doors):
    made = doors.account("siti", "planner")
    client = doors.client()
    signed = client.post("/v1/session", json={"name": "siti", "password": made.one_time})
    client.headers["X-CSRF-Token"] = signed.json()["csrf_token"]

    assert signed.json()["must_change"]
    assert (403, "tepat:forbidden") == kind_of(client.get("/list"))
    assert 200 == client.get("/v1/session").status_code
    assert 422 == client.post("/v1/session/password", json={"old": made.one_time, "new": made.one_time}).status_code
    chosen = client.post("/v1/session/password", json={"old": made.one_time, "new": OWN})
    assert (200, False) == (chosen.status_code, chosen.json()["must_change"])
    assert 200 == client.get("/list").status_code
    assert unauthorized(doors.client().post("/v1/session", json={"name": "siti", "password": made.one_time}))


def test_another_password_ends_the_other_sessions_and_this_one_has_a_new_name(doors):
    here = doors.signed_in("siti", "planner")
    there = doors.client()
    assert 200 == there.post("/v1/session", json={"name": "siti", "password": OWN}).status_code
    assert 200 == there.get("/list").status_code
    before = here.cookies["tepat_session"]

    other = {"old": OWN, "new": "sapi biru makan awan"}
    assert 200 == here.post("/v1/session/password", json=other).status_code

    assert unauthorized(there.get("/list"))
    assert 200 == here.get("/list").status_code
    assert before != here.cookies["tepat_session"]
    assert unauthorized(doors.client(cookies={"tepat_session": before}).get("/list"))


def attempts(doors, *passwords_, name="siti"):
    return [doors.client().post("/v1/session", json={"name": name, "password": one}) for one in passwords_]


def test_five_wrong_passwords_lock_the_account_for_every_server_and_for_a_while(tmp_path):
    with Doors(tmp_path).running() as one, Doors(tmp_path).running() as other:
        one.signed_in("siti", "planner")
        wrong = attempts(one, *["salah salah salah"] * 3) + attempts(other, *["salah salah salah"] * 2)
        locked = attempts(other, OWN) + attempts(one, OWN)
        assert [True] * 7 == list(map(unauthorized, wrong + locked))
        assert 1 == len({answer.json()["detail"] for answer in wrong + locked})

        one.sql("UPDATE account SET locked_until = '2020-01-01'")
        assert [200] == [answer.status_code for answer in attempts(one, OWN)]


def test_an_unknown_name_is_answered_as_a_wrong_password_after_the_same_work(doors, monkeypatch):
    doors.signed_in("siti", "planner")
    doors.account("simpati", "integrator", kind="system")
    verified = []
    verify = type(passwords.HASHER).verify
    monkeypatch.setattr(type(passwords.HASHER), "verify", lambda self, *said: verified.append(1) or verify(self, *said))
    answers = [
        attempts(doors, "salah salah salah", name=name)[0] for name in ("siti", "nobody", "simpati", "' OR 1=1 --")
    ]

    assert 4 == len(verified)
    assert 1 == len({json.dumps(a.json() | {"request_id": ""}) for a in answers})
    assert {401} == {answer.status_code for answer in answers}


def test_the_trail_knows_who_tried_but_never_what_was_typed(doors):
    doors.signed_in("siti", "planner")
    attempts(doors, "typed-a-password", name="typed-as-a-name")
    attempts(doors, "typed-a-password")

    told = [(line.who, line.outcome) for line in doors.lines(Act.SIGN_IN)]
    assert [("siti", "done"), ("unknown", "unauthorized"), ("siti", "unauthorized")] == told
    assert "typed" not in doors.everything_kept()


@pytest.mark.parametrize("odd", ['"\\u0000"', '"\\ud800"', "null", "5", '"' + "x" * 1001 + '"'])
def test_a_password_that_is_odd_is_refused_and_breaks_nothing(doors, odd):
    answer = doors.client().post(
        "/v1/session", content=f'{{"name": "siti", "password": {odd}}}', headers={"content-type": "application/json"}
    )

    assert answer.status_code in (400, 401, 422)
    assert "xxx" not in answer.text


# Sessions.


def test_the_cookie_is_read_by_no_script_sent_from_no_other_site_and_kept_by_its_digest_alone(doors):
    made = doors.account("siti", "planner")
    answer = doors.client().post("/v1/session", json={"name": "siti", "password": made.one_time})
    cookie = answer.headers["set-cookie"]
    secret = cookie.partition("=")[2].partition(";")[0]

    assert all(said in cookie for said in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert 43 == len(secret)
    assert secret not in doors.everything_kept()
    assert answer.json()["csrf_token"] not in doors.everything_kept()


def test_by_https_the_cookie_is_bound_to_the_host(tmp_path):
    with Doors(tmp_path, public_url="https://tepat.example").running() as doors:
        made = doors.account("siti", "planner")
        body = {"name": "siti", "password": made.one_time}
        cookie = doors.client().post("/v1/session", json=body).headers["set-cookie"]
        name, _, secret = cookie.partition(";")[0].partition("=")

        assert "__Host-tepat_session" == name
        assert "Secure" in cookie
        assert "siti" == doors.client(headers={"Cookie": f"{name}={secret}"}).get("/v1/session").json()["name"]
        assert unauthorized(doors.client(headers={"Cookie": f"tepat_session={secret}"}).get("/v1/session"))


def test_a_session_changes_something_only_with_its_own_token_and_from_its_own_page(doors):
    client = doors.signed_in("siti", "planner")
    other = doors.signed_in("budi", "planner").headers["X-CSRF-Token"]
    token = client.headers.pop("X-CSRF-Token")

    wrong = [
        {},
        {"X-CSRF-Token": other},
        {"X-CSRF-Token": token, "Origin": "https://evil.example"},
        {"X-CSRF-Token": token, "Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": "\u00ff".encode("latin-1")},
    ]
    for headers in wrong:
        assert (403, "tepat:forbidden") == kind_of(client.post("/list", headers=headers)), headers
    assert 200 == client.post("/list", headers={"X-CSRF-Token": token, "Origin": doors.here}).status_code
    assert 200 == client.get("/list", headers={"Sec-Fetch-Site": "cross-site"}).status_code


def test_nobody_is_signed_in_from_a_page_of_another_site(doors):
    made = doors.account("siti", "planner")
    body = {"name": "siti", "password": made.one_time}

    assert 403 == doors.client().post("/v1/session", json=body, headers={"Origin": "https://evil.example"}).status_code


def test_signing_out_ends_the_session_at_once(doors):
    client = doors.signed_in("siti", "planner")
    cookies = dict(client.cookies)
    assert 200 == client.get("/list").status_code
    assert 204 == client.delete("/v1/session").status_code

    assert unauthorized(doors.client(cookies=cookies).get("/list"))
    assert ["siti"] == [line.who for line in doors.lines(Act.SIGN_OUT)]


@pytest.mark.parametrize("column", ["seen_at", "expires_at"])
def test_a_session_ends_by_its_time_and_for_want_of_use(doors, column):
    client = doors.signed_in("siti", "planner")
    doors.sql(f"UPDATE session SET {column} = '2020-01-01'")  # noqa: S608 (a name from above)
    doors.gate.forget()

    assert unauthorized(client.get("/list"))


def test_a_session_in_use_is_noted_as_such(doors):
    client = doors.signed_in("siti", "planner")
    long_ago = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None) - dt.timedelta(minutes=59)
    doors.sql("UPDATE session SET seen_at = :at", at=long_ago.isoformat(sep=" "))
    doors.gate.forget()
    assert 200 == client.get("/list").status_code
    until = time.monotonic() + 30
    while doors.sql("SELECT seen_at FROM session").scalar() < long_ago.isoformat(sep=" ") + "z":
        assert time.monotonic() < until
        time.sleep(0.01)


# Keys and tokens.


def test_a_key_lets_a_system_in_until_it_is_revoked_and_stands_nowhere(doors, caplog):
    key = doors.system("simpati", "integrator")
    client = doors.client(headers=bearer(key.text))
    with caplog.at_level(logging.DEBUG):
        assert {"name": "simpati", "via": f"key:{key.id}", "kind": "system"}.items() <= client.get(
            "/list"
        ).json().items()
        assert 200 == client.post("/list").status_code
        doors.hand().revoke("simpati", key.id)
        doors.gate.forget()
        refused = client.get("/list")

    assert unauthorized(refused)
    assert key.secret not in doors.everything_kept() + refused.text + caplog.text + repr(key)


def test_a_key_ends_by_its_time(doors):
    at = dt.datetime.now(tz=dt.UTC)
    doors.account("simpati", "integrator", kind="system")
    key = doors.hand(at=at - 2 * HOUR).new_key("simpati", kind="key", label="uji", until=at - HOUR)

    assert unauthorized(doors.client().get("/list", headers=bearer(key.text)))


def test_what_is_no_key_of_ours_is_refused_and_not_repeated(doors):
    key = doors.system("simpati", "integrator")
    swapped = doors.system("lain", "integrator")
    wrong = [f"Bearer tepat_{key.id}_{swapped.secret}", f"Bearer {key.secret}", f"Basic {key.text}", "Bearer",
             f"Bearer {key.text}x", f"bearer tepat_{key.id}_", "Bearer eyJhbGciOiJub25lIn0.e30.", key.text]  # fmt: skip
    answers = [doors.client().get("/list", headers={"Authorization": header}) for header in wrong]

    assert [True] * len(wrong) == list(map(unauthorized, answers))
    assert not [answer for answer in answers if key.secret in answer.text or "eyJ" in answer.text]


def token(doors, form=None, **more):
    given = {"grant_type": "client_credentials"} if form is None else form
    return doors.client().post("/v1/token", data=given, **more)


def test_a_client_fetches_a_token_by_basic_or_by_form_and_is_let_in_with_it(doors):
    client = doors.system("simpati", "integrator", kind="client")
    by_form = token(doors, {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret})
    by_basic = token(doors, auth=(client.id, client.secret))

    for answer in (by_form, by_basic):
        told = answer.json()
        assert (200, "Bearer", 3600, "no-store") == (
            answer.status_code, told["token_type"], told["expires_in"], answer.headers["cache-control"],
        )  # fmt: skip
        let_in = doors.client().get("/list", headers=bearer(told["access_token"])).json()
        assert ("simpati", True) == (let_in["name"], let_in["via"].startswith("token:"))
    assert client.secret not in doors.everything_kept()
    assert told["access_token"].rpartition("_")[2] not in doors.everything_kept()


def test_with_a_client_its_tokens_end_and_a_token_ends_by_its_time(doors):
    client = doors.system("simpati", "integrator", kind="client")
    first, second = (token(doors, auth=(client.id, client.secret)).json()["access_token"] for _ in range(2))
    doors.sql("UPDATE credential SET expires_at = '2020-01-01' WHERE id = :id", id=first.split("_")[1])
    assert unauthorized(doors.client().get("/list", headers=bearer(first)))
    assert 200 == doors.client().get("/list", headers=bearer(second)).status_code

    doors.hand().revoke("simpati", client.id)
    doors.gate.forget()

    assert unauthorized(doors.client().get("/list", headers=bearer(second)))
    assert 401 == token(doors, auth=(client.id, client.secret)).status_code


def test_a_client_is_no_key_a_key_no_client_and_a_token_fetches_no_token(doors):
    client, key = doors.system("a1", "integrator", kind="client"), doors.system("a2", "integrator")
    got = doors.client().post("/v1/token", data={"grant_type": "client_credentials"}, auth=(client.id, client.secret))
    _, token_id, secret = got.json()["access_token"].split("_", 2)

    assert unauthorized(doors.client().get("/list", headers=bearer(client.text)))
    assert 401 == token(doors, auth=(key.id, key.secret)).status_code
    assert 401 == token(doors, auth=(token_id, secret)).status_code


@pytest.mark.parametrize(
    ("form", "more", "status", "error"),
    [
        ({"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
        ({"x": "y"}, {}, 400, "invalid_request"),
        ({"grant_type": ["client_credentials"] * 2}, {}, 400, "invalid_request"),
        (None, {}, 401, "invalid_client"),
        (None, {"auth": ("0" * 16, "x")}, 401, "invalid_client"),
        (None, {"auth": ("a\x00b", "x")}, 401, "invalid_client"),
        (None, {"headers": {"Authorization": "Basic %%%"}}, 401, "invalid_client"),
        (None, {"headers": {"Authorization": "Basic " + base64.b64encode(b"\xff:x").decode()}}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_secret": "s"}, {"auth": ("a", "s")}, 400, "invalid_request"),
        ({}, {"content": b"{}", "headers": {"Content-Type": "application/json"}}, 400, "invalid_request"),
        ({}, {"content": b"a=%ff&grant_type=x", "headers": FORM}, 400, "invalid_request"),
    ],
)  # fmt: skip
def test_a_token_is_refused_in_the_words_of_oauth2(doors, form, more, status, error):
    answer = token(doors, form, **more)

    assert (status, error) == (answer.status_code, answer.json()["error"])
    assert (status == 401) == ("Basic" in answer.headers.get("www-authenticate", ""))


# What a role may do, and how often.


@pytest.mark.parametrize("role", list(Role))
def test_each_role_does_what_it_may_and_no_more_and_a_refusal_stands_in_the_trail(doors, role):
    client = doors.signed_in("orang", role)
    answer = client.get("/list")
    allowed = Act.SEE_LIST in MAY[role]

    assert (200 if allowed else 403) == answer.status_code
    assert ([] if allowed else ["forbidden"]) == [line.outcome for line in doors.lines(Act.SEE_LIST)]
    accounts = client.get("/v1/accounts").status_code
    assert (200 if Act.SEE_ACCOUNT in MAY[role] else 403) == accounts


def test_who_hands_out_keys_sees_no_household():
    assert not MAY[Role.ADMIN] & {Act.SEE_HOUSEHOLD, Act.SEE_LIST, Act.SCORE, Act.EXPORT_LIST, Act.DECIDE, Act.RUN_JOB}


def test_whoever_asks_too_often_is_told_when_to_ask_again_and_others_are_not(tmp_path):
    with Doors(tmp_path, per_minute=3, per_minute_system=5).running() as doors:
        key, other = doors.system("simpati", "integrator"), doors.system("lain", "integrator")
        client = doors.client(headers=bearer(key.text))
        answers = [client.get("/list") for _ in range(6)]

        assert [200] * 5 + [429] == [answer.status_code for answer in answers]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "tepat:too-many" == answers[-1].json()["type"]
        assert 200 == doors.client().get("/list", headers=bearer(other.text)).status_code


def test_an_address_tries_to_sign_in_so_often_and_no_oftener(tmp_path):
    with Doors(tmp_path, sign_ins_per_minute=3).running() as doors:
        answers = attempts(doors, *["salah salah salah"] * 4, name="x")

        assert [401, 401, 401, 429] == [answer.status_code for answer in answers]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert [401] * 3 + [429] == [token(doors).status_code for _ in range(4)]


def test_an_address_shows_so_much_that_does_not_hold_and_who_shows_what_holds_is_let_in(tmp_path):
    with Doors(tmp_path, refused_per_minute=3).running() as doors:
        key = doors.system("simpati", "integrator")
        wrong = [bearer("rubbish"), {"Cookie": "tepat_session=x"}, bearer(f"{key.text[:-1]}!"), bearer(key.text[::-1])]
        answers = [doors.client().get("/list", headers=shown) for shown in wrong]

        assert [401, 401, 401, 429] == [answer.status_code for answer in answers]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert 401 == doors.client().get("/list").status_code  # whoever shows nothing tries nothing
        assert 200 == doors.client().get("/list", headers=bearer(key.text)).status_code


def test_a_refusal_stands_in_the_trail_though_its_purpose_cannot(doors):
    key = bearer(doors.system("simpati", "data_officer").text)
    answer = doors.client().get("/list", headers=key | {"X-Purpose": "untuk 3301014502900001"})

    assert (403, "tepat:forbidden") == kind_of(answer)
    assert [("forbidden", None)] == [(line.outcome, line.why) for line in doors.lines(Act.SEE_LIST)]
    allowed = bearer(doors.system("lain", "integrator").text)
    assert 422 == doors.client().get("/list", headers=allowed | {"X-Purpose": "x" * 201}).status_code


def test_the_measures_are_for_who_may_look_everywhere(doors):
    doors.account("desa", "data_officer", kind="system", scope=DESA)
    key = doors.hand().new_key("desa", kind="key", label="uji", until=None)
    with pytest.raises(Forbidden, match="everywhere"):
        asyncio.run(doors.gate.enter(request_of(bearer(key.text)), Act.SEE_METRICS))

    whole = request_of(bearer(doors.system("semua", "data_officer").text))
    assert "semua" == asyncio.run(doors.gate.enter(whole, Act.SEE_METRICS)).name


# What is remembered.


def request_of(headers):
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/list", "query_string": b"", "headers": told, "server": ("x", 1)}
    return Request(scope | {"scheme": "http", "state": {"request_id": "r"}})


def test_a_request_of_somebody_known_asks_no_store_and_costs_little(doors, monkeypatch):
    request = request_of(bearer(doors.system("simpati", "integrator").text))

    async def timed():
        await doors.gate.enter(request, Act.SEE_LIST)
        with monkeypatch.context() as patched:
            patched.setattr(Shelf, "store", lambda _: pytest.fail("it was asked"))
            taken = []
            for _ in range(500):
                started = time.perf_counter()
                await doors.gate.enter(request, Act.SEE_LIST)
                taken.append(time.perf_counter() - started)
        return sorted(taken)[250]

    assert 0.0003 > asyncio.run(timed())


def test_what_another_server_revokes_holds_here_two_seconds_and_no_longer(doors, monkeypatch):
    key = doors.system("simpati", "integrator")
    client = doors.client(headers=bearer(key.text))
    clock = [100.0]
    monkeypatch.setattr(doors.gate._remembered._known, "_clock", lambda: clock[0])
    assert 200 == client.get("/list").status_code
    doors.hand().revoke("simpati", key.id)
    clock[0] += 1.9
    assert 200 == client.get("/list").status_code
    clock[0] += 0.2
    assert unauthorized(client.get("/list"))


def test_whom_it_knew_is_believed_for_ten_minutes_while_the_store_is_away_and_nobody_else(doors, monkeypatch):
    known, unknown = (doors.system(name, "integrator") for name in ("simpati", "lain"))
    clock = [100.0]
    monkeypatch.setattr(doors.gate._remembered._known, "_clock", lambda: clock[0])
    assert 200 == doors.client().get("/list", headers=bearer(known.text)).status_code

    monkeypatch.setattr(Shelf, "store", is_away)
    for later, status in ((5, 200), (594, 200), (3, 503)):
        clock[0] += later
        assert status == doors.client().get("/list", headers=bearer(known.text)).status_code, clock
    answer = doors.client().get("/list", headers=bearer(unknown.text))
    assert (503, "5") == (answer.status_code, answer.headers["retry-after"])
    monkeypatch.undo()


def test_a_store_that_said_it_is_away_and_then_hangs_keeps_nobody_waiting_whom_it_knew(doors, monkeypatch):
    request = request_of(bearer(doors.system("simpati", "integrator").text))
    remembered, over, asked = doors.gate._remembered, threading.Event(), []
    clock = [100.0]
    monkeypatch.setattr(remembered._known, "_clock", lambda: clock[0])
    monkeypatch.setattr("serving.access.remembered.PATIENCE_S", 0.01)

    def is_away_to(*_):
        raise StoreUnavailable("It is away.")

    def hang(*_):
        asked.append(1)
        over.wait(30)

    async def come():
        await doors.gate.enter(request, Act.SEE_LIST)
        monkeypatch.setattr(type(remembered), "_look_up", is_away_to)
        clock[0] += 3
        await doors.gate.enter(request, Act.SEE_LIST)
        monkeypatch.setattr(type(remembered), "_look_up", hang)
        clock[0] += 3
        names = [(await doors.gate.enter(request, Act.SEE_LIST)).name for _ in range(5)]
        over.set()
        return names

    assert ["simpati"] * 5 == asyncio.run(come())
    assert [1] == asked


def test_a_store_that_only_takes_long_is_waited_for_and_what_was_revoked_opens_nothing(doors, monkeypatch):
    key = doors.system("simpati", "integrator")
    request = request_of(bearer(key.text))
    remembered, over = doors.gate._remembered, threading.Event()
    clock, looked_up = [100.0], type(remembered)._look_up
    monkeypatch.setattr(remembered._known, "_clock", lambda: clock[0])
    monkeypatch.setattr("serving.access.remembered.PATIENCE_S", 0.01)

    def slowly(*told):
        over.wait(30)
        return looked_up(*told)

    async def come():
        await doors.gate.enter(request, Act.SEE_LIST)
        doors.hand().revoke("simpati", key.id)
        monkeypatch.setattr(type(remembered), "_look_up", slowly)
        clock[0] += 3
        asking = asyncio.create_task(doors.gate.enter(request, Act.SEE_LIST))
        await asyncio.wait({asking}, timeout=0.05)
        assert not asking.done()
        over.set()
        with pytest.raises(Unauthorized):
            await asking

    asyncio.run(come())


def test_who_waits_elsewhere_keeps_nobody_at_the_door(doors):
    """All threads that answer requests are taken; who is new is looked up all the same."""
    request, over = request_of(bearer(doors.system("simpati", "integrator").text)), threading.Event()

    async def come():
        limiter = to_thread.current_default_thread_limiter()
        taken = [asyncio.create_task(to_thread.run_sync(over.wait, 30)) for _ in range(int(limiter.total_tokens))]
        await asyncio.wait(taken, timeout=0.05)
        try:
            assert not limiter.available_tokens
            return (await doors.gate.enter(request, Act.SEE_LIST)).name
        finally:
            over.set()
            await asyncio.gather(*taken)

    assert "simpati" == asyncio.run(come())


def test_many_who_come_at_once_ask_the_store_once(doors, monkeypatch):
    request = request_of(bearer(doors.system("simpati", "integrator").text))
    asked, slow, store = [], threading.Event(), Shelf.store

    def counted(self):
        asked.append(1)
        slow.wait(0.05)
        return store(self)

    async def together():
        return await asyncio.gather(*(doors.gate.enter(request, Act.SEE_LIST) for _ in range(50)))

    monkeypatch.setattr(Shelf, "store", counted)
    assert {"simpati"} == {who.name for who in asyncio.run(together())}
    assert 1 == len(asked)


def test_an_answer_that_was_on_its_way_when_a_key_was_revoked_is_not_remembered(doors, monkeypatch):
    key = doors.system("simpati", "integrator")
    request = request_of(bearer(key.text))
    looked_up = type(doors.gate._remembered)._look_up

    def revoked_meanwhile(self, shown):
        found = looked_up(self, shown)
        doors.hand().revoke("simpati", key.id)
        doors.gate.forget()
        return found

    async def twice():
        with monkeypatch.context() as patched:
            patched.setattr(type(doors.gate._remembered), "_look_up", revoked_meanwhile)
            await doors.gate.enter(request, Act.SEE_LIST)
        with pytest.raises(Unauthorized):
            await doors.gate.enter(request, Act.SEE_LIST)

    asyncio.run(twice())


def test_a_disabled_account_is_out_at_once_by_session_and_by_key(doors):
    person, key = doors.signed_in("siti", "planner"), doors.system("simpati", "integrator")
    boss = doors.signed_in("kepala", "admin")
    program = doors.client(headers=bearer(key.text))
    assert [200, 200] == [person.get("/list").status_code, program.get("/list").status_code]
    for name in ("siti", "simpati"):
        etag = boss.get(f"/v1/accounts/{name}").json()["etag"]
        changed = boss.patch(f"/v1/accounts/{name}", json={"disabled": True}, headers={"If-Match": etag})
        assert 200 == changed.status_code

    assert unauthorized(person.get("/list"))
    assert unauthorized(program.get("/list"))
    doors.hand().change("siti", Change(disabled=False))
    assert unauthorized(person.get("/list"))
