"""`GET /v1/households/{id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from serving.errors import NotFound, NothingScored, RequestRefused, Unexpected
from serving.examples import PUBLISHED
from serving.parts import parts_of, refusals
from serving.schemas import PublishedHousehold

router = APIRouter(prefix="/v1", tags=["risk"])


@router.get(
    "/households/{household_id:path}",
    summary="A household as the pipeline scored it last",
    responses={
        200: {
            "description": "Its risks, reasons and contributions.",
            "content": {"application/json": {"example": PUBLISHED}},
        },
        **refusals(NotFound, RequestRefused, NothingScored, Unexpected),
    },
)
def household(
    request: Request, household_id: Annotated[str, Path(max_length=100, examples=["home-17"])]
) -> PublishedHousehold:
    """What stands behind its place on a list."""
    found = parts_of(request).published.scores().household(household_id)
    if found is None:
        raise NotFound("No scored household has this identifier.")
    return PublishedHousehold.model_validate(found)
