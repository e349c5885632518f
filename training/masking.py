"""Hides registers in a share of training rows, so that the model can answer without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.catalog import CATALOG, View
from features.catalog.area import NEIGHBOURS

if TYPE_CHECKING:
    import pandas as pd

# A district may lack any of these; child and area are always there.
DROPPABLE = (View.HOUSEHOLD, View.SANITATION, View.MOTHER, View.PREGNANCY)
CHILD_FACTS = (View.CHILD, View.PREGNANCY)


def columns_of(*views: View) -> list[str]:
    """Names of the features that these views feed, means over neighbours included."""
    own = [f.name for f in CATALOG if f.view in views]
    return own + [name for name, item in NEIGHBOURS.items() if item in own]


def hide(rows: pd.DataFrame, *views: View) -> pd.DataFrame:
    """The rows as they would be without these registers."""
    return rows.assign(**dict.fromkeys(columns_of(*views), np.nan))


def mask(rows: pd.DataFrame, *, registers: float, pregnancies: float, seed: int) -> pd.DataFrame:
    """The rows with one register hidden in a share of them, and all child facts in another.

    Rows must be in their key's order: the draw goes by position.
    """
    draw = np.random.default_rng(seed).random(len(rows))
    masked = rows.copy()
    for n, view in enumerate(DROPPABLE):
        low, high = registers * n / len(DROPPABLE), registers * (n + 1) / len(DROPPABLE)
        masked.loc[(draw >= low) & (draw < high), columns_of(view)] = np.nan
    unborn = (draw >= registers) & (draw < registers + pregnancies)
    masked.loc[unborn, columns_of(*CHILD_FACTS)] = np.nan
    return masked
