"""What the field brought back, as files of registers that `tepat ingest` reads, and the corrections beside them."""

from __future__ import annotations

import zipfile
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from features.cells import guarded
from features.contracts import REGISTERS
from features.errors import InputRefused
from features.folders import write_whole
from serving.measuring import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from serving.field_store import Correction, Visit

SOURCE: Final = "tepat-field"
"""Stands in the column `source` of every row; a register does not read it."""
KINDS: Final = {
    "met": "visited", "refused": "visited", "not_home": "not_found", "not_found": "not_found", "moved": "moved",
}  # fmt: skip
"""Of an outcome: the code of the register `contact`. A family that declines was met; an objection is a decision."""
VISITED: Final = tuple(outcome for outcome, kind in KINDS.items() if kind == "visited")
"""Outcomes of a visit that the register counts as one."""
CORRECTIONS: Final = "corrections"
OF_CORRECTIONS: Final = (
    "id", "household_id", "register", "person_id", "fact", "recorded_on", "old", "new", "why", "account", "made_at",
)  # fmt: skip


def exported(visits: Iterable[Visit], corrections: Iterable[Correction], *, zone: str) -> dict[str, pd.DataFrame]:
    """By file: the rows of `measurement`, `service` and `contact` that visits made, and the corrections.

    Of two measurements of a child on one day the one that was noted last counts, as the register holds one.

    Parameters
    ----------
    zone
        Of the district's clock, by which a row is dated.
    """
    clock = ZoneInfo(zone)
    rows: dict[str, list[dict[str, Any]]] = {"measurement": [], "service": [], "contact": []}
    for visit in visits:
        # Never before it happened, whatever the clocks say.
        dated = {"recorded_on": max(visit.visited_on, visit.made_at.astimezone(clock).date()), "source": SOURCE}
        rows["measurement"] += [_measurement(one, visit) | dated for one in visit.measured]
        rows["service"] += [_receipt(one, visit, n) | dated for n, one in enumerate(visit.given, start=1)]
        rows["contact"].append(_contact(visit) | dated)
    made = {name: _table(name, found) for name, found in rows.items()}
    made["measurement"] = made["measurement"].drop_duplicates(["child_id", "measured_on"], keep="last")
    asked = [asdict(one) for one in corrections]
    return made | {CORRECTIONS: pd.DataFrame(asked, columns=list(OF_CORRECTIONS)).assign(source=SOURCE)}


def write_folder(tables: Mapping[str, pd.DataFrame], out: Path) -> None:
    """Write each table as CSV into a folder that is not there yet; whole or not at all.

    Raises
    ------
    InputRefused
        The folder is there.
    """
    if out.exists():
        raise InputRefused(f"{out} is there already", "a folder that is not there yet", "Name another.")

    def write(folder: Path) -> None:
        for name, table in tables.items():
            (folder / f"{name}.csv").write_text(_csv(name, table), encoding="utf-8", newline="")

    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, write)


def write_zip(tables: Mapping[str, pd.DataFrame], into: IO[bytes]) -> None:
    """Write the same files into one, as a browser takes them."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, table in tables.items():
            packed.writestr(f"{name}.csv", _csv(name, table))


def _csv(name: str, table: pd.DataFrame) -> str:
    safe = table.apply(guarded) if name == CORRECTIONS else table  # texts that were typed
    return str(safe.to_csv(index=False))


def _measurement(one: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    # The register takes no score that is marked as implausible.
    scores = {name: None if name in one["again"] else one[name] for name in ("haz", "whz")}
    facts = {name: one["facts"].get(name) for name in FACTS}
    facts["oedema"] = None if facts["oedema"] is None else int(facts["oedema"])
    return {"child_id": one["child_id"], "measured_on": visit.visited_on} | facts | scores


def _receipt(one: Mapping[str, Any], visit: Visit, number: int) -> dict[str, Any]:
    return {
        "receipt_id": f"tepat-{visit.id}-{number}", "household_id": visit.household_id, "person_id": one["person_id"],
        "service": one["service"], "received_on": visit.visited_on,
    }  # fmt: skip


def _contact(visit: Visit) -> dict[str, Any]:
    return {
        "contact_id": f"tepat-{visit.id}", "household_id": visit.household_id, "person_id": None,
        "happened_on": visit.visited_on, "kind": KINDS[visit.outcome],
    }  # fmt: skip


def _table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*REGISTERS[name].names, "source"])
