"""Uploaded files of a job -> the facts of each household, and why rows were refused; a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.cells import guarded as harmless
from features.errors import InputRefused
from features.settings import load
from serving.access.scope import scope_of
from serving.jobs.checking import absent, check
from serving.jobs.child import guarded
from serving.jobs.folder import ACCOUNT, REFUSED_FILE, JobFolder, digest, put
from serving.jobs.homes import group
from serving.rows import SCORED_FROM

if TYPE_CHECKING:
    from pathlib import Path

ORDER = "order.json"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a job asks.

    Parameters
    ----------
    files
        By register: `sha256` and `format`.
    as_of
        A day, or None.
    scope
        As `Scope.as_json` tells it.
    """

    files: dict[str, dict[str, Any]]
    as_of: str | None
    scope: dict[str, Any] | None
    today: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What came of the files: by register `read`, `refused` and `notes`; `read` is what was accepted and refused."""

    households: int
    registers: dict[str, dict[str, Any]]

    @property
    def rows_read(self) -> int:
        """Of every register."""
        return sum(one["read"] for one in self.registers.values())

    @property
    def rows_refused(self) -> int:
        """Of every register."""
        return sum(one["refused"] for one in self.registers.values())


def account_of(job: JobFolder) -> Account | None:
    """What came of the files; None until they are prepared."""
    path = job.prepared / ACCOUNT
    return Account(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def work(folder: Path) -> None:
    """Prepare the job in `folder`, whole or not at all."""
    job = JobFolder(folder)
    order = Order(**json.loads((folder / ORDER).read_text(encoding="utf-8")))
    half = folder / "prepared.part"
    shutil.rmtree(half, ignore_errors=True)
    (half / "accepted").mkdir(parents=True)
    lines, registers = [], {}
    for name in SCORED_FROM:
        said, faults = _checked(job, order, name, half)
        if said:
            registers[name] = said
            lines.append(faults)
    as_of = None if order.as_of is None else dt.datetime.fromisoformat(order.as_of)
    areas = load().paths.interim / "area.parquet"
    if not areas.exists():
        raise InputRefused("no register of areas", "data/interim/area.parquet", "Run `make run` on the server first.")
    grouped = group(half, areas=areas, scope=scope_of(order.scope), as_of=as_of)
    for name, said in registers.items():
        said["refused"] += int((grouped.refused.register == name).sum())
    _write_refused(pd.concat([*lines, grouped.refused], ignore_index=True), half / REFUSED_FILE)
    account = Account(households=grouped.households, registers=registers)
    (half / ACCOUNT).write_text(json.dumps(asdict(account)), encoding="utf-8")
    shutil.rmtree(half / "accepted")
    shutil.rmtree(half / "spill", ignore_errors=True)
    put(half, job.prepared)


def _checked(job: JobFolder, order: Order, name: str, half: Path) -> tuple[dict[str, Any], pd.DataFrame | None]:
    kept = order.files.get(name)
    to = partial(pd.DataFrame.to_parquet, path=half / "accepted" / f"{name}.parquet", index=False)
    if kept is None:
        to(absent(name))
        return {}, None
    path = job.upload(name, sha256=kept["sha256"], kind=kept["format"])
    if digest(path) != kept["sha256"]:
        raise InputRefused(f"{path.name} is not as it was uploaded", "the same bytes", "Make the job again.")
    made = check(path, name, today=dt.date.fromisoformat(order.today))
    to(made.accepted)
    return {"read": made.read, "refused": made.refused_rows, "notes": list(made.notes)}, made.refused


def _write_refused(lines: pd.DataFrame, path: Path) -> None:
    order = {name: n for n, name in enumerate(SCORED_FROM)}
    ordered = lines.assign(_n=lines.register.map(order)).sort_values(["_n", "row"], kind="stable").drop(columns="_n")
    ordered.apply(harmless).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


if __name__ == "__main__":
    guarded(work)
