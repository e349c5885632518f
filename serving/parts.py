"""What the routes share: the parts of a running service, and what an OpenAPI entry says of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.errors import MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from fastapi import Request

    from serving.batching import Batcher
    from serving.champion import Champion
    from serving.published import Published
    from serving.shelf import Shelf
    from serving.watch import Watch


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a running service."""

    champion: Champion
    batcher: Batcher
    published: Published
    shelf: Shelf
    watch: Watch


def parts_of(request: Request) -> Parts:
    """The parts of the service that answers."""
    found: Parts = request.app.state.parts
    return found


def refusals(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of these refusals; those of one status share one."""
    entries: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        entry = entries.setdefault(problem.status, {"description": "", "content": {MEDIA_TYPE: _content()}})
        entry["description"] = f"{entry['description']} {problem.title}".strip()
        body = problem("What was found.").body(request_id="4f0c2b7e")
        entry["content"][MEDIA_TYPE]["examples"][problem.type] = {"value": body}
    return entries


def _content() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": {}}
