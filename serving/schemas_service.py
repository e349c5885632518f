"""Shapes of what the service says of itself: a refusal, and whether it runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class ProblemOut(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What was found.")
    remedy: str = Field(description="What to do.")
    request_id: str
    errors: list[dict[str, Any]] | None = Field(
        None, description="Every cell at fault: what is allowed, and why; null when it is not about cells."
    )


class Health(BaseModel):
    """Whether the service runs, or can answer."""

    status: Literal["ok", "not ready"]
    reasons: list[str] = Field(description="Why it cannot answer in full; empty when it can.")
