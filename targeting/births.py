"""Which child was born to which woman, by all that the registers say of it; pure."""

from __future__ import annotations

import pandas as pd


def births_of(child: pd.DataFrame, pregnancy: pd.DataFrame) -> pd.DataFrame:
    """child_id, mother_id, birth_date of each child as last recorded, where its mother is known.

    The mother by the register `child`, or else by the pregnancy that names the child.
    """
    last = child.sort_values("recorded_on").drop_duplicates("child_id", keep="last")
    linked = pregnancy.dropna(subset="child_id").sort_values(["recorded_on", "pregnancy_id"])
    mother = linked.drop_duplicates("child_id", keep="last").set_index("child_id").mother_id
    found = last.assign(mother_id=filled(last.mother_id, by=last.child_id.map(mother)))
    return found[["child_id", "mother_id", "birth_date"]].dropna().reset_index(drop=True)


def last_births(child: pd.DataFrame, pregnancy: pd.DataFrame) -> pd.Series:
    """The day on which each woman last gave birth, by mother_id; who is not in it is not known to have."""
    return births_of(child, pregnancy).groupby("mother_id").birth_date.max()


def filled(identifiers: pd.Series, *, by: pd.Series) -> pd.Series:
    """Identifiers, and where there is none that of `by`."""
    # A register without rows has no kind of text that another could be filled by.
    return identifiers.astype("string").fillna(by.astype("string"))
