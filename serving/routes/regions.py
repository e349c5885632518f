"""`GET /v1/regions`, `GET /v1/regions/{id}`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import NotFound, NothingScored, RequestRefused, Unexpected
from serving.examples_places import REGION, REGIONS
from serving.parts import parts_of, refusals
from serving.regions import Region, seen_by
from serving.schemas_places import AreaOut, RegionOut, RegionsOut, TotalsOut

router = APIRouter(prefix="/v1/regions", tags=["regions"])
Sees = Annotated[Who, allowed(Act.SEE_REGION)]


@router.get(
    "",
    summary="What the scores come to, by kecamatan and desa",
    responses={
        200: {
            "description": "The regions where you may look.",
            "content": {"application/json": {"example": REGIONS}},
        },
        **refusals(NothingScored, Unexpected),
    },
)
def regions(request: Request, who: Sees) -> RegionsOut:
    """Totals of what you may see, and of nothing else; risks are on the register's level, not a survey's."""
    scores = parts_of(request).published.scores()
    seen = seen_by(scores.areas, who.scope)
    first = scores.units.iloc[0]
    return RegionsOut(
        model_stamp=first.model_version,
        simulated=bool(first.simulated),
        total=TotalsOut(**asdict(seen.totals)),
        regions=[_told(one) for one in seen.regions],
    )


@router.get(
    "/{region_id}",
    summary="What the scores come to in one kecamatan",
    responses={
        200: {
            "description": "The region, and those of its areas where you may look.",
            "content": {"application/json": {"example": REGION}},
        },
        **refusals(NotFound, RequestRefused, NothingScored, Unexpected),
    },
)
def region(
    request: Request, region_id: Annotated[str, Path(max_length=100, examples=["99.01.01"])], who: Sees
) -> RegionOut:
    """As it stands in the list of regions."""
    seen = seen_by(parts_of(request).published.scores().areas, who.scope)
    found = next((one for one in seen.regions if one.region_id == region_id), None)
    if found is None:
        raise NotFound("No region has this identifier.")
    return _told(found)


def _told(one: Region) -> RegionOut:
    areas = [AreaOut(area_id=a.area_id, area_name=a.area_name, **_totals(a)) for a in one.areas]
    return RegionOut(region_id=one.region_id, region_name=one.region_name, areas=areas, **_totals(one))


def _totals(place: Any) -> dict[str, Any]:
    return asdict(place.totals)
