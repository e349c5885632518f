"""`POST /v1/token`: OAuth2 client credentials, with the answers of RFC 6749."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from serving.access.credentials import TOKEN_S, issue_token
from serving.access.gatekeeper import address_of
from serving.access.keys import Key
from serving.access.roles import Act
from serving.access.who import UNKNOWN
from serving.errors import StoreUnavailable, TooLarge, TooMany, Unauthorized, Unexpected
from serving.examples_access import TOKEN, TOKEN_REFUSED
from serving.parts import Parts, parts_of, refusals
from serving.schemas_access import TokenOut, TokenRefused
from serving.trail.entry import Entry
from serving.trail.writer import append

router = APIRouter(prefix="/v1", tags=["access"])
MOST_BYTES, MOST_FIELDS = 8192, 10
FORM = "application/x-www-form-urlencoded"
SECRET = {"type": "string", "maxLength": 200}
BODY = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"], "description": "The only grant there is."},
        "client_id": SECRET | {"description": "Unless it comes by HTTP Basic."},
        "client_secret": SECRET | {"description": "Unless it comes by HTTP Basic."},
    },
}
WRONG = {"application/json": {"example": TOKEN_REFUSED, "schema": {"$ref": "#/components/schemas/TokenRefused"}}}
Refusal = Literal["invalid_request", "invalid_client", "unsupported_grant_type"]


class _Refused(Exception):
    def __init__(self, error: Refusal, because: str) -> None:
        super().__init__(because)
        self.error, self.because = error, because


@router.post(
    "/token",
    summary="An access token for an OAuth2 client",
    response_class=JSONResponse,
    openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": BODY}}}},
    responses={
        200: {
            "model": TokenOut,
            "description": "A token that holds for an hour.",
            "content": {"application/json": {"example": TOKEN}},
        },
        400: {"model": TokenRefused, "description": "Not a request for a token.", "content": WRONG},
        401: {"model": TokenRefused, "description": "Not a client of Tepat.", "content": WRONG},
        **refusals(TooLarge, TooMany, StoreUnavailable, Unexpected, asks=False),
    },
)
async def token(request: Request) -> Response:
    """The grant `client_credentials`: client and secret by HTTP Basic or in the form. Only its digest is kept."""
    parts = parts_of(request)
    parts.gate.count_sign_in(request, way="token")
    try:
        client = _client(request, await _form(request))
        made = await run_in_threadpool(_issued, parts, client, request)
    except _Refused as refusal:
        return _refused(refusal)
    answer = TokenOut(access_token=made.text, token_type="Bearer", expires_in=TOKEN_S)  # noqa: S106 (a kind of token)
    return JSONResponse(answer.model_dump(), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _refused(refusal: _Refused) -> Response:
    body = TokenRefused(error=refusal.error, error_description=refusal.because).model_dump()
    if refusal.error == "invalid_client":
        return JSONResponse(body, 401, {"WWW-Authenticate": 'Basic realm="Tepat"'})
    return JSONResponse(body, 400)


async def _form(request: Request) -> dict[str, str]:
    """The fields of the form; RFC 6749 allows each once."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise _Refused("invalid_request", f"The body must be {FORM}.")
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise _Refused("invalid_request", f"The form has more than {MOST_BYTES} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError as fault:
        raise _Refused("invalid_request", "The form cannot be read.") from fault
    form = dict(pairs)
    if len(form) != len(pairs) or not form.get("grant_type"):
        raise _Refused("invalid_request", "The form must hold grant_type, and each field once.")
    if form["grant_type"] != "client_credentials":
        raise _Refused("unsupported_grant_type", "The only grant is client_credentials.")
    return form


def _client(request: Request, form: dict[str, str]) -> Key:
    header = request.headers.get("authorization")
    beside = {"client_id", "client_secret"} & form.keys()
    if header is not None and "client_secret" in beside:
        raise _Refused("invalid_request", "Client and secret come by HTTP Basic or in the form, not by both.")
    if header is not None:
        return _basic(header)
    if len(beside) < 2:  # noqa: PLR2004 (the two named above)
        raise _Refused("invalid_client", "No client and secret were sent.")
    return Key(form["client_id"], form["client_secret"])


def _basic(header: str) -> Key:
    scheme, _, text = header.partition(" ")
    try:
        name, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise _Refused("invalid_client", "The header Authorization holds no client and secret by HTTP Basic.")
    return Key(unquote_plus(name), unquote_plus(secret))


def _issued(parts: Parts, client: Key, request: Request) -> Key:
    at = dt.datetime.now(tz=dt.UTC)
    said: dict[str, Any] = {"at": at, "act": Act.SIGN_IN.value, "request_id": request.state.request_id}
    with parts.shelf.store() as store, store.database.writing() as connection:
        made = issue_token(connection, client, at=at)
        if made is None:
            about = {"from": address_of(request)}
            append(connection, [Entry(**said, who=UNKNOWN, via="client", outcome=Unauthorized.type, about=about)])
        else:
            append(connection, [Entry(**said, who=made[1], via=f"client:{client.id}", about={"token": made[0].id})])
    if made is None:
        raise _Refused("invalid_client", "The client is unknown, over, or was ended.")
    return made[0]
