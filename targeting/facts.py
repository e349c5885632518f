"""How fresh the facts behind a household's score are, and which registers lack some; pure."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

# register: the id by which it is looked up for a unit
KEY_OF = {
    "household": "household_id",
    "sanitation": "household_id",
    "maternal": "mother_id",
    "child": "child_id",
    "pregnancy": "child_id",
}


def fact_dates(scores: pd.DataFrame, registers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The freshest and the stalest fact behind each household's score, and the registers it lacks.

    A fact is the newest record of a unit in a register by the unit's `as_of`. `missing_registers`
    names those without one for some unit; a pregnancy has none by `child_id` to lack.

    Parameters
    ----------
    scores
        One row a unit: unit_kind, as_of, household_id, mother_id, child_id.
    registers
        Those of `KEY_OF`, each with its id and `recorded_on`.
    """
    units = scores.reset_index(drop=True)
    known = pd.DataFrame({name: _newest(units, registers[name], key=key) for name, key in KEY_OF.items()})
    lacking = known.isna()
    lacking.loc[units.unit_kind == "pregnancy", [n for n, key in KEY_OF.items() if key == "child_id"]] = False
    lacked = lacking.groupby(units.household_id).any()
    made = pd.DataFrame(
        {
            "freshest_on": known.max(axis=1).groupby(units.household_id).max(),
            "stalest_on": known.min(axis=1).groupby(units.household_id).min(),
            "missing_registers": [", ".join(compress(KEY_OF, row)) for row in lacked.to_numpy()],
        },
        index=lacked.index,
    )
    return made.reset_index()


def _newest(units: pd.DataFrame, register: pd.DataFrame, *, key: str) -> pd.Series:
    """The date of each unit's newest record by its `as_of`, on the index of `units`."""
    who = units[[key, "as_of"]].rename_axis("row").reset_index().dropna(subset=[key])  # a null id would match null
    records = who.merge(register[[key, "recorded_on"]], on=key)
    seen = records[records.recorded_on <= records.as_of]
    return seen.groupby("row").recorded_on.max().reindex(units.index)
