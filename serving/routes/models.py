"""`GET /v1/models`, `GET /v1/model/card`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.cards import Card, Format, Version, card, preferred, versions
from serving.errors import NoModel, NotFound, RequestRefused, StoreUnavailable, Unexpected
from serving.examples_places import CARD, CARD_HTML, CARD_MARKDOWN, VERSIONS
from serving.parts import Parts, parts_of, refusals
from serving.schemas_places import CardOut, VersionOut, VersionsOut
from serving.scorers.copies import InUse
from serving.told import told_model
from training.registry import RegistryRefused

router = APIRouter(prefix="/v1", tags=["model"])
Sees = Annotated[Who, allowed(Act.SEE_MODEL)]
CARDS = "cards"
"""Folder of the cards that were asked for, for days on which the registry is away."""


@router.get(
    "/models",
    summary="The versions of the model: champion, challenger, the last one trained",
    responses={
        200: {"description": "The versions.", "content": {"application/json": {"example": VERSIONS}}},
        **refusals(NoModel, StoreUnavailable, Unexpected),
    },
)
def models(request: Request, _: Sees) -> VersionsOut:
    """All that the registry has; while it is away, the one in use, and why no more is told."""
    parts = parts_of(request)
    in_use = parts.champion.current
    try:
        found = versions(parts.service.model_name)
    except RegistryRefused as refusal:
        if in_use is None:
            raise NoModel(str(refusal)) from refusal
        alone = Version(where=in_use.where, aliases=(), last=False, registered_at=None)
        return VersionsOut(versions=[_told(alone, in_use)], stale_because=str(refusal))
    return VersionsOut(versions=[_told(one, in_use) for one in found], stale_because=None)


@router.get(
    "/model/card",
    summary="The card of the model in use: what it is for, how good it is, for whom it is not",
    response_model=None,
    responses={
        200: {
            "description": "The card; the HTML page needs nothing from elsewhere, and runs no script.",
            "model": CardOut,
            "content": {
                "application/json": {"example": CARD},
                "text/html": {"schema": {"type": "string"}, "example": CARD_HTML},
                "text/markdown": {"schema": {"type": "string"}, "example": CARD_MARKDOWN},
            },
        },
        **refusals(NotFound, RequestRefused, NoModel, StoreUnavailable, Unexpected),
    },
)
def model_card(
    request: Request,
    _: Sees,
    kind: Annotated[
        Format | None, Query(alias="format", description="Null: as the header Accept says; JSON if it says nothing.")
    ] = None,
) -> CardOut | Response:
    """As its evaluation made it; one that was never evaluated has none."""
    parts = parts_of(request)
    in_use = _in_use(parts)
    try:
        found = card(in_use.where, kept=parts.service.folder / CARDS)
    except RegistryRefused as refusal:
        raise NotFound(f"No copy of the card of {in_use.where.stamp} was kept, and: {refusal}") from refusal
    if found is None:
        raise NotFound(f"No card of {in_use.where.stamp} was made: `dvc repro evaluate` makes one.")
    return _in_form(found, kind or preferred(request.headers.get("accept", "")), parts=parts, in_use=in_use)


def _in_form(found: Card, kind: Format, *, parts: Parts, in_use: InUse) -> CardOut | Response:
    if kind == "html":
        headers = {"Content-Security-Policy": found.policy}
        return Response(found.html, media_type="text/html; charset=utf-8", headers=headers)
    if kind == "markdown":
        return Response(found.markdown, media_type="text/markdown; charset=utf-8")
    said: dict[str, Any] = {"metrics": found.metrics, "details": found.details, "stale_because": found.stale_because}
    return CardOut(model=told_model(in_use, parts.champion.stale_because), simulated=in_use.simulated, **said)


def _in_use(parts: Parts) -> InUse:
    if parts.champion.current is None:
        raise NoModel(parts.champion.stale_because or "No model was loaded yet.")
    return parts.champion.current


def _told(one: Version, in_use: InUse | None) -> VersionOut:
    where = one.where
    return VersionOut(
        name=where.name, version=where.version, stamp=where.stamp, aliases=list(one.aliases), last=one.last,
        in_use=in_use is not None and in_use.where == where, registered_at=one.registered_at,
    )  # fmt: skip
