"""A small service of the real doors: accounts, sessions, tokens, and one route that anybody's role may be tried on."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from serving.access import passwords
from serving.access.changes import Accounts, Made
from serving.access.gate import allowed
from serving.access.gatekeeper import Gatekeeper
from serving.access.roles import Act, Role
from serving.access.scope import EVERYWHERE, Scope
from serving.access.who import Who, at_command
from serving.app import _http, _invalid
from serving.errors import Problem
from serving.middleware import problem_response, surround
from serving.routes import accounts, session, token
from serving.settings import Service
from serving.shelf import Shelf
from serving.tables_access import trail as trail_table
from serving.trail.keeper import Trail
from serving.watch import Watch

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
TLS = ssl.create_default_context()  # made once: it costs more than a request
OWN = "kuda hijau naik perahu"  # a password that somebody chose


def hash_quickly(monkeypatch: Any) -> None:
    """Real argon2, but not its time: tests sign in hundreds of times."""
    monkeypatch.setattr(passwords, "HASHER", QUICK)
    passwords._nobodys.cache_clear()


class Doors:
    """The doors of one server."""

    def __init__(self, folder: Any, **settings: Any) -> None:
        given = {"access": "closed", "database": f"sqlite:///{folder}/tepat.db", "folder": folder}
        self.service = Service.model_validate(given | settings)
        self.shelf = Shelf(self.service.database.get_secret_value())
        watch = Watch()
        self.trail = Trail(self.shelf, folder, watch)
        self.gate = Gatekeeper(self.service, shelf=self.shelf, trail=self.trail)
        self.app = FastAPI(lifespan=self._living)
        for router in (accounts.router, session.router, token.router):
            self.app.include_router(router)
        self.app.add_api_route("/list", _probe, methods=["GET", "POST"])
        self.app.add_exception_handler(Problem, _problem)  # type: ignore[arg-type]  # each handler gets its own kind
        self.app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]  # as above
        self.app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # as above
        surround(self.app, self.service, watch)
        self.since = 0
        self._clients: list[httpx.Client] = []
        self.app.state.parts = SimpleNamespace(shelf=self.shelf, gate=self.gate, trail=self.trail)

    @asynccontextmanager
    async def _living(self, _app: FastAPI) -> Any:
        self.trail.start()
        yield
        self.trail.stop()
        self.shelf.close()

    @contextmanager
    def running(self) -> Iterator[Doors]:
        """Over real HTTP, until the end of the block."""
        server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_config=None, server_header=False))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.002)
        self.here = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            for client in self._clients:
                client.close()
            server.should_exit = True
            thread.join()

    def client(self, **more: Any) -> httpx.Client:
        """A browser or a program of its own, without the cookies of others."""
        self._clients.append(httpx.Client(base_url=self.here, timeout=60, verify=TLS, trust_env=False, **more))
        return self._clients[-1]

    def hand(self, who: Who | None = None, at: dt.datetime | None = None) -> _Hand:
        return _Hand(self.shelf, who or at_command("test"), at or dt.datetime.now(tz=dt.UTC))

    def account(self, name: str, *roles: str, scope: Scope = EVERYWHERE, **more: Any) -> Made:
        kind = more.pop("kind", "person")
        return self.hand().add(name, kind=kind, roles=frozenset(map(Role, roles)), scope=scope, **more)

    def signed_in(self, name: str, *roles: str, scope: Scope = EVERYWHERE) -> httpx.Client:
        """Somebody new with a password of their own, signed in; what they send bears the token."""
        made = self.account(name, *roles, scope=scope)
        client = self.client()
        signed = client.post("/v1/session", json={"name": name, "password": made.one_time})
        client.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
        chosen = client.post("/v1/session/password", json={"old": made.one_time, "new": OWN})
        assert 200 == chosen.status_code, chosen.text
        client.headers["X-CSRF-Token"] = chosen.json()["csrf_token"]
        return client

    def system(self, name: str, *roles: str, kind: str = "key", until: dt.datetime | None = None) -> Any:
        """A system and its key."""
        self.account(name, *roles, kind="system")
        return self.hand().new_key(name, kind=kind, label="uji", until=until)

    def empty(self) -> None:
        """As if nobody had come yet; the lines of the trail stay, and are not told again."""
        for table in ("session", "credential", "sign_in", "account"):
            self.sql(f"DELETE FROM {table}")  # noqa: S608 (our own names)
        self.since = self.sql("SELECT number FROM trail_head").scalar()
        self.gate.forget()

    def sql(self, statement: str, **values: Any) -> Any:
        """Change the store behind the server's back, as another server would."""
        with self.shelf.store() as store, store.database.writing() as connection:
            return connection.execute(sa.text(statement), values)

    def lines(self, act: Act) -> list[Any]:
        with self.shelf.store() as store, store.database.reading() as connection:
            asked = sa.select(trail_table).where(trail_table.c.act == act.value, trail_table.c.number > self.since)
            return list(connection.execute(asked.order_by(trail_table.c.number)))

    def everything_kept(self) -> str:
        """All that stands in the tables, and in the trail."""
        with self.shelf.store() as store, store.database.reading() as connection:
            tables = ("account", "credential", "session", "sign_in", "trail")
            return str([connection.execute(sa.text(f"SELECT * FROM {name}")).all() for name in tables])  # noqa: S608 (our own names)


class _Hand:
    def __init__(self, shelf: Shelf, who: Who, at: dt.datetime) -> None:
        self._shelf, self._who, self._at = shelf, who, at

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            with self._shelf.store() as store:
                made = Accounts(database=store.database, who=self._who, request_id="test", at=self._at)
                return getattr(made, name)(*args, **more)

        return call


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def _probe(who: Annotated[Who, allowed(Act.SEE_LIST)]) -> dict[str, Any]:
    return {"name": who.name, "via": who.via, "kind": who.kind, "scope": who.scope.as_json()}


async def _problem(request: Request, problem: Problem) -> Any:
    return problem_response(problem, request.state.request_id)
