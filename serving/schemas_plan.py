"""Shapes of plans and decisions; each field with its unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from serving.decisions import Kind
from serving.rows import DAY, IDENTIFIER
from serving.schemas import LineOut, MaskedName, Risk, Strict, WorklistOut


def _day(value: Any) -> dt.date:
    """A day, which may be still to come."""
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "not a date, YYYY-MM-DD")


TO_COME = Annotated[dt.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL


class FiguresOut(BaseModel):
    """What a plan comes to."""

    competing: int = Field(description="Households that could be chosen.")
    expected: float = Field(description="Expected stunted children among them. [children]")
    visits: int = Field(description="Of the round. [households]")
    by_lot: int = Field(description="Of them by lot. [households]")
    reached: float = Field(description="Expected stunted children of the households visited. [children]")
    worth: float = Field(description="What was maximised: children reached, and services handed over. [children]")
    bound: float = Field(description="No plan under the same limits is worth more. [children]")
    gap: float = Field(description="How far `worth` is below `bound`, as a share of it. [share]")
    method: Literal["exact", "relaxed and rounded", "greedy"]
    cost_idr: dict[str, int] = Field(description="Of the visits, and of the services by owner. [rupiah]")


class LimitOut(BaseModel):
    """A limit that binds, or whose loosening would reach more."""

    rule: str = Field(description="Of the policy.")
    place: str = Field(description="That it is about; empty for all.")
    unit: Literal["visits", "rupiah"]
    least: float
    most: float | None = Field(description="Null: no upper limit. [as `unit`]")
    used: float
    price: float = Field(description="What one more of `most`, or one fewer of `least`, would add, about. [children]")
    limit_id: str = Field(description="In Indonesian.")
    limit_en: str = Field(description="In English.")
    price_id: str = Field(description="Empty where it changes nothing.")
    price_en: str


class PlanOut(WorklistOut):
    """A list made by a policy, without its lines."""

    policy: dict[str, Any] = Field(description="Every rule, those too that were left at what they are by default.")
    figures: FiguresOut
    notes: list[str] = Field(description="What a planner should know of it.")
    limits: list[LimitOut] = Field(description="The dearest first, at most 200.")
    fingerprints: dict[str, str] = Field(description="SHA-256 of every file that it was made of, by name.")


class LeftOutOut(BaseModel):
    """A household with a score that a plan does not visit."""

    household_id: str
    masked_name: MaskedName
    region_id: str | None
    area_id: str | None
    track: Literal["find", "prevent"] | None = Field(description="Null, as the next two, when it did not compete.")
    risk: Risk | None
    value: float | None = Field(description="Expected stunted children of it; null when it did not compete. [children]")
    kept_out_by: str = Field(description="A rule of the policy, or why it did not compete.")
    place: str = Field(description="That the rule is about; empty for all.")
    short_by: float | None = Field(description="What its value lacks; null unless you see the whole list. [children]")
    why_id: str = Field(description="In Indonesian.")
    why_en: str = Field(description="In English.")


class LeftOutPage(BaseModel):
    """Some of the households that a plan leaves out, by identifier."""

    households: list[LeftOutOut]
    next_after: str | None = Field(description="Ask for `after` this household next; null at the end.")


class ToReferOut(BaseModel):
    """A child or a woman to refer at once, as the urgent list stood when the plan was made."""

    household_id: str | None
    masked_name: MaskedName
    region_id: str | None
    area_id: str | None
    child_id: str | None = Field(description="Null for a woman.")
    mother_id: str | None = Field(description="The woman; null for a child.")
    measured_on: dt.date | None = Field(description="Null for a woman, of whom only the record is dated.")
    recorded_on: dt.date
    why_id: str = Field(description="In Indonesian.")
    why_en: str = Field(description="In English.")


class ToRefer(BaseModel):
    """The urgent list of a plan."""

    urgent: list[ToReferOut] = Field(description="All of them, of all your regions; their order says nothing.")


class OnTheList(BaseModel):
    """Whether a household is on a list, and why."""

    household_id: str
    on_list: bool
    line: LineOut | None = Field(description="Null when it is left out.")
    left_out: LeftOutOut | None = Field(description="Null when it is on the list.")
    urgent: list[ToReferOut] = Field(description="Its children and women to refer at once; of plans only.")


DECIDING: dict[str, Any] = {
    "worklist_id": "3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7", "household_id": "home-17", "kind": "defer",
    "reason": "Keluarga sedang di luar kota", "until": "2099-03-01", "decided_by": "Puskesmas Contoh",
}  # fmt: skip


MOST_REASON: Final = 1_000
MOST_DECIDER: Final = 100
"""Characters of a reason, and of who decided."""


class DecisionRequest(Strict):
    """What an officer decided of a household on a list, or of one that the list leaves out."""

    model_config = Strict.model_config | {"json_schema_extra": {"examples": [DECIDING]}}

    worklist_id: str = Field(min_length=1, max_length=64)
    household_id: IDENTIFIER
    kind: Kind = Field(
        description="accept: as the list says. override: otherwise than it says. defer: not before a day. object: the "
        "family objects. withdraw: an objection or a deferral is over."
    )
    reason: Annotated[str, Field(max_length=MOST_REASON, pattern=TEXT)] | None = Field(
        None, description="Needed to override, defer and object, else may be null; nobody's name or NIK."
    )
    until: TO_COME | None = Field(None, description="Last day of a deferral; null of anything else.")
    decided_by: str = Field(
        min_length=1, max_length=MOST_DECIDER, pattern=TEXT, description="A user name or an office; no person's NIK."
    )


class DecisionOut(BaseModel):
    """A decision as it was kept."""

    id: str
    worklist_id: str
    household_id: str
    kind: Kind
    reason: str | None
    until: dt.date | None
    decided_by: str
    account: str | None = Field(description="Who was signed in; null: of before there were accounts.")
    decided_at: dt.datetime
    model_stamp: str
    policy_stamp: str | None = Field(description="Null: of a list by risk alone.")
    on_list: bool = Field(description="Whether the household stood on the list; else the plan left it out.")
    line: dict[str, Any] = Field(description="Its line, or why it was left out, as that stood.")


class DecisionsPage(BaseModel):
    """Some of the decisions, newest first."""

    decisions: list[DecisionOut]
    next_before: str | None = Field(description="Ask for decisions `before` this one next; null at the end.")
