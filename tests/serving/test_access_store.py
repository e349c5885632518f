"""What holds of accounts when many come at once, on every kind of database."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.access import oidc_sign_in, passwords
from serving.access.changes import Change
from serving.access.credentials import bearer_row, issue_token, revoke
from serving.access.keys import read_key
from serving.access.roles import Act, Role
from serving.access.signing import Attempt, sign_in
from serving.errors import NotFound, PreconditionFailed, Problem, RequestRefused, Taken, Unauthorized
from tests.serving.doors import OWN, Doors, hash_quickly

pytestmark = pytest.mark.xdist_group("postgres")
NOW = dt.datetime(2027, 1, 11, 2, tzinfo=dt.UTC)


@pytest.fixture
def doors(tmp_path, url, monkeypatch):
    """Without HTTP: the store behind the doors of a server."""
    hash_quickly(monkeypatch)
    made = Doors(tmp_path, database=url)
    yield made
    made.shelf.close()


def at_once(work, *asked):
    """What came of each, all begun together; a refusal is its class."""

    def tried(one):
        try:
            return work(one)
        except Problem as problem:
            return type(problem)

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(tried, asked))


def tries(doors, password, at=NOW):
    with doors.shelf.store() as store:
        attempt = Attempt(name="siti", password=password, at=at, request_id="r", address="10.0.0.1")
        return sign_in(store.database, attempt, doors.service)


def test_an_account_reads_as_it_was_made(doors):
    made = doors.account("siti", "planner", "dpo").account

    assert made == doors.hand().account("SITI")
    assert made.etag == doors.hand().accounts()[0].etag


def test_wrong_passwords_sent_at_once_are_no_more_tries_than_one_after_another(doors, monkeypatch):
    doors.account("siti", "planner")
    looked_at, holds = [], passwords.holds
    monkeypatch.setattr(passwords, "holds", lambda kept, tried: looked_at.append(kept) or holds(kept, tried))

    assert [Unauthorized] * 12 == at_once(lambda _: tries(doors, OWN), *range(12))
    assert 12 == len(looked_at)
    assert 5 == sum(kept is not None for kept in looked_at)


def test_the_right_password_takes_the_count_back_and_a_lock_ends_by_its_time(doors):
    password = doors.account("siti", "planner").one_time
    wrong = [OWN] * 4
    for tried in (*wrong, password, *wrong, password, *wrong, OWN):
        if tried == password:
            assert "siti" == tries(doors, tried).account.name
        else:
            with pytest.raises(Unauthorized):
                tries(doors, tried)

    with pytest.raises(Unauthorized):
        tries(doors, password, at=NOW + dt.timedelta(minutes=14))
    assert "siti" == tries(doors, password, at=NOW + dt.timedelta(minutes=15)).account.name
    assert [line.outcome for line in doors.lines(Act.SIGN_IN)].count("done") == 3


def test_a_name_is_given_to_one_of_many_who_ask_for_it_at_once(doors):
    done = at_once(lambda _: doors.account("siti", "planner").account.name, *range(6))

    assert [("siti", 1), (Taken, 5)] == [(one, done.count(one)) for one in ("siti", Taken)]


def test_of_admins_who_change_an_account_at_once_one_is_heard(doors):
    etag = doors.account("siti", "planner").account.etag

    def change(role):
        def check(now):
            if now != etag:
                raise PreconditionFailed("It was changed.")

        return doors.hand().change("siti", Change(roles=frozenset({role})), check=check).account.name

    assert 1 == at_once(change, *[Role.DPO, Role.AUDITOR] * 3).count("siti")


def test_of_two_admins_who_disable_each_other_one_is_left(doors):
    for name in ("kepala", "kedua"):
        doors.account(name, "admin")
    done = at_once(lambda name: doors.hand().change(name, Change(disabled=True)).account.name, "kepala", "kedua")

    assert 1 == done.count(RequestRefused)
    assert [False, True] == sorted(one.disabled for one in doors.hand().accounts())


def test_no_token_of_a_client_outlives_it_though_both_come_at_once(doors):
    client = doors.system("simpati", "integrator", kind="client")
    account_id = doors.hand().account("simpati").id

    def do(step):
        with doors.shelf.store() as store, store.database.writing() as connection:
            if step == "end":
                return revoke(connection, account_id, client.id, at=NOW)
            return issue_token(connection, client, at=NOW)

    made = [one[0] for one in at_once(do, "ask", "ask", "end", "ask", "ask") if isinstance(one, tuple)]
    with doors.shelf.store() as store, store.database.reading() as connection:
        assert not [key for key in made if bearer_row(connection, key, at=NOW)]


def test_what_the_provider_sends_back_holds_for_one_of_many_who_bring_it(doors):
    with doors.shelf.store() as store:
        way = oidc_sign_in.begin(store.database, next_path="/", back="b", at=NOW)
        done = at_once(lambda _: oidc_sign_in.come_back(store.database, way.state, back="b", at=NOW)[1], *range(6))

    assert 1 == done.count("/")
    assert 5 == done.count(Unauthorized)


@pytest.mark.parametrize("odd", ["' OR '1'='1", "siti\u2019", "%", "\\", "a" * 64, "\x00", "siti\x00"])
def test_a_name_or_key_that_is_odd_is_nobodys(doors, odd):
    doors.account("siti", "planner")
    with pytest.raises(NotFound):
        doors.hand().account(odd)
    attempt = Attempt(name=odd, password=odd, at=NOW, request_id="r", address="a")
    with doors.shelf.store() as store, pytest.raises(Unauthorized):
        sign_in(store.database, attempt, doors.service)
    with pytest.raises(NotFound):
        doors.hand().revoke("siti", odd)
    assert read_key(f"tepat_{odd}_{odd}") is None


def test_an_address_or_a_text_with_the_character_nul_is_refused_alike_by_every_database(doors):
    with doors.running():
        admin = doors.signed_in("kepala", "admin")
        answers = [
            admin.get("/v1/accounts/x%00y"),
            admin.get("/v1/accounts?after=%00"),
            admin.post("/v1/accounts", json={"name": "x\0", "roles": ["admin"], "scope": {"everywhere": True}}),
        ]
        written = admin.post("/v1/accounts", json={"name": "x\\u0000", "roles": [], "scope": {"everywhere": True}})

    assert [(422, "tepat:request-refused")] * 3 == [(one.status_code, one.json()["type"]) for one in answers]
    assert all("character NUL" in one.json()["detail"] for one in answers)
    assert "character NUL" not in written.text  # a stroke and five letters
