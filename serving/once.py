"""A request without a server: the same facts, the same model, the same answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from features.build import read_registers
from features.errors import InputRefused
from features.settings import load
from serving.alone import champion
from serving.errors import FactsRefused
from serving.facts import contract_errors, counted, households
from serving.rows import SCORED_FROM
from serving.schemas import ScoreRequest
from serving.told import json_of, scored

if TYPE_CHECKING:
    from pathlib import Path


def score_file(path: Path) -> str:
    """The answer to the request in a file, as JSON.

    Raises
    ------
    InputRefused
        The file is no such request, or there is no model.
    """
    try:
        asked = ScoreRequest.model_validate_json(path.read_bytes())
        known = households(asked.households)
    except OSError as fault:
        raise InputRefused(f"{path} cannot be read", "a JSON file", "Check the path.") from fault
    except ValidationError as fault:
        faults = [{**one, "loc": ("body", *one["loc"])} for one in fault.errors()]
        errors = contract_errors(faults)
        first = f"{'.'.join(map(str, fault.errors()[0]['loc']))}: {faults[0]['msg']}"
        raise _refused(path, counted(errors) if errors else first) from fault
    except FactsRefused as refusal:
        raise _refused(path, refusal.detail) from refusal
    in_use = champion()
    made = in_use.loaded.answer(known)
    said = json_of(scored(in_use, made, in_use.stale_because, contributions=asked.contributions))
    return json.dumps(json.loads(said), indent=2, ensure_ascii=False)


def _refused(path: Path, found: str) -> InputRefused:
    return InputRefused(f"{path}: {found}", "what docs/registers.md says of each column", "Correct it and ask again.")


def facts_of(household_id: str) -> str:
    """A request for one household of the accepted registers, as JSON.

    Raises
    ------
    InputRefused
        No register knows the household.
    """
    registers = read_registers(load().paths.interim)
    rows = {name: _rows(registers, name, household_id) for name in SCORED_FROM}
    if not rows["household"] and not rows["child"]:
        raise InputRefused("a household that no register knows", "a household_id of data/interim", "Check it.")
    asked = {"households": [{"household_id": household_id, "registers": {n: r for n, r in rows.items() if r}}]}
    return json.dumps(asked, indent=2, ensure_ascii=False)


def _rows(registers: dict[str, pd.DataFrame], name: str, household_id: str) -> list[dict[str, Any]]:
    """The rows that the batch would look at for the household's children and women."""
    table = registers[name]
    child, maternal = (registers[r][registers[r].household_id == household_id] for r in ("child", "maternal"))
    children, mothers = child.child_id, pd.concat([child.mother_id.dropna(), maternal.mother_id])
    ours = {
        "maternal": lambda: table.mother_id.isin(mothers),
        "pregnancy": lambda: table.child_id.isin(children) | table.mother_id.isin(mothers),
        "measurement": lambda: table.child_id.isin(children),
    }
    of_home = table[ours.get(name, lambda: table.household_id == household_id)()].drop(
        columns="household_id", errors="ignore"
    )
    found = json.loads(of_home.to_json(orient="records", date_format="iso", date_unit="s", double_precision=15))
    return [{k: v[:10] if _is_day(table, k) else v for k, v in row.items() if v is not None} for row in found]


def _is_day(table: pd.DataFrame, name: str) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(table[name]))
