"""The API's own documentation: its OpenAPI document, and a page that shows it without asking another host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastapi_offline
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from serving.http.files import Files
from serving.openapi.fields import explain
from serving.openapi.operations import complete
from serving.schemas import ScoreRequest
from serving.schemas_service import ProblemOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from fastapi.routing import APIRoute

HERE = Path(__file__).parent / "static" / "docs"
SWAGGER = Path(fastapi_offline.__file__).parent / "static"
ABOUT = """Which households to visit first so that fewer children grow up stunted, and why.

A score is advice, never a decision. It is on the level of the registers it was learned from, which is not a survey's.
Children in danger (severe wasting, oedema, arm circumference) are named apart and wait behind no rank.

Every GET answers to HEAD, too. Every refusal is `application/problem+json`. Answers of 1,000 bytes or more are
compressed for who accepts gzip; a request is sent uncompressed. A JSON body is UTF-8, nested at most 200 deep, with no
name twice in an object. Unknown fields are refused in a request, and may come in an answer: take no harm from them."""
TAGS = [
    {
        "name": "risk",
        "description": "What the model says of a household: risk, reasons, and whom to refer at once.",
    },
    {"name": "lists", "description": "Whom to visit first: make a list, page through it, take it along."},
    {"name": "decisions", "description": "What officers decided of households; nothing is taken back unseen."},
    {"name": "jobs", "description": "Score whole registers: hand over files, see how far, take the result."},
    {"name": "regions", "description": "The kecamatan and desa that one may see, and how many households they have."},
    {"name": "model", "description": "The models, and the card that says what each is good for."},
    {"name": "quarantine", "description": "Rows of the registers that could not be used, and why."},
    {"name": "access", "description": "Sign in, tokens, and who may do what."},
    {"name": "trail", "description": "Who saw or changed what, and why."},
    {"name": "service", "description": "For whoever watches the machine."},
]
SERVERS = [{"url": "/", "description": "Where this document came from."}]


def document(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Make the application say its document at /openapi.json and show it at /docs."""
    page = HERE.joinpath("index.html").read_text(encoding="utf-8")
    app.mount("/static/docs", Files(directory=HERE))
    app.mount("/static/swagger", Files(directory=SWAGGER))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app, routes)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


def _made(app: FastAPI, routes: Sequence[APIRoute]) -> dict[str, Any]:
    """FastAPI's document, with what no route says by its types: the shape of a refusal, and the layers around."""
    made = get_openapi(
        title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=TAGS, servers=SERVERS,
        license_info=app.license_info, separate_input_output_schemas=False,
    )  # fmt: skip
    for kind in (ProblemOut, ScoreRequest):  # of routes that read or write them by themselves
        shapes = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        made["components"]["schemas"] |= shapes.pop("$defs", {}) | {kind.__name__: shapes}
    for route in routes:
        _with_examples(route, made["paths"].get(route.path_format, {}))
    complete(made)
    explain(made)
    return made


def _with_examples(route: APIRoute, path: dict[str, Any]) -> None:
    """The examples as we gave them: the framework leaves the nulls out."""
    for method in (route.methods or set()) & {name.upper() for name in path}:
        for status, entry in route.responses.items():
            for kind, content in entry.get("content", {}).items():
                shown = {name: content[name] for name in ("example", "examples") if name in content}
                path[method.lower()]["responses"][str(status)]["content"][kind] |= shown
