"""How today's rules would order households: KRS, then rank, then count; and poverty alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from features.errors import InputRefused
from training.baselines import krs, krs_rank_count, poverty_only, stronger_reading
from training.fit import labelled
from training.krs import KrsRule
from training.splits import temporal

if TYPE_CHECKING:
    from features.settings import Krs, Settings

RULES: Final = ("krs_rank_count", "krs_per_child", "poverty_only")


def orders_of(units: pd.DataFrame, *, rule: KrsRule) -> pd.DataFrame:
    """Every household as today's rules see it: as the unit of it that they would visit soonest.

    Parameters
    ----------
    units
        Children and pregnancies with their features, in any order.

    Returns
    -------
    One row a household, by `household_id`: `krs` [true, false], the family of one of its units is KRS;
    `krs_rank_count` and `poverty_only` [higher is sooner], the highest of its units, see `training.baselines`. Units of
    a household differ in their mother and in the gap between births. `krs_per_child` is `krs_rank_count` summed over
    its units: not BKKBN's rule, which is of families, but what it would be if it counted children as a plan does.
    """
    by_unit = krs_rank_count(units, rule=rule).astype(float)
    scored = pd.DataFrame(
        {
            "household_id": units.household_id.astype("str"),
            "krs": krs(units, rule=rule) == 1,
            "krs_rank_count": by_unit,
            "poverty_only": poverty_only(units).astype(float),
        }
    )
    homes = scored.groupby("household_id", sort=True)
    return homes.max().assign(krs_per_child=homes.krs_rank_count.sum()).reset_index()


def reading_of(train: pd.DataFrame | None, *, declared: Krs) -> tuple[KrsRule, str]:
    """The KRS rule to compare with, and in words why it is read so.

    Parameters
    ----------
    train
        Labelled rows of the past, with `stunted` both 0 and 1; None where there are none.
    """
    if train is not None:
        return stronger_reading(train, train.stunted, declared=declared)
    rule = KrsRule(**declared.model_dump())
    return rule, f"{rule.reading}: the first reading, for no outcome of the past tells which one is the stronger"


def rule_of(settings: Settings) -> tuple[KrsRule, str]:
    """The KRS rule that the model is judged against, and in words why it is read so.

    Chosen again on the training rows, as stage `evaluate` does: a report on disk may be of other settings or registers.
    """
    try:
        train, _ = temporal(labelled(settings), test_from=settings.test_from)
    except InputRefused:  # no outcome at all, or one kind of it only: nothing to choose by
        return reading_of(None, declared=settings.krs)
    return reading_of(train, declared=settings.krs)
