"""`tepat serve`: the service on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import uvicorn

from serving.app import LOCAL, create_app
from serving.watch import log_to

if TYPE_CHECKING:
    from serving.settings import Service


def serve(service: Service) -> None:
    """Run until stopped; requests that were begun are answered first."""
    # Threads that wait for work give the processor away, to the requests.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A registry elsewhere that is away is given up soon: there is the last good model.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    log_to(sys.stderr)
    print(f"Serving on http://{service.host}:{service.port} (its documentation: /docs); stop with Ctrl-C.")
    if service.host in LOCAL:
        print("Only this machine can reach it. It asks nobody who they are.")
    else:
        print(f"WARNING: {service.host} can be reached by other machines, and the service asks nobody who they are.")
    sys.stdout.flush()
    uvicorn.run(
        create_app(service),
        host=service.host, port=service.port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=30,
    )  # fmt: skip
