"""By time, and grouped so that neither a household nor an area straddles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sklearn.model_selection import GroupKFold

from features.errors import InputRefused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import numpy as np


def temporal(rows: pd.DataFrame, *, test_from: dt.date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows (outcome known before `test_from`) and test rows (as of it or later).

    A household with rows on both sides is left to the test, so that it never straddles.

    Raises
    ------
    InputRefused
        One side is empty or has one outcome only; says what dates there are.
    """
    day = pd.Timestamp(test_from)
    test = rows[rows.as_of >= day]
    train = rows[(rows.as_of < day) & (rows.outcome_known_on < day)]
    train = train[~train.household_id.isin(test.household_id)]
    for name, part in (("training", train), ("test", test)):
        if part.stunted.nunique() < 2:  # noqa: PLR2004 (stunted and not)
            span = f"{rows.as_of.min():%Y-%m-%d} to {rows.as_of.max():%Y-%m-%d}" if len(rows) else "no day to none"
            raise InputRefused(
                f"with TEST_FROM={test_from} the {name} side has {len(part):,} rows, "
                f"{int(part.stunted.sum()):,} stunted",
                f"stunted and not stunted children on both sides; outcomes run from {span}",
                "Move TEST_FROM: make run ... TEST_FROM=YYYY-MM-DD, or `split.test_from` in params.yaml.",
            )
    return train.reset_index(drop=True), test.reset_index(drop=True)


def clusters(rows: pd.DataFrame) -> pd.Series:
    """The area of each row; a household whose area is not known stands alone."""
    return rows.area_id.fillna(rows.household_id)


def folds(rows: pd.DataFrame, *, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation in which an area, and so its households, stays whole."""
    groups = clusters(rows)
    return GroupKFold(n_splits=min(count, groups.nunique())).split(rows, groups=groups)


def with_weights(rows: pd.DataFrame, household: pd.DataFrame) -> pd.DataFrame:
    """The rows, in their order, with their household's `sample_weight` as known on `as_of`; null where it has none."""
    one_kind = {"household_id": "string"}
    known = household[["household_id", "recorded_on", "sample_weight"]].dropna().sort_values("recorded_on")
    asked = rows[["household_id", "as_of"]].assign(place=range(len(rows))).sort_values("as_of")
    asked, known = asked.astype(one_kind), known.astype(one_kind)
    found = pd.merge_asof(asked, known, left_on="as_of", right_on="recorded_on", by="household_id")
    return rows.assign(sample_weight=found.sort_values("place").sample_weight.to_numpy())


def known_weights(rows: pd.DataFrame) -> np.ndarray | None:
    """Survey weights, scaled to a mean of 1; None where the rows are no sample, or not every one has a weight."""
    if "sample_weight" not in rows or rows.sample_weight.isna().any() or not rows.sample_weight.sum():
        return None
    return (rows.sample_weight / rows.sample_weight.mean()).to_numpy(float)
