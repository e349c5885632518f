"""What the routes share: the parts of a running service, and what an OpenAPI entry says of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.errors import MEDIA_TYPE, Forbidden, Problem, StoreUnavailable, TooMany, Unauthorized

if TYPE_CHECKING:
    from fastapi import Request

    from serving.access.gatekeeper import Gatekeeper
    from serving.boundaries import Boundaries
    from serving.champion import Champion
    from serving.handing import Handing
    from serving.jobs.worker import JobWorker
    from serving.masked_names import MaskedNames
    from serving.promoting import Promoting
    from serving.published import Published
    from serving.scorers.pool import Pool
    from serving.settings import Service
    from serving.shelf import Shelf
    from serving.trail.keeper import Trail
    from serving.watch import Watch


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a running service."""

    champion: Champion
    pool: Pool
    published: Published
    shelf: Shelf
    watch: Watch
    gate: Gatekeeper
    trail: Trail
    jobs: JobWorker
    service: Service
    boundaries: Boundaries | None
    promoting: Promoting
    handing: Handing
    names: MaskedNames


def parts_of(request: Request) -> Parts:
    """The parts of the service that answers."""
    found: Parts = request.app.state.parts
    return found


AT_THE_GATE = (Unauthorized, Forbidden, TooMany, StoreUnavailable)


def refusals(*problems: type[Problem], asks: bool = True) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of these refusals; those of one status share one.

    Of a route that `asks` who is there, those of the gate are added.
    """
    entries: dict[int | str, dict[str, Any]] = {}
    for problem in dict.fromkeys((*problems, *(AT_THE_GATE if asks else ()))):
        entry = entries.setdefault(problem.status, {"description": "", "content": {MEDIA_TYPE: _content()}})
        entry["description"] = f"{entry['description']} {problem.title}".strip()
        body = problem("What was found.").body(request_id="4f0c2b7e")
        entry["content"][MEDIA_TYPE]["examples"][problem.type] = {"value": body}
    return entries


def _content() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": {}}
