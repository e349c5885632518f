"""Shapes of regions, of a household's page, of models and of quarantine; each field with its unit."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.schemas import LineOut, ModelOut, WorklistOut
from serving.schemas_plan import DecisionOut, LeftOutOut

END = (
    "{} end of the interval of `{}`; null without refits, and where a unit of it was on the urgent list. [probability]"
)


class TotalsOut(BaseModel):
    """What the scores come to in a place, as far as you may look."""

    households: int = Field(ge=0, description="That were scored. [households]", examples=[344])
    children: int = Field(ge=0, description="Under five, that were scored. [children]", examples=[361])
    pregnancies: int = Field(ge=0, description="That were scored. [pregnancies]", examples=[40])
    expected_stunted_now: float = Field(ge=0, description="Sum of the children's risks. [children]", examples=[30.71])
    expected_stunted_24m: float = Field(
        ge=0,
        description="The same at 24 months, of pregnancies and children under 24 months. [children]",
        examples=[18.2],
    )
    urgent: int = Field(
        ge=0, description="To refer at once, whatever any risk says. [children and women]", examples=[4]
    )
    freshest_on: dt.date | None = Field(description="Newest fact behind the scores; null where nobody was scored.")
    stalest_on: dt.date | None = Field(
        description="Oldest of the newest facts behind a household's scores; null: no score."
    )


class AreaOut(TotalsOut):
    """A desa or kelurahan."""

    area_id: str | None = Field(description="Null: of households whose area is not known.", examples=["99.01.01.1001"])
    area_name: str | None = Field(description="Null: not told.", examples=["Contoh 01-01"])


class RegionOut(TotalsOut):
    """A kecamatan, and those of its areas where you may look: its totals are theirs."""

    region_id: str | None = Field(description="Null: of households whose region is not known.", examples=["99.01.01"])
    region_name: str | None = Field(description="Null: not told.", examples=["Contoh 01"])
    areas: list[AreaOut] = Field(description="By identifier.")


class RegionsOut(BaseModel):
    """The regions where you may look."""

    model_stamp: str = Field(description="The model behind the scores.", examples=["determinants-0f3c9ad17b52"])
    simulated: bool = Field(description="True: nobody in these figures exists.")
    total: TotalsOut = Field(description="Of all that is shown here, and of nothing else.")
    regions: list[RegionOut] = Field(description="By identifier.")


class RowOut(BaseModel):
    """An accepted row of a register."""

    recorded_on: dt.date | None = Field(description="When the register knew it; null for an area, which is not dated.")
    facts: dict[str, str | int | float | bool] = Field(
        description="The columns that are told, as docs/registers.md describes them and in its units; dates as "
        "YYYY-MM-DD. Dates of birth and protected attributes are left out."
    )


class RegisterOut(BaseModel):
    """What one register knows of a household."""

    register_name: str = Field(alias="register", description="Its name.", examples=["sanitation"])
    title: str = Field(description="What it is.", examples=["Water and sanitation"])
    rows: list[RowOut] = Field(description="The newest first.")


class ServiceOut(BaseModel):
    """A service that somebody in the household may have, or may for all that is known."""

    service: str = Field(description="Its code in docs/services.md.", examples=["jamban"])
    name_id: str = Field(description="In Indonesian.")
    name_en: str = Field(description="In English.")
    owner: str = Field(description="The office that hands it over.", examples=["pupr"])
    eligible: str = Field(description="Who may have it, over the facts of docs/services.md.")
    status: Literal["unmet", "received", "unknown"] = Field(description="unknown: no register tells.")
    persons: int = Field(ge=0, description="That the status is about; 1 for a service of the household. [persons]")
    cost_idr: int = Field(ge=0, description="For these persons, where unmet; else 0. [rupiah]")
    why_id: str | None = Field(description="Which registers do not tell, in Indonesian; null unless unknown.")
    why_en: str | None = Field(description="In English; null unless unknown.")


class HouseholdFacts(BaseModel):
    """What the registers know of a household."""

    household_id: str
    on: dt.date = Field(description="The day of the newest fact of the district: services are told as of it.")
    registers: list[RegisterOut] = Field(description="Those that know it.")
    missing_registers: list[str] = Field(description="Those without a row of it: these facts are unknown, not absent.")
    services: list[ServiceOut] = Field(description="In the order of the menu.")


class StoodOut(BaseModel):
    """A list that the household stood on, or that left it out."""

    worklist: WorklistOut
    on_list: bool
    line: LineOut | None = Field(description="As it stood, with its rank among those you may see; null: left out.")
    left_out: LeftOutOut | None = Field(description="Why; null when it is on the list.")


class HouseholdHistory(BaseModel):
    """A household's way through the lists."""

    household_id: str
    lists: list[StoodOut] = Field(description="Newest first.")
    next_before: str | None = Field(description="Ask for lists `before` this one next; null at the end.")
    decisions: list[DecisionOut] = Field(description="About it, newest first; at most 1,000.")


