"""Shapes of jobs; each field with its unit."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field, StrictBool

from serving.examples_jobs import SHA256
from serving.rows import DATE
from serving.schemas import Strict

RegisterName = Literal["household", "sanitation", "maternal", "pregnancy", "child", "measurement"]


class JobRequest(Strict):
    """A job to be made."""

    name: str = Field(
        min_length=1, max_length=100, description="What you call it; no person's name.", examples=["Posyandu Maret"]
    )
    as_of: DATE | None = Field(
        None,
        description="Date of knowledge: later rows are not seen. Null: each child as its newest row knew it.",
        examples=["2025-03-31"],
    )
    contributions: StrictBool = Field(
        default=False, description="Whether the result gives the contribution of every feature, too.", examples=[False]
    )


class JobFileOut(BaseModel):
    """An uploaded file, or what is there of one."""

    register_name: RegisterName = Field(description="The register that it holds.", examples=["household"])
    format: Literal["csv", "parquet", "xlsx"] | None = Field(
        description="By its Content-Type; null until it is whole.", examples=["csv"]
    )
    bytes_kept: int = Field(ge=0, description="What is on the disk. [bytes]", examples=[5242880])
    bytes_total: int = Field(ge=0, description="What the whole file has. [bytes]", examples=[5242880])
    complete: bool = Field(description="False: go on with the part that begins at `bytes_kept`.", examples=[True])
    sha256: str | None = Field(
        description="Of the whole file, in hexadecimal; null until it is whole.",
        examples=[SHA256],
    )


class JobRegisterOut(BaseModel):
    """A file of a job, and what became of its rows: `read` is what was accepted and `refused` together."""

    format: Literal["csv", "parquet", "xlsx"] = Field(description="Of the file.", examples=["csv"])
    bytes: int = Field(ge=0, description="Of the file. [bytes]", examples=[5242880])
    sha256: str = Field(
        description="Of the file, in hexadecimal.",
        examples=[SHA256],
    )
    read: int | None = Field(None, ge=0, description="Rows of it; null until it was read. [rows]", examples=[2596])
    refused: int | None = Field(
        None, ge=0, description="Rows that `/refused` names; null until it was read. [rows]", examples=[44]
    )
    notes: list[str] = Field(
        default=[], description="Columns that are absent or not known.", examples=[["Unknown columns, not read: nik."]]
    )


class ResultFileOut(BaseModel):
    """A file of a result."""

    bytes: int = Field(ge=0, description="Of the file. [bytes]", examples=[184320])
    sha256: str = Field(
        description="Of the file, in hexadecimal; also its ETag.",
        examples=[SHA256],
    )


class ResultOut(BaseModel):
    """What a job made."""

    rows: int = Field(ge=0, description="Of the result; a household has at least one. [rows]", examples=[1391])
    files: dict[str, ResultFileOut] = Field(
        description="By name; no `result.xlsx` where a sheet cannot hold the rows.",
        examples=[{"result.parquet": {"bytes": 184320, "sha256": SHA256}}],
    )  # fmt: skip


class FaultOut(BaseModel):
    """Why a job failed (RFC 9457)."""

    type: str = Field(description="What it is.", examples=["tepat:job-failed"])
    title: str = Field(description="In words.", examples=["The job could not be done."])
    status: int = Field(ge=400, le=599, description="The status that a request would have had.", examples=[422])
    detail: str = Field(description="What was found, and what is allowed.", examples=["Found: household.csv is empty."])
    remedy: str = Field(description="What to do.", examples=["Export or copy it again."])
    request_id: str = Field(description="The job.", examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"])


class JobOut(BaseModel):
    """A job: how far it is."""

    id: str = Field(description="Of the job.", examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"])
    name: str = Field(description="What its maker calls it.", examples=["Posyandu Maret"])
    state: Literal["open", "waiting", "running", "done", "failed", "cancelled"] = Field(
        description="`open` takes files; `waiting` has been started and waits for others.", examples=["running"]
    )
    created_at: dt.datetime = Field(description="When it was made. [UTC]", examples=["2025-04-01T02:00:00Z"])
    started_at: dt.datetime | None = Field(
        description="Null until it was started. [UTC]", examples=["2025-04-01T02:05:00Z"]
    )
    finished_at: dt.datetime | None = Field(
        description="Null until it is done, failed or cancelled. [UTC]", examples=["2025-04-01T02:09:00Z"]
    )
    as_of: dt.date | None = Field(
        description="As asked; null: each child as its newest row knew it.", examples=["2025-03-31"]
    )
    contributions: bool = Field(description="As asked.", examples=[False])
    files: dict[RegisterName, JobRegisterOut] = Field(description="By register.")
    households: int | None = Field(
        ge=0, description="To be scored; null until the files were read. [households]", examples=[1200]
    )
    households_done: int = Field(ge=0, description="Scored and kept. [households]", examples=[500])
    seconds_left: float | None = Field(
        ge=0, description="About how long scoring still takes; null while that is not known. [s]", examples=[12.5]
    )
    rows_read: int | None = Field(
        ge=0, description="Of all registers; null until the files were read. [rows]", examples=[15784]
    )
    rows_refused: int | None = Field(
        ge=0, description="Of these, those that `/refused` names; null before it is done. [rows]", examples=[458]
    )
    model_stamp: str | None = Field(
        description="The one model that makes the result; null until it began. If the model is changed in the midst, "
        "the job begins again with the new one.",
        examples=["determinants-0f3c9ad17b52"],
    )
    fault: FaultOut | None = Field(description="Null unless it failed.")
    result: ResultOut | None = Field(description="Null until it is done.")


class JobsPage(BaseModel):
    """Some of your jobs, newest first."""

    jobs: list[JobOut] = Field(description="Newest first.")
    next_before: str | None = Field(
        description="Ask for jobs `before` this one next; null at the end.",
        examples=["3f2b8c1d9e7a4c55b0d1e2f3a4b5c6d7"],
    )
