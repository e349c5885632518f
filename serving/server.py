"""`tepat serve`: the service on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import uvicorn

from serving.access.changes import first_admin
from serving.access.gatekeeper import asks_everybody, check_access
from serving.app import LOCAL, create_app
from serving.errors import StoreUnavailable
from serving.http.wire import wire_of
from serving.shelf import Shelf
from serving.watch import log_to

if TYPE_CHECKING:
    from serving.settings import Service


def serve(service: Service) -> None:
    """Run until stopped; requests that were begun are answered first.

    Raises
    ------
    InputRefused
        The settings would let everybody in from other machines, or a file of the map cannot be used.
    """
    check_access(service)
    # Threads that wait for work give the processor away, to the requests.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A registry elsewhere that is away is given up soon: there is the last good model.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    log_to(sys.stderr)
    app = create_app(service)
    print(f"Serving on http://{service.host}:{service.port} (its documentation: /docs); stop with Ctrl-C.")
    _say_who_may_come_in(service)
    sys.stdout.flush()
    uvicorn.run(
        app,
        host=service.host, port=service.port, log_config=None, access_log=False, server_header=False,
        proxy_headers=service.public_url is not None, timeout_graceful_shutdown=30, http=wire_of(service), ws="none",
    )  # fmt: skip


def _say_who_may_come_in(service: Service) -> None:
    if not asks_everybody(service):
        print("Only this machine can reach it. WARNING: until there is an account, it asks nobody who they are.")
        print("`tepat account add NAME --role admin --everywhere` makes the first.")
        return
    print("It asks everybody who they are.")
    if service.host not in LOCAL and not (service.public_url or "").startswith("https"):
        print(f"WARNING: {service.host} is reached without encryption; put a web server with TLS in front of it.")
    _say_first_password(service)


def _say_first_password(service: Service) -> None:
    shelf = Shelf(service.database.get_secret_value())
    try:
        with shelf.store() as store:
            password = first_admin(store)
    except StoreUnavailable as refusal:
        print(f"Who may come in cannot be looked up yet: {refusal.detail}")
        return
    finally:
        shelf.close()
    if password is None:
        return
    if sys.stdout.isatty():
        print(f"There was no account. Sign in as `admin` with this password, once, and choose your own: {password}")
        return
    # What is printed by a service goes to a journal that others may read, and that is kept for months.
    told = service.folder / "first-password"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.unlink(missing_ok=True)
    told.touch(mode=0o600, exist_ok=False)
    told.write_text(f"{password}\n", encoding="utf-8")
    print(f"There was no account. The first password of `admin` is in {told}; sign in, choose your own, and delete it.")
