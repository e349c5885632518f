"""What changes machines, not results: read from the environment once, at start-up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TEPAT_"


class Service(BaseModel):
    """How this machine serves; each field is `TEPAT_<NAME>` in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on; anything else is seen by other machines.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: SecretStr = Field(
        default=SecretStr("sqlite:///data/serving/tepat.db"),
        description="Where lists, decisions, accounts and the trail are kept: sqlite:///file or postgresql://...",
    )
    folder: Path = Field(default=Path("data/serving"), description="Copies, uploads and keys of the service.")
    model_name: str = Field(default="determinants", description="Name of the model in the registry.")
    reload_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="How often the champion and the scores are looked at. [s]"
    )
    max_body_mib: float = Field(default=8.0, gt=0, le=1024, description="Largest request that is read. [MiB]")
    max_upload_mib: float = Field(
        default=512.0, gt=0, description="Largest file of a job, or hand-over of registers on the page. [MiB]"
    )
    read_seconds: float = Field(default=30.0, gt=0, description="Longest that a request may take to arrive. [s]")
    most_connections: int = Field(
        default=500, ge=1, le=10_000, description="Open connections beyond which a request is sent away."
    )
    batch_households: int = Field(default=256, ge=1, le=1000, description="Most households that are scored at once.")
    queue_households: int = Field(
        default=20_000, ge=1000, description="Households waiting beyond which a request is sent away."
    )
    scorers: int = Field(default=2, ge=1, le=64, description="Processes that score.")
    access: Literal["auto", "open", "closed"] = Field(
        default="auto",
        description="`closed` asks everybody who they are; `open` nobody, on this machine only; `auto` is open on this "
        "machine until there is an account.",
    )
    public_url: str | None = Field(
        default=None, pattern=r"^https?://[^/]+$", description="Address that others use, such as https://tepat.example."
    )
    session_hours: float = Field(default=12, gt=0, le=168, description="Longest time signed in. [h]")
    idle_minutes: float = Field(default=60, gt=0, description="Time without a request that signs out. [min]")
    lock_after: int = Field(default=5, ge=1, description="Wrong passwords that lock an account.")
    lock_minutes: float = Field(default=15, gt=0, description="For how long. [min]")
    per_minute: int = Field(default=600, ge=1, description="Requests of one person in a minute.")
    per_minute_system: int = Field(default=60_000, ge=1, description="Requests of one system in a minute.")
    sign_ins_per_minute: int = Field(default=20, ge=1, description="Tries to sign in from one address in a minute.")
    refused_per_minute: int = Field(
        default=60, ge=1, description="Sessions, keys and tokens that do not hold, from one address in a minute."
    )
    oidc_issuer: str | None = Field(
        default=None, description="Address of the identity provider: https, or http on this machine."
    )
    oidc_client_id: str | None = Field(default=None, description="Our name at the identity provider.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Our secret there.")
    letterhead: str | None = Field(
        default=None,
        max_length=1000,
        description="Lines at the head of a printed list, joined by a vertical bar or line by line.",
    )
    time_zone: str = Field(
        default="Asia/Jakarta", description="Of the clock on the pages: Asia/Jakarta, Asia/Makassar or Asia/Jayapura."
    )
    boundaries: str | None = Field(
        default=None,
        max_length=4000,
        description="Map of kecamatan and desa: a folder of GeoJSON files, or such files joined by a vertical bar; a "
        "grid of tiles stands in for it.",
    )
    keep_lists_days: int = Field(default=1095, ge=1, description="Age at which retention drops a list. [days]")
    keep_scores_days: int = Field(
        default=1095, ge=1, description="Age at which retention drops the scores of a run; the newest stay. [days]"
    )
    keep_jobs_days: int = Field(
        default=30,
        ge=1,
        description="Age at which retention drops a job's files, or registers handed over and not used. [days]",
    )

    def now(self) -> dt.datetime:
        """The moment on the district's clock, whose day it is for everybody there."""
        return dt.datetime.now(tz=ZoneInfo(self.time_zone))


def load(environment: Mapping[str, str]) -> Service:
    """The service's settings.

    Raises
    ------
    InputRefused
        A value cannot be used; the message names its variable.
    """
    names = {PREFIX + name.upper(): name for name in Service.model_fields}
    given = {name: environment[variable] for variable, name in names.items() if environment.get(variable)}
    given |= {names[variable]: _from_file(file) for variable, file in _files(names, environment) if file}
    try:
        return Service.model_validate(given)
    except ValidationError as fault:
        wrong = "; ".join(f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in fault.errors())
        raise InputRefused(
            f"settings in the environment that do not hold: {wrong}",
            ", ".join(f"{variable} ({Service.model_fields[name].description})" for variable, name in names.items()),
            "Correct or unset the variable.",
        ) from fault


def _files(names: Mapping[str, str], environment: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Every setting may be told by a file: `TEPAT_<NAME>_FILE` is its path; a secret in it stands in no environment."""
    both = [variable for variable in names if environment.get(variable) and environment.get(f"{variable}_FILE")]
    if both:
        raise InputRefused(f"{both[0]} and {both[0]}_FILE", "one of them", "Unset the other.")
    return [(variable, environment.get(f"{variable}_FILE")) for variable in names]


def _from_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise InputRefused(f"{path} cannot be read", "a file that holds the setting alone", "Check it.") from fault
