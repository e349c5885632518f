"""The folder of a plan and the registers of today -> what became of it, as labels with their weights."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.build import read_registers
from features.errors import InputRefused
from features.folders import write_text
from targeting.births import births_of
from targeting.export import FORMULA_STARTS, write_csv
from targeting.outcomes import UNIT, followed_up, judged, told
from targeting.plan_files import SUMMARY

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings
    from targeting.outcomes import Judged

LABELS, ACCOUNT = "outcomes.csv", "outcomes.json"
LINES, LEFT_OUT, UNITS = "plan.csv", "left_out.csv", "units.csv"
READ: Final = ("child", "pregnancy", "measurement")
"""Registers that an outcome is made of."""
NUMBERS: Final = ("chance", "weight", "value", "risk_now", "risk_at_24m")
MATCHED: Final = 0.5
"""Where the registers know fewer of a plan's households, they are others than those it was made of. [0-1]"""
OTHER_FOLDER: Final = "Name the folder that `tepat plan` wrote, as it wrote it."


@dataclass(frozen=True, eq=False)
class _Made:
    """A plan as its folder keeps it.

    Parameters
    ----------
    units
        `outcomes.UNIT` of all scored units, as they stood when it was made.
    competing
        household_id of all that could have been visited.
    """

    said: dict[str, Any]
    on: dt.date
    lines: pd.DataFrame
    units: pd.DataFrame
    competing: pd.Series


def follow_up(settings: Settings, folder: Path, *, out: Path | None = None) -> Judged:
    """Write a plan's `outcomes.csv` and `outcomes.json` into `<folder>-outcomes` or `out`; print what they come to.

    `outcomes.json` is written last: where it stands, both are whole and of each other.

    Raises
    ------
    InputRefused
        The folder holds no plan or an altered one, or the registers of today are of other households.
    """
    made = _made(folder)
    registers = _registers(settings)
    _refuse_others(made, registers["household"], settings)
    followed = followed_up(
        made.lines, made.units, registers["measurement"],
        births=births_of(registers["child"], registers["pregnancy"]), on=made.on, window=settings.outcome,
    )  # fmt: skip
    found = judged(followed, lines=made.lines, units=made.units, competing=made.competing)
    notes = _notes(made, registers["measurement"], settings)
    place = out or folder.with_name(f"{folder.name}-outcomes")
    if place.exists() and not place.is_dir():
        raise InputRefused(f"{place} is a file", "a folder for the outcomes", "Give a folder with --out.")
    place.mkdir(parents=True, exist_ok=True)
    (place / ACCOUNT).unlink(missing_ok=True)
    write_csv(followed, place / LABELS)
    account = _account(made, found, settings) | {"notes": notes, "tables": {LABELS: _digest(place / LABELS)}}
    write_text(place / ACCOUNT, json.dumps(account, indent=1, ensure_ascii=False) + "\n")
    for line in (*told(found), *(f"- {note}" for note in notes)):
        print(line)
    return found


def _made(folder: Path) -> _Made:
    said, on, marks = _summary(folder)
    lines, left_out, units = (_table(folder / name, marks.get(name)) for name in (LINES, LEFT_OUT, UNITS))
    competing = pd.concat([lines.household_id, left_out.household_id[left_out.value.notna()]], ignore_index=True)
    return _Made(said, on, lines, units[list(UNIT)], competing)


def _summary(folder: Path) -> tuple[dict[str, Any], dt.date, dict[str, str]]:
    """What the plan is of, its day, and the SHA-256 of its tables."""
    try:
        said = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return said, dt.date.fromisoformat(said["on"]), dict(said["tables"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputRefused(
            f"no plan that can be read in {folder} ({type(fault).__name__})", f"a folder with {SUMMARY}", OTHER_FOLDER
        ) from fault


def _table(path: Path, mark: str | None) -> pd.DataFrame:
    """A table as `export.write_csv` wrote it; identifiers stay text, whatever they look like."""
    if not path.exists():
        raise InputRefused(f"no {path}", f"the tables beside {SUMMARY}", OTHER_FOLDER)
    if _digest(path) != mark:
        raise InputRefused(
            f"another {path.name} in {path.parent} than {SUMMARY} is of",
            "the tables of a plan unaltered, for its chances are the weights of what is learned from it",
            f"{OTHER_FOLDER} A spreadsheet that saved the table has changed it; keep notes in a copy.",
        )
    rows = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    rows = rows.astype(dict.fromkeys(rows.columns.intersection([*NUMBERS]), "float64"))
    for name in rows.columns.intersection(["household_id", "unit_id", "child_id", "mother_id"]):
        shielded = rows[name].str[:1].eq("'") & rows[name].str[1:2].isin(FORMULA_STARTS)
        rows[name] = rows[name].where(~shielded, rows[name].str[1:])
    return rows


def _registers(settings: Settings) -> dict[str, pd.DataFrame]:
    interim = settings.paths.interim
    missing = [name for name in ("household", *READ) if not (interim / f"{name}.parquet").exists()]
    if missing:
        raise InputRefused(
            f"no register {', '.join(missing)} in {interim}", "accepted registers", "Run `tepat ingest` first."
        )
    return read_registers(interim)


def _refuse_others(made: _Made, household: pd.DataFrame, settings: Settings) -> None:
    planned, today = ("simulated" if so else "real" for so in (made.said.get("simulated"), settings.source.simulated))
    if planned != today:
        raise InputRefused(
            f"a plan of {planned} households, and {today} registers",
            "registers of the households that were planned for",
            "Ingest the registers of this plan, or name another plan.",
        )
    here = made.lines.household_id.isin(household.household_id)
    if len(here) and here.mean() < MATCHED:
        raise InputRefused(
            f"{int(here.sum()):,} of the {len(here):,} households of the plan in the register `household`",
            f"at least {MATCHED:.0%} of them",
            "Ingest the registers of this plan, with identifiers made by the same key, or name another plan.",
        )


def _notes(made: _Made, measured: pd.DataFrame, settings: Settings) -> list[str]:
    """What a data officer should know of these outcomes."""
    last = made.on + dt.timedelta(days=settings.outcome.to_days)
    newest = measured.measured_on.max()
    notes = ["whose outcome is missing for a reason (a family that moved or is never at home) no weight stands for"]
    if pd.isna(newest) or newest.date() < last:
        until = "there is none yet" if pd.isna(newest) else f"the newest measurement is of {newest:%Y-%m-%d}"
        notes.append(f"outcomes count until {last}, and {until}: more may come")
    if made.said.get("simulated"):
        notes.append("simulated: nobody in it exists, and nothing is shown of the model")
    return notes


def _account(made: _Made, found: Judged, settings: Settings) -> dict[str, Any]:
    said, window = made.said, settings.outcome
    days = {name: str(made.on + dt.timedelta(days=days)) for name, days in window.model_dump().items()}
    homes = {name: asdict(getattr(found, name)) for name in ("unchosen", "everyone")}
    return {
        "plan": {name: said.get(name) for name in ("policy_stamp", "on", "model_stamp", "simulated")},
        "round": said.get("policy", {}).get("round"),
        "window": window.model_dump() | {"from": days["from_days"], "to": days["to_days"]},
        "found": asdict(found) | {name: of | {"model": getattr(found, name).model} for name, of in homes.items()},
        "fingerprints": {
            f"{name}.parquet": _digest(settings.paths.interim / f"{name}.parquet") for name in ("household", *READ)
        },
    }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