class ScoreOut(BaseModel):
    """What one run of the pipeline said of a household, and where it lay then."""

    stamp: str = Field(description="Of the files of the run: the same for the same scores.", examples=["9f86d081" * 8])
    seen_at: dt.datetime = Field(
        description="When a service saw them first, UTC: at most minutes after they were published, while one runs.",
        examples=["2026-01-05T02:10:00Z"],
    )
    in_use: bool = Field(description="The household's risk now, as `GET /v1/households/{id}` tells it.")
    model_stamp: str
    model_version: str | None = Field(
        description="Of the model in the registry; null: not told beside the scores.", examples=["3"]
    )
    model_changed: bool = Field(
        description="Another model made it than the score before it: a difference may come from that alone."
    )
    catalogue: str
    simulated: bool
    first_as_of: dt.date | None = Field(
        description="First day that a unit of the run is as known on, in its test period; null where none is told.",
        examples=["2025-01-02"],
    )
    last_as_of: dt.date | None = Field(description="Last such day; null as above.", examples=["2025-12-31"])
    region_id: str | None = Field(description="Its kecamatan then; null when not known.", examples=["99.01.01"])
    area_id: str | None = Field(description="Its desa then; null when not known.", examples=["99.01.01.1001"])
    risk_find: float | None
    risk_find_low: float | None = Field(description=END.format("Lower", "risk_find"), examples=[0.18])
    risk_find_high: float | None = Field(description=END.format("Upper", "risk_find"), examples=[0.29])
    risk_prevent: float | None
    risk_prevent_low: float | None = Field(description=END.format("Lower", "risk_prevent"), examples=[0.3])
    risk_prevent_high: float | None = Field(description=END.format("Upper", "risk_prevent"), examples=[0.41])
    interval_level: float | None = Field(
        description="Level of the intervals; null without refits. [0-1]", examples=[0.9]
    )


class HouseholdScores(BaseModel):
    """The scores of a household over time, as kept since the service first saw each run."""

    household_id: str
    scores: list[ScoreOut] = Field(description="Newest first; of runs in which it lay where you may look.")
    next_before: str | None = Field(
        description="Ask for those `before` this one next; null at the end.", examples=["9f86d081" * 8]
    )


class VersionOut(BaseModel):
    """A version of the model in the registry."""

    name: str = Field(examples=["determinants"])
    version: str = Field(description="In the registry.", examples=["3"])
    stamp: str = Field(description="Name and digest: equal for equal models.", examples=["determinants-0f3c9ad17b52"])
    aliases: list[Literal["champion", "challenger"]] = Field(
        description="champion: the one to use. challenger: the one that would replace it."
    )
    last: bool = Field(description="Trained last.")
    in_use: bool = Field(description="By this service, now.")
    registered_at: dt.datetime | None = Field(description="Null: the registry does not answer.")


class VersionsOut(BaseModel):
    """The versions that are known."""

    versions: list[VersionOut] = Field(description="The newest first.")
    stale_because: str | None = Field(
        description="Why only the version in use is told, from the copy that the service holds; null: all are."
    )


class CardOut(BaseModel):
    """The figures of a model's card."""

    model: ModelOut
    simulated: bool = Field(description="True: the figures prove that the machine works, and nothing else.")
    metrics: dict[str, Any] = Field(
        description="As reports/metrics.json: by model and rule, each figure with its 95% interval."
    )
    details: dict[str, Any] = Field(description="As reports/details.json: groups, leads, households, and more.")
    stale_because: str | None = Field(description="Why it is a copy; null when the registry gave it.")


class ReasonCount(BaseModel):
    """Faults of one kind."""

    column: str = Field(description="Of the register; several joined by + are its key.", examples=["height_cm"])
    reason: str = Field(description="In the contract's words.", examples=["outside the allowed range"])
    faults: int = Field(ge=1, description="[cells]", examples=[12])


class QuarantineOut(BaseModel):
    """What became of the rows of one register: `accepted + quarantined = read`."""

    register_name: str = Field(alias="register", description="Its name.", examples=["measurement"])
    title: str = Field(description="What it is.")
    absent: bool = Field(description="It was not handed over.")
    read: int = Field(ge=0, description="[rows]")
    accepted: int = Field(ge=0, description="[rows]")
    quarantined: int = Field(ge=0, description="[rows]; one may have several faults.")
    reasons: list[ReasonCount] = Field(description="The most frequent first.")


class QuarantinesOut(BaseModel):
    """The registers as they were taken in last."""

    registers: list[QuarantineOut]
    notes: list[str] = Field(description="What the data team should know besides.")
