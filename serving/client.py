"""A small typed client of the API, for other systems in Python.

It repeats what is safe to repeat: a request that met a full line or a part that was away is sent again when the service
said so, and one that makes something carries a key, by which the service knows it again. It comes with Tepat itself.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from serving.schemas import (
    LineOut,
    ModelOut,
    PublishedHousehold,
    ScoreResponse,
    WorklistOut,
    WorklistPage,
    WorklistsPage,
)
from serving.schemas_jobs import JobOut
from serving.schemas_plan import DecisionOut, PlanOut
from serving.schemas_service import ProblemOut

Shape = TypeVar("Shape", bound=BaseModel)
AGAIN = (429, 503)
KINDS = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PAUSE_S = 1.0
LONGEST_S = 180.0
"""A plan may wait two minutes for others."""


class Refused(Exception):
    """The service's own words: what was found, and what to do."""

    def __init__(self, problem: ProblemOut) -> None:
        super().__init__(f"{problem.status} {problem.detail} {problem.remedy}")
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Tepat:
    """The service at an address.

    Parameters
    ----------
    address
        Such as `https://tepat.example`.
    key
        An API key or an access token; None where nobody is asked.
    purpose
        Why, for the trail; None to say nothing.
    patience_s
        How long to try again while the service is busy or away. [s]
    """

    address: str
    key: str | None = field(default=None, repr=False)
    purpose: str | None = None
    patience_s: float = 300.0
    http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        said = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        sent = [(name.encode(), text.encode()) for name, text in said.items()]
        sent += [(b"X-Purpose", self.purpose.encode())] if self.purpose else []
        object.__setattr__(self, "http", httpx.Client(base_url=self.address, headers=sent, timeout=LONGEST_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def model(self) -> ModelOut:
        """The model in use."""
        return _read(ModelOut, self.ask("GET", "/v1/model"))

    def score(self, households: Sequence[Mapping[str, Any]], *, contributions: bool = False) -> ScoreResponse:
        """Risk and reasons of 1 to 1,000 households, in the order asked; see `POST /v1/score`."""
        asked = {"households": list(households), "contributions": contributions}
        return _read(ScoreResponse, self.ask("POST", "/v1/score", json=asked))

    def household(self, household_id: str) -> PublishedHousehold:
        """A household as the pipeline scored it last."""
        return _read(PublishedHousehold, self.ask("GET", f"/v1/households/{quote(household_id, safe='')}"))

    def make_list(self, name: str, **choice: Any) -> WorklistOut:
        """Make a list and keep it: by `capacity`, `regions` and `objective`, or a plan by `policy`."""
        made = self.ask("POST", "/v1/worklists", json={"name": name, **choice}, key=uuid.uuid4().hex)
        return _read(PlanOut if "policy" in choice else WorklistOut, made)

    def lists(self) -> Iterator[WorklistOut]:
        """Every list, newest first."""
        before: dict[str, str] = {}
        while True:
            page = _read(WorklistsPage, self.ask("GET", "/v1/worklists", params=before))
            yield from page.worklists
            if page.next_before is None:
                return
            before = {"before": page.next_before}

    def lines(self, list_id: str, *, region: str | None = None) -> Iterator[LineOut]:
        """The lines of a list, by rank."""
        asked: dict[str, str | int] = {"limit": 1000, **({"region": region} if region else {})}
        while True:
            page = _read(WorklistPage, self.ask("GET", f"/v1/worklists/{quote(list_id, safe='')}", params=asked))
            yield from page.lines
            if page.next_after is None:
                return
            asked["after"] = page.next_after

    def decide(self, list_id: str, household_id: str, kind: str, *, decided_by: str, **more: Any) -> DecisionOut:
        """Keep what was decided of a household; `more` are `reason` and `until`."""
        asked = {"worklist_id": list_id, "household_id": household_id, "kind": kind, "decided_by": decided_by, **more}
        return _read(DecisionOut, self.ask("POST", "/v1/decisions", json=asked, key=uuid.uuid4().hex))

    def score_files(self, name: str, files: Mapping[str, Path]) -> JobOut:
        """Begin to score whole registers, by their names; ask `job` how far it is.

        Parameters
        ----------
        files
            CSV, Parquet or XLSX by register, as docs/registers.md lays them out.

        Raises
        ------
        ValueError
            A file's name ends otherwise; nothing was sent.
        """
        kinds = {register: _kind(path) for register, path in files.items()}
        job = _read(JobOut, self.ask("POST", "/v1/jobs", json={"name": name}, key=uuid.uuid4().hex))
        for register, path in files.items():
            at = f"/v1/jobs/{job.id}/files/{quote(register, safe='')}"
            with path.open("rb") as file:
                self.ask("PUT", at, content=file, headers={"Content-Type": kinds[register]})
        return _read(JobOut, self.ask("POST", f"/v1/jobs/{job.id}/start", key=uuid.uuid4().hex))

    def job(self, job_id: str) -> JobOut:
        """How far a job is."""
        return _read(JobOut, self.ask("GET", f"/v1/jobs/{job_id}"))

    def result(self, job_id: str, *, kind: str = "csv") -> bytes:
        """The file that a finished job made: `csv`, `parquet` or `xlsx`."""
        return self.ask("GET", f"/v1/jobs/{job_id}/result", params={"format": kind}).content

    def ask(self, method: str, path: str, *, key: str | None = None, **request: Any) -> httpx.Response:
        """Any request; sent again for `patience_s` at most while the service says that it is busy or away.

        When no answer came, it is sent again only if that cannot do a thing twice: a read, a score, or with a `key`.

        Raises
        ------
        Refused
            The service refuses it.
        httpx.HTTPStatusError
            Something in between refuses it.
        httpx.TransportError
            It cannot be reached.
        """
        headers = dict(request.pop("headers", {})) | ({"Idempotency-Key": key} if key else {})
        again = method in ("GET", "HEAD") or key is not None or path == "/v1/score"
        until = time.monotonic() + self.patience_s
        while True:
            try:
                answer = self.http.request(method, path, headers=headers, **request)
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # the request itself is at fault
            except httpx.TransportError:
                if not again or time.monotonic() > until:
                    raise
                time.sleep(PAUSE_S)
                continue
            if answer.status_code not in AGAIN or "content" in request or time.monotonic() > until:
                return _taken(answer)
            time.sleep(min(_pause_s(answer), max(0.0, until - time.monotonic())))


def _kind(path: Path) -> str:
    try:
        return KINDS[path.suffix.lower()]
    except KeyError as fault:
        raise ValueError(f"{path.name} ends in none of {', '.join(KINDS)}.") from fault


def _pause_s(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else PAUSE_S  # else a date, or nothing


def _taken(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = ProblemOut.model_validate_json(answer.content)
    except ValidationError:
        answer.raise_for_status()
        raise
    raise Refused(problem)


def _read(shape: type[Shape], answer: httpx.Response) -> Shape:
    return shape.model_validate_json(answer.content)
