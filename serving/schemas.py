"""Shapes of requests and responses; each field with its unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from serving.policies import POLICY
from serving.rows import DATE, IDENTIFIER, WHOLE, WITHOUT_NAMES

Risk = Annotated[float, Field(ge=0, le=1)]
MaskedName = Annotated[
    str | None, Field(description="Name of the head as known now, masked: first letters and stars; null: none known.")
]


class Strict(BaseModel):
    """Refuses a field that it does not know."""

    model_config = ConfigDict(extra="forbid")


class HouseholdIn(Strict):
    """What is known of one household, as the contracts have it."""

    household_id: IDENTIFIER = Field(description="Your identifier of the household; never a NIK or a No KK.")
    as_of: DATE | None = Field(
        None, description="Date of knowledge: later rows are not seen. Null: each child as its newest row knew it."
    )
    registers: WITHOUT_NAMES = Field(description="Rows by register.")  # type: ignore[valid-type]


MOST_ROWS = 50_000
"""Register rows in one request: a thousand households with years of measurements have some 25,000."""


def _few_rows(asked: Any) -> Any:
    """Look before each row is checked: a fault in every one of a million would take minutes to tell."""
    homes = [one.get("registers") for one in asked if isinstance(one, dict)] if isinstance(asked, list) else []
    rows = sum(len(r) for home in homes if isinstance(home, dict) for r in home.values() if isinstance(r, list))
    if rows > MOST_ROWS:
        raise PydanticCustomError("too_many_rows", f"{rows:,} register rows; at most {MOST_ROWS:,} in one request")  # type: ignore[arg-type]  # not a literal
    return asked


class ScoreRequest(Strict):
    """One to 1,000 households."""

    households: Annotated[list[HouseholdIn], BeforeValidator(_few_rows)] = Field(min_length=1, max_length=1000)
    contributions: StrictBool = Field(
        default=False, description="Whether to give the contribution of every feature, too."
    )


class ReasonOut(BaseModel):
    """A fact that raises the risk."""

    feature: str = Field(description="Its name in docs/features.md.")
    text_id: str = Field(description="In Indonesian.")
    text_en: str = Field(description="In English.")
    weight: float = Field(description="What it, and those that say nearly the same, add. [log-odds]")


class ExplainedOut(BaseModel):
    """A risk: `base`, the weights of `reasons` and `rest` add up to `log_odds`, of which `risk` is the logistic."""

    risk: Risk = Field(description="Calibrated on the register's own level, not a survey's. [probability]")
    log_odds: float = Field(description="[log-odds]")
    base: float = Field(description="What the model says of a child of whom nothing is known. [log-odds]")
    rest: float = Field(description="What all else adds. [log-odds]")
    reasons: list[ReasonOut] = Field(description="Strongest first.")
    contributions: dict[str, float] | None = Field(description="By feature; null unless asked for. [log-odds]")


class UnitOut(BaseModel):
    """A child under five, or a pregnancy."""

    unit_id: str
    kind: Literal["child", "pregnancy"]
    child_id: str | None = Field(description="Null for a pregnancy.")
    mother_id: str | None = Field(description="Null when the mother is not known.")
    as_of: dt.date = Field(description="Date of knowledge.")
    age_months: float | None = Field(description="On `as_of`; null for a pregnancy. [months]")
    now: ExplainedOut | None = Field(description="Of being stunted on `as_of`; null for a pregnancy.")
    at_24m: ExplainedOut | None = Field(description="Of being stunted at 24 months, else as known; null from then on.")


class UrgentOut(BaseModel):
    """A child or a woman to refer at once, whatever any risk says."""

    child_id: str | None = Field(description="Null for a woman.")
    mother_id: str | None = Field(description="The woman; null for a child.")
    measured_on: dt.date | None = Field(description="Null for a woman, of whom only the record is dated.")
    recorded_on: dt.date
    why_id: str = Field(description="In Indonesian.")
    why_en: str = Field(description="In English.")


class HouseholdOut(BaseModel):
    """What is said of one household."""

    household_id: str
    risk_find: Risk | None = Field(
        description="That a child of it is stunted, its children taken as independent; null without one. [probability]"
    )
    risk_prevent: Risk | None = Field(
        description="The same at 24 months, of younger children and pregnancies; null without one. [probability]"
    )
    expected_stunted: float | None = Field(description="Sum of the children's risks; null without a child. [children]")
    units: list[UnitOut]
    urgent: list[UrgentOut] = Field(
        description="From the rows of `measurement` and `maternal`; empty also when there are none."
    )
    unscored: dict[str, str] = Field(description="Children who are not scored, and why.")
    freshest_on: dt.date | None = Field(description="Newest fact behind the risks; null when none is dated.")
    stalest_on: dt.date | None = Field(
        description="Oldest of the newest facts behind the risks; null when none is dated."
    )
    missing_registers: list[str] = Field(description="Registers without a row for some unit: its facts are unknown.")
    area_known: bool = Field(description="False: area and neighbours count as not known.")


class ModelOut(BaseModel):
    """The model in use."""

    name: str
    version: str = Field(description="In the registry.")
    stamp: str = Field(description="Name and digest: equal for equal models.")
    catalogue: str = Field(description="SHA-256 of the feature catalogue.")
    simulated: bool = Field(
        description="True: made from simulated registers; its figures say nothing of real children."
    )
    base_rate: Risk = Field(description="Share stunted among its training rows. [share]")
    stale_because: str | None = Field(description="Why the registry's champion is not the one in use; null when it is.")


class ScoreResponse(BaseModel):
    """One answer a household, in the order asked."""

    model: ModelOut
    households: list[HouseholdOut]


class WorklistRequest(Strict):
    """Which list to make, of the households that were scored last."""

    name: str = Field(min_length=1, max_length=100, description="What planners will call it; no person's name.")
    capacity: WHOLE | None = Field(
        None, ge=0, le=10_000_000, description="Households that can be visited; null: as params.yaml says."
    )
    regions: list[IDENTIFIER] | None = Field(
        None, min_length=1, max_length=1000, description="Regions that compete; null: all."
    )
    objective: Literal["find", "prevent"] | None = Field(
        None, description="Stunted now, or at 24 months; null: as params.yaml says."
    )
    policy: POLICY | None = Field(
        None,
        description="A programme's rule, as docs/policies.md explains, in place of `capacity`, `regions` and "
        "`objective`: the list is then a plan, with why each household is on it or not. Null: by risk alone.",
    )


class PlacesOut(BaseModel):
    """Regions with all their areas, and areas of others."""

    regions: list[str]
    areas: list[str]


class WorklistOut(BaseModel):
    """A list, without its lines; of a list of more than your regions, what it says of them."""

    id: str
    name: str
    created_at: dt.datetime
    objective: Literal["find", "prevent", "by_age"]
    made_by: str | None = Field(description="The account; null: of before there were accounts.")
    whole: bool = Field(
        description="False: the list is of more than your regions, and you see your part of it, ranked by itself."
    )
    capacity: int | None = Field(description="Null unless `whole`. [households]")
    eligible: int | None = Field(description="Households that competed; null unless `whole`. [households]")
    row_count: int = Field(description="Lines on the list, or on your part of it. [households]")
    regions: list[str] | None = Field(description="Null: every region of `scope` competed.")
    scope: PlacesOut | None = Field(description="Where its maker may look; null: everywhere, or not `whole`.")
    round_name: str = Field(description="Equal risks fall by a hash of it and the household.")
    model_stamp: str
    catalogue: str
    simulated: bool
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    policy_stamp: str | None = Field(description="Version and digest of its policy; null: it goes by risk alone.")
    plan_on: dt.date | None = Field(
        description="The day that a plan is made for: later records are not seen; null: it goes by risk alone."
    )


class LineOut(BaseModel):
    """A household on a list."""

    rank: int = Field(description="On the list, or on your part of it.")
    household_id: str
    masked_name: MaskedName
    region_id: str | None
    area_id: str | None
    area_name: str | None
    unit_count: int = Field(description="Children and pregnancies scored.")
    risk: Risk
    expected_stunted: float | None
    risk_find: Risk | None
    risk_prevent: Risk | None
    reasons_id: str | None
    reasons_en: str | None
    reasons_unit_id: str | None = Field(
        description="The child or pregnancy that the reasons are about; null without one."
    )
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    missing_registers: str | None = Field(description="Joined by `, `: its facts there are not known; null: none.")
    risk_low: Risk | None = Field(description="Lower end of the risk's interval; null without refits. [probability]")
    risk_high: Risk | None = Field(description="Upper end of the risk's interval; null as `risk_low`. [probability]")
    risk_survey: Risk | None = Field(description="The risk on a survey's level; null without a survey. [probability]")
    track: Literal["find", "prevent"] | None = Field(
        description="By which risk a plan counts it. This field and those below are null on a list by risk alone."
    )
    value: float | None = Field(description="Expected stunted children of it; null as `track`. [children]")
    chosen_for: str | None = Field(
        description="`value`, `exploration` (a lot), or the rule that it is here for; null as `track`."
    )
    chosen_for_id: str | None = Field(description="The same in Indonesian, or null.")
    chosen_for_en: str | None = Field(description="In English, or null.")
    chance: Risk | None = Field(
        description="Of being visited: 1, or less for those by lot; null, as `weight`, unless you see the whole list. "
        "[probability]"
    )
    weight: float | None = Field(description="One over `chance`, by which to count its outcome; null as `track`. [1]")
    services: str | None = Field(description="Codes of the services to hand over, joined by `; `; null as `track`.")
    services_id: str | None = Field(description="Their names in Indonesian, or null.")
    services_idr: int | None = Field(description="What they cost; null as `track`. [rupiah]")
    unmet: str | None = Field(
        description="Codes of services that it lacks and that the plan does not hand over; null as `track`."
    )
    unmet_id: str | None = Field(description="Their names in Indonesian, or null.")
    posyandu_id: str | None = Field(description="Where its children were measured last; null: not known.")


class WorklistPage(BaseModel):
    """A list and some of its lines."""

    worklist: WorklistOut
    lines: list[LineOut]
    next_after: int | None = Field(description="Ask for `after` this rank next; null at the end.")


class WorklistsPage(BaseModel):
    """Some of the lists, newest first."""

    worklists: list[WorklistOut]
    next_before: str | None = Field(description="Ask for lists `before` this one next; null at the end.")


class PublishedUnit(BaseModel):
    """A child or pregnancy as scored by the pipeline."""

    unit_id: str
    kind: Literal["child", "pregnancy"]
    as_of: dt.date
    age_months: float | None = Field(description="On `as_of`; null for a pregnancy. [months]")
    risk_now: Risk | None
    risk_at_24m: Risk | None
    log_odds: float = Field(description="Of `risk_now`; `contributions` add up to it. [log-odds]")
    reasons_id: str
    reasons_en: str
    reasons_24m_id: str
    reasons_24m_en: str
    contributions: dict[str, float] = Field(description="By feature, and `base`. [log-odds]")


class PublishedHousehold(BaseModel):
    """A household as scored by the pipeline."""

    household_id: str
    masked_name: MaskedName
    region_id: str | None
    area_id: str | None
    risk_find: Risk | None
    risk_prevent: Risk | None
    units: list[PublishedUnit]
    urgent: list[UrgentOut]
    freshest_on: dt.date | None
    stalest_on: dt.date | None
    missing_registers: str
    model_stamp: str
    simulated: bool
