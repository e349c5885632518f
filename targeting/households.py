"""Risks of children and pregnancies -> the risk of their household; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable


def combined(risks: Iterable[float]) -> float | None:
    """The risk that at least one of several units is stunted, taken as independent; None of none."""
    known = list(risks)
    return 1.0 - math.prod(1.0 - risk for risk in known) if known else None


def part_urgent(scores: pd.DataFrame, in_danger: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The units to rank, and those of the urgent list, who are referred and not ranked.

    A woman on it takes her pregnancy with her; a child of hers is ranked all the same.

    Parameters
    ----------
    in_danger
        The urgent list: `child_id` and `mother_id`, one of them null.
    """
    pregnant = (scores.unit_kind == "pregnancy") & scores.mother_id.isin(in_danger.mother_id.dropna())
    referred = scores.child_id.isin(in_danger.child_id.dropna()) | pregnant
    return scores[~referred], scores[referred]


def score_households(scores: pd.DataFrame, *, objective: str) -> pd.DataFrame:
    """One row a household: the risk that at least one of its units is, or will be, stunted.

    `1 - prod(1 - risk)` takes the units as independent, which siblings are not: an assumption.
    `find` goes by `risk_now`, `prevent` by `risk_at_24m`; a household without such a unit has null.
    `reasons_unit_id` is the unit of highest risk, which the reasons are about.
    """
    now, then = (scores[name].astype(float) for name in ("risk_now", "risk_at_24m"))
    rows = scores.assign(now=now, then=then, safe_now=1.0 - now, safe_then=1.0 - then)
    grouped = rows.groupby("household_id", sort=True)
    homes = pd.DataFrame(
        {
            "region_id": grouped.region_id.first(),
            "area_id": grouped.area_id.first(),
            "unit_count": grouped.size(),
            "risk_find": 1.0 - grouped.safe_now.prod(min_count=1),
            "risk_prevent": 1.0 - grouped.safe_then.prod(min_count=1),
        }
    )
    ranked, why = ("now", "reasons") if objective == "find" else ("then", "reasons_24m")
    homes["risk"] = homes.risk_find if objective == "find" else homes.risk_prevent
    homes["expected_stunted"] = grouped[ranked].sum()
    homes["objective"] = objective
    worst = rows.sort_values([ranked, "unit_id"], ascending=[False, True], na_position="last").drop_duplicates(
        "household_id"
    )
    worst = worst.set_index("household_id")
    said = {"reasons_id": worst[f"{why}_id"], "reasons_en": worst[f"{why}_en"], "reasons_unit_id": worst.unit_id}
    return homes.assign(**said).reset_index()
