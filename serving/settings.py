"""What changes machines, not results: read from the environment once, at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TEPAT_"


class Service(BaseModel):
    """How this machine serves; each field is `TEPAT_<NAME>` in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on; anything else is seen by other machines.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str = Field(default="sqlite:///data/serving/tepat.db", description="Where published lists are kept.")
    model_name: str = Field(default="determinants", description="Name of the model in the registry.")
    reload_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="How often the champion and the scores are looked at. [s]"
    )
    max_body_mib: float = Field(default=8.0, gt=0, le=1024, description="Largest request that is read. [MiB]")
    batch_households: int = Field(default=256, ge=1, le=1000, description="Most households that are scored at once.")
    queue_households: int = Field(
        default=20_000, ge=1000, description="Households waiting beyond which a request is sent away."
    )


def load(environment: Mapping[str, str]) -> Service:
    """The service's settings.

    Raises
    ------
    InputRefused
        A value cannot be used; the message names its variable.
    """
    names = {PREFIX + name.upper(): name for name in Service.model_fields}
    given = {name: environment[variable] for variable, name in names.items() if environment.get(variable)}
    try:
        return Service.model_validate(given)
    except ValidationError as fault:
        wrong = "; ".join(f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in fault.errors())
        raise InputRefused(
            f"settings in the environment that do not hold: {wrong}",
            ", ".join(f"{variable} ({Service.model_fields[name].description})" for variable, name in names.items()),
            "Correct or unset the variable.",
        ) from fault
