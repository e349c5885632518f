"""Signing in by an identity provider, over HTTP, and what is tried against it."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from features.errors import InputRefused
from serving.access.changes import Change
from serving.access.roles import Act
from tests.serving.doors import Doors, hash_quickly
from tests.serving.provider import CLIENT, SECRET, District, packed, signed_by_public_key

pytestmark = pytest.mark.xdist_group("serving-2")
NOW = int(time.time())
OTHER = RSAKey.generate_key(2048, {"kid": "k1"})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    hash_quickly(monkeypatch)


@pytest.fixture(scope="module")
def standing_district():
    made = District()
    yield made
    made.stop()


@pytest.fixture
def district(standing_district):
    standing_district.subject, standing_district.lies, standing_district.sign = "u-7", {}, None
    return standing_district


@pytest.fixture(scope="module")
def standing(tmp_path_factory, standing_district):
    settings = {"oidc_issuer": standing_district.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with Doors(tmp_path_factory.mktemp("oidc"), sign_ins_per_minute=10_000, **settings).running() as made:
        yield made


@pytest.fixture
def doors(standing, district):
    standing.empty()
    standing.account("siti", "planner", subject=f"{district.issuer}|u-7")
    return standing


def left(doors, next_path="/list"):
    client = doors.client()
    answer = client.get("/v1/session/oidc", params={"next": next_path})
    assert 302 == answer.status_code, answer.text
    return client, answer.headers["location"]


def came_back(doors, district, **changed):
    client, address = left(doors)
    return client, client.get("/v1/session/oidc/back", params=district.allow(address) | changed)


def refused(answer):
    return (401, "tepat:unauthorized") == (answer.status_code, answer.json().get("type"))


def test_whom_the_provider_knows_and_an_admin_linked_is_signed_in_and_goes_where_they_wanted(doors, district):
    client, answer = came_back(doors, district)

    assert (303, "/list") == (answer.status_code, answer.headers["location"])
    assert ("siti", "session") == tuple(client.get("/list").json()[name] for name in ("name", "via"))
    token = client.get("/v1/session").json()["csrf_token"]
    assert 200 == client.post("/list", headers={"X-CSRF-Token": token}).status_code
    assert 403 == client.post("/list").status_code
    assert [("siti", "oidc", "done")] == [(line.who, line.via, line.outcome) for line in doors.lines(Act.SIGN_IN)]


def test_the_way_there_has_a_challenge_a_state_and_a_nonce_and_no_secret(doors):
    asked = dict(parse_qsl(urlsplit(left(doors)[1]).query))

    assert ("code", CLIENT, "openid", "S256") == tuple(
        asked[name] for name in ("response_type", "client_id", "scope", "code_challenge_method")
    )
    assert [43, 43, 43] == [len(asked[name]) for name in ("state", "nonce", "code_challenge")]
    assert f"{doors.here}/v1/session/oidc/back" == asked["redirect_uri"]
    assert asked["state"] not in doors.everything_kept()


LIES = {
    "wrong audience": {"aud": "another"},
    "audience of two, for another": {"aud": [CLIENT, "another"], "azp": "another"},
    "audience of two, for nobody": {"aud": [CLIENT, "another"]},
    "no audience": {"aud": None},
    "wrong issuer": {"iss": "http://127.0.0.1:1"},
    "no issuer": {"iss": None},
    "over for two minutes": {"exp": NOW - 120},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "made in an hour": {"iat": NOW + 3600},
    "without its moment": {"iat": None},
    "not before an hour": {"nbf": NOW + 3600},
    "wrong nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": ["u-7"]},
    "a subject that is a number": {"sub": 7},
}


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
def test_an_identity_token_that_says_something_else_signs_nobody_in(doors, district, lies):
    district.lies = lies
    client, answer = came_back(doors, district)

    assert refused(answer)
    assert 401 == client.get("/list").status_code


def test_clocks_may_differ_by_a_minute(doors, district):
    district.lies = {"exp": int(time.time()) - 20, "iat": int(time.time()) + 40}

    assert 303 == came_back(doors, district)[1].status_code


def bare(key):
    """The same key, not bound to one algorithm."""
    return RSAKey.import_key({name: said for name, said in key.as_dict(private=True).items() if name != "alg"})


FORGED = {
    "algorithm none": lambda _: lambda claims: packed({"alg": "none"}, claims),
    "algorithm none, with the key's name": lambda _: lambda claims: packed({"alg": "None", "kid": "k1"}, claims),
    "HS256 by the public key": signed_by_public_key,
    "the key of another provider under the same name": (
        lambda _: lambda claims: jwt.encode({"alg": "RS256", "kid": "k1"}, claims, OTHER)
    ),
    "a key of an unknown name": lambda _: lambda claims: jwt.encode({"alg": "RS256", "kid": "k2"}, claims, OTHER),
    "a key that the token brings": (
        lambda _: lambda claims: jwt.encode({"alg": "RS256", "jwk": OTHER.as_dict(private=False)}, claims, OTHER)
    ),
    "an algorithm that the provider does not use": (
        lambda key: lambda claims: jwt.encode({"alg": "RS512", "kid": "k1"}, claims, bare(key), ["RS512"])
    ),
    "no signature": (
        lambda key: lambda claims: jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key).rpartition(".")[0] + "."
    ),
    "no token": lambda _: lambda _: "a.b",
}  # fmt: skip


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_identity_token_signs_nobody_in(doors, district, forge):
    district.sign = forge(district.key)
    client, answer = came_back(doors, district)

    assert refused(answer), answer.text
    assert 401 == client.get("/list").status_code


def test_what_was_brought_back_holds_once_and_in_the_browser_that_left(doors, district):
    client, address = left(doors)
    brought = district.allow(address)
    assert refused(doors.client().get("/v1/session/oidc/back", params=brought))
    assert 303 == client.get("/v1/session/oidc/back", params=brought).status_code
    again = doors.client(cookies={"tepat_sign_in": brought["state"]}).get("/v1/session/oidc/back", params=brought)
    assert refused(again)
    assert "used already" in again.json()["detail"]


def test_a_state_of_nobody_a_late_one_and_another_provider_are_refused(doors, district):
    client, _ = left(doors)
    assert refused(client.get("/v1/session/oidc/back", params={"code": "x", "state": "y"}))
    invented = doors.client(cookies={"tepat_sign_in": "y"})
    assert refused(invented.get("/v1/session/oidc/back", params={"code": "x", "state": "y"}))
    assert refused(came_back(doors, district, iss="https://evil.example")[1])
    assert refused(came_back(doors, district, code="of-somebody-else")[1])
    assert refused(came_back(doors, district, error="access_denied")[1])
    client, address = left(doors)
    doors.sql("UPDATE sign_in SET expires_at = '2020-01-01'")
    assert refused(client.get("/v1/session/oidc/back", params=district.allow(address)))


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "",
        "/a\nb",
        "/\t/evil.example",
        "javascript:x",
    ],
)
def test_it_leads_nowhere_but_here(doors, away):
    answer = doors.client().get("/v1/session/oidc", params={"next": away})

    assert (422, "tepat:request-refused") == (answer.status_code, answer.json()["type"])
    assert "evil" not in answer.text


def test_whom_nobody_linked_is_told_how_an_admin_can(doors, district):
    district.subject = "u-8"
    answer = came_back(doors, district)[1]
    assert refused(answer)
    assert f"tepat account change NAME --subject '{district.issuer}|u-8'" in answer.json()["detail"]

    doors.account("budi", "puskesmas")
    doors.hand().change("budi", Change(subject=f"{district.issuer}|u-8"))
    assert "budi" == came_back(doors, district)[0].get("/list").json()["name"]


def test_a_subject_that_may_be_a_nik_is_not_repeated(doors, district):
    district.subject = "3201010101010001"
    answer = came_back(doors, district)[1]

    assert refused(answer)
    assert "3201010101010001" not in answer.text + doors.everything_kept()


@pytest.mark.parametrize("subject", ["", "https://sso.example|u-9"])
def test_whom_an_admin_unlinks_or_links_anew_is_signed_out(doors, district, subject):
    client = came_back(doors, district)[0]
    assert 200 == client.get("/list").status_code
    boss, etag = doors.signed_in("kepala", "admin"), doors.hand().account("siti").etag
    assert 200 == boss.patch("/v1/accounts/siti", json={"subject": subject}, headers={"If-Match": etag}).status_code

    assert 401 == client.get("/list").status_code


@pytest.mark.parametrize("issuer", ["http://sso.example", "https://", "ftp://127.0.0.1", "https://[::1"])
def test_a_provider_that_somebody_on_the_way_could_speak_for_is_refused_at_the_start(tmp_path, issuer):
    with pytest.raises(InputRefused, match="TEPAT_OIDC_ISSUER that is no https address"):
        Doors(tmp_path, oidc_issuer=issuer, oidc_client_id=CLIENT)


def test_a_disabled_account_is_not_signed_in_by_the_provider_either(doors, district):
    doors.hand().change("siti", Change(disabled=True))

    assert refused(came_back(doors, district)[1])


def test_new_keys_of_the_provider_are_fetched(doors, district, monkeypatch):
    doors.gate.provider._found = None
    assert 303 == came_back(doors, district)[1].status_code
    with monkeypatch.context() as patched:
        patched.setattr(district, "key", RSAKey.generate_key(2048, {"kid": "k9", "use": "sig"}))
        later = time.monotonic() + 11
        patched.setattr(doors.gate.provider, "_clock", lambda: later)
        before = len(district.asked)
        assert 303 == came_back(doors, district)[1].status_code
        assert ["/token", "/.well-known/openid-configuration", "/jwks"] == district.asked[before:]
        assert 303 == came_back(doors, district)[1].status_code
        assert ["/token"] == district.asked[before + 3 :]
    doors.gate.provider._found = None


AWAY = {
    "another issuer": {"issuer": "https://evil.example"},
    "keys over http elsewhere": {"jwks_uri": "http://evil.example/jwks"},
    "no token endpoint": {"token_endpoint": None},
    "keys that are none": {"jwks_uri": "{issuer}/nothing"},
    "keys at what is no address": {"jwks_uri": "https://[::1/jwks"},
    "keys at an address that nobody can ask": {"jwks_uri": "https://evil.example/\x00jwks"},
}


@pytest.mark.parametrize("said", AWAY.values(), ids=AWAY)
def test_a_provider_that_answers_otherwise_is_away(doors, district, monkeypatch, said):
    told = {name: value and value.format(issuer=district.issuer) for name, value in said.items()}
    monkeypatch.setattr(district, "metadata", district.metadata | told)
    monkeypatch.setattr(doors.gate.provider, "_found", None)
    answer = doors.client().get("/v1/session/oidc")

    assert (503, "tepat:provider-away", "30") == (
        answer.status_code, answer.json()["type"], answer.headers["retry-after"],
    )  # fmt: skip


def test_while_the_provider_is_away_local_accounts_come_in(tmp_path):
    settings = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": CLIENT}
    with Doors(tmp_path, **settings).running() as doors:
        answer = doors.client().get("/v1/session/oidc")

        assert (503, "tepat:provider-away") == (answer.status_code, answer.json()["type"])
        assert "local account" in answer.json()["remedy"]
        assert 200 == doors.signed_in("siti", "planner").get("/list").status_code


def test_without_a_provider_the_way_is_not_there(tmp_path):
    with Doors(tmp_path).running() as doors:
        assert 404 == doors.client().get("/v1/session/oidc").status_code
