"""What settings and declarations are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen settings that refuse a key they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
